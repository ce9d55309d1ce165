/* SPDX-License-Identifier: Apache-2.0 */
#include "suites.h"

#include "signed_bag.h"

/* --- keys and certificates --- */

static void check_refused(const char *key, const char *certificate, int code, const char *has)
{
	struct co_signer *s = NULL;
	struct co_err err = CO_ERR_INIT;
	ck_assert_int_eq(open_signer(&s, key, certificate, &err), code);
	ck_assert_msg(strstr(err.msg, has) != NULL, "'%s' is not in '%s'", has, err.msg);
	ck_assert_ptr_null(s);
}

static void check_identity_refused(const struct identity_opts *o, const char *has)
{
	struct identity i = new_identity(o);
	write_identity(&dir, "k.pem", "c.pem", &i);
	check_refused("k.pem", "c.pem", CO_ERR_USAGE, has);
	free_identity(&i);
}

START_TEST(keys_of_three_kinds_sign)
{
	static const char *const kinds[] = { "P-256", "P-384", "RSA" };
	for (size_t i = 0; i < 3; i++) {
		struct identity one = new_identity(
			&(struct identity_opts) { .name = kinds[i], .key = new_key(kinds[i]), .issuer = &root });
		char subject[32];
		snprintf(subject, sizeof subject, "CN=%s", kinds[i]);
		write_identity(&dir, "k.pem", "c.pem", &one);
		sign_with("k.pem", "c.pem");
		check_fine(NULL, subject, false);
		check_fine("root.pem", subject, false);
		free_identity(&one);
	}
}
END_TEST

START_TEST(other_keys_are_refused)
{
	check_identity_refused(&(struct identity_opts) { .name = "x", .key = new_key("RSA-1024"), .issuer = &root },
			       "1024 bits");
	check_identity_refused(&(struct identity_opts) { .name = "x", .key = new_key("ED25519"), .issuer = &root },
			       "Ed25519");
	check_identity_refused(&(struct identity_opts) { .name = "x", .key = new_key("P-521"), .issuer = &root },
			       "not supported");
	check_refused("none.pem", "cert.pem", CO_ERR_FAILED, "none.pem: No such file");
	check_refused("key.pem", "none.pem", CO_ERR_FAILED, "none.pem can't be opened: No such file");
	check_refused("cert.pem", "cert.pem", CO_ERR_FAILED, "no private key");
	check_refused("key.pem", "key.pem", CO_ERR_FAILED, "holds no certificate");
}
END_TEST

START_TEST(unfit_certificates_are_refused)
{
	write_certificate(&dir, "c.pem", other_signer.certificate, false);
	check_refused("key.pem", "c.pem", CO_ERR_USAGE, "is not the one of the certificate");
	check_identity_refused(
		&(struct identity_opts) {
			.name = "x", .key = new_key("P-256"), .issuer = &root, .from = -2 * YEAR, .to = -1000 },
		"has expired");
	check_identity_refused(
		&(struct identity_opts) {
			.name = "x", .key = new_key("P-256"), .issuer = &root, .from = 1000, .to = YEAR },
		"not valid yet");
	check_identity_refused(
		&(struct identity_opts) {
			.name = "x", .key = new_key("P-256"), .issuer = &root, .extended_usage = "serverAuth" },
		"not for signing");
	check_identity_refused(
		&(struct identity_opts) {
			.name = "x", .key = new_key("P-256"), .issuer = &root, .usage = "critical,keyAgreement" },
		"not for signing");
	folder_puts(&dir, "c.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
	check_refused("key.pem", "c.pem", CO_ERR_FAILED, "can't be read");
}
END_TEST

START_TEST(passphrases_come_from_a_file)
{
	static const struct {
		const char *text;
		int code;
	} cases[] = { { "secret\n", 0 },     { "secret\r\nmore\n", 0 },
		      { "secret", 0 },       { "wrong\n", CO_ERR_FAILED },
		      { "", CO_ERR_FAILED }, { "\nsecret\n", CO_ERR_FAILED } };
	write_key(&dir, "locked.pem", signer.key, "secret");
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		CO_CLEANUP_SIGNER struct co_signer *s = NULL;
		const struct co_signer_files files = { .key = in_folder(&dir, "locked.pem"),
						       .certificate = in_folder(&dir, "cert.pem"),
						       .passphrase = in_folder(&dir, "pass") };
		folder_puts(&dir, "pass", cases[i].text);
		ck_assert_int_eq(co_signer_open(&s, &files, NULL), cases[i].code);
	}
}
END_TEST

