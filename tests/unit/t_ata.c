/* SPDX-License-Identifier: Apache-2.0 */
#include "device/ata.h"

#include <fcntl.h>

#include "base/bytes.h"
#include "device/identity.h"
#include "device/probe.h"
#include "fixture.h"
#include "folder.h"
#include "suites.h"

#define DISK_SECTORS 3907029168ULL

static struct im_ata_identity parse(const char *name)
{
	uint8_t block[IM_ATA_BLOCK];
	struct im_ata_identity id;
	struct co_err err = CO_ERR_INIT;

	fixture_read(name, block, sizeof block);
	ck_assert_msg(im_ata_parse_identify(&id, block, &err) == 0, "%s: %s", name, err.msg);
	return id;
}

START_TEST(a_hard_disk_tells_who_it_is)
{
	struct im_ata_identity id = parse("ata-plain.txt");

	ck_assert_str_eq(id.serial, "XT2000-0001");
	ck_assert_str_eq(id.firmware, "EX01");
	ck_assert_str_eq(id.model, "EXHIBIT TEST DISK 2000");
	ck_assert_uint_eq(id.wwn, 0x5000c50012345678);
	ck_assert_uint_eq(id.sectors28, 268435455);
	ck_assert_uint_eq(id.sectors48, DISK_SECTORS);
	ck_assert_uint_eq(id.sectors, DISK_SECTORS);
	ck_assert_uint_eq(id.logical_sector, 512);
	ck_assert_uint_eq(id.physical_sector, 4096);
	ck_assert(id.sets_reported && id.lba48 && id.hpa && id.hpa_enabled && id.dco && id.smart && id.smart_enabled);
	ck_assert(!id.ama && !id.trim);
	ck_assert(id.security && id.security_frozen && !id.security_enabled && !id.security_locked);
	ck_assert(id.rotation_known && id.checksum);
	ck_assert_uint_eq(id.rpm, 7200);
	ck_assert_str_eq(id.transport, "serial");
}
END_TEST

START_TEST(an_old_disk_has_28_bits_and_no_checksum)
{
	struct im_ata_identity id = parse("ata-old.txt");

	ck_assert_str_eq(id.serial, "OLD-77");
	ck_assert_uint_eq(id.sectors, 39062500);
	ck_assert_uint_eq(id.sectors48, 0);
	ck_assert_uint_eq(id.logical_sector, 512);
	ck_assert_uint_eq(id.physical_sector, 512);
	ck_assert_uint_eq(id.wwn, 0);
	ck_assert(id.hpa && !id.dco && !id.lba48 && !id.checksum && !id.rotation_known && !id.security);
	ck_assert_str_eq(id.transport, "");
}
END_TEST

START_TEST(sectors_of_4096_bytes_and_the_accessible_max_address)
{
	struct im_ata_identity id = parse("ata-4kn.txt");

	ck_assert_uint_eq(id.logical_sector, 4096);
	ck_assert_uint_eq(id.physical_sector, 4096);
	ck_assert_uint_eq(id.sectors, 1953506646);
	ck_assert(id.ama && !id.hpa && !id.dco);
	ck_assert_uint_eq(id.rpm, 5400);
}
END_TEST

START_TEST(an_ssd_has_trim_and_does_not_rotate)
{
	struct im_ata_identity id = parse("ata-ssd.txt");

	ck_assert(id.trim && id.rotation_known && id.security_enabled && id.security_locked && !id.security_frozen);
	ck_assert_uint_eq(id.rpm, 0);
	ck_assert(!id.hpa && !id.dco && !id.ama);
}
END_TEST

