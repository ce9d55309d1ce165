/* SPDX-License-Identifier: Apache-2.0 */
#include "suites.h"

#include "base/cleanup.h"
#include "case_builder.h"
#include "export/export.h"
#include "export/histogram.h"
#include "export/html.h"
#include "folder.h"

#define HOSTILE "/var/www/</script><img src=x onerror=alert(1)>\"'&\033[2J\xff.php"

static const struct an_rule rule = { "a-rule", AN_AXIS_CONTENT, 30, false, "It may be harmless." };

/* The whole report of @c. */
static char *render(const struct an_case *c, size_t *ret_len)
{
	struct folder dir;
	struct co_sink *sink;
	struct co_err err = CO_ERR_INIT;
	folder_make(&dir);
	ck_assert_int_eq(co_sink_open(&sink, in_folder(&dir, "report.html"), &err), 0);
	ck_assert_int_eq(an_export_report(c, sink, &err), 0);
	ck_assert_int_eq(co_sink_commit(sink, &err), 0);
	FILE *f = fopen(in_folder(&dir, "report.html"), "re");
	ck_assert_ptr_nonnull(f);
	char *page = calloc(1, 8 << 20);
	*ret_len = fread(page, 1, (8 << 20) - 1, f);
	fclose(f);
	folder_remove(&dir);
	return page;
}

static void hostile(struct builder *b)
{
	struct co_err err = CO_ERR_INIT;
	builder_make(b);
	struct an_file *f = builder_file(b, HOSTILE, "x");
	ck_assert_int_eq(an_findings_add(&b->c.findings, f, &rule, "<script>alert(2)</script>\n</pre>", 0, &err,
					 "see %s", f->path),
			 0);
	ck_assert_int_eq(an_findings_settle(&b->c.findings, &err), 0);
	ck_assert_int_eq(an_case_fact(&b->c, "hostname", "<img src=y onerror=alert(3)>", "<b>", &err), 0);
	ck_assert_int_eq(
		an_case_problem(&b->c, 0, "<svg onload=alert(4)>", &err, "%s", "</ul><script>alert(5)</script>"), 0);
	free(b->c.evidence.at[0].name);
	b->c.evidence.at[0].name = strdup("</title><script>alert(6)</script>");
}

static size_t occurrences(const char *page, const char *what)
{
	size_t n = 0;
	for (const char *s = page; (s = strstr(s, what)); s += strlen(what))
		n++;
	return n;
}

START_TEST(hostile_text_is_inert)
{
	struct builder b;
	size_t n;
	hostile(&b);
	CO_CLEANUP_FREE char *page = render(&b.c, &n);
	ck_assert_uint_eq(strlen(page), n); /* no NUL */
	ck_assert_uint_eq(occurrences(page, "<script"), 1);
	ck_assert_uint_eq(occurrences(page, "</script"), 1);
	ck_assert_uint_eq(occurrences(page, "<img"), 0);
	ck_assert_uint_eq(occurrences(page, "<svg onload"), 0);
	ck_assert_uint_eq(occurrences(page, "<b>\n"), 0);
	ck_assert_uint_eq(occurrences(page, "</title>"), occurrences(page, "<title"));
	ck_assert_ptr_null(strchr(page, '\033'));
	ck_assert_ptr_nonnull(
		strstr(page, "&lt;/script&gt;&lt;img src=x onerror=alert(1)&gt;&quot;&#39;&amp;\\x1b[2J\\xff.php"));
	ck_assert_ptr_nonnull(strstr(page, "<pre>&lt;script&gt;alert(2)&lt;/script&gt;\n&lt;/pre&gt;</pre>"));
	builder_free(&b);
}
END_TEST

/* The hash in the policy is that of what lies between the tags. */
static void hash_is_right(const char *page, const char *source, const char *open, const char *close)
{
	const char *from = strstr(page, open), *to = strstr(page, close);
	ck_assert_ptr_nonnull(from);
	ck_assert_ptr_nonnull(to);
	from += strlen(open);
	struct co_digests d;
	struct co_err err = CO_ERR_INIT;
	CO_CLEANUP_STR struct co_str want = { 0 };
	ck_assert_int_eq(co_digest_bytes(CO_HASH_BIT(CO_HASH_SHA256), from, (size_t)(to - from), &d, &err), 0);
	co_str_addf(&want, "%s 'sha256-", source);
	an_html_add_base64(&want, d.of[CO_HASH_SHA256].bytes, 32);
	co_str_add(&want, "'; ");
	ck_assert_msg(strstr(page, co_str_get(&want)) != NULL, "no %s", co_str_get(&want));
}

START_TEST(the_policy_names_what_is_in_the_page)
{
	struct builder b;
	size_t n;
	hostile(&b);
	CO_CLEANUP_FREE char *page = render(&b.c, &n);
	hash_is_right(page, "script-src", "<script>", "</script>");
	hash_is_right(page, "style-src", "<style>", "</style>");
	ck_assert_ptr_nonnull(strstr(page, "content=\"default-src 'none'; "));
	ck_assert_ptr_null(strstr(page, "unsafe-"));
	ck_assert_ptr_null(strstr(page, " style="));
	ck_assert_ptr_null(strstr(page, "http:"));
	ck_assert_ptr_null(strstr(page, "https:"));
	builder_free(&b);
}
END_TEST

