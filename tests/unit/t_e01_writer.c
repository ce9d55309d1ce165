/* SPDX-License-Identifier: Apache-2.0 */
#include "e01/writer.h"

#include <check.h>
#include <errno.h>
#include <signal.h>
#include <sys/resource.h>

#include "e01/image.h"
#include "e01/segment.h"
#include "e01_image.h"
#include "suites.h"

static struct folder dir;

static void setup(void)
{
	folder_make(&dir);
}

static void teardown(void)
{
	folder_remove(&dir);
}

static char *stem_of(const char *name)
{
	return strdup(in_folder(&dir, name));
}

static void check_round_trip(size_t len, enum co_compression c, uint32_t sector_size)
{
	struct image im;
	struct co_source src;
	char name[32];
	image_init(&im, len);
	im.opts.compression = c;
	im.opts.sector_size = sector_size;
	im.opts.workers = 2;
	snprintf(name, sizeof name, "i%zu-%d-%u", len, (int)c, sector_size);
	char *stem = stem_of(name);
	image_write(&im, stem);
	ck_assert_uint_eq(im.n_segments, 1);
	strcat(name, ".E01");
	open_e01(&src, in_folder(&dir, name));
	const struct co_e01_info *info = co_e01_info(&src);
	ck_assert_uint_eq(src.sector_size, sector_size);
	ck_assert_uint_eq(info->n_warnings, 0);
	ck_assert_uint_eq(info->stored.set, im.digests.set);
	ck_assert_uint_eq(co_digests_differ(&info->stored, &im.digests), 0);
	ck_assert_mem_eq(info->guid, im.opts.guid, 16);
	check_content(&src, &im, 1 << 20);
	check_content(&src, &im, 8192);
	check_content(&src, &im, 5000);
	co_source_close(&src);
	free(stem);
	image_free(&im);
}

START_TEST(round_trips)
{
	static const size_t sizes[] = {
		512, 8192, 8192 - 512, 8192 + 512, 65536, 65536 * 3, 65536 * 9 + 8192 * 3 + 1024
	};
	for (int c = CO_COMPRESSION_FAST; c <= CO_COMPRESSION_NONE; c++)
		for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
			check_round_trip(sizes[i], (enum co_compression)c, 512);
}
END_TEST

START_TEST(large_sectors)
{
	struct image im;
	struct co_source src;
	image_init(&im, 4096 * 37);
	im.opts.sector_size = 4096;
	im.opts.sectors_per_chunk = 0;
	im.opts.physical = true;
	im.opts.removable = true;
	char *stem = stem_of("large");
	image_write(&im, stem);
	open_e01(&src, in_folder(&dir, "large.E01"));
	ck_assert_uint_eq(co_e01_info(&src)->chunk_size, 32768);
	ck_assert_uint_eq(co_e01_info(&src)->media_type, 0);
	ck_assert_uint_eq(co_e01_info(&src)->media_flags, 3);
	check_content(&src, &im, 100000);
	co_source_close(&src);
	free(stem);
	image_free(&im);
}
END_TEST

/* As large as the buffers of the imager, which it takes for large sources. */
START_TEST(large_chunks)
{
	struct image im;
	struct co_source src;
	image_init(&im, (5 << 20) + 512 * 77);
	im.opts.sectors_per_chunk = 2048;
	im.opts.buffer_size = 1 << 20;
	im.opts.workers = 2;
	char *stem = stem_of("chunks");
	image_write(&im, stem);
	open_e01(&src, in_folder(&dir, "chunks.E01"));
	ck_assert_uint_eq(co_e01_info(&src)->chunk_size, 1 << 20);
	ck_assert_uint_eq(co_e01_info(&src)->n_chunks, 6);
	check_content(&src, &im, 100000);
	check_content(&src, &im, 3 << 20);
	co_source_close(&src);
	free(stem);
	image_free(&im);
}
END_TEST

