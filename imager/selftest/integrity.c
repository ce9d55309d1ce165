/* SPDX-License-Identifier: Apache-2.0 */
/* Does verification find what was changed afterwards, and only that? */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "hash/digest.h"
#include "selftest/rows.h"

#define MIB (UINT64_C(1) << 20)
#define SECTOR 512u
#define PLACES 24 /* of the image, each damaged in turn */

static bool verify(struct im_trial *t, const char *what, int code, struct im_ran *ran)
{
	struct im_ran own;

	return im_imager(t, code, ran ? ran : &own, "verify", what, "--progress", "none", NULL);
}

void im_row_unchanged(struct im_trial *t)
{
	const char *bag;
	struct im_ran ran;

	if (im_base(t, &bag, NULL) && verify(t, bag, 0, &ran) &&
	    im_expect(t, strstr(ran.out, "match") && !strstr(ran.out, "PROBLEM"),
		      "what is unchanged is not said to match"))
		verify(t, im_text(t, "%s/data/image.E01", bag), 0, NULL);
}

/* One byte is another one, is found, and put back. */
static bool change_is_found(struct im_trial *t, const char *bag, const char *name, uint64_t at)
{
	const char *file = im_text(t, "%s/%s", bag, name);
	struct im_ran ran;

	return im_flip(t, file, at) && im_imager(t, IM_ANY_CODE, &ran, "verify", bag, "--progress", "none", NULL) &&
	       im_expect(t, ran.code == 4, "byte %" PRIu64 " of %s was changed, and verify ended with %d and not 4", at,
			 name, ran.code) &&
	       im_flip(t, file, at);
}

void im_row_changed(struct im_trial *t)
{
	static const char *const others[] = {
		"data/image.manifest.json", "data/image.events.jsonl", "data/image.map", "data/image.blocks.sha256",
		"data/image.report.txt",    "manifest-sha256.txt",     "bag-info.txt",
	};
	const char *bag;
	uint64_t size;

	if (!im_base_copy(t, &bag) || !im_size(t, im_text(t, "%s/data/image.E01", bag), &size))
		return;
	for (uint64_t i = 0; i < PLACES; i++)
		if (!change_is_found(t, bag, "data/image.E01", i * (size - 1) / (PLACES - 1)))
			return;
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
		if (!im_size(t, im_text(t, "%s/%s", bag, others[i]), &size) ||
		    !change_is_found(t, bag, others[i], size / 2))
			return;
	verify(t, bag, 0, NULL);
}

/* Is there "sectors FROM to TO" around @sector? */
static bool names_sector(const char *text, uint64_t sector)
{
	for (const char *at = strstr(text, "sectors "); at; at = strstr(at + 1, "sectors ")) {
		uint64_t from, to;

		if (sscanf(at, "sectors %" SCNu64 " to %" SCNu64, &from, &to) == 2 && from <= sector && sector <= to &&
		    to - from < 4096)
			return true;
	}
	return false;
}

/* The content of a sector, which is random, is searched in the image: uncompressed it lies there as it is. */
void im_row_location(struct im_trial *t)
{
	const struct im_disk d = { .seed = 60, .size = 5 * MIB };
	const uint64_t sector = 2500;
	const char *raw = im_path(t, "source.raw"), *bag = im_path(t, "bag"), *image = im_path(t, "bag/data/image.E01");
	CO_CLEANUP_STR struct co_str bytes = { 0 };
	struct im_ran ran;
	uint8_t want[SECTOR];
	char *at;

	if (!im_make_disk(t, &d, raw) ||
	    !im_imager(t, 0, NULL, "acquire", raw, "--output", bag, "--compression", "none", "--progress", "none",
		       NULL) ||
	    !im_read(t, image, &bytes))
		return;
	im_disk_bytes(&d, sector * SECTOR, want, sizeof want);
	at = memmem(co_str_get(&bytes), bytes.n, want, sizeof want);
	if (!im_expect(t, at, "the bytes of sector %" PRIu64 " are not in the image", sector) ||
	    !im_flip(t, image, (uint64_t)(at - bytes.s) + 100) || !verify(t, bag, 4, &ran))
		return;
	im_expect(t, names_sector(ran.out, sector), "verify does not say that sector %" PRIu64 " is hit: %s", sector,
		  ran.out);
}

