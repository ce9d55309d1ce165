/* SPDX-License-Identifier: Apache-2.0 */
#include "acquire/publish.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "acquire/acquire.h"
#include "acquire/case_uco.h"
#include "acquire/certificate.h"
#include "acquire/dfxml.h"
#include "acquire/report.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "e01/reader.h"
#include "manifest/bag.h"
#include "version.h"

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
		.stem = text_of("%s/data/%s.writing", bag, name),
		.parts = text_of("%s/data/%s.%%.part", bag, name),
		.manifest = text_of("%s/data/%s.manifest.json", bag, name),
		.report = text_of("%s/data/%s.report.txt", bag, name),
		.map = text_of("%s/data/%s.map", bag, name),
		.blocks = text_of("%s/data/%s.blocks.sha256", bag, name),
		.events = text_of("%s/data/%s.events.jsonl", bag, name),
		.dfxml = text_of("%s/data/%s.dfxml", bag, name),
		.case_uco = text_of("%s/data/%s.case.jsonld", bag, name),
		.certificate = text_of("%s/data/%s.certificate.txt", bag, name),
		.verify = text_of("%s/VERIFY.txt", bag),
		.bag_manifest = text_of("%s/manifest-sha256.txt", bag),
		.bag_tagmanifest = text_of("%s/tagmanifest-sha256.txt", bag),
	};

	if (!f.data || !f.stem || !f.parts || !f.manifest || !f.report || !f.map || !f.blocks || !f.events ||
	    !f.dfxml || !f.case_uco || !f.certificate || !f.verify || !f.bag_manifest || !f.bag_tagmanifest) {
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
	free(f->parts);
	free(f->manifest);
	free(f->report);
	free(f->map);
	free(f->blocks);
	free(f->events);
	free(f->dfxml);
	free(f->case_uco);
	free(f->certificate);
	free(f->verify);
	free(f->bag_manifest);
	free(f->bag_tagmanifest);
	*f = (struct im_bag_files) { 0 };
}

static char *full_name(const struct im_bag_files *f, const char *name, struct co_err *err)
{
	char *s = text_of("%s/%s", f->data, name);

	if (!s)
		no_memory(err);
	return s;
}

int im_open_parts(const struct im_bag_files *f, const struct im_bag_record *bag, struct co_source *ret,
		  struct co_err *err)
{
	size_t n = bag->segments.n;
	char **names = calloc(n, sizeof *names);
	int r = names ? 0 : no_memory(err);

	for (size_t i = 0; r == 0 && i < n; i++) {
		names[i] = full_name(f, bag->segments.at[i].part, err);
		if (!names[i])
			r = CO_ERR_NOMEM;
	}
	if (r == 0)
		r = co_e01_open(ret, (const char *const *)names, n, NULL, err);
	for (size_t i = 0; names && i < n; i++)
		free(names[i]);
	free(names);
	return r;
}

int im_publish_segments(const struct im_bag_files *f, struct im_bag_record *bag, struct co_err *err)
{
	/* The first one last: a set without it can't be taken for an image. */
	for (size_t i = bag->segments.n; i-- > 0;) {
		CO_CLEANUP_FREE char *from = full_name(f, bag->segments.at[i].part, err);
		CO_CLEANUP_FREE char *to = full_name(f, bag->segments.at[i].name, err);
		int r = from && to ? co_rename_new(from, to, err) : CO_ERR_NOMEM;

		if (r < 0)
			return r;
	}
	bag->published = true;
	return 0;
}

/* Writes a made text; @r: how the making ended. */
static int write_text(const char *file, int r, const struct co_str *text, struct co_err *err)
{
	return r < 0 ? r : co_sink_write_file(file, co_str_get(text), text->n, err);
}

static int write_map(const struct im_bag_files *f, const struct im_record *rec, const struct im_bag_record *bag,
		     struct co_err *err)
{
	CO_CLEANUP_STR struct co_str s = { 0 };

	(void)bag;
	return write_text(f->map, im_map_text(rec, &s, err), &s, err);
}

static int write_manifest(const struct im_bag_files *f, const struct im_record *rec, const struct im_bag_record *bag,
			  struct co_err *err)
{
	CO_CLEANUP_STR struct co_str s = { 0 };

	return write_text(f->manifest, im_record_text(rec, bag, &s, err), &s, err);
}

static int write_report(const struct im_bag_files *f, const struct im_record *rec, const struct im_bag_record *bag,
			struct co_err *err)
{
	CO_CLEANUP_STR struct co_str s = { 0 };

	return write_text(f->report, im_report_text(rec, bag, &s, err), &s, err);
}

