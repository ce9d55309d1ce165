/* SPDX-License-Identifier: Apache-2.0 */
#include "device/nvme.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/nvme_ioctl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/bytes.h"
#include "base/text.h"

enum {
	ADMIN_IDENTIFY = 0x06,
	CNS_NAMESPACE = 0x00,
	CNS_CONTROLLER = 0x01,
	CNS_ACTIVE = 0x02,
	CNS_ALLOCATED = 0x10,
	TIMEOUT_MS = 10000,
};

static void text(const uint8_t *page, size_t at, size_t len, char *ret)
{
	const char *s = (const char *)page + at;
	size_t from = 0, to = strnlen(s, len);

	while (from < to && s[from] == ' ')
		from++;
	while (to > from && s[to - 1] == ' ')
		to--;
	memcpy(ret, s + from, to - from);
	ret[to - from] = '\0';
}

static uint64_t bytes128(const uint8_t *p)
{
	return co_le64(p + 8) ? UINT64_MAX : co_le64(p);
}

static bool all_the_same(const uint8_t *page)
{
	return memcmp(page, page + 1, IM_NVME_PAGE - 1) == 0;
}

int im_nvme_parse_controller(struct im_nvme_controller *ret, const uint8_t page[IM_NVME_PAGE], struct co_err *err)
{
	struct im_nvme_controller c = { 0 };

	if (all_the_same(page))
		return co_err_set(err, CO_ERR_FORMAT, 0, "Identify Controller gave 4096 times the byte %02xh", page[0]);
	text(page, 4, 20, c.serial);
	text(page, 24, 40, c.model);
	text(page, 64, 8, c.firmware);
	c.management = co_le16(page + 256) >> 3 & 1;
	c.trim = co_le16(page + 520) >> 2 & 1;
	c.namespaces = co_le32(page + 516);
	c.capacity = bytes128(page + 280);
	c.unallocated = bytes128(page + 296);
	*ret = c;
	return 0;
}

static void hex_unless_zero(const uint8_t *p, size_t n, char *ret)
{
	if (co_is_zero(p, n))
		*ret = '\0';
	else
		co_hex(p, n, ret);
}

int im_nvme_parse_namespace(struct im_nvme_namespace *ret, const uint8_t page[IM_NVME_PAGE], struct co_err *err)
{
	struct im_nvme_namespace n = { 0 };
	unsigned format = page[26] & 15U;
	uint32_t lbaf;

	if (all_the_same(page))
		return co_err_set(err, CO_ERR_FORMAT, 0, "Identify Namespace gave 4096 times the byte %02xh", page[0]);
	if (page[25] > 15) /* with more than 16 formats, bits 6:5 are the upper ones of the number */
		format |= (unsigned)(page[26] >> 5 & 3) << 4;
	if (format > page[25])
		return co_err_set(err, CO_ERR_FORMAT, 0, "the namespace has format %u of %u", format, page[25] + 1U);
	lbaf = co_le32(page + 128 + 4 * (size_t)format);
	if ((lbaf >> 16 & 255) < 9 || (lbaf >> 16 & 255) > 24)
		return co_err_set(err, CO_ERR_FORMAT, 0, "the namespace states blocks of 2^%u bytes", lbaf >> 16 & 255);
	n.block = 1U << (lbaf >> 16 & 255);
	n.metadata = lbaf & 0xffff;
	n.size = co_le64(page);
	n.capacity = co_le64(page + 8);
	n.used = co_le64(page + 16);
	hex_unless_zero(page + 104, 16, n.nguid);
	hex_unless_zero(page + 120, 8, n.eui64);
	*ret = n;
	return 0;
}

int im_nvme_parse_list(uint32_t *ret_n, const uint8_t page[IM_NVME_PAGE], struct co_err *err)
{
	uint32_t n = 0, last = 0;

	while (n < IM_NVME_PAGE / 4) {
		uint32_t id = co_le32(page + 4 * (size_t)n);

		if (id == 0)
			break;
		if (id <= last)
			return co_err_set(err, CO_ERR_FORMAT, 0,
					  "the list of namespaces does not rise: %" PRIu32 " stands behind %" PRIu32,
					  id, last);
		last = id;
		n++;
	}
	*ret_n = n;
	return 0;
}

static void compare_namespaces(struct im_hidden *h, const struct im_nvme *nvme)
{
	char size[16];

	h->unallocated_bytes = nvme->controller.unallocated;
	if (nvme->controller.unallocated) {
		co_size_text(nvme->controller.unallocated, size);
		im_hidden_say(h, "%s of the drive belong to no namespace and can't be read", size);
	}
	if (!nvme->count_known) {
		im_hidden_say(h, "other namespaces unknown");
		return;
	}
	h->nvme_known = true;
	h->other_namespaces = nvme->count > 1 ? nvme->count - 1 : 0;
	if (h->other_namespaces)
		im_hidden_say(h, "other namespaces of the drive, which were not read: %" PRIu32, h->other_namespaces);
}

