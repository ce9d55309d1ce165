/* SPDX-License-Identifier: Apache-2.0 */
#include "suites.h"

#include "base/clock.h"
#include "signed_bag.h"

static int request(const char *name, struct co_err *err)
{
	return co_timestamp_request(in_folder(&dir, "bag"), in_folder(&dir, name), err);
}

static int attach(const char *name, struct co_err *err)
{
	return co_timestamp_attach(in_folder(&dir, "bag"), in_folder(&dir, name), NULL, err);
}

/* Has the signature of the bag stamped at a time (seconds from now). */
static void stamp(const struct identity *by, long when)
{
	struct authority a = { .identity = by, .time = time(NULL) + when };
	struct co_err err = CO_ERR_INIT;
	unlink(in_folder(&dir, "tsq"));
	ck_assert_msg(request("tsq", &err) == 0, "%s", err.msg);
	answer(&dir, "tsq", "tsr", &a);
	ck_assert_msg(attach("tsr", &err) == 0, "%s", err.msg);
}

static void check_attach(const char *reply, int code, const char *has)
{
	struct co_err err = CO_ERR_INIT;
	ck_assert_int_eq(attach(reply, &err), code);
	ck_assert_msg(strstr(err.msg, has) != NULL, "'%s' is not in '%s'", has, err.msg);
}

START_TEST(requests_ask_for_all_that_is_needed)
{
	TS_REQ *made[2];
	struct co_err err = CO_ERR_INIT;
	ck_assert_int_eq(request("0.tsq", &err), CO_ERR_FAILED);
	ck_assert_ptr_nonnull(strstr(err.msg, "is not signed"));
	sign();
	for (int i = 0; i < 2; i++) {
		char name[8];
		snprintf(name, sizeof name, "%d.tsq", i);
		ck_assert_int_eq(request(name, NULL), 0);
		ck_assert_int_eq(request(name, &err), CO_ERR_USAGE);
		ck_assert_ptr_nonnull(strstr(err.msg, "exists already"));
		BIO *file = BIO_new_file(in_folder(&dir, name), "rb");
		made[i] = d2i_TS_REQ_bio(file, NULL);
		ck_assert_ptr_nonnull(made[i]);
		BIO_free(file);
		ck_assert_int_eq(TS_REQ_get_version(made[i]), 1);
		ck_assert_int_ne(TS_REQ_get_cert_req(made[i]), 0);
		ck_assert_int_eq(ASN1_STRING_length(TS_MSG_IMPRINT_get_msg(TS_REQ_get_msg_imprint(made[i]))), 32);
	}
	ck_assert_int_eq(ASN1_STRING_cmp(TS_MSG_IMPRINT_get_msg(TS_REQ_get_msg_imprint(made[0])),
					 TS_MSG_IMPRINT_get_msg(TS_REQ_get_msg_imprint(made[1]))),
			 0);
	ck_assert_int_ne(ASN1_INTEGER_cmp(TS_REQ_get_nonce(made[0]), TS_REQ_get_nonce(made[1])), 0);
	TS_REQ_free(made[0]);
	TS_REQ_free(made[1]);
}
END_TEST

START_TEST(time_stamps_are_attached)
{
	CO_CLEANUP_SIGNATURE struct co_signature s = { 0 };
	struct co_err err = CO_ERR_INIT;
	long when = -3 * YEAR;
	int64_t about = co_clock_now() + when * CO_NS_PER_S;
	sign();
	stamp(&tsa, when);
	ck_assert_int_eq(verify(&s, NULL), 0);
	ck_assert(s.valid && s.stamped);
	ck_assert_int_lt(llabs(s.time_ns - about), 60 * CO_NS_PER_S);
	ck_assert_uint_eq(co_time_nsec(s.time_ns), 250000000);
	ck_assert_int_eq(request("other.tsq", &err), CO_ERR_USAGE);
	ck_assert_ptr_nonnull(strstr(err.msg, "has a time stamp already"));
	check_attach("tsr", CO_ERR_USAGE, "has a time stamp already");
	/* a new signature has none */
	sign();
	check_fine(NULL, "CN=J\xC3\xBCrgen", false);
	check_attach("tsr", CO_ERR_MISMATCH, "is not for this signature");
	check_fine(NULL, "CN=J\xC3\xBCrgen", false);
}
END_TEST

