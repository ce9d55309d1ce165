/* SPDX-License-Identifier: Apache-2.0 */
#include "device/nvme.h"

#include "base/bytes.h"
#include "fixture.h"
#include "suites.h"

#include <fcntl.h>
#include <unistd.h>

#define VISIBLE (122070312ULL * 4096)

START_TEST(the_controller_tells_who_it_is)
{
	uint8_t page[IM_NVME_PAGE];
	struct im_nvme_controller c;
	struct co_err err = CO_ERR_INIT;

	fixture_read("nvme-controller.txt", page, sizeof page);
	ck_assert_int_eq(im_nvme_parse_controller(&c, page, &err), 0);
	ck_assert_str_eq(c.serial, "NV0001");
	ck_assert_str_eq(c.model, "EXHIBIT TEST NVME 1000");
	ck_assert_str_eq(c.firmware, "1.2.3");
	ck_assert(c.management && c.trim);
	ck_assert_uint_eq(c.namespaces, 32);
	ck_assert_uint_eq(c.capacity, 1000204886016);
	ck_assert_uint_eq(c.unallocated, 250000000000);
	fixture_line(page, sizeof page, "number 288 1 1"); /* more than 64 bits */
	ck_assert_int_eq(im_nvme_parse_controller(&c, page, &err), 0);
	ck_assert_uint_eq(c.capacity, UINT64_MAX);
}
END_TEST

START_TEST(the_namespace_has_the_format_that_is_in_use)
{
	uint8_t page[IM_NVME_PAGE];
	struct im_nvme_namespace n;
	struct co_err err = CO_ERR_INIT;

	fixture_read("nvme-namespace.txt", page, sizeof page);
	ck_assert_int_eq(im_nvme_parse_namespace(&n, page, &err), 0);
	ck_assert_uint_eq(n.size, 122070312);
	ck_assert_uint_eq(n.used, 1000);
	ck_assert_uint_eq(n.block, 4096);
	ck_assert_str_eq(n.nguid, "08070605040302010100000000000000");
	ck_assert_str_eq(n.eui64, "0200000000000000");
	fixture_line(page, sizeof page, "number 26 1 0");
	ck_assert_int_eq(im_nvme_parse_namespace(&n, page, &err), 0);
	ck_assert_uint_eq(n.block, 512);
	fixture_line(page, sizeof page, "number 26 1 2"); /* a format that is not there */
	ck_assert_int_eq(im_nvme_parse_namespace(&n, page, &err), CO_ERR_FORMAT);
	fixture_line(page, sizeof page, "number 26 1 1");
	fixture_line(page, sizeof page, "number 134 1 60"); /* blocks of 2^60 bytes */
	ck_assert_int_eq(im_nvme_parse_namespace(&n, page, &err), CO_ERR_FORMAT);
	fixture_line(page, sizeof page, "number 25 1 31"); /* 32 formats: bits 6:5 count */
	fixture_line(page, sizeof page, "number 26 1 33");
	fixture_line(page, sizeof page, "number 198 1 14");
	ck_assert_int_eq(im_nvme_parse_namespace(&n, page, &err), 0);
	ck_assert_uint_eq(n.block, 16384);
}
END_TEST

START_TEST(empty_pages_and_unordered_lists_are_refused)
{
	uint8_t page[IM_NVME_PAGE];
	struct im_nvme_controller c;
	struct im_nvme_namespace n;
	struct co_err err = CO_ERR_INIT;
	uint32_t count = 7;

	for (unsigned byte = 0; byte < 256; byte += 255) {
		memset(page, (int)byte, sizeof page);
		ck_assert_int_eq(im_nvme_parse_controller(&c, page, &err), CO_ERR_FORMAT);
		ck_assert_int_eq(im_nvme_parse_namespace(&n, page, &err), CO_ERR_FORMAT);
	}
	ck_assert_int_eq(im_nvme_parse_list(&count, page, &err), CO_ERR_FORMAT);
	ck_assert_uint_eq(count, 7);
	for (uint32_t i = 0; i < 1024; i++)
		co_put_le32(page + 4 * (size_t)i, i + 1);
	ck_assert_int_eq(im_nvme_parse_list(&count, page, &err), 0);
	ck_assert_uint_eq(count, 1024);
	memset(page, 0, sizeof page);
	ck_assert_int_eq(im_nvme_parse_list(&count, page, &err), 0);
	ck_assert_uint_eq(count, 0);
}
END_TEST

