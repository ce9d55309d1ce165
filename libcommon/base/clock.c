/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include <ctype.h>
#include <stdio.h>
#include <time.h>

#include "base/bytes.h"

static int64_t clock_read(clockid_t id)
{
	struct timespec ts;
	clock_gettime(id, &ts); /* can't fail for these two clocks */
	return ts.tv_sec * CO_NS_PER_S + ts.tv_nsec;
}

int64_t co_clock_now(void)
{
	return clock_read(CLOCK_REALTIME);
}

int64_t co_clock_monotonic(void)
{
	return clock_read(CLOCK_MONOTONIC);
}

bool co_time_make(int64_t sec, uint32_t nsec, int64_t *ret_ns)
{
	int64_t ns;
	if (nsec >= CO_NS_PER_S || !co_mul(sec, CO_NS_PER_S, &ns) || !co_add(ns, (int64_t)nsec, &ns) ||
	    ns == CO_TIME_NONE)
		return false;
	*ret_ns = ns;
	return true;
}

int64_t co_time_sec(int64_t ns)
{
	return ns / CO_NS_PER_S - (ns % CO_NS_PER_S < 0);
}

uint32_t co_time_nsec(int64_t ns)
{
	return (uint32_t)((ns % CO_NS_PER_S + CO_NS_PER_S) % CO_NS_PER_S);
}

/* Days since 1970-01-01 of a proleptic Gregorian date. The year is counted from March, so that the leap day is its
 * last day, and in eras of 400 years = 146097 days. */
static int64_t days_of(int64_t year, int month, int day)
{
	year -= month <= 2;
	int64_t era = (year >= 0 ? year : year - 399) / 400;
	int64_t of_era = year - era * 400;
	int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

int64_t co_date_sec(int year, int month, int day, int hour, int minute, int second)
{
	return days_of(year, month, day) * 86400 + hour * 3600 + minute * 60 + second;
}

struct co_date co_date_of(int64_t sec)
{
	int64_t days = sec / 86400 - (sec % 86400 < 0);
	int rest = (int)(sec - days * 86400);
	int64_t z = days + 719468;
	int64_t era = (z >= 0 ? z : z - 146096) / 146097;
	int64_t doe = z - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int64_t mp = (5 * doy + 2) / 153;
	int month = (int)(mp < 10 ? mp + 3 : mp - 9);
	int64_t weekday = (days % 7 + 4 + 7) % 7; /* 1970-01-01 was a Thursday */
	return (struct co_date) {
		.year = (int)(yoe + era * 400 + (month <= 2)),
		.month = month,
		.day = (int)(doy - (153 * mp + 2) / 5 + 1),
		.hour = rest / 3600,
		.minute = rest / 60 % 60,
		.second = rest % 60,
		.weekday = (int)weekday,
	};
}

/* "2026-09-01T02:54:20", at most 26 bytes for the years of an int64 of nanoseconds; returns the length. */
static int put_date(int64_t ns, char ret[40])
{
	struct co_date d = co_date_of(co_time_sec(ns));
	return snprintf(ret, 28, "%04d-%02u-%02uT%02u:%02u:%02u", d.year, d.month % 100u, d.day % 100u, d.hour % 100u,
			d.minute % 100u, d.second % 100u);
}

void co_time_text(int64_t ns, char ret[40])
{
	ret[0] = '\0';
	if (ns == CO_TIME_NONE)
		return;
	int n = put_date(ns, ret);
	snprintf(ret + n, 12, ".%09uZ", co_time_nsec(ns) % 1000000000u);
}

void co_time_text_sec(int64_t ns, char ret[40])
{
	ret[0] = '\0';
	if (ns == CO_TIME_NONE)
		return;
	int n = put_date(ns, ret);
	ret[n] = 'Z';
	ret[n + 1] = '\0';
}

/* Reads exactly @n digits. */
static bool digits(const char **s, int n, int *ret)
{
	int v = 0;
	for (int i = 0; i < n; i++, (*s)++) {
		if (!isdigit((unsigned char)**s))
			return false;
		v = v * 10 + (**s - '0');
	}
	*ret = v;
	return true;
}

static bool skip(const char **s, char c)
{
	if (**s != c)
		return false;
	(*s)++;
	return true;
}

static bool parse_fraction(const char **s, int *ret_nsec)
{
	int scale = 100000000;
	if (!isdigit((unsigned char)**s))
		return false;
	for (; isdigit((unsigned char)**s); (*s)++, scale /= 10)
		*ret_nsec += (**s - '0') * scale;
	return true;
}

static bool parse_zone(const char **s, int *ret_seconds)
{
	int sign = **s == '-' ? -1 : 1, h, m;
	if (skip(s, 'Z') || **s == '\0')
		return true;
	if (!(skip(s, '+') || skip(s, '-')) || !digits(s, 2, &h))
		return false;
	skip(s, ':');
	if (!digits(s, 2, &m) || h > 15 || m > 59)
		return false;
	*ret_seconds = sign * (h * 3600 + m * 60);
	return true;
}

int co_time_parse(const char *text, int64_t *ret_ns)
{
	const char *s = text;
	int year, month, day, h = 0, m = 0, sec = 0, nsec = 0, zone = 0;
	if (!digits(&s, 4, &year) || !skip(&s, '-') || !digits(&s, 2, &month) || !skip(&s, '-') || !digits(&s, 2, &day))
		return -1;
	if (*s) {
		if (!(skip(&s, 'T') || skip(&s, ' ')) || !digits(&s, 2, &h) || !skip(&s, ':') || !digits(&s, 2, &m))
			return -1;
		/* a fraction of seconds only: "02:54.5" would be one of minutes */
		if (skip(&s, ':') && (!digits(&s, 2, &sec) || (skip(&s, '.') && !parse_fraction(&s, &nsec))))
			return -1;
		if (!parse_zone(&s, &zone) || *s)
			return -1;
	}
	if (month < 1 || month > 12 || day < 1 || day > 31 || h > 23 || m > 59 || sec > 60)
		return -1;
	/* A date that doesn't exist (31 April) comes back as another one. */
	int64_t t = co_date_sec(year, month, day, h, m, sec);
	if (co_date_of(co_date_sec(year, month, day, 0, 0, 0)).day != day)
		return -1;
	return co_time_make(t - zone, (uint32_t)nsec, ret_ns) ? 0 : -1;
}
