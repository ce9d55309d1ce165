/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to e01/: changes to segments that libewf has written. Every failure is CO_ERR_OUTPUT and names the segment.
 */
#ifndef CO_E01_AMEND_H
#define CO_E01_AMEND_H

#include "e01/section.h"

/* Opens a segment to read and write; the chain borrows the descriptor. */
int co_e01_amend_open(const char *name, struct co_e01_chain *chain, unsigned *ret_number, int *ret_fd,
		      struct co_err *err);
/* Writes all of @bytes at @off. */
int co_e01_amend_write(int fd, const char *name, const uint8_t *bytes, size_t len, uint64_t off, struct co_err *err);
/* Closes it and returns @r, or the failure to close if @r is 0. */
int co_e01_amend_close(int fd, const char *name, int r, struct co_err *err);

/* libewf writes one and the same text as date into header (where it has to be "2026 9 1 2 54 20") and header2 (seconds
 * since 1970), or else the wall clock in local time. So it is given this placeholder, which is long enough that the
 * sections can be made anew with the right dates in the same number of bytes. */
#define CO_E01_DATE_PLACEHOLDER \
	"kT7#vQ2m!Zx9$Lb4&Rw1(Hc8)Ny5*Gd3+Fj6,Ps0-Ue:Aq;Bo<Ci=Di>Ek?Fl@" \
	"Gm[Hn]Io^Jp_Kr{Ms}Nt~Ou%Pv/Sy"
int co_e01_set_dates(const char *segment_name, int64_t time_ns, struct co_err *err);

#endif
