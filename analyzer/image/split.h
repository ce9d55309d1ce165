/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts of a raw image that was split: NAME.000 NAME.001 ..., NAME.001 NAME.002 ..., NAME.aa NAME.ab ...
 */
#ifndef AN_IMAGE_SPLIT_H
#define AN_IMAGE_SPLIT_H

#include "base/error.h"
#include "base/vec.h"

struct an_split {
	CO_VEC(char *) names; /* paths in order; empty if @name is no part of a split image */
};

/* Looks for the other parts beside @name. CO_ERR_FORMAT if one in the middle or at the begin is missing. */
int an_split_find(struct an_split *ret, const char *name, struct co_err *err);
void an_split_free(struct an_split *s);

#endif