void im_row_incomplete(struct im_trial *t)
{
	const struct im_disk d = { .seed = 61, .size = 6 * MIB };
	const char *raw = im_path(t, "source.raw"), *bag = im_path(t, "bag");
	struct im_ran ran;
	uint64_t size;

	if (!im_make_disk(t, &d, raw) ||
	    !im_imager(t, 0, NULL, "acquire", raw, "--output", bag, "--compression", "none", "--segment-size", "2M",
		       "--progress", "none", NULL) ||
	    !verify(t, bag, 0, NULL))
		return;
	const char *second = im_text(t, "%s/data/image.E02", bag), *aside = im_path(t, "aside");
	if (!im_expect(t, rename(second, aside) == 0, "move a segment") || !verify(t, bag, IM_ANY_CODE, &ran) ||
	    !im_expect(t, ran.code != 0, "a bag without its second segment verifies") ||
	    !im_imager(t, IM_ANY_CODE, &ran, "verify", im_text(t, "%s/data/image.E01", bag), "--progress", "none",
		       NULL) ||
	    !im_expect(t, ran.code != 0, "an image without its second segment verifies") ||
	    !im_expect(t, rename(aside, second) == 0, "move a segment") || !im_size(t, second, &size) ||
	    !im_expect(t, truncate(second, (off_t)(size / 2)) == 0, "cut a segment") ||
	    !verify(t, bag, IM_ANY_CODE, &ran))
		return;
	im_expect(t, ran.code != 0, "a bag with half a segment verifies");
}

/* --- someone who seals anew what he changed --- */

static bool replace_all(struct im_trial *t, const char *file, const char *old, const char *new)
{
	CO_CLEANUP_STR struct co_str bytes = { 0 };
	char *at;

	if (!im_read(t, file, &bytes))
		return false;
	at = strstr(co_str_get(&bytes), old);
	if (!im_expect(t, at && strlen(old) == strlen(new), "%s does not name the digest of the file", file))
		return false;
	for (size_t i = 0; new[i]; i++)
		at[i] = new[i];
	return im_write(t, file, bytes.s, bytes.n);
}

/* The manifests state the digest of @name as it is now. */
static bool seal_anew(struct im_trial *t, const char *bag, const char *name, const char before[65])
{
	const char *manifest = im_text(t, "%s/manifest-sha256.txt", bag);
	char now[65], old[65], new[65];

	return im_sha256_of_file(t, im_text(t, "%s/%s", bag, name), now) && im_sha256_of_file(t, manifest, old) &&
	       replace_all(t, manifest, before, now) && im_sha256_of_file(t, manifest, new) &&
	       replace_all(t, im_text(t, "%s/tagmanifest-sha256.txt", bag), old, new);
}

/* The same disk, imaged under another case number, put in the place of the image. */
void im_row_metadata(struct im_trial *t)
{
	const char *bag, *base, *other = im_path(t, "other"), *image;
	CO_CLEANUP_STR struct co_str bytes = { 0 };
	struct im_ran ran;
	char before[65];

	if (!im_base(t, &base, NULL) || !im_base_copy(t, &bag) ||
	    !im_imager(t, 0, NULL, "acquire", im_text(t, "%s/base/source.raw", t->machine->work), "--output", other,
		       "--case-number", "case 2", "--evidence-number", "item 1", "--examiner", "self-test",
		       "--description", "known content", "--notes", "none", "--guid",
		       "00112233445566778899aabbccddeeff", "--date", "2020-01-02T03:04:05Z", "--progress", "none",
		       NULL))
		return;
	image = im_text(t, "%s/data/image.E01", bag);
	if (!im_sha256_of_file(t, image, before) || !im_read(t, im_text(t, "%s/data/image.E01", other), &bytes) ||
	    !im_write(t, image, bytes.s, bytes.n) || !seal_anew(t, bag, "data/image.E01", before) ||
	    !verify(t, bag, 4, &ran))
		return;
	im_expect(t, strstr(ran.out, "case 2") || strstr(ran.out, "case number"),
		  "verify does not say that the case number is another one: %s", ran.out);
}