START_TEST(same_bytes_with_any_workers)
{
	static const unsigned workers[] = { 0, 1, 2, 7 };
	for (int c = CO_COMPRESSION_FAST; c <= CO_COMPRESSION_NONE; c++) {
		uint8_t *first = NULL;
		size_t first_len = 0;
		for (size_t i = 0; i < 4; i++) {
			struct image im;
			char name[32];
			image_init(&im, 700 * 1024);
			im.opts.compression = (enum co_compression)c;
			im.opts.workers = workers[i];
			snprintf(name, sizeof name, "w%u-%d", workers[i], c);
			char *stem = stem_of(name);
			image_write(&im, stem);
			strcat(name, ".E01");
			size_t len;
			uint8_t *bytes = read_all(in_folder(&dir, name), &len);
			if (first) {
				ck_assert_uint_eq(len, first_len);
				ck_assert_mem_eq(bytes, first, len);
				free(bytes);
			} else {
				first = bytes;
				first_len = len;
			}
			free(stem);
			image_free(&im);
		}
		free(first);
	}
}
END_TEST

START_TEST(segments_keep_their_size)
{
	struct image im;
	struct co_source src;
	image_init(&im, 3 << 20);
	im.opts.compression = CO_COMPRESSION_NONE;
	im.opts.segment_size = 300000;
	char *stem = stem_of("many");
	image_write(&im, stem);
	ck_assert_uint_gt(im.n_segments, 10);
	for (unsigned k = 1; k <= im.n_segments; k++) {
		char extension[4], name[16];
		struct stat st;
		co_e01_extension(k, extension);
		snprintf(name, sizeof name, "many.%s", extension);
		ck_assert_int_eq(stat(in_folder(&dir, name), &st), 0);
		ck_assert_int_le(st.st_size, 300000);
	}
	open_e01(&src, in_folder(&dir, "many.E01"));
	ck_assert_uint_eq(co_e01_info(&src)->n_segments, im.n_segments);
	check_content(&src, &im, 30000);
	co_source_close(&src);
	free(stem);
	image_free(&im);
}
END_TEST

struct done {
	unsigned n, fail_at;
	struct co_digests digest[100];
};

static struct co_digests digest_of_segment(unsigned number)
{
	char extension[4], name[16];
	struct co_digests d;
	struct co_err err = CO_ERR_INIT;
	co_e01_extension(number, extension);
	snprintf(name, sizeof name, "told.%s", extension);
	ck_assert_msg(co_digest_file(CO_HASH_BIT(CO_HASH_SHA256), in_folder(&dir, name), &d, &err) == 0, "%s", err.msg);
	return d;
}

static int note_segment(void *arg, unsigned number, struct co_err *err)
{
	struct done *done = arg;
	ck_assert_uint_eq(number, done->n + 1);
	ck_assert_uint_lt(number, 100);
	done->digest[number] = digest_of_segment(number);
	done->n = number;
	return number == done->fail_at ? co_err_set(err, CO_ERR_OUTPUT, 0, "enough") : 0;
}

START_TEST(finished_segments_are_told)
{
	struct image im;
	struct done done = { 0 };
	struct co_err err = CO_ERR_INIT;
	image_init(&im, 3 << 20);
	im.opts.compression = CO_COMPRESSION_NONE;
	im.opts.segment_size = 300000;
	im.opts.workers = 2;
	im.opts.segment_done = note_segment;
	im.opts.segment_done_arg = &done;
	char *stem = stem_of("told");
	image_write(&im, stem);
	ck_assert_uint_gt(im.n_segments, 10);
	ck_assert_uint_eq(done.n, im.n_segments - 1);
	for (unsigned k = 1; k <= done.n; k++) {
		struct co_digests at_end = digest_of_segment(k);
		ck_assert_uint_eq(co_digests_differ(&done.digest[k], &at_end), 0);
	}
	folder_remove(&dir);
	folder_make(&dir);
	free(stem);
	stem = stem_of("told");
	done = (struct done) { .fail_at = 3 };
	ck_assert_int_eq(image_try(&im, stem, &err), CO_ERR_OUTPUT);
	ck_assert_str_eq(err.msg, "enough");
	ck_assert_uint_eq(done.n, 3);
	free(stem);
	image_free(&im);
}
END_TEST

