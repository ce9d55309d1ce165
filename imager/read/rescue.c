/* SPDX-License-Identifier: Apache-2.0 */
#include "read/rescue.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "run/cancel.h"

#define PIECE 65536
#define FAILURES_IN_A_ROW 64
#define PROOF_NS CO_NS_PER_S
#define SKIP_MAX 1024 /* pieces */
#define NONE UINT64_MAX
#define OVER 1 /* the time is over */

/* Units read one after the other with the same outcome, which is not entered in the areas yet. */
struct run {
	uint64_t first, count;
	enum im_state state; /* IM_FINISHED, or what the units become since they failed */
	uint64_t slot;       /* readable ones: place of the first in the memory of the rescue, in units */
	unsigned reads;
};

struct rescue {
	struct im_rescue_opts opts;
	struct im_areas *areas;
	uint64_t units;  /* of the medium */
	uint64_t piece;  /* in units */
	uint8_t *data;   /* memory for one piece */
	uint8_t *canary; /* and for one unit */
	uint64_t good;   /* the unit that was readable last, or NONE */
	struct run run;
	bool backward;   /* the direction of reading */
	int64_t start;   /* of the rescue */
	int64_t proved;  /* when the medium last answered */
	int64_t failing; /* ns that went into failing reads in this area and pass */
};

static int no_memory(struct co_err *err)
{
	return co_err_set(err, CO_ERR_NOMEM, 0, "no memory to read bad areas again");
}

static int64_t now(const struct rescue *s)
{
	return s->opts.clock ? s->opts.clock() : co_clock_monotonic();
}

/* Bytes of a range, whose last unit may be the short one at the end of the medium. */
static size_t bytes_of(const struct rescue *s, uint64_t first, uint64_t count)
{
	return (size_t)(co_min_u64((first + count) * s->opts.unit, s->opts.source->size) - first * s->opts.unit);
}

static int read_units(struct rescue *s, void *to, uint64_t first, uint64_t count, struct co_err *err)
{
	int code = co_source_read(s->opts.source, to, bytes_of(s, first, count), first * s->opts.unit, NULL, err);

	if (code == 0)
		s->proved = now(s);
	return code;
}

/* A unit that is not listed, and so was readable; NONE if all are listed. */
static uint64_t unlisted(const struct rescue *s)
{
	uint64_t at = 0;

	for (size_t i = 0; i < s->areas->list.n && s->areas->list.at[i].first == at; i++)
		at += s->areas->list.at[i].count;
	return at < s->units ? at : NONE;
}

/* Does the medium still answer? 0: yes, or there is no place to ask. */
static int prove_alive(struct rescue *s, struct co_err *err)
{
	struct co_err why = CO_ERR_INIT;
	bool asked = false;

	for (int i = 0; i < 3; i++) {
		uint64_t place = i == 0 ? s->good : i == 1 ? s->opts.good / s->opts.unit : unlisted(s);
		int code;

		if (place >= s->units)
			continue;
		code = read_units(s, s->canary, place, 1, &why);
		if (code < 0)
			*err = why;
		if (code <= 0)
			return code;
		asked = true;
	}
	return asked ? co_err_set(err, CO_ERR_LOST, 0,
				  "the source is gone: even what could be read before fails now (%s)", why.msg)
		     : 0;
}

/* Enters a run. @proved: the medium has answered since. */
static int settle(struct rescue *s, bool proved, struct co_err *err)
{
	struct run run = s->run;
	int code = 0;

	s->run.count = 0;
	s->run.reads = 0;
	if (run.count == 0)
		return 0;
	if (run.state == IM_FINISHED)
		code = s->opts.found(s->opts.arg, run.first * s->opts.unit, s->data + run.slot * s->opts.unit,
				     bytes_of(s, run.first, run.count), err);
	else if (!proved)
		code = prove_alive(s, err);
	if (code < 0)
		return code;
	if (im_areas_set(s->areas, run.first, run.count, run.state) < 0)
		return no_memory(err);
	return 0;
}

/* Place in memory for units that are read next. */
static uint64_t slot_for(const struct rescue *s, uint64_t count)
{
	const struct run *run = &s->run;

	if (run->count == 0 || run->state != IM_FINISHED)
		return s->backward ? s->piece - count : 0;
	return s->backward ? run->slot - count : run->slot + run->count;
}

