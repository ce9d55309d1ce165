/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Places in an image that are damaged or differ, put into sentences.
 */
#ifndef IM_ACQUIRE_DAMAGE_H
#define IM_ACQUIRE_DAMAGE_H

#include "io/source.h"
#include "read/reader.h"

/* A sentence without a full stop; borrowed for the time of the call. */
typedef void im_damage_fn(void *arg, const char *sentence);

/* @damaged: chunks of the open E01 @image. One sentence for neighbours in the same file: file, chunks, sectors. After
 * the first 1000 one more says how many there are. */
void im_tell_damaged(const struct co_source *image, const struct im_ranges *damaged, im_damage_fn *tell, void *arg);
/* @differing: blocks of a medium of @media bytes. Likewise. */
void im_tell_differing(const struct im_ranges *differing, uint64_t media, im_damage_fn *tell, void *arg);

#endif
