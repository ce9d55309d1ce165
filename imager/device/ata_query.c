/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <scsi/sg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/bytes.h"
#include "device/ata.h"

enum {
	TIMEOUT_MS = 10000,
	CHECK_CONDITION = 2,
	SENSE_ILLEGAL_REQUEST = 5,
};

/* All that is ever sent. The features count: B1h and 78h have others that change the drive. */
static const struct command {
	uint8_t command;
	uint16_t feature;
	bool data, ext;
	const char *name;
} commands[] = {
	{ 0xec, 0x00, true, false, "IDENTIFY DEVICE" },
	{ 0xf8, 0x00, false, false, "READ NATIVE MAX ADDRESS" },
	{ 0x27, 0x00, false, true, "READ NATIVE MAX ADDRESS EXT" },
	{ 0x78, 0x00, false, true, "GET NATIVE MAX ADDRESS EXT" },
	{ 0xb1, 0xc2, true, false, "DEVICE CONFIGURATION IDENTIFY" },
};

static const struct command *find_command(uint8_t command, uint16_t feature)
{
	for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
		if (commands[i].command == command && commands[i].feature == feature)
			return &commands[i];
	return NULL;
}

bool im_ata_allowed(uint8_t command, uint16_t feature)
{
	return find_command(command, feature) != NULL;
}

/* SAT-3, ATA PASS-THROUGH (16). */
static void make_cdb(uint8_t cdb[16], const struct command *c)
{
	memset(cdb, 0, 16);
	cdb[0] = 0x85;
	cdb[1] = (uint8_t)((c->data ? 4 : 3) << 1 | c->ext); /* protocol PIO data-in or non-data; EXTEND */
	/* data: T_DIR from the device, BYT_BLOK and T_LENGTH: blocks, as the sector count says; else CK_COND: registers
	 */
	cdb[2] = c->data ? 0x0e : 0x20;
	cdb[4] = (uint8_t)c->feature;
	cdb[6] = c->data ? 1 : 0;
	cdb[13] = 0x40; /* device: LBA */
	cdb[14] = c->command;
}

static int refused(const struct command *c, const uint8_t *sense, size_t len, struct co_err *err)
{
	struct im_ata_registers regs;
	struct co_err ignored = CO_ERR_INIT;
	bool descriptors = len > 2 && (sense[0] & 0x7f) >= 0x72;
	unsigned key = descriptors ? sense[1] & 15U : len > 2 ? sense[2] & 15U : 0;

	if (im_ata_parse_sense(&regs, sense, len, &ignored) == 0)
		return co_err_set(err, CO_ERR_FAILED, 0, "the drive refused %s (status %02xh, error %02xh)", c->name,
				  regs.status, regs.error);
	if (key == SENSE_ILLEGAL_REQUEST)
		return co_err_set(err, CO_ERR_FAILED, 0, "the device takes no ATA commands (illegal request)");
	return co_err_set(err, CO_ERR_FAILED, 0, "%s failed (sense key %u)", c->name, key);
}

int im_ata_send(const struct im_ata_port *port, uint8_t command, uint16_t feature, uint8_t *data,
		struct im_ata_registers *ret, struct co_err *err)
{
	const struct command *c = find_command(command, feature);
	uint8_t cdb[16], sense[IM_ATA_SENSE] = { 0 }, status = 0;
	struct im_ata_registers regs;
	size_t n_sense = 0;
	int r;

	if (!c)
		return co_err_set(err, CO_ERR_USAGE, 0,
				  "ATA command %02xh with feature %02xh is not on the list of those that only read",
				  command, feature);
	make_cdb(cdb, c);
	r = port->send(port->self, cdb, data, c->data ? IM_ATA_BLOCK : 0, &status, sense, &n_sense, err);
	if (r < 0)
		return r;
	n_sense = co_min_u64(n_sense, sizeof sense);
	if (c->data)
		return status == 0 ? 0 : refused(c, sense, n_sense, err);
	if (status != 0 && status != CHECK_CONDITION)
		return co_err_set(err, CO_ERR_FAILED, 0, "%s failed (SCSI status %02xh)", c->name, status);
	/* CK_COND: the registers come as sense data also after success. */
	if (im_ata_parse_sense(&regs, sense, n_sense, err) < 0)
		return status ? refused(c, sense, n_sense, err) : co_err_wrap(err, "%s", c->name);
	*ret = regs;
	return 0;
}