/* A drive of the test. */
struct drive {
	uint64_t unallocated;
	unsigned namespaces;
	bool management, silent;
	uint8_t asked[8];
	unsigned n;
};

static int identify(void *self, uint8_t cns, uint32_t nsid, uint8_t page[IM_NVME_PAGE], struct co_err *err)
{
	struct drive *d = self;

	d->asked[d->n++ % 8] = cns;
	if (d->silent)
		return co_err_set(err, CO_ERR_FAILED, 0, "no answer");
	switch (cns) {
	case 0:
		ck_assert_uint_eq(nsid, 1);
		fixture_read("nvme-namespace.txt", page, IM_NVME_PAGE);
		return 0;
	case 1:
		fixture_read("nvme-controller.txt", page, IM_NVME_PAGE);
		for (unsigned i = 0; i < 8; i++)
			page[296 + i] = (uint8_t)(d->unallocated >> 8 * i);
		page[256] = d->management ? 14 : 6;
		return 0;
	default:
		memset(page, 0, IM_NVME_PAGE);
		for (uint32_t i = 0; i < d->namespaces; i++)
			co_put_le32(page + 4 * (size_t)i, i + 1);
		return 0;
	}
}

static struct im_hidden ask(struct drive *d, uint64_t visible)
{
	const struct im_nvme_port port = { identify, d };
	struct im_nvme nvme;
	struct im_hidden h;

	im_nvme_query_port(&nvme, &port, 1);
	im_nvme_compare(&h, &nvme, visible);
	return h;
}

START_TEST(other_namespaces_and_free_capacity_are_told)
{
	struct drive d = { .unallocated = 250000000000, .namespaces = 2, .management = true };
	struct im_hidden h = ask(&d, VISIBLE);

	ck_assert_int_eq(h.state, IM_HIDDEN_NVME);
	ck_assert_uint_eq(h.other_namespaces, 1);
	ck_assert_uint_eq(h.unallocated_bytes, 250000000000);
	ck_assert_uint_eq(d.asked[2], 0x10);
	ck_assert_str_eq(h.sentence,
			 "250 GB of the drive belong to no namespace and can't be read; other namespaces of the "
			 "drive, which were not read: 1");
	d = (struct drive) { .namespaces = 3 };
	h = ask(&d, VISIBLE);
	ck_assert_int_eq(h.state, IM_HIDDEN_NVME);
	ck_assert_uint_eq(h.other_namespaces, 2);
	ck_assert_uint_eq(d.asked[2], 0x02);
}
END_TEST

START_TEST(one_namespace_is_all)
{
	struct drive d = { .namespaces = 1, .management = true };
	struct im_hidden h = ask(&d, VISIBLE);

	ck_assert_int_eq(h.state, IM_HIDDEN_NONE);
	ck_assert(h.nvme_known && !h.hpa_known && !h.dco_known);
	h = ask(&d, VISIBLE - 4096);
	ck_assert_int_eq(h.state, IM_HIDDEN_UNSEEN);
	h = ask(&d, VISIBLE + 4096);
	ck_assert_int_eq(h.state, IM_HIDDEN_UNKNOWN);
	h = ask(&d, 0);
	ck_assert_int_eq(h.state, IM_HIDDEN_UNKNOWN);
	d.silent = true;
	h = ask(&d, VISIBLE);
	ck_assert_str_eq(h.sentence, "unknown: no answer");
}
END_TEST

START_TEST(devices_without_nvme_give_a_reason)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	struct im_nvme nvme;

	ck_assert_int_ge(fd, 0);
	im_nvme_query(&nvme, fd);
	close(fd);
	ck_assert(!nvme.known);
	ck_assert_ptr_nonnull(strstr(nvme.why, "no NVMe namespace"));
}
END_TEST

Suite *t_nvme_suite(void)
{
	Suite *s = suite_create("nvme");
	TCase *t = tcase_create("nvme");

	tcase_add_test(t, the_controller_tells_who_it_is);
	tcase_add_test(t, the_namespace_has_the_format_that_is_in_use);
	tcase_add_test(t, empty_pages_and_unordered_lists_are_refused);
	tcase_add_test(t, other_namespaces_and_free_capacity_are_told);
	tcase_add_test(t, one_namespace_is_all);
	tcase_add_test(t, devices_without_nvme_give_a_reason);
	suite_add_tcase(s, t);
	return s;
}