/* The digests of the blocks are there only if the image was finished. */
static int write_dfxml(const struct im_bag_files *f, const struct im_record *rec, const struct im_bag_record *bag,
		       struct co_err *err)
{
	const char *blocks = access(f->blocks, F_OK) == 0 ? f->blocks : NULL;
	CO_CLEANUP_STR struct co_str s = { 0 };

	return write_text(f->dfxml, im_dfxml_text(rec, bag, blocks, &s, err), &s, err);
}

static int write_case_uco(const struct im_bag_files *f, const struct im_record *rec, const struct im_bag_record *bag,
			  struct co_err *err)
{
	CO_CLEANUP_STR struct co_str s = { 0 };

	return write_text(f->case_uco, im_case_uco_text(rec, bag, &s, err), &s, err);
}

/* Takes an earlier one away where there is nothing to certify any more. */
static int write_certificate(const struct im_bag_files *f, const struct im_record *rec, const struct im_bag_record *bag,
			     struct co_err *err)
{
	CO_CLEANUP_STR struct co_str s = { 0 };

	if (im_certificate_is_due(bag))
		return write_text(f->certificate, im_certificate_text(rec, bag, &s, err), &s, err);
	if (unlink(f->certificate) < 0 && errno != ENOENT)
		return co_err_set(err, CO_ERR_OUTPUT, errno, "remove %s", f->certificate);
	return 0;
}

static int write_how_to_verify(const struct im_bag_files *f, const struct im_record *rec, struct co_err *err)
{
	CO_CLEANUP_STR struct co_str s = { 0 };

	return write_text(f->verify, im_verify_text(rec, &s, err), &s, err);
}

int im_write_record(const struct im_bag_files *f, const struct im_record *rec, const struct im_bag_record *bag,
		    struct co_err *err)
{
	return write_manifest(f, rec, bag, err);
}

void im_disown_record(const struct im_bag_files *f)
{
	CO_CLEANUP_FREE char *to = text_of("%s.unsealed", f->manifest);

	if (!to || rename(f->manifest, to) < 0)
		unlink(f->manifest);
}

int im_write_sidecars(const struct im_bag_files *f, const struct im_record *rec, struct im_bag_record *bag,
		      struct im_events *events, struct co_err *err)
{
	static int (*const writers[])(const struct im_bag_files *files, const struct im_record *record,
				      const struct im_bag_record *of, struct co_err *why) = {
		write_map, write_report, write_dfxml, write_case_uco, write_certificate, write_manifest,
	};
	struct co_err first = CO_ERR_INIT, e;

	if (events && im_events_commit(events, &bag->events, &e) < 0)
		first = e;
	for (size_t i = 0; i < sizeof writers / sizeof writers[0]; i++)
		if (writers[i](f, rec, bag, &e) < 0 && !first.code)
			first = e;
	if (first.code)
		*err = first;
	return first.code;
}

int im_seal_bag(const struct im_bag_files *f, const struct im_record *rec, const struct im_bag_record *bag,
		struct co_err *err)
{
	struct co_bag_known *known = calloc(bag->segments.n + 1, sizeof *known);
	char **paths = calloc(bag->segments.n + 1, sizeof *paths), date[40];
	const struct co_bag_field fields[] = {
		{ "Bag-Software-Agent", "exhibit-imager " CO_VERSION },
		{ "Bagging-Date", date },
		{ "Contact-Name", rec->info.examiner },
		{ "External-Identifier", rec->info.evidence_number },
		{ "External-Description", rec->info.description },
		{ "Exhibit-Case-Number", rec->info.case_number },
		{ "Exhibit-Version", CO_VERSION },
	};
	int r = known && paths ? write_how_to_verify(f, rec, err) : no_memory(err);

	co_time_text_sec(rec->end_ns, date);
	date[strlen("YYYY-MM-DD")] = '\0';
	for (size_t i = 0; r == 0 && i < bag->segments.n; i++) {
		paths[i] = text_of("data/%s", bag->segments.at[i].name);
		if (!paths[i])
			r = no_memory(err);
		known[i].path = paths[i];
		memcpy(known[i].sha256, bag->segments.at[i].sha256, sizeof known[i].sha256);
	}
	if (r == 0)
		r = co_bag_seal(f->bag, fields, sizeof fields / sizeof fields[0], known, bag->segments.n, err);
	for (size_t i = 0; paths && i < bag->segments.n; i++)
		free(paths[i]);
	free(paths);
	free(known);
	return r;
}

int im_unseal_bag(const struct im_bag_files *f, struct co_err *err)
{
	const char *const names[] = { f->bag_tagmanifest, f->bag_manifest };

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (unlink(names[i]) < 0 && errno != ENOENT)
			return co_err_set(err, CO_ERR_OUTPUT, errno, "remove %s", names[i]);
	return 0;
}