START_TEST(what_is_no_identity_is_refused)
{
	uint8_t block[IM_ATA_BLOCK];
	struct im_ata_identity id;
	struct co_err err = CO_ERR_INIT;

	memset(block, 0, sizeof block);
	ck_assert_int_eq(im_ata_parse_identify(&id, block, &err), CO_ERR_FORMAT);
	memset(block, 0xff, sizeof block);
	ck_assert_int_eq(im_ata_parse_identify(&id, block, &err), CO_ERR_FORMAT);
	fixture_read("ata-plain.txt", block, sizeof block);
	fixture_line(block, sizeof block, "word 0 85c0"); /* an optical drive */
	ck_assert_int_eq(im_ata_parse_identify(&id, block, &err), CO_ERR_FORMAT);
	fixture_read("ata-4kn.txt", block, sizeof block);
	fixture_line(block, sizeof block, "number 234 4 3000"); /* sectors of 6000 bytes */
	ck_assert_int_eq(im_ata_parse_identify(&id, block, &err), CO_ERR_FORMAT);
	fixture_line(block, sizeof block, "number 234 4 0");
	ck_assert_int_eq(im_ata_parse_identify(&id, block, &err), CO_ERR_FORMAT);
	fixture_read("ata-plain.txt", block, sizeof block);
	fixture_line(block, sizeof block, "number 200 8 281474976710657"); /* 2^48 + 1 */
	ck_assert_int_eq(im_ata_parse_identify(&id, block, &err), CO_ERR_FORMAT);
}
END_TEST

START_TEST(a_wrong_checksum_is_told_for_each_byte)
{
	uint8_t block[IM_ATA_BLOCK];
	struct im_ata_identity id;
	struct co_err err = CO_ERR_INIT;

	for (unsigned i = 20; i < 94; i++) { /* the texts */
		fixture_read("ata-plain.txt", block, sizeof block);
		block[i] ^= 0x20;
		ck_assert_int_eq(im_ata_parse_identify(&id, block, &err), 1);
	}
}
END_TEST

/* Any bytes: no crash, and texts that end. */
START_TEST(hostile_blocks_are_survived)
{
	uint8_t block[IM_ATA_BLOCK];
	uint32_t x = 12345;

	for (int round = 0; round < 20000; round++) {
		struct im_ata ata = { .known = true, .native_asked = true };
		struct im_ata_registers regs;
		struct im_hidden h;
		struct co_err err = CO_ERR_INIT;

		for (size_t i = 0; i < sizeof block; i++) {
			x = x * 1664525 + 1013904223;
			block[i] = (uint8_t)(x >> 24);
		}
		block[1] &= 0x7f;
		block[213] = (uint8_t)(0x40 | (block[213] & 0x2f)); /* word 106: mostly believable */
		if (im_ata_parse_identify(&ata.identity, block, &err) >= 0) {
			ck_assert_uint_le(strlen(ata.identity.model), 40);
			ata.native = (struct im_ata_size) { .known = true, .sectors = co_le64(block) };
			ata.dco = (struct im_ata_size) { .known = true, .sectors = co_le64(block + 8) };
			im_ata_compare(&h, &ata, co_le64(block + 16));
			ck_assert_uint_lt(strlen(h.sentence), sizeof h.sentence);
			ck_assert_uint_gt(strlen(h.sentence), 0);
		}
		block[0] = 0x72;
		(void)im_ata_parse_sense(&regs, block, block[9] % 70U, &err);
	}
}
END_TEST

/* Sense data as SAT-3 gives it after a native max address command: @lba in the registers. */
static size_t make_sense(uint8_t sense[IM_ATA_SENSE], bool ext, uint8_t status, uint8_t error, uint64_t lba)
{
	uint8_t *d = sense + 8;

	memset(sense, 0, IM_ATA_SENSE);
	sense[0] = 0x72;
	sense[1] = 1;
	sense[3] = 0x1d;
	sense[7] = 14;
	d[0] = 9;
	d[1] = 12;
	d[2] = ext;
	d[3] = error;
	d[6] = (uint8_t)(ext ? lba >> 24 : 0);
	d[7] = (uint8_t)lba;
	d[8] = (uint8_t)(lba >> 32);
	d[9] = (uint8_t)(lba >> 8);
	d[10] = (uint8_t)(lba >> 40);
	d[11] = (uint8_t)(lba >> 16);
	d[12] = (uint8_t)(0x40 | (ext ? 0 : lba >> 24 & 15));
	d[13] = status;
	return 22;
}

