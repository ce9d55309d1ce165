/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report.html: one file that needs nothing else. Its content security policy forbids every source but its own style
 * sheet and script, which are named by their hashes; the text of names and quotations from the disk is escaped.
 */
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "export/assets.h"
#include "export/export.h"
#include "export/html.h"
#include "export/report_parts.h"
#include "hash/digest.h"
#include "version.h"

#define MAX_PROBLEMS 1000 /* shown */
#define MAX_FACTS 500

/* "'sha256-...'" of an inline element's text. */
static int add_hash(struct co_str *page, const char *bytes, size_t n, struct co_err *err)
{
	struct co_digests d;
	int r = co_digest_bytes(CO_HASH_BIT(CO_HASH_SHA256), bytes, n, &d, err);
	if (r < 0)
		return r;
	co_str_add(page, "'sha256-");
	an_html_add_base64(page, d.of[CO_HASH_SHA256].bytes, 32);
	co_str_add(page, "'");
	return 0;
}

static void add_names(const struct an_case *c, struct co_str *page)
{
	for (size_t i = 0; i < c->evidence.n; i++) {
		co_str_add(page, i ? ", " : "");
		an_html_add(page, c->evidence.at[i].name);
	}
}

static int add_head(const struct an_case *c, struct co_str *page, struct co_err *err)
{
	co_str_add(page, "<!DOCTYPE html>\n<html lang=en>\n<head>\n<meta charset=utf-8>\n"
			 "<meta http-equiv=Content-Security-Policy content=\"default-src 'none'; script-src ");
	int r = add_hash(page, an_report_js, an_report_js_size, err);
	co_str_add(page, "; style-src ");
	if (r == 0)
		r = add_hash(page, an_report_css, an_report_css_size, err);
	co_str_add(page, "; img-src data:; base-uri 'none'; form-action 'none'\">\n"
			 "<meta name=viewport content=\"width=device-width, initial-scale=1\">\n<title>Exhibit: ");
	add_names(c, page);
	co_str_add(page, "</title>\n<style>");
	co_str_add_n(page, an_report_css, an_report_css_size);
	co_str_add(page, "</style>\n</head>\n<body>\n<header><p class=dim>Exhibit, report of the examination</p><h1>");
	add_names(c, page);
	co_str_add(
		page,
		"</h1>\n<nav><a href=\"#summary\">Summary</a><a href=\"#time\">Time</a><a href=\"#list\">Findings</a>"
		"<a href=\"#evidence\">Evidence</a><a href=\"#machine\">Machine</a><a "
		"href=\"#problems\">Problems</a></nav>"
		"</header>\n<main>\n");
	return r;
}

/* A term with its value; nothing if the value is empty. */
static void add_term(struct co_str *page, const char *term, const char *value)
{
	if (!value || !*value)
		return;
	co_str_addf(page, "<dt>%s</dt><dd>", term);
	an_html_add(page, value);
	co_str_add(page, "</dd>\n");
}

static void add_evidence(const struct an_case *c, struct co_str *page)
{
	co_str_add(page, "<section id=evidence><h2>Evidence</h2>\n");
	for (size_t i = 0; i < c->evidence.n; i++) {
		const struct an_case_evidence *e = &c->evidence.at[i];
		char size[16];
		co_size_text(e->size, size);
		co_str_add(page, "<dl>\n");
		add_term(page, "File", e->name);
		add_term(page, "Kind", e->kind);
		co_str_addf(page, "<dt>Size</dt><dd>%llu bytes (%s), sectors of %u bytes</dd>\n",
			    (unsigned long long)e->size, size, e->sector_size);
		add_term(page, "MD5 stored in it", e->md5);
		add_term(page, "SHA-1 stored in it", e->sha1);
		add_term(page, "SHA-256 stored in it", e->sha256);
		add_term(page, "Case number", e->case_number);
		add_term(page, "Evidence number", e->evidence_number);
		add_term(page, "Examiner", e->examiner);
		add_term(page, "Description", e->description);
		add_term(page, "Notes", e->notes);
		add_term(page, "Acquired", e->acquired);
		co_str_add(page, "</dl>\n");
	}
	co_str_add(page, "</section>\n");
}

