/* SPDX-License-Identifier: Apache-2.0 */
/* Packaged files against the digests that dpkg keeps of them. */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"
#include "check/check.h"
#include "check/dpkg_lists.h"
#include "check/paths.h"

#define INFO "/var/lib/dpkg/info"
#define MAX_LIST (64 << 20) /* bytes of one list of dpkg */

/* Most of the packaged files are not in the image at all: it is not the whole system. */
#define MANY_MISSING 200

static const struct an_rule rule_code = {
	"dpkg-modified",
	AN_AXIS_INTEGRITY,
	90,
	true,
	"An administrator may have replaced or patched this file by hand, without a package.",
};
static const struct an_rule rule_data = {
	"dpkg-modified-data",
	AN_AXIS_INTEGRITY,
	50,
	true,
	"An administrator or the program itself may have changed this data file.",
};
static const struct an_rule rule_state = {
	"dpkg-modified-state",
	AN_AXIS_INTEGRITY,
	10,
	false,
	"Packages ship some files below /var and /etc that their programs change in normal work.",
};
static const struct an_rule rule_conffile = {
	"conffile-modified",
	AN_AXIS_INTEGRITY,
	5,
	false,
	"Administrators edit configuration files; this is their purpose.",
};
static const struct an_rule rule_missing = {
	"dpkg-missing",
	AN_AXIS_INTEGRITY,
	10,
	false,
	"An administrator may have deleted the file, or dpkg was told to leave it out (path-exclude).",
};

/* A file that a package lists and the image lacks. Strings live as long as the context. */
struct missing {
	const char *path, *package, *list;
};

/* What dpkg knows, and how the comparison goes. Spans point into the texts. */
struct dpkg {
	struct an_check_context *x;
	char *status, *diverted;
	CO_VEC(struct an_dpkg_package) packages; /* sorted by name */
	CO_VEC(struct an_diversion) diversions;
	CO_VEC(struct missing) missing;
	uint32_t volume; /* that holds dpkg's files */
	size_t lists, compared, without_digest;
};

/* One packaged file: who says what about it. */
struct entry {
	const struct an_dpkg_package *package;
	struct an_span path; /* absolute, or relative to the root */
	uint8_t md5[16];
	const struct an_file *list; /* the file that says so */
};

static int no_memory(struct co_err *err)
{
	return co_err_set(err, CO_ERR_NOMEM, 0, "no memory for the package lists");
}

static void dpkg_free(struct dpkg *d)
{
	free(d->status);
	free(d->diverted);
	co_vec_free(&d->packages);
	co_vec_free(&d->diversions);
	co_vec_free(&d->missing);
}

static int compare_names(struct an_span a, struct an_span b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int r = n ? memcmp(a.s, b.s, n) : 0;
	return r ? r : (a.n > b.n) - (a.n < b.n);
}

/* By name; of several architectures the installed one first. */
static int compare_packages(const void *pa, const void *pb)
{
	const struct an_dpkg_package *a = pa, *b = pb;
	int r = compare_names(a->name, b->name);
	r = r ? r : b->installed - a->installed;
	return r ? r : (a->name.s > b->name.s) - (a->name.s < b->name.s);
}

