/* SPDX-License-Identifier: Apache-2.0 */
#include "acquire/report.h"

#include <inttypes.h>
#include <string.h>
#include <sys/utsname.h>

#include "acquire/blocks.h"
#include "base/clock.h"
#include "read/map.h"
#include "version.h"

static void heading(struct co_str *s, const char *text)
{
	co_str_addf(s, "%s%s\n", s->n ? "\n" : "", text);
	for (const char *c = text; *c; c++)
		co_str_add(s, "-");
	co_str_add(s, "\n");
}

/* "Label:              value"; nothing where there is no value. */
static void field(struct co_str *s, const char *label, const char *value)
{
	if (!value || !value[0])
		return;
	co_str_addf(s, "%s:%*s", label, (int)(22 - strlen(label)), "");
	co_str_add_visible(s, value, strlen(value));
	co_str_add(s, "\n");
}

static void number(struct co_str *s, const char *label, uint64_t value, const char *unit)
{
	co_str_addf(s, "%s:%*s%" PRIu64 "%s%s\n", label, (int)(22 - strlen(label)), "", value, unit[0] ? " " : "",
		    unit);
}

static void digests(struct co_str *s, const struct co_digests *d)
{
	static const struct {
		enum co_hash_alg alg;
		const char *label;
	} order[] = { { CO_HASH_SHA256, "SHA-256" }, { CO_HASH_SHA1, "SHA-1" }, { CO_HASH_MD5, "MD5" } };
	char hex[2 * CO_HASH_MAX + 1];

	for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
		co_digests_hex(d, order[i].alg, hex);
		field(s, order[i].label, hex);
	}
}

static void case_and_tool(struct co_str *s, const struct im_record *rec)
{
	struct utsname u;

	heading(s, "Case");
	field(s, "Case number", rec->info.case_number);
	field(s, "Evidence number", rec->info.evidence_number);
	field(s, "Examiner", rec->info.examiner);
	field(s, "Description", rec->info.description);
	field(s, "Notes", rec->info.notes);
	field(s, "Image name", rec->name);
	heading(s, "Tool");
	field(s, "Program", "exhibit-imager " CO_VERSION);
	field(s, "Command line", rec->command_line);
	if (uname(&u) == 0) {
		field(s, "Host", u.nodename);
		field(s, "Operating system", u.sysname);
		field(s, "Kernel", u.release);
	}
}

static void source(struct co_str *s, const struct im_record *rec)
{
	const struct im_device *d = &rec->guard->device;

	heading(s, "Source");
	field(s, "Path", d->path);
	field(s, "Kind", im_kind_name(d->kind));
	field(s, "Vendor", d->vendor);
	field(s, "Model", d->model);
	field(s, "Serial number", d->serial);
	field(s, "Revision", d->revision);
	field(s, "World wide name", d->wwid);
	field(s, "Transport", d->transport);
	number(s, "Size", rec->media_bytes, "bytes");
	number(s, "Logical sector", rec->sector, "bytes");
	number(s, "Physical sector", d->physical_sector, "bytes");
	if (rec->padding_bytes)
		number(s, "Padding in the image", rec->padding_bytes, "zero bytes (whole sectors are stored)");
	field(s, "Hidden areas", d->hidden.sentence);
	for (size_t i = 0; i < d->partitions.n; i++) {
		co_str_add(s, "Partition:             ");
		co_str_add_visible(s, d->partitions.at[i].name, strlen(d->partitions.at[i].name));
		co_str_addf(s, ", from byte %" PRIu64 ", %" PRIu64 " bytes\n", d->partitions.at[i].start,
			    d->partitions.at[i].size);
	}
}

static void samples(struct co_str *s, const struct im_record *rec)
{
	struct im_samples_difference d;
	int differ = im_samples_differ(&rec->samples_before, &rec->samples_after, &d);

	if (!rec->samples_after.n)
		field(s, "Samples", "not taken at the end");
	else if (differ)
		co_str_addf(s, "Samples:               THE SOURCE HAS CHANGED at byte %" PRIu64 "\n", d.first);
	else
		co_str_addf(
			s,
			"Samples:               %u areas, read before and after, are the same; %u could not be read\n",
			d.compared, d.unreadable);
}

static void write_block(struct co_str *s, const struct im_record *rec)
{
	const struct im_guard *g = rec->guard;
	uint64_t writes;

	heading(s, "Write block");
	co_str_add(s, "Software write block by this program; no statement is made about hardware write blockers.\n");
	for (size_t i = 0; i < g->layers.n; i++) {
		const struct im_layer *l = &g->layers.at[i];

		co_str_addf(s, "%-22s %s: ", l->name, l->applied ? "applied" : "ABSENT");
		co_str_add_visible(s, l->proof, strlen(l->proof));
		co_str_add(s, "\n");
	}
	if (im_guard_writes_seen(g, &writes) == 0)
		number(s, "Writes and discards", writes, "counted by the kernel on the disk during the acquisition");
	else
		co_str_addf(s, "Writes and discards:   not counted: %s\n", im_guard_why_uncounted(g));
	if (g->trace.complete)
		number(s, "Trace of requests", im_trace_non_reads(&g->trace), "that did not only read");
	else
		field(s, "Trace of requests", g->trace.why[0] ? g->trace.why : "none for this source");
	samples(s, rec);
}

