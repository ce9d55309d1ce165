/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Times that don't fit together. That the content is older than the file's birth is normal (unpacking, installing,
 * cp -p), so no rule looks at this alone: it must have happened to a single file, at a time when nothing was unpacked.
 */
#include "check/backdate.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"
#include "check/check.h"
#include "check/paths.h"

#define SLACK (2 * CO_NS_PER_S) /* times of one act may differ by so much */
#define WINDOW (10 * CO_NS_PER_S)
#define LATE (60 * CO_NS_PER_S) /* of a metadata change after the birth */
#define LONE 3                  /* files within the window, with the file itself */
#define MANY 50                 /* hits of one rule on one volume: a habit of this server, or how the disk was made */

enum kind {
	LONE_BIRTH,
	COPIED_TIME,
	LATE_CHANGE,
	CHANGED_BEFORE_BIRTH,
	CONTENT_FROM_FUTURE,
	NOT_IN_FOLDER_TIME,
	OLDER_THAN_FOLDER,
	INODE_ORDER,
	N_KINDS,
};

static const struct an_rule rules[N_KINDS] = {
	[LONE_BIRTH] = { "backdated-birth", AN_AXIS_METADATA, 40, false,
			 "rsync -a, scp -p and FTP clients keep the time of a single file that they bring." },
	[COPIED_TIME] = { "backdated-copy", AN_AXIS_METADATA, 20, false,
			  "cp -p and rsync -a keep the time of the file that they copy." },
	[LATE_CHANGE] = { "backdated-change", AN_AXIS_METADATA, 40, false,
			  "A later chmod or chown of an unpacked file, or an editor that restores the time." },
	[CHANGED_BEFORE_BIRTH] = { "change-before-birth", AN_AXIS_METADATA, 45, false,
				   "The clock of the machine was set back, as after a boot without a battery." },
	[CONTENT_FROM_FUTURE] = { "content-after-change", AN_AXIS_METADATA, 30, false,
				  "The file was unpacked from an archive made on a machine whose clock was ahead." },
	[NOT_IN_FOLDER_TIME] = { "folder-before-file", AN_AXIS_METADATA, 30, false,
				 "The clock of the machine was set back between the two." },
	[OLDER_THAN_FOLDER] = { "older-than-folder", AN_AXIS_METADATA, 40, false,
				"The clock of the machine was set back, or the folder was made anew around the file." },
	[INODE_ORDER] = { "inode-order", AN_AXIS_METADATA, 30, false,
			  "Many files that lay beside it were deleted and others took their inodes." },
};

struct hit {
	size_t row;
	enum kind kind;
};

struct times {
	struct an_check_context *x;
	struct an_instants born, changed;
	struct an_births inodes;
	CO_VEC(struct hit) hits;
};

static bool known(int64_t t)
{
	return t != CO_TIME_NONE;
}

/* Is @a earlier than @b by more than @by? False if one is unknown. */
static bool earlier(int64_t a, int64_t b, int64_t by)
{
	return known(a) && known(b) && a < b && (uint64_t)b - (uint64_t)a > (uint64_t)by;
}

static const struct an_file *folder_of(struct an_check_context *x, const struct an_file *f)
{
	CO_CLEANUP_STR struct co_str path = { 0 };
	size_t n = (size_t)(an_path_base(f->path) - f->path);
	co_str_add_n(&path, f->path, n > 1 ? n - 1 : n);
	const struct an_file *folder = path.failed ? NULL : an_files_find(&x->c->files, co_str_get(&path));
	return folder && folder->type == AN_TYPE_FOLDER && folder->volume == f->volume ? folder : NULL;
}

/* Copies that programs keep of a file, with its times. */
static bool is_backup(const char *path)
{
	static const char *const extensions[] = { "bak",      "old",     "orig",     "save",    "dpkg-old", "dpkg-dist",
						  "dpkg-new", "ucf-old", "ucf-dist", "rpmsave", "rpmnew",   NULL };
	size_t n = strlen(path);
	return (n && strchr("-~", path[n - 1])) || an_path_has_extension(path, extensions);
}

/* Does the file do something, so that someone may want to hide when it came? */
static bool acts(const struct an_file *f)
{
	static const char *const served[] = { "html", "htm", "js", "htaccess", "ini", "so", NULL };
	const char *base = an_path_base(f->path);
	return f->content || an_path_is_script(f->path) || an_path_has_extension(f->path, served) ||
	       strcmp(base, ".htaccess") == 0 || strcmp(base, ".user.ini") == 0;
}

