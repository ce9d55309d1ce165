/* SPDX-License-Identifier: Apache-2.0 */
/* The tail of an image against libewf, which writes it as it closes an image. */
#include "e01/tail.h"

#include <check.h>
#include <fcntl.h>
#include <libewf.h>

#include "e01/amend.h"
#include "e01/segment.h"
#include "e01_image.h"
#include "suites.h"

enum { RESERVE = 1024 }; /* what the writer leaves of each segment for the tail */

static struct folder dir;

static void setup(void)
{
	folder_make(&dir);
}

static void teardown(void)
{
	folder_remove(&dir);
}

static const uint64_t ranges[][2] = { { 0, 1 }, { 5, 3 }, { 8, 2 }, { 100, 7 } }; /* two of them touch */
static const struct co_e01_bad some = { ranges, sizeof ranges / sizeof *ranges };

static void write_stem(struct image *im, const char *name, struct co_err *err)
{
	CO_CLEANUP_FREE char *stem = strdup(in_folder(&dir, name));
	ck_assert_msg(image_finish(im, stem, err) == 0, "%s", err->msg);
}

static int write_tail(const struct image *im, const char *name, const struct co_e01_bad *bad, uint64_t *ret_left_out,
		      struct co_err *err)
{
	CO_CLEANUP_FREE char *stem = strdup(in_folder(&dir, name));
	return co_e01_write_tail(stem, im->n_segments, &im->digests, bad, ret_left_out, err);
}

static void must_write_tail(const struct image *im, const char *name, const struct co_e01_bad *bad)
{
	struct co_err err;
	uint64_t left_out = 99;
	ck_assert_msg(write_tail(im, name, bad, &left_out, &err) == 0, "%s", err.msg);
	ck_assert_uint_eq(left_out, 0);
}

static char *segment_of(const char *name, unsigned number)
{
	char *segment = co_e01_segment_name(in_folder(&dir, name), number);
	ck_assert_ptr_nonnull(segment);
	return segment;
}

/* --- the same through libewf alone --- */

