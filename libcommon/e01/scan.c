/* SPDX-License-Identifier: Apache-2.0 */
/* The walk along the sections of all segments when an image is opened. */
#include <string.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "e01/image.h"

enum {
	SMALL_SECTION = 64 << 10,
	HEADER_SECTION_MAX = 16 << 20,
	ERRORS_MAX = 8 << 20, /* bytes of an error2 section that are read: a million ranges */
	ERROR2_HEADER = 520,
	CHUNK_MAX = 128 << 20, /* 32768 sectors of 4096 bytes */
};
#define CHUNKS_MAX (UINT64_C(1) << 30) /* 4 GiB of tables; 32 TiB of medium in chunks of 32 KiB */

struct scan {
	struct co_e01_image *img;
	const char *name; /* of the segment */
	uint32_t file;
	bool last;   /* segment of those that are there */
	bool listed; /* tables list all chunks before this place in the segment */
	struct co_e01_chain chain;
	struct co_e01_table_part table, table2; /* seen, and not yet added to the image */
	struct co_e01_volume data;              /* the copy of the volume in this or an earlier segment */
	bool have_data;
};

static int read_section(const struct scan *sc, const struct co_e01_section *s, size_t max, uint8_t **ret,
			size_t *ret_len, struct co_err *err)
{
	int r = co_e01_section_read(&sc->chain, s, max, ret, ret_len, err);
	return r < 0 ? co_err_wrap(err, "%s", sc->name) : r;
}

static void note_damage(const struct scan *sc, const struct co_e01_section *s, const char *consequence)
{
	co_e01_note(&sc->img->notes, "%s: section %s at byte %llu is damaged%s", sc->name, s->type,
		    (unsigned long long)s->off, consequence);
}

static int flush_tables(struct scan *sc, struct co_err *err)
{
	struct co_e01_notes *notes = &sc->img->notes;
	if (!sc->table.present && !sc->table2.present)
		return 0;
	if (!sc->table.entries_ok && sc->table2.entries_ok)
		co_e01_note(notes, "%s: a table is damaged, its mirror table2 is used", sc->name);
	else if (!sc->table.entries_ok)
		co_e01_note(notes, "%s: a table and its mirror are damaged, their chunks can't be found", sc->name);
	else if (sc->table2.present && !sc->table2.entries_ok)
		co_e01_note(notes, "%s: the mirror table2 of a table is damaged, the table is used", sc->name);
	int r = co_e01_table_add(&sc->img->table, sc->file, &sc->table, &sc->table2, err);
	sc->table = sc->table2 = (struct co_e01_table_part) { 0 };
	return r;
}

static int on_table(struct scan *sc, const struct co_e01_section *s, struct co_err *err)
{
	bool mirror = strcmp(s->type, "table2") == 0;
	uint8_t head[24];
	int r = mirror && !sc->table2.present ? 0 : flush_tables(sc, err);
	if (r < 0)
		return r;
	if (sc->img->table.n > CHUNKS_MAX)
		return co_err_set(err, CO_ERR_UNSUPPORTED, 0, "%s: its tables list more than %llu chunks", sc->name,
				  (unsigned long long)CHUNKS_MAX);
	r = co_e01_pread(sc->chain.fd, head, sizeof head, s->off + CO_E01_DESCRIPTOR_SIZE, err);
	if (r < 0)
		return co_err_wrap(err, "%s", sc->name);
	CO_CLEANUP_FREE uint8_t *bytes = NULL;
	size_t len = 0;
	/* In the old layout the chunks follow in the same section: read no more than the table. */
	uint64_t want = r ? 0 : sizeof head + (uint64_t)co_le32(head) * 4 + 4;
	r = read_section(sc, s, (size_t)want, &bytes, &len, err);
	if (r < 0)
		return r;
	return co_e01_table_parse(mirror ? &sc->table2 : &sc->table, bytes, len, s, err);
}

