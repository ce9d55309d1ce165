/* SPDX-License-Identifier: Apache-2.0 */
/* The E01 reader at random places, in order, and from several threads: cache, read ahead, runs of chunks, files. */
#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "e01/image.h"
#include "e01_image.h"
#include "run/pool.h"
#include "suites.h"

enum { CHUNK = 8192 };

static struct folder dir;

static void setup(void)
{
	folder_make(&dir);
}

static void teardown(void)
{
	folder_remove(&dir);
}

static void open_with(struct co_source *src, const char *name, size_t cache_bytes, unsigned ahead)
{
	struct co_err err;
	const char *path = in_folder(&dir, name);
	const struct co_e01_opts opts = { .cache_bytes = cache_bytes, .ahead = ahead };
	ck_assert_msg(co_e01_open(src, &path, 1, &opts, &err) == 0, "%s", err.msg);
}

static void make_image(struct image *im, size_t len, enum co_compression compression, uint64_t segment_size)
{
	image_init(im, len);
	im->opts.compression = compression;
	im->opts.segment_size = segment_size;
	image_write(im, in_folder(&dir, "r"));
}

static void check_read(const struct co_source *src, const struct image *im, uint64_t off, size_t len)
{
	struct co_err err;
	uint8_t *b = malloc(len);
	ck_assert_ptr_nonnull(b);
	ck_assert_msg(co_source_read_full(src, b, len, off, &err) == 0, "%s", err.msg);
	ck_assert_mem_eq(b, im->medium + off, len);
	free(b);
}

static struct co_e01_image *inside(const struct co_source *src)
{
	return src->self;
}

static size_t count_cached(const struct co_source *src)
{
	size_t n = 0;
	for (uint64_t i = 0; i < inside(src)->info.n_chunks; i++)
		n += co_e01_cache_has(inside(src)->cache, i);
	return n;
}

/* Changes one stored byte of a chunk, counted from the end of it if negative. */
static void hurt(const struct co_source *src, uint64_t chunk, int at)
{
	struct co_e01_place p;
	uint8_t byte;
	ck_assert_int_eq(co_e01_table_place(&inside(src)->table, chunk, &p), 0);
	int fd = open(co_e01_files_name(inside(src)->files, p.file), O_RDWR | O_CLOEXEC);
	off_t off = (off_t)(at < 0 ? p.off + p.len : p.off) + at;
	ck_assert_int_eq(pread(fd, &byte, 1, off), 1);
	byte ^= 1;
	ck_assert_int_eq(pwrite(fd, &byte, 1, off), 1);
	close(fd);
}

/* --- cache --- */

START_TEST(cache_keeps_what_fits)
{
	static const size_t sizes[] = { 1, 100000, 1 << 20, 8 << 20, SIZE_MAX };
	struct image im;
	struct co_source src;
	make_image(&im, 3 << 20, CO_COMPRESSION_FAST, 0);
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		open_with(&src, "r.E01", sizes[i], 0);
		size_t n = inside(&src)->info.n_chunks, fits = sizes[i] / CHUNK ? sizes[i] / CHUNK : 1;
		for (uint64_t off = 100; off < im.len; off += CHUNK)
			check_read(&src, &im, off, 1000);
		ck_assert_uint_le(count_cached(&src), fits);
		ck_assert_uint_ge(count_cached(&src), (fits < n ? fits : n) * 9 / 10);
		ck_assert_uint_eq(co_e01_cache_has(inside(&src)->cache, n - 1), 1);
		for (uint64_t off = 100; off < im.len; off += CHUNK)
			check_read(&src, &im, off, 1000);
		co_source_close(&src);
	}
	image_free(&im);
}
END_TEST

