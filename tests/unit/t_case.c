/* SPDX-License-Identifier: Apache-2.0 */
#include "suites.h"

#include <fcntl.h>

#include "base/cleanup.h"
#include "case_builder.h"
#include "folder.h"

static const struct an_rule rule = { "some-rule", AN_AXIS_CONTENT, 30, false, "It may be harmless." };
static const struct an_rule second = { "other-rule", AN_AXIS_INTEGRITY, 60, true, "Or not." };

/* A case with every kind of value that may be odd. */
static void fill(struct builder *b)
{
	struct co_err err = CO_ERR_INIT;
	builder_make(b);
	builder_file(b, "/var/www/a.php", "<?php ");
	builder_file(b, "/caf\xe9", "latin 1 name");
	builder_link(b, "/bin", "usr/bin");
	struct an_file *f = builder_file(b, "/odd", "x");
	f->inode = UINT64_MAX;
	f->size = UINT64_MAX - 1;
	f->time[AN_MTIME] = -1;
	f->time[AN_ATIME] = CO_TIME_NONE;
	f->flags = (f->flags & ~(uint32_t)AN_HAS_DIGESTS) | AN_ORPHAN;
	f->uid = UINT32_MAX;
	ck_assert_int_eq(an_findings_add(&b->c.findings, &b->c.files.rows.at[0], &rule, "<?php\n\xff", 12, &err, "one"),
			 0);
	ck_assert_int_eq(an_findings_add(&b->c.findings, &b->c.files.rows.at[0], &second, NULL, -1, &err, "a\\b"), 0);
	ck_assert_int_eq(an_findings_add(&b->c.findings, f, &rule, "", 0, &err, "two"), 0);
	ck_assert_int_eq(an_findings_settle(&b->c.findings, &err), 0);
	ck_assert_int_eq(an_case_problem(&b->c, UINT32_MAX, "", &err, "%s", "a problem"), 0);
	ck_assert_int_eq(an_case_problem(&b->c, 0, "/x", &err, "another"), 0);
	ck_assert_int_eq(an_case_fact(&b->c, "hostname", "web01", "/etc/hostname", &err), 0);
}

static void same_file(const struct an_file *a, const struct an_file *b)
{
	ck_assert_str_eq(a->path, b->path);
	ck_assert_pstr_eq(a->link, b->link);
	ck_assert_uint_eq(a->inode, b->inode);
	ck_assert_uint_eq(a->size, b->size);
	ck_assert_mem_eq(a->time, b->time, sizeof a->time);
	ck_assert_uint_eq(a->uid, b->uid);
	ck_assert_uint_eq(a->flags, b->flags);
	ck_assert_uint_eq(a->content, b->content);
	ck_assert_uint_eq(a->mode, b->mode);
	ck_assert_int_eq(a->type, b->type);
	if (a->flags & AN_HAS_DIGESTS)
		ck_assert_mem_eq(a->sha256, b->sha256, 32);
}

static void same_findings(const struct an_findings *a, const struct an_findings *b)
{
	ck_assert_uint_eq(a->list.n, b->list.n);
	for (size_t i = 0; i < a->list.n; i++) {
		const struct an_finding *f = &a->list.at[i], *g = &b->list.at[i];
		ck_assert_str_eq(f->path, g->path);
		ck_assert_str_eq(f->rule->id, g->rule->id);
		ck_assert_uint_eq(f->score, g->score);
		ck_assert_int_eq(f->severity, g->severity);
		ck_assert_int_eq(f->time_ns, g->time_ns);
		ck_assert_uint_eq(f->reasons.n, g->reasons.n);
		for (size_t k = 0; k < f->reasons.n; k++) {
			ck_assert_str_eq(f->reasons.at[k].text, g->reasons.at[k].text);
			ck_assert_pstr_eq(f->reasons.at[k].quote, g->reasons.at[k].quote);
			ck_assert_int_eq(f->reasons.at[k].offset, g->reasons.at[k].offset);
			ck_assert_str_eq(f->reasons.at[k].rule->innocent, g->reasons.at[k].rule->innocent);
		}
	}
}

