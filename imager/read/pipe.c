/* SPDX-License-Identifier: Apache-2.0 */
#include "read/pipe.h"

#include <errno.h>
#include <unistd.h>

#include "run/cancel.h"

int im_pipe_read(int fd, void *buf, size_t len, size_t *ret_got, struct co_err *err)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = read(fd, (char *)buf + done, len - done);
		int sys = errno;

		if (n == 0)
			break;
		if (n > 0)
			done += (size_t)n;
		if (co_cancel_check(err) < 0)
			return CO_ERR_CANCELED;
		if (n < 0 && sys != EINTR)
			return co_err_set(err, CO_ERR_LOST, sys, "read standard input");
	}
	*ret_got = done;
	return 0;
}