START_TEST(the_native_size_comes_from_the_registers)
{
	uint8_t sense[IM_ATA_SENSE];
	struct im_ata_registers regs;
	struct co_err err = CO_ERR_INIT;
	uint64_t sectors = 7;
	size_t n = make_sense(sense, true, 0x50, 0, 0x123456789abcULL);

	ck_assert_int_eq(im_ata_parse_sense(&regs, sense, n, &err), 0);
	ck_assert_uint_eq(regs.lba, 0x123456789abcULL);
	ck_assert_int_eq(im_ata_parse_native(&sectors, &regs, true, &err), 0);
	ck_assert_uint_eq(sectors, 0x123456789abdULL);
	n = make_sense(sense, false, 0x50, 0, 0xabcdef1);
	ck_assert_int_eq(im_ata_parse_sense(&regs, sense, n, &err), 0);
	ck_assert_int_eq(im_ata_parse_native(&sectors, &regs, false, &err), 0);
	ck_assert_uint_eq(sectors, 0xabcdef2);
	ck_assert_int_eq(im_ata_parse_native(&sectors, &regs, true, &err), CO_ERR_FORMAT); /* half of the address */
	n = make_sense(sense, true, 0x51, 4, 5);
	ck_assert_int_eq(im_ata_parse_sense(&regs, sense, n, &err), 0);
	ck_assert_int_eq(im_ata_parse_native(&sectors, &regs, true, &err), CO_ERR_FAILED);
	ck_assert_ptr_nonnull(strstr(err.msg, "error 04h"));
	ck_assert_uint_eq(sectors, 0xabcdef2);
	for (size_t cut = 0; cut < n; cut++)
		ck_assert_int_eq(im_ata_parse_sense(&regs, sense, cut, &err), CO_ERR_FORMAT);
	sense[0] = 0x70; /* fixed format */
	ck_assert_int_eq(im_ata_parse_sense(&regs, sense, n, &err), CO_ERR_FORMAT);
}
END_TEST

START_TEST(the_overlay_is_believed_only_with_its_checksum)
{
	uint8_t block[IM_ATA_BLOCK];
	struct co_err err = CO_ERR_INIT;
	uint64_t sectors = 0;

	fixture_read("ata-dco.txt", block, sizeof block);
	ck_assert_int_eq(im_ata_parse_dco(&sectors, block, &err), 0);
	ck_assert_uint_eq(sectors, DISK_SECTORS);
	block[6]++;
	ck_assert_int_eq(im_ata_parse_dco(&sectors, block, &err), CO_ERR_FORMAT);
	memset(block, 0, sizeof block);
	ck_assert_int_eq(im_ata_parse_dco(&sectors, block, &err), CO_ERR_FORMAT);
	memset(block, 0xff, sizeof block);
	ck_assert_int_eq(im_ata_parse_dco(&sectors, block, &err), CO_ERR_FORMAT);
	fixture_line(block, sizeof block, "number 6 8 281474976710656");
	fixture_sum(block);
	ck_assert_int_eq(im_ata_parse_dco(&sectors, block, &err), CO_ERR_FORMAT);
}
END_TEST

/* A drive of the test: answers from a fixture, with its sizes. */
struct drive {
	const char *identify;
	uint64_t native_last, dco_last; /* 0: the command is aborted */
	bool no_ata;
	uint8_t sent[16];
	uint16_t feature[16];
	unsigned n;
};