void im_nvme_compare(struct im_hidden *ret, const struct im_nvme *nvme, uint64_t visible)
{
	struct im_hidden h = { 0 };
	uint64_t stated;
	bool unseen = false, contrary = visible == 0;

	if (!nvme->known) {
		im_hidden_unknown(ret, "%s", nvme->why);
		return;
	}
	h.reported_sectors = nvme->ns.size;
	h.visible_sectors = visible / nvme->ns.block;
	compare_namespaces(&h, nvme);
	if (!co_mul(nvme->ns.size, nvme->ns.block, &stated))
		stated = UINT64_MAX;
	if (visible != stated) {
		im_hidden_say(&h, "the kernel sees %" PRIu64 " bytes, the drive states %" PRIu64, visible, stated);
		unseen = visible < stated && !contrary;
		contrary |= visible > stated;
	}
	if (h.unallocated_bytes || h.other_namespaces)
		h.state = IM_HIDDEN_NVME;
	else if (unseen)
		h.state = IM_HIDDEN_UNSEEN;
	else if (!contrary && h.nvme_known)
		h.state = IM_HIDDEN_NONE;
	if (h.state == IM_HIDDEN_NONE)
		im_hidden_say(&h, "none: one namespace of %" PRIu64 " blocks, and no capacity besides it",
			      nvme->ns.size);
	*ret = h;
}

/* Only a drive with namespace management can have any that this controller does not list as active. */
static void count_namespaces(struct im_nvme *nvme, const struct im_nvme_port *port)
{
	uint8_t page[IM_NVME_PAGE] = { 0 };
	struct co_err err = CO_ERR_INIT;
	uint8_t cns = nvme->controller.management ? CNS_ALLOCATED : CNS_ACTIVE;
	int r = port->identify(port->self, cns, 0, page, &err);

	if (r == 0)
		r = im_nvme_parse_list(&nvme->count, page, &err);
	nvme->count_known = r == 0;
}

void im_nvme_query_port(struct im_nvme *ret, const struct im_nvme_port *port, uint32_t nsid)
{
	struct im_nvme nvme = { .nsid = nsid };
	uint8_t page[IM_NVME_PAGE] = { 0 };
	struct co_err err = CO_ERR_INIT;
	int r = port->identify(port->self, CNS_CONTROLLER, 0, page, &err);

	if (r == 0)
		r = im_nvme_parse_controller(&nvme.controller, page, &err);
	memset(page, 0, sizeof page);
	if (r == 0)
		r = port->identify(port->self, CNS_NAMESPACE, nsid, page, &err);
	if (r == 0)
		r = im_nvme_parse_namespace(&nvme.ns, page, &err);
	nvme.known = r == 0;
	if (r == 0)
		count_namespaces(&nvme, port);
	else
		snprintf(nvme.why, sizeof nvme.why, "%.190s", err.msg);
	*ret = nvme;
}

static int identify_ioctl(void *self, uint8_t cns, uint32_t nsid, uint8_t page[IM_NVME_PAGE], struct co_err *err)
{
	struct nvme_admin_cmd cmd = {
		.opcode = ADMIN_IDENTIFY,
		.nsid = nsid,
		.addr = (uint64_t)(uintptr_t)page,
		.data_len = IM_NVME_PAGE,
		.cdw10 = cns,
		.timeout_ms = TIMEOUT_MS,
	};
	int r = ioctl(*(const int *)self, NVME_IOCTL_ADMIN_CMD, &cmd);

	if (r < 0)
		return co_err_set(err, CO_ERR_FAILED, errno, "the kernel refused the NVMe command Identify");
	if (r > 0)
		return co_err_set(err, CO_ERR_FAILED, 0, "the drive refused the NVMe command Identify (status %03xh)",
				  (unsigned)r & 0x7ff);
	return 0;
}

void im_nvme_query(struct im_nvme *ret, int fd)
{
	const struct im_nvme_port port = { .identify = identify_ioctl, .self = &fd };
	int nsid = ioctl(fd, NVME_IOCTL_ID);

	if (nsid <= 0) {
		struct im_nvme nvme = { 0 };

		snprintf(nvme.why, sizeof nvme.why, "the device has no NVMe namespace number (%s)",
			 nsid < 0 ? strerror(errno) : "0");
		*ret = nvme;
		return;
	}
	im_nvme_query_port(ret, &port, (uint32_t)nsid);
}