#define EWF(call) \
	do { \
		libewf_error_t *error_ = NULL; \
		if ((call) < 0) { \
			char trace_[1024] = ""; \
			libewf_error_backtrace_sprint(error_, trace_, sizeof trace_); \
			ck_abort_msg("%s: %s", #call, trace_); \
		} \
	} while (0)

static void set_text(libewf_handle_t *h, const char *name, const char *value)
{
	EWF(libewf_handle_set_utf8_header_value(h, (const uint8_t *)name, strlen(name), (const uint8_t *)value,
						strlen(value), &error_));
}

static libewf_handle_t *create_oracle(const struct image *im, const char *name)
{
	CO_CLEANUP_FREE char *stem = strdup(in_folder(&dir, name));
	libewf_handle_t *h = NULL;
	uint8_t guid[16];
	memcpy(guid, im->opts.guid, sizeof guid);
	uint64_t segment = im->opts.segment_size ? im->opts.segment_size : UINT64_C(1500) << 20;
	EWF(libewf_handle_initialize(&h, &error_));
	EWF(libewf_handle_open(h, &stem, 1, LIBEWF_OPEN_WRITE, &error_));
	EWF(libewf_handle_set_format(h, LIBEWF_FORMAT_ENCASE6, &error_));
	EWF(libewf_handle_set_compression_values(h, LIBEWF_COMPRESSION_NONE, 0, &error_));
	EWF(libewf_handle_set_media_size(h, im->len, &error_));
	EWF(libewf_handle_set_bytes_per_sector(h, im->opts.sector_size, &error_));
	EWF(libewf_handle_set_sectors_per_chunk(h, im->opts.sectors_per_chunk, &error_));
	EWF(libewf_handle_set_error_granularity(h, 1, &error_));
	EWF(libewf_handle_set_media_type(h, LIBEWF_MEDIA_TYPE_FIXED, &error_));
	EWF(libewf_handle_set_media_flags(h, 1, &error_));
	EWF(libewf_handle_set_maximum_segment_size(h, segment - RESERVE, &error_));
	EWF(libewf_handle_set_header_codepage(h, LIBEWF_CODEPAGE_WINDOWS_1252, &error_));
	EWF(libewf_handle_set_segment_file_set_identifier(h, guid, sizeof guid, &error_));
	set_text(h, "case_number", im->opts.info.case_number);
	set_text(h, "acquiry_date", CO_E01_DATE_PLACEHOLDER);
	set_text(h, "system_date", CO_E01_DATE_PLACEHOLDER);
	return h;
}

static void put_raw_chunks(libewf_handle_t *h, const struct image *im)
{
	size_t size = (size_t)im->opts.sectors_per_chunk * im->opts.sector_size;
	for (size_t off = 0; off < im->len; off += size) {
		size_t len = (size_t)co_min_u64(size, im->len - off);
		uint32_t adler = co_adler32(1, im->medium + off, len);
		uint8_t sum[4];
		co_put_le32(sum, adler);
		EWF(libewf_handle_write_chunk(h, im->medium + off, len, len, 0, sum, adler, 1, &error_));
	}
}

static void write_by_libewf(struct image *im, const char *name, const struct co_e01_bad *bad)
{
	struct co_err err;
	libewf_handle_t *h = create_oracle(im, name);
	put_raw_chunks(h, im);
	for (size_t i = 0; bad && i < bad->n; i++)
		EWF(libewf_handle_append_acquiry_error(h, bad->at[i][0], bad->at[i][1], &error_));
	if (im->digests.set & CO_HASH_BIT(CO_HASH_MD5))
		EWF(libewf_handle_set_md5_hash(h, im->digests.of[CO_HASH_MD5].bytes, 16, &error_));
	if (im->digests.set & CO_HASH_BIT(CO_HASH_SHA1))
		EWF(libewf_handle_set_sha1_hash(h, im->digests.of[CO_HASH_SHA1].bytes, 20, &error_));
	EWF(libewf_handle_write_finalize(h, &error_));
	ck_assert_int_eq(libewf_handle_close(h, NULL), 0);
	libewf_handle_free(&h, NULL);
	CO_CLEANUP_FREE char *first = segment_of(name, 1);
	ck_assert_msg(co_e01_set_dates(first, im->opts.info.acquiry_time_ns, &err) == 0, "%s", err.msg);
}

static void check_same(const char *a, const char *b, unsigned segments)
{
	for (unsigned k = 1; k <= segments; k++) {
		CO_CLEANUP_FREE char *of_a = segment_of(a, k), *of_b = segment_of(b, k);
		size_t a_len, b_len;
		CO_CLEANUP_FREE uint8_t *a_bytes = read_all(of_a, &a_len), *b_bytes = read_all(of_b, &b_len);
		ck_assert_uint_eq(a_len, b_len);
		ck_assert_mem_eq(a_bytes, b_bytes, a_len);
	}
	CO_CLEANUP_FREE char *a_next = segment_of(a, segments + 1), *b_next = segment_of(b, segments + 1);
	ck_assert_int_ne(access(a_next, F_OK), 0);
	ck_assert_int_ne(access(b_next, F_OK), 0);
}

static void check_against_libewf(unsigned set, const struct co_e01_bad *bad, uint64_t segment_size)
{
	struct image im;
	struct co_err err = CO_ERR_INIT;
	image_init(&im, 500 << 10);
	im.opts.compression = CO_COMPRESSION_NONE;
	im.opts.segment_size = segment_size;
	im.digests.set = set;
	write_by_libewf(&im, "old", bad);
	write_stem(&im, "new", &err);
	must_write_tail(&im, "new", bad);
	ck_assert_uint_eq(im.n_segments, segment_size ? 3 : 1);
	check_same("new", "old", im.n_segments);
	image_free(&im);
	folder_remove(&dir);
	folder_make(&dir);
}

START_TEST(same_bytes_as_libewf)
{
	static const unsigned sets[] = { 0, CO_HASH_BIT(CO_HASH_MD5), CO_HASH_BIT(CO_HASH_SHA1),
					 CO_HASH_BIT(CO_HASH_MD5) | CO_HASH_BIT(CO_HASH_SHA1) };
	for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
		for (uint64_t segment = 0; segment <= 200000; segment += 200000) {
			check_against_libewf(sets[i], NULL, segment);
			check_against_libewf(sets[i], &some, segment);
		}
	}
}
END_TEST

