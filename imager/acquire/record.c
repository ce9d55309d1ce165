/* SPDX-License-Identifier: Apache-2.0 */
#include "acquire/record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "acquire/blocks.h"
#include "acquire/earlier.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "manifest/json.h"
#include "version.h"

const char *im_status_name(enum im_status status)
{
	static const char *const names[] = {
		[IM_STATUS_FAILED] = "failed",
		[IM_STATUS_COMPLETE] = "complete",
		[IM_STATUS_COMPLETE_WITH_ERRORS] = "complete-with-errors",
		[IM_STATUS_SOURCE_LOST] = "source-lost",
		[IM_STATUS_OUTPUT_FAILED] = "output-failed",
		[IM_STATUS_MISMATCH] = "mismatch",
		[IM_STATUS_INTERRUPTED] = "interrupted",
		[IM_STATUS_RUNNING] = "running",
	};

	return names[status];
}

const char *im_verification_name(enum im_verification result)
{
	static const char *const names[] = {
		[IM_VERIFICATION_NOT_REACHED] = "not-reached",
		[IM_VERIFICATION_MATCH] = "match",
		[IM_VERIFICATION_MISMATCH] = "mismatch",
		[IM_VERIFICATION_SKIPPED] = "skipped",
	};

	return names[result];
}

void im_guid_text(const uint8_t guid[16], char ret[33])
{
	co_hex(guid, 16, ret);
}

static void tool(struct co_json *j, const struct im_record *rec)
{
	struct utsname u;

	co_json_object(j, "tool");
	co_json_str(j, "name", "exhibit-imager");
	co_json_str(j, "version", CO_VERSION);
	co_json_end_object(j);
	co_json_str(j, "command_line", rec->command_line);
	co_json_object(j, "host");
	if (uname(&u) == 0) {
		co_json_str(j, "system", u.sysname);
		co_json_str(j, "name", u.nodename);
		co_json_str(j, "release", u.release);
		co_json_str(j, "version", u.version);
		co_json_str(j, "machine", u.machine);
	}
	co_json_end_object(j);
	co_json_uint(j, "uid", geteuid());
}

static void times(struct co_json *j, const struct im_record *rec)
{
	co_json_object(j, "clock");
	co_json_time(j, "start", rec->start_ns);
	co_json_int(j, "start_ns", rec->start_ns);
	co_json_time(j, "end", rec->end_ns);
	co_json_int(j, "end_ns", rec->end_ns);
	co_json_int(j, "duration_ns", rec->duration_ns);
	co_json_end_object(j);
}

static void sessions(struct co_json *j, const struct im_record *rec)
{
	co_json_object(j, "session");
	co_json_time(j, "start", rec->session_ns);
	co_json_int(j, "start_ns", rec->session_ns);
	co_json_int(j, "end_ns", rec->end_ns);
	co_json_end_object(j);
	co_json_array(j, "earlier_sessions");
	for (size_t i = 0; i < rec->sessions.n; i++) {
		const struct im_session *s = &rec->sessions.at[i];

		co_json_object(j, NULL);
		co_json_time(j, "start", s->start_ns);
		co_json_int(j, "start_ns", s->start_ns);
		co_json_time(j, "end", s->end_ns ? s->end_ns : CO_TIME_NONE);
		co_json_int(j, "end_ns", s->end_ns);
		co_json_str(j, "status", im_status_name(s->status));
		co_json_uint(j, "read_bytes", s->read_bytes);
		co_json_end_object(j);
	}
	co_json_end_array(j);
}

static void hashes(struct co_json *j, const struct im_record *rec)
{
	co_json_array(j, "hashes");
	for (int alg = 0; alg < CO_HASH_N; alg++)
		if (rec->hashes & CO_HASH_BIT(alg))
			co_json_str(j, NULL, co_hash_name((enum co_hash_alg)alg));
	co_json_end_array(j);
}

/* What lies at @begin and behind. */
static void ranges_from(struct co_json *j, const struct im_ranges *list, uint64_t begin)
{
	for (size_t i = 0; i < list->list.n; i++) {
		uint64_t first = co_max_u64(list->list.at[i].first, begin);
		uint64_t end = list->list.at[i].first + list->list.at[i].count;

		if (first >= end)
			continue;
		co_json_array(j, NULL);
		co_json_uint(j, NULL, first);
		co_json_uint(j, NULL, end - first);
		co_json_end_array(j);
	}
}

/* With how far the attempts to read them have come, as GNU ddrescue puts it. */
static void areas(struct co_json *j, const struct im_areas *list)
{
	co_json_array(j, "areas");
	for (size_t i = 0; i < list->list.n; i++) {
		const char state[] = { (char)list->list.at[i].state, '\0' };

		co_json_array(j, NULL);
		co_json_uint(j, NULL, list->list.at[i].first);
		co_json_uint(j, NULL, list->list.at[i].count);
		co_json_str(j, NULL, state);
		co_json_end_array(j);
	}
	co_json_end_array(j);
}

