/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "export/html.h"
#include "export/report_parts.h"

#define MOST_SEVERE 8 /* named in the summary */

static void count(const struct an_case *c, size_t ret[AN_UNKNOWN + 1])
{
	memset(ret, 0, (AN_UNKNOWN + 1) * sizeof *ret);
	for (size_t i = 0; i < c->findings.list.n; i++)
		ret[c->findings.list.at[i].severity]++;
}

static const char *plural(size_t n)
{
	return n == 1 ? "" : "s";
}

static void add_counts(const size_t n[AN_UNKNOWN + 1], struct co_str *page)
{
	static const char *const meaning[] = {
		"differ from a named baseline",
		"have reasons of two independent kinds",
		"have reasons of one kind",
		"can't be judged",
	};
	co_str_add(page, "<ul class=counts>\n");
	for (unsigned s = 0; s <= AN_UNKNOWN; s++) {
		const char *name = an_severity_name((enum an_severity)s);
		if (s != AN_UNKNOWN || n[s])
			co_str_addf(page, "<li class=%s><b>%zu</b> %s<br><span class=note>%s</span></li>\n", name, n[s],
				    name, meaning[s]);
	}
	co_str_add(page, "</ul>\n");
}

/* Over the confirmed and strong findings, when metadata last changed: of all times the hardest to forge. */
static void add_period(const struct an_case *c, struct co_str *page)
{
	int64_t first = INT64_MAX, last = INT64_MIN;
	for (size_t i = 0; i < c->findings.list.n; i++) {
		const struct an_finding *f = &c->findings.list.at[i];
		int64_t t = f->times[AN_CTIME];
		if (f->severity > AN_STRONG || t == CO_TIME_NONE)
			continue;
		first = t < first ? t : first;
		last = t > last ? t : last;
	}
	if (first > last)
		return;
	co_str_add(page, "<p>The metadata of the confirmed and strong findings last changed between <b>");
	an_html_add_time(page, first);
	co_str_add(page, "</b> and <b>");
	an_html_add_time(page, last);
	co_str_add(page, "</b> (UTC). Programs can't set this time to a value of their choice, short of setting the "
			 "clock.</p>\n");
}

static void add_badge(enum an_severity severity, struct co_str *page)
{
	const char *name = an_severity_name(severity);
	co_str_addf(page, "<span class=\"badge %s\">%s</span>", name, name);
}

/* What was seen, without the values that follow: up to the first colon or full stop. */
static void add_gist(const char *text, struct co_str *page)
{
	CO_CLEANUP_STR struct co_str gist = { 0 };
	size_t n = 0;
	while (text[n] && !(strchr(":.;", text[n]) && (text[n + 1] == ' ' || text[n + 1] == '\0')))
		n++;
	co_str_add_n(&gist, text, n);
	page->failed |= gist.failed;
	an_html_add(page, co_str_get(&gist));
}

static void add_severe(const struct an_finding *f, size_t number, struct co_str *page)
{
	co_str_add(page, "<tr><td>");
	add_badge(f->severity, page);
	co_str_addf(page, "</td><td class=path><a href=\"#f%zu\">", number);
	an_html_add_path(page, f->path);
	co_str_add(page, "</a></td><td>");
	add_gist(f->reasons.at[0].text, page);
	if (f->reasons.n > 1)
		co_str_addf(page, " <span class=note>and %zu more reason%s</span>", f->reasons.n - 1,
			    plural(f->reasons.n - 1));
	co_str_add(page, "</td></tr>\n");
}

/* The worst severities first, within one of them the highest scores. */
static void add_most_severe(const struct an_case *c, struct co_str *page)
{
	size_t left = MOST_SEVERE;
	co_str_add(page, "<table class=severe><thead><tr><th>Severity</th><th>File</th><th>Main "
			 "reason</th></tr></thead><tbody>\n");
	for (unsigned s = 0; s <= AN_UNKNOWN; s++) {
		for (size_t i = 0; i < c->findings.list.n && i < AN_REPORT_MAX_FINDINGS && left > 0; i++) {
			if (c->findings.list.at[i].severity != s)
				continue;
			add_severe(&c->findings.list.at[i], i + 1, page);
			left--;
		}
	}
	co_str_add(page, "</tbody></table>\n");
}

void an_report_summary(const struct an_case *c, struct co_str *page)
{
	size_t n[AN_UNKNOWN + 1];
	count(c, n);
	co_str_add(page, "<section id=summary><h2>Summary</h2>\n");
	add_counts(n, page);
	co_str_addf(page, "<p>%zu name%s of files on %zu volume%s were looked at. ", c->files.rows.n,
		    plural(c->files.rows.n), c->volumes.n, plural(c->volumes.n));
	if (c->findings.list.n == 0)
		co_str_add(page,
			   "No check found anything. This is no proof that nothing happened: see the problems and what "
			   "was compared below.</p>\n");
	else
		co_str_addf(page,
			    "%zu of them %s worth a look. A finding is an observation, not a verdict: each names its "
			    "evidence and the harmless explanation that has to be excluded.</p>\n",
			    c->findings.list.n, c->findings.list.n == 1 ? "is" : "are");
	if (c->problems.n)
		co_str_addf(page, "<p><a href=\"#problems\">%zu problem%s</a> limited what could be seen.</p>\n",
			    c->problems.n, plural(c->problems.n));
	add_period(c, page);
	if (c->findings.list.n)
		add_most_severe(c, page);
	co_str_add(page, "</section>\n");
}

