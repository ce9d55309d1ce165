/* SPDX-License-Identifier: Apache-2.0 */
/* Is the image the disk: all of it, nothing else, in the format and size that was asked for? */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "selftest/rows.h"

#define MIB (UINT64_C(1) << 20)

void im_row_last_sector(struct im_trial *t)
{
	const struct im_disk d = { .seed = 20, .size = 5 * MIB + 3 * 512 };
	const char *raw = im_path(t, "source.raw"), *copy = im_path(t, "bag.raw");
	CO_CLEANUP_STR struct co_str bytes = { 0 };
	uint8_t want[512];

	if (!im_make_disk(t, &d, raw) || !im_images(t, raw, &d, NULL) || !im_read(t, copy, &bytes))
		return;
	im_disk_bytes(&d, d.size - sizeof want, want, sizeof want);
	im_expect(t, bytes.n == d.size && memcmp(bytes.s + d.size - sizeof want, want, sizeof want) == 0,
		  "the last sector is not the one of the disk");
}

void im_row_beyond_4_gib(struct im_trial *t)
{
	const struct im_disk d = { .seed = 21, .size = (UINT64_C(4) << 30) + 3 * MIB + 512, .content = 2 * MIB };
	const char *raw = im_path(t, "source.raw"), *bag = im_path(t, "bag");
	struct im_loop *loop = NULL;
	char sha256[65];
	const json_t *record;
	struct im_ran ran;

	if (!im_make_disk(t, &d, raw) || (t->machine->root && !im_attach(t, raw, 512, false, &loop)) ||
	    !im_sha256_of_disk(t, &d, sha256) ||
	    !im_imager(t, 0, &ran, "acquire", loop ? loop->path : raw, "--output", bag, "--hash", "sha256",
		       "--progress", "none", "--json", NULL) ||
	    !im_parse(t, ran.out, &record) || !im_json_is(t, record, "verification.result", "match") ||
	    !im_json_is(t, record, "media.bytes", im_text(t, "%" PRIu64, d.size)))
		return;
	im_json_is(t, record, "digests.sha256", sha256);
}

void im_row_accurate(struct im_trial *t)
{
	static const char *const how[][2] = { { "none", "1" }, { "fast", "1" }, { "fast", "3" }, { "best", "2" } };
	const struct im_disk d = { .seed = 22, .size = 5 * MIB };
	const char *raw = im_path(t, "source.raw");

	if (!im_make_disk(t, &d, raw))
		return;
	for (size_t i = 0; i < sizeof how / sizeof how[0]; i++) {
		const char *bag = im_text(t, "%s%zu", im_path(t, "bag"), i);
		const json_t *record;
		struct im_ran ran;

		if (!im_imager(t, 0, &ran, "acquire", raw, "--output", bag, "--compression", how[i][0], "--threads",
			       how[i][1], "--progress", "none", "--json", NULL) ||
		    !im_parse(t, ran.out, &record) || !im_proves(t, record, bag, &d))
			return;
	}
}

void im_row_represents(struct im_trial *t)
{
	const char *bag, *sum, *copy = im_path(t, "copy.raw");
	const json_t *record;
	struct im_ran ran;
	char want[65];

	if (!im_base(t, &bag, &record) ||
	    !im_imager(t, 0, NULL, "export", bag, "--output", copy, "--progress", "none", NULL) ||
	    !im_holds_disk(t, &t->machine->base_disk, copy) || !im_sha256_of_disk(t, &t->machine->base_disk, want))
		return;
	if (!im_machine_tool(t->machine, "sha256sum")) {
		im_fact(t, "sha256sum is not installed: compared byte by byte alone");
		return;
	}
	if (im_needs_tool(t, "sha256sum", &sum) && im_tool(t, sum, 0, &ran, "-b", copy, NULL))
		im_expect(t, strncmp(ran.out, want, 64) == 0, "sha256sum finds another digest in the exported copy");
}

void im_row_format(struct im_trial *t)
{
	static const char signature[] = "EVF\x09\x0d\x0a\xff"; /* of EWF-E01: libewf, documentation of the EWF format */
	CO_CLEANUP_STR struct co_str bytes = { 0 };
	const char *bag, *verify, *image;

	if (!im_base(t, &bag, NULL))
		return;
	image = im_text(t, "%s/data/image.E01", bag);
	if (!im_read(t, image, &bytes) ||
	    !im_expect(t, bytes.n > 8 && memcmp(bytes.s, signature, 8) == 0, "the image does not begin as an E01 does"))
		return;
	if (!im_machine_tool(t->machine, "ewfverify")) {
		im_fact(t, "ewfverify is not installed: no other program has read the image");
		return;
	}
	if (im_needs_tool(t, "ewfverify", &verify))
		im_tool(t, verify, 0, NULL, "-q", "-d", "sha256", image, NULL);
}