/* What is used again and again stays, whatever passes by. */
START_TEST(cache_forgets_the_oldest)
{
	struct image im;
	struct co_source src;
	make_image(&im, 3 << 20, CO_COMPRESSION_FAST, 0);
	open_with(&src, "r.E01", 1 << 20, 0);
	check_read(&src, &im, 5 * CHUNK, 10);
	for (uint64_t off = 0; off + 10 < im.len; off += CHUNK) {
		ck_assert_uint_eq(co_e01_cache_has(inside(&src)->cache, 5), 1);
		check_read(&src, &im, 5 * CHUNK, 10);
		check_read(&src, &im, off, 10);
	}
	ck_assert_uint_eq(co_e01_cache_has(inside(&src)->cache, 6), 0);
	co_source_close(&src);
	image_free(&im);
}
END_TEST

/* --- read ahead --- */

/* Waits for a chunk to come; false: it did not within 20 s. */
static bool comes(const struct co_source *src, uint64_t chunk)
{
	for (int i = 0; i < 2000; i++) {
		if (co_e01_cache_has(inside(src)->cache, chunk))
			return true;
		nanosleep(&(struct timespec) { .tv_nsec = 10000000 }, NULL);
	}
	return false;
}

/* Letters in no order: chunks that are compressed, but not to next to nothing, so that read ahead takes the trouble. */
static void make_text_image(struct image *im, size_t len)
{
	uint64_t x = 1;
	image_init(im, len);
	for (size_t i = 0; i < len; i++) {
		x = x * 6364136223846793005u + 1442695040888963407u;
		im->medium[i] = (uint8_t)('a' + (x >> 60));
	}
	image_write(im, in_folder(&dir, "r"));
}

START_TEST(ahead_of_reads_in_order)
{
	struct image im;
	struct co_source src;
	make_text_image(&im, 8 << 20);
	open_with(&src, "r.E01", 0, 2);
	ck_assert_ptr_nonnull(inside(&src)->ahead);
	/* 8 reads of 3000 bytes end in chunk 2 */
	for (uint64_t off = 0; off < 24000; off += 3000)
		check_read(&src, &im, off, 3000);
	for (uint64_t i = 3; i < 8; i++)
		ck_assert_msg(comes(&src, i), "chunk %d was not read ahead", (int)i);
	ck_assert_uint_le(count_cached(&src), 3 + 16);
	for (size_t step = 1000; step < 300000; step *= 3)
		check_content(&src, &im, step);
	co_source_close(&src);
	image_free(&im);
}
END_TEST

START_TEST(not_ahead_of_others)
{
	struct image im;
	struct co_source src;
	make_text_image(&im, 8 << 20);
	open_with(&src, "r.E01", 0, 2);
	size_t n = inside(&src)->info.n_chunks, touched = 0;
	/* every third chunk, from the end: the places are neither in order nor beside each other */
	for (uint64_t i = n; i >= 3; i -= 3, touched++)
		check_read(&src, &im, (i - 1) * CHUNK, 100);
	for (int i = 0; i < 20; i++) /* the same again: no progress */
		check_read(&src, &im, 2 * CHUNK, 100);
	nanosleep(&(struct timespec) { .tv_nsec = 50000000 }, NULL);
	ck_assert_uint_le(count_cached(&src), touched + 1);
	co_source_close(&src);
	open_with(&src, "r.E01", 100000, 2); /* a quarter of so little is too small */
	ck_assert_ptr_null(inside(&src)->ahead);
	check_content(&src, &im, 3000);
	co_source_close(&src);
	image_free(&im);
}
END_TEST

START_TEST(ahead_meets_damage)
{
	struct image im;
	struct co_source src;
	struct co_err err;
	uint8_t b[1000];
	make_text_image(&im, 1 << 20);
	open_with(&src, "r.E01", 0, 1);
	hurt(&src, 20, 100);
	size_t good = 0, bad = 0;
	for (uint64_t off = 0; off < im.len; off += good ? good : 8) {
		size_t n = (size_t)co_min_u64(sizeof b, im.len - off);
		int r = co_source_read(&src, b, n, off, &good, &err);
		ck_assert_int_eq(r != 0, off + n > 20 * CHUNK && off < 21 * CHUNK);
		ck_assert_mem_eq(b, im.medium + off, good);
		if (r) {
			ck_assert_ptr_nonnull(strstr(err.msg, "chunk 20 "));
			bad++;
			off = good ? off : 21 * CHUNK - 8;
		}
	}
	ck_assert_uint_gt(bad, 0);
	co_source_close(&src);
	image_free(&im);
}
END_TEST