/* Who holds one bag must know where the other one is, and whether it is worth anything. */
static void outputs(struct co_str *s, const struct im_record *rec)
{
	for (size_t i = 0; rec->n_bags > 1 && i < rec->n_bags; i++) {
		field(s, "Output", rec->bags[i].path);
		field(s, "  its status", im_status_name(rec->bags[i].status));
		field(s, "  its reason", rec->bags[i].error.code ? rec->bags[i].error.msg : NULL);
	}
}

static void acquisition(struct co_str *s, const struct im_record *rec, const struct im_bag_record *bag)
{
	char guid[33];

	im_guid_text(rec->guid, guid);
	heading(s, "Acquisition");
	field(s, "Status", im_status_name(bag->status));
	field(s, "Reason", bag->error.code ? bag->error.msg : NULL);
	outputs(s, rec);
	number(s, "Read", rec->read_bytes, "bytes");
	field(s, "Past the page cache", rec->guard->direct ? "yes" : "no");
	field(s, "Image format", "E01 (EnCase 6 layout)");
	field(s, "Compression", co_compression_name(rec->compression));
	field(s, "Image GUID", guid);
	heading(s, "Digests");
	if (!rec->have_digests) {
		co_str_add(s, "None: the source was not read to its end.\n");
		return;
	}
	digests(s, &rec->digests.plain);
	if (rec->padding_bytes) {
		co_str_add(s, "Of the padded medium, as other programs compute them from the image:\n");
		digests(s, &rec->digests.padded);
	}
}

static void segments(struct co_str *s, const struct im_bag_record *bag)
{
	heading(s, "Image segments");
	if (!bag->segments.n)
		co_str_add(s, "None is complete.\n");
	for (size_t i = 0; i < bag->segments.n; i++) {
		const struct im_segment *g = &bag->segments.at[i];

		co_str_addf(s, "%s, %" PRIu64 " bytes, SHA-256 %s\n", bag->published ? g->name : g->part, g->bytes,
			    g->sha256[0] ? g->sha256 : "not computed");
	}
}

static void unreadable(struct co_str *s, const struct im_record *rec)
{
	heading(s, "Unreadable sectors");
	if (rec->bad.total == 0) {
		co_str_add(s, "None.\n");
		return;
	}
	number(s, "Sectors", rec->bad.total, "could not be read and are zeros in the image:");
	if (im_areas_total(&rec->areas, IM_BAD) != rec->bad.total)
		number(s, "Of these", rec->bad.total - im_areas_total(&rec->areas, IM_BAD),
		       "were not tried one by one: time was over");
	for (size_t i = 0; i < rec->bad.list.n; i++)
		co_str_addf(s, "%" PRIu64 " to %" PRIu64 " (%" PRIu64 ")\n", rec->bad.list.at[i].first,
			    rec->bad.list.at[i].first + rec->bad.list.at[i].count - 1, rec->bad.list.at[i].count);
}

static void verification(struct co_str *s, const struct im_bag_record *bag)
{
	heading(s, "Verification");
	switch (bag->verification) {
	case IM_VERIFICATION_MATCH:
		co_str_add(s,
			   "Match: all segments were read back from the disk and decoded; the digests of the medium\n"
			   "are those of the source.\n");
		break;
	case IM_VERIFICATION_MISMATCH:
		co_str_add(s, "MISMATCH: what was read back from the image is not what was read from the source.\n");
		break;
	case IM_VERIFICATION_SKIPPED:
		co_str_add(s, "Skipped, as asked for by --no-verify.\n");
		break;
	default:
		co_str_add(s, "Not reached.\n");
		break;
	}
}

static void times(struct co_str *s, const struct im_record *rec)
{
	char start[40], end[40];

	heading(s, "Times");
	co_time_text(rec->start_ns, start);
	co_time_text(rec->end_ns, end);
	field(s, "Start (UTC)", start);
	field(s, "End (UTC)", end);
	co_str_addf(s, "Duration:              %.3f s\n", (double)rec->duration_ns / 1e9);
	for (size_t i = 0; i < rec->sessions.n; i++) {
		co_time_text(rec->sessions.at[i].start_ns, start);
		co_str_addf(s, "Earlier session:       begun %s, came to byte %" PRIu64 ", %s\n", start,
			    rec->sessions.at[i].read_bytes,
			    rec->sessions.at[i].end_ns ? im_status_name(rec->sessions.at[i].status)
						       : "did not end by itself");
	}
}

