/* SPDX-License-Identifier: Apache-2.0 */
/* The write block, seen from outside while an acquisition is under way. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "device/attack.h"
#include "device/sysfs.h"
#include "selftest/rows.h"

#define MIB (UINT64_C(1) << 20)
#define LOOK_NS 1000000

/* An acquisition that was halted in the middle. */
struct held {
	struct im_disk disk;
	const char *raw, *bag;
	struct im_loop *loop;
	struct co_child *child;
	int old; /* open for writing since before the acquisition began */
};

static bool is_read_only(const struct im_loop *loop)
{
	char folder[64];
	uint64_t ro = 0;

	snprintf(folder, sizeof folder, "/sys/block/%s", strrchr(loop->path, '/') + 1);
	return im_sysfs_uint(folder, "ro", &ro) && ro == 1;
}

/* Begins an acquisition and halts it as soon as the disk is protected. */
static bool hold(struct im_trial *t, struct held *h)
{
	struct co_err err = CO_ERR_INIT;
	int r = 1;

	*h = (struct held) { .disk = { .seed = 80, .size = 48 * MIB }, .old = -1 };
	h->raw = im_path(t, "source.raw");
	h->bag = im_path(t, "bag");
	if (!im_needs_root(t) || !im_make_disk(t, &h->disk, h->raw) || !im_attach(t, h->raw, 512, false, &h->loop))
		return false;
	h->old = open(h->loop->path, O_RDWR | O_CLOEXEC);
	if (!im_expect(t, h->old >= 0, "open %s: %s", h->loop->path, strerror(errno)) ||
	    !im_start(t, NULL, &h->child, "acquire", h->loop->path, "--output", h->bag, "--compression", "best",
		      "--threads", "1", "--progress", "none", "--json", NULL))
		return false;
	while (r == 1 && !is_read_only(h->loop))
		r = co_child_wait(h->child, LOOK_NS, &err);
	if (!im_worked(t, r, &err))
		return false;
	co_child_pause(h->child);
	return im_expect(t, r == 1 && is_read_only(h->loop),
			 "the acquisition ended, and the kernel never had the disk as read-only");
}

/* Lets it go on; it must end well, and the disk must be what it was. */
static bool let_go(struct im_trial *t, struct held *h, const json_t **ret)
{
	struct im_ran ran;
	char want[65];

	co_child_go_on(h->child);
	if (!im_finish(t, h->child, 0, &ran))
		return false;
	im_loop_settle(h->loop); /* a write that went through must be seen */
	return im_parse(t, ran.out, ret) && im_sha256_of_disk(t, &h->disk, want) &&
	       im_json_is(t, *ret, "digests.sha256", want) && im_holds_disk(t, &h->disk, h->raw);
}

static void done(struct held *h)
{
	if (h->old >= 0)
		close(h->old);
}

static bool refused(struct im_trial *t, const char *what, int code)
{
	if (!im_expect(t, code != 0, "%s went through", what))
		return false;
	im_fact(t, "%s: refused (%s)", what, strerror(code));
	return true;
}

static void attack_with_writes(struct im_trial *t, struct held *h)
{
	const json_t *record;

	if (hold(t, h) && refused(t, "opening for writing, and a write", im_attack_open_and_write(h->loop->path)) &&
	    refused(t, "a write through a descriptor from before", im_attack_write(h->old)) &&
	    refused(t, "a discard through it", im_attack_discard(h->old)) &&
	    refused(t, "zeroing through it", im_attack_zero_out(h->old)) && let_go(t, h, &record))
		im_json_is(t, record, "write_block.writes_seen", "0");
}

void im_row_writes_refused(struct im_trial *t)
{
	struct held h = { .old = -1 };

	attack_with_writes(t, &h);
	done(&h);
}

static void attack_with_claims(struct im_trial *t, struct held *h)
{
	const char *folder = im_path(t, "mount");
	const json_t *record;

	if (hold(t, h) && im_make_folder(t, folder) &&
	    refused(t, "mounting it as ext4", im_attack_mount(h->loop->path, folder, "ext4")) &&
	    refused(t, "an exclusive claim, as md, LVM and mkfs make", im_attack_claim(h->loop->path)))
		let_go(t, h, &record);
}

