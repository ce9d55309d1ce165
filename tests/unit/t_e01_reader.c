/* SPDX-License-Identifier: Apache-2.0 */
#include "e01/reader.h"

#include <check.h>

#include "e01/codec.h"
#include "e01/segment.h"
#include "e01_image.h"
#include "suites.h"

#ifndef TEST_SHARED_DEFAULT
#define TEST_SHARED_DEFAULT "../shared"
#endif

static struct folder dir;

static void setup(void)
{
	folder_make(&dir);
}

static void teardown(void)
{
	folder_remove(&dir);
}

static void write_image(struct image *im, const char *name)
{
	char *stem = strdup(in_folder(&dir, name));
	image_write(im, stem);
	free(stem);
}

static uint8_t *read_file(const char *name, size_t *ret_len)
{
	struct stat st;
	ck_assert_int_eq(stat(in_folder(&dir, name), &st), 0);
	uint8_t *b = malloc((size_t)st.st_size);
	FILE *f = fopen(in_folder(&dir, name), "re");
	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fread(b, 1, (size_t)st.st_size, f), (size_t)st.st_size);
	fclose(f);
	*ret_len = (size_t)st.st_size;
	return b;
}

static int try_open(struct co_source *src, const char *name, struct co_err *err)
{
	const char *path = in_folder(&dir, name);
	return co_e01_open(src, &path, 1, NULL, err);
}

static void move(const char *from, const char *to)
{
	ck_assert_int_eq(rename(in_folder(&dir, from), in_folder(&dir, to)), 0);
}

/* --- images of other programs --- */

static const struct {
	const char *name, *md5;
	uint64_t size;
	unsigned segments, stored;
} truths[] = {
	{ "dfvfs-ext2.E01", "196066add11fb71c4c49cf1bb50d6d24", 4194304, 1, CO_HASH_BIT(CO_HASH_MD5) },
	{ "dfvfs-ext2-split.E01", "196066add11fb71c4c49cf1bb50d6d24", 4194304, 2, CO_HASH_BIT(CO_HASH_MD5) },
	{ "dfvfs-ext2-split.E02", "196066add11fb71c4c49cf1bb50d6d24", 4194304, 2, CO_HASH_BIT(CO_HASH_MD5) },
	{ "plaso-image.E01", "d73c51f10c7ee6a681b7b619ccc6f1c4", 102400, 1, CO_HASH_BIT(CO_HASH_MD5) },
	{ "plaso-image-split.E01", "38ea5af8a80e16e46c095c9110242fc0", 1474560, 2, CO_HASH_BIT(CO_HASH_MD5) },
	{ "tsk-image.E01", "3ebb0b7dcd6b5fcd59a0020625d70994", 102400, 1, CO_HASH_BIT(CO_HASH_MD5) },
	{ "dissect-4097bytes.E01", "4a225557e15472d956eb5fe34eed3b9d", 4097, 1, CO_HASH_BIT(CO_HASH_MD5) },
	{ "tsk-imageformat_mmls_1.E01", "8ec671e301095c258224aad701740503", 62915072, 1,
	  CO_HASH_BIT(CO_HASH_MD5) | CO_HASH_BIT(CO_HASH_SHA1) },
};

static void digest_source(const struct co_source *src, unsigned set, struct co_digests *ret)
{
	struct co_hasher *h;
	struct co_err err;
	size_t step = 100000;
	uint8_t *b = malloc(step);
	ck_assert_int_eq(co_hasher_open(&h, set, &err), 0);
	for (uint64_t off = 0; off < src->size; off += step) {
		size_t n = (size_t)co_min_u64(step, src->size - off);
		ck_assert_msg(co_source_read_full(src, b, n, off, &err) == 0, "%s", err.msg);
		ck_assert_int_eq(co_hasher_add(h, b, n, &err), 0);
	}
	ck_assert_int_eq(co_hasher_finish(h, ret, &err), 0);
	co_hasher_close(h);
	free(b);
}