static int drive_send(void *self, const uint8_t cdb[16], uint8_t *data, size_t len, uint8_t *ret_status, uint8_t *sense,
		      size_t *ret_sense, struct co_err *err)
{
	struct drive *d = self;

	(void)err;
	ck_assert_uint_lt(d->n, 16);
	ck_assert_uint_eq(cdb[0], 0x85);
	d->feature[d->n] = (uint16_t)(cdb[3] << 8 | cdb[4]);
	d->sent[d->n++] = cdb[14];
	ck_assert_uint_eq(cdb[1] >> 1, len ? 4 : 3); /* PIO in, or no data: never a protocol that sends data */
	ck_assert_uint_eq(cdb[2], len ? 0x0e : 0x20);
	ck_assert_uint_eq(len, cdb[14] == 0xec || cdb[14] == 0xb1 ? 512 : 0);
	if (d->no_ata) {
		memset(sense, 0, IM_ATA_SENSE);
		sense[0] = 0x70;
		sense[2] = 5;
		*ret_sense = 18;
		*ret_status = 2;
		return 0;
	}
	*ret_status = 0;
	if (cdb[14] == 0xec) {
		fixture_read(d->identify, data, len);
	} else if (cdb[14] == 0xb1 && d->dco_last) {
		fixture_read("ata-dco.txt", data, len);
		for (unsigned i = 0; i < 8; i++)
			data[6 + i] = (uint8_t)(d->dco_last >> 8 * i);
		fixture_sum(data);
	} else if (cdb[14] == 0xb1 || !d->native_last) {
		*ret_sense = make_sense(sense, false, 0x51, 4, 0);
		*ret_status = 2;
	} else {
		*ret_sense = make_sense(sense, cdb[1] & 1, 0x50, 0, d->native_last);
		*ret_status = 2;
	}
	return 0;
}

static struct im_hidden ask(struct drive *d, uint64_t visible)
{
	const struct im_ata_port port = { drive_send, d };
	struct im_ata ata;
	struct im_hidden h;

	im_ata_query_port(&ata, &port);
	im_ata_compare(&h, &ata, visible);
	return h;
}

START_TEST(nothing_hidden_is_said_only_when_both_answers_are_there)
{
	struct drive d = { .identify = "ata-plain.txt", .native_last = DISK_SECTORS - 1, .dco_last = DISK_SECTORS - 1 };
	struct im_hidden h = ask(&d, DISK_SECTORS * 512);

	ck_assert_str_eq(h.sentence, "none: the drive shows all of its 3907029168 sectors");
	ck_assert_int_eq(h.state, IM_HIDDEN_NONE);
	ck_assert_uint_eq(d.n, 3);
	ck_assert_uint_eq(d.sent[1], 0x27);
	ck_assert_uint_eq(d.sent[2], 0xb1);
	ck_assert_uint_eq(d.feature[2], 0xc2);
	d = (struct drive) { .identify = "ata-plain.txt", .native_last = DISK_SECTORS - 1 };
	h = ask(&d, DISK_SECTORS * 512);
	ck_assert_int_eq(h.state, IM_HIDDEN_UNKNOWN);
	ck_assert(h.hpa_known && !h.dco_known);
	ck_assert_ptr_nonnull(strstr(h.sentence, "overlay unknown: the drive refused DEVICE CONFIGURATION IDENTIFY"));
	d = (struct drive) { .identify = "ata-plain.txt", .dco_last = DISK_SECTORS - 1 };
	h = ask(&d, DISK_SECTORS * 512);
	ck_assert_int_eq(h.state, IM_HIDDEN_UNKNOWN);
	ck_assert(!h.hpa_known && !h.dco_known);
	d = (struct drive) { .identify = "ata-ssd.txt" };
	h = ask(&d, 1000215216ULL * 512);
	ck_assert_int_eq(h.state, IM_HIDDEN_NONE);
	ck_assert_uint_eq(d.n, 1);
}
END_TEST

