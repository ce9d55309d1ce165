/* SPDX-License-Identifier: Apache-2.0 */
#include "fs/walk.h"

#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "fs/row.h"
#include "fs/visits.h"
#include "image/tsk.h"
#include "run/cancel.h"

#define DEPTH_MAX 4096 /* folders inside each other */
#define PATH_MAX_BYTES ((size_t)65536)
#define TOO_LARGE "the folder claims to be larger than the volume and is not shown"
#define VISITS_MAX 8 /* entries of one folder by different names, as damage or an attacker can make them */

/* An open folder. */
struct level {
	TSK_FS_DIR *dir;
	size_t *order;   /* of the names; NULL: as they are */
	size_t next;     /* name to look at */
	size_t path_len; /* of the folder, with a slash at the end */
	uint64_t inode;
	bool orphans; /* is or lies in $OrphanFiles */
};

struct walk {
	struct an_fs *fs;
	uint32_t volume;
	const struct an_sink *sink;
	struct co_str path; /* of the current folder, with a slash at the end */
	CO_VEC(struct level) stack;
	CO_VEC(uint64_t) named; /* inodes not in use that have a name */
	struct an_visits visits;
};

static int no_memory(struct co_err *err)
{
	return co_err_set(err, CO_ERR_NOMEM, 0, "out of memory");
}

static void path_cut(struct walk *w, size_t len)
{
	w->path.n = len;
	w->path.s[len] = '\0';
}

/* Reports damage at the current folder plus @name (may be ""). */
static int report(struct walk *w, const char *name, const char *text, struct co_err *err)
{
	CO_CLEANUP_STR struct co_str path = { 0 };
	co_str_add(&path, co_str_get(&w->path));
	co_str_add(&path, name);
	if (path.failed)
		return no_memory(err);
	return w->sink->problem(w->sink->arg, w->volume, co_str_get(&path), text, err);
}

static int report_failure(struct walk *w, const char *name, const char *what, struct co_err *err)
{
	char reason[256], text[400];
	snprintf(text, sizeof text, "%s: %s", what, an_tsk_reason(reason));
	return report(w, name, text, err);
}

