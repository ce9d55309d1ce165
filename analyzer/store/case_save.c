/* SPDX-License-Identifier: Apache-2.0 */
/* Writing case.db. One transaction without a journal: a file that is not finished keeps its .part name. */
#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"
#include "io/sink.h"
#include "store/case.h"
#include "store/case_schema.h"
#include "version.h"

/* The database and the statement that fills one table. The first failure stays in `result`. */
struct writer {
	sqlite3 *db;
	const char *name; /* of the file, for messages */
	sqlite3_stmt *insert;
	int column; /* bound last */
	int result; /* SQLITE_OK or the first failure */
};

static int failed(const struct writer *w, struct co_err *err)
{
	return co_err_set(err, CO_ERR_OUTPUT, 0, "write %s: %s", w->name, w->db ? sqlite3_errmsg(w->db) : "no memory");
}

static void keep(struct writer *w, int result)
{
	if (w->result == SQLITE_OK && result != SQLITE_DONE)
		w->result = result;
}

static void run_sql(struct writer *w, const char *sql)
{
	if (w->result == SQLITE_OK)
		keep(w, sqlite3_exec(w->db, sql, NULL, NULL, NULL));
}

/* "INSERT INTO @table VALUES(?,...)": ends the statement before. */
static void begin_table(struct writer *w, const char *table, int columns)
{
	CO_CLEANUP_STR struct co_str sql = { 0 };
	co_str_addf(&sql, "INSERT INTO %s VALUES(", table);
	for (int i = 0; i < columns; i++)
		co_str_add(&sql, i ? ",?" : "?");
	co_str_add(&sql, ")");
	sqlite3_finalize(CO_TAKE(w->insert));
	if (sql.failed)
		keep(w, SQLITE_NOMEM);
	if (w->result == SQLITE_OK)
		keep(w, sqlite3_prepare_v2(w->db, co_str_get(&sql), -1, &w->insert, NULL));
	w->column = 0;
}

static void put_int(struct writer *w, int64_t value)
{
	if (w->result == SQLITE_OK)
		keep(w, sqlite3_bind_int64(w->insert, ++w->column, value));
}

static void put_null(struct writer *w)
{
	if (w->result == SQLITE_OK)
		keep(w, sqlite3_bind_null(w->insert, ++w->column));
}

static void put_time(struct writer *w, int64_t ns)
{
	if (ns == CO_TIME_NONE)
		put_null(w);
	else
		put_int(w, ns);
}

static bool is_utf8(const char *s, size_t n)
{
	for (size_t i = 0; i < n;) {
		size_t len = co_utf8_len(s + i, n - i, NULL);
		if (!len)
			return false;
		i += len;
	}
	return true;
}

/* NULL is stored as NULL. The text must live until the row is ended. */
static void put_text(struct writer *w, const char *text)
{
	if (!text) {
		put_null(w);
		return;
	}
	size_t n = strlen(text);
	if (w->result != SQLITE_OK)
		return;
	if (is_utf8(text, n))
		keep(w, sqlite3_bind_text64(w->insert, ++w->column, text, n, SQLITE_STATIC, SQLITE_UTF8));
	else
		keep(w, sqlite3_bind_blob64(w->insert, ++w->column, text, n, SQLITE_STATIC));
}

static void put_letter(struct writer *w, unsigned type)
{
	static const char letters[] = AN_CASE_TYPE_LETTERS;
	if (w->result == SQLITE_OK)
		keep(w, sqlite3_bind_text(w->insert, ++w->column, &letters[type < sizeof letters - 1 ? type : 0], 1,
					  SQLITE_STATIC));
}

static void put_times(struct writer *w, const int64_t times[AN_TIME_N])
{
	for (int i = 0; i < AN_TIME_N; i++)
		put_time(w, times[i]);
}

static void end_row(struct writer *w)
{
	w->column = 0;
	if (w->result != SQLITE_OK)
		return;
	keep(w, sqlite3_step(w->insert));
	keep(w, sqlite3_reset(w->insert));
}

