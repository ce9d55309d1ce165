/* SPDX-License-Identifier: Apache-2.0 */
/* Reading case.db. The file may come from anyone: its structure is checked before the first row is used, only plain
 * tables of our own version are read, and every value is checked on its way in. */
#include <errno.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"
#include "store/case.h"
#include "store/case_schema.h"

#define LONGEST_VALUE (16 << 20) /* bytes of one text */

/* One table that is being read. `bad` names the first column that holds what it can't hold. */
struct reader {
	sqlite3 *db;
	const char *folder;
	struct an_case *c;
	sqlite3_stmt *row;
	int column; /* read next */
	int bad;    /* its number + 1 */
	bool no_memory;
};

static int not_a_case(const struct reader *r, struct co_err *err, const char *why)
{
	return co_err_set(err, CO_ERR_FORMAT, 0, "%s is not a case of this version: %s", r->folder, why);
}

static void set_bad(struct reader *r)
{
	if (!r->bad)
		r->bad = r->column;
}

static int64_t get_int(struct reader *r, int64_t min, int64_t max)
{
	int i = r->column++;
	int64_t v = sqlite3_column_int64(r->row, i);
	if (sqlite3_column_type(r->row, i) != SQLITE_INTEGER || v < min || v > max) {
		set_bad(r);
		return min;
	}
	return v;
}

static uint64_t get_u64(struct reader *r)
{
	return (uint64_t)get_int(r, INT64_MIN, INT64_MAX);
}

static uint32_t get_u32(struct reader *r, uint32_t max)
{
	return (uint32_t)get_int(r, 0, max);
}

static int64_t get_time(struct reader *r)
{
	if (sqlite3_column_type(r->row, r->column) != SQLITE_NULL)
		return get_int(r, INT64_MIN + 1, INT64_MAX);
	r->column++;
	return CO_TIME_NONE;
}

/* A text or blob without NUL, valid until the next row; NULL for NULL. */
static const char *get_text_or_null(struct reader *r)
{
	int i = r->column++;
	int type = sqlite3_column_type(r->row, i);
	if (type == SQLITE_NULL)
		return NULL;
	/* a blob has no NUL behind it: as text it gets one, its bytes stay as they are */
	const char *s = (const char *)sqlite3_column_text(r->row, i);
	size_t n = (size_t)sqlite3_column_bytes(r->row, i);
	if ((type != SQLITE_TEXT && type != SQLITE_BLOB) || !s || strlen(s) != n) {
		set_bad(r);
		return "";
	}
	return s;
}

static const char *get_text(struct reader *r)
{
	const char *s = get_text_or_null(r);
	return s ? s : "";
}

static char *copy_text(struct reader *r)
{
	char *s = strdup(get_text(r));
	r->no_memory |= !s;
	return s;
}

static uint8_t get_letter(struct reader *r)
{
	static const char letters[] = AN_CASE_TYPE_LETTERS;
	const char *s = get_text(r);
	const char *at = s[0] && !s[1] ? strchr(letters, s[0]) : NULL;
	if (!at)
		set_bad(r);
	return at ? (uint8_t)(at - letters) : 0;
}

static void get_times(struct reader *r, int64_t ret[AN_TIME_N])
{
	for (int i = 0; i < AN_TIME_N; i++)
		ret[i] = get_time(r);
}

/* 2 * @n hexadecimal digits, or NULL: false. */
static bool get_digest(struct reader *r, size_t n, uint8_t *ret)
{
	const char *s = get_text_or_null(r);
	if (s && (strlen(s) != 2 * n || co_unhex(s, n, ret) < 0))
		set_bad(r);
	return s != NULL;
}

static void load_evidence(struct reader *r)
{
	struct an_case_evidence e = { 0 };
	e.name = copy_text(r);
	e.kind = copy_text(r);
	e.size = get_u64(r);
	e.sector_size = get_u32(r, UINT32_MAX);
	char **const texts[] = { &e.md5,      &e.sha1,        &e.sha256, &e.case_number, &e.evidence_number,
				 &e.examiner, &e.description, &e.notes,  &e.acquired };
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		*texts[i] = copy_text(r);
	if (co_vec_push(&r->c->evidence, e) < 0) {
		r->no_memory = true;
		free(e.name);
		free(e.kind);
		for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
			free(*texts[i]);
	}
}

static void load_volume(struct reader *r)
{
	struct an_case_volume v = { 0 };
	v.evidence = get_u32(r, UINT32_MAX);
	v.offset = get_u64(r);
	v.length = get_u64(r);
	char **const texts[] = { &v.table, &v.description, &v.fs, &v.label, &v.uuid, &v.mount };
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		*texts[i] = copy_text(r);
	v.mount_known = get_int(r, 0, 1);
	v.n_files = get_u64(r);
	if (co_vec_push(&r->c->volumes, v) < 0) {
		r->no_memory = true;
		for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
			free(*texts[i]);
	}
}