void im_row_replaced(struct im_trial *t)
{
	const struct im_disk honest = { .seed = 62, .size = MIB }, forged = { .seed = 63, .size = MIB };
	const char *key, *certificate, *one = im_path(t, "one.raw"), *two = im_path(t, "two.raw");
	const char *bag = im_path(t, "bag"), *fake = im_path(t, "fake"), *name = "tagmanifest-sha256.txt.p7s";
	CO_CLEANUP_STR struct co_str signature = { 0 };
	struct im_ran ran;

	if (!im_signer_files(t, &key, &certificate) || !im_make_disk(t, &honest, one) ||
	    !im_make_disk(t, &forged, two) ||
	    !im_imager(t, 0, NULL, "acquire", one, "--output", bag, "--sign-key", key, "--sign-cert", certificate,
		       "--progress", "none", NULL) ||
	    !im_imager(t, 0, NULL, "acquire", two, "--output", fake, "--progress", "none", NULL) ||
	    !im_imager(t, 0, NULL, "verify", bag, "--progress", "none", NULL) ||
	    !im_read(t, im_text(t, "%s/%s", bag, name), &signature) ||
	    !im_write(t, im_text(t, "%s/%s", fake, name), signature.s, signature.n) || !verify(t, fake, 4, &ran))
		return;
	im_expect(t, strstr(ran.out, name) != NULL, "verify does not name the signature: %s", ran.out);
}

/* --- by others --- */

void im_row_stock_tools(struct im_trial *t)
{
	const char *bag, *sum;
	const char *sh = "/bin/sh";

	if (!im_base(t, &bag, NULL) || !im_needs_tool(t, "sha256sum", &sum))
		return;
	for (int i = 0; i < 2; i++)
		if (!im_tool(t, sh, 0, NULL, "-c", "cd \"$1\" && \"$2\" -c --strict --quiet \"$3\"", "sh", bag, sum,
			     i ? "tagmanifest-sha256.txt" : "manifest-sha256.txt", NULL))
			return;
}

/* Each line carries the digest of the line before it, and the record that of the last. */
void im_row_events(struct im_trial *t)
{
	CO_CLEANUP_STR struct co_str text = { 0 };
	char prev[65] = "";
	const json_t *record, *event;
	const char *bag;

	if (!im_base(t, &bag, &record) || !im_read(t, im_text(t, "%s/data/image.events.jsonl", bag), &text))
		return;
	memset(prev, '0', 64);
	for (const char *line = co_str_get(&text); *line; line += strcspn(line, "\n") + 1) {
		int n = (int)strcspn(line, "\n");
		struct co_err err = CO_ERR_INIT;
		struct co_digests digests;

		if (!im_parse(t, im_text(t, "%.*s", n, line), &event) || !im_json_is(t, event, "prev", prev) ||
		    !im_worked(t, co_digest_bytes(CO_HASH_BIT(CO_HASH_SHA256), line, (size_t)n, &digests, &err), &err))
			return;
		co_digests_hex(&digests, CO_HASH_SHA256, prev);
	}
	im_json_is(t, record, "events.head_sha256", prev);
}

void im_row_signature(struct im_trial *t)
{
	const struct im_disk d = { .seed = 64, .size = MIB };
	const char *raw = im_path(t, "source.raw"), *bag = im_path(t, "bag"), *key, *certificate, *openssl;
	const char *content = im_path(t, "bag/tagmanifest-sha256.txt");
	const char *signature = im_path(t, "bag/tagmanifest-sha256.txt.p7s");

	if (!im_needs_tool(t, "openssl", &openssl) || !im_signer_files(t, &key, &certificate) ||
	    !im_make_disk(t, &d, raw) ||
	    !im_imager(t, 0, NULL, "acquire", raw, "--output", bag, "--sign-key", key, "--sign-cert", certificate,
		       "--progress", "none", NULL) ||
	    !im_tool(t, openssl, 0, NULL, "cms", "-verify", "-binary", "-inform", "DER", "-in", signature, "-content",
		     content, "-noverify", "-out", "/dev/null", NULL) ||
	    !im_flip(t, content, 3))
		return;
	struct im_ran ran;
	if (im_tool(t, openssl, IM_ANY_CODE, &ran, "cms", "-verify", "-binary", "-inform", "DER", "-in", signature,
		    "-content", content, "-noverify", "-out", "/dev/null", NULL))
		im_expect(t, ran.code != 0, "openssl accepts the signature of a changed manifest");
}