static void add_reason(const struct an_reason *reason, struct co_str *page)
{
	co_str_add(page, "<div class=reason><p>");
	an_html_add(page, reason->text);
	co_str_add(page, "</p>");
	if (reason->quote) {
		co_str_add(page, "<pre>");
		an_html_add_block(page, reason->quote);
		co_str_add(page, "</pre>");
		if (reason->offset >= 0)
			co_str_addf(page, "<p class=note>at byte %lld of the file</p>", (long long)reason->offset);
	}
	co_str_add(page, "<p class=innocent>To be excluded: ");
	an_html_add(page, reason->rule->innocent);
	co_str_add(page, "</p><p class=note>rule <code>");
	an_html_add(page, reason->rule->id);
	co_str_addf(page, "</code>, %s, score %u</p></div>\n", an_axis_name(reason->rule->axis), reason->rule->score);
}

static void add_times(const struct an_finding *f, const struct an_span_of_time *span, struct co_str *page)
{
	static const struct {
		enum an_time time;
		const char *name;
	} shown[] = { { AN_CRTIME, "born (B)" },
		      { AN_MTIME, "content changed (M)" },
		      { AN_CTIME, "metadata changed (C)" },
		      { AN_ATIME, "last access (A)" },
		      { AN_DTIME, "deleted" } };
	if (span)
		an_histogram_add_strip(span, f->times, page);
	co_str_add(page, "<table class=times><tbody>");
	for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) {
		if (f->times[shown[i].time] == CO_TIME_NONE)
			continue;
		co_str_addf(page, "<tr><th>%s</th><td>", shown[i].name);
		an_html_add_time(page, f->times[shown[i].time]);
		co_str_add(page, "</td></tr>");
	}
	co_str_addf(page, "<tr><th>volume, inode</th><td>%u, %llu</td></tr></tbody></table>\n", f->volume,
		    (unsigned long long)f->inode);
}

static void add_finding(const struct an_finding *f, size_t number, const struct an_span_of_time *span,
			struct co_str *page)
{
	co_str_addf(page, "<tr id=f%zu><td data-key=\"%u\">", number, 3 - (unsigned)f->severity);
	add_badge(f->severity, page);
	co_str_addf(page, "</td><td class=number data-key=\"%u\">%u</td><td data-key=\"", f->score, f->score);
	an_html_add(page, f->path);
	co_str_add(page, "\"><details><summary class=path>");
	an_html_add_path(page, f->path);
	co_str_add(page, "</summary>\n");
	for (size_t i = 0; i < f->reasons.n; i++)
		add_reason(&f->reasons.at[i], page);
	add_times(f, span, page);
	co_str_add(page, "</details></td><td data-key=\"");
	an_html_add(page, f->rule->id);
	co_str_add(page, "\">");
	an_html_add(page, f->rule->id);
	co_str_add(page, "</td><td class=mono data-key=\"");
	an_html_add_time(page, f->times[AN_CTIME]);
	co_str_add(page, "\">");
	an_html_add_second(page, f->times[AN_CTIME]);
	co_str_add(page, "</td></tr>\n");
}

void an_report_findings(const struct an_case *c, const struct an_span_of_time *span, struct co_str *page)
{
	size_t n = c->findings.list.n < AN_REPORT_MAX_FINDINGS ? c->findings.list.n : AN_REPORT_MAX_FINDINGS;
	co_str_add(page, "<section id=list><h2>Findings</h2>\n");
	if (n == 0) {
		co_str_add(page, "<p>None.</p></section>\n");
		return;
	}
	if (n < c->findings.list.n)
		co_str_addf(
			page,
			"<p><b>Only the %zu findings with the highest scores are shown here, of %zu.</b> All of them "
			"are in findings.json and case.db.</p>\n",
			n, c->findings.list.n);
	co_str_add(
		page,
		"<div class=tools id=tools hidden><input id=filter type=search placeholder=\"Filter: words of path, "
		"rule or "
		"reason\" aria-label=\"Filter\"><span class=note id=shown></span><button id=expand>Open "
		"all</button></div>\n"
		"<table class=findings id=findings><colgroup><col class=c1><col class=c2><col><col class=c4><col "
		"class=c5>"
		"</colgroup><thead><tr><th data-kind=number>Severity</th><th class=number data-kind=number>Score</th>"
		"<th data-kind=text>File and reasons</th><th data-kind=text>Main rule</th>"
		"<th data-kind=text>Metadata changed (UTC)</th></tr></thead><tbody>\n");
	for (size_t i = 0; i < n; i++)
		add_finding(&c->findings.list.at[i], i + 1, span, page);
	co_str_add(page, "</tbody></table></section>\n");
}
