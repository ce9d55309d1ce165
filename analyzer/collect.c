/* SPDX-License-Identifier: Apache-2.0 */
#include "collect.h"

#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "facts.h"
#include "fs/walk.h"
#include "run/cancel.h"
#include "run/pool.h"

#define READ_AHEAD_MAX 2 /* threads: more inflate faster than one walk reads */

static int no_memory(struct co_err *err)
{
	return co_err_set(err, CO_ERR_NOMEM, 0, "out of memory");
}

/* libtsk turns FAT's local times into UTC by the zone of the process: it must be the server's, not the examiner's. */
static int set_time_zone(const char *zone, struct co_err *err)
{
	CO_CLEANUP_FREE char *path = NULL;
	if (!zone) {
		zone = "UTC0";
	} else if (asprintf(&path, "/usr/share/zoneinfo/%s", zone) < 0) {
		path = NULL;
		return no_memory(err);
	} else if (strstr(zone, "..") || zone[0] == '/' || access(path, R_OK) < 0) {
		return co_err_set(err, CO_ERR_USAGE, 0, "--time-zone: '%s' is not a zone such as Europe/Berlin", zone);
	}
	if (setenv("TZ", zone, 1) < 0)
		return no_memory(err);
	tzset();
	return 0;
}

static int add_evidence(struct an_collection *x, struct co_err *err)
{
	if (co_vec_reserve(&x->c.evidence, x->c.evidence.n + 1) < 0)
		return no_memory(err);
	int r = an_evidence_describe(&x->evidence, &x->c.evidence.at[x->c.evidence.n], err);
	if (r < 0)
		return r;
	x->c.evidence.n++;
	if (strcmp(x->evidence.kind, "e01") != 0)
		return 0;
	const struct co_e01_info *info = co_e01_info(&x->evidence.source);
	for (size_t i = 0; r == 0 && info && i < info->n_warnings; i++)
		r = an_case_problem(&x->c, UINT32_MAX, "", err, "%s", info->warnings[i]);
	return r;
}

static int add_volume(struct an_collection *x, const struct an_volume *v, struct co_err *err)
{
	struct an_case_volume row = {
		.offset = v->offset,
		.length = v->length,
		.table = strdup(v->table),
		.description = strdup(v->description),
		.fs = strdup(v->fs),
		.label = strdup(v->label),
		.uuid = strdup(v->uuid),
		.mount = strdup(v->mount),
		.mount_known = v->mount_known,
	};
	char *const all[] = { row.table, row.description, row.fs, row.label, row.uuid, row.mount };
	bool failed = false;
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		failed = failed || !all[i];
	if (!failed && co_vec_push(&x->c.volumes, row) == 0)
		return 0;
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		free(all[i]);
	return no_memory(err);
}

static int check_volume(const struct an_collection *x, int volume, struct co_err *err)
{
	bool any = false;
	for (size_t i = 0; i < x->volumes.list.n; i++)
		any = any || x->volumes.list.at[i].readable;
	if (!any) {
		/* what is there instead is the best explanation */
		const char *why = x->c.problems.n ? x->c.problems.at[0].text : "";
		return co_err_set(err, CO_ERR_UNSUPPORTED, 0,
				  "no file system that this version can read was found in %s%s%s", x->evidence.name,
				  *why ? ": " : "", why);
	}
	if (volume >= 0 && (size_t)volume >= x->volumes.list.n)
		return co_err_set(err, CO_ERR_USAGE, 0, "%s has no volume %d: they are numbered from 0 to %zu",
				  x->evidence.name, volume, x->volumes.list.n - 1);
	if (volume >= 0 && !x->volumes.list.at[volume].readable)
		return co_err_set(err, CO_ERR_UNSUPPORTED, 0,
				  "volume %d of %s holds no file system that this version can read", volume,
				  x->evidence.name);
	return 0;
}

/* Reading ahead is for processors that nothing else keeps busy: the walk is one thread, digests are made by workers. */
static unsigned read_ahead_threads(const struct an_collect_opts *opts)
{
	unsigned cores = co_pool_cores(), workers = opts->threads ? opts->threads : cores;
	unsigned busy = opts->hash == AN_HASH_NONE ? 1 : workers;
	unsigned idle = cores > busy ? cores - busy : 0;
	return idle < READ_AHEAD_MAX ? idle : READ_AHEAD_MAX;
}