static void add_volumes(const struct an_case *c, struct co_str *page)
{
	co_str_add(
		page,
		"<section id=volumes><h2>Volumes</h2>\n<table><thead><tr><th>No.</th><th>Mounted at</th><th>File "
		"system</th>"
		"<th>Partition</th><th>Label, UUID</th><th class=number>Begins at byte</th><th class=number>Bytes</th>"
		"<th class=number>Names</th></tr></thead><tbody>\n");
	for (size_t i = 0; i < c->volumes.n; i++) {
		const struct an_case_volume *v = &c->volumes.at[i];
		co_str_addf(page, "<tr><td>%zu</td><td class=path>", i);
		an_html_add(page, v->mount);
		co_str_add(page,
			   v->mount && *v->mount && !v->mount_known ? " <span class=note>(place unknown)</span>" : "");
		co_str_add(page, "</td><td>");
		an_html_add(page, v->fs && *v->fs ? v->fs : "not recognised");
		co_str_add(page, "</td><td>");
		an_html_add(page, v->description);
		co_str_add(page, "</td><td>");
		an_html_add(page, v->label);
		co_str_add(page, v->label && *v->label && v->uuid && *v->uuid ? ", " : "");
		an_html_add(page, v->uuid);
		co_str_addf(
			page,
			"</td><td class=number>%llu</td><td class=number>%llu</td><td class=number>%llu</td></tr>\n",
			(unsigned long long)v->offset, (unsigned long long)v->length, (unsigned long long)v->n_files);
	}
	co_str_add(page, "</tbody></table></section>\n");
}

static void add_facts(const struct an_case *c, struct co_str *page)
{
	co_str_add(page, "<section id=machine><h2>Machine</h2>\n");
	if (c->facts.n == 0)
		co_str_add(page, "<p>Nothing is known of it.</p>\n");
	else
		co_str_add(page,
			   "<table><thead><tr><th>What</th><th>Value</th><th>Read from</th></tr></thead><tbody>\n");
	for (size_t i = 0; i < c->facts.n && i < MAX_FACTS; i++) {
		co_str_add(page, "<tr><td>");
		an_html_add(page, c->facts.at[i].kind);
		co_str_add(page, "</td><td>");
		an_html_add(page, c->facts.at[i].value);
		co_str_add(page, "</td><td class=path>");
		an_html_add(page, c->facts.at[i].path);
		co_str_add(page, "</td></tr>\n");
	}
	if (c->facts.n)
		co_str_add(page, "</tbody></table>\n");
	if (c->facts.n > MAX_FACTS)
		co_str_addf(page, "<p>%zu more are in case.db.</p>\n", c->facts.n - MAX_FACTS);
	co_str_add(page, "</section>\n");
}

static void add_problems(const struct an_case *c, struct co_str *page)
{
	co_str_add(page, "<section id=problems><h2>Problems</h2>\n");
	if (c->problems.n == 0)
		co_str_add(page, "<p>None: everything that was asked for could be read.</p>\n");
	else
		co_str_add(page, "<ul class=plain>\n");
	for (size_t i = 0; i < c->problems.n && i < MAX_PROBLEMS; i++) {
		const struct an_problem *p = &c->problems.at[i];
		co_str_add(page, "<li>");
		if (p->volume != UINT32_MAX)
			co_str_addf(page, "volume %u: ", p->volume);
		if (p->path && *p->path) {
			co_str_add(page, "<span class=path>");
			an_html_add(page, p->path);
			co_str_add(page, "</span>: ");
		}
		an_html_add(page, p->text);
		co_str_add(page, "</li>\n");
	}
	if (c->problems.n)
		co_str_add(page, "</ul>\n");
	if (c->problems.n > MAX_PROBLEMS)
		co_str_addf(page, "<p><b>%zu more are in case.db.</b></p>\n", c->problems.n - MAX_PROBLEMS);
	co_str_add(page, "</section>\n");
}

static void add_foot(struct co_str *page)
{
	co_str_add(
		page,
		"</main>\n<footer><p>Scores are sums of fixed weights, one per rule; nothing lowers them, and only a "
		"content that equals a named baseline takes a file out of the list. All times are UTC. Names and "
		"quotations are shown with invisible characters as \\xNN. Made by exhibit-analyzer " CO_VERSION
		"; the same image and options give the same report.</p></footer>\n<script>");
	co_str_add_n(page, an_report_js, an_report_js_size);
	co_str_add(page, "</script>\n</body>\n</html>\n");
}

int an_export_report(const struct an_case *c, struct co_sink *sink, struct co_err *err)
{
	CO_CLEANUP_STR struct co_str page = { 0 };
	struct an_span_of_time span;
	bool has_times = an_histogram_span(c, &span) == 0;
	int r = add_head(c, &page, err);
	if (r < 0)
		return r;
	an_report_summary(c, &page);
	co_str_add(&page, "<section id=time><h2>Time</h2>\n");
	if (has_times)
		r = an_histogram_add(c, &span, &page, err);
	else
		co_str_add(&page, "<p>No file has a time.</p>\n");
	if (r < 0)
		return r;
	co_str_add(&page, "</section>\n");
	an_report_findings(c, has_times ? &span : NULL, &page);
	add_evidence(c, &page);
	add_volumes(c, &page);
	add_facts(c, &page);
	add_problems(c, &page);
	add_foot(&page);
	if (page.failed)
		return co_err_set(err, CO_ERR_NOMEM, 0, "no memory for the report");
	return co_sink_write(sink, co_str_get(&page), page.n, err);
}