static const struct an_dpkg_package *find_installed(const struct dpkg *d, struct an_span name)
{
	size_t low = 0, high = d->packages.n;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (compare_names(d->packages.at[mid].name, name) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	const struct an_dpkg_package *p = low < d->packages.n ? &d->packages.at[low] : NULL;
	return p && an_span_is(p->name, name) && p->installed ? p : NULL;
}

/* 0, or 1: there is no such file or it is unreadable, *ret_text stays NULL. */
static int load_text(struct dpkg *d, const char *path, char **ret_text, size_t *ret_len, struct co_err *err)
{
	struct an_file *f = an_path_resolve(&d->x->c->files, path);
	if (!f || !an_file_is_live_regular(f))
		return 1;
	d->volume = f->volume;
	return an_check_load(d->x, f, MAX_LIST, ret_text, ret_len, err);
}

static int load_status(struct dpkg *d, struct co_err *err)
{
	size_t len = 0, at = 0;
	int r = load_text(d, "/var/lib/dpkg/status", &d->status, &len, err);
	struct an_dpkg_package p;
	while (r == 0 && an_next_package(d->status, len, &at, &p))
		if (co_vec_push(&d->packages, p) < 0)
			return no_memory(err);
	if (d->packages.n)
		qsort(d->packages.at, d->packages.n, sizeof *d->packages.at, compare_packages);
	return r;
}

static int load_diversions(struct dpkg *d, struct co_err *err)
{
	size_t len = 0, at = 0;
	int r = load_text(d, "/var/lib/dpkg/diversions", &d->diverted, &len, err);
	struct an_diversion v;
	while (r == 0 && an_next_diversion(d->diverted, len, &at, &v))
		if (co_vec_push(&d->diversions, v) < 0)
			return no_memory(err);
	return r < 0 ? r : 0;
}

/* Where the package's file lies: absolute, behind a diversion that isn't the package's own. */
static void place_of(const struct dpkg *d, const struct entry *e, struct co_str *ret)
{
	co_str_clear(ret);
	if (e->path.s[0] != '/')
		co_str_add(ret, "/");
	co_str_add_n(ret, e->path.s, e->path.n);
	struct an_span path = { co_str_get(ret), ret->n };
	for (size_t i = 0; i < d->diversions.n; i++) {
		const struct an_diversion *v = &d->diversions.at[i];
		if (an_span_is(v->from, path) && !an_span_is(v->package, e->package->name)) {
			co_str_clear(ret);
			co_str_add_n(ret, v->to.s, v->to.n);
			return;
		}
	}
}

/* Does changing it change what the machine does? */
static bool is_code(const struct an_file *f)
{
	static const char *const code[] = { "so", "js", "mjs", "html", "htm", "inc", "tpl", "ko", "service", NULL };
	return (f->content & (AN_CONTENT_PHP | AN_CONTENT_SHEBANG | AN_CONTENT_ELF | AN_CONTENT_JSP)) ||
	       (f->mode & 0111) || an_path_is_script(f->path) || an_path_has_extension(f->path, code) ||
	       strstr(an_path_base(f->path), ".so.");
}

static bool is_state(const char *path)
{
	return an_path_below(path, "/var") || an_path_below(path, "/etc") || an_path_below(path, "/run");
}

static const struct an_rule *rule_for(const struct an_file *f, bool conffile)
{
	if (conffile)
		return &rule_conffile;
	if (is_code(f))
		return &rule_code;
	return is_state(f->path) ? &rule_state : &rule_data;
}

/* " (SHA-256 ...)" of the list, so that the baseline is named for good; "" if it was not digested. */
static void name_list(const struct an_file *list, struct co_str *ret)
{
	char hex[65];
	co_str_add(ret, list->path);
	if (!(list->flags & AN_HAS_DIGESTS))
		return;
	co_hex(list->sha256, sizeof list->sha256, hex);
	co_str_addf(ret, " (SHA-256 %s)", hex);
}

static int report_change(struct dpkg *d, const struct entry *e, const struct an_file *f, bool conffile,
			 struct co_err *err)
{
	CO_CLEANUP_STR struct co_str list = { 0 };
	char want[33], found[33], mtime[40], ctime[40];
	name_list(e->list, &list);
	co_hex(e->md5, 16, want);
	co_hex(f->md5, 16, found);
	co_time_text(f->time[AN_MTIME], mtime);
	co_time_text(f->time[AN_CTIME], ctime);
	if (list.failed)
		return no_memory(err);
	return an_findings_add(&d->x->c->findings, f, rule_for(f, conffile), NULL, -1, err,
			       "The content differs from package %.*s %.*s: MD5 is %s, but %s says %s; content changed "
			       "%s, metadata changed %s.",
			       (int)e->package->name.n, e->package->name.s, (int)e->package->version.n,
			       e->package->version.s, found, co_str_get(&list), want,
			       *mtime ? mtime : "at an unknown time", *ctime ? ctime : "at an unknown time");
}

/* Worth a finding when it is gone: programs, libraries, web applications; not documentation and translations. */
static bool would_be_missed(const char *path)
{
	static const char *const folders[] = { "/usr/bin", "/usr/sbin", "/usr/lib", "/bin", "/sbin", "/lib" };
	for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
		if (an_path_below(path, folders[i]))
			return true;
	return an_path_below(path, "/usr/share") && an_path_is_script(path) && !an_path_below(path, "/usr/share/doc");
}

static int note_missing(struct dpkg *d, const struct entry *e, const char *path, struct co_err *err)
{
	if (!would_be_missed(path))
		return 0;
	struct missing m = { .list = e->list->path };
	m.path = an_strings_add(d->x->strings, path, strlen(path));
	m.package = an_strings_add(d->x->strings, e->package->name.s, e->package->name.n);
	return m.path && m.package && co_vec_push(&d->missing, m) == 0 ? 0 : no_memory(err);
}

static int note_packaged(struct dpkg *d, const struct entry *e, const struct an_file *f, struct co_err *err)
{
	struct an_packaged p = { .row = (size_t)(f - d->x->c->files.rows.at) };
	memcpy(p.md5, e->md5, sizeof p.md5);
	/* files come package by package: the name of the last one mostly serves */
	const char *last = d->x->packaged.n ? d->x->packaged.at[d->x->packaged.n - 1].package : NULL;
	if (last && strlen(last) == e->package->name.n && memcmp(last, e->package->name.s, e->package->name.n) == 0)
		p.package = last;
	else
		p.package = an_strings_add(d->x->strings, e->package->name.s, e->package->name.n);
	return p.package && co_vec_push(&d->x->packaged, p) == 0 ? 0 : no_memory(err);
}

static int compare_file(struct dpkg *d, const struct entry *e, const char *path, bool conffile, struct co_err *err)
{
	struct an_file *f = an_path_resolve(&d->x->c->files, path);
	if (!f)
		return conffile ? 0 : note_missing(d, e, path, err);
	if (!an_file_is_live_regular(f))
		return 0;
	an_check_mark(d->x, f, AN_KNOWN_PACKAGED);
	if (!(f->flags & AN_HAS_DIGESTS)) {
		d->without_digest += !(f->flags & AN_CONTENT_DAMAGED);
		return 0;
	}
	d->compared++;
	int r = conffile ? 0 : note_packaged(d, e, f, err);
	if (r < 0)
		return r;
	bool same = memcmp(f->md5, e->md5, sizeof e->md5) == 0;
	an_check_mark(d->x, f, same ? AN_KNOWN_SAME : AN_KNOWN_CHANGED);
	return same ? 0 : report_change(d, e, f, conffile, err);
}

static int compare_md5sums(struct dpkg *d, const struct an_file *list, const struct an_dpkg_package *package,
			   struct co_err *err)
{
	CO_CLEANUP_FREE char *text = NULL;
	CO_CLEANUP_STR struct co_str path = { 0 };
	size_t len = 0, at = 0;
	struct entry e = { .package = package, .list = list };
	struct an_span line;
	d->lists++;
	int r = an_check_load(d->x, list, MAX_LIST, &text, &len, err);
	while (r == 0 && an_next_line(text, len, &at, &line)) {
		if (!an_md5sums_line(line, e.md5, &e.path))
			continue;
		place_of(d, &e, &path);
		r = path.failed ? no_memory(err) : compare_file(d, &e, co_str_get(&path), false, err);
	}
	return r < 0 ? r : 0;
}

/* Everything that a package put somewhere, also what has no digest. */
static int mark_list(struct dpkg *d, const struct an_file *list, struct co_err *err)
{
	CO_CLEANUP_FREE char *text = NULL;
	CO_CLEANUP_STR struct co_str path = { 0 };
	size_t len = 0, at = 0;
	struct an_span line;
	int r = an_check_load(d->x, list, MAX_LIST, &text, &len, err);
	while (r == 0 && an_next_line(text, len, &at, &line)) {
		co_str_clear(&path);
		co_str_add_n(&path, line.s, line.n);
		if (path.failed)
			return no_memory(err);
		struct an_file *f = an_path_resolve(&d->x->c->files, co_str_get(&path));
		if (f && an_file_is_live_regular(f))
			an_check_mark(d->x, f, AN_KNOWN_PACKAGED);
	}
	return r < 0 ? r : 0;
}

static int compare_lists(struct dpkg *d, struct co_err *err)
{
	struct an_files *files = &d->x->c->files;
	for (size_t i = 0; i < files->rows.n; i++) {
		const struct an_file *f = &files->rows.at[i];
		const char *base = an_path_base(f->path);
		if (!an_path_below(f->path, INFO) || base != f->path + sizeof INFO || !an_file_is_live_regular(f))
			continue;
		struct an_span name = an_list_package(base, ".md5sums");
		const struct an_dpkg_package *package = name.n ? find_installed(d, name) : NULL;
		int r = package ? compare_md5sums(d, f, package, err) : 0;
		name = an_list_package(base, ".list");
		if (r == 0 && name.n && find_installed(d, name))
			r = mark_list(d, f, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int compare_conffiles(struct dpkg *d, struct co_err *err)
{
	CO_CLEANUP_STR struct co_str path = { 0 };
	struct entry e = { .list = an_path_resolve(&d->x->c->files, "/var/lib/dpkg/status") };
	for (size_t i = 0; i < d->packages.n; i++) {
		e.package = &d->packages.at[i];
		size_t at = 0;
		struct an_span line;
		while (e.package->installed &&
		       an_next_line(e.package->conffiles.s, e.package->conffiles.n, &at, &line)) {
			if (!an_conffile_line(line, e.md5, &e.path))
				continue;
			place_of(d, &e, &path);
			int r = path.failed ? no_memory(err) : compare_file(d, &e, co_str_get(&path), true, err);
			if (r < 0)
				return r;
		}
	}
	return 0;
}

static int report_missing(struct dpkg *d, struct co_err *err)
{
	struct an_case *c = d->x->c;
	if (d->missing.n > MANY_MISSING && d->missing.n > d->compared / 10)
		return an_case_problem(
			c, UINT32_MAX, "", err,
			"%zu packaged programs and libraries are not in the image: it holds only part of "
			"the system, or packages were deleted without dpkg",
			d->missing.n);
	for (size_t i = 0; i < d->missing.n; i++) {
		const struct missing *m = &d->missing.at[i];
		struct an_file gone = { .path = m->path, .volume = d->volume };
		for (int k = 0; k < AN_TIME_N; k++)
			gone.time[k] = CO_TIME_NONE;
		int r = an_findings_add(&c->findings, &gone, &rule_missing, NULL, -1, err,
					"The file is missing, though %s lists it for the installed package %s.",
					m->list, m->package);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Says what was compared, so that an empty list of findings can be judged. */
static int report_extent(struct dpkg *d, struct co_err *err)
{
	struct an_case *c = d->x->c;
	CO_CLEANUP_STR struct co_str text = { 0 };
	if (d->compared == 0 && d->without_digest > 0)
		return an_case_problem(
			c, UINT32_MAX, "", err,
			"%zu packaged files were not compared with their packages: their content was not "
			"read (--hash)",
			d->without_digest);
	co_str_addf(&text, "%zu files compared with the digests of %zu packages", d->compared, d->lists);
	if (d->without_digest)
		co_str_addf(&text, ", %zu not compared: their content was not read (--hash)", d->without_digest);
	return text.failed ? no_memory(err) : an_case_fact(c, "baseline", co_str_get(&text), "/var/lib/dpkg", err);
}

static int run(struct an_check_context *x, struct co_err *err)
{
	struct dpkg d = { .x = x };
	int r = load_status(&d, err);
	if (r == 0)
		r = load_diversions(&d, err);
	if (r == 0)
		r = compare_lists(&d, err);
	if (r == 0)
		r = compare_conffiles(&d, err);
	if (r == 0)
		r = report_missing(&d, err);
	if (r == 0)
		r = report_extent(&d, err);
	dpkg_free(&d);
	return r < 0 ? r : 0;
}

const struct an_check an_check_dpkg = { "dpkg", AN_AXIS_INTEGRITY, "packaged files that differ from their package",
					run };
