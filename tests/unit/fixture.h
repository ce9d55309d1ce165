/* SPDX-License-Identifier: Apache-2.0 */
/* For tests: pages of bytes from the text files in fixtures/ (their README.md says how they are written). */
#ifndef UNIT_FIXTURE_H
#define UNIT_FIXTURE_H

#include <check.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline void fixture_sum(uint8_t *page)
{
	uint8_t sum = 0;

	page[510] = 0xa5;
	page[511] = 0;
	for (int i = 0; i < 511; i++)
		sum = (uint8_t)(sum + page[i]);
	page[511] = (uint8_t)-sum;
}

static inline void fixture_text(uint8_t *page, size_t size, const char *args, int swapped)
{
	unsigned at, len;
	int n = 0;
	size_t text;

	ck_assert_int_eq(sscanf(args, "%u %u%n", &at, &len, &n), 2);
	at *= swapped ? 2 : 1;
	args += n + 1;
	text = strlen(args);
	ck_assert_uint_le(text, len);
	ck_assert_uint_le(at + len, size);
	for (unsigned i = 0; i < len; i++)
		page[at + (swapped ? i ^ 1 : i)] = i < text ? (uint8_t)args[i] : ' ';
}

static inline void fixture_line(uint8_t *page, size_t size, const char *line)
{
	unsigned at, len, value;
	unsigned long long number;
	int n = 0;

	if (sscanf(line, "word %u%n", &at, &n) == 1) {
		for (line += n; sscanf(line, "%x%n", &value, &n) == 1; line += n, at++) {
			ck_assert_uint_le(2 * at + 2, size);
			page[2 * at] = (uint8_t)value;
			page[2 * at + 1] = (uint8_t)(value >> 8);
		}
	} else if (strncmp(line, "swapped ", 8) == 0) {
		fixture_text(page, size, line + 8, 1);
	} else if (strncmp(line, "ascii ", 6) == 0) {
		fixture_text(page, size, line + 6, 0);
	} else if (sscanf(line, "number %u %u %llu", &at, &len, &number) == 3) {
		ck_assert_uint_le(at + len, size);
		for (unsigned i = 0; i < len; i++, number >>= 8)
			page[at + i] = (uint8_t)number;
	} else if (strcmp(line, "sum") == 0) {
		fixture_sum(page);
	} else {
		ck_assert_msg(line[0] == '#', "fixture line '%s'", line);
	}
}

static inline void fixture_read(const char *name, uint8_t *page, size_t size)
{
	char path[1024], line[256];
	FILE *f;

	snprintf(path, sizeof path, "%s/%s", UNIT_FIXTURES, name);
	f = fopen(path, "re");
	ck_assert_msg(f != NULL, "%s is missing", path);
	memset(page, 0, size);
	while (fgets(line, sizeof line, f)) {
		line[strcspn(line, "\n")] = '\0';
		fixture_line(page, size, line);
	}
	fclose(f);
}

#endif
