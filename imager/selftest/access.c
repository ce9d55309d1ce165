/* SPDX-License-Identifier: Apache-2.0 */
/* Sources of each kind, and places to write an image to. */
#include <inttypes.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/cleanup.h"
#include "selftest/rows.h"

#define MIB (UINT64_C(1) << 20)

void im_row_file(struct im_trial *t)
{
	const struct im_disk d = { .seed = 1, .size = 5 * MIB };
	const char *raw = im_path(t, "source.raw");

	if (im_make_disk(t, &d, raw))
		im_images(t, raw, &d, NULL);
}

/* Acquires a disk of that size and those sectors; its record names it. */
static bool images_disk(struct im_trial *t, uint64_t size, uint32_t sector)
{
	const struct im_disk d = { .seed = 2, .size = size };
	const char *raw = im_path(t, "source.raw");
	const json_t *record;
	struct im_loop *loop;

	return im_make_disk(t, &d, raw) && im_attach(t, raw, sector, false, &loop) &&
	       im_images(t, loop->path, &d, &record) && im_json_is(t, record, "device.path", loop->path) &&
	       im_json_is(t, record, "media.sector_bytes", im_text(t, "%" PRIu32, sector));
}

void im_row_disk(struct im_trial *t)
{
	images_disk(t, 5 * MIB, 512);
}

void im_row_sectors_4096(struct im_trial *t)
{
	images_disk(t, 5 * MIB + 3 * 4096, 4096);
}

void im_row_one_sector(struct im_trial *t)
{
	images_disk(t, 512, 512);
}

void im_row_partition(struct im_trial *t)
{
	const struct im_disk whole = { .seed = 3, .size = 8 * MIB };
	const char *raw = im_path(t, "source.raw"), *cut = im_path(t, "partition.raw");
	const uint64_t start = 3 * MIB, size = 2 * MIB + 512;
	struct co_err err = CO_ERR_INIT;
	CO_CLEANUP_STR struct co_str bytes = { 0 };
	char want[65];
	const json_t *record;
	struct im_loop *loop;

	if (!im_make_disk(t, &whole, raw) || !im_attach(t, raw, 512, false, &loop))
		return;
	if (im_loop_add_partition(loop, 1, start, size, &err) < 0 || !im_exists(im_text(t, "%sp1", loop->path))) {
		im_not_run(t, "the kernel gives no node for a partition of a loop device (%s)", err.msg);
		return;
	}
	if (!im_worked(t, im_disk_part_sha256(&whole, start, size, want, &err), &err) ||
	    !im_acquire_to(t, 0, im_text(t, "%sp1", loop->path), im_path(t, "bag"), &record) ||
	    !im_json_is(t, record, "digests.sha256", want) ||
	    !im_json_is(t, record, "media.bytes", im_text(t, "%" PRIu64, size)) ||
	    !im_imager(t, 0, NULL, "export", im_path(t, "bag"), "--output", cut, "--progress", "none", NULL) ||
	    !im_read(t, cut, &bytes))
		return;
	char got[65];
	if (im_sha256_of_file(t, cut, got))
		im_same_text(t, "SHA-256 of the exported partition", got, want);
}

void im_row_stdin(struct im_trial *t)
{
	const struct im_disk d = { .seed = 4, .size = 3 * MIB + 7 };
	const char *raw = im_path(t, "source.raw"), *bag = im_path(t, "bag");
	const struct im_how how = { .input = raw };
	const json_t *record;
	struct im_ran ran;

	if (!im_make_disk(t, &d, raw) || !im_imager_with(t, &how, IM_ANY_CODE, &ran, "acquire", "-", "--output", bag,
							 "--progress", "none", "--json", NULL))
		return;
	if (ran.code == 2) {
		im_not_run(t, "the program under test does not take standard input: %s", ran.err);
		return;
	}
	if (im_expect(t, ran.code == 0, "ended with exit status %d: %s", ran.code, ran.err) &&
	    im_parse(t, ran.out, &record))
		im_proves(t, record, bag, &d);
}