static bool is_dot(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static int emit(struct walk *w, const TSK_FS_FILE *file, const TSK_FS_ATTR *attr, bool orphan, struct co_err *err)
{
	struct an_file row;
	an_row_fill(&row, file, attr);
	row.volume = w->volume;
	if (orphan)
		row.flags |= AN_ORPHAN;
	size_t len = w->path.n;
	co_str_add(&w->path, file->name->name);
	const char *stream = an_row_stream(attr);
	if (stream) {
		co_str_add(&w->path, ":");
		co_str_add(&w->path, stream);
	}
	if (w->path.failed)
		return no_memory(err);
	row.path = co_str_get(&w->path);
	int r = w->sink->file(w->sink->arg, &row, err);
	path_cut(w, len);
	return r;
}

/* NTFS: a row for each content stream, for the index of a folder, and for the name whose times libtsk took. "." and
 * ".." come here too, since a folder can have streams: all but those of ".." are shown. */
static int emit_ntfs(struct walk *w, TSK_FS_FILE *file, bool orphan, struct co_err *err)
{
	bool any = false, dot = is_dot(file->name->name);
	int n = tsk_fs_file_attr_getsize(file);
	for (int i = 0; i < n; i++) {
		const TSK_FS_ATTR *attr = tsk_fs_file_attr_get_idx(file, i);
		if (!attr)
			continue;
		bool show;
		switch (attr->type) {
		case TSK_FS_ATTR_TYPE_NTFS_DATA:
			any = true;
			show = file->meta->type != TSK_FS_META_TYPE_DIR || strcmp(file->name->name, "..") != 0;
			break;
		case TSK_FS_ATTR_TYPE_NTFS_IDXROOT:
			any = true;
			show = !dot;
			break;
		case TSK_FS_ATTR_TYPE_NTFS_FNAME:
			show = attr->id == file->meta->time2.ntfs.fn_id && !dot;
			any = any || attr->id == file->meta->time2.ntfs.fn_id;
			break;
		default:
			show = false;
		}
		int r = show ? emit(w, file, attr, orphan, err) : 0;
		if (r < 0)
			return r;
	}
	tsk_error_reset();
	return any ? 0 : emit(w, file, NULL, orphan, err);
}

static int emit_name(struct walk *w, TSK_FS_FILE *file, bool orphan, struct co_err *err)
{
	if (TSK_FS_TYPE_ISNTFS(w->fs->fs->ftype) && file->meta)
		return emit_ntfs(w, file, orphan, err);
	if (is_dot(file->name->name))
		return 0;
	return emit(w, file, NULL, orphan, err);
}

static bool is_folder(const TSK_FS_FILE *file)
{
	if (!TSK_FS_IS_DIR_NAME(file->name->type) && file->name->type != TSK_FS_NAME_TYPE_UNDEF)
		return false;
	if (!file->meta || !TSK_FS_IS_DIR_META(file->meta->type) || is_dot(file->name->name))
		return false;
	/* A deleted name whose inode is in use again does not lead to what it once held. */
	return (file->name->flags & TSK_FS_NAME_FLAG_ALLOC) || (file->meta->flags & TSK_FS_META_FLAG_UNALLOC);
}

static bool is_ancestor(const struct walk *w, uint64_t inode)
{
	for (size_t i = 0; i < w->stack.n; i++)
		if (w->stack.at[i].inode == inode)
			return true;
	return false;
}

static int compare_inodes(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return (x > y) - (x < y);
}

/* libtsk finds orphans by walking the whole tree a second time, with its limits of depth, unless it is told which of
 * the unused inodes have names. We know. (TSK_FS_INFO.list_inum_named is what its own walk fills.) Ascending order is
 * the one in which its list grows at once. */
static int tell_named(struct walk *w, struct co_err *err)
{
	TSK_FS_INFO *fs = w->fs->fs;
	if (fs->list_inum_named)
		return 0;
	if (w->named.n > 1)
		qsort(w->named.at, w->named.n, sizeof *w->named.at, compare_inodes);
	for (size_t i = 0; i < w->named.n; i++)
		if (tsk_list_add(&fs->list_inum_named, w->named.at[i]))
			return no_memory(err);
	/* An empty list would count as not known; the orphan folder is no inode. */
	if (tsk_list_add(&fs->list_inum_named, TSK_FS_ORPHANDIR_INUM(fs)))
		return no_memory(err);
	return 0;
}

/* In the root folder, fls shows first what belongs to users: names that begin in certain ways come before or behind. */
static int rank_in_root(const char *name)
{
	static const struct {
		const char *begin;
		int rank;
	} ranks[] = {
		{ "Users", 0 },    { "Documents and Settings", 0 },
		{ "home", 0 },     { "ProgramData", 0 },
		{ "Windows", 2 },  { "$Orphan", 2 },
		{ "pagefile", 3 }, { "hiberfil", 3 },
	};
	for (size_t i = 0; i < sizeof ranks / sizeof *ranks; i++)
		if (strncasecmp(name, ranks[i].begin, strlen(ranks[i].begin)) == 0)
			return ranks[i].rank;
	return 1;
}

static size_t *root_order(const TSK_FS_DIR *dir)
{
	size_t *order = calloc(dir->names_used + 1, sizeof *order);
	size_t n = 0;
	for (int rank = 0; order && rank < 4; rank++)
		for (size_t i = 0; i < dir->names_used; i++)
			if (rank_in_root(dir->names[i].name ? dir->names[i].name : "") == rank)
				order[n++] = i;
	return order;
}

/* Puts the folder on the stack; the path is that of the folder already. */
static int push(struct walk *w, uint64_t inode, bool orphans, struct co_err *err)
{
	TSK_FS_INFO *fs = w->fs->fs;
	struct level l = { .path_len = w->path.n, .inode = inode, .orphans = orphans };
	if (inode == TSK_FS_ORPHANDIR_INUM(fs)) {
		int r = tell_named(w, err);
		if (r < 0)
			return r;
	}
	tsk_error_reset();
	/* tsk_fs_dir_open_meta() would drop all names of a folder that is damaged in one place. */
	TSK_RETVAL_ENUM got = fs->dir_open_meta(fs, &l.dir, inode, 0);
	if (got != TSK_OK) {
		int r = report_failure(w, "", "the folder is damaged, its names may be incomplete", err);
		if (r < 0 || !l.dir) {
			tsk_fs_dir_close(l.dir);
			return r;
		}
	}
	if (inode == fs->root_inum) {
		l.order = root_order(l.dir);
		if (!l.order) {
			tsk_fs_dir_close(l.dir);
			return no_memory(err);
		}
	}
	if (co_vec_push(&w->stack, l) < 0) {
		free(l.order);
		tsk_fs_dir_close(l.dir);
		return no_memory(err);
	}
	return 0;
}

static void pop(struct walk *w)
{
	struct level *l = &w->stack.at[--w->stack.n];
	free(l->order);
	tsk_fs_dir_close(l->dir);
	if (w->stack.n > 0)
		path_cut(w, w->stack.at[w->stack.n - 1].path_len);
}

/* Why a folder must not be entered, or NULL. */
static const char *refusal(struct walk *w, const TSK_FS_FILE *file)
{
	if (w->stack.n >= DEPTH_MAX)
		return "the folder lies more than 4096 levels deep and is not shown";
	if (w->path.n + strlen(file->name->name) >= PATH_MAX_BYTES)
		return "the path of the folder is longer than 65536 bytes; what is in it is not shown";
	if (!an_tsk_is_plausible(w->fs, file->meta))
		return TOO_LARGE;
	return NULL;
}

static int enter(struct walk *w, const TSK_FS_FILE *file, bool orphans, struct co_err *err)
{
	uint64_t inode = file->name->meta_addr;
	if (is_ancestor(w, inode))
		return report(w, file->name->name, "the folder lies inside itself", err);
	const char *why = refusal(w, file);
	if (why)
		return report(w, file->name->name, why, err);
	unsigned visits = an_visits_add(&w->visits, inode);
	if (visits == 0)
		return no_memory(err);
	if (visits > VISITS_MAX)
		return report(w, file->name->name, "the folder was shown under eight names already", err);
	co_str_add(&w->path, file->name->name);
	co_str_add(&w->path, "/");
	if (w->path.failed)
		return no_memory(err);
	size_t n = w->stack.n;
	int r = push(w, inode, orphans, err);
	if (r == 0 && w->stack.n == n)
		path_cut(w, w->stack.at[n - 1].path_len);
	return r;
}

static int load_inode(struct walk *w, TSK_FS_FILE *file, struct co_err *err)
{
	TSK_FS_INFO *fs = w->fs->fs;
	bool live = (file->name->flags & TSK_FS_NAME_FLAG_ALLOC) != 0;
	if (file->name->meta_addr == 0 && !live)
		return 0;
	tsk_error_reset();
	/* Not tsk_fs_dir_get(): it drops inodes whose NTFS sequence number is not that of the name. */
	if (!fs->file_add_meta(fs, file, file->name->meta_addr))
		return 0;
	if (live && !is_dot(file->name->name))
		return report_failure(w, file->name->name, "the inode of this name can't be read", err);
	tsk_error_reset();
	return 0;
}

/* One name of the folder on top of the stack. */
static int visit(struct walk *w, TSK_FS_NAME *name, bool orphans, struct co_err *err)
{
	TSK_FS_INFO *fs = w->fs->fs;
	TSK_FS_FILE *file = calloc(1, sizeof *file);
	if (!file)
		return no_memory(err);
	file->tag = TSK_FS_FILE_TAG;
	file->fs_info = fs;
	file->name = name;
	int r = load_inode(w, file, err);
	if (r == 0)
		r = emit_name(w, file, orphans, err);
	if (r == 0 && !orphans && file->meta && (file->meta->flags & TSK_FS_META_FLAG_UNALLOC) &&
	    co_vec_push(&w->named, file->meta->addr) < 0)
		r = no_memory(err);
	if (r == 0 && is_folder(file))
		r = enter(w, file, orphans || name->meta_addr == TSK_FS_ORPHANDIR_INUM(fs), err);
	file->name = NULL; /* it belongs to the folder */
	tsk_fs_file_close(file);
	return r;
}

static int push_root(struct walk *w, struct co_err *err)
{
	TSK_FS_INFO *fs = w->fs->fs;
	TSK_FS_FILE *root = tsk_fs_file_open_meta(fs, NULL, fs->root_inum);
	bool plausible = !root || !root->meta || an_tsk_is_plausible(w->fs, root->meta);
	tsk_fs_file_close(root);
	return plausible ? push(w, fs->root_inum, false, err) : report(w, "", TOO_LARGE, err);
}

static int run(struct walk *w, struct co_err *err)
{
	int r = push_root(w, err);
	while (r == 0 && w->stack.n > 0) {
		struct level *l = &w->stack.at[w->stack.n - 1];
		if (l->next >= l->dir->names_used) {
			pop(w);
			continue;
		}
		size_t i = l->order ? l->order[l->next] : l->next;
		l->next++;
		r = co_cancel_check(err);
		if (r == 0 && w->fs->image->lost.code < 0) {
			*err = w->fs->image->lost;
			r = err->code;
		}
		if (r == 0 && l->dir->names[i].name)
			r = visit(w, &l->dir->names[i], l->orphans, err);
	}
	return r;
}

static int report_bad_reads(struct walk *w, struct co_err *err)
{
	struct an_tsk_image *image = w->fs->image;
	char text[700];
	if (image->n_bad == 0)
		return 0;
	snprintf(text, sizeof text, "%" PRIu64 " reads of file system structures failed; the first: %s", image->n_bad,
		 image->first.msg);
	image->n_bad = 0;
	return w->sink->problem(w->sink->arg, w->volume, "", text, err);
}

int an_walk(struct an_fs *fs, uint32_t volume, const char *mount, const struct an_sink *sink, struct co_err *err)
{
	struct walk w = { .fs = fs, .volume = volume, .sink = sink };
	size_t len = strlen(mount);
	co_str_add(&w.path, mount);
	if (len == 0 || mount[len - 1] != '/')
		co_str_add(&w.path, "/");
	int r = w.path.failed ? no_memory(err) : run(&w, err);
	if (r == 0)
		r = report_bad_reads(&w, err);
	while (w.stack.n > 0)
		pop(&w);
	co_vec_free(&w.stack);
	co_vec_free(&w.named);
	an_visits_free(&w.visits);
	co_str_free(&w.path);
	tsk_error_reset();
	return r;
}

static int case_file(void *arg, const struct an_file *row, struct co_err *err)
{
	struct an_case *c = arg;
	return an_files_add(&c->files, row, err);
}

static int case_problem(void *arg, uint32_t volume, const char *path, const char *text, struct co_err *err)
{
	return an_case_problem(arg, volume, path, err, "%s", text);
}

struct an_sink an_sink_to_case(struct an_case *c)
{
	return (struct an_sink) { case_file, case_problem, c };
}