static void ask_native(struct im_ata *ata, const struct im_ata_port *port)
{
	const struct im_ata_identity *id = &ata->identity;
	struct im_ata_registers answer = { 0 };
	struct co_err err = CO_ERR_INIT;
	bool ext = id->ama || id->lba48;
	int r = im_ata_send(port, id->ama ? 0x78 : ext ? 0x27 : 0xf8, 0, NULL, &answer, &err);

	if (r == 0)
		r = im_ata_parse_native(&ata->native.sectors, &answer, ext, &err);
	ata->native.known = r == 0;
	if (r < 0)
		snprintf(ata->native.why, sizeof ata->native.why, "%.150s", err.msg);
}

static void ask_dco(struct im_ata *ata, const struct im_ata_port *port)
{
	uint8_t block[IM_ATA_BLOCK] = { 0 };
	struct co_err err = CO_ERR_INIT;
	int r = im_ata_send(port, 0xb1, 0xc2, block, NULL, &err);

	if (r == 0)
		r = im_ata_parse_dco(&ata->dco.sectors, block, &err);
	ata->dco.known = r == 0;
	if (r < 0)
		snprintf(ata->dco.why, sizeof ata->dco.why, "%.150s", err.msg);
}

void im_ata_query_port(struct im_ata *ret, const struct im_ata_port *port)
{
	struct im_ata ata = { 0 };
	uint8_t block[IM_ATA_BLOCK] = { 0 };
	struct co_err err = CO_ERR_INIT;
	int r = im_ata_send(port, 0xec, 0, block, NULL, &err);

	if (r == 0)
		r = im_ata_parse_identify(&ata.identity, block, &err);
	ata.known = r == 0;
	if (r != 0)
		snprintf(ata.why, sizeof ata.why, "%.190s",
			 r > 0 ? "the checksum of the IDENTIFY DEVICE data is wrong" : err.msg);
	ata.native_asked = ata.known && (ata.identity.hpa || ata.identity.ama);
	if (ata.native_asked)
		ask_native(&ata, port);
	if (ata.known && ata.identity.dco)
		ask_dco(&ata, port);
	*ret = ata;
}

static int send_sg(void *self, const uint8_t cdb[16], uint8_t *data, size_t len, uint8_t *ret_status, uint8_t *sense,
		   size_t *ret_sense, struct co_err *err)
{
	uint8_t copy[16];
	struct sg_io_hdr h = {
		.interface_id = 'S',
		.dxfer_direction = len ? SG_DXFER_FROM_DEV : SG_DXFER_NONE,
		.cmd_len = sizeof copy,
		.cmdp = copy,
		.mx_sb_len = IM_ATA_SENSE,
		.sbp = sense,
		.dxfer_len = (unsigned)len,
		.dxferp = data,
		.timeout = TIMEOUT_MS,
	};

	memcpy(copy, cdb, sizeof copy);
	if (ioctl(*(const int *)self, SG_IO, &h) < 0) {
		if (errno == ENOTTY || errno == EINVAL)
			return co_err_set(err, CO_ERR_FAILED, 0, "the device takes no SCSI or ATA commands");
		return co_err_set(err, CO_ERR_FAILED, errno, "the kernel refused an ATA command");
	}
	if (h.host_status != 0)
		return co_err_set(err, CO_ERR_FAILED, 0, "an ATA command got lost (host status %u)", h.host_status);
	if (h.status == 0 && h.resid != 0 && len != 0)
		return co_err_set(err, CO_ERR_FAILED, 0, "the drive sent %d bytes too few", h.resid);
	*ret_status = h.status;
	*ret_sense = h.sb_len_wr;
	return 0;
}

void im_ata_query(struct im_ata *ret, int fd)
{
	const struct im_ata_port port = { .send = send_sg, .self = &fd };

	im_ata_query_port(ret, &port);
}