static bool is_ext(const struct an_case *c, uint32_t volume)
{
	return volume < c->volumes.n && c->volumes.at[volume].fs && strncmp(c->volumes.at[volume].fs, "ext", 3) == 0;
}

static bool applies(struct times *t, const struct an_file *f, const struct an_file *folder, enum kind kind)
{
	const int64_t mtime = f->time[AN_MTIME], ctime = f->time[AN_CTIME], crtime = f->time[AN_CRTIME];
	bool old_content = earlier(mtime, crtime, SLACK);
	bool late = earlier(crtime, ctime, LATE);
	switch (kind) {
	case LONE_BIRTH:
		return old_content && an_instants_near(&t->born, f->volume, crtime, WINDOW) <= LONE;
	case COPIED_TIME:
		return old_content && late && co_time_nsec(mtime) != 0;
	case LATE_CHANGE:
		return old_content && late && an_instants_near(&t->changed, f->volume, ctime, WINDOW) <= LONE;
	case CHANGED_BEFORE_BIRTH:
		return earlier(ctime, crtime, SLACK);
	case CONTENT_FROM_FUTURE:
		return earlier(ctime, mtime, SLACK);
	case NOT_IN_FOLDER_TIME:
		return folder && earlier(folder->time[AN_CTIME], crtime, SLACK);
	case OLDER_THAN_FOLDER:
		return folder && earlier(ctime, folder->time[AN_CRTIME], SLACK);
	case INODE_ORDER:
		return known(crtime) && is_ext(t->x->c, f->volume) && an_births_out_of_order(&t->inodes, f);
	case N_KINDS:
		break;
	}
	return false;
}

/* Programs, settings and web files; of the web files only those that act, unless a time is impossible. */
static bool is_watched(const struct an_case *c, const struct an_file *f, enum kind kind)
{
	bool impossible = kind >= CHANGED_BEFORE_BIRTH;
	if (an_path_is_web(c, f->path))
		return impossible || acts(f);
	if (an_path_is_system(f->path))
		return true;
	return impossible && kind != INODE_ORDER && f->content && !an_path_below(f->path, "/var/lib/dpkg");
}

static int find_hits(struct times *t, struct co_err *err)
{
	struct an_check_context *x = t->x;
	for (size_t i = 0; i < x->c->files.rows.n; i++) {
		const struct an_file *f = &x->c->files.rows.at[i];
		if (!an_file_is_live_regular(f) || !known(f->time[AN_CRTIME]) || an_check_knows(x, f, AN_KNOWN_SAME) ||
		    is_backup(f->path))
			continue;
		const struct an_file *folder = folder_of(x, f);
		for (enum kind k = 0; k < N_KINDS; k++)
			if (is_watched(x->c, f, k) && applies(t, f, folder, k) &&
			    co_vec_push(&t->hits, (struct hit) { i, k }) < 0)
				return co_err_set(err, CO_ERR_NOMEM, 0, "no memory for the check of times");
	}
	return 0;
}

static void add_time(struct co_str *s, const char *label, int64_t ns)
{
	char text[40];
	co_time_text(ns, text);
	co_str_addf(s, "%s%s %s", s->n ? ", " : "", label, *text ? text : "unknown");
}

