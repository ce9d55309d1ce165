/* SPDX-License-Identifier: Apache-2.0 */
#include "output.h"

#include <errno.h>
#include <sys/stat.h>

#include "io/sink.h"

int im_print(const struct co_str *text, struct co_err *err)
{
	struct co_sink *sink;
	int r;

	if (text->failed)
		return co_err_set(err, CO_ERR_NOMEM, 0, "no memory for the output");
	r = co_sink_open_stdout(&sink, err);
	return r < 0 ? r : co_sink_finish(sink, co_sink_write(sink, co_str_get(text), text->n, err), err);
}

void im_digests_text(struct co_str *s, const char *prefix, const struct co_digests *d)
{
	static const enum co_hash_alg order[] = { CO_HASH_SHA256, CO_HASH_SHA1, CO_HASH_MD5 };
	char hex[2 * CO_HASH_MAX + 1];

	for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
		if (!(d->set & CO_HASH_BIT(order[i])))
			continue;
		co_digests_hex(d, order[i], hex);
		co_str_addf(s, "%s%-7s %s\n", prefix, co_hash_name(order[i]), hex);
	}
}

int im_is_bag(const char *name, bool *ret, struct co_err *err)
{
	struct stat st;

	if (stat(name, &st) < 0)
		return co_err_set(err, CO_ERR_FAILED, errno, "open %s", name);
	*ret = S_ISDIR(st.st_mode);
	return 0;
}