/* --- written anew --- */

static void cut(const char *file, size_t len, size_t zeros)
{
	ck_assert_int_eq(truncate(file, (off_t)len), 0);
	ck_assert_int_eq(truncate(file, (off_t)(len + zeros)), 0);
}

static void check_anew(const char *stem, const struct image *im)
{
	CO_CLEANUP_FREE char *last = segment_of(stem, im->n_segments);
	size_t bare, len, again_len;
	free(read_all(last, &bare));
	must_write_tail(im, stem, &some);
	CO_CLEANUP_FREE uint8_t *bytes = read_all(last, &len);
	ck_assert_uint_gt(len, bare);
	for (size_t at = bare - CO_E01_DESCRIPTOR_SIZE; at <= len; at += at < len ? co_min_u64(13, len - at) : 1) {
		cut(last, at, at % 3 == 0 ? 4000 : 0); /* a crash may leave zeros behind */
		must_write_tail(im, stem, &some);
		CO_CLEANUP_FREE uint8_t *again = read_all(last, &again_len);
		ck_assert_uint_eq(again_len, len);
		ck_assert_mem_eq(again, bytes, len);
	}
}

START_TEST(same_bytes_when_written_anew)
{
	for (uint64_t segment = 0; segment <= 200000; segment += 200000) {
		struct image im;
		struct co_err err;
		image_init(&im, 500 << 10);
		im.opts.compression = CO_COMPRESSION_NONE;
		im.opts.segment_size = segment;
		write_stem(&im, "anew", &err);
		check_anew("anew", &im);
		image_free(&im);
		folder_remove(&dir);
		folder_make(&dir);
	}
}
END_TEST

START_TEST(values_are_replaced)
{
	struct image im;
	struct co_source src;
	struct co_err err;
	static const uint64_t far[][2] = {
		{ 7, 1 }, { UINT32_MAX, 1 }, { UINT64_C(1) << 32, 3 }, { UINT64_C(9) << 32, 5 }
	};
	const struct co_e01_bad bad = { far, 4 };
	uint64_t left_out = 0;
	image_init(&im, 65536);
	write_stem(&im, "values", &err);
	open_e01(&src, in_folder(&dir, "values.E01")); /* it is an image without a tail as well */
	ck_assert_uint_eq(co_e01_info(&src)->stored.set, 0);
	check_content(&src, &im, 5000);
	co_source_close(&src);
	must_write_tail(&im, "values", &some);
	im.digests.of[CO_HASH_SHA256].bytes[3] ^= 1;
	im.digests.of[CO_HASH_MD5].bytes[3] ^= 1;
	ck_assert_int_eq(write_tail(&im, "values", &bad, &left_out, &err), 0);
	ck_assert_uint_eq(left_out, 8);
	open_e01(&src, in_folder(&dir, "values.E01"));
	const struct co_e01_info *info = co_e01_info(&src);
	ck_assert_uint_eq(info->n_warnings, 0);
	ck_assert_uint_eq(info->stored.set, im.digests.set);
	ck_assert_uint_eq(co_digests_differ(&info->stored, &im.digests), 0);
	ck_assert_uint_eq(info->n_errors, 2);
	ck_assert_uint_eq(info->errors[0][0], 7);
	ck_assert_uint_eq(info->errors[1][0], UINT32_MAX);
	ck_assert_uint_eq(info->errors[1][1], 1);
	check_content(&src, &im, 5000);
	co_source_close(&src);
	image_free(&im);
}
END_TEST

