/* SPDX-License-Identifier: Apache-2.0 */
#include "suites.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "folder.h"
#include "io/source.h"

static struct folder dir;
static uint8_t bytes[10000];

static void set_up(void)
{
	folder_make(&dir);
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)(i * 7 + i / 256);
}

static void tear_down(void)
{
	folder_remove(&dir);
}

/* Reads at many places and sizes and compares with @want. */
static void check_all(const struct co_source *src, const uint8_t *want, size_t size)
{
	uint8_t *buf = malloc(size + 1);
	ck_assert_uint_eq(src->size, size);
	for (size_t off = 0; off <= size; off += 997) {
		size_t len = (off * 31) % (size - off + 1), good = 0;
		ck_assert_int_eq(co_source_read(src, buf, len, off, &good, NULL), 0);
		ck_assert_uint_eq(good, len);
		ck_assert_int_eq(memcmp(buf, want + off, len), 0);
	}
	ck_assert_int_eq(co_source_read_full(src, buf, size, 0, NULL), 0);
	ck_assert_int_eq(memcmp(buf, want, size), 0);
	free(buf);
}

START_TEST(memory_is_read)
{
	struct co_source src;
	ck_assert_int_eq(co_source_open_memory(&src, bytes, sizeof bytes, NULL), 0);
	check_all(&src, bytes, sizeof bytes);
	ck_assert_str_eq(src.ops->kind, "memory");
	co_source_close(&src);
	ck_assert_ptr_null(src.ops);
	co_source_close(&src);
}
END_TEST

START_TEST(the_end_is_an_outcome)
{
	struct co_source src;
	uint8_t buf[100];
	size_t good = 77;
	struct co_err err = CO_ERR_INIT;
	ck_assert_int_eq(co_source_open_memory(&src, bytes, 50, NULL), 0);
	ck_assert_int_eq(co_source_read(&src, buf, 20, 40, &good, &err), 1);
	ck_assert_uint_eq(good, 10);
	ck_assert_mem_eq(buf, bytes + 40, 10);
	ck_assert_ptr_nonnull(strstr(err.msg, "beyond the end"));
	ck_assert_int_eq(co_source_read(&src, buf, 1, 50, &good, &err), 1);
	ck_assert_uint_eq(good, 0);
	ck_assert_int_eq(co_source_read(&src, buf, 100, UINT64_MAX - 5, &good, &err), 1);
	ck_assert_uint_eq(good, 0);
	ck_assert_int_eq(co_source_read(&src, buf, 0, 50, &good, &err), 0);
	ck_assert_int_eq(co_source_read_full(&src, buf, 20, 40, &err), CO_ERR_FAILED);
	co_source_close(&src);
	src = CO_SOURCE_NONE;
	ck_assert_int_eq(co_source_read(&src, buf, 1, 0, &good, &err), 1);
}
END_TEST

START_TEST(files_are_read)
{
	struct co_source src;
	folder_write(&dir, "disk", bytes, sizeof bytes);
	ck_assert_int_eq(co_source_open_file(&src, in_folder(&dir, "disk"), NULL), 0);
	ck_assert_uint_eq(src.sector_size, 512);
	check_all(&src, bytes, sizeof bytes);
	co_source_close(&src);
}
END_TEST

START_TEST(descriptors_stay_open)
{
	struct co_source src;
	folder_write(&dir, "disk", bytes, sizeof bytes);
	int fd = open(in_folder(&dir, "disk"), O_RDONLY | O_CLOEXEC);
	ck_assert_int_eq(co_source_open_fd(&src, fd, "disk", 5000, 4096, NULL), 0);
	ck_assert_uint_eq(src.sector_size, 4096);
	check_all(&src, bytes, 5000);
	co_source_close(&src);
	ck_assert_int_eq(close(fd), 0);
	struct co_err err = CO_ERR_INIT;
	ck_assert_int_eq(co_source_open_fd(&src, 0, "disk", UINT64_MAX, 0, &err), CO_ERR_FORMAT);
}
END_TEST

