/* SPDX-License-Identifier: Apache-2.0 */
#include "acquire/certificate.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "version.h"

#define COLUMN 24
#define SEGMENTS_LISTED 100 /* more of them would bury the rest of the form */

static const char blank[] = "________________________________________________";

static void heading(struct co_str *s, const char *title)
{
	co_str_addf(s, "\n%s\n\n", title);
}

static void label(struct co_str *s, const char *name)
{
	co_str_addf(s, "   %s:%*s", name, (int)(COLUMN - strlen(name)), "");
}

/* "   Label:   value"; a blank to fill in where there is no value. */
static void field(struct co_str *s, const char *name, const char *value)
{
	label(s, name);
	if (value && value[0])
		co_str_add_visible(s, value, strlen(value));
	else
		co_str_add(s, blank);
	co_str_add(s, "\n");
}

/* Nothing where there is no value. */
static void optional(struct co_str *s, const char *name, const char *value)
{
	if (value && value[0])
		field(s, name, value);
}

static void number(struct co_str *s, const char *name, uint64_t value, const char *unit)
{
	label(s, name);
	co_str_addf(s, "%" PRIu64 " %s\n", value, unit);
}

static void moment(struct co_str *s, const char *name, int64_t ns)
{
	char text[40];

	co_time_text_sec(ns, text);
	field(s, name, text);
}

static void digests(struct co_str *s, const struct co_digests *d)
{
	static const struct {
		enum co_hash_alg alg;
		const char *name;
	} order[] = { { CO_HASH_SHA256, "SHA-256" }, { CO_HASH_SHA1, "SHA-1" }, { CO_HASH_MD5, "MD5" } };
	char hex[2 * CO_HASH_MAX + 1];

	for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
		co_digests_hex(d, order[i].alg, hex);
		optional(s, order[i].name, hex);
	}
}

static void preamble(struct co_str *s)
{
	co_str_add(
		s,
		"CERTIFICATE ABOUT A COPY OF ELECTRONIC DATA\n"
		"identified by digests (hash values), in the manner of Federal Rule of Evidence 902(14)\n\n"
		"THIS IS A FORM, AND IT IS NO LEGAL ADVICE. It certifies nothing before a qualified person has "
		"checked\n"
		"each statement, struck out what is not so, filled in the blanks and signed. The program filled in "
		"what\n"
		"it recorded during the acquisition. Whether a certificate is admitted, what else it must say, and "
		"which\n"
		"notice the other party must be given and when, is a question of the law that applies: ask counsel.\n");
}

static void person(struct co_str *s)
{
	heading(s, "1. The person who certifies");
	field(s, "Name", NULL);
	field(s, "Position and employer", NULL);
	field(s, "Address", NULL);
	field(s, "Training, experience", NULL);
	co_str_addf(s, "   %*s%s\n", COLUMN + 1, "", blank);
}

static void original(struct co_str *s, const struct im_record *rec)
{
	const struct im_device *d = &rec->guard->device;

	heading(s, "2. What was copied");
	field(s, "Case number", rec->info.case_number);
	field(s, "Evidence number", rec->info.evidence_number);
	optional(s, "Description", rec->info.description);
	field(s, "Read from", d->path);
	field(s, "Kind", im_kind_name(d->kind));
	optional(s, "Vendor", d->vendor);
	optional(s, "Model", d->model);
	if (d->kind == IM_KIND_FILE || d->kind == IM_KIND_STREAM)
		optional(s, "Serial number", d->serial);
	else
		field(s, "Serial number", d->serial);
	number(s, "Size", rec->media_bytes, "bytes");
	number(s, "Size of a sector", rec->sector, "bytes");
	field(s, "Obtained from, on", NULL);
}

static void write_block(struct co_str *s, const struct im_guard *g)
{
	uint64_t writes;

	co_str_add(s, "\n   The program opens the source for reading only. Its protection against writes:\n");
	for (size_t i = 0; i < g->layers.n; i++)
		co_str_addf(s, "   - %s: %s\n", g->layers.at[i].name,
			    g->layers.at[i].applied ? "applied" : "not applied");
	if (im_guard_writes_seen(g, &writes) == 0)
		co_str_addf(s, "   The kernel counted %" PRIu64 " writes and discards on the disk meanwhile.\n",
			    writes);
	field(s, "Hardware write blocker", NULL);
}

static void process(struct co_str *s, const struct im_record *rec)
{
	heading(s, "3. How it was copied");
	field(s, "Program", "exhibit-imager " CO_VERSION);
	field(s, "Operated by", rec->info.examiner);
	moment(s, "Begun (UTC)", rec->start_ns);
	moment(s, "Ended (UTC)", rec->end_ns);
	co_str_add(s,
		   "\n   The program read the source from its first to its last byte, computed the digests of what it\n"
		   "   read, and wrote the same bytes into an image in the E01 format, in which the digests are "
		   "stored.\n");
	write_block(s, rec->guard);
}

