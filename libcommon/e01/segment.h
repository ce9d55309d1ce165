/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Segment files of an EWF (E01) image: names, and finding the files of a set.
 * Source: "Expert Witness Compression Format specification" (libyal/libewf documentation), section "Segment files":
 * .E01 to .E99, then .EAA to .EZZ, .FAA to .ZZZ.
 */
#ifndef CO_E01_SEGMENT_H
#define CO_E01_SEGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define CO_E01_SEGMENTS_MAX 14971 /* .E01 to .ZZZ: 99 + 26*26*22 */

/* Extension of segment @number (from 1), e.g. "E01"; -1 past the last. */
int co_e01_extension(unsigned number, char ret[4]);

/* "STEM.E01" for segment 1; freed by the caller. If there is a '%' behind the last slash of the stem, the extension
 * stands there instead: "x.%.part" gives "x.E01.part". NULL: past the last, or no memory. */
char *co_e01_segment_name(const char *stem, unsigned number);

/* Does the file begin with the signature of EWF version 1? 1: yes, 0: no, < 0: can't be read. */
int co_e01_probe(const char *name, struct co_err *err);

#endif