START_TEST(a_file_that_shrinks_is_told)
{
	struct co_source src;
	uint8_t buf[1000];
	size_t good = 0;
	struct co_err err = CO_ERR_INIT;
	folder_write(&dir, "disk", bytes, sizeof bytes);
	ck_assert_int_eq(co_source_open_file(&src, in_folder(&dir, "disk"), NULL), 0);
	ck_assert_int_eq(truncate(in_folder(&dir, "disk"), 5000), 0);
	ck_assert_int_eq(co_source_read(&src, buf, 1000, 4900, &good, &err), 1);
	ck_assert_uint_eq(good, 100);
	ck_assert_mem_eq(buf, bytes + 4900, 100);
	ck_assert_ptr_nonnull(strstr(err.msg, "became shorter"));
	ck_assert_ptr_nonnull(strstr(err.msg, "byte 5000"));
	co_source_close(&src);
}
END_TEST

START_TEST(a_bad_descriptor_is_final)
{
	struct co_source src;
	uint8_t buf[10];
	size_t good = 3;
	struct co_err err = CO_ERR_INIT;
	int fd = open(dir.name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_eq(co_source_open_fd(&src, fd, "thing", 100, 0, NULL), 0);
	ck_assert_int_eq(co_source_read(&src, buf, 10, 0, &good, &err), CO_ERR_FAILED);
	ck_assert_uint_eq(good, 3);
	ck_assert_str_eq(err.msg, "read thing at byte 0: Is a directory");
	co_source_close(&src);
	close(fd);
}
END_TEST

static void refused(const char *name, int code, const char *text)
{
	struct co_source src = CO_SOURCE_NONE;
	struct co_err err = CO_ERR_INIT;
	ck_assert_int_eq(co_source_open_file(&src, name, &err), code);
	ck_assert_msg(strstr(err.msg, text) != NULL, "'%s' does not say '%s'", err.msg, text);
	ck_assert_ptr_nonnull(strstr(err.msg, name));
	ck_assert_ptr_null(src.ops);
}

START_TEST(what_is_no_disk_is_refused)
{
	refused(dir.name, CO_ERR_FAILED, "is a folder, not a disk or image");
	refused(in_folder(&dir, "absent"), CO_ERR_FAILED, "No such file or directory");
	folder_puts(&dir, "empty", "");
	refused(in_folder(&dir, "empty"), CO_ERR_FORMAT, "is empty");
	/* would wait for a writer if it were opened */
	ck_assert_int_eq(mkfifo(in_folder(&dir, "pipe"), 0600), 0);
	refused(in_folder(&dir, "pipe"), CO_ERR_FAILED, "is neither a file nor a block device");
	refused("/dev/null", CO_ERR_FAILED, "is neither a file nor a block device");
}
END_TEST

START_TEST(slices_are_part_of_another)
{
	struct co_source base, part, inner;
	struct co_err err = CO_ERR_INIT;
	ck_assert_int_eq(co_source_open_memory(&base, bytes, sizeof bytes, NULL), 0);
	base.sector_size = 4096;
	ck_assert_int_eq(co_source_open_slice(&part, &base, 100, 9000, NULL), 0);
	ck_assert_uint_eq(part.sector_size, 4096);
	check_all(&part, bytes + 100, 9000);
	ck_assert_int_eq(co_source_open_slice(&inner, &part, 8000, 1000, NULL), 0);
	check_all(&inner, bytes + 8100, 1000);
	co_source_close(&inner);
	ck_assert_int_eq(co_source_open_slice(&inner, &part, 8001, 1000, &err), CO_ERR_FORMAT);
	ck_assert_int_eq(co_source_open_slice(&inner, &part, 1, UINT64_MAX, &err), CO_ERR_FORMAT);
	co_source_close(&part);
	check_all(&base, bytes, sizeof bytes);
	co_source_close(&base);
}
END_TEST

/* Closes are counted. */
static int closed;
static int counted_read(void *self, void *buf, size_t len, uint64_t off, size_t *ret_good, struct co_err *err)
{
	(void)err;
	memcpy(buf, (const uint8_t *)self + off, len);
	*ret_good = len;
	return 0;
}
static void counted_close(void *self)
{
	(void)self;
	closed++;
}
static const struct co_source_ops counted = { "counted", counted_read, counted_close };

START_TEST(parts_are_joined)
{
	/* 0..1000, nothing, 1000..1001, 1001..10000 */
	const size_t cuts[] = { 0, 1000, 1000, 1001, sizeof bytes };
	struct co_source parts[4], whole;
	for (int i = 0; i < 4; i++)
		parts[i] = (struct co_source) { &counted, bytes + cuts[i], cuts[i + 1] - cuts[i], 2048 };
	closed = 0;
	ck_assert_int_eq(co_source_open_concat(&whole, parts, 4, NULL), 0);
	ck_assert_uint_eq(whole.sector_size, 2048);
	check_all(&whole, bytes, sizeof bytes);
	uint8_t buf[4];
	ck_assert_int_eq(co_source_read_full(&whole, buf, 4, 998, NULL), 0);
	ck_assert_mem_eq(buf, bytes + 998, 4);
	co_source_close(&whole);
	ck_assert_int_eq(closed, 4);
}
END_TEST

START_TEST(parts_that_can_not_be_joined_are_closed)
{
	struct co_source parts[2] = { { &counted, bytes, UINT64_MAX, 512 }, { &counted, bytes, 1, 512 } };
	struct co_source whole = CO_SOURCE_NONE;
	struct co_err err = CO_ERR_INIT;
	closed = 0;
	ck_assert_int_eq(co_source_open_concat(&whole, parts, 2, &err), CO_ERR_FORMAT);
	ck_assert_int_eq(closed, 2);
	ck_assert_int_lt(co_source_open_concat(&whole, parts, 0, &err), 0);
	ck_assert_ptr_null(whole.ops);
}
END_TEST

START_TEST(faulty_sectors_are_where_they_were_planned)
{
	uint64_t bad[][2] = { { 12, 1 }, { 4, 2 } };
	const struct co_source_fault plan = { bad, 2, 9000 };
	struct co_source base, src, whole;
	uint8_t buf[sizeof bytes];
	size_t good = 0;
	struct co_err err = CO_ERR_INIT;
	ck_assert_int_eq(co_source_open_memory(&base, bytes, sizeof bytes, NULL), 0);
	ck_assert_int_eq(co_source_open_fault(&src, &base, &plan, NULL), 0);
	ck_assert_int_eq(co_source_read(&src, buf, 4 * 512, 0, &good, &err), 0);
	ck_assert_int_eq(co_source_read(&src, buf, 8000, 100, &good, &err), 1);
	ck_assert_uint_eq(good, 4 * 512 - 100);
	ck_assert_mem_eq(buf, bytes + 100, good);
	ck_assert_str_eq(err.msg, "read byte 2048: Input/output error");
	ck_assert_int_eq(co_source_read(&src, buf, 1, 6 * 512 - 1, &good, &err), 1);
	ck_assert_uint_eq(good, 0);
	ck_assert_int_eq(co_source_read(&src, buf, 6 * 512, 6 * 512, &good, &err), 0);
	ck_assert_int_eq(co_source_read(&src, buf, 6 * 512 + 1, 6 * 512, &good, &err), 1);
	ck_assert_uint_eq(good, 6 * 512);
	ck_assert_int_eq(co_source_read(&src, buf, 100, 8900, &good, &err), 0);
	ck_assert_int_eq(co_source_read(&src, buf, 101, 8900, &good, &err), CO_ERR_LOST);
	ck_assert_int_eq(co_source_read_full(&src, buf, 512, 12 * 512, &err), CO_ERR_FAILED);
	/* and what is built upon it passes them on */
	struct co_source parts[2] = { CO_SOURCE_NONE, src };
	ck_assert_int_eq(co_source_open_memory(&parts[0], bytes, 100, NULL), 0);
	ck_assert_int_eq(co_source_open_concat(&whole, parts, 2, NULL), 0);
	ck_assert_int_eq(co_source_read(&whole, buf, 5000, 50, &good, &err), 1);
	ck_assert_uint_eq(good, 50 + 2048);
	ck_assert_int_eq(co_source_read(&whole, buf, 10, 9100, &good, &err), CO_ERR_LOST);
	co_source_close(&whole);
	co_source_close(&base);
}
END_TEST

Suite *t_source_suite(void)
{
	Suite *suite = suite_create("source");
	TCase *tc = tcase_create("source");
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, memory_is_read);
	tcase_add_test(tc, the_end_is_an_outcome);
	tcase_add_test(tc, files_are_read);
	tcase_add_test(tc, descriptors_stay_open);
	tcase_add_test(tc, a_file_that_shrinks_is_told);
	tcase_add_test(tc, a_bad_descriptor_is_final);
	tcase_add_test(tc, what_is_no_disk_is_refused);
	tcase_add_test(tc, slices_are_part_of_another);
	tcase_add_test(tc, parts_are_joined);
	tcase_add_test(tc, parts_that_can_not_be_joined_are_closed);
	tcase_add_test(tc, faulty_sectors_are_where_they_were_planned);
	suite_add_tcase(suite, tc);
	return suite;
}