START_TEST(images_of_others)
{
	const char *shared = getenv("EXHIBIT_SHARED");
	char path[4096], hex[2 * CO_HASH_MAX + 1];
	struct co_source src;
	snprintf(path, sizeof path, "%s/testdata/e01/%s", shared ? shared : TEST_SHARED_DEFAULT, truths[_i].name);
	if (access(path, R_OK) != 0) {
		fprintf(stderr, "SKIPPED: %s is not there (set EXHIBIT_SHARED)\n", path);
		return;
	}
	open_e01(&src, path);
	const struct co_e01_info *info = co_e01_info(&src);
	ck_assert_uint_eq(src.size, truths[_i].size);
	ck_assert_uint_eq(info->n_segments, truths[_i].segments);
	ck_assert_uint_eq(info->n_warnings, 0);
	ck_assert_uint_eq(info->stored.set, truths[_i].stored);
	struct co_digests d;
	digest_source(&src, truths[_i].stored, &d);
	co_digests_hex(&d, CO_HASH_MD5, hex);
	ck_assert_str_eq(hex, truths[_i].md5);
	ck_assert_uint_eq(co_digests_differ(&d, &info->stored), 0);
	co_source_close(&src);
}
END_TEST

/* --- damage --- */

/* Where the first section of a type is in the file. */
static size_t find_section(const uint8_t *b, size_t len, const char *type)
{
	for (size_t off = 13; off + 76 <= len;) {
		if (strcmp((const char *)b + off, type) == 0)
			return off;
		size_t next = (size_t)co_le64(b + off + 16);
		ck_assert_uint_gt(next, off);
		off = next;
	}
	ck_abort_msg("no section %s", type);
	return 0;
}

/* 8 chunks, the last of them short. */
static void small_image(struct image *im)
{
	image_init(im, 60 * 1024);
	write_image(im, "small");
}

START_TEST(bit_flips)
{
	struct image im;
	struct co_err err;
	struct co_source src;
	size_t len, opened = 0, intact = 0, n = 0;
	small_image(&im);
	uint8_t *b = read_file("small.E01", &len);
	size_t volume = find_section(b, len, "volume"), sectors = find_section(b, len, "sectors"),
	       table = find_section(b, len, "table");
	for (size_t i = 0; i < len; i += 97, n++) {
		b[i] ^= (uint8_t)(1u << n % 8);
		folder_write(&dir, "flip.E01", b, len);
		b[i] ^= (uint8_t)(1u << n % 8);
		int r = try_open(&src, "flip.E01", &err);
		ck_assert_int_le(r, 0);
		if (r < 0) {
			ck_assert_ptr_nonnull(strstr(err.msg, "flip.E01"));
			continue;
		}
		opened++;
		size_t bad = check_readable(&src, &im);
		/* Every changed bit is noticed, by a warning or by an unreadable chunk, but for filling bits between
		 * deflate blocks. */
		bool deflate = i < volume || (i >= sectors + 76 && i < table);
		ck_assert_msg(bad || co_e01_info(&src)->n_warnings || deflate, "byte %zu bit %zu", i, n % 8);
		intact += !bad;
		co_source_close(&src);
	}
	/* One bit costs a chunk or nothing, but not the image (but for the 13 bytes of its file header). */
	ck_assert_uint_ge(opened + 1, n);
	ck_assert_uint_gt(intact, 0);
	free(b);
	image_free(&im);
}
END_TEST

START_TEST(truncation)
{
	struct image im;
	struct co_err err;
	struct co_source src;
	size_t len;
	small_image(&im);
	uint8_t *b = read_file("small.E01", &len);
	for (size_t i = 0; i < len; i += 101) {
		folder_write(&dir, "cut.E01", b, i);
		ck_assert_int_eq(try_open(&src, "cut.E01", &err), CO_ERR_FORMAT);
		ck_assert_ptr_nonnull(strstr(err.msg, i < 13 ? "not an E01 file" : "without its last section"));
	}
	free(b);
	image_free(&im);
}
END_TEST

/* Flips a bit in each of the named sections, behind the descriptor (or in it). */
static void damage(const char *const *types, size_t at, const char *to)
{
	size_t len;
	uint8_t *b = read_file("small.E01", &len);
	size_t off[4], n = 0;
	for (; types[n]; n++)
		off[n] = find_section(b, len, types[n]);
	for (size_t i = 0; i < n; i++)
		b[off[i] + at] ^= 0x10;
	folder_write(&dir, to, b, len);
	free(b);
}

static size_t unreadable(const struct image *im, const char *const *types, size_t at, size_t *ret_warnings)
{
	struct co_source src;
	damage(types, at, "hurt.E01");
	open_e01(&src, in_folder(&dir, "hurt.E01"));
	*ret_warnings = co_e01_info(&src)->n_warnings;
	size_t bad = check_readable(&src, im);
	co_source_close(&src);
	return bad;
}

