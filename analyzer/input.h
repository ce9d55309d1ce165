/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the reading commands share: an operand that is an image or a case, options for reading images, and where the
 * result goes.
 */
#ifndef AN_INPUT_H
#define AN_INPUT_H

#include <stddef.h>

#include "collect.h"
#include "io/sink.h"
#include "run/option.h"

struct an_input_args {
	const char *volume, *time_zone, *cache;
	uint64_t threads;
};
#define AN_INPUT_OPTIONS(type, field) \
	{ \
		"volume", \
		0, \
		"N", \
		CO_OPT_STRING, \
		offsetof(type, field.volume), \
		"only volume N, as info numbers them (from 0)" \
	}, \
		{ "time-zone", \
		  0, \
		  "TZ", \
		  CO_OPT_STRING, \
		  offsetof(type, field.time_zone), \
		  "zone of file systems that store local time, e.g. Europe/Berlin (UTC)" }, \
		{ "cache", \
		  0, \
		  "SIZE", \
		  CO_OPT_STRING, \
		  offsetof(type, field.cache), \
		  "memory for decompressed parts of an E01 image, 1M to 1T (64M)" }, \
	{ \
		"threads", 'j', "N", CO_OPT_UINT, offsetof(type, field.threads), "worker threads (one per processor)" \
	}

/* Checks the arguments. CO_ERR_USAGE with one sentence if they make no sense. */
int an_input_options(struct an_collect_opts *ret, const struct an_input_args *args, enum an_hash_mode hash,
		     struct co_err *err);

/* Opens the image that the operands name and walks it, or loads the case if the only operand is one.
 * 0; 1: done, but the image has problems (x->c.problems); < 0. Close with an_collect_close(). */
int an_input_open(struct an_collection *ret, char *const *names, int n, const struct an_collect_opts *opts,
		  struct co_err *err);

/* Warns of each problem on standard error (at most 20, then how many more). Returns the exit code: 0 or 3. */
int an_input_problems(const struct an_case *c);

/* Standard output, or the file if @name is given. */
int an_output_open(struct co_sink **ret, const char *name, struct co_err *err);

#endif