START_TEST(chains_are_put_into_the_signature)
{
	struct identity between = new_identity(&(struct identity_opts) {
		.name = "Between", .key = new_key("P-256"), .issuer = &root, .is_authority = true, .serial = 20 });
	struct identity below = new_identity(
		&(struct identity_opts) { .name = "Below", .key = new_key("P-256"), .issuer = &between, .serial = 21 });
	write_identity(&dir, "k.pem", "c.pem", &below);
	sign_with("k.pem", "c.pem");
	check_fine(NULL, "CN=Below", false);
	check_problem("root.pem", "unable to get local issuer certificate");
	/* behind the signer's, twice */
	write_certificate(&dir, "c.pem", between.certificate, true);
	write_certificate(&dir, "c.pem", between.certificate, true);
	sign_with("k.pem", "c.pem");
	check_fine("root.pem", "CN=Below", false);
	check_problem("other-root.pem", "not accepted");
	free_identity(&between);
	free_identity(&below);
}
END_TEST

/* --- bags --- */

START_TEST(signing_replaces_only_when_asked)
{
	CO_CLEANUP_SIGNER struct co_signer *s = NULL;
	struct co_err err = CO_ERR_INIT;
	ck_assert_int_eq(open_signer(&s, "key.pem", "cert.pem", NULL), 0);
	ck_assert_str_eq(co_signer_subject(s), "CN=J\xC3\xBCrgen");
	ck_assert_int_eq(co_sign_bag(s, in_folder(&dir, "bag"), false, NULL), 0);
	ck_assert_int_eq(co_sign_bag(s, in_folder(&dir, "bag"), false, &err), CO_ERR_USAGE);
	ck_assert_ptr_nonnull(strstr(err.msg, "is signed already"));
	ck_assert_int_eq(co_sign_bag(s, in_folder(&dir, "bag"), true, NULL), 0);
	ck_assert_int_eq(co_unsign_bag(in_folder(&dir, "bag"), NULL), 0);
	ck_assert(!folder_has(&dir, P7S));
	ck_assert_int_eq(co_unsign_bag(in_folder(&dir, "bag"), NULL), 0);
	/* a bag that is not sealed */
	unlink(in_folder(&dir, MANIFEST));
	ck_assert_int_eq(co_sign_bag(s, in_folder(&dir, "bag"), false, &err), CO_ERR_FAILED);
	ck_assert_ptr_nonnull(strstr(err.msg, "is not a complete evidence bag"));
	ck_assert_int_eq(co_sign_bag(s, in_folder(&dir, "nowhere"), false, &err), CO_ERR_FAILED);
	ck_assert(!folder_has(&dir, P7S));
}
END_TEST

START_TEST(bags_without_a_signature)
{
	CO_CLEANUP_SIGNATURE struct co_signature s = { 0 };
	ck_assert_int_eq(verify(&s, NULL), 0);
	ck_assert(!s.present && !s.valid && !s.stamped && !s.certificate_checked && !s.signer);
	check_problem("root.pem", "the bag is not signed");
}
END_TEST

