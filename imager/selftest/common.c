/* SPDX-License-Identifier: Apache-2.0 */
/* What the rows of several groups need. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "selftest/rows.h"

#define BASE_BYTES ((UINT64_C(6) << 20) + 5 * 512 + 123) /* neither chunks, blocks nor sectors are whole */

bool im_acquire_to(struct im_trial *t, int code, const char *source, const char *bag, const json_t **ret)
{
	struct im_ran ran;

	return im_imager(t, code, &ran, "acquire", source, "--output", bag, "--progress", "none", "--json", NULL) &&
	       im_parse(t, ran.out, ret);
}

bool im_proves(struct im_trial *t, const json_t *record, const char *bag, const struct im_disk *d)
{
	const char *raw = im_text(t, "%s.raw", bag);
	char sha256[65];

	return im_sha256_of_disk(t, d, sha256) &&
	       im_json_is(t, record, "media.bytes", im_text(t, "%" PRIu64, d->size)) &&
	       im_json_is(t, record, "digests.sha256", sha256) &&
	       im_imager(t, 0, NULL, "export", bag, "--output", raw, "--progress", "none", NULL) &&
	       im_holds_disk(t, d, raw);
}

bool im_images(struct im_trial *t, const char *source, const struct im_disk *d, const json_t **ret)
{
	const char *bag = im_path(t, "bag");
	const json_t *record;

	if (!im_acquire_to(t, 0, source, bag, &record) || !im_json_is(t, record, "status", "complete") ||
	    !im_json_is(t, record, "verification.result", "match") || !im_proves(t, record, bag, d))
		return false;
	im_fact(t, "%" PRIu64 " bytes, SHA-256 %s: as computed from the formula", d->size,
		im_json(t, record, "digests.sha256"));
	if (ret)
		*ret = record;
	return true;
}

/* --- the bag of all --- */

static bool make_base(struct im_trial *t)
{
	struct im_machine *m = t->machine;
	const char *folder = im_text(t, "%s/base", m->work), *source = im_text(t, "%s/source.raw", folder);
	struct im_ran ran;

	m->base_disk = (struct im_disk) { .seed = 0xba5e, .size = BASE_BYTES };
	if (!im_make_folder(t, folder) || !im_make_disk(t, &m->base_disk, source) ||
	    !im_imager(t, 0, &ran, "acquire", source, "--output", m->base_bag, "--case-number", "case 1",
		       "--evidence-number", "item 1", "--examiner", "self-test", "--description", "known content",
		       "--notes", "none", "--guid", "00112233445566778899aabbccddeeff", "--date",
		       "2020-01-02T03:04:05Z", "--progress", "none", "--json", NULL))
		return false;
	m->base_record = strdup(ran.out);
	return im_expect(t, m->base_record, "no memory");
}

bool im_base(struct im_trial *t, const char **ret_bag, const json_t **ret_record)
{
	struct im_machine *m = t->machine;

	if (m->base_state == 0) {
		m->base_bag = strdup(im_text(t, "%s/base/bag", m->work));
		m->base_state = m->base_bag && make_base(t) ? 1 : -1;
	}
	if (!im_expect(t, m->base_state > 0, "a plain acquisition of a file fails"))
		return false;
	*ret_bag = m->base_bag;
	return !ret_record || im_parse(t, m->base_record, ret_record);
}

bool im_base_copy(struct im_trial *t, const char **ret_bag)
{
	const char *from, *to = im_path(t, "copy");

	if (!im_base(t, &from, NULL) || !im_copy_tree(t, from, to))
		return false;
	*ret_bag = to;
	return true;
}

/* --- parts of records --- */

const json_t *im_layer(const json_t *record, const char *name)
{
	const json_t *layers = json_object_get(json_object_get(record, "write_block"), "layers");

	for (size_t i = 0; i < json_array_size(layers); i++) {
		const json_t *layer = json_array_get(layers, i);
		const char *its = json_string_value(json_object_get(layer, "name"));

		if (its && strcasecmp(its, name) == 0)
			return layer;
	}
	return NULL;
}