static void files(struct co_str *s, const struct im_record *rec, const struct im_bag_record *bag)
{
	co_str_addf(s, "\n   The image is in %zu %s of the folder data%s\n", bag->segments.n,
		    bag->segments.n == 1 ? "file" : "files",
		    bag->segments.n > SEGMENTS_LISTED ? "" : "; SHA-256 of each:");
	if (bag->segments.n > SEGMENTS_LISTED) {
		co_str_addf(s, "   with names from %s to %s;\n   the SHA-256 of each is in %s.manifest.json.\n",
			    bag->segments.at[0].name, bag->segments.at[bag->segments.n - 1].name, rec->name);
		return;
	}
	for (size_t i = 0; i < bag->segments.n; i++)
		co_str_addf(s, "   %s  %s\n", bag->segments.at[i].sha256, bag->segments.at[i].name);
}

static void identification(struct co_str *s, const struct im_record *rec, const struct im_bag_record *bag)
{
	char guid[33];

	im_guid_text(rec->guid, guid);
	heading(s, "4. The digests by which the copy is identified");
	digests(s, &rec->digests.plain);
	if (rec->padding_bytes) {
		co_str_addf(s,
			    "\n   The image holds whole sectors: %" PRIu64
			    " zero bytes follow the source in it. With these:\n",
			    rec->padding_bytes);
		digests(s, &rec->digests.padded);
	}
	co_str_add(s, "\n   Two media with the same SHA-256 hold the same bytes, but for a chance that is negligible.\n"
		      "   Other digests are given for programs that know these only.\n\n");
	field(s, "Image", rec->name);
	field(s, "GUID of the image", guid);
	files(s, rec, bag);
}

static void comparison(struct co_str *s, const struct im_record *rec, const struct im_bag_record *bag)
{
	heading(s, "5. The comparison");
	if (bag->verification == IM_VERIFICATION_MATCH) {
		co_str_add(
			s,
			"   Afterwards the program read the whole image back from the disk, decoded it and computed\n"
			"   its digests anew: they are equal to those of section 4.\n");
	} else {
		co_str_add(s, "   THE PROGRAM DID NOT READ THE IMAGE BACK: it was told not to. Compare it first, for "
			      "example\n"
			      "   by exhibit-imager verify, and fill in:\n");
		field(s, "Compared by, on", NULL);
		field(s, "By which program", NULL);
		field(s, "SHA-256 found", NULL);
	}
	if (rec->bad.total)
		co_str_addf(s,
			    "\n   NOT ALL COULD BE READ: %" PRIu64
			    " sectors gave errors and are zeros in the image. The digests\n"
			    "   are of the medium with these zeros. %s.report.txt and %s.map say which they are.\n",
			    rec->bad.total, rec->name, rec->name);
	else
		co_str_add(s, "\n   All sectors of the source could be read.\n");
	co_str_add(s, "   The copy that is offered now was compared with section 4:\n");
	field(s, "On", NULL);
	field(s, "By which program", NULL);
	field(s, "SHA-256 found", NULL);
}

static void statement(struct co_str *s)
{
	heading(s, "6. Statement");
	co_str_add(s,
		   "   I am qualified by what section 1 says to make this certificate. (Mark what is so.)\n\n"
		   "   [ ] I made the copy described above.\n"
		   "   [ ] I did not make it, but I compared it with the digests of section 4 as section 5 says.\n"
		   "   [ ] The process of sections 3 to 5 is one that I know to give accurate results; by it I found\n"
		   "       that the copy is the same, byte for byte, as what was read from the source.\n"
		   "   [ ] Exceptions and remarks:\n\n");
	co_str_addf(s, "       %s\n\n       %s\n\n", blank, blank);
	co_str_add(s,
		   "   I declare that what is stated here is true and correct to the best of my knowledge (where the\n"
		   "   law provides for it, as 28 U.S.C. 1746 does: under penalty of perjury).\n\n");
	field(s, "Place", NULL);
	co_str_add(s, "\n");
	field(s, "Date", NULL);
	co_str_add(s, "\n");
	field(s, "Signature", NULL);
}

bool im_certificate_is_due(const struct im_bag_record *bag)
{
	return bag->status == IM_STATUS_COMPLETE || bag->status == IM_STATUS_COMPLETE_WITH_ERRORS;
}

int im_certificate_text(const struct im_record *rec, const struct im_bag_record *bag, struct co_str *s,
			struct co_err *err)
{
	preamble(s);
	person(s);
	original(s, rec);
	process(s, rec);
	identification(s, rec, bag);
	comparison(s, rec, bag);
	statement(s);
	return s->failed ? co_err_set(err, CO_ERR_NOMEM, 0, "no memory for the form of the certificate") : 0;
}
