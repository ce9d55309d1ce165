/* SPDX-License-Identifier: Apache-2.0 */
#include "store/files.h"

#include <string.h>
#include <sys/random.h>

#include "base/bytes.h"
#include "store/strings.h"

/* Open addressing over the live names. Slots hold row + 1; 0 is empty. */
struct index {
	size_t n_rows; /* of the table when this was built */
	size_t mask;
	uint64_t seed; /* random, so that names made to collide don't; no result depends on it */
	size_t slot[];
};

static uint64_t hash_of(const struct index *x, const char *path)
{
	uint64_t h = x->seed;
	for (const char *p = path; *p; p++) {
		h = (h ^ (uint8_t)*p) * UINT64_C(0x9e3779b97f4a7c15);
		h ^= h >> 29;
	}
	return h;
}

/* The slot of @path, or the empty one where it belongs. */
static size_t slot_of(const struct index *x, const struct an_files *files, const char *path)
{
	size_t i = (size_t)hash_of(x, path) & x->mask;
	while (x->slot[i] && strcmp(files->rows.at[x->slot[i] - 1].path, path) != 0)
		i = (i + 1) & x->mask;
	return i;
}

static bool is_findable(const struct an_file *f)
{
	return (f->flags & AN_NAME_ALLOCATED) && !(f->flags & (AN_STREAM | AN_NTFS_NAME_TIMES));
}

static struct index *index_build(const struct an_files *files)
{
	size_t cap = 16;
	while (cap / 2 < files->rows.n)
		if (!co_mul(cap, (size_t)2, &cap))
			return NULL;
	size_t bytes;
	if (!co_mul(cap, sizeof(size_t), &bytes) || !co_add(bytes, sizeof(struct index), &bytes))
		return NULL;
	struct index *x = calloc(1, bytes);
	if (!x)
		return NULL;
	x->n_rows = files->rows.n;
	x->mask = cap - 1;
	if (getrandom(&x->seed, sizeof x->seed, GRND_NONBLOCK) < 0)
		x->seed = 1;
	for (size_t i = 0; i < files->rows.n; i++) {
		if (!is_findable(&files->rows.at[i]))
			continue;
		size_t slot = slot_of(x, files, files->rows.at[i].path);
		if (!x->slot[slot])
			x->slot[slot] = i + 1;
	}
	return x;
}

int an_files_add(struct an_files *files, const struct an_file *row, struct co_err *err)
{
	struct an_file copy = *row;
	if (!files->strings)
		files->strings = an_strings_open();
	if (files->strings) {
		copy.path = an_strings_add(files->strings, row->path, strlen(row->path));
		if (row->link)
			copy.link = an_strings_add(files->strings, row->link, strlen(row->link));
	}
	if (!files->strings || !copy.path || (row->link && !copy.link) || co_vec_push(&files->rows, copy) < 0)
		return co_err_set(err, CO_ERR_NOMEM, 0, "out of memory after %zu files", files->rows.n);
	return 0;
}

struct an_file *an_files_find(struct an_files *files, const char *path)
{
	struct index *x = files->index;
	if (!x || x->n_rows != files->rows.n) {
		free(x);
		files->index = x = index_build(files);
	}
	if (!x)
		return NULL;
	size_t slot = slot_of(x, files, path);
	return x->slot[slot] ? &files->rows.at[x->slot[slot] - 1] : NULL;
}

void an_files_free(struct an_files *files)
{
	co_vec_free(&files->rows);
	an_strings_free(files->strings);
	free(files->index);
	*files = (struct an_files) { 0 };
}

/* Letters by enum an_file_type as the Sleuth Kit's body files have them. Its letters for names and for inodes differ
 * in sockets and Solaris shadow files. */
static char letter(const char *letters, unsigned type)
{
	return type < strlen(letters) ? letters[type] : '-';
}

static void permissions(uint16_t mode, char *ret)
{
	static const char letters[] = "rwxrwxrwx";
	for (unsigned i = 0; i < 9; i++)
		ret[i] = (mode & (0400u >> i)) ? letters[i] : '-';
	if (mode & 04000)
		ret[2] = ret[2] == 'x' ? 's' : 'S';
	if (mode & 02000)
		ret[5] = ret[5] == 'x' ? 's' : 'S';
	if (mode & 01000)
		ret[8] = ret[8] == 'x' ? 't' : 'T';
}

void an_file_mode_text(const struct an_file *f, char ret[13])
{
	memcpy(ret, "-/----------", 13);
	ret[0] = letter("-rdlcbpshwvV", f->name_type);
	if (!(f->flags & AN_META_KNOWN))
		return;
	ret[2] = letter("-rdlcbphswvV", f->type);
	permissions(f->mode, ret + 3);
}

bool an_file_is_live_regular(const struct an_file *f)
{
	uint32_t need = AN_NAME_ALLOCATED | AN_META_KNOWN | AN_META_ALLOCATED;
	return (f->flags & need) == need && !(f->flags & (AN_STREAM | AN_NTFS_NAME_TIMES | AN_ORPHAN)) &&
	       f->type == AN_TYPE_REGULAR;
}
