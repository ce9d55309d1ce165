/* SPDX-License-Identifier: Apache-2.0 */
#include "device/guard.h"

#include <sys/sysmacros.h>

#include "folder.h"
#include "suites.h"

static struct folder *dir;

static void set_up(void)
{
	dir = calloc(1, sizeof *dir);
	ck_assert_ptr_nonnull(dir);
	folder_make(dir);
}

static void tear_down(void)
{
	folder_remove(dir);
	free(dir);
}

START_TEST(mounts_are_found_by_device_number)
{
	struct im_uses uses = { 0 };
	struct co_err err = CO_ERR_INIT;
	const struct im_use *use;

	folder_puts(dir, "mountinfo",
		    "22 1 252:1 / / rw,relatime shared:1 - ext4 /dev/root rw\n"
		    "30 22 7:3 / /mnt/with\\040blank\\134 ro,noload master:1 propagate_from:2 - xfs /dev/loop3 ro\n"
		    "31 22 0:41 / /proc rw - proc proc rw\n"
		    "garbage\n"
		    "32 22 x:y / /z rw - t s rw\n"
		    "33 22 8:1\n");
	ck_assert_int_eq(im_uses_load(&uses, in_folder(dir, "mountinfo"), in_folder(dir, "no-swaps"), &err), 0);
	use = im_uses_find(&uses, makedev(7, 3));
	ck_assert_ptr_nonnull(use);
	ck_assert_int_eq(use->kind, IM_USE_MOUNT);
	ck_assert_str_eq(use->where, "/mnt/with blank\\");
	use = im_uses_find(&uses, makedev(252, 1));
	ck_assert_ptr_nonnull(use);
	ck_assert_str_eq(use->where, "/");
	ck_assert_ptr_null(im_uses_find(&uses, makedev(7, 4)));
	ck_assert_ptr_null(im_uses_find(&uses, makedev(8, 1)));
	im_uses_free(&uses);
}
END_TEST

START_TEST(a_missing_table_of_mounts_is_an_error)
{
	struct im_uses uses = { 0 };
	struct co_err err = CO_ERR_INIT;

	ck_assert_int_eq(im_uses_load(&uses, in_folder(dir, "none"), in_folder(dir, "none"), &err), CO_ERR_FAILED);
}
END_TEST

static void refused(const char *path, const char *why)
{
	struct im_guard g = IM_GUARD_NONE;
	struct co_err err = CO_ERR_INIT;

	ck_assert_int_eq(im_guard_open(&g, path, &err), CO_ERR_FAILED);
	ck_assert_ptr_nonnull(strstr(err.msg, why));
	ck_assert_ptr_nonnull(strstr(err.msg, path));
	ck_assert_int_eq(g.fd, -1);
}

START_TEST(what_is_no_source_is_refused_in_one_sentence)
{
	folder_puts(dir, "empty", "");
	refused(dir->name, "is a folder, not a disk or image");
	refused(in_folder(dir, "empty"), "is empty");
	refused(in_folder(dir, "absent"), "No such file");
	refused("/dev/null", "neither a block device nor a regular file");
}
END_TEST

START_TEST(files_are_guarded_by_a_read_only_descriptor)
{
	struct im_guard g = IM_GUARD_NONE;
	struct co_err err = CO_ERR_INIT;
	uint64_t writes = 0;

	folder_puts(dir, "disk.raw", "abc");
	ck_assert_int_eq(im_guard_open(&g, in_folder(dir, "disk.raw"), &err), 0);
	ck_assert_uint_eq(g.size, 3);
	ck_assert_uint_eq(g.sector, 512);
	ck_assert_int_eq(g.device.kind, IM_KIND_FILE);
	ck_assert_uint_eq(g.layers.n, 1);
	ck_assert_str_eq(g.layers.at[0].name, "O_RDONLY");
	ck_assert(g.layers.at[0].applied);
	ck_assert_int_lt(write(g.fd, "x", 1), 0);
	im_guard_finish(&g);
	ck_assert_int_eq(g.fd, -1);
	im_guard_finish(&g);
	ck_assert_int_eq(im_guard_writes_seen(&g, &writes), 1);
	im_guard_close(&g);
}
END_TEST

START_TEST(writes_are_the_difference_of_the_counters)
{
	struct im_guard g = IM_GUARD_NONE;
	uint64_t writes = 7;

	g.before = (struct im_counters) { .valid = true, .writes = 100, .discards = 5, .diskseq = 3 };
	g.after = (struct im_counters) {
		.valid = true, .writes = 102, .written_sectors = 8, .discards = 6, .diskseq = 3
	};
	ck_assert_int_eq(im_guard_writes_seen(&g, &writes), 0);
	ck_assert_uint_eq(writes, 3);
	g.after.written_sectors = 0; /* flushes */
	g.after.flushes = 2;
	ck_assert_int_eq(im_guard_writes_seen(&g, &writes), 0);
	ck_assert_uint_eq(writes, 1);
	g.after.written_sectors = 8;
	ck_assert_int_eq(im_guard_writes_seen(&g, &writes), 0);
	g.after.diskseq = 4; /* another disk: the counters began anew */
	ck_assert_int_eq(im_guard_writes_seen(&g, &writes), 1);
	g.after.diskseq = 3;
	g.after.valid = false;
	ck_assert_int_eq(im_guard_writes_seen(&g, &writes), 1);
	ck_assert_uint_eq(writes, 3);
}
END_TEST

Suite *t_guard_suite(void)
{
	Suite *s = suite_create("guard");
	TCase *c = tcase_create("guard");

	tcase_add_checked_fixture(c, set_up, tear_down);
	tcase_add_test(c, mounts_are_found_by_device_number);
	tcase_add_test(c, a_missing_table_of_mounts_is_an_error);
	tcase_add_test(c, what_is_no_source_is_refused_in_one_sentence);
	tcase_add_test(c, files_are_guarded_by_a_read_only_descriptor);
	tcase_add_test(c, writes_are_the_difference_of_the_counters);
	suite_add_tcase(s, c);
	return s;
}
