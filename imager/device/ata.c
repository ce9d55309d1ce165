/* SPDX-License-Identifier: Apache-2.0 */
#include "device/ata.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/text.h"

#define LBA28_LIMIT (1ULL << 28)
#define LBA48_LIMIT (1ULL << 48)

static uint16_t word(const uint8_t *block, unsigned n)
{
	return co_le16(block + 2 * (size_t)n);
}

static bool bit(const uint8_t *block, unsigned n, unsigned b)
{
	return word(block, n) >> b & 1;
}

/* Words of flags whose bits 15:14 are not 01b hold no flags. */
static bool flags_valid(uint16_t w)
{
	return w >> 14 == 1;
}

/* The first character of a pair is the upper byte of its word. */
static void text(const uint8_t *block, unsigned first, unsigned words, char *ret)
{
	size_t from = 0, to = 2 * (size_t)words;
	char s[40];

	for (size_t i = 0; i < to; i++)
		s[i] = (char)block[2 * (size_t)first + (i ^ 1)];
	to = strnlen(s, to);
	while (from < to && s[from] == ' ')
		from++;
	while (to > from && s[to - 1] == ' ')
		to--;
	memcpy(ret, s + from, to - from);
	ret[to - from] = '\0';
}

/* Of IDENTIFY data and of the overlay: with the signature A5h, all bytes add up to 0. */
static bool has_checksum(const uint8_t *block)
{
	return block[510] == 0xa5;
}

static bool checksum_good(const uint8_t *block)
{
	uint8_t sum = 0;

	for (size_t i = 0; i < IM_ATA_BLOCK; i++)
		sum = (uint8_t)(sum + block[i]);
	return sum == 0;
}

static bool all_the_same(const uint8_t *block)
{
	return memcmp(block, block + 1, IM_ATA_BLOCK - 1) == 0;
}

static int parse_sectors(struct im_ata_identity *id, const uint8_t *block, struct co_err *err)
{
	uint16_t sizes = word(block, 106);
	uint64_t words = 256;
	unsigned exponent = 0;

	if (flags_valid(sizes) && sizes >> 12 & 1)
		words = co_le32(block + 2 * 117);
	if (flags_valid(sizes) && sizes >> 13 & 1)
		exponent = sizes & 15;
	if (words < 256 || words > 1 << 20 || (words & (words - 1)) != 0)
		return co_err_set(err, CO_ERR_FORMAT, 0, "IDENTIFY DEVICE states sectors of %" PRIu64 " words", words);
	id->logical_sector = (uint32_t)(2 * words);
	id->physical_sector = id->logical_sector << exponent >> exponent == id->logical_sector
				      ? id->logical_sector << exponent
				      : id->logical_sector;
	id->sectors28 = co_le32(block + 2 * 60);
	if (id->lba48)
		id->sectors48 = co_le64(block + 2 * 100);
	if (id->lba48 && bit(block, 69, 3) && co_le64(block + 2 * 230) != 0)
		id->sectors48 = co_le64(block + 2 * 230);
	id->sectors = id->sectors48 ? id->sectors48 : id->sectors28;
	if (id->sectors28 > LBA28_LIMIT || id->sectors48 > LBA48_LIMIT)
		return co_err_set(err, CO_ERR_FORMAT, 0,
				  "IDENTIFY DEVICE states %" PRIu64 " sectors: more than addresses",
				  co_max_u64(id->sectors28, id->sectors48));
	return 0;
}

static void parse_features(struct im_ata_identity *id, const uint8_t *block)
{
	bool enabled = flags_valid(word(block, 87));

	id->sets_reported = flags_valid(word(block, 83));
	if (id->sets_reported) {
		id->smart = bit(block, 82, 0);
		id->hpa = bit(block, 82, 10);
		id->lba48 = bit(block, 83, 10);
		id->dco = bit(block, 83, 11);
	}
	if (enabled) {
		id->smart_enabled = bit(block, 85, 0);
		id->hpa_enabled = bit(block, 85, 10);
		if (bit(block, 87, 8))
			for (unsigned i = 0; i < 4; i++)
				id->wwn = id->wwn << 16 | word(block, 108 + i);
		if (bit(block, 86, 15) && flags_valid(word(block, 119)))
			id->ama = bit(block, 119, 8);
	}
	id->trim = bit(block, 169, 0);
	id->security = bit(block, 128, 0);
	if (id->security) {
		id->security_enabled = bit(block, 128, 1);
		id->security_locked = bit(block, 128, 2);
		id->security_frozen = bit(block, 128, 3);
	}
}

