/* SPDX-License-Identifier: Apache-2.0 */
/* The files of a trial. */
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "hash/digest.h"
#include "selftest/trial.h"

#define READ_MAX ((size_t)64 << 20)

bool im_make_folder(struct im_trial *t, const char *path)
{
	return im_expect(t, mkdir(path, 0700) == 0 || errno == EEXIST, "create %s: %s", path, strerror(errno));
}

bool im_make_disk(struct im_trial *t, const struct im_disk *d, const char *path)
{
	struct co_err err = CO_ERR_INIT;

	return im_worked(t, im_disk_write(d, path, &err), &err);
}

bool im_exists(const char *path)
{
	return access(path, F_OK) == 0;
}

bool im_size(struct im_trial *t, const char *path, uint64_t *ret)
{
	struct stat st;

	if (!im_expect(t, stat(path, &st) == 0, "examine %s: %s", path, strerror(errno)))
		return false;
	*ret = (uint64_t)st.st_size;
	return true;
}

bool im_read(struct im_trial *t, const char *path, struct co_str *ret)
{
	CO_CLEANUP_FCLOSE FILE *f = fopen(path, "re");
	char buf[65536];

	if (!im_expect(t, f, "open %s: %s", path, strerror(errno)))
		return false;
	for (size_t n = fread(buf, 1, sizeof buf, f); n > 0; n = fread(buf, 1, sizeof buf, f)) {
		co_str_add_n(ret, buf, n);
		if (!im_expect(t, !ret->failed && ret->n <= READ_MAX, "%s is too large to be read", path))
			return false;
	}
	return im_expect(t, !ferror(f), "read %s: %s", path, strerror(errno));
}

bool im_write(struct im_trial *t, const char *path, const void *bytes, size_t n)
{
	FILE *f = fopen(path, "we");
	bool ok = f && fwrite(bytes, 1, n, f) == n;

	if (f)
		ok = fclose(f) == 0 && ok;
	return im_expect(t, ok, "write %s: %s", path, strerror(errno));
}

bool im_flip(struct im_trial *t, const char *path, uint64_t at)
{
	CO_CLEANUP_CLOSE int fd = open(path, O_RDWR | O_CLOEXEC);
	uint8_t byte = 0;

	if (!im_expect(t, fd >= 0 && pread(fd, &byte, 1, (off_t)at) == 1, "read %s at %" PRIu64 ": %s", path, at,
		       strerror(errno)))
		return false;
	byte ^= 0x55;
	return im_expect(t, pwrite(fd, &byte, 1, (off_t)at) == 1, "write %s: %s", path, strerror(errno));
}

bool im_sha256_of_disk(struct im_trial *t, const struct im_disk *d, char ret[65])
{
	struct co_err err = CO_ERR_INIT;
	struct co_digests digests;

	if (!im_worked(t, im_disk_digests(d, CO_HASH_BIT(CO_HASH_SHA256), &digests, &err), &err))
		return false;
	co_digests_hex(&digests, CO_HASH_SHA256, ret);
	return true;
}

bool im_sha256_of_file(struct im_trial *t, const char *path, char ret[65])
{
	struct co_err err = CO_ERR_INIT;
	struct co_digests digests;

	if (!im_worked(t, co_digest_file(CO_HASH_BIT(CO_HASH_SHA256), path, &digests, &err), &err))
		return false;
	co_digests_hex(&digests, CO_HASH_SHA256, ret);
	return true;
}

bool im_holds_disk(struct im_trial *t, const struct im_disk *d, const char *path)
{
	struct co_err err = CO_ERR_INIT;
	uint64_t at = 0;
	int r = im_disk_compare(d, path, &at, &err);

	return im_worked(t, r, &err) &&
	       im_expect(t, r == 0, "%s differs from the source from byte %" PRIu64 " on", path, at);
}

/* --- trees: nftw has no argument for its function --- */

static struct {
	struct im_trial *t;
	const char *from, *to;
} copying;

static int copy_entry(const char *path, const struct stat *st, int type, struct FTW *at)
{
	struct im_trial *t = copying.t;
	const char *to = im_text(t, "%s%s", copying.to, path + strlen(copying.from));
	CO_CLEANUP_STR struct co_str bytes = { 0 };

	(void)st;
	(void)at;
	if (type == FTW_D)
		return !im_make_folder(t, to);
	return !(im_read(t, path, &bytes) && im_write(t, to, co_str_get(&bytes), bytes.n));
}

bool im_copy_tree(struct im_trial *t, const char *from, const char *to)
{
	copying.t = t;
	copying.from = from;
	copying.to = to;
	return im_expect(t, nftw(from, copy_entry, 16, FTW_PHYS) == 0, "copy %s: %s", from, strerror(errno));
}

static const char *final_name;
static char final_found[256];

static int look_for_final(const char *path, const struct stat *st, int type, struct FTW *at)
{
	const char *name = path + at->base;

	(void)st;
	if (type != FTW_F)
		return 0;
	if ((fnmatch("*.E[0-9][0-9]", name, 0) == 0 && !strstr(name, ".writing.")) ||
	    strcmp(name, "manifest-sha256.txt") == 0 || strcmp(name, "tagmanifest-sha256.txt") == 0) {
		snprintf(final_found, sizeof final_found, "%s", name);
		final_name = final_found;
	}
	return 0;
}

bool im_nothing_final(struct im_trial *t, const char *bag)
{
	final_name = NULL;
	if (im_exists(bag))
		nftw(bag, look_for_final, 16, FTW_PHYS);
	return im_expect(t, !final_name, "what is incomplete has a final name: %s", final_name ? final_name : "");
}
