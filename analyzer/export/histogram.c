/* SPDX-License-Identifier: Apache-2.0 */
#include "export/histogram.h"

#include <math.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/clock.h"

#define MAX_BINS 140
#define WIDTH 1100 /* units of the picture */
#define LEFT 46
#define TOP 10
#define ALL_HEIGHT 150
#define GAP 14
#define FOUND_HEIGHT 60
#define BOTTOM 24
#define HEIGHT (TOP + ALL_HEIGHT + GAP + FOUND_HEIGHT + BOTTOM)

/* Times before are what clocks without a battery show, or unset fields. */
static const int64_t earliest_s = 631152000; /* 1990-01-01 */

static const struct {
	int64_t seconds;
	const char *name;
} widths[] = { { 3600, "one hour" },      { 6 * 3600, "6 hours" },   { 86400, "one day" },
	       { 7 * 86400, "one week" }, { 30 * 86400, "30 days" }, { 365 * 86400, "365 days" } };

/* Bars of one lane. */
struct lane {
	uint64_t *n;
	uint64_t most;
	double y, height; /* of the lane */
	const char *css, *what;
};

static void widen(int64_t ns, int64_t *from, int64_t *to)
{
	if (ns == CO_TIME_NONE || co_time_sec(ns) < earliest_s)
		return;
	*from = ns < *from ? ns : *from;
	*to = ns > *to ? ns : *to;
}

int an_histogram_span(const struct an_case *c, struct an_span_of_time *ret)
{
	int64_t from = INT64_MAX, to = INT64_MIN;
	for (size_t i = 0; i < c->files.rows.n; i++) {
		const struct an_file *f = &c->files.rows.at[i];
		if (!(f->flags & AN_NAME_ALLOCATED) || !(f->flags & AN_META_ALLOCATED))
			continue;
		/* without these two (FAT) the content time has to serve */
		bool none = f->time[AN_CTIME] == CO_TIME_NONE && f->time[AN_CRTIME] == CO_TIME_NONE;
		widen(f->time[AN_CTIME], &from, &to);
		widen(f->time[AN_CRTIME], &from, &to);
		if (none)
			widen(f->time[AN_MTIME], &from, &to);
	}
	if (from > to)
		return 1;
	for (size_t i = 0; i < sizeof widths / sizeof *widths; i++) {
		int64_t w = widths[i].seconds;
		int64_t first = co_time_sec(from) / w * w, last = co_time_sec(to) / w * w;
		ret->bin_s = w;
		ret->n_bins = (size_t)((last - first) / w + 1);
		ret->from_ns = first * CO_NS_PER_S;
		if (ret->n_bins <= MAX_BINS)
			break;
	}
	int64_t length_s = ret->bin_s * (int64_t)ret->n_bins;
	bool fits = length_s < (INT64_MAX - ret->from_ns) / CO_NS_PER_S;
	ret->to_ns = fits ? ret->from_ns + length_s * CO_NS_PER_S : INT64_MAX;
	return 0;
}

static void count(const struct an_span_of_time *span, struct lane *lane, int64_t ns)
{
	if (ns == CO_TIME_NONE || ns < span->from_ns || ns >= span->to_ns)
		return;
	size_t bin = (size_t)((ns - span->from_ns) / CO_NS_PER_S / span->bin_s);
	if (bin < span->n_bins && ++lane->n[bin] > lane->most)
		lane->most = lane->n[bin];
}

static void add_axis(struct co_str *page, const struct an_span_of_time *span, double step)
{
	size_t every = span->n_bins / 8 + 1;
	for (size_t i = 0; i < span->n_bins; i += every) {
		struct co_date d = co_date_of(co_time_sec(span->from_ns) + (int64_t)i * span->bin_s);
		double x = LEFT + (double)i * step;
		co_str_addf(page, "<line class=tick x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%d\"/>", x, x, TOP,
			    HEIGHT - BOTTOM + 4);
		co_str_addf(page, "<text x=\"%.1f\" y=\"%d\">%04d-%02d-%02d", x + 3, HEIGHT - 7, d.year, d.month,
			    d.day);
		if (span->bin_s < 86400)
			co_str_addf(page, " %02d:00", d.hour);
		co_str_add(page, "</text>");
	}
}

static void add_lane(struct co_str *page, const struct an_span_of_time *span, const struct lane *lane, double step)
{
	double scale = lane->most ? lane->height / log1p((double)lane->most) : 0;
	co_str_addf(page,
		    "<text class=scale x=\"%d\" y=\"%.1f\">%llu</text><text class=scale x=\"%d\" y=\"%.1f\">0</text>",
		    LEFT - 5, lane->y + 9, (unsigned long long)lane->most, LEFT - 5, lane->y + lane->height);
	co_str_addf(page, "<line class=base x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>", LEFT, WIDTH,
		    lane->y + lane->height, lane->y + lane->height);
	for (size_t i = 0; i < span->n_bins; i++) {
		if (!lane->n[i])
			continue;
		char from[40];
		double h = log1p((double)lane->n[i]) * scale;
		co_time_text_sec(span->from_ns + (int64_t)i * span->bin_s * CO_NS_PER_S, from);
		co_str_addf(page,
			    "<rect class=%s x=\"%.2f\" y=\"%.1f\" width=\"%.2f\" height=\"%.1f\"><title>from %s: %llu "
			    "%s</title></rect>\n",
			    lane->css, LEFT + (double)i * step, lane->y + lane->height - h,
			    step > 3 ? step - 1 : step * 0.8, h, from, (unsigned long long)lane->n[i], lane->what);
	}
}