static int on_volume(struct scan *sc, const struct co_e01_section *s, struct co_err *err)
{
	struct co_e01_image *img = sc->img;
	bool copy = strcmp(s->type, "data") == 0;
	CO_CLEANUP_FREE uint8_t *bytes = NULL;
	size_t len = 0;
	struct co_e01_volume v;
	int r = read_section(sc, s, SMALL_SECTION, &bytes, &len, err);
	if (r < 0)
		return r;
	if (r || co_e01_volume_parse(bytes, len, &v)) {
		note_damage(sc, s, "");
		return 0;
	}
	if (copy && img->have_volume &&
	    (v.sector_size != img->volume.sector_size || v.sectors_per_chunk != img->volume.sectors_per_chunk))
		return co_err_set(err, CO_ERR_FORMAT, 0,
				  "%s belongs to another image than %s: their chunks have different sizes", sc->name,
				  img->set.names.at[0]);
	if (copy && !sc->have_data) {
		sc->data = v;
		sc->have_data = true;
	} else if (!copy && !img->have_volume) {
		img->volume = v;
		img->have_volume = true;
	}
	return 0;
}

static int on_header(struct scan *sc, const struct co_e01_section *s, struct co_err *err)
{
	CO_CLEANUP_FREE uint8_t *bytes = NULL, *text = NULL;
	size_t len = 0, text_len = 0;
	int r = read_section(sc, s, HEADER_SECTION_MAX, &bytes, &len, err);
	if (r == 0)
		r = co_e01_inflate_text(bytes, len, &text, &text_len, err);
	if (r == 0)
		r = co_e01_header_parse(text, text_len, sc->img->texts, err);
	if (r > 0)
		note_damage(sc, s, "");
	return r < 0 ? r : 0;
}

static int on_digest(struct scan *sc, const struct co_e01_section *s, struct co_err *err)
{
	struct co_digests *stored = &sc->img->info.stored;
	CO_CLEANUP_FREE uint8_t *bytes = NULL;
	size_t len = 0;
	int r = read_section(sc, s, SMALL_SECTION, &bytes, &len, err);
	if (r == 0)
		r = strcmp(s->type, "hash") == 0     ? co_e01_hash_parse(bytes, len, stored)
		    : strcmp(s->type, "digest") == 0 ? co_e01_digest_parse(bytes, len, stored)
						     : co_e01_xml_digests_parse(bytes, len, stored);
	if (r > 0)
		note_damage(sc, s, ", its digests are not known");
	return r < 0 ? r : 0;
}

/* error2: number (4), unused (512), checksum (4); first sector and count (4 each) per range; checksum (4). */
static int on_errors(struct scan *sc, const struct co_e01_section *s, struct co_err *err)
{
	CO_CLEANUP_FREE uint8_t *bytes = NULL;
	size_t len = 0;
	int r = read_section(sc, s, ERRORS_MAX, &bytes, &len, err);
	if (r < 0)
		return r;
	bool ok = r == 0 && len >= ERROR2_HEADER + 4 && co_le32(bytes + 516) == co_adler32(1, bytes, 516);
	size_t n = ok ? co_le32(bytes) : 0;
	ok = ok && n <= (len - ERROR2_HEADER - 4) / 8;
	const uint8_t *entries = ok ? bytes + ERROR2_HEADER : NULL;
	if (!ok || co_le32(entries + n * 8) != co_adler32(1, entries, n * 8)) {
		note_damage(sc, s, ", the sectors that were unreadable are not known");
		return 0;
	}
	for (size_t i = 0; i < n; i++) {
		if (co_vec_reserve(&sc->img->errors, sc->img->errors.n + 1) < 0)
			return co_err_set(err, CO_ERR_NOMEM, 0, "no memory for the list of unreadable sectors");
		uint64_t *range = sc->img->errors.at[sc->img->errors.n++];
		range[0] = co_le32(entries + i * 8);
		range[1] = co_le32(entries + i * 8 + 4);
	}
	return 0;
}

static const struct {
	const char *type;
	int (*on)(struct scan *sc, const struct co_e01_section *s, struct co_err *err);
} handlers[] = {
	{ "table", on_table },   { "table2", on_table },  { "volume", on_volume },  { "disk", on_volume },
	{ "data", on_volume },   { "header", on_header }, { "header2", on_header }, { "hash", on_digest },
	{ "digest", on_digest }, { "xhash", on_digest },  { "xheader", on_digest }, { "error2", on_errors },
};