START_TEST(a_host_protected_area_is_counted)
{
	struct drive d = { .identify = "ata-hpa.txt", .native_last = DISK_SECTORS - 1, .dco_last = DISK_SECTORS - 1 };
	struct im_hidden h = ask(&d, 3900000000ULL * 512);

	ck_assert_int_eq(h.state, IM_HIDDEN_HPA);
	ck_assert_uint_eq(h.hpa_sectors, 7029168);
	ck_assert(h.dco_known);
	ck_assert_uint_eq(h.dco_sectors, 0);
	ck_assert_str_eq(h.sentence, "7029168 sectors (3.60 GB) at the end of the drive are hidden by a host protected "
				     "area and were not read");
}
END_TEST

START_TEST(an_overlay_is_counted_alone_and_with_an_area)
{
	struct drive d = { .identify = "ata-hpa.txt", .native_last = 3900000000 - 1, .dco_last = DISK_SECTORS - 1 };
	struct im_hidden h = ask(&d, 3900000000ULL * 512);

	ck_assert_int_eq(h.state, IM_HIDDEN_DCO);
	ck_assert_uint_eq(h.hpa_sectors, 0);
	ck_assert_uint_eq(h.dco_sectors, 7029168);
	d.native_last = 3900000100 - 1;
	d.n = 0;
	h = ask(&d, 3900000000ULL * 512);
	ck_assert_int_eq(h.state, IM_HIDDEN_HPA_AND_DCO);
	ck_assert_uint_eq(h.hpa_sectors, 100);
	ck_assert_uint_eq(h.dco_sectors, 7029068);
}
END_TEST

START_TEST(old_and_new_drives_are_asked_in_their_own_way)
{
	struct drive d = { .identify = "ata-old.txt", .native_last = 40000000 - 1 };
	struct im_hidden h = ask(&d, 39062500ULL * 512);

	ck_assert_uint_eq(d.n, 2);
	ck_assert_uint_eq(d.sent[1], 0xf8);
	ck_assert_int_eq(h.state, IM_HIDDEN_HPA);
	ck_assert_uint_eq(h.hpa_sectors, 937500);
	d = (struct drive) { .identify = "ata-4kn.txt", .native_last = 1953506646 + 9 };
	h = ask(&d, 1953506646ULL * 4096);
	ck_assert_uint_eq(d.n, 2);
	ck_assert_uint_eq(d.sent[1], 0x78);
	ck_assert_uint_eq(d.feature[1], 0);
	ck_assert_int_eq(h.state, IM_HIDDEN_HPA);
	ck_assert_uint_eq(h.hpa_sectors, 10);
	ck_assert_ptr_nonnull(strstr(h.sentence, "(41.0 kB)"));
	ck_assert_ptr_nonnull(strstr(h.sentence, "accessible max address"));
}
END_TEST

START_TEST(contradictions_are_unknown)
{
	struct drive d = { .identify = "ata-plain.txt", .native_last = 99, .dco_last = DISK_SECTORS - 1 };
	struct im_hidden h = ask(&d, DISK_SECTORS * 512);

	ck_assert_int_eq(h.state, IM_HIDDEN_UNKNOWN);
	ck_assert(!h.hpa_known);
	d = (struct drive) { .identify = "ata-plain.txt", .native_last = DISK_SECTORS - 1, .dco_last = 99 };
	h = ask(&d, DISK_SECTORS * 512);
	ck_assert_int_eq(h.state, IM_HIDDEN_UNKNOWN);
	ck_assert(!h.dco_known);
	d = (struct drive) { .identify = "ata-plain.txt",
			     .native_last = DISK_SECTORS - 1,
			     .dco_last = DISK_SECTORS - 1 };
	h = ask(&d, (DISK_SECTORS - 8) * 512); /* a bridge that keeps eight sectors for itself */
	ck_assert_int_eq(h.state, IM_HIDDEN_UNSEEN);
	ck_assert_uint_eq(h.visible_sectors, DISK_SECTORS - 8);
	d.n = 0;
	h = ask(&d, (DISK_SECTORS + 8) * 512);
	ck_assert_int_eq(h.state, IM_HIDDEN_UNKNOWN);
	d.n = 0;
	h = ask(&d, 0);
	ck_assert_int_eq(h.state, IM_HIDDEN_UNKNOWN);
	d = (struct drive) { .no_ata = true };
	h = ask(&d, 4096);
	ck_assert_str_eq(h.sentence, "unknown: the device takes no ATA commands (illegal request)");
}
END_TEST