/* --- signatures --- */

bool im_signer_files(struct im_trial *t, const char **ret_key, const char **ret_certificate)
{
	const char *key = im_path(t, "signer.key"), *certificate = im_path(t, "signer.pem"), *openssl;

	if (t->machine->sign_key) {
		*ret_key = t->machine->sign_key;
		*ret_certificate = t->machine->sign_certificate;
		return true;
	}
	if (!im_needs_tool(t, "openssl", &openssl) ||
	    !im_tool(t, openssl, 0, NULL, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
		     "-nodes", "-keyout", key, "-out", certificate, "-days", "2", "-subj", "/CN=self-test of a row",
		     NULL))
		return false;
	*ret_key = key;
	*ret_certificate = certificate;
	return true;
}

/* --- faults --- */

/* Format: GNU ddrescue manual, "Mapfile structure": position of work and status, then start, size and status of areas.
 */
static const char *fault_map(struct im_trial *t, const struct im_disk *d)
{
	CO_CLEANUP_STR struct co_str s = { 0 };
	const char *path = im_path(t, "fault.map");
	uint64_t at = 0;

	co_str_add(&s, "0x0 +\n");
	for (size_t i = 0; i < sizeof d->holes / sizeof d->holes[0] && d->holes[i].size; i++) {
		co_str_addf(&s, "0x%" PRIx64 " 0x%" PRIx64 " +\n", at, d->holes[i].start - at);
		co_str_addf(&s, "0x%" PRIx64 " 0x%" PRIx64 " -\n", d->holes[i].start, d->holes[i].size);
		at = d->holes[i].start + d->holes[i].size;
	}
	if (at < d->size)
		co_str_addf(&s, "0x%" PRIx64 " 0x%" PRIx64 " +\n", at, d->size - at);
	im_write(t, path, co_str_get(&s), s.n);
	return path;
}

/* nbdfuse has the true size as soon as it serves. */
static bool wait_for_size(struct im_trial *t, struct co_child *child, const char *file, uint64_t size)
{
	struct co_err err = CO_ERR_INIT;
	struct stat st = { 0 };
	int r = 1;

	for (int i = 0; r == 1 && i < 500; i++) {
		if (stat(file, &st) == 0 && (uint64_t)st.st_size == size)
			return true;
		r = co_child_wait(child, INT64_C(20000000), &err);
	}
	return im_worked(t, r, &err) && im_not_run(t, "nbdfuse does not start (is there a /dev/fuse?)");
}

bool im_faulty_disk(struct im_trial *t, const struct im_disk *d, int delay_ms, struct im_faulty *ret)
{
	const char *nbdkit, *nbdfuse, *raw = im_path(t, "faulty.raw"), *served = im_path(t, "served");
	const char *socket = im_path(t, "s");
	struct co_child *fuse;

	if (!im_needs_root(t) || !im_needs_tool(t, "nbdkit", &nbdkit) || !im_needs_tool(t, "nbdfuse", &nbdfuse))
		return false;
	if (!im_expect(t, strlen(socket) < 100, "the name of the folder is too long for a socket") ||
	    !im_make_disk(t, d, raw) || !im_write(t, served, "", 0) ||
	    !im_start(t, nbdkit, &ret->server, "-f", "-U", socket, "--filter=ddrescue", "--filter=noextents",
		      "--filter=delay", "file", raw, im_text(t, "ddrescue-mapfile=%s", fault_map(t, d)),
		      im_text(t, "rdelay=%dms", delay_ms), NULL) ||
	    !im_wait_for_file(t, ret->server, socket, 10) ||
	    !im_start(t, nbdfuse, &fuse, "-r", served, im_text(t, "nbd+unix:///?socket=%s", socket), NULL))
		return false;
	char *mount = strdup(served);
	if (!mount || co_vec_push(&t->mounts, mount) < 0) {
		free(mount);
		return im_expect(t, false, "no memory");
	}
	return wait_for_size(t, fuse, served, d->size) && im_attach(t, served, 512, true, &ret->loop);
}
