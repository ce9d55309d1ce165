/* SPDX-License-Identifier: Apache-2.0 */
#include "acquire/dfxml.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "acquire/blocks.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "version.h"

#define LINE_MAX_READ 160

/* U+FFFE and U+FFFF are valid UTF-8. */
static const char *noncharacter(uint32_t code)
{
	return code == 0xFFFE ? "\\xef\\xbf\\xbe" : code == 0xFFFF ? "\\xef\\xbf\\xbf" : NULL;
}

void im_dfxml_visible(struct co_str *s, const char *text)
{
	CO_CLEANUP_STR struct co_str visible = { 0 };
	const char *at, *end;

	co_str_add_visible(&visible, text, strlen(text));
	s->failed = s->failed || visible.failed;
	at = co_str_get(&visible);
	end = at + visible.n;
	while (at < end) {
		uint32_t code = 0;
		size_t n = co_utf8_len(at, (size_t)(end - at), &code);
		const char *instead = noncharacter(code);

		if (instead)
			co_str_add(s, instead);
		else
			co_str_add_n(s, at, n);
		at += n;
	}
}

/* What stands for a character that is markup; NULL: it is none. */
static const char *entity(char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	default:
		return NULL;
	}
}

static void escaped(struct co_str *s, const char *text)
{
	CO_CLEANUP_STR struct co_str visible = { 0 };

	im_dfxml_visible(&visible, text);
	s->failed = s->failed || visible.failed;
	for (const char *c = co_str_get(&visible); *c; c++) {
		const char *instead = entity(*c);

		if (instead)
			co_str_add(s, instead);
		else
			co_str_add_n(s, c, 1);
	}
}

static void indent(struct co_str *s, int depth)
{
	co_str_addf(s, "%*s", 2 * depth, "");
}

static void open_tag(struct co_str *s, int depth, const char *name)
{
	indent(s, depth);
	co_str_addf(s, "<%s>\n", name);
}

static void close_tag(struct co_str *s, int depth, const char *name)
{
	indent(s, depth);
	co_str_addf(s, "</%s>\n", name);
}

/* Nothing where there is no text. */
static void element(struct co_str *s, int depth, const char *name, const char *text)
{
	if (!text || !text[0])
		return;
	indent(s, depth);
	co_str_addf(s, "<%s>", name);
	escaped(s, text);
	co_str_addf(s, "</%s>\n", name);
}

static void number(struct co_str *s, int depth, const char *name, uint64_t value)
{
	indent(s, depth);
	co_str_addf(s, "<%s>%" PRIu64 "</%s>\n", name, value, name);
}

static void time_element(struct co_str *s, int depth, const char *name, int64_t ns)
{
	char text[40];

	co_time_text(ns, text);
	element(s, depth, name, text);
}

static void hashes(struct co_str *s, int depth, const struct co_digests *d)
{
	static const enum co_hash_alg order[] = { CO_HASH_SHA256, CO_HASH_SHA1, CO_HASH_MD5 };
	char hex[2 * CO_HASH_MAX + 1];

	for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
		if (!(d->set & CO_HASH_BIT(order[i])))
			continue;
		co_digests_hex(d, order[i], hex);
		indent(s, depth);
		co_str_addf(s, "<hashdigest type=\"%s\">%s</hashdigest>\n", co_hash_name(order[i]), hex);
	}
}

static void creator(struct co_str *s, const struct im_record *rec)
{
	struct utsname u;

	open_tag(s, 1, "creator");
	element(s, 2, "program", "exhibit-imager");
	element(s, 2, "version", CO_VERSION);
	open_tag(s, 2, "execution_environment");
	if (uname(&u) == 0) {
		element(s, 3, "os_sysname", u.sysname);
		element(s, 3, "os_release", u.release);
		element(s, 3, "os_version", u.version);
		element(s, 3, "host", u.nodename);
		element(s, 3, "arch", u.machine);
	}
	element(s, 3, "command_line", rec->command_line);
	number(s, 3, "uid", geteuid());
	time_element(s, 3, "start_time", rec->start_ns);
	close_tag(s, 2, "execution_environment");
	close_tag(s, 1, "creator");
}

static void source(struct co_str *s, const struct im_record *rec)
{
	open_tag(s, 1, "source");
	element(s, 2, "image_filename", rec->guard->device.path);
	close_tag(s, 1, "source");
}