/* Can these units become part of the run, and is there memory for them? */
static bool continues(const struct rescue *s, uint64_t first, uint64_t count)
{
	const struct run *run = &s->run;

	if (run->count == 0)
		return true;
	if (s->backward ? first + count != run->first : run->first + run->count != first)
		return false;
	return run->state != IM_FINISHED ||
	       (s->backward ? run->slot >= count : run->slot + run->count + count <= s->piece);
}

static void extend(struct rescue *s, uint64_t first, uint64_t count, enum im_state state, uint64_t slot)
{
	struct run *run = &s->run;

	if (run->count == 0)
		*run = (struct run) { .first = first, .state = state, .slot = slot };
	else if (s->backward)
		run->slot = slot;
	run->first = co_min_u64(run->first, first);
	run->count += count;
	run->reads++;
}

/* Is there time left for this area, and for everything? 0: yes. OVER: for everything, no. < 0: canceled. */
static int may_go_on(struct rescue *s, struct co_err *err)
{
	int code = co_cancel_check(err);

	if (code == 0 && s->opts.total_ns && now(s) - s->start > s->opts.total_ns)
		code = OVER;
	return code;
}

static bool is_area_over(const struct rescue *s)
{
	return s->opts.area_ns && s->failing > s->opts.area_ns;
}

/* Reads units, which become @state if they can't be read. *ret_read: could they? */
static int attempt(struct rescue *s, uint64_t first, uint64_t count, enum im_state state, bool *ret_read,
		   struct co_err *err)
{
	struct co_err why = CO_ERR_INIT;
	enum im_state outcome;
	int64_t begin;
	uint64_t slot;
	int code = may_go_on(s, err);

	if (code == 0 && !continues(s, first, count))
		code = settle(s, false, err);
	if (code != 0)
		return code;
	slot = slot_for(s, count);
	begin = now(s);
	code = read_units(s, s->data + slot * s->opts.unit, first, count, &why);
	if (code < 0) {
		*err = why;
		return code;
	}
	outcome = code == 0 ? IM_FINISHED : state;
	if (code == 0)
		s->good = first;
	else
		s->failing += now(s) - begin;
	if (s->run.count && s->run.state != outcome)
		code = settle(s, outcome == IM_FINISHED, err);
	else
		code = 0;
	if (code < 0)
		return code;
	extend(s, first, count, outcome, slot);
	*ret_read = outcome == IM_FINISHED;
	if (!*ret_read && (s->run.reads >= FAILURES_IN_A_ROW || now(s) - s->proved > PROOF_NS))
		return settle(s, false, err);
	return 0;
}

/* Non-tried areas: in pieces. */
static int copy_pieces(struct rescue *s, const struct im_area *area, uint64_t skip_max, struct co_err *err)
{
	uint64_t left = area->count, skip = 0;

	while (left && !is_area_over(s)) {
		uint64_t count = co_min_u64(s->piece, left);
		bool read = false;
		int code = attempt(s, s->backward ? area->first + left - count : area->first + area->count - left,
				   count, IM_NON_TRIMMED, &read, err);

		if (code != 0)
			return code;
		left -= count;
		skip = read ? 0 : co_min_u64(skip ? skip * 2 : 1, skip_max);
		left -= co_min_u64(left, skip * s->piece);
	}
	return 0;
}

static int copy_skipping(struct rescue *s, const struct im_area *area, struct co_err *err)
{
	return copy_pieces(s, area, SKIP_MAX, err);
}

static int copy_all(struct rescue *s, const struct im_area *area, struct co_err *err)
{
	return copy_pieces(s, area, 0, err);
}

/* Reads single units from one end of an area until one fails, and takes them off. *ret_failed: one did. */
static int trim_end(struct rescue *s, struct im_area *area, bool backward, bool *ret_failed, struct co_err *err)
{
	bool read = true;
	int code = 0;

	s->backward = backward;
	while (code == 0 && read && area->count && !is_area_over(s)) {
		code = attempt(s, backward ? area->first + area->count - 1 : area->first, 1, IM_BAD, &read, err);
		if (code == 0) {
			area->first += !backward;
			area->count--;
		}
	}
	*ret_failed = !read;
	return code == 0 ? settle(s, false, err) : code;
}