static void parse_build(struct im_ata_identity *id, const uint8_t *block)
{
	uint16_t rate = word(block, 217), transport = word(block, 222);

	if (rate == 1 || (rate > 0x400 && rate < 0xffff)) {
		id->rotation_known = true;
		id->rpm = rate == 1 ? 0 : rate;
	}
	id->transport = "";
	if (transport == 0 || transport == 0xffff)
		return;
	switch (transport >> 12) {
	case 0:
		id->transport = "parallel";
		break;
	case 1:
		id->transport = "serial";
		break;
	case 14:
		id->transport = "PCIe";
		break;
	default:
		break;
	}
}

int im_ata_parse_identify(struct im_ata_identity *ret, const uint8_t block[IM_ATA_BLOCK], struct co_err *err)
{
	struct im_ata_identity id = { 0 };
	int r;

	if (all_the_same(block))
		return co_err_set(err, CO_ERR_FORMAT, 0, "IDENTIFY DEVICE gave 512 times the byte %02xh", block[0]);
	/* 848Ah and 044Ah are CompactFlash cards (CFA); else bit 15 marks a packet device. */
	if (bit(block, 0, 15) && word(block, 0) != 0x848a)
		return co_err_set(err, CO_ERR_FORMAT, 0, "IDENTIFY DEVICE: word 0 is %04xh, which is no ATA disk",
				  word(block, 0));
	text(block, 10, 10, id.serial);
	text(block, 23, 4, id.firmware);
	text(block, 27, 20, id.model);
	parse_features(&id, block);
	parse_build(&id, block);
	r = parse_sectors(&id, block, err);
	if (r < 0)
		return r;
	id.checksum = has_checksum(block);
	*ret = id;
	return id.checksum && !checksum_good(block) ? 1 : 0;
}

int im_ata_parse_sense(struct im_ata_registers *ret, const uint8_t *sense, size_t len, struct co_err *err)
{
	size_t end;

	if (len < 8 || ((sense[0] & 0x7f) != 0x72 && (sense[0] & 0x7f) != 0x73))
		return co_err_set(err, CO_ERR_FORMAT, 0, "the answer has no sense data with descriptors");
	end = co_min_u64(len, 8 + (size_t)sense[7]);
	for (size_t at = 8; co_in_range(at, 2, end); at += 2 + (size_t)sense[at + 1]) {
		const uint8_t *d = sense + at;
		struct im_ata_registers r;

		if (d[0] != 0x09 || d[1] != 12 || !co_in_range(at, 14, end))
			continue;
		r = (struct im_ata_registers) { .ext = d[2] & 1, .error = d[3], .device = d[12], .status = d[13] };
		r.lba = (uint64_t)d[7] | (uint64_t)d[9] << 8 | (uint64_t)d[11] << 16;
		if (r.ext)
			r.lba |= (uint64_t)d[6] << 24 | (uint64_t)d[8] << 32 | (uint64_t)d[10] << 40;
		else
			r.lba |= (uint64_t)(d[12] & 15) << 24;
		*ret = r;
		return 0;
	}
	return co_err_set(err, CO_ERR_FORMAT, 0, "the answer has no ATA status descriptor");
}

int im_ata_parse_native(uint64_t *ret_sectors, const struct im_ata_registers *answer, bool ext, struct co_err *err)
{
	if (answer->status & 0x21) /* device fault, error */
		return co_err_set(err, CO_ERR_FAILED, 0, "the drive refused the command (status %02xh, error %02xh)",
				  answer->status, answer->error);
	if (ext && !answer->ext)
		return co_err_set(err, CO_ERR_FORMAT, 0, "the answer holds only 28 of 48 bits");
	if (answer->lba == 0)
		return co_err_set(err, CO_ERR_FORMAT, 0, "the drive names sector 0 as its last");
	*ret_sectors = answer->lba + 1;
	return 0;
}

int im_ata_parse_dco(uint64_t *ret_sectors, const uint8_t block[IM_ATA_BLOCK], struct co_err *err)
{
	uint64_t last = co_le64(block + 2 * 3);

	if (all_the_same(block))
		return co_err_set(err, CO_ERR_FORMAT, 0, "the overlay is 512 times the byte %02xh", block[0]);
	if (!has_checksum(block) || !checksum_good(block))
		return co_err_set(err, CO_ERR_FORMAT, 0, "the checksum of the overlay is wrong");
	if (last == 0 || last >= LBA48_LIMIT)
		return co_err_set(err, CO_ERR_FORMAT, 0, "the overlay names sector %" PRIu64 " as the last", last);
	*ret_sectors = last + 1;
	return 0;
}