START_TEST(only_the_five_commands_that_read_are_sent)
{
	struct drive d = { .identify = "ata-plain.txt", .native_last = 5 };
	const struct im_ata_port port = { drive_send, &d };
	unsigned allowed = 0;

	for (unsigned command = 0; command < 256; command++) {
		for (unsigned feature = 0; feature < 65536; feature++) {
			bool reads = (feature == 0 &&
				      (command == 0xec || command == 0xf8 || command == 0x27 || command == 0x78)) ||
				     (command == 0xb1 && feature == 0xc2);

			if (im_ata_allowed((uint8_t)command, (uint16_t)feature) != reads)
				ck_abort_msg("command %02x feature %04x", command, feature);
			allowed += reads;
		}
	}
	ck_assert_uint_eq(allowed, 5);
	/* SET MAX ADDRESS (EXT), SET ACCESSIBLE MAX, DCO restore, freeze lock, set, a write, SECURITY ERASE UNIT */
	static const uint16_t others[][2] = { { 0xf9, 0 },    { 0x37, 0 },    { 0x78, 1 }, { 0xb1, 0xc0 },
					      { 0xb1, 0xc1 }, { 0xb1, 0xc3 }, { 0x35, 0 }, { 0xf4, 0 } };
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
		uint8_t block[IM_ATA_BLOCK];
		struct im_ata_registers regs;
		struct co_err err = CO_ERR_INIT;

		ck_assert_int_eq(im_ata_send(&port, (uint8_t)others[i][0], others[i][1], block, &regs, &err),
				 CO_ERR_USAGE);
	}
	ck_assert_uint_eq(d.n, 0);
}
END_TEST

START_TEST(devices_without_ata_give_a_reason)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	struct im_ata ata;
	struct im_hidden h;

	ck_assert_int_ge(fd, 0);
	im_ata_query(&ata, fd);
	close(fd);
	ck_assert(!ata.known);
	im_ata_compare(&h, &ata, 512);
	ck_assert_int_eq(h.state, IM_HIDDEN_UNKNOWN);
	ck_assert_str_eq(h.sentence, "unknown: the device takes no SCSI or ATA commands");
}
END_TEST

START_TEST(each_kind_of_source_gets_a_sentence)
{
	struct im_device d = { .kind = IM_KIND_FILE };
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	im_device_probe_hidden(&d, fd);
	ck_assert_int_eq(d.hidden.state, IM_HIDDEN_NONE);
	ck_assert_str_eq(d.hidden.sentence, "none: the source is a file");
	d = (struct im_device) { .kind = IM_KIND_DISK, .disk = "sdx" };
	im_device_probe_hidden(&d, fd);
	ck_assert_str_eq(d.hidden.sentence, "unknown: the device takes no SCSI or ATA commands");
	d = (struct im_device) { .kind = IM_KIND_DISK, .disk = "sdx", .removable = true, .transport = "usb" };
	im_device_probe_hidden(&d, fd);
	ck_assert_str_eq(d.hidden.sentence, "unknown: a removable medium behind USB is not asked");
	d = (struct im_device) { .kind = IM_KIND_DISK, .disk = "nvme0n1" };
	im_device_probe_hidden(&d, fd);
	ck_assert_ptr_nonnull(strstr(d.hidden.sentence, "unknown: the device has no NVMe namespace number"));
	close(fd);
	ck_assert(!d.drive.known);
}
END_TEST