static void case_data(struct co_json *j, const struct im_case *c)
{
	co_json_object(j, "case");
	co_json_str(j, "case_number", c->case_number);
	co_json_str(j, "evidence_number", c->evidence_number);
	co_json_str(j, "examiner", c->examiner);
	co_json_str(j, "description", c->description);
	co_json_str(j, "notes", c->notes);
	co_json_end_object(j);
}

void im_digests_json(struct co_json *j, const char *key, const struct co_digests *d)
{
	static const enum co_hash_alg order[] = { CO_HASH_SHA256, CO_HASH_SHA1, CO_HASH_MD5 };
	char hex[2 * CO_HASH_MAX + 1];

	co_json_object(j, key);
	for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
		if (!(d->set & CO_HASH_BIT(order[i])))
			continue;
		co_digests_hex(d, order[i], hex);
		co_json_str(j, co_hash_name(order[i]), hex);
	}
	co_json_end_object(j);
}

static void media(struct co_json *j, const struct im_record *rec)
{
	static const struct co_digests none = { 0 };

	co_json_object(j, "media");
	co_json_uint(j, "bytes", rec->media_bytes);
	co_json_uint(j, "sector_bytes", rec->sector);
	co_json_uint(j, "padding_bytes", rec->padding_bytes);
	co_json_uint(j, "read_bytes", rec->read_bytes);
	co_json_end_object(j);
	im_digests_json(j, "digests", rec->have_digests ? &rec->digests.plain : &none);
	if (rec->padding_bytes)
		im_digests_json(j, "padded_digests", rec->have_digests ? &rec->digests.padded : &none);
	co_json_array(j, "unreadable");
	ranges_from(j, &rec->bad, 0);
	co_json_end_array(j);
	co_json_uint(j, "unreadable_sectors", rec->bad.total);
	areas(j, &rec->areas);
}

static void counters(struct co_json *j, const char *key, const struct im_counters *c)
{
	if (!c->valid) {
		co_json_null(j, key);
		return;
	}
	co_json_object(j, key);
	co_json_uint(j, "reads", c->reads);
	co_json_uint(j, "writes", c->writes);
	co_json_uint(j, "written_sectors", c->written_sectors);
	co_json_uint(j, "discards", c->discards);
	co_json_uint(j, "discarded_sectors", c->discarded_sectors);
	co_json_uint(j, "flushes", c->flushes);
	co_json_uint(j, "diskseq", c->diskseq);
	co_json_end_object(j);
}

/* null: they were not taken at the end, or could not be read. */
static void samples_result(struct co_json *j, const struct im_record *rec)
{
	struct im_samples_difference d;
	int differ = im_samples_differ(&rec->samples_before, &rec->samples_after, &d);

	if (!rec->samples_after.n || d.compared == 0)
		co_json_null(j, "samples_differ");
	else
		co_json_bool(j, "samples_differ", differ > 0);
}

static void write_block(struct co_json *j, const struct im_record *rec)
{
	const struct im_guard *g = rec->guard;
	uint64_t writes;

	co_json_object(j, "write_block");
	co_json_array(j, "layers");
	for (size_t i = 0; i < g->layers.n; i++) {
		co_json_object(j, NULL);
		co_json_str(j, "name", g->layers.at[i].name);
		co_json_bool(j, "applied", g->layers.at[i].applied);
		co_json_str(j, "proof", g->layers.at[i].proof);
		co_json_end_object(j);
	}
	co_json_end_array(j);
	if (im_guard_writes_seen(g, &writes) == 0)
		co_json_uint(j, "writes_seen", writes);
	else
		co_json_null(j, "writes_seen");
	co_json_str(j, "why_not_counted", im_guard_why_uncounted(g));
	counters(j, "counters_before", &g->before);
	counters(j, "counters_after", &g->after);
	im_trace_json(j, "trace", &g->trace);
	im_samples_json(j, "samples_before", &rec->samples_before);
	im_samples_json(j, "samples_after", &rec->samples_after);
	samples_result(j, rec);
	co_json_end_object(j);
}

static void read_plan(struct co_json *j, const struct im_record *rec)
{
	co_json_object(j, "read_plan");
	co_json_bool(j, "direct", rec->guard->direct);
	co_json_uint(j, "buffer_bytes", rec->buffer_bytes);
	co_json_uint(j, "buffers", rec->buffers);
	co_json_uint(j, "readers", rec->readers);
	co_json_uint(j, "compressors", rec->compressors);
	co_json_str(j, "on_error",
		    "what fails is left out at first, then read again in smaller parts down to a sector; unreadable "
		    "sectors become zeros");
	co_json_end_object(j);
}

/* What earlier sessions have left and is not written anew yet. */
static void kept_segments(struct co_json *j, const struct im_bag_record *bag)
{
	for (size_t i = bag->segments.n; bag->earlier && i < bag->earlier->segments.n; i++) {
		const struct im_kept_segment *s = &bag->earlier->segments.at[i];
		const char *slash = strrchr(s->file, '/');

		co_json_object(j, NULL);
		co_json_str(j, "name", slash ? slash + 1 : s->file);
		co_json_uint(j, "bytes", s->bytes);
		co_json_str(j, "sha256", s->sha256);
		co_json_end_object(j);
	}
}