static void save_meta(struct writer *w)
{
	static const char *const rows[][2] = { { "schema", "exhibit.case/1" }, { "version", CO_VERSION } };
	begin_table(w, "meta", 2);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		put_text(w, rows[i][0]);
		put_text(w, rows[i][1]);
		end_row(w);
	}
}

static void save_evidence(struct writer *w, const struct an_case *c)
{
	begin_table(w, "evidence", 14);
	for (size_t i = 0; i < c->evidence.n; i++) {
		const struct an_case_evidence *e = &c->evidence.at[i];
		put_int(w, (int64_t)i);
		put_text(w, e->name);
		put_text(w, e->kind);
		put_int(w, (int64_t)e->size);
		put_int(w, e->sector_size);
		const char *const texts[] = {
			e->md5,      e->sha1,        e->sha256, e->case_number, e->evidence_number,
			e->examiner, e->description, e->notes,  e->acquired
		};
		for (size_t k = 0; k < sizeof texts / sizeof *texts; k++)
			put_text(w, texts[k]);
		end_row(w);
	}
}

static void save_volumes(struct writer *w, const struct an_case *c)
{
	begin_table(w, "volume", 12);
	for (size_t i = 0; i < c->volumes.n; i++) {
		const struct an_case_volume *v = &c->volumes.at[i];
		put_int(w, (int64_t)i);
		put_int(w, v->evidence);
		put_int(w, (int64_t)v->offset);
		put_int(w, (int64_t)v->length);
		const char *const texts[] = { v->table, v->description, v->fs, v->label, v->uuid, v->mount };
		for (size_t k = 0; k < sizeof texts / sizeof *texts; k++)
			put_text(w, texts[k]);
		put_int(w, v->mount_known);
		put_int(w, (int64_t)v->n_files);
		end_row(w);
	}
}

static void save_file(struct writer *w, int64_t id, const struct an_file *f)
{
	char md5[33], sha256[65];
	bool digests = f->flags & AN_HAS_DIGESTS;
	co_hex(f->md5, sizeof f->md5, md5);
	co_hex(f->sha256, sizeof f->sha256, sha256);
	put_int(w, id);
	put_int(w, f->volume);
	put_int(w, (int64_t)f->inode);
	put_text(w, f->path);
	put_text(w, f->link);
	put_letter(w, f->type);
	put_letter(w, f->name_type);
	put_int(w, f->mode);
	put_int(w, f->uid);
	put_int(w, f->gid);
	put_int(w, f->nlink);
	put_int(w, (int64_t)f->size);
	put_int(w, (f->flags & AN_NAME_ALLOCATED) != 0);
	put_int(w, f->flags);
	put_int(w, f->content);
	put_int(w, f->attr_type);
	put_int(w, f->attr_id);
	put_times(w, f->time);
	put_text(w, digests ? md5 : NULL);
	put_text(w, digests ? sha256 : NULL);
	end_row(w);
}

static void save_files(struct writer *w, const struct an_case *c)
{
	begin_table(w, "file", 24);
	for (size_t i = 0; i < c->files.rows.n; i++)
		save_file(w, (int64_t)i, &c->files.rows.at[i]);
}

static void save_findings(struct writer *w, const struct an_case *c)
{
	begin_table(w, "finding", 14);
	for (size_t i = 0; i < c->findings.list.n; i++) {
		const struct an_finding *f = &c->findings.list.at[i];
		put_int(w, (int64_t)i);
		put_text(w, f->rule->id);
		put_text(w, an_axis_name(f->rule->axis));
		put_text(w, an_severity_name(f->severity));
		put_int(w, f->score);
		put_text(w, f->path);
		put_int(w, f->volume);
		put_int(w, (int64_t)f->inode);
		put_time(w, f->time_ns);
		put_times(w, f->times);
		end_row(w);
	}
}

