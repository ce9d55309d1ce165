/* SPDX-License-Identifier: Apache-2.0 */
#include "run/progress.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"

#define TTY_INTERVAL (CO_NS_PER_S / 5)
#define PLAIN_INTERVAL (30 * CO_NS_PER_S)
#define RECORD_INTERVAL CO_NS_PER_S

/* How much was done at some moment. */
struct sample {
	int64_t at; /* co_clock_monotonic() */
	uint64_t done;
};

struct co_progress {
	enum co_progress_mode mode;
	const char *status_file;
	char *status_part; /* what is renamed to status_file */
	/* the phase; NULL before the first and after the last */
	const char *phase, *unit;
	uint64_t total, done, errors;
	int64_t begin;
	struct sample old, young; /* the rate now is that since `old`: one to two seconds ago */
	int64_t shown, recorded;  /* when the line and the status file were written */
};

/* Only one line can stand on the terminal. */
static bool line_stands;

int co_progress_mode_parse(const char *text, enum co_progress_mode *ret, struct co_err *err)
{
	static const char *const names[] = {
		[CO_PROGRESS_AUTO] = "auto", [CO_PROGRESS_TTY] = "tty",   [CO_PROGRESS_PLAIN] = "plain",
		[CO_PROGRESS_JSON] = "json", [CO_PROGRESS_NONE] = "none",
	};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		if (strcmp(text ? text : "auto", names[i]) == 0) {
			*ret = (enum co_progress_mode)i;
			return 0;
		}
	}
	return co_err_set(err, CO_ERR_USAGE, 0, "--progress: '%s' is none of auto, tty, plain, json, none", text);
}

void co_progress_clear_line(void)
{
	if (!line_stands)
		return;
	fputs("\r\033[K", stderr);
	line_stands = false;
}

static double seconds(int64_t ns)
{
	return (double)ns / (double)CO_NS_PER_S;
}

/* Units per second, 0 where no time has passed. */
static double rate(uint64_t done, int64_t ns)
{
	return ns > 0 ? (double)done / seconds(ns) : 0;
}

static double rate_now(const struct co_progress *p, int64_t now)
{
	return rate(p->done - p->old.done, now - p->old.at);
}

/* Seconds to go, -1: unknown. */
static double time_left(const struct co_progress *p, int64_t now)
{
	double average = rate(p->done, now - p->begin);
	if (p->total == 0 || average <= 0)
		return -1;
	return p->done < p->total ? (double)(p->total - p->done) / average : 0;
}

static bool in_bytes(const struct co_progress *p)
{
	return strcmp(p->unit, "bytes") == 0;
}

static void add_amount(struct co_str *s, const struct co_progress *p, uint64_t n)
{
	char text[16];
	if (in_bytes(p)) {
		co_size_text(n, text);
		co_str_add(s, text);
	} else {
		co_str_addf(s, "%" PRIu64, n);
	}
}

static void add_rate(struct co_str *s, const struct co_progress *p, double per_second)
{
	if (in_bytes(p))
		co_str_addf(s, "%.1f MB/s", per_second / 1e6);
	else
		co_str_addf(s, "%.0f %s/s", per_second, p->unit);
}

static void add_duration(struct co_str *s, double left)
{
	uint64_t t = (uint64_t)(left + 0.5);
	co_str_addf(s, "%" PRIu64 ":%02" PRIu64 ":%02" PRIu64, t / 3600, t / 60 % 60, t % 60);
}

static void add_line(struct co_str *s, const struct co_progress *p, int64_t now)
{
	co_str_add(s, p->phase);
	if (p->total) {
		/* rounded down: 100.0% is said when it is true */
		double part = p->done < p->total ? (double)p->done / (double)p->total : 1;
		co_str_addf(s, " %.1f%%", (double)(int)(1000 * part) / 10);
	}
	co_str_add(s, "  ");
	add_amount(s, p, p->done);
	if (p->total) {
		co_str_add(s, " / ");
		add_amount(s, p, p->total);
	}
	if (!in_bytes(p))
		co_str_addf(s, " %s", p->unit);
	co_str_add(s, "  ");
	add_rate(s, p, rate_now(p, now));
	co_str_add(s, " (average ");
	add_rate(s, p, rate(p->done, now - p->begin));
	co_str_add(s, ")");
	double left = time_left(p, now);
	if (left >= 0 && left < 1e9) {
		co_str_add(s, "  ETA ");
		add_duration(s, left);
	}
	if (p->errors)
		co_str_addf(s, "  errors %" PRIu64, p->errors);
}