START_TEST(the_same_case_gives_the_same_page)
{
	struct builder b;
	size_t n, m;
	hostile(&b);
	CO_CLEANUP_FREE char *one = render(&b.c, &n);
	CO_CLEANUP_FREE char *two = render(&b.c, &m);
	ck_assert(n == m && memcmp(one, two, n) == 0);
	builder_free(&b);
}
END_TEST

START_TEST(a_case_without_anything)
{
	struct an_case empty = { 0 };
	size_t n;
	CO_CLEANUP_FREE char *page = render(&empty, &n);
	ck_assert_ptr_nonnull(strstr(page, "No check found anything"));
	ck_assert_ptr_nonnull(strstr(page, "</html>"));
}
END_TEST

START_TEST(too_many_findings_are_cut_aloud)
{
	struct builder b;
	size_t n;
	struct co_err err = CO_ERR_INIT;
	builder_make(&b);
	struct an_file *f = builder_file(&b, "/x", "x");
	for (int i = 0; i < 5003; i++) {
		char path[32];
		struct an_file row = *f;
		snprintf(path, sizeof path, "/x/%d", i);
		row.path = path;
		ck_assert_int_eq(an_findings_add(&b.c.findings, &row, &rule, NULL, -1, &err, "x"), 0);
	}
	ck_assert_int_eq(an_findings_settle(&b.c.findings, &err), 0);
	CO_CLEANUP_FREE char *page = render(&b.c, &n);
	ck_assert_ptr_nonnull(strstr(page, "Only the 5000 findings with the highest scores are shown here, of 5003"));
	ck_assert_uint_eq(occurrences(page, "<tr id=f"), 5000);
	builder_free(&b);
}
END_TEST

START_TEST(base64_of_known_texts)
{
	static const char *const known[][2] = {
		{ "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" }, { "foo", "Zm9v" }, { "foobar", "Zm9vYmFy" }
	};
	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		CO_CLEANUP_STR struct co_str s = { 0 };
		an_html_add_base64(&s, (const uint8_t *)known[i][0], strlen(known[i][0]));
		ck_assert_str_eq(co_str_get(&s), known[i][1]);
	}
}
END_TEST

START_TEST(the_span_has_a_bounded_number_of_bars)
{
	struct builder b;
	struct an_span_of_time span;
	builder_make(&b);
	ck_assert_int_eq(an_histogram_span(&b.c, &span), 1);
	builder_times(builder_file(&b, "/a", "x"), AT(0), AT(0), AT(0));
	ck_assert_int_eq(an_histogram_span(&b.c, &span), 0);
	ck_assert_uint_eq(span.n_bins, 1);
	ck_assert_int_eq(span.bin_s, 3600);
	builder_times(builder_file(&b, "/b", "x"), AT(86400 * 100), AT(0), AT(0));
	ck_assert_int_eq(an_histogram_span(&b.c, &span), 0);
	ck_assert_int_eq(span.bin_s, 86400);
	ck_assert(span.from_ns <= AT(0) && span.to_ns > AT(86400 * 100));
	builder_times(builder_file(&b, "/c", "x"), INT64_MAX, -1, AT(0)); /* and 1969 is no time of this machine */
	ck_assert_int_eq(an_histogram_span(&b.c, &span), 0);
	ck_assert_uint_le(span.n_bins, 300);
	builder_free(&b);
}
END_TEST

START_TEST(findings_as_json)
{
	struct builder b;
	struct folder dir;
	struct co_sink *sink;
	struct co_err err = CO_ERR_INIT;
	char text[4096] = "";
	folder_make(&dir);
	hostile(&b);
	ck_assert_int_eq(co_sink_open(&sink, in_folder(&dir, "f"), &err), 0);
	ck_assert_int_eq(an_export_findings(&b.c, 31, sink, &err), 0);
	ck_assert_int_eq(co_sink_commit(sink, &err), 0);
	FILE *f = fopen(in_folder(&dir, "f"), "re");
	ck_assert_uint_gt(fread(text, 1, sizeof text - 1, f), 0);
	fclose(f);
	ck_assert_ptr_nonnull(strstr(text, "\"schema\": \"exhibit.findings/1\""));
	ck_assert_ptr_null(strstr(text, "a-rule")); /* its score is 30 */
	ck_assert_int_eq(co_sink_open(&sink, in_folder(&dir, "f"), &err), 0);
	ck_assert_int_eq(an_export_findings(&b.c, 30, sink, &err), 0);
	ck_assert_int_eq(co_sink_commit(sink, &err), 0);
	f = fopen(in_folder(&dir, "f"), "re");
	memset(text, 0, sizeof text);
	ck_assert_uint_gt(fread(text, 1, sizeof text - 1, f), 0);
	fclose(f);
	ck_assert_ptr_nonnull(strstr(text, "\"rule\": \"a-rule\""));
	ck_assert_ptr_nonnull(strstr(text, "\\udcff.php\""));
	builder_free(&b);
	folder_remove(&dir);
}
END_TEST

Suite *t_report_suite(void)
{
	const TTest *const tests[] = {
		hostile_text_is_inert,
		the_policy_names_what_is_in_the_page,
		the_same_case_gives_the_same_page,
		a_case_without_anything,
		too_many_findings_are_cut_aloud,
		base64_of_known_texts,
		the_span_has_a_bounded_number_of_bars,
		findings_as_json,
	};
	Suite *s = suite_create("report");
	TCase *t = tcase_create("report");
	tcase_set_timeout(t, 60);
	for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
		tcase_add_test(t, tests[i]);
	suite_add_tcase(s, t);
	return s;
}
