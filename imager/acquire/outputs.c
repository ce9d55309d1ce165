/* SPDX-License-Identifier: Apache-2.0 */
#include "acquire/outputs.h"

#include <stdarg.h>
#include <stdio.h>

#define FULL (1 << 20) /* bytes: a file system with less is full */

bool im_output_is_left(const struct im_output *o)
{
	return o->bag->error.code == 0;
}

size_t im_outputs_left(const struct im_outputs *all)
{
	size_t n = 0;

	for (size_t i = 0; i < all->n; i++)
		n += im_output_is_left(&all->at[i]);
	return n;
}

void im_outputs_tell(struct im_outputs *all, const char *event, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	for (size_t i = 0; i < all->n; i++)
		im_events_add(all->at[i].events, event, "%s", text);
}

/* libewf does not say why it could not write. */
static void explain(const struct im_output *o, struct co_err *err)
{
	uint64_t space;

	if (err->code == CO_ERR_OUTPUT && err->sys == 0 && im_free_space(o->bag->path, &space, NULL) == 0 &&
	    space < FULL)
		co_err_wrap(err, "the file system of %s is full", o->bag->path);
}

/* The work goes on without this one. */
static void give_up(struct im_outputs *all, struct im_output *o, struct co_err *why)
{
	explain(o, why);
	o->bag->error = *why;
	im_output_close(o);
	im_outputs_tell(all, "output-ended", "%s: %s", o->bag->path, why->msg);
}

static int is_any_left(const struct im_outputs *all, struct co_err *err)
{
	if (im_outputs_left(all))
		return 0;
	*err = all->at[0].bag->error;
	return err->code;
}

int im_outputs_each(struct im_outputs *all, im_output_step *step, struct co_err *err)
{
	for (size_t i = 0; i < all->n; i++) {
		struct co_err why = CO_ERR_INIT;

		if (im_output_is_left(&all->at[i]) && step(&all->at[i], &why) < 0)
			give_up(all, &all->at[i], &why);
	}
	return is_any_left(all, err);
}

int im_outputs_put(struct im_outputs *all, struct co_buf *buf, struct co_err *err)
{
	for (size_t i = 0; i < all->n; i++) {
		struct co_err why = CO_ERR_INIT;

		if (im_output_is_left(&all->at[i]) && im_output_put(&all->at[i], buf, &why) < 0)
			give_up(all, &all->at[i], &why);
	}
	return is_any_left(all, err);
}

int im_outputs_pump(struct im_outputs *all, struct co_err *err)
{
	int outcome = 1, r;

	for (size_t i = 0; i < all->n; i++) {
		struct co_err why = CO_ERR_INIT;

		if (!im_output_is_left(&all->at[i]))
			continue;
		r = im_output_pump(&all->at[i], &why);
		if (r < 0)
			give_up(all, &all->at[i], &why);
		if (r <= 0)
			outcome = 0;
	}
	r = is_any_left(all, err);
	return r < 0 ? r : outcome;
}

int im_outputs_patch(struct im_outputs *all, uint64_t off, const void *bytes, size_t len, struct co_err *err)
{
	for (size_t i = 0; i < all->n; i++) {
		struct co_err why = CO_ERR_INIT;

		if (im_output_is_left(&all->at[i]) && im_output_patch(&all->at[i], off, bytes, len, &why) < 0)
			give_up(all, &all->at[i], &why);
	}
	return is_any_left(all, err);
}