static void case_data(struct co_str *s, const struct im_case *c)
{
	open_tag(s, 2, "exhibit:case");
	element(s, 3, "exhibit:case_number", c->case_number);
	element(s, 3, "exhibit:evidence_number", c->evidence_number);
	element(s, 3, "exhibit:examiner", c->examiner);
	element(s, 3, "exhibit:description", c->description);
	element(s, 3, "exhibit:notes", c->notes);
	close_tag(s, 2, "exhibit:case");
}

static void device(struct co_str *s, const struct im_record *rec)
{
	const struct im_device *d = &rec->guard->device;

	open_tag(s, 2, "exhibit:device");
	element(s, 3, "exhibit:path", d->path);
	element(s, 3, "exhibit:kind", im_kind_name(d->kind));
	element(s, 3, "exhibit:vendor", d->vendor);
	element(s, 3, "exhibit:model", d->model);
	element(s, 3, "exhibit:serial", d->serial);
	element(s, 3, "exhibit:revision", d->revision);
	element(s, 3, "exhibit:wwid", d->wwid);
	element(s, 3, "exhibit:transport", d->transport);
	number(s, 3, "exhibit:size", rec->media_bytes);
	number(s, 3, "exhibit:logical_sector", rec->sector);
	number(s, 3, "exhibit:physical_sector", d->physical_sector);
	close_tag(s, 2, "exhibit:device");
}

static void image(struct co_str *s, const struct im_record *rec)
{
	char guid[33];

	im_guid_text(rec->guid, guid);
	open_tag(s, 2, "exhibit:image");
	element(s, 3, "exhibit:name", rec->name);
	element(s, 3, "exhibit:format", "E01 (EnCase 6 layout)");
	element(s, 3, "exhibit:compression", co_compression_name(rec->compression));
	element(s, 3, "exhibit:guid", guid);
	number(s, 3, "exhibit:padding_bytes", rec->padding_bytes);
	close_tag(s, 2, "exhibit:image");
}

/* @attributes: more of them, with a blank before each; @d NULL: no digest. */
static void byte_run(struct co_str *s, const char *role, uint64_t from, uint64_t bytes, const char *attributes,
		     const struct co_digests *d)
{
	indent(s, 3);
	co_str_addf(s, "<byte_run img_offset=\"%" PRIu64 "\" len=\"%" PRIu64 "\" exhibit:role=\"%s\"%s%s>\n", from,
		    bytes, role, attributes, d ? "" : "/");
	if (!d)
		return;
	hashes(s, 4, d);
	close_tag(s, 3, "byte_run");
}

static void medium(struct co_str *s, const struct im_record *rec)
{
	if (rec->have_digests) {
		byte_run(s, "medium", 0, rec->media_bytes, "", &rec->digests.plain);
		if (rec->padding_bytes)
			byte_run(s, "padded-medium", 0, rec->media_bytes + rec->padding_bytes, "",
				 &rec->digests.padded);
		return;
	}
	if (rec->read_bytes)
		byte_run(s, "read", 0, rec->read_bytes, "", NULL);
	if (rec->read_bytes < rec->media_bytes)
		byte_run(s, "not-read", rec->read_bytes, rec->media_bytes - rec->read_bytes, "", NULL);
}

static void unreadable(struct co_str *s, const struct im_record *rec)
{
	for (size_t i = 0; i < rec->bad.list.n; i++) {
		const struct im_range *bad = &rec->bad.list.at[i];
		uint64_t from = bad->first * rec->sector;
		uint64_t to = co_min_u64(from + bad->count * rec->sector, rec->media_bytes);

		byte_run(s, "unreadable", from, to - from, " fill=\"0\"", NULL);
	}
}

static bool are_blocks_listed(const struct im_record *rec, const char *blocks)
{
	return blocks && rec->media_bytes <= (uint64_t)IM_DFXML_BLOCKS_MAX * IM_BLOCK_SIZE;
}

/* One line of the file with the digests of the blocks. */
static int block(struct co_str *s, const char *line, uint64_t from, uint64_t bytes)
{
	struct co_digests d = { .set = CO_HASH_BIT(CO_HASH_SHA256) };
	char rest[64];

	snprintf(rest, sizeof rest, "  %" PRIu64 " %" PRIu64 "\n", from, bytes);
	if (co_unhex(line, 32, d.of[CO_HASH_SHA256].bytes) < 0 || strcmp(line + 64, rest) != 0)
		return -1;
	d.of[CO_HASH_SHA256].alg = CO_HASH_SHA256;
	byte_run(s, "block", from, bytes, "", &d);
	return 0;
}

