/* SPDX-License-Identifier: Apache-2.0 */
/*
 * NAME.blocks.sha256: the digest of each block of the medium, so that damage and differences can be located.
 * A comment line, then one line per block: digest, two blanks, offset in bytes, blank, length in bytes.
 */
#ifndef IM_ACQUIRE_BLOCKS_H
#define IM_ACQUIRE_BLOCKS_H

#include <stdint.h>
#include <stdio.h>

#include "base/error.h"
#include "io/sink.h"
#include "read/reader.h"

#define IM_BLOCK_SIZE (1u << 20) /* bytes; the last block may be shorter */

/* Writes the file. Made to be handed to co_lanes_opts.block: one thread calls add. */
struct im_blocks_writer {
	struct co_sink *sink;
	uint64_t media; /* bytes */
	struct co_err failure;
};

/* @media UINT64_MAX: the size is not known, and set in @w->media before the last block is added. */
int im_blocks_begin(struct im_blocks_writer *w, const char *file, uint64_t media, struct co_err *err);
void im_blocks_add(void *writer, uint64_t index, const uint8_t sha256[32]);
/* 0: the file has its name and one line for each block of the medium. */
int im_blocks_commit(struct im_blocks_writer *w, struct co_err *err);
void im_blocks_abort(struct im_blocks_writer *w);

/* Compares blocks with such a file, likewise. */
struct im_blocks_checker {
	FILE *file;
	const char *name; /* borrowed */
	uint64_t media;
	struct im_ranges differing; /* block numbers */
	struct co_err failure;      /* CO_ERR_FORMAT: the file is not as it must be; nothing behind is compared */
};

int im_blocks_open(struct im_blocks_checker *c, const char *file, uint64_t media, struct co_err *err);
void im_blocks_check(void *checker, uint64_t index, const uint8_t sha256[32]);
/* The first failure, also if lines are left over, or 0. */
int im_blocks_end(struct im_blocks_checker *c, struct co_err *err);
void im_blocks_close(struct im_blocks_checker *c);

#endif