/* --- refusals --- */

/* The place of the first section of @type. */
static uint64_t find_section(const char *file, const char *type)
{
	struct co_e01_chain chain;
	struct co_e01_section s;
	unsigned number;
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(co_e01_chain_open(&chain, fd, &number, NULL), 0);
	while (co_e01_chain_next(&chain, false, &s, NULL) == 0 && strcmp(s.type, type) != 0)
		;
	close(fd);
	ck_assert_str_eq(s.type, type);
	return s.off;
}

static void check_refused(const struct image *im, const char *stem, unsigned segments, const char *why)
{
	struct co_err err = CO_ERR_INIT;
	struct image copy = *im;
	CO_CLEANUP_FREE char *file = segment_of(stem, segments);
	size_t before, after;
	CO_CLEANUP_FREE uint8_t *bytes = read_all(file, &before);
	copy.n_segments = segments;
	ck_assert_int_eq(write_tail(&copy, stem, NULL, NULL, &err), CO_ERR_OUTPUT);
	ck_assert_msg(strstr(err.msg, why), "%s", err.msg);
	CO_CLEANUP_FREE uint8_t *unchanged = read_all(file, &after);
	ck_assert_uint_eq(before, after);
	ck_assert_mem_eq(bytes, unchanged, after);
}

START_TEST(damage_is_not_cut_off)
{
	static const char *const types[] = { "data", "sectors", "table", "table2" };
	for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
		struct image im;
		struct co_err err;
		image_init(&im, 300 << 10);
		im.opts.compression = CO_COMPRESSION_NONE;
		im.opts.segment_size = 200000;
		write_stem(&im, "hurt", &err);
		must_write_tail(&im, "hurt", NULL);
		ck_assert_uint_eq(im.n_segments, 2);
		check_refused(&im, "hurt", 1, "is not the last segment");
		CO_CLEANUP_FREE char *last = segment_of("hurt", 2);
		uint64_t at = find_section(last, types[i]);
		int fd = open(last, O_WRONLY | O_CLOEXEC);
		ck_assert_int_eq(pwrite(fd, "?", 1, (off_t)at + 40), 1);
		close(fd);
		check_refused(&im, "hurt", 2, i < 3 ? "can't be ended" : "is not the last segment");
		cut(last, at + 10, 0);
		check_refused(&im, "hurt", 2, "is not the last segment");
		image_free(&im);
		folder_remove(&dir);
		folder_make(&dir);
	}
}
END_TEST

/* A table is not whole. */
START_TEST(unfinished_tables_are_refused)
{
	struct image im;
	struct co_err err;
	image_init(&im, 300 << 10);
	im.opts.compression = CO_COMPRESSION_NONE;
	im.opts.segment_size = 200000;
	write_stem(&im, "half", &err);
	CO_CLEANUP_FREE char *last = segment_of("half", im.n_segments);
	cut(last, find_section(last, "table2") + CO_E01_DESCRIPTOR_SIZE + 30, 0);
	check_refused(&im, "half", im.n_segments, "is not the last segment");
	image_free(&im);
}
END_TEST

Suite *t_e01_tail_suite(void)
{
	Suite *s = suite_create("e01_tail");
	TCase *t = tcase_create("tail");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, same_bytes_as_libewf);
	tcase_add_test(t, same_bytes_when_written_anew);
	tcase_add_test(t, values_are_replaced);
	tcase_add_test(t, damage_is_not_cut_off);
	tcase_add_test(t, unfinished_tables_are_refused);
	suite_add_tcase(s, t);
	return s;
}