static int list_blocks(struct co_str *s, uint64_t media, const char *blocks, struct co_err *err)
{
	CO_CLEANUP_FCLOSE FILE *f = fopen(blocks, "re");
	char line[LINE_MAX_READ];
	bool good;

	if (!f)
		return co_err_set(err, CO_ERR_OUTPUT, errno, "open %s", blocks);
	good = fgets(line, sizeof line, f) && line[0] == '#';
	for (uint64_t at = 0; good && at < media; at += IM_BLOCK_SIZE)
		good = fgets(line, sizeof line, f) && block(s, line, at, co_min_u64(IM_BLOCK_SIZE, media - at)) == 0;
	if (!good || fgetc(f) != EOF || ferror(f))
		return co_err_set(err, CO_ERR_OUTPUT, 0, "%s does not hold the digests that were written to it",
				  blocks);
	return 0;
}

static void block_file(struct co_str *s, const struct im_record *rec)
{
	indent(s, 2);
	co_str_add(s, "<exhibit:block_digests file=\"");
	escaped(s, rec->name);
	co_str_addf(s, ".blocks.sha256\" algorithm=\"sha256\" block_bytes=\"%u\"/>\n", IM_BLOCK_SIZE);
}

/* The children in the order that the schema demands: those of another namespace first. */
static int disk_image(struct co_str *s, const struct im_record *rec, const struct im_bag_record *bag,
		      const char *blocks, struct co_err *err)
{
	int r = 0;

	open_tag(s, 1, "diskimageobject");
	element(s, 2, "exhibit:status", im_status_name(bag->status));
	time_element(s, 2, "exhibit:start_time", rec->start_ns);
	time_element(s, 2, "exhibit:end_time", rec->end_ns);
	case_data(s, &rec->info);
	device(s, rec);
	image(s, rec);
	element(s, 2, "exhibit:verification", im_verification_name(bag->verification));
	if (blocks)
		block_file(s, rec);
	open_tag(s, 2, "byte_runs");
	medium(s, rec);
	unreadable(s, rec);
	if (are_blocks_listed(rec, blocks))
		r = list_blocks(s, rec->media_bytes, blocks, err);
	close_tag(s, 2, "byte_runs");
	number(s, 2, "sector_size", rec->sector);
	element(s, 2, "error", bag->error.code ? bag->error.msg : NULL);
	close_tag(s, 1, "diskimageobject");
	return r;
}

static void segments(struct co_str *s, const struct im_bag_record *bag)
{
	for (size_t i = 0; i < bag->segments.n; i++) {
		const struct im_segment *g = &bag->segments.at[i];

		indent(s, 1);
		co_str_add(s, "<fileobject exhibit:role=\"segment\">\n");
		element(s, 2, "filename", bag->published ? g->name : g->part);
		number(s, 2, "id", i + 1);
		element(s, 2, "name_type", "r");
		number(s, 2, "filesize", g->bytes);
		if (g->sha256[0]) {
			indent(s, 2);
			co_str_addf(s, "<hashdigest type=\"sha256\">%s</hashdigest>\n", g->sha256);
		}
		close_tag(s, 1, "fileobject");
	}
}

int im_dfxml_text(const struct im_record *rec, const struct im_bag_record *bag, const char *blocks, struct co_str *s,
		  struct co_err *err)
{
	static const char begin[] = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
				    "<dfxml xmlns=\"http://www.forensicswiki.org/wiki/Category:Digital_Forensics_XML\""
				    " xmlns:dc=\"http://purl.org/dc/elements/1.1/\""
				    " xmlns:exhibit=\"urn:x-exhibit:dfxml:1\" version=\"2.0.0-beta.0\">\n";
	int r;

	co_str_add(s, begin);
	open_tag(s, 1, "metadata");
	element(s, 2, "dc:type", "Disk Image");
	close_tag(s, 1, "metadata");
	creator(s, rec);
	source(s, rec);
	r = disk_image(s, rec, bag, blocks, err);
	segments(s, bag);
	co_str_add(s, "</dfxml>\n");
	if (r == 0 && s->failed)
		r = co_err_set(err, CO_ERR_NOMEM, 0, "no memory for the DFXML of the acquisition");
	return r;
}
