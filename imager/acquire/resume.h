/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Resuming an acquisition: its plan comes from the record of the bag, and the source must be proved to be the same.
 */
#ifndef IM_ACQUIRE_RESUME_H
#define IM_ACQUIRE_RESUME_H

#include "acquire/acquire.h"
#include "acquire/earlier.h"
#include "io/source.h"

/* Reads what is in opts->bags into @ret[IM_BAGS_MAX] and fills @rec from it, whose pointers borrow from @ret. Nothing
 * is changed. CO_ERR_USAGE, CO_ERR_MISMATCH (another source, or bags of two acquisitions) and what im_earlier_read
 * says.
 */
int im_resume_read(struct im_earlier *ret, struct im_record *rec, const struct im_acquire_opts *opts,
		   const struct im_guard *guard, struct co_err *err);
/* Compares samples of the source with those of the first session, and places of it with what is kept (@kept may be
 * NULL): 16 of them, or @all. CO_ERR_MISMATCH: it holds other bytes. */
int im_resume_prove(const struct im_earlier *earlier, const struct im_earlier *kept, const struct im_samples *now,
		    const struct co_source *source, bool all, struct co_err *err);

#endif
