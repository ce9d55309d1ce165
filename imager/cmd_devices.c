/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <string.h>

#include "base/bytes.h"
#include "base/text.h"
#include "commands.h"
#include "device/identity.h"
#include "output.h"

struct opts {
	bool json;
};

static const struct co_option options[] = {
	{ "json", 0, NULL, CO_OPT_FLAG, offsetof(struct opts, json), "print one JSON object" },
	{ 0 },
};

enum { COLUMNS = 9 };
static const char *const headings[COLUMNS] = {
	"NAME", "KIND", "SIZE", "BYTES", "SECTOR", "TRAN", "RO", "MODEL", "USE"
};
static const bool right[COLUMNS] = { [2] = true, [3] = true, [4] = true };

struct row {
	struct co_str cell[COLUMNS];
};

struct table {
	CO_VEC(struct row) rows;
	bool failed;
};

static struct row *new_row(struct table *t)
{
	if (co_vec_push(&t->rows, (struct row) { 0 }) < 0) {
		t->failed = true;
		return NULL;
	}
	return &t->rows.at[t->rows.n - 1];
}

static void free_table(struct table *t)
{
	for (size_t i = 0; i < t->rows.n; i++)
		for (int c = 0; c < COLUMNS; c++)
			co_str_free(&t->rows.at[i].cell[c]);
	co_vec_free(&t->rows);
}

static void visible(struct co_str *s, const char *text)
{
	if (text)
		co_str_add_visible(s, text, strlen(text));
}

static void add_sizes(struct row *r, uint64_t bytes)
{
	char size[16];

	co_size_text(bytes, size);
	co_str_add(&r->cell[2], size);
	co_str_addf(&r->cell[3], "%" PRIu64, bytes);
}

static void add_partition(struct table *t, const struct im_partition *p)
{
	struct row *r = new_row(t);

	if (!r)
		return;
	co_str_add(&r->cell[0], "  /dev/");
	visible(&r->cell[0], p->name);
	co_str_add(&r->cell[1], "part");
	add_sizes(r, p->size);
	co_str_add(&r->cell[6], p->read_only ? "yes" : "no");
	visible(&r->cell[8], p->mount);
}

static void add_disk(struct table *t, const struct im_device *d)
{
	struct row *r = new_row(t);

	if (!r)
		return;
	visible(&r->cell[0], d->path);
	co_str_add(&r->cell[1], im_kind_name(d->kind));
	add_sizes(r, d->size);
	co_str_addf(&r->cell[4], "%" PRIu32, d->logical_sector);
	co_str_add(&r->cell[5], d->transport);
	co_str_add(&r->cell[6], d->read_only ? "yes" : "no");
	visible(&r->cell[7], d->model);
	if (d->serial[0]) {
		co_str_add(&r->cell[7], r->cell[7].n ? " (" : "(");
		visible(&r->cell[7], d->serial);
		co_str_add(&r->cell[7], ")");
	}
	visible(&r->cell[8], d->mount);
	for (size_t i = 0; i < d->holders.n; i++) {
		co_str_add(&r->cell[8], r->cell[8].n ? " " : "");
		visible(&r->cell[8], d->holders.at[i]);
	}
	for (size_t i = 0; i < d->partitions.n; i++)
		add_partition(t, &d->partitions.at[i]);
}

static void print_row(struct co_str *out, const char *const cell[COLUMNS], const size_t width[COLUMNS])
{
	size_t end;

	for (int c = 0; c < COLUMNS; c++)
		co_str_addf(out, right[c] ? "%*s  " : "%-*s  ", (int)width[c], cell[c]);
	end = out->n;
	while (end > 0 && out->s[end - 1] == ' ')
		end--;
	if (!out->failed)
		out->s[out->n = end] = '\0';
	co_str_add(out, "\n");
}

static void print_table(const struct table *t, struct co_str *out)
{
	const char *cell[COLUMNS];
	size_t width[COLUMNS];

	for (int c = 0; c < COLUMNS; c++) {
		width[c] = strlen(headings[c]);
		for (size_t i = 0; i < t->rows.n; i++)
			width[c] = co_max_u64(width[c], t->rows.at[i].cell[c].n);
	}
	print_row(out, headings, width);
	for (size_t i = 0; i < t->rows.n; i++) {
		for (int c = 0; c < COLUMNS; c++) {
			cell[c] = co_str_get(&t->rows.at[i].cell[c]);
			out->failed |= t->rows.at[i].cell[c].failed;
		}
		print_row(out, cell, width);
	}
	out->failed |= t->failed;
}

static int list_json(const struct im_devices *devices, struct co_str *out, struct co_err *err)
{
	struct co_json j;

	co_json_to_str(&j, out, true);
	co_json_object(&j, NULL);
	co_json_str(&j, "schema", "exhibit.devices/1");
	co_json_array(&j, "devices");
	for (size_t i = 0; i < devices->list.n; i++)
		im_device_json(&j, NULL, &devices->list.at[i]);
	co_json_end_array(&j);
	co_json_end_object(&j);
	co_json_newline(&j);
	return co_json_end(&j, err);
}

static int run(const struct co_call *call, struct co_err *err)
{
	const struct opts *o = call->opts;
	IM_CLEANUP_DEVICES struct im_devices devices = { 0 };
	IM_CLEANUP_USES struct im_uses uses = { 0 };
	CO_CLEANUP_STR struct co_str out = { 0 };
	int r = im_uses_load(&uses, NULL, NULL, err);

	if (r == 0)
		r = im_devices_list(&devices, &uses, err);
	if (r == 0 && o->json)
		r = list_json(&devices, &out, err);
	if (r < 0)
		return r;
	if (!o->json) {
		struct table t = { 0 };

		for (size_t i = 0; i < devices.list.n; i++)
			add_disk(&t, &devices.list.at[i]);
		print_table(&t, &out);
		free_table(&t);
	}
	return im_print(&out, err);
}

const struct co_command im_cmd_devices = {
	.name = "devices",
	.operands = "",
	.summary = "list the block devices: identity, size, partitions, mounts, read-only state",
	.options = options,
	.opts_size = sizeof(struct opts),
	.run = run,
};