/* --- runs of chunks --- */

static void check_damage(const struct co_source *src, const struct image *im, uint64_t chunk)
{
	struct co_err err;
	size_t good = 0;
	uint8_t *b = malloc(im->len);
	ck_assert_int_eq(co_source_read(src, b, im->len, 0, &good, &err), 1);
	ck_assert_uint_eq(good, chunk * CHUNK);
	ck_assert_mem_eq(b, im->medium, good);
	char text[64];
	snprintf(text, sizeof text, "chunk %d ", (int)chunk);
	ck_assert_ptr_nonnull(strstr(err.msg, text));
	uint64_t behind = (chunk + 1) * CHUNK;
	check_read(src, im, behind, im->len - behind);
	free(b);
}

/* Raw chunks are read in place, others not; each damaged one is found, and costs no other. */
START_TEST(damage_within_a_run)
{
	static const enum co_compression kinds[] = { CO_COMPRESSION_FAST, CO_COMPRESSION_NONE };
	static const int places[] = { 0, 100, -1, -4 };
	struct image im;
	struct co_source src;
	make_image(&im, (1 << 20) + 5120, kinds[_i], 0);
	open_with(&src, "r.E01", 0, 0);
	check_content(&src, &im, 300000);
	for (uint64_t chunk = 0; chunk < 40; chunk += 13) {
		int at = places[chunk % 4];
		hurt(&src, chunk, at);
		check_damage(&src, &im, chunk);
		hurt(&src, chunk, at);
	}
	check_content(&src, &im, im.len);
	co_source_close(&src);
	image_free(&im);
}
END_TEST

/* Between the chunks of two tables lie other sections: a run ends there. */
START_TEST(several_tables)
{
	struct image im;
	struct co_source src;
	image_init(&im, 36 << 20);
	im.opts.sectors_per_chunk = 1;
	im.opts.compression = _i ? CO_COMPRESSION_NONE : CO_COMPRESSION_FAST;
	image_write(&im, in_folder(&dir, "r"));
	open_with(&src, "r.E01", 0, 0);
	ck_assert_uint_gt(inside(&src)->table.groups.n, 1);
	ck_assert_uint_eq(im.n_segments, 1);
	check_content(&src, &im, 1 << 20);
	co_source_close(&src);
	image_free(&im);
}
END_TEST

/* The stored form of zeros is known after the first of them; what differs from it in one byte is damage all the same.
 */
START_TEST(zeros)
{
	struct image im;
	struct co_source src;
	image_init(&im, (1 << 20) + 512);
	memset(im.medium + 10 * CHUNK, 0, im.len - 10 * CHUNK);
	memset(im.medium + 60 * CHUNK, 0xFF, 3 * CHUNK);
	image_write(&im, in_folder(&dir, "r"));
	open_with(&src, "r.E01", 0, 0);
	for (int i = 0; i < 2; i++) {
		check_content(&src, &im, im.len);
		check_content(&src, &im, 100000);
		check_content(&src, &im, 3000);
	}
	co_source_close(&src);
	open_with(&src, "r.E01", 0, 0);
	check_content(&src, &im, im.len);
	hurt(&src, 100, -1);
	check_damage(&src, &im, 100);
	hurt(&src, 100, -1);
	check_content(&src, &im, im.len);
	co_source_close(&src);
	image_free(&im);
}
END_TEST

/* --- many threads, many files --- */