static void say_hidden(struct im_hidden *h, uint64_t sectors, uint32_t sector_bytes, const char *by)
{
	char size[16];
	uint64_t bytes;

	co_size_text(co_mul(sectors, sector_bytes, &bytes) ? bytes : UINT64_MAX, size);
	im_hidden_say(h, "%" PRIu64 " sectors (%s) at the end of the drive are hidden by %s and were not read", sectors,
		      size, by);
}

/* What the drive shows against what it has when its max address is reset. *ret_native: the latter, or its best guess.
 */
static void compare_native(struct im_hidden *h, const struct im_ata *ata, uint64_t *ret_native)
{
	const struct im_ata_identity *id = &ata->identity;
	const char *by = id->ama ? "its accessible max address" : "a host protected area";

	*ret_native = id->sectors;
	if (!ata->native_asked && id->sets_reported) {
		h->hpa_known = true;
	} else if (!ata->native_asked) {
		im_hidden_say(h, "host protected area unknown: the drive does not report its command sets");
	} else if (!ata->native.known) {
		im_hidden_say(h, "host protected area unknown: %s", ata->native.why);
	} else if (ata->native.sectors < id->sectors) {
		im_hidden_say(h,
			      "host protected area unknown: the drive shows %" PRIu64
			      " sectors and says that it has %" PRIu64,
			      id->sectors, ata->native.sectors);
	} else {
		h->hpa_known = true;
		h->hpa_sectors = ata->native.sectors - id->sectors;
		*ret_native = ata->native.sectors;
		if (h->hpa_sectors)
			say_hidden(h, h->hpa_sectors, id->logical_sector, by);
	}
}

static void compare_dco(struct im_hidden *h, const struct im_ata *ata, uint64_t native)
{
	const struct im_ata_identity *id = &ata->identity;

	if (!id->dco && !ata->dco.known) {
		h->dco_known = id->sets_reported;
		return;
	}
	if (!ata->dco.known) {
		im_hidden_say(h, "device configuration overlay unknown: %s", ata->dco.why);
	} else if (!h->hpa_known) {
		im_hidden_say(h, "device configuration overlay: the drive could show up to %" PRIu64 " sectors",
			      ata->dco.sectors);
	} else if (ata->dco.sectors < native) {
		im_hidden_say(h,
			      "device configuration overlay unknown: it allows %" PRIu64 " sectors of %" PRIu64
			      " that are there",
			      ata->dco.sectors, native);
	} else {
		h->dco_known = true;
		h->dco_sectors = ata->dco.sectors - native;
		if (h->dco_sectors)
			say_hidden(h, h->dco_sectors, id->logical_sector, "a device configuration overlay");
	}
}

/* Is what the kernel sees what the drive shows? */
static enum im_hidden_state compare_visible(struct im_hidden *h, const struct im_ata_identity *id, uint64_t visible)
{
	uint64_t reported;

	if (visible == 0 || !co_mul(id->sectors, id->logical_sector, &reported)) {
		im_hidden_say(h, "the size that the kernel sees is unknown");
		return IM_HIDDEN_UNKNOWN;
	}
	if (visible == reported)
		return IM_HIDDEN_NONE;
	im_hidden_say(h, "the kernel sees %" PRIu64 " bytes, the drive states %" PRIu64, visible, reported);
	return visible < reported ? IM_HIDDEN_UNSEEN : IM_HIDDEN_UNKNOWN;
}

void im_ata_compare(struct im_hidden *ret, const struct im_ata *ata, uint64_t visible)
{
	const struct im_ata_identity *id = &ata->identity;
	struct im_hidden h = { 0 };
	enum im_hidden_state rest;
	uint64_t native;

	if (!ata->known || id->sectors == 0) {
		im_hidden_unknown(ret, "%s", !ata->known ? ata->why : "the drive states no number of sectors");
		return;
	}
	h.reported_sectors = id->sectors;
	h.visible_sectors = visible / id->logical_sector;
	compare_native(&h, ata, &native);
	compare_dco(&h, ata, native);
	rest = compare_visible(&h, id, visible);
	if (h.hpa_sectors && h.dco_sectors)
		h.state = IM_HIDDEN_HPA_AND_DCO;
	else if (h.hpa_sectors)
		h.state = IM_HIDDEN_HPA;
	else if (h.dco_sectors)
		h.state = IM_HIDDEN_DCO;
	else if (rest != IM_HIDDEN_NONE)
		h.state = rest;
	else
		h.state = h.hpa_known && h.dco_known ? IM_HIDDEN_NONE : IM_HIDDEN_UNKNOWN;
	if (h.state == IM_HIDDEN_NONE)
		im_hidden_say(&h, "none: the drive shows all of its %" PRIu64 " sectors", id->sectors);
	*ret = h;
}