/* Text that follows noise is compressed, though a probe precedes it; noise that follows noise costs its own size. */
START_TEST(probes_know_noise_from_text)
{
	struct image im;
	struct stat st;
	size_t chunk = 8 << 10, n = 64, noise = 0;
	uint64_t x = 88172645463325252;
	image_init(&im, n * chunk);
	for (size_t i = 0; i < im.len; i++) {
		x ^= x << 13, x ^= x >> 7, x ^= x << 17;
		bool is_noise = i / chunk % 4 < 3;
		im.medium[i] =
			is_noise ? (uint8_t)(x >> 56) : (uint8_t)("GET /index.php HTTP/1.1\n"[i % 24] ^ (x % 64 == 0));
		noise += is_noise;
	}
	char *stem = stem_of("probe");
	image_write(&im, stem);
	ck_assert_int_eq(stat(in_folder(&dir, "probe.E01"), &st), 0);
	ck_assert_int_ge(st.st_size, (off_t)noise);
	ck_assert_int_lt(st.st_size, (off_t)(noise + (im.len - noise) / 2));
	free(stem);
	image_free(&im);
}
END_TEST

static void put_some_plain(struct image *im, const char *stem)
{
	struct co_e01_writer *w;
	struct co_bufs *bufs;
	struct co_err err;
	size_t size = im->opts.buffer_size;
	ck_assert_int_eq(co_bufs_open(&bufs, 2, size, &err), 0);
	ck_assert_int_eq(co_e01_writer_open(&w, stem, &im->opts, &err), 0);
	for (size_t off = 0; off < im->len; off += size) {
		struct co_buf *buf;
		while (!(buf = co_bufs_try_lend(bufs)))
			ck_assert_int_eq(co_e01_writer_pump(w, &err), 0);
		ck_assert(!buf->plain);
		buf->plain = off / size % 2 == 1;
		buf->off = off;
		buf->len = (size_t)co_min_u64(size, im->len - off);
		memcpy(buf->data, im->medium + off, buf->len);
		ck_assert_int_eq(co_e01_writer_put(w, buf, &err), 0);
	}
	ck_assert_int_eq(co_e01_writer_finish(w, &im->n_segments, &err), 0);
	co_e01_writer_close(w);
	co_bufs_close(bufs);
}

START_TEST(plain_buffers_are_stored_raw)
{
	for (int c = CO_COMPRESSION_FAST; c <= CO_COMPRESSION_NONE; c++) {
		struct image im;
		struct co_source src;
		char name[32];
		image_init(&im, 65536 * 6 + 1024);
		memset(im.medium, 0, im.len);
		memset(im.medium + 65536 * 2 + 5000, 'x', 65536 * 2);
		im.opts.compression = (enum co_compression)c;
		im.opts.workers = 2;
		snprintf(name, sizeof name, "plain%d.E01", c);
		char *stem = stem_of(name);
		*strrchr(stem, '.') = '\0';
		put_some_plain(&im, stem);
		open_e01(&src, in_folder(&dir, name));
		const struct co_e01_image *inside = src.self;
		for (uint64_t i = 0; i < inside->info.n_chunks; i++) {
			struct co_e01_place p;
			ck_assert_int_eq(co_e01_table_place(&inside->table, i, &p), 0);
			bool plain = i / 8 % 2 == 1;
			ck_assert_int_eq(p.compressed, !plain && c != CO_COMPRESSION_NONE);
			if (plain)
				ck_assert_uint_eq(p.len, 8192 + 4);
		}
		check_content(&src, &im, 5000);
		co_source_close(&src);
		free(stem);
		image_free(&im);
	}
}
END_TEST