/* Those that no signature covers, too: the name of the attribute, versions, and parameters of algorithms. */
START_TEST(each_byte_of_time_stamps_counts)
{
	static uint8_t bytes[8192];
	CO_CLEANUP_SIGNATURE struct co_signature whole = { 0 };
	size_t unnoticed = 0, lost = 0;
	sign_anyway(&dir, MANIFEST, P7S, &expired, CMS_DETACHED | CMS_CADES, EVP_sha256());
	stamp(&tsa, -4 * YEAR);
	ck_assert_int_eq(verify(&whole, "root.pem"), 0);
	size_t n = read_all(P7S, bytes, sizeof bytes);
	for (size_t i = 0; i < n; i++) {
		CO_CLEANUP_SIGNATURE struct co_signature s = { 0 };
		bytes[i] ^= 0x55;
		folder_write(&dir, P7S, bytes, n);
		bytes[i] ^= 0x55;
		if (verify(&s, NULL) != 0)
			continue;
		ck_assert(s.valid);
		ck_assert_str_eq(s.signer, "CN=Expired");
		if (s.stamped)
			ck_assert_int_eq(s.time_ns, whole.time_ns);
		*(s.stamped ? &unnoticed : &lost) += 1;
	}
	ck_assert_uint_eq(lost, 0);
	ck_assert_uint_eq(unnoticed, 0);
}
END_TEST

START_TEST(bad_replies_are_refused)
{
	struct authority a = { .identity = &tsa, .time = time(NULL) - 2 * YEAR, .rejects = true };
	static uint8_t bytes[8192];
	sign();
	ck_assert_int_eq(request("tsq", NULL), 0);
	check_attach("none", CO_ERR_FAILED, "No such file");
	check_attach("key.pem", CO_ERR_FORMAT, "is not the reply");
	answer(&dir, "tsq", "rejected", &a);
	check_attach("rejected", CO_ERR_FAILED, "did not grant the request (status 2)");
	a.rejects = false;
	answer(&dir, "tsq", "tsr", &a);
	size_t n = read_all("tsr", bytes, sizeof bytes);
	/* the end of it is the value of the authority's signature */
	bytes[n - 1] ^= 1;
	folder_write(&dir, "tsr", bytes, n);
	check_attach("tsr", CO_ERR_FORMAT, "is not a valid signature");
	bytes[n - 1] ^= 1;
	folder_write(&dir, "tsr", bytes, n + 1);
	check_attach("tsr", CO_ERR_FORMAT, "bytes behind");
	check_fine(NULL, "CN=J\xC3\xBCrgen", false);
	folder_write(&dir, "tsr", bytes, n);
	ck_assert_int_eq(attach("tsr", NULL), 0);
	check_fine(NULL, "CN=J\xC3\xBCrgen", true);
}
END_TEST

/* Two requests for the same signature differ in their nonce only. */
START_TEST(replies_to_another_request_are_refused)
{
	struct authority a = { .identity = &tsa, .time = time(NULL) - 2 * YEAR };
	struct co_err err = CO_ERR_INIT;
	char one[600], two[600], reply[600], bag[600];
	snprintf(bag, sizeof bag, "%s", in_folder(&dir, "bag"));
	snprintf(one, sizeof one, "%s", in_folder(&dir, "one"));
	snprintf(two, sizeof two, "%s", in_folder(&dir, "two"));
	snprintf(reply, sizeof reply, "%s", in_folder(&dir, "tsr"));
	sign();
	ck_assert_int_eq(request("one", NULL), 0);
	ck_assert_int_eq(request("two", NULL), 0);
	answer(&dir, "one", "tsr", &a);
	ck_assert_int_eq(co_timestamp_attach(bag, reply, two, &err), CO_ERR_MISMATCH);
	ck_assert_msg(strstr(err.msg, "it has another nonce") != NULL, "%s", err.msg);
	ck_assert_int_eq(co_timestamp_attach(bag, reply, reply, &err), CO_ERR_FORMAT);
	ck_assert_msg(strstr(err.msg, "is not a request") != NULL, "%s", err.msg);
	ck_assert_int_eq(co_timestamp_attach(bag, reply, in_folder(&dir, "none"), &err), CO_ERR_FAILED);
	check_fine(NULL, "CN=J\xC3\xBCrgen", false);
	ck_assert_int_eq(co_timestamp_attach(bag, reply, one, &err), 0);
	check_fine(NULL, "CN=J\xC3\xBCrgen", true);
}
END_TEST

