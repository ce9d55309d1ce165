/* SPDX-License-Identifier: Apache-2.0 */
/* For tests: a folder "bag" with a tag manifest, signers and authorities, and what verification says about it. */
#ifndef UNIT_SIGNED_BAG_H
#define UNIT_SIGNED_BAG_H

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "folder.h"
#include "manifest/sign.h"
#include "signers.h"

#define P7S "bag/" CO_SIGNATURE_NAME
#define MANIFEST "bag/tagmanifest-sha256.txt"

static struct folder dir;
static struct co_str problems; /* of the last verification, one per line */
/* made once: keys take time */
static struct identity root, other_root, signer, other_signer, expired, tsa, other_tsa;

static inline void make_identities(void)
{
	root = new_identity(&(struct identity_opts) {
		.name = "Root", .key = new_key("RSA"), .is_authority = true, .from = -10 * YEAR, .to = YEAR });
	other_root = new_identity(&(struct identity_opts) {
		.name = "Other root", .key = new_key("P-256"), .is_authority = true, .from = -10 * YEAR, .to = YEAR });
	signer = new_identity(&(struct identity_opts) {
		.name = "J\xC3\xBCrgen", .key = new_key("P-256"), .issuer = &root, .serial = 2 });
	other_signer = new_identity(&(struct identity_opts) {
		.name = "Other", .key = new_key("P-256"), .issuer = &other_root, .serial = 3 });
	expired = new_identity(&(struct identity_opts) { .name = "Expired",
							 .key = new_key("P-256"),
							 .issuer = &root,
							 .serial = 4,
							 .from = -5 * YEAR,
							 .to = -3 * YEAR });
	/* itself not valid any more: its time stamps are all the same */
	tsa = new_identity(&(struct identity_opts) { .name = "Authority",
						     .key = new_key("P-256"),
						     .issuer = &root,
						     .serial = 5,
						     .from = -5 * YEAR,
						     .to = -YEAR,
						     .extended_usage = "critical,timeStamping" });
	other_tsa = new_identity(&(struct identity_opts) { .name = "Other authority",
							   .key = new_key("P-256"),
							   .issuer = &other_root,
							   .serial = 6,
							   .from = -5 * YEAR,
							   .to = YEAR,
							   .extended_usage = "critical,timeStamping" });
}

static inline void free_identities(void)
{
	struct identity *all[] = { &root, &other_root, &signer, &other_signer, &expired, &tsa, &other_tsa };
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		free_identity(all[i]);
}

static inline void set_up(void)
{
	folder_make(&dir);
	problems = (struct co_str) { 0 };
	ck_assert_int_eq(mkdir(in_folder(&dir, "bag"), 0700), 0);
	folder_puts(&dir, MANIFEST, "what is signed\n");
	write_certificate(&dir, "root.pem", root.certificate, false);
	write_certificate(&dir, "other-root.pem", other_root.certificate, false);
	write_identity(&dir, "key.pem", "cert.pem", &signer);
}

static inline void tear_down(void)
{
	co_str_free(&problems);
	folder_remove(&dir);
}

static inline int open_signer(struct co_signer **ret, const char *key, const char *certificate, struct co_err *err)
{
	const struct co_signer_files files = { .key = in_folder(&dir, key),
					       .certificate = in_folder(&dir, certificate) };
	return co_signer_open(ret, &files, err);
}

static inline void sign_with(const char *key, const char *certificate)
{
	CO_CLEANUP_SIGNER struct co_signer *s = NULL;
	struct co_err err = CO_ERR_INIT;
	int r = open_signer(&s, key, certificate, &err);
	ck_assert_msg(r == 0, "%s", err.msg);
	r = co_sign_bag(s, in_folder(&dir, "bag"), true, &err);
	ck_assert_msg(r == 0, "%s", err.msg);
}

static inline void sign(void)
{
	sign_with("key.pem", "cert.pem");
}

static inline void on_problem(void *arg, const char *sentence)
{
	ck_assert_ptr_eq(arg, &dir);
	co_str_addf(&problems, "%s\n", sentence);
}

/* @trusted: a file in the folder, or NULL. */
static inline int verify(struct co_signature *ret, const char *trusted)
{
	struct co_err err = CO_ERR_INIT;
	const char *file = trusted ? in_folder(&dir, trusted) : NULL;
	co_str_clear(&problems);
	int r = co_signature_verify(ret, in_folder(&dir, "bag"), file, on_problem, &dir, &err);
	ck_assert_msg(r >= 0, "%s", err.msg);
	ck_assert_int_eq(r == 1, problems.n > 0);
	return r;
}

/* There is this one problem; the words of @has are in it. */
static inline void check_problem(const char *trusted, const char *has)
{
	CO_CLEANUP_SIGNATURE struct co_signature s = { 0 };
	ck_assert_int_eq(verify(&s, trusted), 1);
	ck_assert_msg(strstr(co_str_get(&problems), has) != NULL, "'%s' is not in '%s'", has, co_str_get(&problems));
	ck_assert_ptr_eq(strchr(problems.s, '\n'), problems.s + problems.n - 1);
}

static inline void check_fine(const char *trusted, const char *subject, bool stamped)
{
	CO_CLEANUP_SIGNATURE struct co_signature s = { 0 };
	ck_assert_msg(verify(&s, trusted) == 0, "%s", co_str_get(&problems));
	ck_assert(s.present && s.valid);
	ck_assert_int_eq(s.certificate_checked, trusted != NULL);
	ck_assert_int_eq(s.stamped, stamped);
	ck_assert_str_eq(s.signer, subject);
}

static inline size_t read_all(const char *name, uint8_t *bytes, size_t size)
{
	FILE *file = fopen(in_folder(&dir, name), "re");
	ck_assert_ptr_nonnull(file);
	size_t n = fread(bytes, 1, size, file);
	ck_assert_uint_lt(n, size);
	fclose(file);
	return n;
}

#endif