static int done(const struct co_str *s, struct co_err *err)
{
	return s->failed ? co_err_set(err, CO_ERR_NOMEM, 0, "no memory for a report") : 0;
}

int im_report_text(const struct im_record *rec, const struct im_bag_record *bag, struct co_str *s, struct co_err *err)
{
	case_and_tool(s, rec);
	source(s, rec);
	write_block(s, rec);
	acquisition(s, rec, bag);
	segments(s, bag);
	unreadable(s, rec);
	verification(s, bag);
	times(s, rec);
	return done(s, err);
}

int im_map_text(const struct im_record *rec, struct co_str *s, struct co_err *err)
{
	bool finished = rec->read_bytes == rec->media_bytes;
	const struct im_map map = {
		.areas = &rec->areas,
		.unit = rec->sector,
		.bytes = rec->media_bytes,
		.read = rec->read_bytes,
		.status = finished ? '+' : '?',
		.position = rec->read_bytes,
		.pass = 1,
	};

	im_map_write(&map, s);
	return done(s, err);
}

/* A bag may be signed after its text was sealed, so the text says how in any case. */
static void how_to_check_signature(struct co_str *s)
{
	co_str_add(s,
		   "\n"
		   "6. If there is a tagmanifest-sha256.txt.p7s, the bag is signed (CMS, detached, DER). CA.pem holds\n"
		   "   certificates that you trust, such as that of the laboratory's authority, and that you did not\n"
		   "   get with the bag:\n"
		   "     openssl cms -verify -binary -inform DER -in tagmanifest-sha256.txt.p7s \\\n"
		   "       -content tagmanifest-sha256.txt -CAfile CA.pem -out /dev/null\n"
		   "   With -noverify instead of -CAfile CA.pem it tells only that nothing changed since somebody\n"
		   "   signed. When the signer's certificate has expired, add -attime and the time of the time stamp\n"
		   "   (seconds since 1970).\n"
		   "\n"
		   "7. The signature may hold a time stamp (RFC 3161). This finds it, with the value that it is for:\n"
		   "     openssl asn1parse -inform DER -in tagmanifest-sha256.txt.p7s | \\\n"
		   "       grep -B 3 -A 2 timeStampToken\n"
		   "   The number at the beginning of the first line is the place of the value (OCTET STRING), that\n"
		   "   of the last line the place of the time stamp (SEQUENCE). In place of VALUE and TOKEN:\n"
		   "     openssl asn1parse -inform DER -in tagmanifest-sha256.txt.p7s -noout \\\n"
		   "       -strparse VALUE -out /tmp/value\n"
		   "     openssl asn1parse -inform DER -in tagmanifest-sha256.txt.p7s -noout \\\n"
		   "       -strparse TOKEN -out /tmp/token\n"
		   "     openssl ts -verify -token_in -in /tmp/token -data /tmp/value -CAfile CA.pem\n"
		   "     openssl ts -reply -token_in -in /tmp/token -token_out -text\n"
		   "   When the certificate of the time stamping authority has expired, add -attime here, too.\n");
}

int im_verify_text(const struct im_record *rec, struct co_str *s, struct co_err *err)
{
	const char *n = rec->name;

	co_str_add(s, "How to verify this evidence bag without the program that made it\n\n");
	co_str_add(s, "1. All files are unchanged (in this folder; both must print OK for each file):\n"
		      "     sha256sum -c tagmanifest-sha256.txt\n"
		      "     sha256sum -c manifest-sha256.txt\n\n");
	co_str_addf(s,
		    "2. The image decodes to the medium whose digests data/%s.manifest.json states%s:\n"
		    "     ewfverify -d sha256 data/%s.E01\n\n",
		    n, rec->padding_bytes ? " under padded_digests" : "", n);
	if (rec->block_digests)
		co_str_addf(s,
			    "3. A difference can be located by data/%s.blocks.sha256: it holds the SHA-256 of each\n"
			    "   %u bytes of the medium.\n\n",
			    n, IM_BLOCK_SIZE);
	else
		co_str_add(s, "3. Digests of the single blocks of the medium were not asked for.\n\n");
	co_str_addf(
		s,
		"4. The log of events is a chain: \"prev\" in each line of data/%s.events.jsonl is the SHA-256 of the\n"
		"   line before it, without the newline. That of the last line is events.head_sha256 in the manifest:\n"
		"     tail -n 1 data/%s.events.jsonl | tr -d '\\n' | sha256sum\n\n",
		n, n);
	co_str_addf(s,
		    "5. data/%s.map is a map of GNU ddrescue: '+' was read, '-' could not be read; '/', '*' and '?'\n"
		    "   were not tried sector by sector, or not at all, when time was over or the source was lost.\n"
		    "     ddrescuelog -t data/%s.map\n",
		    n, n);
	how_to_check_signature(s);
	return done(s, err);
}
