/* SPDX-License-Identifier: Apache-2.0 */
/* Sources that fail, and places to write to that fail. */
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "selftest/rows.h"

#define MIB (UINT64_C(1) << 20)
#define SECTOR UINT64_C(512)

/* The end of the file below a loop device is cut off: the kernel gives EIO for what lay there. */
void im_row_bad_end(struct im_trial *t)
{
	const uint64_t bad = 64 * SECTOR;
	const struct im_disk d = { .seed = 40, .size = 5 * MIB, .holes = { { 5 * MIB - bad, bad } } };
	const char *raw = im_path(t, "source.raw"), *bag = im_path(t, "bag"), *copy = im_path(t, "copy.raw");
	const json_t *record;
	struct im_loop *loop;
	char want[65];

	if (!im_make_disk(t, &d, raw) || !im_attach(t, raw, 512, true, &loop) ||
	    !im_expect(t, truncate(raw, (off_t)(d.size - bad)) == 0, "cut %s", raw) ||
	    !im_acquire_to(t, 3, loop->path, bag, &record) ||
	    !im_json_is(t, record, "status", "complete-with-errors") ||
	    !im_json_is(t, record, "unreadable",
			im_text(t, "[[%" PRIu64 ",%" PRIu64 "]]", (d.size - bad) / SECTOR, bad / SECTOR)) ||
	    !im_sha256_of_disk(t, &d, want) || !im_json_is(t, record, "digests.sha256", want) ||
	    !im_imager(t, IM_ANY_CODE, NULL, "export", bag, "--output", copy, "--progress", "none", NULL))
		return;
	im_holds_disk(t, &d, copy);
}

static const struct im_disk ten_bad_sectors = {
	.seed = 41,
	.size = 8 * MIB,
	.holes = { { 2048 * SECTOR, SECTOR }, { 4100 * SECTOR, 8 * SECTOR }, { 16383 * SECTOR, SECTOR } },
};

void im_row_bad_sectors(struct im_trial *t)
{
	const struct im_disk *d = &ten_bad_sectors;
	const char *bag = im_path(t, "bag"), *copy = im_path(t, "copy.raw"), *verify;
	struct im_faulty faulty;
	const json_t *record;
	char want[65];

	if (!im_faulty_disk(t, d, 0, &faulty) || !im_acquire_to(t, 3, faulty.loop->path, bag, &record) ||
	    !im_json_is(t, record, "status", "complete-with-errors") ||
	    !im_json_is(t, record, "unreadable", "[[2048,1],[4100,8],[16383,1]]") || !im_sha256_of_disk(t, d, want) ||
	    !im_json_is(t, record, "digests.sha256", want) ||
	    !im_imager(t, IM_ANY_CODE, NULL, "export", bag, "--output", copy, "--progress", "none", NULL) ||
	    !im_holds_disk(t, d, copy))
		return;
	im_fact(t, "ten bad sectors: these ten are lost, and no other");
	if (im_machine_tool(t->machine, "ewfverify") && im_needs_tool(t, "ewfverify", &verify))
		im_tool(t, verify, 0, NULL, "-q", "-d", "sha256", im_text(t, "%s/data/image.E01", bag), NULL);
}

void im_row_vanishes(struct im_trial *t)
{
	const struct im_disk d = { .seed = 42, .size = 8 * MIB };
	const char *bag = im_path(t, "bag");
	struct im_faulty faulty;
	struct co_child *child;
	const json_t *record;
	struct im_ran ran;
	int64_t from;

	if (!im_faulty_disk(t, &d, 60, &faulty) ||
	    !im_start(t, NULL, &child, "acquire", faulty.loop->path, "--output", bag, "--progress", "none", "--json",
		      NULL) ||
	    !im_wait_for_file(t, child, bag, 20))
		return;
	usleep(300000);
	co_child_kill(faulty.server);
	from = co_clock_monotonic();
	if (!im_finish(t, child, 6, &ran) || !im_parse(t, ran.out, &record) ||
	    !im_json_is(t, record, "status", "source-lost") || !im_nothing_final(t, bag))
		return;
	im_fact(t, "found out %.1f s after the disk was gone", (double)(co_clock_monotonic() - from) / 1e9);
}

