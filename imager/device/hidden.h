/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a drive is said to hold beyond the sectors that the kernel reads: the answer in data and in one sentence.
 * ata.h and nvme.h fill it; nobody here changes a drive.
 */
#ifndef IM_DEVICE_HIDDEN_H
#define IM_DEVICE_HIDDEN_H

#include <stdbool.h>
#include <stdint.h>

#include "manifest/json.h"

enum im_hidden_state {
	IM_HIDDEN_UNKNOWN, /* not asked, no answer, or answers that contradict each other */
	IM_HIDDEN_NONE,    /* the drive states that it shows all it has */
	IM_HIDDEN_HPA,     /* host protected area, or a lowered accessible max address (its successor) */
	IM_HIDDEN_DCO,     /* device configuration overlay */
	IM_HIDDEN_HPA_AND_DCO,
	IM_HIDDEN_NVME,   /* other namespaces, or capacity that belongs to none */
	IM_HIDDEN_UNSEEN, /* the kernel sees less than the drive states, as behind some USB bridges */
};

/* Sectors are the drive's logical ones. A zeroed struct: the drive was not asked. */
struct im_hidden {
	enum im_hidden_state state;
	bool hpa_known, dco_known, nvme_known; /* else the numbers below say nothing */
	uint64_t hpa_sectors, dco_sectors;
	uint64_t unallocated_bytes;
	uint32_t other_namespaces;
	uint64_t visible_sectors;  /* as the kernel has it; 0: unknown */
	uint64_t reported_sectors; /* as IDENTIFY has it; 0: unknown */
	char sentence[448];        /* plain text of our own: no bytes of the drive */
};

const char *im_hidden_name(enum im_hidden_state state); /* "unknown", "none", "hpa", ... */
/* Why nothing is known: state UNKNOWN, and the sentence "unknown: REASON". */
void im_hidden_unknown(struct im_hidden *ret, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Appends to the sentence, behind "; " if there is some; cut at the end. */
void im_hidden_say(struct im_hidden *h, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* An object: state, sentence, and the numbers, null where unknown. */
void im_hidden_json(struct co_json *j, const char *key, const struct im_hidden *h);

#endif