static const char *bin_name(int64_t seconds)
{
	for (size_t i = 0; i < sizeof widths / sizeof *widths; i++)
		if (widths[i].seconds == seconds)
			return widths[i].name;
	return "";
}

static void add_picture(struct co_str *page, const struct an_span_of_time *span, const struct lane *all,
			const struct lane *found)
{
	double step = (double)(WIDTH - LEFT) / (double)span->n_bins;
	co_str_addf(
		page,
		"<svg class=histogram viewBox=\"0 0 %d %d\" role=img aria-labelledby=\"hist-title hist-desc\">"
		"<title id=hist-title>File times per %s</title><desc id=hist-desc>Upper bars: how many times of files "
		"(content, metadata, birth) fall into each %s, on a logarithmic scale. Lower bars: the same for files "
		"with findings.</desc>\n",
		WIDTH, HEIGHT, bin_name(span->bin_s), bin_name(span->bin_s));
	add_axis(page, span, step);
	add_lane(page, span, all, step);
	add_lane(page, span, found, step);
	co_str_addf(
		page,
		"</svg>\n<p class=note>Each bar is %s; heights are logarithmic; UTC. "
		"<span class=\"key all\"></span> all files <span class=\"key found\"></span> files with findings</p>\n",
		bin_name(span->bin_s));
}

int an_histogram_add(const struct an_case *c, const struct an_span_of_time *span, struct co_str *page,
		     struct co_err *err)
{
	static const enum an_time shown[] = { AN_MTIME, AN_CTIME, AN_CRTIME };
	CO_CLEANUP_FREE uint64_t *bins = calloc(2 * span->n_bins + 1, sizeof *bins);
	if (!bins)
		return co_err_set(err, CO_ERR_NOMEM, 0, "no memory for the histogram");
	struct lane all = { .n = bins, .y = TOP, .height = ALL_HEIGHT, .css = "all", .what = "file times" };
	struct lane found = { .n = bins + span->n_bins,
			      .y = TOP + ALL_HEIGHT + GAP,
			      .height = FOUND_HEIGHT,
			      .css = "found",
			      .what = "times of files with findings" };
	for (size_t k = 0; k < sizeof shown / sizeof *shown; k++) {
		for (size_t i = 0; i < c->files.rows.n; i++)
			count(span, &all, c->files.rows.at[i].time[shown[k]]);
		for (size_t i = 0; i < c->findings.list.n; i++)
			count(span, &found, c->findings.list.at[i].times[shown[k]]);
	}
	add_picture(page, span, &all, &found);
	return 0;
}

/* One time of a strip. */
struct mark {
	int64_t ns;
	char letter;
	const char *name;
};

/* The known times, earliest first. */
static size_t sort_marks(const int64_t times[AN_TIME_N], struct mark ret[4])
{
	static const struct {
		enum an_time time;
		char letter;
		const char *name;
	} shown[4] = { { AN_ATIME, 'A', "last access" },
		       { AN_MTIME, 'M', "content changed" },
		       { AN_CTIME, 'C', "metadata changed" },
		       { AN_CRTIME, 'B', "born" } };
	size_t n = 0;
	for (size_t i = 0; i < 4; i++) {
		int64_t ns = times[shown[i].time];
		size_t at = n;
		if (ns == CO_TIME_NONE)
			continue;
		for (; at > 0 && ret[at - 1].ns > ns; at--)
			ret[at] = ret[at - 1];
		ret[at] = (struct mark) { ns, shown[i].letter, shown[i].name };
		n++;
	}
	return n;
}

void an_histogram_add_strip(const struct an_span_of_time *span, const int64_t times[AN_TIME_N], struct co_str *page)
{
	struct mark marks[4];
	size_t n = sort_marks(times, marks);
	int64_t seconds = co_time_sec(span->to_ns) - co_time_sec(span->from_ns);
	double label = 0;
	co_str_add(page, "<svg class=strip viewBox=\"0 0 640 22\" role=img aria-label=\"times of this file\">"
			 "<line class=base x1=\"14\" x2=\"594\" y1=\"18\" y2=\"18\"/>");
	for (size_t i = 0; i < n; i++) {
		bool before = marks[i].ns < span->from_ns, after = marks[i].ns >= span->to_ns;
		char text[40];
		co_time_text_sec(marks[i].ns, text);
		double x = 14 + 580 * (double)(co_time_sec(marks[i].ns) - co_time_sec(span->from_ns)) / (double)seconds;
		x = before ? 14 : after ? 594 : x;
		label = x > label + 9 ? x : label + 9; /* letters don't cover each other */
		co_str_addf(page,
			    "<g class=mark%c><line x1=\"%.1f\" x2=\"%.1f\" y1=\"10\" y2=\"22\"/>"
			    "<text x=\"%.1f\" y=\"9\">%s%c</text><title>%s %s%s</title></g>",
			    marks[i].letter, x, x, label,
			    before  ? "&lt;"
			    : after ? "&gt;"
				    : "",
			    marks[i].letter, marks[i].name, text, before || after ? " (outside the picture)" : "");
		label += before || after ? 6 : 0;
	}
	co_str_add(page, "</svg>");
}
