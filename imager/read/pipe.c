/* SPDX-License-Identifier: Apache-2.0 */
#include "read/pipe.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "run/cancel.h"

#define STEP_MS 200

/* A signal need not end a read: it may come just before, or to another thread. */
static int wait_for_bytes(int fd, struct co_err *err)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int r;

	do
		r = co_cancel_check(err);
	while (r == 0 && poll(&p, 1, STEP_MS) <= 0);
	return r;
}

int im_pipe_read(int fd, void *buf, size_t len, size_t *ret_got, struct co_err *err)
{
	size_t done = 0;

	while (done < len) {
		int r = wait_for_bytes(fd, err);
		ssize_t n = r == 0 ? read(fd, (char *)buf + done, len - done) : 0;

		if (r < 0)
			return r;
		if (n == 0)
			break;
		if (n > 0)
			done += (size_t)n;
		else if (errno != EINTR)
			return co_err_set(err, CO_ERR_LOST, errno, "read standard input");
	}
	*ret_got = done;
	return 0;
}
