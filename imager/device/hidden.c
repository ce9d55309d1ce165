/* SPDX-License-Identifier: Apache-2.0 */
#include "device/hidden.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *im_hidden_name(enum im_hidden_state state)
{
	static const char *const names[] = {
		[IM_HIDDEN_UNKNOWN] = "unknown",
		[IM_HIDDEN_NONE] = "none",
		[IM_HIDDEN_HPA] = "hpa",
		[IM_HIDDEN_DCO] = "dco",
		[IM_HIDDEN_NVME] = "nvme",
		[IM_HIDDEN_UNSEEN] = "unseen",
		[IM_HIDDEN_HPA_AND_DCO] = "hpa-and-dco",
	};

	return names[state];
}

void im_hidden_unknown(struct im_hidden *ret, const char *fmt, ...)
{
	static const char prefix[] = "unknown: ";
	va_list ap;

	*ret = (struct im_hidden) { .state = IM_HIDDEN_UNKNOWN };
	memcpy(ret->sentence, prefix, sizeof prefix);
	va_start(ap, fmt);
	vsnprintf(ret->sentence + sizeof prefix - 1, sizeof ret->sentence - sizeof prefix + 1, fmt, ap);
	va_end(ap);
}

void im_hidden_say(struct im_hidden *h, const char *fmt, ...)
{
	size_t n = strlen(h->sentence);
	va_list ap;

	if (n > 0 && n + 2 < sizeof h->sentence) {
		memcpy(h->sentence + n, "; ", 3);
		n += 2;
	}
	va_start(ap, fmt);
	vsnprintf(h->sentence + n, sizeof h->sentence - n, fmt, ap);
	va_end(ap);
}

static void number(struct co_json *j, const char *key, bool known, uint64_t value)
{
	if (known)
		co_json_uint(j, key, value);
	else
		co_json_null(j, key);
}

void im_hidden_json(struct co_json *j, const char *key, const struct im_hidden *h)
{
	co_json_object(j, key);
	co_json_str(j, "state", im_hidden_name(h->state));
	co_json_str(j, "sentence", h->sentence[0] ? h->sentence : "unknown: the drive was not asked");
	number(j, "visible_sectors", h->visible_sectors != 0, h->visible_sectors);
	number(j, "reported_sectors", h->reported_sectors != 0, h->reported_sectors);
	number(j, "hpa_sectors", h->hpa_known, h->hpa_sectors);
	number(j, "dco_sectors", h->dco_known, h->dco_sectors);
	number(j, "unallocated_bytes", h->nvme_known, h->unallocated_bytes);
	number(j, "other_namespaces", h->nvme_known, h->other_namespaces);
	co_json_end_object(j);
}