/* Phase and unit are literals without anything to escape. */
static void add_record(struct co_str *s, const struct co_progress *p, int64_t now)
{
	co_str_addf(s, "{\"schema\":\"exhibit.progress/1\",\"phase\":\"%s\",\"done\":%" PRIu64 ",\"total\":", p->phase,
		    p->done);
	if (p->total)
		co_str_addf(s, "%" PRIu64, p->total);
	else
		co_str_add(s, "null");
	co_str_addf(s, ",\"unit\":\"%s\",\"rate\":%.0f,\"rate_average\":%.0f,\"eta_s\":", p->unit, rate_now(p, now),
		    rate(p->done, now - p->begin));
	double left = time_left(p, now);
	if (left >= 0)
		co_str_addf(s, "%.0f", left);
	else
		co_str_add(s, "null");
	co_str_addf(s, ",\"errors\":%" PRIu64 ",\"elapsed_s\":%.1f}\n", p->errors, seconds(now - p->begin));
}

/* Cuts the line to the width of the terminal: one that wraps could not be taken back. */
static void show_on_tty(struct co_str *s)
{
	struct winsize size;
	size_t columns = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? size.ws_col : 80;
	size_t len = s->n < columns ? s->n : columns - 1;
	fprintf(stderr, "\r%.*s\033[K", (int)len, co_str_get(s));
	line_stands = true;
}

static void show(struct co_progress *p, int64_t now, bool last)
{
	CO_CLEANUP_STR struct co_str s = { 0 };
	p->shown = now;
	if (p->mode == CO_PROGRESS_JSON) {
		add_record(&s, p, now);
		fputs(co_str_get(&s), stderr);
		return;
	}
	add_line(&s, p, now);
	if (p->mode == CO_PROGRESS_PLAIN)
		fprintf(stderr, "%s\n", co_str_get(&s));
	else if (!last)
		show_on_tty(&s);
}

static void record(struct co_progress *p, int64_t now)
{
	CO_CLEANUP_STR struct co_str s = { 0 };
	p->recorded = now;
	add_record(&s, p, now);
	FILE *f = fopen(p->status_part, "we");
	if (!f)
		return;
	bool ok = fputs(co_str_get(&s), f) >= 0 && !s.failed;
	ok = fclose(f) == 0 && ok;
	if (!ok || rename(p->status_part, p->status_file) < 0)
		unlink(p->status_part);
}

static int64_t interval_of(enum co_progress_mode mode)
{
	switch (mode) {
	case CO_PROGRESS_JSON:
		return RECORD_INTERVAL;
	case CO_PROGRESS_PLAIN:
		return PLAIN_INTERVAL;
	default:
		return TTY_INTERVAL;
	}
}

static void update(struct co_progress *p)
{
	int64_t now = co_clock_monotonic();
	if (now - p->young.at >= CO_NS_PER_S) {
		p->old = p->young;
		p->young = (struct sample) { now, p->done };
	}
	if (p->mode != CO_PROGRESS_NONE && now - p->shown >= interval_of(p->mode))
		show(p, now, false);
	if (p->status_file && now - p->recorded >= RECORD_INTERVAL)
		record(p, now);
}

static void end_phase(struct co_progress *p)
{
	if (!p->phase)
		return;
	int64_t now = co_clock_monotonic();
	/* Of a phase in which nothing was done people need no line. */
	if (p->mode != CO_PROGRESS_NONE && (p->done || p->mode == CO_PROGRESS_JSON))
		show(p, now, true);
	if (p->status_file)
		record(p, now);
	co_progress_clear_line();
	p->phase = NULL;
}

/* Can a line be taken back there? */
static bool stderr_is_terminal(void)
{
	const char *term = getenv("TERM");
	return isatty(STDERR_FILENO) && term && strcmp(term, "dumb") != 0;
}

int co_progress_open(struct co_progress **ret, enum co_progress_mode mode, const char *status_file, struct co_err *err)
{
	struct co_progress *p = calloc(1, sizeof *p);
	if (!p)
		return co_err_set(err, CO_ERR_NOMEM, 0, "out of memory");
	if (mode == CO_PROGRESS_AUTO)
		mode = stderr_is_terminal() ? CO_PROGRESS_TTY : CO_PROGRESS_PLAIN;
	p->mode = mode;
	p->status_file = status_file;
	if (status_file && asprintf(&p->status_part, "%s.tmp", status_file) < 0) {
		free(p);
		return co_err_set(err, CO_ERR_NOMEM, 0, "out of memory");
	}
	*ret = p;
	return 0;
}

void co_progress_phase(struct co_progress *p, const char *phase, uint64_t total, const char *unit)
{
	if (!p)
		return;
	end_phase(p);
	p->phase = phase;
	p->unit = unit;
	p->total = total;
	p->done = 0;
	p->begin = co_clock_monotonic();
	p->old = p->young = (struct sample) { p->begin, 0 };
	p->shown = p->begin;
	p->recorded = p->begin;
	if (p->status_file)
		record(p, p->begin);
}

void co_progress_add(struct co_progress *p, uint64_t done)
{
	if (!p || !p->phase)
		return;
	p->done += done;
	update(p);
}

void co_progress_errors(struct co_progress *p, uint64_t more)
{
	if (!p)
		return;
	p->errors += more;
	if (p->phase)
		update(p);
}

void co_progress_close(struct co_progress *p)
{
	if (!p)
		return;
	end_phase(p);
	free(p->status_part);
	free(p);
}
