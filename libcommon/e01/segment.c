/* SPDX-License-Identifier: Apache-2.0 */
#include "e01/segment.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "e01/section.h"

int co_e01_extension(unsigned number, char ret[4])
{
	if (number < 1 || number > CO_E01_SEGMENTS_MAX)
		return -1;
	ret[3] = '\0';
	if (number <= 99) {
		ret[0] = 'E';
		ret[1] = (char)('0' + number / 10);
		ret[2] = (char)('0' + number % 10);
		return 0;
	}
	number -= 100;
	ret[0] = (char)('E' + number / (26 * 26));
	ret[1] = (char)('A' + number / 26 % 26);
	ret[2] = (char)('A' + number % 26);
	return 0;
}

char *co_e01_segment_name(const char *stem, unsigned number)
{
	const char *slash = strrchr(stem, '/'), *place = strchr(slash ? slash : stem, '%');
	char extension[4], *name;
	if (co_e01_extension(number, extension) < 0)
		return NULL;
	int n = place ? asprintf(&name, "%.*s%s%s", (int)(place - stem), stem, extension, place + 1)
		      : asprintf(&name, "%s.%s", stem, extension);
	return n < 0 ? NULL : name;
}

int co_e01_probe(const char *name, struct co_err *err)
{
	/* O_NONBLOCK: a FIFO of that name must not hang the caller. */
	CO_CLEANUP_CLOSE int fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return co_err_set(err, CO_ERR_FAILED, errno, "open %s", name);
	uint8_t head[CO_E01_FILE_HEADER_SIZE];
	size_t got = 0;
	while (got < sizeof head) {
		ssize_t n = pread(fd, head + got, sizeof head - got, (off_t)got);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == ESPIPE)
			return 0;
		if (n < 0)
			return co_err_set(err, CO_ERR_FAILED, errno, "read %s", name);
		if (n == 0)
			return 0;
		got += (size_t)n;
	}
	unsigned number;
	return co_e01_file_header_parse(head, &number) == 0;
}
