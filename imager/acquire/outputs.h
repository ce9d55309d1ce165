/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The outputs of an acquisition as one: what is done is done to each that is left; one that fails is given up and the
 * work goes on with the other.
 */
#ifndef IM_ACQUIRE_OUTPUTS_H
#define IM_ACQUIRE_OUTPUTS_H

#include "acquire/output.h"

struct im_outputs {
	struct im_output at[IM_BAGS_MAX];
	size_t n; /* those that were created */
};

typedef int im_output_step(struct im_output *o, struct co_err *err);

bool im_output_is_left(const struct im_output *o);
size_t im_outputs_left(const struct im_outputs *all);
/* An event of the acquisition stands in all bags. */
void im_outputs_tell(struct im_outputs *all, const char *event, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* 0: there is an output to go on with. < 0: why there is none. */
int im_outputs_each(struct im_outputs *all, im_output_step *step, struct co_err *err);
int im_outputs_put(struct im_outputs *all, struct co_buf *buf, struct co_err *err);
/* Each output gives a buffer back, since only what all have written is free. 0: done; 1: they hold none. */
int im_outputs_pump(struct im_outputs *all, struct co_err *err);
/* As im_output_patch, in each. */
int im_outputs_patch(struct im_outputs *all, uint64_t off, const void *bytes, size_t len, struct co_err *err);

#endif