START_TEST(damaged_tables)
{
	struct image im;
	size_t warnings;
	small_image(&im);
	static const size_t places[] = { 30, 76 + 1, 76 + 24 + 1 }; /* descriptor, header, first entry */
	for (size_t i = 0; i < 3; i++) {
		ck_assert_uint_eq(unreadable(&im, (const char *[]) { "table", NULL }, places[i], &warnings), 0);
		ck_assert_uint_gt(warnings, 0);
		ck_assert_uint_eq(unreadable(&im, (const char *[]) { "table2", NULL }, places[i], &warnings), 0);
		ck_assert_uint_gt(warnings, 0);
		ck_assert_uint_eq(unreadable(&im, (const char *[]) { "table", "table2", NULL }, places[i], &warnings),
				  8);
		ck_assert_uint_gt(warnings, 0);
	}
	ck_assert_uint_eq(unreadable(&im, (const char *[]) { "sectors", NULL }, 30, &warnings), 0);
	ck_assert_uint_eq(unreadable(&im, (const char *[]) { "volume", NULL }, 80, &warnings), 0);
	ck_assert_uint_eq(unreadable(&im, (const char *[]) { "done", NULL }, 30, &warnings), 0);
	ck_assert_uint_gt(warnings, 0);
	image_free(&im);
}
END_TEST

START_TEST(damaged_chunk)
{
	struct image im;
	struct co_err err;
	struct co_source src;
	uint8_t buf[40000];
	size_t good = 99, len;
	const char *file;
	uint64_t first, n;
	small_image(&im);
	uint8_t *b = read_file("small.E01", &len);
	size_t table = find_section(b, len, "table") + 76;
	size_t off = (size_t)co_le64(b + table + 8) + (co_le32(b + table + 24 + 4 * 3) & 0x7FFFFFFF);
	b[off + 20] ^= 1; /* chunk 3 */
	folder_write(&dir, "small.E01", b, len);
	free(b);
	open_e01(&src, in_folder(&dir, "small.E01"));
	ck_assert_int_eq(co_source_read(&src, buf, sizeof buf, 100, &good, &err), 1);
	ck_assert_uint_eq(good, 3 * 8192 - 100);
	ck_assert_mem_eq(buf, im.medium + 100, good);
	ck_assert_ptr_nonnull(strstr(err.msg, "small.E01: chunk 3 (bytes 24576 to 32767 of the medium) is damaged"));
	ck_assert_int_eq(co_source_read(&src, buf, 10, 30000, &good, &err), 1);
	ck_assert_uint_eq(good, 0);
	ck_assert_int_eq(co_source_read(&src, buf, 20000, 32768, &good, &err), 0);
	ck_assert_mem_eq(buf, im.medium + 32768, 20000);
	ck_assert_int_eq(co_e01_locate(&src, 30000, &file, &first, &n), 0);
	ck_assert_ptr_nonnull(strstr(file, "small.E01"));
	ck_assert_uint_eq(first, 24576);
	ck_assert_uint_eq(n, 8192);
	ck_assert_int_eq(co_e01_locate(&src, im.len - 1, &file, &first, &n), 0);
	ck_assert_uint_eq(n, im.len - first);
	ck_assert_int_eq(co_e01_locate(&src, im.len, &file, &first, &n), 1);
	co_source_close(&src);
	image_free(&im);
}
END_TEST

/* A section of its own making: descriptor at @off with a valid checksum. */
static void put_descriptor(uint8_t *b, size_t off, const char *type, uint64_t next, uint64_t size)
{
	memset(b + off, 0, 76);
	memcpy(b + off, type, strlen(type));
	co_put_le64(b + off + 16, next);
	co_put_le64(b + off + 24, size);
	co_put_le32(b + off + 72, co_adler32(1, b + off, 72));
}

START_TEST(hostile_chains)
{
	struct image im;
	struct co_err err;
	struct co_source src;
	size_t len;
	small_image(&im);
	uint8_t *b = read_file("small.E01", &len);
	size_t sectors = find_section(b, len, "sectors"), digest = find_section(b, len, "digest");
	static const uint64_t nexts[] = { 0, 13, 14, UINT64_MAX, UINT64_MAX - 75, INT64_MAX };
	for (size_t i = 0; i < 2 * (sizeof nexts / sizeof *nexts); i++) {
		uint8_t *copy = malloc(len);
		memcpy(copy, b, len);
		put_descriptor(copy, i % 2 ? sectors : digest, "sectors", nexts[i / 2], i % 3 ? UINT64_MAX : 80);
		folder_write(&dir, "loop.E01", copy, len);
		free(copy);
		int r = try_open(&src, "loop.E01", &err);
		if (r == 0) {
			ck_assert_uint_gt(co_e01_info(&src)->n_warnings, 0);
			ck_assert_uint_eq(check_readable(&src, &im), 0);
			co_source_close(&src);
		} else {
			ck_assert_int_eq(r, CO_ERR_FORMAT);
		}
	}
	free(b);
	image_free(&im);
}
END_TEST

