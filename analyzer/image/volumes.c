/* SPDX-License-Identifier: Apache-2.0 */
#include "image/volumes.h"

#include <inttypes.h>
#include <string.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "image/apfs.h"
#include "image/fstab.h"
#include "image/magic.h"
#include "image/tsk.h"

#define BOOT_LOADER_MAX ((uint64_t)8 << 20) /* bytes: partitions without file system of this size are no surprise */
#define ZEROS_MAX \
	((uint64_t)256 << 20) /* bytes: unrecognised volumes up to this size are searched for anything but zeros */
#define FSTAB_MAX ((size_t)1 << 20)

static int no_memory(struct co_err *err)
{
	return co_err_set(err, CO_ERR_NOMEM, 0, "out of memory");
}

/* A text from the disk, its control characters as spaces. */
static void copy_text(char *ret, size_t size, const char *text)
{
	snprintf(ret, size, "%s", text);
	for (char *p = ret; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = ' ';
}

static void keep_table_name(struct an_volume *v, TSK_VS_TYPE_ENUM type)
{
	static const struct {
		TSK_VS_TYPE_ENUM type;
		const char *name;
	} names[] = {
		{ TSK_VS_TYPE_DOS, "dos" }, { TSK_VS_TYPE_BSD, "bsd" }, { TSK_VS_TYPE_SUN, "sun" },
		{ TSK_VS_TYPE_MAC, "mac" }, { TSK_VS_TYPE_GPT, "gpt" },
	};
	snprintf(v->table, sizeof v->table, "%s", "none");
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (names[i].type == type)
			snprintf(v->table, sizeof v->table, "%s", names[i].name);
}

static bool is_volume(const TSK_VS_PART_INFO *part)
{
	return (part->flags & TSK_VS_PART_FLAG_ALLOC) && !(part->flags & TSK_VS_PART_FLAG_META);
}

/* N of /dev/sdaN. Logical partitions of a DOS table count from 5 in the order in which their tables are chained. */
static unsigned number_of(const TSK_VS_INFO *vs, const TSK_VS_PART_INFO *part)
{
	if (vs->vstype == TSK_VS_TYPE_GPT || (vs->vstype == TSK_VS_TYPE_DOS && part->table_num == 0))
		return part->slot_num >= 0 ? (unsigned)part->slot_num + 1 : 0;
	if (vs->vstype != TSK_VS_TYPE_DOS)
		return 0;
	unsigned n = 5;
	for (const TSK_VS_PART_INFO *p = vs->part_list; p; p = p->next)
		if (is_volume(p) && p->table_num > 0 && p->table_num < part->table_num)
			n++;
	return n;
}

static int add_partition(struct an_volumes *list, const TSK_VS_INFO *vs, const TSK_VS_PART_INFO *part, uint64_t size,
			 struct an_case *c, struct co_err *err)
{
	struct an_volume v = { .number = number_of(vs, part) };
	keep_table_name(&v, vs->vstype);
	copy_text(v.description, sizeof v.description, part->desc ? part->desc : "");
	uint64_t end;
	if (!co_mul(part->start, (uint64_t)vs->block_size, &v.offset) ||
	    !co_mul(part->len, (uint64_t)vs->block_size, &v.length) || !co_add(v.offset, v.length, &end) ||
	    v.offset >= size)
		return an_case_problem(c, UINT32_MAX, "", err,
				       "a partition begins at sector %" PRIu64 ", behind the end of the image",
				       (uint64_t)part->start);
	if (co_vec_push(&list->list, v) < 0)
		return no_memory(err);
	if (end <= size)
		return 0;
	list->list.at[list->list.n - 1].length = size - v.offset;
	return an_case_problem(c, (uint32_t)(list->list.n - 1), "", err,
			       "the volume is cut off: it should end at byte %" PRIu64
			       ", and the image ends at byte %" PRIu64,
			       end, size);
}

static int read_table(struct an_volumes *list, TSK_VS_INFO *vs, uint64_t size, struct an_case *c, struct co_err *err)
{
	int r = 0;
	if (vs->is_backup)
		r = an_case_problem(c, UINT32_MAX, "", err,
				    "the partition table is damaged; its backup at the end of the disk was used");
	for (const TSK_VS_PART_INFO *p = vs->part_list; r == 0 && p; p = p->next)
		if (is_volume(p))
			r = add_partition(list, vs, p, size, c, err);
	return r;
}

/* libtsk's detection; where several kinds of table match ("GPT or Sun"), the ones Linux servers have. */
static TSK_VS_INFO *open_table(struct an_tsk_image *image)
{
	tsk_error_reset();
	TSK_VS_INFO *vs = tsk_vs_open(&image->img, 0, TSK_VS_TYPE_DETECT);
	if (!vs && tsk_error_get_errno() == TSK_ERR_VS_UNKTYPE && strstr(tsk_error_get_errstr(), " or ")) {
		vs = tsk_vs_open(&image->img, 0, TSK_VS_TYPE_GPT);
		if (!vs)
			vs = tsk_vs_open(&image->img, 0, TSK_VS_TYPE_DOS);
	}
	tsk_error_reset();
	return vs;
}

/* Is there nothing in the volume (such as swap space that was never used)? */
static bool is_empty(const struct an_volume *v, const struct co_source *source)
{
	size_t step = (size_t)1 << 20;
	CO_CLEANUP_FREE uint8_t *buf = malloc(step);
	if (!buf || v->length > ZEROS_MAX)
		return false;
	for (uint64_t off = 0; off < v->length; off += step) {
		size_t n = (size_t)co_min_u64(step, v->length - off);
		if (co_source_read_full(source, buf, n, v->offset + off, NULL) < 0 || !co_is_zero(buf, n))
			return false;
	}
	return true;
}

static int unreadable(struct an_volume *v, uint32_t index, const struct co_source *source, const char *reason,
		      struct an_case *c, struct co_err *err)
{
	const struct an_magic *m = an_magic_find(source, v->offset, v->length);
	if (m)
		snprintf(v->fs, sizeof v->fs, "%s", m->name);
	if (m && m->data)
		return an_case_problem(c, index, "", err, "this is %s, which this version can't read", m->title);
	if (!m && is_empty(v, source))
		snprintf(v->fs, sizeof v->fs, "zeros");
	else if (!m && v->length > BOOT_LOADER_MAX)
		return an_case_problem(c, index, "", err, "the volume can't be read: %s", reason);
	return 0;
}

static int identify(struct an_volume *v, uint32_t index, struct an_tsk_image *image, struct an_case *c,
		    struct co_err *err)
{
	struct an_identity id;
	an_magic_identify(&image->source, v->offset, v->length, v->fs, &id);
	copy_text(v->label, sizeof v->label, id.label);
	copy_text(v->uuid, sizeof v->uuid, id.uuid);
	if (v->readable && id.needs_recovery)
		return an_case_problem(
			c, index, "", err,
			"the file system was not unmounted: changes that are in its journal only are not shown");
	return 0;
}

/* Makes @n places behind volume @index; problems that are known already stay with their volumes. */
static int make_room(struct an_volumes *list, size_t index, size_t n, struct an_case *c, struct co_err *err)
{
	if (co_vec_reserve(&list->list, list->list.n + n) < 0)
		return no_memory(err);
	struct an_volume *next = list->list.at + index + 1;
	memmove(next + n, next, (list->list.n - index - 1) * sizeof *next);
	list->list.n += n;
	for (size_t i = 0; i < c->problems.n; i++)
		if (c->problems.at[i].volume != UINT32_MAX && c->problems.at[i].volume > index)
			c->problems.at[i].volume += (uint32_t)n;
	return 0;
}

/* Does libtsk open it too? */
static int try_volume(struct an_volume *v, const struct an_tsk_image *image, struct co_err *err)
{
	struct an_evidence e = { .source = image->source };
	struct an_fs *fs = NULL;
	int r = an_fs_open(&fs, &e, v, err);
	an_fs_close(fs);
	return r == CO_ERR_FORMAT ? 1 : r;
}

/* Makes @v, so far a whole container, one volume of it. */
static int fill_from_container(struct an_volume *v, uint32_t index, const struct an_apfs *a,
			       const struct an_apfs_volume *from, const struct an_tsk_image *image, struct an_case *c,
			       struct co_err *err)
{
	struct co_err why = CO_ERR_INIT;
	v->container = a;
	v->block = from->block;
	copy_text(v->label, sizeof v->label, from->label);
	copy_text(v->uuid, sizeof v->uuid, from->uuid);
	int r = from->why[0] ? 1 : try_volume(v, image, &why);
	v->readable = r == 0;
	if (r > 0)
		return an_case_problem(c, index, "", err, "the APFS volume \"%s\" can't be read: %s", v->label,
				       from->why[0] ? from->why : why.msg);
	if (r < 0)
		*err = why;
	return r;
}

/* Volume @index is an APFS container: its volumes take that place. *ret_n: how many. */
static int split_container(struct an_volumes *list, size_t index, struct an_tsk_image *image, size_t *ret_n,
			   struct an_case *c, struct co_err *err)
{
	struct an_apfs *a = NULL;
	struct an_volume whole = list->list.at[index];
	struct co_err why = CO_ERR_INIT;
	snprintf(whole.fs, sizeof whole.fs, "apfs");
	list->list.at[index] = whole;
	int r = an_apfs_open(&a, &image->source, whole.offset, whole.length, &why);
	if (r > 0)
		return an_case_problem(c, (uint32_t)index, "", err, "the APFS container can't be read: %s", why.msg);
	if (r < 0) {
		*err = why;
		return r;
	}
	if (co_vec_push(&list->containers, a) < 0) {
		an_apfs_close(a);
		return no_memory(err);
	}
	r = make_room(list, index, a->volumes.n - 1, c, err);
	for (size_t i = 0; r == 0 && i < a->volumes.n; i++) {
		struct an_volume *v = &list->list.at[index + i];
		*v = whole;
		r = fill_from_container(v, (uint32_t)(index + i), a, &a->volumes.at[i], image, c, err);
	}
	*ret_n = a->volumes.n;
	return r;
}

/* What lies in volume @index: fs, label, uuid, readable. *ret_n: how many volumes it has become. */
static int recognise(struct an_volumes *list, size_t index, struct an_tsk_image *image, size_t *ret_n,
		     struct an_case *c, struct co_err *err)
{
	struct an_volume *v = &list->list.at[index];
	TSK_FS_INFO *fs = NULL;
	struct co_err why = CO_ERR_INIT;
	*ret_n = 1;
	int r = an_tsk_fs_detect(image, v->offset, &fs, &why);
	if (r < 0) {
		*err = why;
		return r;
	}
	if (r == 0) {
		snprintf(v->fs, sizeof v->fs, "%s", an_tsk_fs_name(fs->ftype));
		v->readable = true;
		tsk_fs_close(fs);
	} else if (an_magic_is_apfs(&image->source, v->offset, v->length)) {
		return split_container(list, index, image, ret_n, c, err);
	} else {
		r = unreadable(v, (uint32_t)index, &image->source, why.msg, c, err);
		if (r < 0)
			return r;
	}
	return identify(v, (uint32_t)index, image, c, err);
}

static int recognise_all(struct an_volumes *list, struct an_tsk_image *image, struct an_case *c, struct co_err *err)
{
	int r = 0;
	size_t n = 1;
	for (size_t i = 0; r == 0 && i < list->list.n; i += n)
		r = recognise(list, i, image, &n, c, err);
	return r;
}

static bool any_known(const struct an_volumes *v)
{
	for (size_t i = 0; i < v->list.n; i++)
		if (v->list.at[i].fs[0])
			return true;
	return false;
}

/* The whole image as one volume, if it is one: always where there is no table, and in place of a table in which
 * nothing was recognised (a boot sector can look like a table). */
static int whole_image(struct an_volumes *list, struct an_tsk_image *image, size_t n_problems, struct an_case *c,
		       struct co_err *err)
{
	if (any_known(list))
		return 0;
	TSK_FS_INFO *fs = NULL;
	int r = an_tsk_fs_detect(image, 0, &fs, err);
	if (r < 0)
		return r;
	if (r == 0)
		tsk_fs_close(fs);
	bool known = r == 0 || an_magic_find(&image->source, 0, image->source.size);
	if (!known && list->list.n > 0)
		return 0;
	while (known && c->problems.n > n_problems) { /* they are about partitions that are none */
		struct an_problem *p = &c->problems.at[--c->problems.n];
		free(p->path);
		free(p->text);
	}
	struct an_volume v = { .length = image->source.size };
	keep_table_name(&v, TSK_VS_TYPE_UNSUPP);
	list->list.n = 0;
	if (co_vec_push(&list->list, v) < 0)
		return no_memory(err);
	return recognise_all(list, image, c, err);
}

static int fill(struct an_volumes *list, struct an_tsk_image *image, struct an_case *c, struct co_err *err)
{
	size_t n_problems = c->problems.n;
	TSK_VS_INFO *vs = open_table(image);
	int r = vs ? read_table(list, vs, image->source.size, c, err) : 0;
	if (vs)
		tsk_vs_close(vs);
	if (r == 0)
		r = recognise_all(list, image, c, err);
	return r < 0 ? r : whole_image(list, image, n_problems, c, err);
}

int an_volumes_open(struct an_volumes *ret, const struct an_evidence *e, struct an_case *c, struct co_err *err)
{
	struct an_tsk_image *image;
	int r = an_tsk_image_open(&image, &e->source, err);
	if (r < 0)
		return r;
	struct an_volumes list = { 0 };
	r = fill(&list, image, c, err);
	tsk_img_close(&image->img);
	if (r < 0) {
		an_volumes_free(&list);
		return r;
	}
	*ret = list;
	return 0;
}

void an_volumes_free(struct an_volumes *v)
{
	co_vec_free(&v->list);
	for (size_t i = 0; i < v->containers.n; i++)
		an_apfs_close(v->containers.at[i]);
	co_vec_free(&v->containers);
}

/* Does @device of fstab mean @v? */
static bool is_meant(const char *device, const struct an_volume *v)
{
	static const char uuid[] = "UUID=", label[] = "LABEL=", by_uuid[] = "/dev/disk/by-uuid/",
			  by_label[] = "/dev/disk/by-label/";
	if (strncmp(device, uuid, sizeof uuid - 1) == 0)
		return v->uuid[0] && strcasecmp(device + sizeof uuid - 1, v->uuid) == 0;
	if (strncmp(device, by_uuid, sizeof by_uuid - 1) == 0)
		return v->uuid[0] && strcasecmp(device + sizeof by_uuid - 1, v->uuid) == 0;
	if (strncmp(device, label, sizeof label - 1) == 0)
		return v->label[0] && strcmp(device + sizeof label - 1, v->label) == 0;
	if (strncmp(device, by_label, sizeof by_label - 1) == 0)
		return v->label[0] && strcmp(device + sizeof by_label - 1, v->label) == 0;
	/* /dev/sda1, /dev/vda1, /dev/nvme0n1p1, /dev/mmcblk0p1: the digits at the end */
	if (strncmp(device, "/dev/", 5) != 0 || strncmp(device, "/dev/mapper/", 12) == 0 || v->number == 0)
		return false;
	size_t n = strlen(device), at = n;
	while (at > 0 && device[at - 1] >= '0' && device[at - 1] <= '9')
		at--;
	char number[16];
	snprintf(number, sizeof number, "%u", v->number);
	return at < n && strcmp(device + at, number) == 0;
}

static bool is_place_free(const struct an_volumes *v, const char *folder)
{
	for (size_t i = 0; i < v->list.n; i++)
		if (strcmp(v->list.at[i].mount, folder) == 0)
			return false;
	return true;
}

static void mount_by_fstab(struct an_volumes *v, const struct an_fstab *fstab, int only)
{
	for (size_t i = 0; i < fstab->list.n; i++) {
		const struct an_fstab_entry *e = &fstab->list.at[i];
		if (strlen(e->folder) >= sizeof v->list.at[0].mount || !is_place_free(v, e->folder))
			continue;
		for (size_t k = 0; k < v->list.n; k++) {
			struct an_volume *vol = &v->list.at[k];
			bool wanted = vol->readable && (only < 0 || (size_t)only == k);
			if (!wanted || vol->mount[0] || !is_meant(e->device, vol))
				continue;
			snprintf(vol->mount, sizeof vol->mount, "%s", e->folder);
			vol->mount_known = true;
			break;
		}
	}
}

/* Is this the root of a system? Then its fstab goes to @fstab. */
static int look_for_root(const struct an_evidence *e, const struct an_volume *v, struct co_str *fstab, bool *ret,
			 struct co_err *err)
{
	struct an_fs *fs = NULL;
	*ret = false;
	int r = an_fs_open(&fs, e, v, err);
	if (r == CO_ERR_FORMAT)
		return 0; /* it opened before: a read error, which the walk will report */
	if (r < 0)
		return r;
	TSK_INUM_T inode;
	*ret = an_tsk_load(fs, "/etc/fstab", FSTAB_MAX, fstab) == 0 || an_tsk_find(fs, "/etc/os-release", &inode) == 0;
	an_fs_close(fs);
	return fstab->failed ? no_memory(err) : 0;
}

static void mount_the_rest(struct an_volumes *v, int only)
{
	size_t n = 0;
	for (size_t i = 0; i < v->list.n; i++)
		n += v->list.at[i].readable && (only < 0 || (size_t)only == i);
	for (size_t i = 0; i < v->list.n; i++) {
		struct an_volume *vol = &v->list.at[i];
		if (!vol->readable || vol->mount[0] || (only >= 0 && (size_t)only != i))
			continue;
		if (n == 1)
			snprintf(vol->mount, sizeof vol->mount, "/");
		else
			snprintf(vol->mount, sizeof vol->mount, "/vol%zu", i);
	}
}

int an_volumes_mount(struct an_volumes *v, const struct an_evidence *e, int only, struct an_case *c, struct co_err *err)
{
	CO_CLEANUP_STR struct co_str text = { 0 };
	bool found = false;
	int r = 0;
	for (size_t i = 0; r == 0 && !found && i < v->list.n; i++) {
		if (!v->list.at[i].readable)
			continue;
		r = look_for_root(e, &v->list.at[i], &text, &found, err);
		if (found && (only < 0 || (size_t)only == i)) {
			snprintf(v->list.at[i].mount, sizeof v->list.at[i].mount, "/");
			v->list.at[i].mount_known = true;
		}
	}
	if (r < 0)
		return r;
	struct an_fstab fstab = { 0 };
	r = an_fstab_parse(&fstab, co_str_get(&text), text.n, err);
	if (r < 0)
		return r;
	mount_by_fstab(v, &fstab, only);
	an_fstab_free(&fstab);
	mount_the_rest(v, only);
	if (only >= 0 && (size_t)only < v->list.n && !v->list.at[only].readable)
		return an_case_problem(c, (uint32_t)only, "", err, "volume %d holds no file system that can be read",
				       only);
	return 0;
}