START_TEST(what_is_saved_comes_back)
{
	struct builder b;
	struct folder dir;
	struct an_case back = { 0 };
	struct co_err err = CO_ERR_INIT;
	folder_make(&dir);
	fill(&b);
	ck_assert_int_eq(an_case_save(&b.c, in_folder(&dir, "case.db"), &err), 0);
	ck_assert_msg(an_case_load(&back, dir.name, &err) == 0, "%s", err.msg);
	ck_assert_uint_eq(back.files.rows.n, b.c.files.rows.n);
	for (size_t i = 0; i < back.files.rows.n; i++)
		same_file(&b.c.files.rows.at[i], &back.files.rows.at[i]);
	same_findings(&b.c.findings, &back.findings);
	ck_assert_uint_eq(back.evidence.n, 1);
	ck_assert_str_eq(back.evidence.at[0].name, "disk.raw");
	ck_assert_str_eq(back.volumes.at[0].fs, "ext4");
	ck_assert_uint_eq(back.problems.n, 2);
	ck_assert_uint_eq(back.problems.at[0].volume, UINT32_MAX);
	ck_assert_str_eq(back.problems.at[1].text, "another");
	ck_assert_str_eq(back.facts.at[0].value, "web01");
	an_case_free(&back);
	builder_free(&b);
	folder_remove(&dir);
}
END_TEST

static char *slurp(const char *path, size_t *ret_len)
{
	FILE *f = fopen(path, "re");
	ck_assert_ptr_nonnull(f);
	char *bytes = malloc(1 << 20);
	*ret_len = fread(bytes, 1, 1 << 20, f);
	fclose(f);
	return bytes;
}

START_TEST(the_same_case_gives_the_same_bytes)
{
	struct builder b;
	struct folder dir;
	struct an_case back = { 0 };
	struct co_err err = CO_ERR_INIT;
	size_t n[3];
	folder_make(&dir);
	fill(&b);
	ck_assert_int_eq(an_case_save(&b.c, in_folder(&dir, "case.db"), &err), 0);
	ck_assert_int_eq(an_case_save(&b.c, in_folder(&dir, "again.db"), &err), 0);
	ck_assert_int_eq(an_case_load(&back, dir.name, &err), 0);
	ck_assert_int_eq(an_case_save(&back, in_folder(&dir, "loaded.db"), &err), 0);
	CO_CLEANUP_FREE char *one = slurp(in_folder(&dir, "case.db"), &n[0]);
	CO_CLEANUP_FREE char *two = slurp(in_folder(&dir, "again.db"), &n[1]);
	CO_CLEANUP_FREE char *three = slurp(in_folder(&dir, "loaded.db"), &n[2]);
	ck_assert_uint_gt(n[0], 4096);
	ck_assert(n[0] == n[1] && memcmp(one, two, n[0]) == 0);
	ck_assert(n[0] == n[2] && memcmp(one, three, n[0]) == 0);
	ck_assert_int_ne(access(in_folder(&dir, "case.db.part"), F_OK), 0);
	an_case_free(&back);
	builder_free(&b);
	folder_remove(&dir);
}
END_TEST

START_TEST(an_existing_case_is_not_replaced)
{
	struct builder b;
	struct folder dir;
	struct co_err err = CO_ERR_INIT;
	folder_make(&dir);
	fill(&b);
	folder_write(&dir, "case.db", "mine", 4);
	ck_assert_int_eq(an_case_save(&b.c, in_folder(&dir, "case.db"), &err), CO_ERR_OUTPUT);
	size_t n;
	CO_CLEANUP_FREE char *kept = slurp(in_folder(&dir, "case.db"), &n);
	ck_assert(n == 4 && memcmp(kept, "mine", 4) == 0);
	ck_assert_int_ne(access(in_folder(&dir, "case.db.part"), F_OK), 0);
	builder_free(&b);
	folder_remove(&dir);
}
END_TEST

