/* SPDX-License-Identifier: Apache-2.0 */
/* Volumes of an APFS container, whole and damaged: what is damaged must never reach libtsk. */
#include "suites.h"

#include <string.h>

#include "apfs.h"
#include "fat.h"
#include "fs/content.h"
#include "fs/walk.h"

#define BEGIN 4096 /* of the container, behind the partition table */

static uint8_t bytes[BEGIN + APFS_BYTES + FAT_BYTES];
static uint8_t *const image = bytes + BEGIN;
static struct an_evidence evidence;
static struct an_volumes volumes;
static struct an_case c;

static void add_partition(unsigned n, uint32_t first, uint32_t len)
{
	uint8_t *entry = bytes + 446 + n * 16;
	entry[4] = 0xaf;
	co_put_le32(entry + 8, first);
	co_put_le32(entry + 12, len);
}

static void set_up(void)
{
	memset(bytes, 0, sizeof bytes);
	add_partition(0, BEGIN / 512, APFS_BYTES / 512);
	add_partition(1, (BEGIN + APFS_BYTES) / 512, FAT_BYTES / 512 + 9); /* cut off */
	co_put_le16(bytes + 510, 0xaa55);
	apfs_make(image);
	fat_make(bytes + BEGIN + APFS_BYTES);
}

static void tear_down(void)
{
	an_volumes_free(&volumes);
	co_source_close(&evidence.source);
	an_case_free(&c);
}

static void open_image(void)
{
	struct co_err err = CO_ERR_INIT;
	evidence = (struct an_evidence) { .kind = "raw" };
	ck_assert_int_eq(co_source_open_memory(&evidence.source, bytes, sizeof bytes, &err), 0);
	ck_assert_int_eq(an_volumes_open(&volumes, &evidence, &c, &err), 0);
	ck_assert_int_eq(an_volumes_mount(&volumes, &evidence, -1, &c, &err), 0);
}

static void walk(uint32_t volume)
{
	struct an_fs *fs = NULL;
	struct co_err err = CO_ERR_INIT;
	struct an_sink sink = an_sink_to_case(&c);
	ck_assert_int_eq(an_fs_open(&fs, &evidence, &volumes.list.at[volume], &err), 0);
	ck_assert_int_eq(an_walk(fs, volume, volumes.list.at[volume].mount, &sink, &err), 0);
	an_fs_close(fs);
}

/* The text of the first problem of a volume. */
static const char *problem(uint32_t volume)
{
	for (size_t i = 0; i < c.problems.n; i++)
		if (c.problems.at[i].volume == volume)
			return c.problems.at[i].text;
	return "";
}

START_TEST(each_volume_of_a_container)
{
	open_image();
	ck_assert_uint_eq(volumes.list.n, 3);
	ck_assert_uint_eq(c.problems.n, 1);
	ck_assert_ptr_nonnull(strstr(problem(2), "cut off"));
	for (uint32_t i = 0; i < 2; i++) {
		const struct an_volume *v = &volumes.list.at[i];
		ck_assert_str_eq(v->fs, "apfs");
		ck_assert(v->readable);
		ck_assert_uint_eq(v->offset, BEGIN);
		ck_assert_uint_eq(v->length, APFS_BYTES);
		ck_assert_str_eq(v->label, i ? "two" : "one");
		ck_assert_str_eq(v->uuid,
				 i ? "32323232-3232-3232-3232-323232323232" : "31313131-3131-3131-3131-313131313131");
		walk(i);
		ck_assert_uint_eq(c.files.rows.n, i + 1);
		const struct an_file *f = &c.files.rows.at[i];
		ck_assert_str_eq(f->path, i ? "/vol1/hello.txt" : "/vol0/hello.txt");
		ck_assert_uint_eq(f->inode, 16);
		ck_assert_uint_eq(f->size, APFS_CONTENT);
		ck_assert_int_eq(f->time[AN_CRTIME], (int64_t)APFS_TIME);
	}
	ck_assert_str_eq(volumes.list.at[2].fs, "fat12");
	ck_assert_uint_eq(c.problems.n, 1);
}
END_TEST

static int compare(void *arg, const void *part, size_t len, struct co_err *err)
{
	(void)err;
	ck_assert_uint_eq(len, APFS_CONTENT);
	ck_assert_mem_eq(part, arg, len);
	return 0;
}

START_TEST(content_and_digests)
{
	struct co_err err = CO_ERR_INIT;
	struct an_content_opts opts = { .threads = 2 };
	open_image();
	for (uint32_t i = 0; i < 2; i++) {
		struct an_fs *fs = NULL;
		walk(i);
		ck_assert_int_eq(an_fs_open(&fs, &evidence, &volumes.list.at[i], &err), 0);
		ck_assert_int_eq(an_content_read(fs, &c.files.rows.at[i], compare, apfs_block(image, i ? 15 : 9), &err),
				 0);
		an_fs_close(fs);
	}
	ck_assert_int_eq(an_content_digest(&evidence, &volumes, &c, &opts, &err), 0);
	for (int i = 0; i < 2; i++)
		ck_assert(c.files.rows.at[i].flags & AN_HAS_DIGESTS);
	ck_assert_mem_ne(c.files.rows.at[0].sha256, c.files.rows.at[1].sha256, 32);
}
END_TEST