void im_row_configuration(struct im_trial *t)
{
	struct held h = { .old = -1 };

	attack_with_claims(t, &h);
	done(&h);
}

static void ask(struct im_trial *t, struct held *h)
{
	uint8_t got[4096], want[4096];
	uint32_t sector = 0;
	uint64_t size = 0;
	const json_t *record;

	if (!hold(t, h) ||
	    !im_expect(t, im_attack_ask(h->loop->path, &size, &sector) == 0 && size == h->disk.size && sector == 512,
		       "size and sectors can't be asked for"))
		return;
	im_disk_bytes(&h->disk, MIB, want, sizeof want);
	if (im_expect(t,
		      pread(h->old, got, sizeof got, (off_t)MIB) == (ssize_t)sizeof got &&
			      memcmp(got, want, sizeof got) == 0,
		      "another program can't read the disk"))
		let_go(t, h, &record);
}

void im_row_reads_pass(struct im_trial *t)
{
	struct held h = { .old = -1 };

	ask(t, &h);
	done(&h);
}

static void use_another(struct im_trial *t, struct held *h)
{
	const struct im_disk other = { .seed = 81, .size = MIB };
	const char *raw = im_path(t, "other.raw");
	struct im_loop *loop;
	const json_t *record;

	if (im_make_disk(t, &other, raw) && hold(t, h) && im_attach(t, raw, 512, false, &loop) &&
	    im_expect(t, im_attack_open_and_write(loop->path) == 0, "a disk that is not protected can't be written"))
		let_go(t, h, &record);
}

void im_row_others_free(struct im_trial *t)
{
	struct held h = { .old = -1 };

	use_another(t, &h);
	done(&h);
}

static const char *listed_read_only(struct im_trial *t, const json_t *devices, const char *path)
{
	const json_t *list = json_object_get(devices, "devices");

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *d = json_array_get(list, i);
		const char *its = im_json(t, d, "path");

		if (its && strcmp(its, path) == 0)
			return im_json(t, d, "read_only");
	}
	return NULL;
}

static void ask_status(struct im_trial *t, struct held *h)
{
	const json_t *devices, *record;
	struct im_ran ran;

	if (!hold(t, h) || !im_imager(t, 0, &ran, "devices", "--json", NULL) || !im_parse(t, ran.out, &devices) ||
	    !im_same_text(t, "read_only, by \"devices\", during the acquisition",
			  listed_read_only(t, devices, h->loop->path), "true") ||
	    !let_go(t, h, &record) || !im_imager(t, 0, &ran, "devices", "--json", NULL) ||
	    !im_parse(t, ran.out, &devices))
		return;
	im_same_text(t, "read_only, by \"devices\", behind the acquisition",
		     listed_read_only(t, devices, h->loop->path), "false");
}

void im_row_status_told(struct im_trial *t)
{
	struct held h = { .old = -1 };

	ask_status(t, &h);
	done(&h);
}

/* --- the whole acquisition --- */

static bool image_disk(struct im_trial *t, const json_t **ret)
{
	const struct im_disk d = { .seed = 82, .size = 5 * MIB };
	const char *raw = im_path(t, "source.raw");
	struct im_loop *loop;

	if (!im_make_disk(t, &d, raw) || !im_attach(t, raw, 512, false, &loop) || !im_images(t, loop->path, &d, ret))
		return false;
	im_detach_all(t);
	return im_holds_disk(t, &d, raw); /* read past the device, which is gone */
}

void im_row_source_unchanged(struct im_trial *t)
{
	const json_t *record;

	image_disk(t, &record);
}

void im_row_zero_writes(struct im_trial *t)
{
	const json_t *record;

	if (!image_disk(t, &record))
		return;
	if (!json_is_object(json_object_get(json_object_get(record, "write_block"), "counters_before"))) {
		im_not_run(t, "the kernel does not count the requests of this disk (iostats)");
		return;
	}
	if (im_json_is(t, record, "write_block.writes_seen", "0"))
		im_same_text(t, "number of the attachment afterwards",
			     im_json(t, record, "write_block.counters_after.diskseq"),
			     im_json(t, record, "write_block.counters_before.diskseq"));
}

