/* SPDX-License-Identifier: Apache-2.0 */
#include "device/uses.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/cleanup.h"

/* The kernel writes blank, tab, newline and backslash in names as a backslash and three octal digits. */
static void unescape(char *s)
{
	char *to = s;

	while (*s) {
		if (s[0] == '\\' && s[1] >= '0' && s[1] <= '3' && s[2] >= '0' && s[2] <= '7' && s[3] >= '0' &&
		    s[3] <= '7') {
			*to++ = (char)((s[1] - '0') * 64 + (s[2] - '0') * 8 + (s[3] - '0'));
			s += 4;
		} else {
			*to++ = *s++;
		}
	}
	*to = '\0';
}

static int add(struct im_uses *uses, dev_t dev, enum im_use_kind kind, const char *where, struct co_err *err)
{
	CO_CLEANUP_FREE char *copy = strdup(where);

	if (!copy || co_vec_push(&uses->list, (struct im_use) { .dev = dev, .kind = kind, .where = copy }) < 0)
		return co_err_set(err, CO_ERR_NOMEM, 0, "no memory for the table of mounts");
	(void)CO_TAKE(copy);
	return 0;
}

static dev_t block_device(const char *name)
{
	struct stat st;

	return name[0] == '/' && stat(name, &st) == 0 && S_ISBLK(st.st_mode) ? st.st_rdev : 0;
}

static int add_mount(struct im_uses *uses, char *line, struct co_err *err)
{
	char *fields[5], *save = NULL, *point, *source = NULL;
	unsigned maj, min;
	size_t n = 0;
	dev_t dev, named;
	int r;

	for (char *f = strtok_r(line, " \n", &save); f && n < 5; f = n < 5 ? strtok_r(NULL, " \n", &save) : NULL)
		fields[n++] = f;
	if (n < 5 || sscanf(fields[2], "%u:%u", &maj, &min) != 2)
		return 0;
	point = fields[4];
	for (char *f = strtok_r(NULL, " \n", &save); f; f = strtok_r(NULL, " \n", &save)) {
		if (strcmp(f, "-") != 0)
			continue;
		if (strtok_r(NULL, " \n", &save))
			source = strtok_r(NULL, " \n", &save);
		break;
	}
	unescape(point);
	dev = makedev(maj, min);
	r = add(uses, dev, IM_USE_MOUNT, point, err);
	if (r < 0 || !source)
		return r;
	unescape(source);
	named = block_device(source);
	return named && named != dev ? add(uses, named, IM_USE_MOUNT, point, err) : 0;
}

static int add_swap(struct im_uses *uses, char *line, struct co_err *err)
{
	char *save = NULL, *name = strtok_r(line, " \t\n", &save);
	dev_t dev;

	if (!name)
		return 0;
	unescape(name);
	dev = block_device(name);
	return dev ? add(uses, dev, IM_USE_SWAP, name, err) : 0;
}

static int each_line(struct im_uses *uses, const char *name, bool needed,
		     int (*line)(struct im_uses *uses, char *line, struct co_err *err), struct co_err *err)
{
	CO_CLEANUP_FCLOSE FILE *f = fopen(name, "re");
	CO_CLEANUP_FREE char *text = NULL;
	size_t cap = 0;
	int r = 0;

	if (!f)
		return needed || errno != ENOENT ? co_err_set(err, CO_ERR_FAILED, errno, "open %s", name) : 0;
	while (r == 0 && getline(&text, &cap, f) >= 0)
		r = line(uses, text, err);
	if (r == 0 && ferror(f))
		r = co_err_set(err, CO_ERR_FAILED, errno, "read %s", name);
	return r;
}

int im_uses_load(struct im_uses *ret, const char *mountinfo, const char *swaps, struct co_err *err)
{
	struct im_uses uses = { 0 };
	int r = each_line(&uses, mountinfo ? mountinfo : "/proc/self/mountinfo", true, add_mount, err);

	if (r == 0)
		r = each_line(&uses, swaps ? swaps : "/proc/swaps", false, add_swap, err);
	if (r < 0) {
		im_uses_free(&uses);
		return r;
	}
	*ret = uses;
	return 0;
}

const struct im_use *im_uses_find(const struct im_uses *uses, dev_t dev)
{
	for (size_t i = 0; i < uses->list.n; i++)
		if (uses->list.at[i].dev == dev)
			return &uses->list.at[i];
	return NULL;
}

void im_uses_free(struct im_uses *uses)
{
	for (size_t i = 0; i < uses->list.n; i++)
		free(uses->list.at[i].where);
	co_vec_free(&uses->list);
}