static int report(struct times *t, const struct hit *h, struct co_err *err)
{
	static const char *const seen[N_KINDS] = {
		[LONE_BIRTH] =
			"The content claims to be older than the file, which came into being alone, not among the "
			"files of an archive or package",
		[COPIED_TIME] = "The content claims to be older than the file, with a time to the nanosecond, as taken "
				"over from another file",
		[LATE_CHANGE] =
			"The content claims to be older than the file, but something was changed later, when no "
			"other file was",
		[CHANGED_BEFORE_BIRTH] = "The last change of the metadata is earlier than the birth of the file",
		[CONTENT_FROM_FUTURE] = "The content claims to be newer than the last change of the metadata",
		[NOT_IN_FOLDER_TIME] = "The folder was last changed before this file in it came into being",
		[OLDER_THAN_FOLDER] =
			"The last change of the metadata is earlier than the birth of the folder that the "
			"file lies in",
		[INODE_ORDER] =
			"The birth is much earlier than that of the files with the inodes right before it, which "
			"ext4 hands out in rising order",
	};
	const struct an_file *f = &t->x->c->files.rows.at[h->row], *folder = folder_of(t->x, f);
	bool of_folder = h->kind == NOT_IN_FOLDER_TIME;
	CO_CLEANUP_STR struct co_str values = { 0 };
	if (of_folder)
		co_str_add(&values, f->path);
	add_time(&values, "born", f->time[AN_CRTIME]);
	add_time(&values, "content changed", f->time[AN_MTIME]);
	add_time(&values, "metadata changed", f->time[AN_CTIME]);
	if (of_folder && folder)
		add_time(&values, "folder changed", folder->time[AN_CTIME]);
	if (h->kind == OLDER_THAN_FOLDER && folder)
		add_time(&values, "folder born", folder->time[AN_CRTIME]);
	if (values.failed)
		return co_err_set(err, CO_ERR_NOMEM, 0, "no memory for the check of times");
	return an_findings_add(&t->x->c->findings, of_folder && folder ? folder : f, &rules[h->kind], NULL, -1, err,
			       "%s: %s, inode %llu.", seen[h->kind], co_str_get(&values), (unsigned long long)f->inode);
}

/* It is the folder's time that is wrong: one of its files is enough to say so. */
static bool is_repeated(struct times *t, size_t hit)
{
	const struct hit *h = &t->hits.at[hit];
	const struct an_file *folder = folder_of(t->x, &t->x->c->files.rows.at[h->row]);
	for (size_t i = 0; h->kind == NOT_IN_FOLDER_TIME && i < hit; i++)
		if (t->hits.at[i].kind == h->kind &&
		    folder_of(t->x, &t->x->c->files.rows.at[t->hits.at[i].row]) == folder)
			return true;
	return false;
}

/* What many files of a volume have in common says nothing about one of them; it is told once, as a fact. */
static int report_kind(struct times *t, uint32_t volume, enum kind kind, struct co_err *err)
{
	struct an_case *c = t->x->c;
	size_t n = 0;
	int r = 0;
	for (size_t i = 0; i < t->hits.n; i++)
		n += t->hits.at[i].kind == kind && c->files.rows.at[t->hits.at[i].row].volume == volume;
	if (n > MANY) {
		CO_CLEANUP_STR struct co_str text = { 0 };
		co_str_addf(&text,
			    "rule %s fits %zu files of volume %u: so common here that it is no evidence, and not "
			    "reported file by file",
			    rules[kind].id, n, volume);
		return text.failed ? co_err_set(err, CO_ERR_NOMEM, 0, "no memory for the check of times")
				   : an_case_fact(c, "file-times", co_str_get(&text), "", err);
	}
	for (size_t i = 0; r == 0 && n > 0 && i < t->hits.n; i++) {
		const struct hit *h = &t->hits.at[i];
		if (h->kind == kind && c->files.rows.at[h->row].volume == volume && !is_repeated(t, i))
			r = report(t, h, err);
	}
	return r;
}

static uint32_t count_volumes(const struct an_files *files)
{
	uint32_t n = 0;
	for (size_t i = 0; i < files->rows.n; i++)
		n = files->rows.at[i].volume >= n ? files->rows.at[i].volume + 1 : n;
	return n;
}

static int run(struct an_check_context *x, struct co_err *err)
{
	struct times t = { .x = x };
	int r = an_instants_make(&x->c->files, AN_CRTIME, &t.born, err);
	if (r == 0)
		r = an_instants_make(&x->c->files, AN_CTIME, &t.changed, err);
	if (r == 0)
		r = an_births_make(&x->c->files, &t.inodes, err);
	if (r == 0)
		r = find_hits(&t, err);
	uint32_t volumes = t.hits.n ? count_volumes(&x->c->files) : 0;
	for (uint32_t v = 0; v < volumes; v++)
		for (enum kind k = 0; r == 0 && k < N_KINDS; k++)
			r = report_kind(&t, v, k, err);
	an_instants_free(&t.born);
	an_instants_free(&t.changed);
	an_births_free(&t.inodes);
	co_vec_free(&t.hits);
	return r;
}

const struct an_check an_check_backdate = { "backdate", AN_AXIS_METADATA, "times that don't fit together", run };