static int open_all(struct an_collection *x, const char *const *names, size_t n, const struct an_collect_opts *opts,
		    struct co_err *err)
{
	int r = set_time_zone(opts->time_zone, err);
	const struct co_e01_opts e01 = { .cache_bytes = opts->cache, .ahead = read_ahead_threads(opts) };
	if (r == 0)
		r = an_evidence_open(&x->evidence, names, n, &e01, err);
	if (r == 0)
		r = add_evidence(x, err);
	if (r == 0)
		r = an_volumes_open(&x->volumes, &x->evidence, &x->c, err);
	if (r == 0)
		r = check_volume(x, opts->volume, err);
	if (r == 0)
		r = an_volumes_mount(&x->volumes, &x->evidence, opts->volume, &x->c, err);
	for (size_t i = 0; r == 0 && i < x->volumes.list.n; i++)
		r = add_volume(x, &x->volumes.list.at[i], err);
	return r;
}

int an_collect_open(struct an_collection *ret, const char *const *names, size_t n, const struct an_collect_opts *opts,
		    struct co_err *err)
{
	*ret = (struct an_collection) { 0 };
	int r = open_all(ret, names, n, opts, err);
	if (r < 0) {
		an_collect_close(ret);
		return r;
	}
	ret->reader = (struct an_reader) { &ret->evidence, &ret->volumes, NULL };
	return ret->c.problems.n > 0;
}

static int walk_volume(struct an_collection *x, uint32_t index, struct co_err *err)
{
	const struct an_volume *v = &x->volumes.list.at[index];
	struct an_sink sink = an_sink_to_case(&x->c);
	struct an_fs *fs = NULL;
	struct co_err why = CO_ERR_INIT;
	int r = an_fs_open(&fs, &x->evidence, v, &why);
	if (r == CO_ERR_FORMAT)
		return an_case_problem(&x->c, index, "", err, "the file system can't be opened: %s", why.msg);
	if (r < 0) {
		*err = why;
		return r;
	}
	size_t before = x->c.files.rows.n;
	r = an_walk(fs, index, v->mount, &sink, err);
	an_fs_close(fs);
	x->c.volumes.at[index].n_files = x->c.files.rows.n - before;
	return r;
}

/* Folders of programs: their files have digests in the package database. */
static bool is_packaged_place(const char *path)
{
	static const char *const places[] = { "/bin/",      "/sbin/",   "/lib",        "/etc/", "/usr/bin/",
					      "/usr/sbin/", "/usr/lib", "/usr/local/", "/boot/" };
	for (size_t i = 0; i < sizeof places / sizeof *places; i++)
		if (strncmp(path, places[i], strlen(places[i])) == 0)
			return true;
	return false;
}

static bool is_wanted_web(void *arg, const struct an_file *f)
{
	return is_packaged_place(f->path) || an_facts_in_web_root(arg, f->path);
}

static int digest(struct an_collection *x, const struct an_collect_opts *opts, struct co_err *err)
{
	struct an_content_opts o = { .threads = opts->threads, .progress = opts->progress, .arg = &x->c };
	if (opts->hash == AN_HASH_NONE)
		return 0;
	if (opts->hash == AN_HASH_WEB)
		o.wanted = is_wanted_web;
	return an_content_digest(&x->evidence, &x->volumes, &x->c, &o, err);
}

int an_collect_files(struct an_collection *x, const struct an_collect_opts *opts, struct co_err *err)
{
	co_progress_phase(opts->progress, "walk", x->volumes.list.n, "volumes");
	int r = 0;
	for (size_t i = 0; r == 0 && i < x->volumes.list.n; i++) {
		if (x->volumes.list.at[i].mount[0])
			r = walk_volume(x, (uint32_t)i, err);
		co_progress_add(opts->progress, 1);
	}
	if (r == 0)
		r = an_facts_find(&x->c, &x->reader, err);
	if (r == 0)
		r = digest(x, opts, err);
	return r < 0 ? r : x->c.problems.n > 0;
}

void an_collect_close(struct an_collection *x)
{
	an_reader_close(&x->reader);
	an_case_free(&x->c);
	an_volumes_free(&x->volumes);
	an_evidence_close(&x->evidence);
	*x = (struct an_collection) { 0 };
}

bool an_is_case(const char *path)
{
	CO_CLEANUP_FREE char *db = NULL;
	struct stat st;
	if (asprintf(&db, "%s/case.db", path) < 0) {
		db = NULL;
		return false;
	}
	return stat(db, &st) == 0 && S_ISREG(st.st_mode);
}
