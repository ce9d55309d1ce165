/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Time: int64 nanoseconds since 1970-01-01T00:00:00Z (years 1677 to 2262). No locale, no time zone database.
 */
#ifndef CO_BASE_CLOCK_H
#define CO_BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#define CO_NS_PER_S INT64_C(1000000000)
#define CO_TIME_NONE INT64_MIN /* no such time is recorded */

struct co_date {
	int year, month, day, hour, minute, second; /* proleptic Gregorian, UTC; month 1-12 */
	int weekday;                                /* 0 = Sunday */
};

int64_t co_clock_now(void);       /* wall clock, ns since 1970 */
int64_t co_clock_monotonic(void); /* ns since some fixed point */

/* Seconds and nanoseconds to ns; false if it does not fit or ns is not below 10^9. */
bool co_time_make(int64_t sec, uint32_t nsec, int64_t *ret_ns);
/* Floor division: also right before 1970. */
int64_t co_time_sec(int64_t ns);
uint32_t co_time_nsec(int64_t ns);

struct co_date co_date_of(int64_t sec); /* any int64 whose year fits int */
int64_t co_date_sec(int year, int month, int day, int hour, int minute, int second);

/* "2026-09-01T02:54:20.000000000Z"; CO_TIME_NONE gives "". */
void co_time_text(int64_t ns, char ret[40]);
/* The same to the second: "2026-09-01T02:54:20Z". */
void co_time_text_sec(int64_t ns, char ret[40]);
/* ISO 8601: date, optional time to any fraction, Z or +hh:mm (none: UTC). 0, or -1: not such a text. */
int co_time_parse(const char *text, int64_t *ret_ns);

#endif
