/* SPDX-License-Identifier: Apache-2.0 */
#include "input.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "run/log.h"

#define PROBLEMS_SHOWN 20
#define CACHE_MIN ((uint64_t)1 << 20)
#define CACHE_MAX ((uint64_t)1 << 40)

int an_input_options(struct an_collect_opts *ret, const struct an_input_args *args, enum an_hash_mode hash,
		     struct co_err *err)
{
	struct an_collect_opts opts = { .volume = -1, .time_zone = args->time_zone, .hash = hash };
	if (args->volume) {
		uint64_t volume;
		int r = co_parse_uint(args->volume, "--volume", 0, 9999, &volume, err);
		if (r < 0)
			return r;
		opts.volume = (int)volume;
	}
	if (args->threads > 1024)
		return co_err_set(err, CO_ERR_USAGE, 0, "--threads: at most 1024");
	opts.threads = (unsigned)args->threads;
	if (args->cache) {
		uint64_t cache;
		int r = co_parse_size(args->cache, "--cache", &cache, err);
		if (r < 0)
			return r;
		if (cache < CACHE_MIN || cache > CACHE_MAX)
			return co_err_set(err, CO_ERR_USAGE, 0, "--cache: the size must be from 1M to 1T");
		opts.cache = (size_t)cache;
	}
	*ret = opts;
	return 0;
}

int an_input_open(struct an_collection *ret, char *const *names, int n, const struct an_collect_opts *opts,
		  struct co_err *err)
{
	*ret = (struct an_collection) { 0 };
	if (n == 1 && an_is_case(names[0]))
		return an_case_load(&ret->c, names[0], err);
	int r = an_collect_open(ret, (const char *const *)names, (size_t)n, opts, err);
	if (r < 0)
		return r;
	int files = an_collect_files(ret, opts, err);
	if (files < 0) {
		an_collect_close(ret);
		return files;
	}
	return r || files;
}

int an_input_problems(const struct an_case *c)
{
	for (size_t i = 0; i < c->problems.n && i < PROBLEMS_SHOWN; i++) {
		const struct an_problem *p = &c->problems.at[i];
		CO_CLEANUP_STR struct co_str path = { 0 }, text = { 0 };
		co_str_add_visible(&path, p->path, strlen(p->path));
		co_str_add_visible(&text, p->text, strlen(p->text));
		const char *colon = path.n ? ": " : "";
		if (p->volume == UINT32_MAX)
			co_log_warn("%s%s%s", co_str_get(&path), colon, co_str_get(&text));
		else
			co_log_warn("volume %u: %s%s%s", p->volume, co_str_get(&path), colon, co_str_get(&text));
	}
	if (c->problems.n > PROBLEMS_SHOWN)
		co_log_warn("%zu more problems", c->problems.n - PROBLEMS_SHOWN);
	return c->problems.n ? CO_EXIT_DAMAGED : CO_EXIT_OK;
}

int an_output_open(struct co_sink **ret, const char *name, struct co_err *err)
{
	return name ? co_sink_open(ret, name, err) : co_sink_open_stdout(ret, err);
}