static uint32_t get_volume(struct reader *r)
{
	size_t n = r->c->volumes.n;
	if (n == 0)
		set_bad(r);
	return get_u32(r, n ? (uint32_t)(n - 1) : 0);
}

static void load_file(struct reader *r)
{
	struct an_file f = { 0 };
	f.volume = get_volume(r);
	f.inode = get_u64(r);
	f.path = get_text(r);
	f.link = get_text_or_null(r);
	f.type = get_letter(r);
	f.name_type = get_letter(r);
	f.mode = (uint16_t)get_u32(r, 07777);
	f.uid = get_u32(r, UINT32_MAX);
	f.gid = get_u32(r, UINT32_MAX);
	f.nlink = get_u32(r, UINT32_MAX);
	f.size = get_u64(r);
	get_int(r, 0, 1); /* allocated: told by the flags too */
	f.flags = get_u32(r, UINT32_MAX);
	f.content = get_u32(r, UINT32_MAX);
	f.attr_type = (uint16_t)get_u32(r, UINT16_MAX);
	f.attr_id = (uint16_t)get_u32(r, UINT16_MAX);
	get_times(r, f.time);
	bool md5 = get_digest(r, sizeof f.md5, f.md5), sha256 = get_digest(r, sizeof f.sha256, f.sha256);
	if ((f.flags & AN_HAS_DIGESTS) && !(md5 && sha256))
		set_bad(r);
	struct co_err err = CO_ERR_INIT;
	if (!r->bad && an_files_add(&r->c->files, &f, &err) < 0)
		r->no_memory = true;
}

static bool axis_of(const char *name, enum an_axis *ret)
{
	for (unsigned i = 0; i < AN_AXIS_N; i++) {
		if (strcmp(an_axis_name((enum an_axis)i), name) == 0) {
			*ret = (enum an_axis)i;
			return true;
		}
	}
	return false;
}

/* A reason joined with its finding: what settling needs to come to the same findings again. */
static void load_reason(struct reader *r)
{
	struct an_rule like = { 0 };
	like.id = get_text(r);
	if (!axis_of(get_text(r), &like.axis))
		set_bad(r);
	like.score = get_u32(r, 1000);
	like.confirms = get_int(r, 0, 1);
	like.innocent = get_text(r);
	const char *text = get_text(r), *quote = get_text_or_null(r);
	int64_t offset = get_int(r, -1, INT64_MAX);
	struct an_file f = { 0 };
	f.path = get_text(r);
	f.volume = get_u32(r, UINT32_MAX);
	f.inode = get_u64(r);
	get_times(r, f.time);
	const struct an_rule *rule;
	struct co_err err = CO_ERR_INIT;
	if (!r->bad && (an_findings_own_rule(&r->c->findings, &like, &rule, &err) < 0 ||
			an_findings_restore(&r->c->findings, &f, rule, text, quote, offset, &err) < 0))
		r->no_memory = true;
}

static void load_problem(struct reader *r)
{
	bool whole = sqlite3_column_type(r->row, r->column) == SQLITE_NULL;
	uint32_t volume = UINT32_MAX;
	if (whole)
		r->column++;
	else
		volume = get_u32(r, UINT32_MAX);
	const char *path = get_text(r), *text = get_text(r);
	r->no_memory |= an_case_problem(r->c, volume, path, NULL, "%s", text) < 0;
}

static void load_fact(struct reader *r)
{
	const char *kind = get_text(r), *value = get_text(r), *path = get_text(r);
	r->no_memory |= an_case_fact(r->c, kind, value, path, NULL) < 0;
}

static const struct table {
	const char *name, *sql;
	void (*load)(struct reader *r); /* one row */
} tables[] = {
	{ "evidence",
	  "SELECT name, kind, size, sector_size, md5, sha1, sha256, case_number, evidence_number, examiner, "
	  "description,"
	  " notes, acquired FROM main.evidence ORDER BY id",
	  load_evidence },
	{ "volume",
	  "SELECT evidence, offset, length, partition_table, description, fs, label, uuid, mount, mount_known, files"
	  " FROM main.volume ORDER BY id",
	  load_volume },
	{ "file",
	  "SELECT volume, inode, path, link, type, name_type, mode, uid, gid, nlink, size, allocated, flags, content,"
	  " attr_type, attr_id, atime_ns, mtime_ns, ctime_ns, crtime_ns, dtime_ns, md5, sha256 FROM main.file ORDER BY "
	  "id",
	  load_file },
	{ "reason",
	  "SELECT r.rule, r.axis, r.score, r.confirms, r.innocent, r.text, r.quote, r.offset, f.path, f.volume, "
	  "f.inode,"
	  " f.atime_ns, f.mtime_ns, f.ctime_ns, f.crtime_ns, f.dtime_ns"
	  " FROM main.reason r JOIN main.finding f ON f.id = r.finding ORDER BY r.id",
	  load_reason },
	{ "problem", "SELECT volume, path, text FROM main.problem ORDER BY id", load_problem },
	{ "fact", "SELECT kind, value, path FROM main.fact ORDER BY id", load_fact },
};