static size_t open_files(void)
{
	size_t n = 0;
	DIR *d = opendir("/proc/self/fd");
	ck_assert_ptr_nonnull(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

struct reading {
	const struct co_source *src;
	const struct image *im;
	unsigned number;
};

static int read_one(const struct reading *j, uint8_t *b, uint64_t off, size_t n, struct co_err *err)
{
	int r = co_source_read_full(j->src, b, n, off, err);
	if (r == 0 && memcmp(b, j->im->medium + off, n) != 0)
		r = co_err_set(err, CO_ERR_MISMATCH, 0, "wrong bytes at %llu", (unsigned long long)off);
	return r;
}

/* Readers with even numbers go through the image in order, each from a place of its own; the others read anywhere. */
static int read_places(void *self, void *arg, struct co_err *err)
{
	static const size_t steps[] = { 4096, 70000, 20000, 400000 };
	const struct reading *j = arg;
	size_t step = steps[j->number / 2 % 4];
	uint8_t *b = malloc(step);
	uint64_t x = j->number, off = j->im->len / 8 * j->number;
	int r = b ? 0 : CO_ERR_NOMEM;
	(void)self;
	for (int i = 0; r == 0 && i < 150; i++, off += step) {
		x = x * 6364136223846793005u + 1442695040888963407u;
		if (j->number % 2 || off >= j->im->len)
			off = (x >> 20) % j->im->len;
		r = read_one(j, b, off, (size_t)co_min_u64(step, j->im->len - off), err);
	}
	free(b);
	return r;
}

static void read_by_threads(const struct co_source *src, const struct image *im)
{
	static const struct co_pool_ops ops = { .run = read_places };
	struct co_pool *pool;
	struct co_err err;
	struct reading jobs[8];
	ck_assert_int_eq(co_pool_open(&pool, &ops, NULL, 4, 8, &err), 0);
	for (unsigned i = 0; i < 8; i++) {
		jobs[i] = (struct reading) { src, im, i };
		ck_assert_int_eq(co_pool_submit(pool, &jobs[i]), 0);
	}
	int r;
	void *job;
	while ((r = co_pool_take(pool, &job, &err)) == 0)
		;
	ck_assert_msg(r == 1, "%s", err.msg);
	co_pool_close(pool);
}

START_TEST(streams_of_several_threads)
{
	static const size_t caches[] = { 0, 1 << 20, 9 << 20 };
	struct image im;
	struct co_source src;
	make_image(&im, 12 << 20, CO_COMPRESSION_FAST, 0);
	for (size_t i = 0; i < 3; i++) {
		open_with(&src, "r.E01", caches[i], 2);
		read_by_threads(&src, &im);
		co_source_close(&src);
	}
	image_free(&im);
}
END_TEST

START_TEST(six_hundred_segments)
{
	struct image im;
	struct co_source src;
	struct rlimit limit, before;
	make_image(&im, 75 << 20, CO_COMPRESSION_NONE, 140000);
	ck_assert_uint_ge(im.n_segments, 600);
	size_t n = open_files();
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
	limit = (struct rlimit) { 128, before.rlim_max };
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	open_with(&src, "r.E01", 0, 2);
	ck_assert_uint_eq(co_e01_info(&src)->n_segments, im.n_segments);
	ck_assert_uint_eq(co_e01_info(&src)->n_warnings, 0);
	check_content(&src, &im, 1 << 20);
	ck_assert_uint_le(open_files(), n + 64);
	check_content(&src, &im, 30000);
	ck_assert_uint_le(open_files(), n + 64);
	read_by_threads(&src, &im);
	ck_assert_uint_le(open_files(), n + 64);
	co_source_close(&src);
	ck_assert_uint_eq(open_files(), n);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
	image_free(&im);
}
END_TEST

Suite *t_e01_random_suite(void)
{
	Suite *s = suite_create("e01_random");
	TCase *t = tcase_create("random");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 120);
	tcase_add_test(t, cache_keeps_what_fits);
	tcase_add_test(t, cache_forgets_the_oldest);
	tcase_add_test(t, ahead_of_reads_in_order);
	tcase_add_test(t, not_ahead_of_others);
	tcase_add_test(t, ahead_meets_damage);
	tcase_add_loop_test(t, damage_within_a_run, 0, 2);
	tcase_add_loop_test(t, several_tables, 0, 2);
	tcase_add_test(t, zeros);
	tcase_add_test(t, streams_of_several_threads);
	tcase_add_test(t, six_hundred_segments);
	suite_add_tcase(s, t);
	return s;
}