START_TEST(time_stamps_keep_expired_signatures)
{
	sign_anyway(&dir, MANIFEST, P7S, &expired, CMS_DETACHED | CMS_CADES, EVP_sha256());
	check_problem("root.pem", "certificate has expired");
	stamp(&tsa, -4 * YEAR);
	check_fine("root.pem", "CN=Expired", true);
	/* one that came too late */
	sign_anyway(&dir, MANIFEST, P7S, &expired, CMS_DETACHED | CMS_CADES, EVP_sha256());
	stamp(&tsa, -2 * YEAR);
	check_fine(NULL, "CN=Expired", true);
	check_problem("root.pem", "certificate has expired");
}
END_TEST

START_TEST(time_stamps_of_strangers_prove_nothing)
{
	CO_CLEANUP_SIGNATURE struct co_signature s = { 0 };
	sign();
	stamp(&other_tsa, -YEAR / 2);
	check_fine(NULL, "CN=J\xC3\xBCrgen", true);
	check_problem("root.pem", "the time stamp in " CO_SIGNATURE_NAME " has a certificate that is not accepted");
	/* and do not make an expired certificate good */
	sign_anyway(&dir, MANIFEST, P7S, &expired, CMS_DETACHED | CMS_CADES, EVP_sha256());
	stamp(&other_tsa, -4 * YEAR);
	ck_assert_int_eq(verify(&s, "root.pem"), 1);
	ck_assert(!s.valid && !s.stamped);
	ck_assert_ptr_nonnull(strstr(co_str_get(&problems), "the time stamp in"));
	ck_assert_ptr_nonnull(strstr(co_str_get(&problems), "certificate has expired"));
	/* a time at which the authority was none */
	sign();
	stamp(&tsa, -YEAR / 2);
	check_problem("root.pem", "the time stamp in");
}
END_TEST

/* Who has a certificate of the same authority for something else can't stamp with it. */
START_TEST(certificates_for_other_things_do_not_stamp)
{
	struct authority a = { .identity = &tsa, .time = time(NULL) - 1000 };
	struct authority old = { .identity = &tsa, .time = time(NULL) - 4 * YEAR };
	sign();
	ck_assert_int_eq(request("tsq", NULL), 0);
	answer(&dir, "tsq", "tsr", &a);
	forge(&dir, "tsr", "forged", &signer);
	ck_assert_int_eq(attach("forged", NULL), 0);
	check_fine(NULL, "CN=J\xC3\xBCrgen", true);
	check_problem("root.pem", "purpose");
	/* the same way of forging by the authority itself would do */
	sign_anyway(&dir, MANIFEST, P7S, &expired, CMS_DETACHED | CMS_CADES, EVP_sha256());
	unlink(in_folder(&dir, "tsq"));
	ck_assert_int_eq(request("tsq", NULL), 0);
	answer(&dir, "tsq", "tsr", &old);
	forge(&dir, "tsr", "forged", &tsa);
	ck_assert_int_eq(attach("forged", NULL), 0);
	check_fine("root.pem", "CN=Expired", true);
}
END_TEST

Suite *t_timestamp_suite(void)
{
	Suite *s = suite_create("timestamp");
	TCase *c = tcase_create("timestamp");
	tcase_set_timeout(c, 60);
	tcase_add_unchecked_fixture(c, make_identities, free_identities);
	tcase_add_checked_fixture(c, set_up, tear_down);
	tcase_add_test(c, requests_ask_for_all_that_is_needed);
	tcase_add_test(c, time_stamps_are_attached);
	tcase_add_test(c, each_byte_of_time_stamps_counts);
	tcase_add_test(c, bad_replies_are_refused);
	tcase_add_test(c, replies_to_another_request_are_refused);
	tcase_add_test(c, time_stamps_keep_expired_signatures);
	tcase_add_test(c, time_stamps_of_strangers_prove_nothing);
	tcase_add_test(c, certificates_for_other_things_do_not_stamp);
	suite_add_tcase(s, c);
	return s;
}