START_TEST(texts)
{
	struct image im;
	struct co_source src;
	static char long_text[4000];
	memset(long_text, 'n', sizeof long_text - 1);
	image_init(&im, 8192);
	im.opts.info.case_number = "a\tb\r\nc\x01\x7F"
				   "d";
	im.opts.info.evidence_number = "J\xC3\xBCrgen \xD0\x96 \xFF\xC0\xAF!";
	im.opts.info.examiner = "";
	im.opts.info.notes = long_text;
	im.opts.info.model = "model";
	im.opts.info.serial = "serial";
	im.opts.info.software_version = "exhibit 1.2.3.4";
	im.opts.info.operating_system = "Linux 6.1.0-13-amd64 \xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC";
	char *stem = stem_of("texts");
	image_write(&im, stem);
	open_e01(&src, in_folder(&dir, "texts.E01"));
	const struct co_e01_info *info = co_e01_info(&src);
	ck_assert_str_eq(info->case_number, "a b  cd");
	ck_assert_str_eq(info->evidence_number, "J\xC3\xBCrgen \xD0\x96 !");
	ck_assert_ptr_null(info->examiner);
	ck_assert_ptr_null(info->description);
	ck_assert_uint_eq(strlen(info->notes), 2999);
	ck_assert_str_eq(info->model, "model");
	ck_assert_str_eq(info->serial, "serial");
	ck_assert_str_eq(info->software_version, "exhibit 1.2");
	ck_assert_str_eq(info->operating_system, "Linux 6.1.0-13-amd64 "); /* no half of a character */
	ck_assert_str_eq(info->acquiry_date, "2023-11-14T22:13:20Z");
	ck_assert_str_eq(info->system_date, "2023-11-14T22:13:20Z");
	co_source_close(&src);
	free(stem);
	image_free(&im);
}
END_TEST

/* Each segment is told once and in order, when it will not be touched again. */
static int note_unknown(void *arg, unsigned number, struct co_err *err)
{
	struct done *done = arg;
	(void)err;
	ck_assert_uint_eq(number, done->n + 1);
	done->n = number;
	done->digest[number] = digest_of_segment(number);
	return 0;
}

static void check_unknown_size(size_t len, uint64_t segment_size, enum co_compression c, unsigned segments)
{
	struct image im;
	struct co_source src;
	struct co_err err = CO_ERR_INIT;
	struct done done = { 0 };
	image_init(&im, len);
	im.opts.compression = c;
	im.opts.segment_size = segment_size;
	char *known = stem_of("known"), *told = stem_of("told");
	image_write(&im, known);
	ck_assert_uint_eq(im.n_segments, segments);
	im.opts.media_size = 0;
	im.opts.segment_done = note_unknown;
	im.opts.segment_done_arg = &done;
	ck_assert_msg(image_finish(&im, told, &err) == 0, "%s", err.msg);
	ck_assert_uint_eq(im.n_segments, segments);
	ck_assert_uint_eq(done.n, segments - 1);
	ck_assert_int_eq(co_e01_write_tail(told, segments, &im.digests, NULL, NULL, &err), 0);
	for (unsigned k = 1; k <= segments; k++) {
		CO_CLEANUP_FREE char *a = co_e01_segment_name(known, k), *b = co_e01_segment_name(told, k);
		size_t a_len, b_len;
		CO_CLEANUP_FREE uint8_t *in_a = read_all(a, &a_len), *in_b = read_all(b, &b_len);
		ck_assert_uint_eq(a_len, b_len);
		ck_assert(memcmp(in_a, in_b, a_len) == 0);
		struct co_digests at_end = digest_of_segment(k);
		ck_assert(k == segments || co_digests_differ(&done.digest[k], &at_end) == 0);
	}
	open_e01(&src, in_folder(&dir, "told.E01"));
	ck_assert_uint_eq(co_e01_info(&src)->n_warnings, 0);
	check_content(&src, &im, 1 << 20);
	co_source_close(&src);
	free(known);
	free(told);
	image_free(&im);
	folder_remove(&dir);
	folder_make(&dir);
}