/* Numbers in a table that is valid otherwise. */
START_TEST(hostile_tables)
{
	struct image im;
	struct co_source src;
	struct co_err err;
	size_t len;
	small_image(&im);
	uint8_t *b = read_file("small.E01", &len);
	static const uint32_t entries[] = { 0, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 1 };
	static const uint64_t bases[] = { 0, UINT64_MAX, UINT64_MAX - 0x7FFFFFFF, INT64_MAX };
	static const char *const types[] = { "table", "table2" };
	for (size_t i = 0; i < 20; i++) {
		for (size_t k = 0; k < 2; k++) {
			uint8_t *table = b + find_section(b, len, types[k]) + 76;
			co_put_le64(table + 8, bases[i % 4]);
			co_put_le32(table + 20, co_adler32(1, table, 20));
			for (size_t e = 0; e < 8; e++)
				co_put_le32(table + 24 + 4 * e, entries[(i + e) % 5]);
			co_put_le32(table + 24 + 32, co_adler32(1, table + 24, 32));
		}
		folder_write(&dir, "table.E01", b, len);
		int r = try_open(&src, "table.E01", &err);
		ck_assert_int_eq(r, 0);
		ck_assert_uint_eq(check_readable(&src, &im), 8);
		co_source_close(&src);
	}
	free(b);
	image_free(&im);
}
END_TEST

/* --- sets of segments --- */

/* 4 segments. */
static void split_image(struct image *im)
{
	image_init(im, 500 * 1024);
	im->opts.compression = CO_COMPRESSION_NONE;
	im->opts.segment_size = 150000;
	write_image(im, "s");
	ck_assert_uint_eq(im->n_segments, 4);
}

static void check_opens(const char *name, const struct image *im)
{
	struct co_source src;
	open_e01(&src, in_folder(&dir, name));
	ck_assert_uint_eq(co_e01_info(&src)->n_segments, im->n_segments);
	ck_assert_uint_eq(co_e01_info(&src)->n_warnings, 0);
	check_content(&src, im, 50000);
	co_source_close(&src);
}

START_TEST(names_of_segments)
{
	struct image im;
	split_image(&im);
	check_opens("s.E01", &im);
	check_opens("s.E03", &im);
	/* swapped: the number inside decides */
	move("s.E02", "x");
	move("s.E03", "s.E02");
	move("x", "s.E03");
	check_opens("s.E01", &im);
	/* lower case */
	move("s.E01", "s.e01");
	check_opens("s.e01", &im);
	check_opens("s.E02", &im);
	/* any names: found by the set identifier */
	move("s.e01", "one");
	move("s.E02", "two.bin");
	folder_puts(&dir, "notes.txt", "EVF\t\r\n? no");
	check_opens("one", &im);
	check_opens("two.bin", &im);
	image_free(&im);
}
END_TEST

START_TEST(explicit_names)
{
	struct image im;
	struct co_source src;
	struct co_err err;
	split_image(&im);
	const char *names[] = { in_folder(&dir, "s.E03"), in_folder(&dir, "s.E01"), in_folder(&dir, "s.E04"),
				in_folder(&dir, "s.E02") };
	ck_assert_msg(co_e01_open(&src, names, 4, NULL, &err) == 0, "%s", err.msg);
	ck_assert_ptr_nonnull(strstr(co_e01_info(&src)->segment_names[2], "s.E03"));
	check_content(&src, &im, 70000);
	co_source_close(&src);
	ck_assert_int_eq(co_e01_open(&src, names, 3, NULL, &err), CO_ERR_FORMAT);
	ck_assert_ptr_nonnull(strstr(err.msg, "segment 2 of "));
	names[2] = names[1];
	ck_assert_int_eq(co_e01_open(&src, names, 4, NULL, &err), CO_ERR_FORMAT);
	ck_assert_ptr_nonnull(strstr(err.msg, "both are segment 1"));
	image_free(&im);
}
END_TEST