static void image(struct co_json *j, const struct im_record *rec, const struct im_bag_record *bag)
{
	char guid[33], date[40];

	im_guid_text(rec->guid, guid);
	co_json_object(j, "image");
	co_json_str(j, "format", "E01, EnCase 6");
	co_json_str(j, "compression", co_compression_name(rec->compression));
	co_json_str(j, "guid", guid);
	co_json_uint(j, "chunk_bytes", rec->chunk_bytes);
	co_json_uint(j, "segment_bytes", rec->segment_limit);
	co_json_time(j, "acquired", rec->acquired_ns);
	co_json_int(j, "acquired_ns", rec->acquired_ns);
	co_time_text_sec(rec->acquired_ns, date);
	co_json_str(j, "acquiry_date", date); /* as the image has it */
	co_json_bool(j, "patched", rec->patched);
	co_json_uint(j, "safe_bytes", co_max_u64(rec->read_bytes, bag->earlier ? bag->earlier->bytes : 0));
	co_json_array(j, "uncompressed_mib");
	ranges_from(j, &rec->plain, 0);
	if (bag->earlier)
		ranges_from(j, &bag->earlier->plain, rec->read_bytes / IM_BLOCK_SIZE);
	co_json_end_array(j);
	co_json_end_object(j);
	co_json_array(j, "segments");
	for (size_t i = 0; i < bag->segments.n; i++) {
		const struct im_segment *s = &bag->segments.at[i];

		co_json_object(j, NULL);
		co_json_str(j, "name", bag->published ? s->name : s->part);
		co_json_uint(j, "bytes", s->bytes);
		co_json_str(j, "sha256", s->sha256[0] ? s->sha256 : NULL);
		co_json_end_object(j);
	}
	kept_segments(j, bag);
	co_json_end_array(j);
}

static void verification(struct co_json *j, const struct im_bag_record *bag)
{
	bool ran = bag->verification == IM_VERIFICATION_MATCH || bag->verification == IM_VERIFICATION_MISMATCH;

	co_json_object(j, "verification");
	co_json_str(j, "result", im_verification_name(bag->verification));
	co_json_str(j, "method",
		    ran ? "all segments read back from the disk and decoded by other code than wrote them" : NULL);
	if (ran)
		im_digests_json(j, "digests", &bag->decoded.plain);
	co_json_end_object(j);
}

static void blocks(struct co_json *j, const struct im_record *rec)
{
	if (!rec->block_digests) {
		co_json_null(j, "blocks");
		return;
	}
	co_json_object(j, "blocks");
	co_json_uint(j, "block_bytes", IM_BLOCK_SIZE);
	co_json_str(j, "algorithm", "sha256");
	co_json_end_object(j);
}

static void events(struct co_json *j, const struct im_bag_record *bag)
{
	co_json_object(j, "events");
	co_json_uint(j, "count", bag->events.count);
	co_json_str(j, "head_sha256", bag->events.count ? bag->events.sha256 : NULL);
	co_json_end_object(j);
}

static void outputs(struct co_json *j, const struct im_record *rec)
{
	co_json_array(j, "outputs");
	for (size_t i = 0; i < rec->n_bags; i++) {
		const struct im_bag_record *bag = &rec->bags[i];

		co_json_object(j, NULL);
		co_json_str(j, "path", bag->path);
		co_json_str(j, "status", im_status_name(bag->status));
		co_json_str(j, "error", bag->error.code ? bag->error.msg : NULL);
		co_json_end_object(j);
	}
	co_json_end_array(j);
}

int im_record_text(const struct im_record *rec, const struct im_bag_record *bag, struct co_str *ret, struct co_err *err)
{
	struct co_json j;

	co_json_to_str(&j, ret, true);
	co_json_object(&j, NULL);
	co_json_str(&j, "schema", "exhibit.acquisition/1");
	co_json_str(&j, "status", im_status_name(bag->status));
	co_json_str(&j, "error", bag->error.code ? bag->error.msg : NULL);
	co_json_str(&j, "name", rec->name);
	outputs(&j, rec);
	tool(&j, rec);
	times(&j, rec);
	sessions(&j, rec);
	case_data(&j, &rec->info);
	im_device_json(&j, "device", &rec->guard->device);
	hashes(&j, rec);
	media(&j, rec);
	write_block(&j, rec);
	read_plan(&j, rec);
	image(&j, rec, bag);
	verification(&j, bag);
	blocks(&j, rec);
	events(&j, bag);
	co_json_end_object(&j);
	co_json_newline(&j);
	return co_json_end(&j, err);
}

void im_record_free(struct im_record *rec)
{
	for (struct im_bag_record *bag = rec->bags; bag < rec->bags + rec->n_bags; bag++) {
		for (size_t i = 0; i < bag->segments.n; i++) {
			free(bag->segments.at[i].name);
			free(bag->segments.at[i].part);
		}
		co_vec_free(&bag->segments);
	}
	im_ranges_free(&rec->bad);
	im_ranges_free(&rec->plain);
	im_areas_free(&rec->areas);
	co_vec_free(&rec->sessions);
}