void im_row_trace(struct im_trial *t)
{
	const char *complete;
	const json_t *record;

	if (!image_disk(t, &record))
		return;
	complete = im_json(t, record, "write_block.trace.complete");
	if (!complete)
		im_not_run(t, "the record of this program holds no trace of requests");
	else if (strcmp(complete, "true") != 0)
		im_not_run(t, "the kernel gave no complete trace: %s", im_json(t, record, "write_block.trace.why_not"));
	else
		im_json_is(t, record, "write_block.trace.non_reads", "0");
}

void im_row_samples(struct im_trial *t)
{
	const struct im_disk d = { .seed = 82, .size = 5 * MIB }; /* as image_disk() has it */
	struct co_err err = CO_ERR_INIT;
	const json_t *record, *before;
	char want[65];

	if (!image_disk(t, &record))
		return;
	before = json_object_get(json_object_get(record, "write_block"), "samples_before");
	if (!before) {
		im_not_run(t, "the record of this program holds no digests of sample areas");
		return;
	}
	for (size_t i = 0; i < json_array_size(before); i++) {
		const json_t *one = json_array_get(before, i);
		uint64_t at = (uint64_t)json_integer_value(json_object_get(one, "offset"));
		uint64_t n = (uint64_t)json_integer_value(json_object_get(one, "bytes"));

		if (!im_expect(t, at <= d.size && n <= d.size - at, "a sample is not on the disk") ||
		    !im_worked(t, im_disk_part_sha256(&d, at, (size_t)n, want, &err), &err) ||
		    !im_json_is(t, one, "sha256", want))
			return;
	}
	if (im_expect(t, json_array_size(before) > 0, "no sample was taken"))
		im_same_text(t, "samples afterwards", im_json(t, record, "write_block.samples_after"),
			     im_json(t, record, "write_block.samples_before"));
}

void im_row_layers(struct im_trial *t)
{
	static const char *const needed[] = { "O_RDONLY", "O_EXCL", "BLKROSET" };
	static const char *const more[] = { "Landlock", "capabilities", "seccomp" };
	const json_t *record;

	if (!image_disk(t, &record))
		return;
	for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++)
		if (!im_expect(t, json_is_true(json_object_get(im_layer(record, needed[i]), "applied")),
			       "the layer %s of the write block is not applied", needed[i]))
			return;
	for (size_t i = 0; i < sizeof more / sizeof more[0]; i++) {
		const json_t *layer = im_layer(record, more[i]);
		const char *proof = json_string_value(json_object_get(layer, "proof"));

		if (!layer) {
			im_not_run(t, "the record of this program names no layer %s", more[i]);
			return;
		}
		if (!json_is_true(json_object_get(layer, "applied"))) {
			im_not_run(t, "%s is absent here: %s", more[i], proof ? proof : "");
			return;
		}
		im_fact(t, "%s: %s", more[i], proof ? proof : "");
	}
}

void im_row_require(struct im_trial *t)
{
	const struct im_disk d = { .seed = 83, .size = MIB };
	const char *raw = im_path(t, "source.raw"), *bag = im_path(t, "bag");
	struct im_loop *loop;
	struct im_ran ran;
	const json_t *record;
	bool absent = false;

	if (!im_needs_option(t, "acquire", "--require-write-block") || !im_make_disk(t, &d, raw) ||
	    !im_attach(t, raw, 512, false, &loop) ||
	    !im_imager(t, IM_ANY_CODE, &ran, "acquire", loop->path, "--output", bag, "--require-write-block",
		       "--progress", "none", "--json", NULL))
		return;
	if (ran.code != 0) {
		/* Right only if a layer is absent, which an acquisition without the option says. */
		if (!im_acquire_to(t, 0, loop->path, im_path(t, "without"), &record))
			return;
	} else if (!im_parse(t, ran.out, &record)) {
		return;
	}
	const json_t *layers = json_object_get(json_object_get(record, "write_block"), "layers");
	for (size_t i = 0; i < json_array_size(layers); i++)
		absent = absent || !json_is_true(json_object_get(json_array_get(layers, i), "applied"));
	im_expect(t, absent == (ran.code != 0),
		  absent ? "a layer is absent, and the acquisition went on"
			 : "all layers are applied, and the acquisition was refused: %s",
		  ran.err);
}