void im_row_write_error(struct im_trial *t)
{
	const struct im_disk d = { .seed = 43, .size = 6 * MIB };
	const struct im_how how = { .file_limit = 2 * MIB };
	const char *raw = im_path(t, "source.raw"), *bag = im_path(t, "bag");
	struct im_ran ran;

	if (!im_make_disk(t, &d, raw) ||
	    !im_imager_with(t, &how, 5, &ran, "acquire", raw, "--output", bag, "--compression", "none", "--progress",
			    "none", NULL) ||
	    !im_expect(t, ran.err[0], "nothing is said of the error"))
		return;
	im_nothing_final(t, bag);
}

void im_row_no_space(struct im_trial *t)
{
	const struct im_disk d = { .seed = 44, .size = 6 * MIB };
	const char *raw = im_path(t, "source.raw"), *folder = im_path(t, "small");
	const char *bag = im_text(t, "%s/bag", folder);
	struct im_ran ran;

	if (!im_make_disk(t, &d, raw) || !im_mount(t, "tmpfs", folder, "tmpfs", 0, "size=1536k") ||
	    !im_imager(t, 5, &ran, "acquire", raw, "--output", bag, "--progress", "none", NULL) ||
	    !im_expect(t, strstr(ran.err, "o space left") || strstr(ran.err, "full"),
		       "the message does not say that the file system is full: %s", ran.err))
		return;
	im_nothing_final(t, bag);
}

/* Begins to image a disk that takes its time, and returns when the bag is there. */
static bool begin_slowly(struct im_trial *t, const struct im_disk *d, const char *bag, struct co_child **ret)
{
	const char *raw = im_path(t, "source.raw");

	if (!im_make_disk(t, d, raw) ||
	    !im_start(t, NULL, ret, "acquire", raw, "--output", bag, "--compression", "best", "--threads", "1",
		      "--segment-size", "4M", "--guid", "00112233445566778899aabbccddeeff", "--date",
		      "2020-01-02T03:04:05Z", "--progress", "none", NULL) ||
	    !im_wait_for_file(t, *ret, bag, 30))
		return false;
	usleep(100000);
	return true;
}

static const struct im_disk slow_disk = { .seed = 45, .size = 64 * MIB };

void im_row_interrupted(struct im_trial *t)
{
	const char *bag = im_path(t, "bag");
	struct co_child *child;
	struct im_ran ran;

	if (!begin_slowly(t, &slow_disk, bag, &child))
		return;
	co_child_stop(child);
	if (im_finish(t, child, 75, &ran))
		im_nothing_final(t, bag);
}

void im_row_resume(struct im_trial *t)
{
	const char *raw = im_path(t, "source.raw"), *bag = im_path(t, "bag"), *whole = im_path(t, "whole");
	struct co_child *child;
	struct im_ran ran;

	if (!im_needs_option(t, "acquire", "--resume") || !begin_slowly(t, &slow_disk, bag, &child))
		return;
	co_child_kill(child);
	if (!im_finish(t, child, 128 + 9, &ran) || !im_nothing_final(t, bag) ||
	    !im_imager(t, 0, NULL, "acquire", raw, "--output", bag, "--resume", "--progress", "none", NULL) ||
	    !im_imager(t, 0, NULL, "acquire", raw, "--output", whole, "--compression", "best", "--threads", "1",
		       "--segment-size", "4M", "--guid", "00112233445566778899aabbccddeeff", "--date",
		       "2020-01-02T03:04:05Z", "--progress", "none", NULL))
		return;
	for (int i = 1; i == 1 || im_exists(im_text(t, "%s/data/image.E%02d", whole, i)); i++) {
		char one[65], other[65];

		if (!im_sha256_of_file(t, im_text(t, "%s/data/image.E%02d", whole, i), one) ||
		    !im_sha256_of_file(t, im_text(t, "%s/data/image.E%02d", bag, i), other) ||
		    !im_same_text(t, im_text(t, "segment %d of the resumed image", i), other, one))
			return;
	}
	im_imager(t, 0, NULL, "verify", bag, "--progress", "none", NULL);
}

void im_row_retries(struct im_trial *t)
{
	const struct im_disk *d = &ten_bad_sectors;
	struct im_faulty faulty;
	const json_t *record;
	struct im_ran ran;

	if (!im_needs_option(t, "acquire", "--sector-retries") || !im_faulty_disk(t, d, 0, &faulty) ||
	    !im_imager(t, 3, &ran, "acquire", faulty.loop->path, "--output", im_path(t, "bag"), "--sector-retries", "2",
		       "--progress", "none", "--json", NULL) ||
	    !im_parse(t, ran.out, &record))
		return;
	im_json_is(t, record, "unreadable", "[[2048,1],[4100,8],[16383,1]]");
}