START_TEST(missing_segments)
{
	static const struct {
		const char *gone, *open, *text;
	} cases[] = { { "s.E02", "s.E01", "segment 2 of " },
		      { "s.E04", "s.E01", "segment 4 of " },
		      { "s.E01", "s.E02", "segment 1 of " } };
	struct image im;
	struct co_err err;
	struct co_source src;
	split_image(&im);
	for (size_t i = 0; i < 3; i++) {
		move(cases[i].gone, "away");
		folder_puts(&dir, "lock", "");
		size_t len;
		uint8_t *b = read_file("away", &len);
		ck_assert_int_eq(remove(in_folder(&dir, "away")), 0);
		ck_assert_int_eq(try_open(&src, cases[i].open, &err), CO_ERR_FORMAT);
		ck_assert_ptr_nonnull(strstr(err.msg, cases[i].text));
		ck_assert_ptr_nonnull(strstr(err.msg, cases[i].open));
		ck_assert_ptr_nonnull(strstr(err.msg, "is missing"));
		folder_write(&dir, cases[i].gone, b, len);
		free(b);
	}
	image_free(&im);
}
END_TEST

START_TEST(foreign_segment)
{
	static const uint8_t other[16] = { 9 };
	struct image im, im2;
	struct co_err err;
	struct co_source src;
	split_image(&im);
	image_init(&im2, im.len);
	im2.opts.compression = CO_COMPRESSION_NONE;
	im2.opts.segment_size = 150000;
	im2.opts.guid = other;
	write_image(&im2, "t");
	move("t.E02", "s.E02");
	ck_assert_int_eq(try_open(&src, "s.E01", &err), CO_ERR_FORMAT);
	ck_assert_ptr_nonnull(strstr(err.msg, "segment 2 of "));
	const char *names[] = { in_folder(&dir, "s.E01"), in_folder(&dir, "s.E02"), in_folder(&dir, "s.E03"),
				in_folder(&dir, "s.E04") };
	ck_assert_int_eq(co_e01_open(&src, names, 4, NULL, &err), CO_ERR_FORMAT);
	ck_assert_ptr_nonnull(strstr(err.msg, "s.E02 belongs to another image"));
	image_free(&im);
	image_free(&im2);
}
END_TEST

/* A lost pair of tables in the middle must not shift what lies behind. */
START_TEST(lost_tables_in_the_middle)
{
	struct image im;
	struct co_source src;
	size_t len;
	split_image(&im);
	uint8_t *b = read_file("s.E02", &len);
	b[find_section(b, len, "table") + 5] ^= 1;
	size_t table = find_section(b, len, "sectors");
	table = (size_t)co_le64(b + table + 16);
	b[co_le64(b + table + 16) + 5] ^= 1; /* the descriptor of table2 too */
	folder_write(&dir, "s.E02", b, len);
	free(b);
	open_e01(&src, in_folder(&dir, "s.E01"));
	ck_assert_uint_gt(co_e01_info(&src)->n_warnings, 0);
	size_t bad = check_readable(&src, &im);
	ck_assert_uint_gt(bad, 10);
	ck_assert_uint_lt(bad, 25);
	co_source_close(&src);
	image_free(&im);
}
END_TEST

START_TEST(probe)
{
	struct image im;
	struct co_err err;
	small_image(&im);
	folder_puts(&dir, "text", "EVF");
	folder_puts(&dir, "empty", "");
	ck_assert_int_eq(co_e01_probe(in_folder(&dir, "small.E01"), &err), 1);
	ck_assert_int_eq(co_e01_probe(in_folder(&dir, "text"), &err), 0);
	ck_assert_int_eq(co_e01_probe(in_folder(&dir, "empty"), &err), 0);
	ck_assert_int_lt(co_e01_probe(in_folder(&dir, "absent"), &err), 0);
	ck_assert_int_lt(co_e01_probe(dir.name, &err), 0);
	image_free(&im);
}
END_TEST

Suite *t_e01_reader_suite(void)
{
	Suite *s = suite_create("e01_reader");
	TCase *t = tcase_create("reader");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, images_of_others, 0, sizeof truths / sizeof *truths);
	tcase_add_test(t, probe);
	tcase_add_test(t, bit_flips);
	tcase_add_test(t, truncation);
	tcase_add_test(t, damaged_tables);
	tcase_add_test(t, damaged_chunk);
	tcase_add_test(t, hostile_chains);
	tcase_add_test(t, hostile_tables);
	tcase_add_test(t, names_of_segments);
	tcase_add_test(t, explicit_names);
	tcase_add_test(t, missing_segments);
	tcase_add_test(t, foreign_segment);
	tcase_add_test(t, lost_tables_in_the_middle);
	suite_add_tcase(s, t);
	return s;
}
