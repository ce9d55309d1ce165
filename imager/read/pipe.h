/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A source that can be read once and in order only, such as standard input.
 */
#ifndef IM_READ_PIPE_H
#define IM_READ_PIPE_H

#include <stddef.h>

#include "base/error.h"

/* Reads until there are @len bytes or the stream ends. *ret_got < @len: it has ended. CO_ERR_LOST: it can't be read any
 * more; CO_ERR_CANCELED. */
int im_pipe_read(int fd, void *buf, size_t len, size_t *ret_got, struct co_err *err);

#endif