static int trim(struct rescue *s, const struct im_area *area, struct co_err *err)
{
	struct im_area left = *area;
	bool failed = false;
	int code = trim_end(s, &left, false, &failed, err);

	if (code == 0 && failed)
		code = trim_end(s, &left, true, &failed, err);
	s->backward = false;
	if (code == 0 && failed && im_areas_set(s->areas, left.first, left.count, IM_NON_SCRAPED) < 0)
		code = no_memory(err);
	return code;
}

/* Non-scraped areas and bad ones. */
static int read_singly(struct rescue *s, const struct im_area *area, struct co_err *err)
{
	int code = 0;

	for (uint64_t i = 0; code == 0 && i < area->count && !is_area_over(s); i++) {
		bool read;

		code = attempt(s, area->first + (s->backward ? area->count - 1 - i : i), 1, IM_BAD, &read, err);
	}
	return code;
}

struct pass {
	const char *name;
	enum im_state state; /* of the areas that it is for */
	bool backward;
	int (*run)(struct rescue *s, const struct im_area *area, struct co_err *err);
};

static int run_pass(struct rescue *s, const struct pass *pass, struct co_err *err)
{
	uint64_t at = pass->backward ? s->units : 0;
	struct im_area area;
	int code = 0;

	if (!im_areas_next(s->areas, pass->state, 0, &area))
		return 0;
	if (s->opts.pass)
		code = s->opts.pass(s->opts.arg, pass->name, s->areas, err);
	s->backward = pass->backward;
	while (code == 0 && (pass->backward ? im_areas_previous(s->areas, pass->state, at, &area)
					    : im_areas_next(s->areas, pass->state, at, &area))) {
		at = pass->backward ? area.first : area.first + area.count;
		s->failing = 0;
		code = pass->run(s, &area, err);
		if (code == 0)
			code = settle(s, false, err);
	}
	return code;
}

static int run_passes(struct rescue *s, struct co_err *err)
{
	static const struct pass passes[] = {
		{ "copy", IM_NON_TRIED, false, copy_skipping },
		{ "copy backward", IM_NON_TRIED, true, copy_skipping },
		{ "copy rest", IM_NON_TRIED, false, copy_all },
		{ "trim", IM_NON_TRIMMED, false, trim },
		{ "scrape", IM_NON_SCRAPED, false, read_singly },
	};
	int code = 0;

	for (size_t i = 0; code == 0 && i < sizeof passes / sizeof passes[0]; i++)
		code = run_pass(s, &passes[i], err);
	for (unsigned n = 1; code == 0 && n <= s->opts.retries; n++) {
		char name[24];
		struct pass retry = { name, IM_BAD, n % 2 == 0, read_singly };

		snprintf(name, sizeof name, "retry %u", n);
		code = run_pass(s, &retry, err);
	}
	return code;
}

/* What was readable before the end is not thrown away; what failed is not believed. */
static int finish(struct rescue *s, int code, struct co_err *err)
{
	struct co_err ignored = CO_ERR_INIT;

	if (code == OVER) {
		code = settle(s, false, err);
		return code < 0 ? code : OVER;
	}
	if (s->run.state == IM_FINISHED)
		settle(s, true, &ignored);
	return code;
}

int im_rescue(struct im_areas *areas, const struct im_rescue_opts *opts, struct co_err *err)
{
	size_t unit = opts->unit, piece = unit < PIECE ? PIECE / unit * unit : unit;
	struct rescue s = {
		.opts = *opts,
		.areas = areas,
		.units = (opts->source->size + unit - 1) / unit,
		.piece = piece / unit,
		.good = NONE,
	};
	int code;

	/* Rounded up, as aligned_alloc() asks for it. */
	s.data = aligned_alloc(4096, (piece + (size_t)4095) / 4096 * 4096);
	s.canary = aligned_alloc(4096, (unit + (size_t)4095) / 4096 * 4096);
	if (s.data && s.canary) {
		s.start = s.proved = now(&s);
		code = finish(&s, run_passes(&s, err), err);
	} else {
		code = no_memory(err);
	}
	free(s.data);
	free(s.canary);
	return code;
}