START_TEST(the_page_that_the_kernel_kept_is_read)
{
	struct folder dir;
	struct im_drive drive = { 0 };
	uint8_t page[60 + IM_ATA_BLOCK] = { 0, 0x89, 2, 0x38 };

	folder_make(&dir);
	ck_assert_int_eq(mkdir(in_folder(&dir, "device"), 0700), 0);
	im_drive_read_kept(&drive, dir.name);
	ck_assert(!drive.known);
	fixture_read("ata-ssd.txt", page + 60, IM_ATA_BLOCK);
	folder_write(&dir, "device/vpd_pg89", page, sizeof page - 1);
	im_drive_read_kept(&drive, dir.name);
	ck_assert(!drive.known);
	folder_write(&dir, "device/vpd_pg89", page, sizeof page);
	im_drive_read_kept(&drive, dir.name);
	ck_assert(drive.known && drive.ata && drive.trim && drive.rotation_known);
	ck_assert_str_eq(drive.firmware, "SVT02");
	ck_assert_str_eq(drive.wwn, "5002538e12345681");
	folder_remove(&dir);
}
END_TEST

START_TEST(what_is_hidden_is_in_the_json_of_a_device)
{
	struct drive d = { .identify = "ata-hpa.txt", .native_last = DISK_SECTORS - 1 };
	struct im_device device = { .path = strdup("/dev/sdx") };
	struct co_str out = { 0 };
	struct co_err err = CO_ERR_INIT;
	struct co_json j;

	co_json_to_str(&j, &out, false);
	im_device_json(&j, NULL, &device);
	ck_assert_int_eq(co_json_end(&j, &err), 0);
	ck_assert_ptr_nonnull(strstr(co_str_get(&out), "\"sentence\":\"unknown: the drive was not asked\""));
	ck_assert_ptr_nonnull(strstr(co_str_get(&out), "\"hpa_sectors\":null"));
	co_str_clear(&out);
	device.hidden = ask(&d, 3900000000ULL * 512);
	co_json_to_str(&j, &out, false);
	im_device_json(&j, NULL, &device);
	ck_assert_int_eq(co_json_end(&j, &err), 0);
	ck_assert_ptr_nonnull(strstr(co_str_get(&out), "\"hidden_area\":{\"state\":\"hpa\""));
	ck_assert_ptr_nonnull(strstr(co_str_get(&out), "\"hpa_sectors\":7029168,\"dco_sectors\":null"));
	co_str_free(&out);
	im_device_free(&device);
}
END_TEST

Suite *t_ata_suite(void)
{
	Suite *s = suite_create("ata");
	TCase *t = tcase_create("identity");

	tcase_add_test(t, a_hard_disk_tells_who_it_is);
	tcase_add_test(t, an_old_disk_has_28_bits_and_no_checksum);
	tcase_add_test(t, sectors_of_4096_bytes_and_the_accessible_max_address);
	tcase_add_test(t, an_ssd_has_trim_and_does_not_rotate);
	tcase_add_test(t, what_is_no_identity_is_refused);
	tcase_add_test(t, a_wrong_checksum_is_told_for_each_byte);
	tcase_add_test(t, hostile_blocks_are_survived);
	tcase_add_test(t, the_native_size_comes_from_the_registers);
	tcase_add_test(t, the_overlay_is_believed_only_with_its_checksum);
	suite_add_tcase(s, t);
	t = tcase_create("hidden");
	tcase_add_test(t, nothing_hidden_is_said_only_when_both_answers_are_there);
	tcase_add_test(t, a_host_protected_area_is_counted);
	tcase_add_test(t, an_overlay_is_counted_alone_and_with_an_area);
	tcase_add_test(t, old_and_new_drives_are_asked_in_their_own_way);
	tcase_add_test(t, contradictions_are_unknown);
	tcase_add_test(t, only_the_five_commands_that_read_are_sent);
	tcase_add_test(t, devices_without_ata_give_a_reason);
	tcase_add_test(t, each_kind_of_source_gets_a_sentence);
	tcase_add_test(t, the_page_that_the_kernel_kept_is_read);
	tcase_add_test(t, what_is_hidden_is_in_the_json_of_a_device);
	suite_add_tcase(s, t);
	return s;
}
