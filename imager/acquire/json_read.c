/* SPDX-License-Identifier: Apache-2.0 */
#include "acquire/json_read.h"

#include <string.h>

static void replace_lone_surrogates(char *text, size_t n)
{
	for (size_t i = 0; i + 6 <= n; i++) {
		if (text[i] != '\\')
			continue;
		if (strncmp(text + i, "\\udc", 4) == 0)
			memcpy(text + i + 2, "fffd", 4);
		i++;
	}
}

int im_json_parse(char *text, size_t n, json_t **ret, struct co_err *err)
{
	json_error_t why;
	json_t *root;

	replace_lone_surrogates(text, n);
	root = json_loadb(text, n, JSON_REJECT_DUPLICATES, &why);
	if (!root)
		return co_err_set(err, CO_ERR_FORMAT, 0, "%s", why.text);
	*ret = root;
	return 0;
}
