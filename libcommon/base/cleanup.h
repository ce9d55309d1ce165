/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scope-bound ownership: a local declared with one of these is released when it goes out of scope.
 * Hand it over with CO_TAKE(). Anything that is evidence is closed explicitly instead, since its close can fail.
 */
#ifndef CO_BASE_CLEANUP_H
#define CO_BASE_CLEANUP_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CO_CLEANUP(fn) __attribute__((cleanup(fn)))

/* Returns the value of a pointer and leaves NULL behind, so that the cleanup has nothing to do. */
#define CO_TAKE(p) \
	({ \
		__typeof__(p) taken_ = (p); \
		(p) = NULL; \
		taken_; \
	})

static inline void co_cleanup_free(void *p)
{
	free(*(void **)p);
}

static inline void co_cleanup_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void co_cleanup_fclose(FILE **f)
{
	if (*f)
		fclose(*f);
}

static inline void co_cleanup_closedir(DIR **d)
{
	if (*d)
		closedir(*d);
}

#define CO_CLEANUP_FREE CO_CLEANUP(co_cleanup_free)
#define CO_CLEANUP_CLOSE CO_CLEANUP(co_cleanup_close) /* initialise to -1 */
#define CO_CLEANUP_FCLOSE CO_CLEANUP(co_cleanup_fclose)
#define CO_CLEANUP_CLOSEDIR CO_CLEANUP(co_cleanup_closedir)

#endif
