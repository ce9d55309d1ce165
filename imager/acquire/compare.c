/* SPDX-License-Identifier: Apache-2.0 */
#include "acquire/compare.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/text.h"
#include "e01/segment.h"

#define TEXT_MAX 2999                     /* bytes of a header field that an image can hold */
#define TEXT_SHOWN 60                     /* bytes of it in a sentence */
#define SECTORS_32BIT (UINT64_C(1) << 32) /* the list in an image holds no others */

struct teller {
	im_damage_fn *tell;
	void *arg;
};

static void say(const struct teller *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void say(const struct teller *t, const char *fmt, ...)
{
	char text[4096 + 512]; /* a file name, and two digests or texts */
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	t->tell(t->arg, text);
}

/* --- the header --- */

/* Texts with control characters or broken characters (U+FFFD: see json_read.h), and those too long for the header, are
 * changed on their way into the image or the record. */
static bool is_kept(const char *text)
{
	size_t n = strlen(text);

	for (size_t i = 0; i < n; i++)
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			return false;
	return n <= TEXT_MAX && !strstr(text, "\xEF\xBF\xBD");
}

static void compare_text(const struct teller *t, const char *what, const char *recorded, const char *stored)
{
	recorded = recorded ? recorded : "";
	stored = stored ? stored : "";
	if (is_kept(recorded) && strcmp(recorded, stored) != 0)
		say(t, "the header of the image states another %s than the record: \"%.*s\", not \"%.*s\"", what,
		    TEXT_SHOWN, stored, TEXT_SHOWN, recorded);
}

static void compare_texts(const struct teller *t, const struct co_e01_info *info, const struct im_recorded *rec)
{
	compare_text(t, "case number", rec->case_number, info->case_number);
	compare_text(t, "evidence number", rec->evidence_number, info->evidence_number);
	compare_text(t, "examiner", rec->examiner, info->examiner);
	compare_text(t, "description", rec->description, info->description);
	compare_text(t, "notes", rec->notes, info->notes);
	compare_text(t, "model", rec->model, info->model);
	compare_text(t, "serial number", rec->serial, info->serial);
	if (rec->acquiry_date)
		compare_text(t, "date", rec->acquiry_date, info->acquiry_date);
}

static void compare_order(const struct teller *t, const struct co_e01_info *info, const struct im_recorded *rec)
{
	if (info->n_segments != rec->segments.n) {
		say(t, "the image has %u segments, but the record states %zu", info->n_segments, rec->segments.n);
		return;
	}
	for (unsigned i = 0; i < info->n_segments; i++)
		if (strcmp(info->segment_names[i], rec->segments.at[i]) != 0)
			say(t, "%s holds segment %u, which the record names %s: the names were exchanged",
			    info->segment_names[i], i + 1, rec->segments.at[i]);
}

/* --- unreadable sectors --- */

static int by_first(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return x[0] < y[0] ? -1 : x[0] > y[0];
}

/* Of a sorted list: the first sector of [at, ...) that it holds, and the end of the run around it. Ranges may touch. */
static bool next_run(const uint64_t (*list)[2], size_t n, uint64_t at, uint64_t *ret_first, uint64_t *ret_end)
{
	bool found = false;

	for (size_t i = 0; i < n; i++) {
		uint64_t end = list[i][0] + list[i][1];

		if (end <= at)
			continue;
		if (found && list[i][0] > *ret_end)
			break;
		*ret_first = found ? *ret_first : co_max_u64(list[i][0], at);
		*ret_end = found ? co_max_u64(*ret_end, end) : end;
		found = true;
	}
	return found;
}

/* The first sector that is in one of the lists only. false: none. */
static bool first_difference(const uint64_t (*a)[2], size_t n_a, const uint64_t (*b)[2], size_t n_b, uint64_t *ret)
{
	uint64_t at = 0;

	for (;;) {
		uint64_t a_first = UINT64_MAX, a_end = 0, b_first = UINT64_MAX, b_end = 0;
		bool in_a = next_run(a, n_a, at, &a_first, &a_end), in_b = next_run(b, n_b, at, &b_first, &b_end);

		if (!in_a && !in_b)
			return false;
		*ret = co_min_u64(a_first, b_first);
		if (a_first != b_first)
			return true;
		*ret = co_min_u64(a_end, b_end);
		if (a_end != b_end)
			return true;
		at = a_end;
	}
}

/* What an image can hold of the record's list. NULL: none or no memory; *ret_n tells. */
static uint64_t (*fitting(const struct im_ranges *ranges, size_t *ret_n))[2]
{
	uint64_t(*list)[2] = ranges->list.n ? calloc(ranges->list.n, sizeof *list) : NULL;
	size_t n = 0;

	for (size_t i = 0; list && i < ranges->list.n && ranges->list.at[i].first < SECTORS_32BIT; i++) {
		list[n][0] = ranges->list.at[i].first;
		list[n++][1] = co_min_u64(co_min_u64(ranges->list.at[i].count, UINT32_MAX),
					  SECTORS_32BIT - ranges->list.at[i].first);
	}
	*ret_n = n;
	return list;
}

static void compare_errors(const struct teller *t, const struct co_e01_info *info, const struct im_recorded *rec)
{
	uint64_t(*stored)[2] = info->n_errors ? calloc(info->n_errors, sizeof *stored) : NULL, sector;
	size_t n = 0;
	uint64_t(*recorded)[2] = fitting(&rec->unreadable, &n);

	if ((info->n_errors && !stored) || (rec->unreadable.list.n && !recorded)) {
		say(t, "the lists of unreadable sectors are too long for the memory and were not compared");
	} else {
		if (stored) {
			memcpy(stored, info->errors, info->n_errors * sizeof *stored);
			qsort(stored, info->n_errors, sizeof *stored, by_first);
		}
		if (first_difference((const uint64_t(*)[2])stored, info->n_errors, (const uint64_t(*)[2])recorded, n,
				     &sector))
			say(t,
			    "the list of unreadable sectors in the image is not the one in the record: they differ "
			    "from sector %" PRIu64 " on",
			    sector);
	}
	free(stored);
	free(recorded);
}

void im_compare_header(const struct co_e01_info *info, const struct im_recorded *rec, im_damage_fn *tell, void *arg)
{
	const struct teller t = { tell, arg };

	if (memcmp(info->guid, rec->guid, sizeof rec->guid) != 0)
		say(&t, "the GUID of the image is not the one in the record: it belongs to another acquisition");
	if (!im_recorded_fits(rec, info->media_size, info->sector_size))
		say(&t,
		    "the image holds %" PRIu64 " bytes, but the record states %" PRIu64 " and a padding of %" PRIu64,
		    info->media_size, rec->media_bytes, rec->padding_bytes);
	compare_order(&t, info, rec);
	compare_errors(&t, info, rec);
	compare_texts(&t, info, rec);
}

/* --- the files of a bag --- */

int im_bag_file_add(struct im_bag_files_found *files, const char *path, const char sha256[65])
{
	struct im_bag_file f = { .path = strdup(path) };

	memcpy(f.sha256, sha256, sizeof f.sha256);
	if (f.path && co_vec_push(&files->list, f) == 0)
		return 0;
	free(f.path);
	return -1;
}

void im_bag_files_found_free(struct im_bag_files_found *files)
{
	for (size_t i = 0; i < files->list.n; i++)
		free(files->list.at[i].path);
	co_vec_free(&files->list);
}

/* Where the record names "BAG/data/x.E01", the bag has "data/x.E01". SIZE_MAX: it names no such segment. */
static size_t recorded_segment(const char *bag, const struct im_recorded *rec, const char *path)
{
	size_t n = strlen(bag);

	for (size_t i = 0; i < rec->segments.n; i++)
		if (strncmp(rec->segments.at[i], bag, n) == 0 && rec->segments.at[i][n] == '/' &&
		    strcmp(rec->segments.at[i] + n + 1, path) == 0)
			return i;
	return SIZE_MAX;
}

void im_compare_segments(const char *bag, const struct im_bag_files_found *files, const struct im_recorded *rec,
			 im_damage_fn *tell, void *arg)
{
	const struct teller t = { tell, arg };

	for (size_t i = 0; i < files->list.n; i++) {
		const struct im_bag_file *f = &files->list.at[i];
		size_t k = recorded_segment(bag, rec, f->path);
		CO_CLEANUP_STR struct co_str name = { 0 };

		co_str_addf(&name, "%s/%s", bag, f->path);
		if (k == SIZE_MAX && co_e01_probe(co_str_get(&name), NULL) == 1)
			say(&t, "%s is a segment of an image that the record does not name", co_str_get(&name));
		else if (k != SIZE_MAX && rec->segment_facts.at[k].sha256[0] &&
			 strcmp(rec->segment_facts.at[k].sha256, f->sha256) != 0)
			say(&t, "%s is not the segment that was recorded: its SHA-256 is %s, not %s", co_str_get(&name),
			    f->sha256, rec->segment_facts.at[k].sha256);
	}
}