/* Loads whatever is in the folder and expects one sentence that names it. */
static void refused(struct folder *dir)
{
	struct an_case back = { 0 };
	struct co_err err = CO_ERR_INIT;
	ck_assert_int_eq(an_case_load(&back, dir->name, &err), CO_ERR_FORMAT);
	ck_assert_ptr_nonnull(strstr(err.msg, dir->name));
	ck_assert_ptr_null(back.files.rows.at);
}

START_TEST(what_is_no_case_is_refused)
{
	struct folder dir;
	folder_make(&dir);
	refused(&dir);
	folder_write(&dir, "case.db", "", 0);
	refused(&dir);
	folder_write(
		&dir, "case.db",
		"not a database at all, but long enough to be looked at.............................................",
		100);
	refused(&dir);
	folder_remove(&dir);
}
END_TEST

/* Every byte of the file flipped in turn (a few bits of it): never a crash, and a failure is always a format error. */
START_TEST(damage_is_survived)
{
	struct builder b;
	struct folder dir;
	struct co_err err = CO_ERR_INIT;
	size_t n;
	folder_make(&dir);
	fill(&b);
	ck_assert_int_eq(an_case_save(&b.c, in_folder(&dir, "case.db"), &err), 0);
	CO_CLEANUP_FREE char *good = slurp(in_folder(&dir, "case.db"), &n);
	int refusals = 0;
	for (size_t i = 0; i < n; i += 37) {
		struct an_case back = { 0 };
		char old = good[i];
		good[i] = (char)(old ^ 0x55);
		folder_write(&dir, "case.db", good, n);
		good[i] = old;
		int r = an_case_load(&back, dir.name, &err);
		ck_assert_msg(r == 0 || r == CO_ERR_FORMAT, "byte %zu: %d %s", i, r, err.msg);
		refusals += r != 0;
		if (r == 0)
			an_case_free(&back);
	}
	ck_assert_int_gt(refusals, 10);
	folder_write(&dir, "case.db", good, n / 2);
	refused(&dir);
	builder_free(&b);
	folder_remove(&dir);
}
END_TEST

/* Replaces @from by @to (of the same length) in the saved file. */
static void tampered(const char *from, const char *to)
{
	struct builder b;
	struct folder dir;
	struct co_err err = CO_ERR_INIT;
	size_t n;
	folder_make(&dir);
	fill(&b);
	ck_assert_int_eq(an_case_save(&b.c, in_folder(&dir, "case.db"), &err), 0);
	CO_CLEANUP_FREE char *bytes = slurp(in_folder(&dir, "case.db"), &n);
	char *at = memmem(bytes, n, from, strlen(from));
	ck_assert_ptr_nonnull(at);
	memcpy(at, to, strlen(to));
	folder_write(&dir, "case.db", bytes, n);
	refused(&dir);
	builder_free(&b);
	folder_remove(&dir);
}

START_TEST(values_are_checked)
{
	tampered("CREATE TABLE fact", "CREATE TABLE fakt");
	tampered("some-rulecontent\x1e", "some-rulekontent\x1e"); /* the axis of a reason, with its score behind it */
}
END_TEST

Suite *t_case_suite(void)
{
	Suite *s = suite_create("case");
	TCase *t = tcase_create("case");
	tcase_set_timeout(t, 60);
	tcase_add_test(t, what_is_saved_comes_back);
	tcase_add_test(t, the_same_case_gives_the_same_bytes);
	tcase_add_test(t, an_existing_case_is_not_replaced);
	tcase_add_test(t, what_is_no_case_is_refused);
	tcase_add_test(t, damage_is_survived);
	tcase_add_test(t, values_are_checked);
	suite_add_tcase(s, t);
	return s;
}