START_TEST(trusted_certificates_must_be_readable)
{
	struct co_signature s;
	struct co_err err = CO_ERR_INIT;
	sign();
	ck_assert_int_eq(
		co_signature_verify(&s, in_folder(&dir, "bag"), in_folder(&dir, "none.pem"), on_problem, &dir, &err),
		CO_ERR_FAILED);
	ck_assert_ptr_nonnull(strstr(err.msg, "none.pem"));
	ck_assert_int_eq(
		co_signature_verify(&s, in_folder(&dir, "bag"), in_folder(&dir, MANIFEST), on_problem, &dir, NULL),
		CO_ERR_FAILED);
	ck_assert_uint_eq(problems.n, 0);
}
END_TEST

START_TEST(wrong_signatures_are_problems)
{
	sign();
	check_fine("root.pem", "CN=J\xC3\xBCrgen", false);
	check_problem("other-root.pem", "unable to get local issuer certificate");
	folder_puts(&dir, MANIFEST, "what is signee\n");
	check_problem(NULL, "is not a valid signature of what it stands for");
	folder_puts(&dir, MANIFEST, "");
	check_problem(NULL, "is not a valid signature of what it stands for");
	unlink(in_folder(&dir, MANIFEST));
	check_problem(NULL, "is not a complete evidence bag");
	folder_puts(&dir, MANIFEST, "what is signed\n");
	check_fine(NULL, "CN=J\xC3\xBCrgen", false);
	sign_anyway(&dir, MANIFEST, P7S, &signer, CMS_DETACHED | CMS_NOATTR, EVP_sha256());
	check_problem(NULL, "no signed attributes");
	sign_anyway(&dir, MANIFEST, P7S, &signer, CMS_DETACHED | CMS_NOCERTS, EVP_sha256());
	check_problem(NULL, "does not hold the certificate");
	sign_anyway(&dir, MANIFEST, P7S, &signer, CMS_DETACHED, EVP_sha1());
	check_problem(NULL, "a digest other than");
	sign_anyway(&dir, MANIFEST, P7S, &signer, 0, EVP_sha256());
	check_problem(NULL, "holds what it signs");
	/* by another program, without naming its certificate */
	sign_anyway(&dir, MANIFEST, P7S, &signer, CMS_DETACHED, EVP_sha512());
	check_fine("root.pem", "CN=J\xC3\xBCrgen", false);
	sign_anyway(&dir, MANIFEST, P7S, &expired, CMS_DETACHED, EVP_sha256());
	check_fine(NULL, "CN=Expired", false);
	check_problem("root.pem", "certificate has expired");
}
END_TEST

START_TEST(damaged_files_are_problems)
{
	static uint8_t large[1024 * 1024 + 1];
	sign();
	size_t n;
	struct stat st;
	ck_assert_int_eq(stat(in_folder(&dir, P7S), &st), 0);
	n = (size_t)st.st_size - 16; /* signatures differ in length by some bytes */
	FILE *file = fopen(in_folder(&dir, P7S), "ae");
	ck_assert_int_eq(fputc(0, file), 0);
	fclose(file);
	check_problem(NULL, "bytes behind");
	for (size_t keep = 0; keep < n; keep += keep < 8 ? 1 : 97) {
		ck_assert_int_eq(truncate(in_folder(&dir, P7S), (off_t)keep), 0);
		check_problem(NULL, "is not a CMS signature");
		sign();
	}
	folder_write(&dir, P7S, large, sizeof large);
	check_problem(NULL, "too large");
	folder_write(&dir, P7S, large, sizeof large - 1);
	check_problem(NULL, "is not a CMS signature");
	sign();
	ck_assert_int_eq(rename(in_folder(&dir, P7S), in_folder(&dir, "moved")), 0);
	ck_assert_int_eq(symlink("../moved", in_folder(&dir, P7S)), 0);
	check_problem(NULL, "is a link");
	unlink(in_folder(&dir, P7S));
	ck_assert_int_eq(mkfifo(in_folder(&dir, P7S), 0600), 0);
	check_problem(NULL, "is not a file");
}
END_TEST

