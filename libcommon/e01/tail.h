/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tail of an E01 image: the sections behind the last table of its last segment, which hold what is known only when
 * all of the medium has been read. They are written apart from the chunks, so that these can be amended before
 * (e01/patch.h), and anew when something changes.
 *
 *	error2	unreadable sectors, if there are any; numbers of 32 bits (EnCase 5 and 6)
 *	digest	MD5 (zero if there is none) and SHA-1, if there is a SHA-1
 *	hash	MD5, if there is one
 *	xheader	SHA-256, if there is one: docs/decisions/0004-sha256-in-the-image.md
 *	done
 *
 * Source: "Expert Witness Compression Format specification" (libyal/libewf documentation), sections "Error2",
 * "Digest", "Hash", "EWF-X", "Done". The first three are the same bytes that libewf 20140813 writes.
 */
#ifndef CO_E01_TAIL_H
#define CO_E01_TAIL_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "hash/digest.h"

/* Ranges of unreadable sectors: first, and how many. Ascending and without overlap; those that touch become one. */
struct co_e01_bad {
	const uint64_t (*at)[2];
	size_t n;
};

/*
 * Replaces the tail of the image STEM.E01..., which co_e01_writer_finish() has ended and which has @segments segments,
 * and syncs the last of them; no other one is touched. @bad: NULL is none. *ret_left_out (NULL: nobody asks): how many
 * unreadable sectors lie at 2^32 or behind and are therefore not in the image.
 * May be called any number of times, also after a call that was cut short by a crash: the same values give the same
 * bytes. While it works the image has no "done", and is truncated to any reader. CO_ERR_OUTPUT, and nothing is changed,
 * if the last segment does not have all of its tables.
 */
int co_e01_write_tail(const char *stem, unsigned segments, const struct co_digests *digests,
		      const struct co_e01_bad *bad, uint64_t *ret_left_out, struct co_err *err);

#endif
