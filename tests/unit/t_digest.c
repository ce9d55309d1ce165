/* SPDX-License-Identifier: Apache-2.0 */
#include "suites.h"

#include <stdlib.h>
#include <string.h>

#include "folder.h"
#include "hash/digest.h"

#define ALL (CO_HASH_BIT(CO_HASH_MD5) | CO_HASH_BIT(CO_HASH_SHA1) | CO_HASH_BIT(CO_HASH_SHA256))

/* RFC 1321 appendix A.5; FIPS 180 examples. */
static const struct {
	const char *text;
	const char *hex[CO_HASH_N];
} vectors[] = {
	{ "",
	  { "d41d8cd98f00b204e9800998ecf8427e", "da39a3ee5e6b4b0d3255bfef95601890afd80709",
	    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" } },
	{ "abc",
	  { "900150983cd24fb0d6963f7d28e17f72", "a9993e364706816aba3e25717850c26c9cd0d89d",
	    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" } },
};

static void check(const struct co_digests *d, const char *const *hex)
{
	char text[2 * CO_HASH_MAX + 1];
	for (int i = 0; i < CO_HASH_N; i++) {
		co_digests_hex(d, (enum co_hash_alg)i, text);
		ck_assert_str_eq(text, d->set & CO_HASH_BIT(i) ? hex[i] : "");
	}
}

START_TEST(known_answers)
{
	for (unsigned set = 0; set <= ALL; set++) {
		struct co_digests d;
		ck_assert_int_eq(co_digest_bytes(set, vectors[_i].text, strlen(vectors[_i].text), &d, NULL), 0);
		ck_assert_uint_eq(d.set, set);
		check(&d, vectors[_i].hex);
	}
}
END_TEST

START_TEST(pieces_and_a_new_beginning)
{
	struct co_hasher *h;
	struct co_digests d;
	ck_assert_int_eq(co_hasher_open(&h, ALL, NULL), 0);
	for (int round = 0; round < 2; round++) {
		ck_assert_int_eq(co_hasher_add(h, "a", 1, NULL), 0);
		ck_assert_int_eq(co_hasher_add(h, "", 0, NULL), 0);
		ck_assert_int_eq(co_hasher_add(h, "bc", 2, NULL), 0);
		ck_assert_int_eq(co_hasher_finish(h, &d, NULL), 0);
		check(&d, vectors[1].hex);
	}
	ck_assert_int_eq(co_hasher_finish(h, &d, NULL), 0);
	check(&d, vectors[0].hex);
	co_hasher_close(h);
	co_hasher_close(NULL);
}
END_TEST

START_TEST(names_of_digests)
{
	unsigned set = 0;
	struct co_err err = CO_ERR_INIT;
	static const char *const wrong[] = {
		"", ",", "sha256,", ",md5", "sha512", "sha", "SHA256", "md5 ", "md5,,sha1"
	};
	ck_assert_int_eq(co_hash_parse("sha256", &set, NULL), 0);
	ck_assert_uint_eq(set, CO_HASH_BIT(CO_HASH_SHA256));
	ck_assert_int_eq(co_hash_parse("sha256,md5,sha256", &set, NULL), 0);
	ck_assert_uint_eq(set, CO_HASH_BIT(CO_HASH_SHA256) | CO_HASH_BIT(CO_HASH_MD5));
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		ck_assert_int_eq(co_hash_parse(wrong[i], &set, &err), CO_ERR_USAGE);
	ck_assert_uint_eq(set, CO_HASH_BIT(CO_HASH_SHA256) | CO_HASH_BIT(CO_HASH_MD5));
	for (int i = 0; i < CO_HASH_N; i++) {
		ck_assert_int_eq(co_hash_parse(co_hash_name((enum co_hash_alg)i), &set, NULL), 0);
		ck_assert_uint_eq(set, CO_HASH_BIT(i));
		ck_assert_uint_eq(2 * co_hash_size((enum co_hash_alg)i), strlen(vectors[0].hex[i]));
	}
}
END_TEST

START_TEST(differences_are_per_algorithm)
{
	struct co_digests a, b;
	ck_assert_int_eq(co_digest_bytes(ALL, "abc", 3, &a, NULL), 0);
	b = a;
	ck_assert_uint_eq(co_digests_differ(&a, &b), 0);
	b.of[CO_HASH_MD5].bytes[15] ^= 1;
	ck_assert_uint_eq(co_digests_differ(&a, &b), CO_HASH_BIT(CO_HASH_MD5));
	b.of[CO_HASH_SHA256].bytes[31] ^= 1;
	ck_assert_uint_eq(co_digests_differ(&a, &b), CO_HASH_BIT(CO_HASH_MD5) | CO_HASH_BIT(CO_HASH_SHA256));
	/* only what both have counts, and only the bytes of the digest */
	b.set = CO_HASH_BIT(CO_HASH_SHA1);
	b.of[CO_HASH_SHA1].bytes[20] ^= 1;
	ck_assert_uint_eq(co_digests_differ(&a, &b), 0);
}
END_TEST

START_TEST(files_by_name)
{
	struct folder dir;
	struct co_digests d, want;
	struct co_err err = CO_ERR_INIT;
	size_t len = 700001;
	char *text = malloc(len);
	memset(text, 'q', len);
	folder_make(&dir);
	folder_write(&dir, "big", text, len);
	folder_puts(&dir, "empty", "");
	ck_assert_int_eq(co_digest_bytes(ALL, text, len, &want, NULL), 0);
	ck_assert_int_eq(co_digest_file(ALL, in_folder(&dir, "big"), &d, &err), 0);
	ck_assert_uint_eq(d.set, ALL);
	ck_assert_uint_eq(co_digests_differ(&d, &want), 0);
	ck_assert_int_eq(co_digest_file(ALL, in_folder(&dir, "empty"), &d, &err), 0);
	check(&d, vectors[0].hex);
	ck_assert_int_eq(co_digest_file(ALL, in_folder(&dir, "none"), &d, &err), CO_ERR_FAILED);
	ck_assert_ptr_nonnull(strstr(err.msg, "/none: No such file"));
	ck_assert_int_eq(co_digest_file(ALL, dir.name, &d, &err), CO_ERR_FAILED);
	ck_assert_ptr_nonnull(strstr(err.msg, "is not a file"));
	folder_remove(&dir);
	free(text);
}
END_TEST

Suite *t_digest_suite(void)
{
	Suite *suite = suite_create("digest");
	TCase *tc = tcase_create("digest");
	tcase_add_loop_test(tc, known_answers, 0, (int)(sizeof vectors / sizeof *vectors));
	tcase_add_test(tc, pieces_and_a_new_beginning);
	tcase_add_test(tc, names_of_digests);
	tcase_add_test(tc, differences_are_per_algorithm);
	tcase_add_test(tc, files_by_name);
	suite_add_tcase(suite, tc);
	return suite;
}
