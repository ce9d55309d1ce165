/* SPDX-License-Identifier: Apache-2.0 */
/* Copies of an image on another medium. */
#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "selftest/rows.h"

#define MIB (UINT64_C(1) << 20)
#define SECTOR 512u

/* Makes a device of @size bytes with content of its own, and exports the image that all examine to it. */
static bool clone_to(struct im_trial *t, uint64_t size, int code, struct im_ran *ran, const char **ret_file,
		     struct im_disk *ret_target)
{
	const struct im_disk target = { .seed = 0xc10e, .size = size };
	const char *bag, *file = im_path(t, "target.raw");
	struct im_loop *loop;

	if (!im_needs_root(t) || !im_base(t, &bag, NULL) || !im_make_disk(t, &target, file) ||
	    !im_attach(t, file, SECTOR, false, &loop) ||
	    !im_imager(t, code, ran, "export", bag, "--output", loop->path, "--overwrite-device", "--progress", "none",
		       NULL))
		return false;
	im_detach_all(t); /* all of it is in the file now */
	*ret_file = file;
	*ret_target = target;
	return true;
}

/* Are the bytes [0, n) of the file those of @d? */
static bool begins_with(struct im_trial *t, const char *file, const struct im_disk *d, uint64_t from, uint64_t to,
			const char *what)
{
	CO_CLEANUP_STR struct co_str got = { 0 };
	CO_CLEANUP_FREE uint8_t *want = malloc((size_t)(to - from));

	if (!im_expect(t, want, "no memory") || !im_read(t, file, &got) ||
	    !im_expect(t, got.n >= to, "%s is too short", file))
		return false;
	im_disk_bytes(d, from, want, (size_t)(to - from));
	return im_expect(t, memcmp(got.s + from, want, (size_t)(to - from)) == 0, "%s", what);
}

static uint64_t whole_sectors(uint64_t bytes)
{
	return (bytes + SECTOR - 1) / SECTOR * SECTOR;
}

void im_row_clone(struct im_trial *t)
{
	struct im_disk target;
	const char *file;
	uint64_t size = t->machine->base_disk.size;

	if (!im_base(t, &file, NULL))
		return;
	size = t->machine->base_disk.size;
	if (clone_to(t, whole_sectors(size), 0, NULL, &file, &target))
		begins_with(t, file, &t->machine->base_disk, 0, size, "the clone is not the image");
}

void im_row_clone_addresses(struct im_trial *t)
{
	const char *file;
	struct im_disk target;

	if (!clone_to(t, 8 * MIB, 0, NULL, &file, &target))
		return;
	for (uint64_t at = 0; at + SECTOR <= t->machine->base_disk.size; at += 97 * SECTOR)
		if (!begins_with(t, file, &t->machine->base_disk, at, at + SECTOR,
				 im_text(t, "sector %" PRIu64 " of the clone is another one", at / SECTOR)))
			return;
}

void im_row_clone_excess(struct im_trial *t)
{
	const char *file;
	struct im_disk target;

	if (clone_to(t, 8 * MIB, 0, NULL, &file, &target))
		begins_with(t, file, &target, whole_sectors(t->machine->base_disk.size), 8 * MIB,
			    "sectors behind the end of the image were changed");
}

void im_row_clone_too_small(struct im_trial *t)
{
	struct im_ran ran;
	const char *file;
	struct im_disk target;

	if (!clone_to(t, 4 * MIB, IM_ANY_CODE, &ran, &file, &target) ||
	    !im_expect(t, ran.code != 0, "a device that is too small ends with exit status 0") ||
	    !im_expect(t, ran.err[0], "nothing is said of the device that is too small"))
		return;
	im_fact(t, "%s", ran.err);
	im_holds_disk(t, &target, file);
}

void im_row_clone_write_error(struct im_trial *t)
{
	const struct im_how how = { .file_limit = 2 * MIB };
	const char *bag, *copy = im_path(t, "copy.raw");
	struct im_ran ran;

	if (!im_base(t, &bag, NULL) ||
	    !im_imager_with(t, &how, 5, &ran, "export", bag, "--output", copy, "--progress", "none", NULL))
		return;
	if (im_expect(t, !im_exists(copy), "the incomplete copy has the final name"))
		im_expect(t, strstr(ran.err, "copy.raw") != NULL, "the message does not name the file: %s", ran.err);
}

void im_row_convert(struct im_trial *t)
{
	const char *bag, *raw = im_path(t, "one.raw"), *again = im_path(t, "again");
	const json_t *record;

	if (im_base(t, &bag, NULL) &&
	    im_imager(t, 0, NULL, "export", bag, "--output", raw, "--progress", "none", NULL) &&
	    im_holds_disk(t, &t->machine->base_disk, raw) && im_acquire_to(t, 0, raw, again, &record))
		im_proves(t, record, again, &t->machine->base_disk);
}
