/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an NVMe drive says of itself: its controller, the namespace that is read, other namespaces, capacity of none.
 *
 * The parsers are pure functions over pages that may hold anything. The query sends one admin command alone: Identify
 * (opcode 06h).
 *
 * Source: NVM Express Base Specification 2.0, section 5.17 "Identify command": the figures "Identify Controller Data
 * Structure" (CNS 01h) and "Identify - CNS Values", the namespace lists of CNS 02h and 10h; NVM Command Set
 * Specification 1.0, figures "Identify Namespace Data Structure" (CNS 00h) and "LBA Format Data Structure". Offsets
 * stand beside the fields.
 */
#ifndef IM_DEVICE_NVME_H
#define IM_DEVICE_NVME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "device/hidden.h"

enum { IM_NVME_PAGE = 4096 };

/* Texts are without the surrounding blanks and may otherwise hold any bytes but NUL. */
struct im_nvme_controller {
	char serial[21];      /* bytes 4-23 */
	char model[41];       /* bytes 24-63 */
	char firmware[9];     /* bytes 64-71 */
	bool management;      /* OACS, byte 256 bit 3: namespaces can be created and attached */
	bool trim;            /* ONCS, byte 520 bit 2: dataset management */
	uint32_t namespaces;  /* NN, bytes 516-519: the highest number of one */
	uint64_t capacity;    /* TNVMCAP, bytes 280-295; bytes, UINT64_MAX if it is more; 0: not reported */
	uint64_t unallocated; /* UNVMCAP, bytes 296-311; likewise */
};

struct im_nvme_namespace {
	uint64_t size, capacity, used; /* NSZE, NCAP, NUSE at 0, 8, 16; blocks */
	uint32_t block;                /* bytes of data: LBADS of the format that FLBAS (26) names, table at 128 */
	uint32_t metadata;             /* bytes per block */
	char nguid[33], eui64[17];     /* 104-119, 120-127 in hexadecimal; "" if all zero */
};

/* CO_ERR_FORMAT: all bytes the same. */
int im_nvme_parse_controller(struct im_nvme_controller *ret, const uint8_t page[IM_NVME_PAGE], struct co_err *err);
/* CO_ERR_FORMAT: all bytes the same (an inactive namespace is all zeros), or an impossible block size. */
int im_nvme_parse_namespace(struct im_nvme_namespace *ret, const uint8_t page[IM_NVME_PAGE], struct co_err *err);
/* A namespace list: numbers that rise, ended by 0 or the page; up to 1024. *ret_n: how many there are. CO_ERR_FORMAT:
 * they don't rise. */
int im_nvme_parse_list(uint32_t *ret_n, const uint8_t page[IM_NVME_PAGE], struct co_err *err);

/* A zeroed struct: not asked. */
struct im_nvme {
	bool known;
	char why[200]; /* it is not: the reason */
	uint32_t nsid;
	struct im_nvme_controller controller;
	struct im_nvme_namespace ns;
	bool count_known;
	uint32_t count; /* namespaces that exist, this one among them; those of other controllers only if they are
			   listed */
};

/* Puts side by side what the kernel sees of the namespace (@visible bytes; 0: unknown) and what the drive said. */
void im_nvme_compare(struct im_hidden *ret, const struct im_nvme *nvme, uint64_t visible);

/* The way to a drive: the Identify command with this CNS. */
struct im_nvme_port {
	int (*identify)(void *self, uint8_t cns, uint32_t nsid, uint8_t page[IM_NVME_PAGE], struct co_err *err);
	void *self;
};

void im_nvme_query_port(struct im_nvme *ret, const struct im_nvme_port *port, uint32_t nsid);
/* By ioctl on an open namespace; O_RDONLY is enough, CAP_SYS_ADMIN may be needed. */
void im_nvme_query(struct im_nvme *ret, int fd);

#endif
