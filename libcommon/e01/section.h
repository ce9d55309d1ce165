/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to e01/: the layouts of EWF version 1, and the walk along the sections of one segment file.
 * Source: "Expert Witness Compression Format specification" (libyal/libewf documentation), sections "File header",
 * "Section descriptor", "Volume", "Table", "Hash", "Digest", "Error2" and "EWF-X". All numbers are little-endian, all
 * checksums are Adler-32.
 *
 * Everything that comes from a file is hostile: parsers check each length and checksum and answer 1 for "damaged".
 */
#ifndef CO_E01_SECTION_H
#define CO_E01_SECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "hash/digest.h"

#define CO_E01_FILE_HEADER_SIZE 13
#define CO_E01_DESCRIPTOR_SIZE 76

/* File header: signature "EVF\t\r\n\xff\0", 1, segment number (2 bytes), 0 (2 bytes). 0, or 1: not such a header. */
int co_e01_file_header_parse(const uint8_t head[CO_E01_FILE_HEADER_SIZE], unsigned *ret_number);

struct co_e01_section {
	char type[17];
	uint64_t off;      /* of the descriptor in the file */
	uint64_t next;     /* of the descriptor behind; equal to off in "next" and "done" */
	uint64_t len;      /* bytes of content behind the descriptor, within the file */
	bool after_damage; /* the chain was broken before this section and was found again here */
};

/* Descriptor: type (16), offset of the next (8), size with the descriptor (8), padding (40), checksum (4). */
void co_e01_descriptor_put(uint8_t ret[CO_E01_DESCRIPTOR_SIZE], const char *type, uint64_t next, uint64_t size);

enum co_e01_end {
	CO_E01_END_NOT_YET,
	CO_E01_END_DONE,   /* last segment of the set */
	CO_E01_END_NEXT,   /* another segment follows */
	CO_E01_END_CUT,    /* the file is shorter than its sections say */
	CO_E01_END_BROKEN, /* a descriptor is damaged, and no valid one follows */
};

/* The walk. Borrows the descriptor. */
struct co_e01_chain {
	int fd;
	uint64_t size; /* of the file */
	uint64_t at;   /* where the next descriptor should be; where the chain ended */
	unsigned n;    /* sections so far */
	enum co_e01_end end;
};

/* Reads the file header. 0; 1: not an EWF file; < 0: can't be read. */
int co_e01_chain_open(struct co_e01_chain *c, int fd, unsigned *ret_number, struct co_err *err);
/* 0: *ret is the next section. 1: the chain has ended, c->end tells how. Section loops and backward offsets count as
 * damaged descriptors. With @search, a valid descriptor is looked for behind a damaged one. */
int co_e01_chain_next(struct co_e01_chain *c, bool search, struct co_e01_section *ret, struct co_err *err);

/* Reads exactly @len bytes. 0; 1: the file ends before (*err is not set); < 0: I/O error. */
int co_e01_pread(int fd, void *buf, size_t len, uint64_t off, struct co_err *err);
/* The content of a section, at most @max bytes of it; *ret is freed by the caller. */
int co_e01_section_read(const struct co_e01_chain *c, const struct co_e01_section *s, size_t max, uint8_t **ret,
			size_t *ret_len, struct co_err *err);

/* Sections "volume", "disk" and "data". */
struct co_e01_volume {
	uint8_t media_type, media_flags, compression;
	uint32_t n_chunks, sectors_per_chunk, sector_size;
	uint64_t sectors;
	uint8_t guid[16]; /* set identifier; all zero: none */
};
int co_e01_volume_parse(const uint8_t *bytes, size_t len, struct co_e01_volume *ret);
bool co_e01_guid_set(const uint8_t guid[16]);

/* Sections "hash" (MD5), "digest" (MD5, SHA-1; all zero: not there) and "xhash", "xheader" (zlib of XML). They add to
 * *ret what is not in it yet. 0, or 1: damaged. */
int co_e01_hash_parse(const uint8_t *bytes, size_t len, struct co_digests *ret);
int co_e01_digest_parse(const uint8_t *bytes, size_t len, struct co_digests *ret);
int co_e01_xml_digests_parse(const uint8_t *bytes, size_t len, struct co_digests *ret);

/* Inflates a zlib stream of unknown length, up to 32 MiB. 0 and a NUL behind the text; 1: damaged or too long;
 * < 0: CO_ERR_NOMEM. *ret is freed by the caller. */
int co_e01_inflate_text(const uint8_t *bytes, size_t len, uint8_t **ret, size_t *ret_len, struct co_err *err);

#endif
