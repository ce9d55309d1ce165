/* SPDX-License-Identifier: Apache-2.0 */
#include "acquire/publish.h"

#include <ctype.h>
#include <errno.h>
#include <libgen.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "acquire/acquire.h"
#include "acquire/report.h"
#include "acquire/verify.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "e01/reader.h"
#include "e01/segment.h"
#include "manifest/bag.h"
#include "version.h"

int im_check_name(const char *name, struct co_err *err)
{
	size_t n = strlen(name);

	if (n == 0 || n > 100 || name[0] == '.' || name[0] == '-')
		return co_err_set(err, CO_ERR_USAGE, 0,
				  "--name must have 1 to 100 characters and not begin with a dot or dash");
	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)name[i]) && !strchr("._-", name[i]))
			return co_err_set(err, CO_ERR_USAGE, 0,
					  "--name may hold letters, digits, dot, dash and underscore only");
	return 0;
}

int im_output_free(const char *bag, uint64_t *ret_bytes, struct co_err *err)
{
	CO_CLEANUP_FREE char *copy = strdup(bag);
	const char *folder = copy;
	struct statvfs fs;

	if (!copy)
		return co_err_set(err, CO_ERR_NOMEM, 0, "no memory for a name");
	if (statvfs(folder, &fs) < 0)
		folder = dirname(copy);
	if (statvfs(folder, &fs) < 0)
		return co_err_set(err, CO_ERR_OUTPUT, errno, "%s: no such place to write to", folder);
	*ret_bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
	return 0;
}

static char *text_of(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* NULL: no memory. */
static char *text_of(const char *fmt, ...)
{
	char *s = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&s, fmt, ap) < 0)
		s = NULL;
	va_end(ap);
	return s;
}

static int no_memory(struct co_err *err)
{
	return co_err_set(err, CO_ERR_NOMEM, 0, "no memory for the files of the bag");
}

int im_bag_files_init(struct im_bag_files *ret, const char *bag, const char *name, struct co_err *err)
{
	struct im_bag_files f = {
		.bag = bag,
		.data = text_of("%s/data", bag),
		.stem = text_of("%s/data/%s.part", bag, name),
		.manifest = text_of("%s/data/%s.manifest.json", bag, name),
		.report = text_of("%s/data/%s.report.txt", bag, name),
		.map = text_of("%s/data/%s.map", bag, name),
		.blocks = text_of("%s/data/%s.blocks.sha256", bag, name),
		.events = text_of("%s/data/%s.events.jsonl", bag, name),
		.verify = text_of("%s/VERIFY.txt", bag),
	};

	if (!f.data || !f.stem || !f.manifest || !f.report || !f.map || !f.blocks || !f.events || !f.verify) {
		im_bag_files_free(&f);
		return no_memory(err);
	}
	*ret = f;
	return 0;
}

void im_bag_files_free(struct im_bag_files *f)
{
	free(f->data);
	free(f->stem);
	free(f->manifest);
	free(f->report);
	free(f->map);
	free(f->blocks);
	free(f->events);
	free(f->verify);
	*f = (struct im_bag_files) { 0 };
}

static char *full_name(const struct im_bag_files *f, const char *name, struct co_err *err)
{
	char *s = text_of("%s/%s", f->data, name);

	if (!s)
		no_memory(err);
	return s;
}

static int read_segment(const struct im_bag_files *f, struct im_segment *segment, struct co_err *err)
{
	CO_CLEANUP_FREE char *file = full_name(f, segment->part, err);
	struct co_digests d;
	struct stat st;
	int r;

	if (!file)
		return CO_ERR_NOMEM;
	im_drop_cache(file);
	r = co_digest_file(CO_HASH_BIT(CO_HASH_SHA256), file, &d, err);
	if (r == CO_ERR_NOMEM)
		return r;
	if (r < 0 || stat(file, &st) < 0)
		return co_err_set(err, CO_ERR_OUTPUT, r < 0 ? 0 : errno, "read %s back%s%s", file, r < 0 ? ": " : "",
				  r < 0 ? err->msg : "");
	segment->bytes = (uint64_t)st.st_size;
	co_digests_hex(&d, CO_HASH_SHA256, segment->sha256);
	return 0;
}