void im_row_segments(struct im_trial *t)
{
	const struct im_disk d = { .seed = 23, .size = 9 * MIB };
	const uint64_t limit = MIB + 12345;
	const char *raw = im_path(t, "source.raw"), *bag = im_path(t, "bag");
	const json_t *record;
	struct im_ran ran;
	size_t n;

	if (!im_make_disk(t, &d, raw) ||
	    !im_imager(t, 0, &ran, "acquire", raw, "--output", bag, "--segment-size", im_text(t, "%" PRIu64, limit),
		       "--compression", "none", "--progress", "none", "--json", NULL) ||
	    !im_parse(t, ran.out, &record))
		return;
	n = json_array_size(json_object_get(record, "segments"));
	if (!im_expect(t, n >= 9, "9 MiB are in %zu segments", n))
		return;
	for (size_t i = 1; i <= n; i++) {
		uint64_t size;

		if (!im_size(t, im_text(t, "%s/data/image.E%02zu", bag, i), &size) ||
		    !im_expect(t, size <= limit, "segment %zu has %" PRIu64 " bytes, more than %" PRIu64, i, size,
			       limit))
			return;
	}
	im_fact(t, "%zu segments, none above %" PRIu64 " bytes", n, limit);
	im_proves(t, record, bag, &d);
}

void im_row_block_digests(struct im_trial *t)
{
	const struct im_disk *d = &t->machine->base_disk;
	CO_CLEANUP_STR struct co_str text = { 0 };
	const char *bag;
	uint64_t want_at = 0;

	if (!im_base(t, &bag, NULL) || !im_read(t, im_text(t, "%s/data/image.blocks.sha256", bag), &text))
		return;
	for (const char *line = co_str_get(&text); *line; line += strcspn(line, "\n") + 1) {
		char got[65], want[65];
		uint64_t at, len;
		struct co_err err = CO_ERR_INIT;

		if (*line == '#')
			continue;
		if (!im_expect(t,
			       sscanf(line, "%64s %" SCNu64 " %" SCNu64, got, &at, &len) == 3 && at == want_at &&
				       len <= d->size - at && len > 0,
			       "the line for byte %" PRIu64 " is wrong", want_at) ||
		    !im_worked(t, im_disk_part_sha256(d, at, len, want, &err), &err) ||
		    !im_same_text(t, im_text(t, "digest of the block at byte %" PRIu64, at), got, want))
			return;
		want_at = at + len;
	}
	im_expect(t, want_at == d->size, "the blocks end at byte %" PRIu64, want_at);
}

void im_row_log(struct im_trial *t)
{
	const struct im_disk d = { .seed = 24, .size = 2 * MIB };
	const char *raw = im_path(t, "source.raw"), *bag = im_path(t, "bag");
	int64_t before = co_clock_now(), start = 0, end = 0;
	CO_CLEANUP_STR struct co_str report = { 0 };
	const json_t *record;

	if (!im_make_disk(t, &d, raw) || !im_acquire_to(t, 0, raw, bag, &record) || !im_proves(t, record, bag, &d))
		return;
	co_time_parse(im_text(t, "%s", im_json(t, record, "clock.start")), &start);
	co_time_parse(im_text(t, "%s", im_json(t, record, "clock.end")), &end);
	if (!im_expect(t, before <= start && start <= end && end <= co_clock_now(),
		       "the times of the record are wrong") ||
	    !im_json_is(t, record, "device.path", raw) || !im_json_is(t, record, "unreadable", "[]") ||
	    !im_read(t, im_text(t, "%s/data/image.report.txt", bag), &report))
		return;
	im_expect(t, strstr(co_str_get(&report), im_json(t, record, "digests.sha256")) != NULL,
		  "the text report does not state the SHA-256");
}

void im_row_no_extra_bytes(struct im_trial *t)
{
	static const uint64_t sizes[] = { 1, 511, 512, 513, 32768, 65537, MIB, MIB + 1 };

	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		const struct im_disk d = { .seed = 25 + i, .size = sizes[i] };
		const char *raw = im_text(t, "%s%zu.raw", im_path(t, "source"), i);
		const char *bag = im_text(t, "%s%zu", im_path(t, "bag"), i);
		const json_t *record;

		if (!im_make_disk(t, &d, raw) || !im_acquire_to(t, 0, raw, bag, &record) ||
		    !im_proves(t, record, bag, &d))
			return;
	}
}
