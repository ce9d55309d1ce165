/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Digests of sample areas of a medium, taken before and after an acquisition: a cheap sign that it did not change. The
 * first and the last MiB, where partition tables and their copies lie, and 14 pieces of 64 KiB between, always at the
 * same places for the same size. What lies between the samples is not seen by them.
 */
#ifndef IM_DEVICE_SAMPLES_H
#define IM_DEVICE_SAMPLES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "io/source.h"
#include "manifest/json.h"

enum { IM_SAMPLES = 16 };

struct im_sample {
	uint64_t offset, length; /* bytes */
	bool readable;           /* all of it was read */
	uint8_t sha256[32];      /* if readable */
};

/* A zeroed struct: none taken. */
struct im_samples {
	uint64_t size; /* of the medium, bytes */
	unsigned n;
	struct im_sample at[IM_SAMPLES];
};

/* Reads at most 2 MiB + 896 KiB + 4 KiB, starting at multiples of 4096 bytes. Unreadable samples are marked and no
 * error. How long a read may last is the source's matter. CO_ERR_LOST and others of the source, CO_ERR_NOMEM. */
int im_samples_take(struct im_samples *ret, const struct co_source *src, struct co_err *err);

struct im_samples_difference {
	unsigned compared;   /* readable both times */
	unsigned differ;     /* of these */
	unsigned unreadable; /* once or both times: they say nothing */
	uint64_t first;      /* offset of the first that differs, bytes */
};

/* 0: nothing that was compared differs. 1: something does, or the size. */
int im_samples_differ(const struct im_samples *before, const struct im_samples *after,
		      struct im_samples_difference *ret);
/* An array of {"offset", "bytes", "sha256"}; sha256 is null where it could not be read. */
void im_samples_json(struct co_json *j, const char *key, const struct im_samples *s);

#endif