/* Numbers in a block of the container, and what is said about the volumes then. */
static const struct {
	unsigned block, at;
	unsigned width; /* bytes */
	uint64_t value;
	bool unsealed; /* the checksum stays */
	const char *one, *two;
} cases[] = {
	{ 10, 264, 8, 0, false, "", "it is encrypted" },
	{ 10, 56, 8, 0x21, false, "", "sealed system volume" },
	{ 10, 56, 8, 2, false, "", "without hashes" },
	{ 10, 136, 8, 77, false, "", "node 77 is not in the object map" },
	{ 10, 128, 8, 99, false, "", "refers to block 99, and there are 16" },
	{ 10, 128, 8, 5, false, "", "block 6 is damaged: it is used twice" },
	{ 14, 4000, 1, 7, true, "", "block 14 is damaged: its checksum is wrong" },
	{ 12, 120, 8, 502, false, "", "keys are not in order" },
	{ 12, 4096 - 40 - 160 + 8, 8, 16, false, "", "behind the end" },
	{ 12, 4096 - 40 - 320 + 8, 8, 13, false, "", "block 13 is damaged: it is used twice" },
	{ 12, 4096 - 40 - 320 + 8, 8, 8, false, "", "block 8 is damaged: it is used twice" },
	{ 12, 36, 4, 0xffffffff, false, "", "its table does not fit" },
	{ 13, 34, 2, 9, false, "", "another level" },
	{ 13, 34, 2, 65535, false, "", "another level" },
	{ 14, 36, 4, 0, false, "", "it is empty" },
	{ 14, 32, 2, 6, false, "", "flags are wrong" },
	{ 14, 28, 4, 11, false, "", "another type" },
	{ 14, 40, 2, 65535, false, "", "its table does not fit" },
	{ 14, 42, 2, 65535, false, "", "a record lies outside" },
	{ 14, 56, 2, 4090, false, "", "a record lies outside" },
	{ 14, 60, 2, 4097, false, "", "a record lies outside" },
	{ 14, 62, 2, 200, false, "", "a record lies outside" },
	{ 14, 62, 2, 91, false, "", "inode 2 is too short" },
	{ 14, 120 + 64 + 8, 4, 500, false, "", "inode 2 is too short" },
	{ 14, 120 + 64 + 8, 4, 0, false, "", "inode 2 is too short" },
	{ 14, 4096 - 480 + 98, 2, 60000, false, "", "inode 16 is too short" },
	{ 14, 4096 - 480 + 98, 2, 15, false, "", "inode 16 is too short" },
	{ 14, 56 + 24 + 6, 2, 23, false, "", "inode 16 is too short" },
	{ 10, 32, 1, 'X', false, "superblock of a volume is damaged", NULL },
	{ 2, 24, 2, 12, false, "an object of type 12 in place of 11", NULL },
	{ 3, 36, 4, 0, false, "it has no volume", NULL },
	{ 0, 104, 4, 0x80000001, false, "list of checkpoints", NULL },
	{ 0, 112, 8, 16, false, "list of checkpoints", NULL },
	{ 0, 36, 4, 8192, false, "not of 4096 bytes", NULL },
	{ 0, 4000, 1, 1, true, "its superblock is damaged", NULL },
	{ 1, 64, 8, 0x102, false, "Fusion", NULL },
	{ 1, 160, 8, 7, true, "", "" },
};

START_TEST(what_is_damaged_is_named)
{
	uint8_t value[8], *b = apfs_block(image, cases[_i].block);
	co_put_le64(value, cases[_i].value);
	memcpy(b + cases[_i].at, value, cases[_i].width);
	if (!cases[_i].unsealed)
		apfs_seal(b);
	open_image();
	const char *text[] = { cases[_i].one, cases[_i].two };
	for (uint32_t i = 0; i < 2 && text[i]; i++) {
		const char *said = problem(i);
		ck_assert_msg(text[i][0] ? strstr(said, text[i]) != NULL : !said[0], "case %d, volume %u: \"%s\"", _i,
			      i, said);
		ck_assert(volumes.list.at[i].readable == !text[i][0]);
		if (!text[i][0])
			walk(i);
	}
	ck_assert_uint_eq(volumes.list.n, cases[_i].two ? 3 : 2);
}
END_TEST

Suite *t_apfs_suite(void)
{
	Suite *s = suite_create("apfs");
	TCase *tc = tcase_create("apfs");
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, each_volume_of_a_container);
	tcase_add_test(tc, content_and_digests);
	tcase_add_loop_test(tc, what_is_damaged_is_named, 0, (int)(sizeof cases / sizeof *cases));
	suite_add_tcase(s, tc);
	return s;
}