static void save_reasons(struct writer *w, const struct an_case *c)
{
	int64_t id = 0;
	begin_table(w, "reason", 10);
	for (size_t i = 0; i < c->findings.list.n; i++) {
		const struct an_finding *f = &c->findings.list.at[i];
		for (size_t k = 0; k < f->reasons.n; k++) {
			const struct an_reason *reason = &f->reasons.at[k];
			put_int(w, id++);
			put_int(w, (int64_t)i);
			put_text(w, reason->rule->id);
			put_text(w, an_axis_name(reason->rule->axis));
			put_int(w, reason->rule->score);
			put_int(w, reason->rule->confirms);
			put_text(w, reason->rule->innocent);
			put_text(w, reason->text);
			put_text(w, reason->quote);
			put_int(w, reason->offset);
			end_row(w);
		}
	}
}

static void save_problems(struct writer *w, const struct an_case *c)
{
	begin_table(w, "problem", 4);
	for (size_t i = 0; i < c->problems.n; i++) {
		const struct an_problem *p = &c->problems.at[i];
		put_int(w, (int64_t)i);
		if (p->volume == UINT32_MAX)
			put_null(w);
		else
			put_int(w, p->volume);
		put_text(w, p->path);
		put_text(w, p->text);
		end_row(w);
	}
}

static void save_facts(struct writer *w, const struct an_case *c)
{
	begin_table(w, "fact", 4);
	for (size_t i = 0; i < c->facts.n; i++) {
		put_int(w, (int64_t)i);
		put_text(w, c->facts.at[i].kind);
		put_text(w, c->facts.at[i].value);
		put_text(w, c->facts.at[i].path);
		end_row(w);
	}
}

static void save_all(struct writer *w, const struct an_case *c)
{
	char ids[96];
	snprintf(ids, sizeof ids, "PRAGMA application_id=%d; PRAGMA user_version=%d; BEGIN", AN_CASE_APPLICATION_ID,
		 AN_CASE_VERSION);
	run_sql(w, "PRAGMA page_size=4096; PRAGMA encoding='UTF-8'; PRAGMA auto_vacuum=NONE;"
		   "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF");
	run_sql(w, ids);
	run_sql(w, an_case_schema);
	save_meta(w);
	save_evidence(w, c);
	save_volumes(w, c);
	save_files(w, c);
	save_findings(w, c);
	save_reasons(w, c);
	save_problems(w, c);
	save_facts(w, c);
	sqlite3_finalize(CO_TAKE(w->insert));
	run_sql(w, "COMMIT");
}

static int save_database(const struct an_case *c, const char *part, const char *file, struct co_err *err)
{
	struct writer w = { .name = file };
	keep(&w,
	     sqlite3_open_v2(part, &w.db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_EXCLUSIVE, NULL));
	save_all(&w, c);
	int r = w.result == SQLITE_OK ? 0 : failed(&w, err);
	if (sqlite3_close(w.db) != SQLITE_OK && r == 0)
		r = co_err_set(err, CO_ERR_OUTPUT, 0, "close %s: statements were left open", file);
	return r;
}

int an_case_save(const struct an_case *c, const char *file, struct co_err *err)
{
	CO_CLEANUP_STR struct co_str part = { 0 };
	co_str_addf(&part, "%s.part", file);
	if (part.failed)
		return co_err_set(err, CO_ERR_NOMEM, 0, "no memory for the name of %s", file);
	if (unlink(co_str_get(&part)) < 0 && errno != ENOENT)
		return co_err_set(err, CO_ERR_OUTPUT, errno, "remove %s", co_str_get(&part));
	int r = save_database(c, co_str_get(&part), file, err);
	if (r == 0)
		r = co_sync_file(co_str_get(&part), err);
	if (r == 0)
		r = co_rename_new(co_str_get(&part), file, err);
	if (r < 0)
		unlink(co_str_get(&part));
	return r;
}
