/* SPDX-License-Identifier: Apache-2.0 */
#include "suites.h"

#include <string.h>

#include "image/fstab.h"

static struct an_fstab parse(const char *text, size_t len)
{
	struct an_fstab t;
	struct co_err err = CO_ERR_INIT;
	ck_assert_int_eq(an_fstab_parse(&t, text, len, &err), 0);
	return t;
}

static void check_entry(const struct an_fstab *t, size_t i, const char *device, const char *folder, const char *type)
{
	ck_assert_uint_lt(i, t->list.n);
	ck_assert_str_eq(t->list.at[i].device, device);
	ck_assert_str_eq(t->list.at[i].folder, folder);
	ck_assert_str_eq(t->list.at[i].type, type);
}

START_TEST(entries)
{
	static const char text[] = "# <file system> <mount point> <type>\n"
				   "UUID=1-2 / ext4 errors=remount-ro 0 1\n"
				   "\n"
				   "  LABEL=boot\t/boot/\text2 defaults 0 2\r\n"
				   "UUID=\"A B\" none swap sw 0 0\n"
				   "/dev/sda3 swap swap sw\n"
				   "UUID=3 /other swap sw\n"
				   "/dev/sdb1 /mnt\n"
				   "PARTUUID=x-01 /srv/with\\040space xfs\n"
				   "UUID=\"quoted\" /q ext4 0 0";
	struct an_fstab t = parse(text, sizeof text - 1);
	ck_assert_uint_eq(t.list.n, 4);
	check_entry(&t, 0, "UUID=1-2", "/", "ext4");
	check_entry(&t, 1, "LABEL=boot", "/boot", "ext2");
	check_entry(&t, 2, "PARTUUID=x-01", "/srv/with space", "xfs");
	check_entry(&t, 3, "UUID=quoted", "/q", "ext4");
	an_fstab_free(&t);
	ck_assert_uint_eq(t.list.n, 0);
}
END_TEST

/* Any bytes, of any length, do no harm. */
START_TEST(damaged_text)
{
	static const char text[] = "/dev/a /x\\0 t\n/dev/b /\\000y\\04 t\n\0\0 /z q\nUUID=\" /w ext4\n/dev/c //// e";
	for (size_t n = 0; n <= sizeof text - 1; n++) {
		struct an_fstab t = parse(text, n);
		for (size_t i = 0; i < t.list.n; i++)
			ck_assert_int_eq(t.list.at[i].folder[0], '/');
		an_fstab_free(&t);
	}
	struct an_fstab t = parse(text, sizeof text - 1);
	check_entry(&t, 0, "/dev/a", "/x\\0", "t");
	check_entry(&t, 1, "/dev/b", "/y\\04", "t");
	check_entry(&t, t.list.n - 1, "/dev/c", "/", "e");
	an_fstab_free(&t);
}
END_TEST

Suite *t_fstab_suite(void)
{
	Suite *s = suite_create("fstab");
	TCase *tc = tcase_create("fstab");
	tcase_add_test(tc, entries);
	tcase_add_test(tc, damaged_text);
	suite_add_tcase(s, tc);
	return s;
}