/* The version numbers, too, which no signature covers, and OpenSSL does not look at. */
START_TEST(each_byte_counts)
{
	static uint8_t bytes[8192];
	size_t unnoticed = 0;
	sign();
	size_t n = read_all(P7S, bytes, sizeof bytes);
	ck_assert_uint_gt(n, 700);
	for (size_t i = 0; i < n; i++) {
		CO_CLEANUP_SIGNATURE struct co_signature s = { 0 };
		bytes[i] ^= 0x55;
		folder_write(&dir, P7S, bytes, n);
		if (verify(&s, NULL) == 0) {
			unnoticed++;
			ck_assert_str_eq(s.signer, "CN=J\xC3\xBCrgen");
			ck_assert(s.valid && !s.stamped);
		}
		bytes[i] ^= 0x55;
	}
	ck_assert_uint_eq(unnoticed, 0);
}
END_TEST

/* The signer's name for its certificate is in what is signed. */
START_TEST(certificates_can_not_be_exchanged)
{
	static uint8_t bytes[8192];
	unsigned char *one = NULL, *two = NULL;
	struct identity_opts o = { .name = "Anna", .key = new_key("P-256"), .issuer = &root, .serial = 30 };
	struct identity anna = new_identity(&o);
	o.name = "Bert";
	o.key = anna.key;
	struct identity bert = new_identity(&o);
	int n1 = i2d_X509(anna.certificate, &one), n2 = i2d_X509(bert.certificate, &two);
	ck_assert_int_eq(n1, n2);
	write_identity(&dir, "k.pem", "c.pem", &anna);
	sign_with("k.pem", "c.pem");
	size_t n = read_all(P7S, bytes, sizeof bytes);
	uint8_t *at = memmem(bytes, n, one, (size_t)n1);
	ck_assert_ptr_nonnull(at);
	memcpy(at, two, (size_t)n2);
	folder_write(&dir, P7S, bytes, n);
	check_problem("root.pem", "another certificate than the signer named");
	OPENSSL_free(one);
	OPENSSL_free(two);
	X509_free(bert.certificate);
	free_identity(&anna);
}
END_TEST

START_TEST(certificates_for_other_things_do_not_sign)
{
	struct identity both = new_identity(&(struct identity_opts) {
		.name = "Both", .key = new_key("P-256"), .issuer = &root, .extended_usage = "critical,timeStamping" });
	sign_anyway(&dir, MANIFEST, P7S, &both, CMS_DETACHED | CMS_CADES, EVP_sha256());
	check_fine(NULL, "CN=Both", false);
	check_problem("root.pem", "purpose");
	free_identity(&both);
}
END_TEST

Suite *t_sign_suite(void)
{
	Suite *s = suite_create("sign");
	TCase *c = tcase_create("sign");
	tcase_set_timeout(c, 60);
	tcase_add_unchecked_fixture(c, make_identities, free_identities);
	tcase_add_checked_fixture(c, set_up, tear_down);
	tcase_add_test(c, keys_of_three_kinds_sign);
	tcase_add_test(c, other_keys_are_refused);
	tcase_add_test(c, unfit_certificates_are_refused);
	tcase_add_test(c, passphrases_come_from_a_file);
	tcase_add_test(c, chains_are_put_into_the_signature);
	tcase_add_test(c, signing_replaces_only_when_asked);
	tcase_add_test(c, bags_without_a_signature);
	tcase_add_test(c, trusted_certificates_must_be_readable);
	tcase_add_test(c, wrong_signatures_are_problems);
	tcase_add_test(c, damaged_files_are_problems);
	tcase_add_test(c, each_byte_counts);
	tcase_add_test(c, certificates_can_not_be_exchanged);
	tcase_add_test(c, certificates_for_other_things_do_not_sign);
	suite_add_tcase(s, c);
	return s;
}