int im_list_segments(const struct im_bag_files *f, struct im_record *rec, unsigned n, struct co_err *err)
{
	for (unsigned i = 1; i <= n; i++) {
		struct im_segment s = { 0 };
		char extension[4];
		int r;

		if (co_e01_extension(i, extension) < 0)
			return co_err_set(err, CO_ERR_OUTPUT, 0, "the image has too many segments");
		s.name = text_of("%s.%s", rec->name, extension);
		s.part = text_of("%s.part.%s", rec->name, extension);
		if (!s.name || !s.part || co_vec_push(&rec->segments, s) < 0) {
			free(s.name);
			free(s.part);
			return no_memory(err);
		}
		r = read_segment(f, &rec->segments.at[i - 1], err);
		if (r < 0)
			return r;
	}
	return 0;
}

int im_open_parts(const struct im_bag_files *f, const struct im_record *rec, struct co_source *ret, struct co_err *err)
{
	size_t n = rec->segments.n;
	char **names = calloc(n, sizeof *names);
	int r = names ? 0 : no_memory(err);

	for (size_t i = 0; r == 0 && i < n; i++) {
		names[i] = full_name(f, rec->segments.at[i].part, err);
		if (!names[i])
			r = CO_ERR_NOMEM;
	}
	if (r == 0)
		r = co_e01_open(ret, (const char *const *)names, n, err);
	for (size_t i = 0; names && i < n; i++)
		free(names[i]);
	free(names);
	return r;
}

int im_publish_segments(const struct im_bag_files *f, struct im_record *rec, struct co_err *err)
{
	/* The first one last: a set without it can't be taken for an image. */
	for (size_t i = rec->segments.n; i-- > 0;) {
		CO_CLEANUP_FREE char *from = full_name(f, rec->segments.at[i].part, err);
		CO_CLEANUP_FREE char *to = full_name(f, rec->segments.at[i].name, err);
		int r = from && to ? co_rename_new(from, to, err) : CO_ERR_NOMEM;

		if (r < 0)
			return r;
	}
	rec->published = true;
	return 0;
}

static int write_text(const char *file, const struct im_record *rec,
		      int (*make)(const struct im_record *rec, struct co_str *ret, struct co_err *err),
		      struct co_err *err)
{
	CO_CLEANUP_STR struct co_str s = { 0 };
	int r = make(rec, &s, err);

	return r < 0 ? r : co_sink_write_file(file, co_str_get(&s), s.n, err);
}

int im_write_manifest(const struct im_bag_files *f, const struct im_record *rec, struct co_err *err)
{
	return write_text(f->manifest, rec, im_record_text, err);
}

int im_write_sidecars(const struct im_bag_files *f, struct im_record *rec, struct im_events *events, struct co_err *err)
{
	struct co_err first = CO_ERR_INIT, e;

	if (events && im_events_commit(events, &rec->events, &e) < 0)
		first = e;
	if (write_text(f->map, rec, im_map_text, &e) < 0 && !first.code)
		first = e;
	if (im_write_manifest(f, rec, &e) < 0 && !first.code)
		first = e;
	if (write_text(f->report, rec, im_report_text, &e) < 0 && !first.code)
		first = e;
	if (first.code)
		*err = first;
	return first.code;
}

int im_seal_bag(const struct im_bag_files *f, const struct im_record *rec, struct co_err *err)
{
	struct co_bag_known *known = calloc(rec->segments.n + 1, sizeof *known);
	char **paths = calloc(rec->segments.n + 1, sizeof *paths), date[40];
	const struct co_bag_field fields[] = {
		{ "Bag-Software-Agent", "exhibit-imager " CO_VERSION },
		{ "Bagging-Date", date },
		{ "Contact-Name", rec->info.examiner },
		{ "External-Identifier", rec->info.evidence_number },
		{ "External-Description", rec->info.description },
		{ "Exhibit-Case-Number", rec->info.case_number },
		{ "Exhibit-Version", CO_VERSION },
	};
	int r = known && paths ? write_text(f->verify, rec, im_verify_text, err) : no_memory(err);

	co_time_text_sec(rec->end_ns, date);
	date[strlen("YYYY-MM-DD")] = '\0';
	for (size_t i = 0; r == 0 && i < rec->segments.n; i++) {
		paths[i] = text_of("data/%s", rec->segments.at[i].name);
		if (!paths[i])
			r = no_memory(err);
		known[i].path = paths[i];
		memcpy(known[i].sha256, rec->segments.at[i].sha256, sizeof known[i].sha256);
	}
	if (r == 0)
		r = co_bag_seal(f->bag, fields, sizeof fields / sizeof fields[0], known, rec->segments.n, err);
	for (size_t i = 0; paths && i < rec->segments.n; i++)
		free(paths[i]);
	free(paths);
	free(known);
	return r;
}