START_TEST(unknown_size)
{
	check_unknown_size(512, 0, CO_COMPRESSION_FAST, 1);
	check_unknown_size(200 * 512, 0, CO_COMPRESSION_FAST, 1);
	check_unknown_size(1 << 20, 0, CO_COMPRESSION_FAST, 1);
	check_unknown_size((1 << 20) + 512, 400000, CO_COMPRESSION_NONE, 3);
	check_unknown_size(100 << 20, 10 << 20, CO_COMPRESSION_FAST, 3);
	check_unknown_size(100 << 20, 40 << 20, CO_COMPRESSION_NONE, 3);
}
END_TEST

/* A medium that ends where a segment does, or near it. */
START_TEST(unknown_size_at_the_end_of_a_segment)
{
	for (size_t chunks = 17; chunks < 24; chunks++)
		for (size_t less = 0; less < 1024; less += 512)
			check_unknown_size(chunks * 8192 - less, 160000, CO_COMPRESSION_NONE, 1 + (chunks > 19));
}
END_TEST

START_TEST(unknown_size_refusals)
{
	static const size_t second[] = { 8192, 0, 100 };
	struct co_err err = CO_ERR_INIT;
	struct image im;
	image_init(&im, 65536);
	im.opts.media_size = 0;
	for (size_t i = 0; i < 3; i++) {
		struct co_e01_writer *w;
		struct co_bufs *bufs;
		char *stem = stem_of("none");
		ck_assert_int_eq(co_bufs_open(&bufs, 4, im.opts.buffer_size, &err), 0);
		ck_assert_int_eq(co_e01_writer_open(&w, stem, &im.opts, &err), 0);
		if (i == 1) {
			ck_assert_int_eq(co_e01_writer_finish(w, &im.n_segments, &err), CO_ERR_FAILED);
			ck_assert_ptr_nonnull(strstr(err.msg, "empty medium"));
		} else {
			if (i == 0) /* less than a chunk */
				ck_assert_int_eq(image_put(&im, w, bufs, 512, &err), 0);
			struct co_buf *buf = co_bufs_lend(bufs);
			buf->off = i == 0 ? 512 : 0;
			buf->len = second[i];
			ck_assert_int_eq(co_e01_writer_put(w, buf, &err), CO_ERR_FAILED);
		}
		co_e01_writer_close(w);
		co_bufs_close(bufs);
		free(stem);
		folder_remove(&dir);
		folder_make(&dir);
	}
	image_free(&im);
}
END_TEST

START_TEST(random_identifier)
{
	struct image im;
	struct co_source src;
	image_init(&im, 8192);
	im.opts.guid = NULL;
	char *stem = stem_of("guid");
	image_write(&im, stem);
	open_e01(&src, in_folder(&dir, "guid.E01"));
	const uint8_t *guid = co_e01_info(&src)->guid;
	ck_assert_uint_eq(guid[7] >> 4, 4);
	ck_assert_uint_eq(guid[8] >> 6, 2);
	co_source_close(&src);
	free(stem);
	image_free(&im);
}
END_TEST

START_TEST(refusals)
{
	struct image im;
	struct co_err err;
	image_init(&im, 8192);
	char *stem = stem_of("no");
	im.opts.media_size = 8191;
	ck_assert_int_eq(image_try(&im, stem, &err), CO_ERR_USAGE);
	ck_assert_ptr_nonnull(strstr(err.msg, "not a multiple"));
	im.opts.media_size = 8192;
	im.opts.segment_size = 1000;
	ck_assert_int_eq(image_try(&im, stem, &err), CO_ERR_USAGE);
	im.opts.segment_size = 0;
	im.opts.sectors_per_chunk = 48;
	ck_assert_int_eq(image_try(&im, stem, &err), CO_ERR_USAGE); /* 64 KiB are no multiple of 24 KiB */
	im.opts.sectors_per_chunk = 16;
	ck_assert_int_eq(folder_has(&dir, "no.E01"), 0);
	folder_puts(&dir, "no.E07", "precious");
	ck_assert_int_eq(image_try(&im, stem, &err), CO_ERR_OUTPUT);
	ck_assert_ptr_nonnull(strstr(err.msg, "no.E07 already exists"));
	ck_assert_int_eq(folder_has(&dir, "no.E01"), 0);
	free(stem);
	stem = stem_of("absent/image");
	ck_assert_int_eq(image_try(&im, stem, &err), CO_ERR_OUTPUT);
	free(stem);
	image_free(&im);
}
END_TEST