/* --- disks that are in use, or left in the middle of something --- */

void im_row_claimed_refused(struct im_trial *t)
{
	const struct im_disk d = { .seed = 84, .size = MIB };
	const char *raw = im_path(t, "source.raw"), *bag = im_path(t, "bag");
	struct im_loop *loop;

	if (!im_make_disk(t, &d, raw) || !im_attach(t, raw, 512, false, &loop))
		return;
	CO_CLEANUP_CLOSE int claim = open(loop->path, O_RDONLY | O_EXCL | O_CLOEXEC);
	if (im_expect(t, claim >= 0, "claim %s: %s", loop->path, strerror(errno)) &&
	    im_imager(t, 1, NULL, "acquire", loop->path, "--output", bag, "--progress", "none", NULL))
		im_expect(t, !im_exists(bag), "a bag was begun");
}

/* A disk with an ext4 file system, attached. */
static bool make_ext4(struct im_trial *t, const char *raw, struct im_loop **ret)
{
	const struct im_disk empty = { .size = 16 * MIB, .content = 512 };
	const char *mkfs;

	return im_needs_root(t) && im_needs_tool(t, "mkfs.ext4", &mkfs) && im_make_disk(t, &empty, raw) &&
	       im_tool(t, mkfs, 0, NULL, "-q", "-F", raw, NULL) && im_attach(t, raw, 512, false, ret);
}

void im_row_mounted_refused(struct im_trial *t)
{
	const char *bag = im_path(t, "bag");
	struct im_loop *loop;
	struct im_ran ran;

	if (make_ext4(t, im_path(t, "source.raw"), &loop) &&
	    im_mount(t, loop->path, im_path(t, "mount"), "ext4", MS_RDONLY, NULL) &&
	    im_imager(t, 1, &ran, "acquire", loop->path, "--output", bag, "--progress", "none", NULL) &&
	    im_expect(t, strstr(ran.err, "mounted") != NULL, "the message does not say that it is mounted: %s",
		      ran.err))
		im_expect(t, !im_exists(bag), "a bag was begun");
}

/* The disk as a power cut leaves it: its journal would be replayed by the next mount. */
void im_row_unclean_ext4(struct im_trial *t)
{
	const char *live = im_path(t, "live.raw"), *folder = im_path(t, "mount"), *raw = im_path(t, "unclean.raw");
	CO_CLEANUP_STR struct co_str bytes = { 0 };
	char before[65], after[65];
	struct im_loop *loop;
	const json_t *record;

	if (!make_ext4(t, live, &loop) || !im_mount(t, loop->path, folder, "ext4", 0, NULL) ||
	    !im_write(t, im_text(t, "%s/file", folder), "written", 7))
		return;
	sync();
	if (!im_read(t, live, &bytes) || !im_write(t, raw, bytes.s, bytes.n))
		return;
	im_unmount_all(t);
	im_detach_all(t);
	/* Superblock at byte 1024: s_feature_incompat at 0x60, bit 2 (needs recovery); Linux, ext4 documentation. */
	if (!(bytes.s[1024 + 0x60] & 4)) {
		im_not_run(t, "the file system was not left unclean");
		return;
	}
	if (!im_sha256_of_file(t, raw, before) || !im_attach(t, raw, 512, false, &loop) ||
	    !im_acquire_to(t, 0, loop->path, im_path(t, "bag"), &record) ||
	    !im_json_is(t, record, "digests.sha256", before))
		return;
	im_detach_all(t);
	if (im_sha256_of_file(t, raw, after))
		im_same_text(t, "SHA-256 of the disk afterwards", after, before);
}