void im_row_odd_size(struct im_trial *t)
{
	const struct im_disk d = { .seed = 5, .size = 1000003 };
	const char *raw = im_path(t, "source.raw");
	const json_t *record;

	if (im_make_disk(t, &d, raw) && im_images(t, raw, &d, &record) &&
	    im_json_is(t, record, "media.padding_bytes", im_text(t, "%d", 512 - 1000003 % 512)))
		im_imager(t, 0, NULL, "verify", im_path(t, "bag"), "--progress", "none", NULL);
}

void im_row_environment(struct im_trial *t)
{
	const char *bag;
	const json_t *record;
	struct utsname u;

	if (!im_base(t, &bag, &record) || !im_expect(t, uname(&u) == 0, "uname fails"))
		return;
	im_fact(t, "%s %s, %s", u.sysname, u.release, u.machine);
	im_json_is(t, record, "host.release", u.release);
}

/* --- where the image is written --- */

static bool images_into(struct im_trial *t, const char *folder)
{
	const struct im_disk d = { .seed = 6, .size = 3 * MIB };
	const char *raw = im_path(t, "source.raw"), *bag = im_text(t, "%s/bag", folder);
	const json_t *record;

	return im_make_disk(t, &d, raw) && im_acquire_to(t, 0, raw, bag, &record) &&
	       im_json_is(t, record, "status", "complete") && im_proves(t, record, bag, &d);
}

void im_row_image_here(struct im_trial *t)
{
	images_into(t, t->folder);
}

void im_row_image_tmpfs(struct im_trial *t)
{
	const char *folder = im_path(t, "memory");

	if (im_mount(t, "tmpfs", folder, "tmpfs", 0, "size=32m"))
		images_into(t, folder);
}

void im_row_image_ext4(struct im_trial *t)
{
	const struct im_disk empty = { .size = 32 * MIB, .content = 512 };
	const char *mkfs, *raw = im_path(t, "target.raw"), *folder = im_path(t, "target");
	struct im_loop *loop;

	if (im_needs_root(t) && im_needs_tool(t, "mkfs.ext4", &mkfs) && im_make_disk(t, &empty, raw) &&
	    im_tool(t, mkfs, 0, NULL, "-q", "-F", raw, NULL) && im_attach(t, raw, 512, false, &loop) &&
	    im_mount(t, loop->path, folder, "ext4", 0, NULL))
		images_into(t, folder);
}

void im_row_two_outputs(struct im_trial *t)
{
	const struct im_disk d = { .seed = 7, .size = 3 * MIB };
	const char *raw = im_path(t, "source.raw"), *one = im_path(t, "one"), *two = im_path(t, "two");
	const json_t *record;
	struct im_ran ran;

	if (im_make_disk(t, &d, raw) &&
	    im_imager(t, 0, &ran, "acquire", raw, "--output", one, "--second-output", two, "--progress", "none",
		      "--json", NULL) &&
	    im_parse(t, ran.out, &record) && im_proves(t, record, one, &d))
		im_proves(t, record, two, &d);
}

/* --- what is behind the visible end --- */

void im_row_hidden(struct im_trial *t)
{
	const struct im_disk d = { .seed = 8, .size = MIB };
	const char *raw = im_path(t, "source.raw");
	const json_t *record;
	struct im_loop *loop;

	if (!im_make_disk(t, &d, raw) || !im_attach(t, raw, 512, false, &loop) ||
	    !im_images(t, loop->path, &d, &record))
		return;
	if (!im_json(t, record, "device.hidden_area"))
		im_not_run(t, "the record of this program says nothing of hidden areas");
	else
		im_not_run(t,
			   "a loop device has no hidden areas, and no ATA or NVMe drive belongs to the self-test; the "
			   "record says: %s",
			   im_json(t, record, "device.hidden_area.sentence"));
}
