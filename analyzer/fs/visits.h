/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How often each inode was entered: a small hash table of counters.
 */
#ifndef AN_FS_VISITS_H
#define AN_FS_VISITS_H

#include <stddef.h>
#include <stdint.h>

struct an_visits {
	/* private; zeroed is empty */
	struct an_visit {
		uint64_t inode;
		unsigned count; /* 0: free slot */
	} * slot;
	size_t n, cap;
};

/* Counts one more visit. The new count, or 0: no memory. */
unsigned an_visits_add(struct an_visits *v, uint64_t inode);
void an_visits_free(struct an_visits *v);

#endif