static int on_section(struct scan *sc, const struct co_e01_section *s, struct co_err *err)
{
	int r = 0;
	if (s->after_damage) {
		co_e01_note(&sc->img->notes,
			    "%s: the chain of sections is damaged; it goes on at byte %llu with section %s", sc->name,
			    (unsigned long long)s->off, s->type);
		/* A table may have been lost here. Then this is not the mirror of the one before either. */
		r = flush_tables(sc, err);
		if (r == 0)
			r = co_e01_table_add_gap(&sc->img->table, sc->file, err);
	}
	if (strcmp(s->type, "sectors") == 0)
		sc->listed = false;
	else if (strcmp(s->type, "table2") == 0)
		sc->listed = true;
	for (size_t i = 0; r == 0 && i < sizeof handlers / sizeof *handlers; i++)
		if (strcmp(s->type, handlers[i].type) == 0)
			return handlers[i].on(sc, s, err);
	return r;
}

/* Is all there but the last sections, or a part of them? */
static bool lacks_tail_only(const struct scan *sc)
{
	return sc->img->partial && sc->last && sc->listed;
}

/* What the end of the chain means. */
static int check_end(struct scan *sc, struct co_err *err)
{
	if (sc->chain.end == CO_E01_END_CUT && !lacks_tail_only(sc))
		return co_err_set(err, CO_ERR_FORMAT, 0, "%s is truncated: it ends without its last section", sc->name);
	if (sc->chain.end != CO_E01_END_BROKEN)
		return 0;
	co_e01_note(&sc->img->notes, "%s: the chain of sections is damaged at byte %llu and does not go on", sc->name,
		    (unsigned long long)sc->chain.at);
	return co_e01_table_add_gap(&sc->img->table, sc->file, err);
}

static int scan_segment(struct scan *sc, struct co_err *err)
{
	int fd;
	unsigned number;
	int r = co_e01_files_acquire(sc->img->files, sc->file, &fd, err);
	if (r < 0)
		return r;
	r = co_e01_chain_open(&sc->chain, fd, &number, err);
	if (r > 0)
		r = co_err_set(err, CO_ERR_FORMAT, 0, "%s is not an E01 file", sc->name);
	else if (r < 0)
		co_err_wrap(err, "%s", sc->name);
	while (r == 0) {
		struct co_e01_section s;
		r = co_e01_chain_next(&sc->chain, true, &s, err);
		if (r < 0)
			co_err_wrap(err, "%s", sc->name);
		else if (r == 0)
			r = on_section(sc, &s, err);
	}
	if (r > 0)
		r = flush_tables(sc, err);
	if (r == 0)
		r = check_end(sc, err);
	co_e01_files_release(sc->img->files, sc->file);
	free(sc->table.entries);
	free(sc->table2.entries);
	sc->table = sc->table2 = (struct co_e01_table_part) { 0 };
	return r;
}

/* Are the numbers of the volume section possible? */
static int check_volume(const struct co_e01_image *img, struct co_err *err)
{
	const struct co_e01_volume *v = &img->volume;
	const char *name = img->set.names.at[0];
	uint64_t chunk = (uint64_t)v->sectors_per_chunk * v->sector_size, size;
	if (v->sector_size < 128 || v->sector_size > 65536 || chunk == 0 || chunk > CHUNK_MAX)
		return co_err_set(err, CO_ERR_FORMAT, 0, "%s: chunks of %u sectors of %u bytes are not possible", name,
				  v->sectors_per_chunk, v->sector_size);
	if (!co_mul(v->sectors, (uint64_t)v->sector_size, &size) || size > INT64_MAX ||
	    v->sectors / v->sectors_per_chunk >= CHUNKS_MAX)
		return co_err_set(err, CO_ERR_UNSUPPORTED, 0, "%s: a medium of %llu sectors is not supported", name,
				  (unsigned long long)v->sectors);
	return 0;
}

int co_e01_image_scan(struct co_e01_image *img, struct co_err *err)
{
	struct scan sc = { .img = img };
	int r = 0;
	for (size_t i = 0; r == 0 && i < img->set.names.n; i++) {
		sc.file = (uint32_t)i;
		sc.name = img->set.names.at[i];
		sc.last = i + 1 == img->set.names.n;
		sc.listed = false;
		r = scan_segment(&sc, err);
	}
	if (r < 0)
		return r;
	if (!img->have_volume && !sc.have_data)
		return co_err_set(err, CO_ERR_FORMAT, 0, "%s: it has no valid section that describes the medium",
				  img->set.names.at[0]);
	if (!img->have_volume) {
		co_e01_note(&img->notes, "%s: the description of the medium is damaged, its copy is used",
			    img->set.names.at[0]);
		img->volume = sc.data;
	}
	return check_volume(img, err);
}