START_TEST(too_few_bytes)
{
	struct image im;
	struct co_e01_writer *w;
	struct co_bufs *bufs;
	struct co_err err;
	image_init(&im, 65536 * 3);
	char *stem = stem_of("few");
	ck_assert_int_eq(co_bufs_open(&bufs, 4, im.opts.buffer_size, &err), 0);
	ck_assert_int_eq(co_e01_writer_open(&w, stem, &im.opts, &err), 0);
	ck_assert_int_eq(image_put(&im, w, bufs, 65536, &err), 0);
	struct co_buf *buf = co_bufs_lend(bufs);
	buf->off = 65536 * 2; /* not what follows */
	buf->len = 65536;
	ck_assert_int_lt(co_e01_writer_put(w, buf, &err), 0);
	ck_assert_int_eq(co_e01_writer_finish(w, &im.n_segments, &err), CO_ERR_FAILED);
	ck_assert_ptr_nonnull(strstr(err.msg, "65536 of 196608"));
	co_e01_writer_close(w);
	co_bufs_close(bufs);
	free(stem);
	image_free(&im);
}
END_TEST

/* A limit on the size of files stands in for a full disk. */
START_TEST(output_fails)
{
	struct image im;
	struct co_err err = CO_ERR_INIT;
	struct rlimit old, small;
	image_init(&im, 2 << 20);
	im.opts.compression = CO_COMPRESSION_NONE;
	im.opts.workers = 2;
	char *stem = stem_of("full");
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &old), 0);
	small = old;
	small.rlim_cur = 200000;
	void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
	int r = image_try(&im, stem, &err);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &old), 0);
	signal(SIGXFSZ, handler);
	ck_assert_int_eq(r, CO_ERR_OUTPUT);
	ck_assert_ptr_nonnull(strstr(err.msg, "full"));
	ck_assert_msg(strstr(err.msg, strerror(EFBIG)), "%s", err.msg);
	free(stem);
	image_free(&im);
}
END_TEST

START_TEST(extensions)
{
	static const struct {
		unsigned number;
		const char *text;
	} known[] = { { 1, "E01" },   { 99, "E99" },  { 100, "EAA" }, { 125, "EAZ" },
		      { 126, "EBA" }, { 775, "EZZ" }, { 776, "FAA" }, { CO_E01_SEGMENTS_MAX, "ZZZ" } };
	char text[4];
	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		ck_assert_int_eq(co_e01_extension(known[i].number, text), 0);
		ck_assert_str_eq(text, known[i].text);
	}
	ck_assert_int_eq(co_e01_extension(0, text), -1);
	ck_assert_int_eq(co_e01_extension(CO_E01_SEGMENTS_MAX + 1, text), -1);
}
END_TEST

Suite *t_e01_writer_suite(void)
{
	Suite *s = suite_create("e01_writer");
	TCase *t = tcase_create("writer");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, extensions);
	tcase_add_test(t, round_trips);
	tcase_add_test(t, large_sectors);
	tcase_add_test(t, large_chunks);
	tcase_add_test(t, same_bytes_with_any_workers);
	tcase_add_test(t, segments_keep_their_size);
	tcase_add_test(t, finished_segments_are_told);
	tcase_add_test(t, probes_know_noise_from_text);
	tcase_add_test(t, plain_buffers_are_stored_raw);
	tcase_add_test(t, texts);
	tcase_add_test(t, unknown_size);
	tcase_add_test(t, unknown_size_at_the_end_of_a_segment);
	tcase_add_test(t, unknown_size_refusals);
	tcase_add_test(t, random_identifier);
	tcase_add_test(t, refusals);
	tcase_add_test(t, too_few_bytes);
	tcase_add_test(t, output_fails);
	suite_add_tcase(s, t);
	return s;
}
