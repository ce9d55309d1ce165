/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an ATA drive says of itself: IDENTIFY DEVICE, its native size, and its device configuration overlay.
 *
 * The parsers are pure functions over blocks that may hold anything. The query sends commands that only read, through
 * ATA PASS-THROUGH (16); one table names them, and the one function that sends refuses all others.
 *
 * Sources: INCITS 522 ATA/ATAPI Command Set - 3 (ACS-3): IDENTIFY DEVICE data, GET NATIVE MAX ADDRESS EXT.
 * INCITS 452 AT Attachment 8 - ATA/ATAPI Command Set (ATA8-ACS): READ NATIVE MAX ADDRESS (EXT), DEVICE CONFIGURATION
 * IDENTIFY. INCITS 517 SCSI/ATA Translation - 3 (SAT-3): ATA PASS-THROUGH (16), ATA Status Return sense data
 * descriptor, ATA Information VPD page. The numbers of words, bits and bytes stand beside the fields.
 */
#ifndef IM_DEVICE_ATA_H
#define IM_DEVICE_ATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "device/hidden.h"

enum {
	IM_ATA_BLOCK = 512,
	IM_ATA_SENSE = 64,
};

/* Texts are without the surrounding blanks and may otherwise hold any bytes but NUL. */
struct im_ata_identity {
	char serial[21];          /* words 10-19 */
	char firmware[9];         /* words 23-26 */
	char model[41];           /* words 27-46 */
	uint64_t wwn;             /* words 108-111 if word 87 bit 8; 0: none */
	uint64_t sectors28;       /* words 60-61 */
	uint64_t sectors48;       /* words 100-103, or 230-233 if word 69 bit 3; 0 without 48-bit addresses */
	uint64_t sectors;         /* the one that counts */
	uint32_t logical_sector;  /* bytes: words 117-118 if word 106 bit 12, else 512 */
	uint32_t physical_sector; /* bytes: word 106 bits 3:0 if bit 13 */
	bool sets_reported;       /* words 82-83 hold the supported sets (word 83 bits 15:14 are 01b) */
	bool lba48;               /* word 83 bit 10 */
	bool hpa, hpa_enabled;    /* word 82 bit 10, word 85 bit 10 */
	bool dco;                 /* word 83 bit 11 */
	bool ama; /* accessible max address configuration: word 119 bit 8 (word 86 bit 15 makes it valid) */
	bool smart, smart_enabled; /* word 82 bit 0, word 85 bit 0 */
	bool trim;                 /* word 169 bit 0 */
	bool rotation_known;       /* word 217 says something */
	uint16_t rpm;              /* word 217; 0: it does not rotate */
	bool security;             /* word 128 bits 0 (supported) to 3 */
	bool security_enabled, security_locked, security_frozen;
	const char *transport; /* word 222 bits 15:12: "parallel", "serial", "PCIe", or "" */
	bool checksum;         /* word 255 has the signature of a checksum */
};

/* 0; 1: filled in, but the checksum is wrong and nothing in it can be relied upon. CO_ERR_FORMAT: all bytes the same,
 * not the data of an ATA disk, or impossible sectors. */
int im_ata_parse_identify(struct im_ata_identity *ret, const uint8_t block[IM_ATA_BLOCK], struct co_err *err);

/* The registers that a drive left, from the ATA Status Return descriptor (SAT-3: type 09h, 12 bytes follow). */
struct im_ata_registers {
	bool ext; /* the upper bytes are valid */
	uint8_t error, device, status;
	uint64_t lba; /* 28 or 48 bits */
};

/* Descriptor format sense data (SPC-4, response codes 72h and 73h). CO_ERR_FORMAT: there is no such descriptor. */
int im_ata_parse_sense(struct im_ata_registers *ret, const uint8_t *sense, size_t len, struct co_err *err);
/* How many sectors the drive has, from the answer to a native max address command: the address of the last, plus one.
 * @ext: as the command was. CO_ERR_FAILED: aborted by the drive; CO_ERR_FORMAT: no answer. */
int im_ata_parse_native(uint64_t *ret_sectors, const struct im_ata_registers *answer, bool ext, struct co_err *err);
/* DEVICE CONFIGURATION IDENTIFY data: words 3-6, the highest address that the drive could be set to, plus one.
 * CO_ERR_FORMAT: all bytes the same, a wrong checksum (word 255), an impossible address. */
int im_ata_parse_dco(uint64_t *ret_sectors, const uint8_t block[IM_ATA_BLOCK], struct co_err *err);

struct im_ata_size {
	bool known;
	uint64_t sectors;
	char why[160]; /* it is unknown: the reason, or "" if there was no need to ask */
};

/* A zeroed struct: not asked. */
struct im_ata {
	bool known;        /* there is an identity, and its checksum is not wrong */
	bool native_asked; /* the drive has an HPA or AMA to ask for */
	char why[200];     /* there is none: the reason */
	struct im_ata_identity identity;
	struct im_ata_size native, dco;
};

/* Puts side by side what the kernel sees (@visible bytes; 0: unknown) and what the drive said. */
void im_ata_compare(struct im_hidden *ret, const struct im_ata *ata, uint64_t visible);

/* The way to a drive. Sends @cdb and reads @len bytes into @data (0: no data). *ret_status is the SCSI status,
 * @sense has IM_ATA_SENSE bytes, of which *ret_sense are filled. CO_ERR_FAILED: it could not be sent. */
struct im_ata_port {
	int (*send)(void *self, const uint8_t cdb[16], uint8_t *data, size_t len, uint8_t *ret_status, uint8_t *sense,
		    size_t *ret_sense, struct co_err *err);
	void *self;
};

/* Is this a command that we send? They only read: IDENTIFY DEVICE, READ NATIVE MAX ADDRESS, READ NATIVE MAX ADDRESS
 * EXT, GET NATIVE MAX ADDRESS EXT, DEVICE CONFIGURATION IDENTIFY. */
bool im_ata_allowed(uint8_t command, uint16_t feature);
/* Sends one of them. @data: IM_ATA_BLOCK bytes, filled if the command has data; *ret: the registers if it has none.
 * CO_ERR_USAGE, and nothing was sent: it is no allowed command. CO_ERR_FAILED: refused by kernel or drive. */
int im_ata_send(const struct im_ata_port *port, uint8_t command, uint16_t feature, uint8_t *data,
		struct im_ata_registers *ret, struct co_err *err);
/* Asks all of it; what could not be learnt is said in the `why` of its place. */
void im_ata_query_port(struct im_ata *ret, const struct im_ata_port *port);
/* The same by SG_IO on an open disk; O_RDONLY is enough, CAP_SYS_RAWIO is needed. Each command has 10 seconds. */
void im_ata_query(struct im_ata *ret, int fd);

#endif
