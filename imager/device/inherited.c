/* SPDX-License-Identifier: Apache-2.0 */
#include "device/inherited.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/cleanup.h"

void im_inherited_close(void)
{
	CO_CLEANUP_CLOSEDIR DIR *dir = opendir("/proc/self/fd");
	struct stat st;

	for (const struct dirent *e = dir ? readdir(dir) : NULL; e; e = readdir(dir)) {
		char *end;
		long fd = strtol(e->d_name, &end, 10);

		if (*end == '\0' && end != e->d_name && fd != dirfd(dir) && fstat((int)fd, &st) == 0 &&
		    S_ISBLK(st.st_mode))
			close((int)fd);
	}
}