/* The first column of the first row as a number, or -1. */
static int64_t ask(struct reader *r, const char *sql)
{
	int64_t v = -1;
	sqlite3_stmt *s = NULL;
	if (sqlite3_prepare_v2(r->db, sql, -1, &s, NULL) == SQLITE_OK && sqlite3_step(s) == SQLITE_ROW)
		v = sqlite3_column_int64(s, 0);
	sqlite3_finalize(s);
	return v;
}

static int load_table(struct reader *r, const struct table *t, struct co_err *err)
{
	if (sqlite3_prepare_v2(r->db, t->sql, -1, &r->row, NULL) != SQLITE_OK)
		return not_a_case(r, err, sqlite3_errmsg(r->db));
	int step = SQLITE_DONE;
	for (int64_t n = 1; !r->bad && !r->no_memory && (step = sqlite3_step(r->row)) == SQLITE_ROW; n++) {
		r->column = 0;
		t->load(r);
		if (r->bad)
			co_err_set(err, CO_ERR_FORMAT, 0, "%s is damaged: row %lld of table %s, column %d", r->folder,
				   (long long)n, t->name, r->bad);
	}
	int result = 0;
	if (r->no_memory)
		result = co_err_set(err, CO_ERR_NOMEM, 0, "no memory for the case %s", r->folder);
	else if (r->bad)
		result = CO_ERR_FORMAT;
	else if (step != SQLITE_DONE)
		result = co_err_set(err, CO_ERR_FORMAT, 0, "read %s/case.db: %s", r->folder, sqlite3_errmsg(r->db));
	sqlite3_finalize(CO_TAKE(r->row));
	return result;
}

/* Is the database whole, ours, and made of plain tables only? */
static int check_database(struct reader *r, struct co_err *err)
{
	sqlite3_stmt *s = NULL;
	if (ask(r, "PRAGMA application_id") != AN_CASE_APPLICATION_ID)
		return not_a_case(r, err, "case.db was not written by exhibit-analyzer");
	if (ask(r, "PRAGMA user_version") != AN_CASE_VERSION)
		return not_a_case(r, err, "case.db has another version of the tables");
	if (ask(r, "SELECT count(*) FROM sqlite_schema WHERE type NOT IN ('table', 'index') OR sql LIKE 'CREATE "
		   "VIRTUAL%'"))
		return not_a_case(r, err, "case.db holds views or triggers");
	bool whole = sqlite3_prepare_v2(r->db, "PRAGMA quick_check(1)", -1, &s, NULL) == SQLITE_OK &&
		     sqlite3_step(s) == SQLITE_ROW && sqlite3_column_text(s, 0) &&
		     strcmp((const char *)sqlite3_column_text(s, 0), "ok") == 0;
	sqlite3_finalize(s);
	return whole ? 0 : co_err_set(err, CO_ERR_FORMAT, 0, "%s/case.db is damaged", r->folder);
}

static int load_all(struct reader *r, struct co_err *err)
{
	sqlite3_limit(r->db, SQLITE_LIMIT_LENGTH, LONGEST_VALUE);
	sqlite3_db_config(r->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(r->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	int result = check_database(r, err);
	for (size_t i = 0; result == 0 && i < sizeof tables / sizeof *tables; i++)
		result = load_table(r, &tables[i], err);
	return result == 0 ? an_findings_settle(&r->c->findings, err) : result;
}

/* "file:...?immutable=1": nothing beside the file is read or made. */
static void database_uri(struct co_str *uri, const char *folder)
{
	co_str_add(uri, "file:");
	for (const char *s = folder; *s; s++) {
		if (strchr("%?#", *s))
			co_str_addf(uri, "%%%02X", (unsigned)*s);
		else
			co_str_add_n(uri, s, 1);
	}
	co_str_add(uri, "/case.db?immutable=1");
}

int an_case_load(struct an_case *ret, const char *folder, struct co_err *err)
{
	struct an_case c = { 0 };
	struct reader r = { .folder = folder, .c = &c };
	CO_CLEANUP_STR struct co_str uri = { 0 };
	database_uri(&uri, folder);
	int result;
	if (uri.failed)
		result = co_err_set(err, CO_ERR_NOMEM, 0, "no memory for the case %s", folder);
	else if (sqlite3_open_v2(co_str_get(&uri), &r.db, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, NULL) != SQLITE_OK)
		result = not_a_case(&r, err, "there is no case.db in it that can be opened");
	else
		result = load_all(&r, err);
	sqlite3_close(r.db);
	if (result == 0)
		*ret = c;
	else
		an_case_free(&c);
	return result;
}
