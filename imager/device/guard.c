/* SPDX-License-Identifier: Apache-2.0 */
#include "device/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "device/guardian.h"
#include "device/sysfs.h"

static int add_layer(struct im_guard *g, struct co_err *err, const char *name, bool applied, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

static int add_layer(struct im_guard *g, struct co_err *err, const char *name, bool applied, const char *fmt, ...)
{
	struct im_layer layer = { .name = name, .applied = applied };
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(layer.proof, sizeof layer.proof, fmt, ap);
	va_end(ap);
	if (co_vec_push(&g->layers, layer) < 0)
		return co_err_set(err, CO_ERR_NOMEM, 0, "no memory for the write block");
	return 0;
}

/* Appends to a proof; cut at the end if there are too many partitions to name. */
static void prove(char *proof, size_t cap, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

static void prove(char *proof, size_t cap, const char *fmt, ...)
{
	size_t n = strlen(proof);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(proof + n, cap - n, fmt, ap);
	va_end(ap);
}

static void read_counters(dev_t disk, struct im_counters *ret)
{
	struct im_counters c = { 0 };
	unsigned long long f[16];
	char folder[64], text[512];
	uint64_t counting = 0;
	int n = 0;

	im_sysfs_folder(disk, folder);
	im_sysfs_uint(folder, "diskseq", &c.diskseq);
	im_sysfs_uint(folder, "queue/iostats", &counting);
	if (im_sysfs_text(folder, "stat", text, sizeof text))
		n = sscanf(text, "%llu%llu%llu%llu%llu%llu%llu%llu%llu%llu%llu%llu%llu%llu%llu%llu", &f[0], &f[1],
			   &f[2], &f[3], &f[4], &f[5], &f[6], &f[7], &f[8], &f[9], &f[10], &f[11], &f[12], &f[13],
			   &f[14], &f[15]);
	if (n == 16) {
		c.reads = f[0];
		c.writes = f[4];
		c.written_sectors = f[6];
		c.discards = f[11];
		c.discarded_sectors = f[13];
		c.flushes = f[15];
		c.valid = counting == 1;
	}
	*ret = c;
}

static bool sysfs_read_only(dev_t dev)
{
	char folder[64];
	uint64_t v = 0;

	im_sysfs_folder(dev, folder);
	return im_sysfs_uint(folder, "ro", &v) && v == 1;
}

static int open_node(const struct im_flag *flag)
{
	char path[80];
	struct stat st;
	int fd;

	snprintf(path, sizeof path, "/dev/%s", flag->name);
	for (char *c = path + strlen("/dev/"); *c; c++)
		if (*c == '!') /* how sysfs writes the slash of names such as cciss/c0d0 */
			*c = '/';
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd >= 0 && (fstat(fd, &st) < 0 || !S_ISBLK(st.st_mode) || st.st_rdev != flag->dev)) {
		close(fd);
		errno = ENODEV;
		return -1;
	}
	return fd;
}

/* Sets one flag and reads it back in two ways. */
static bool set_flag(struct im_flag *flag, int source, char *proof, size_t cap)
{
	CO_CLEANUP_CLOSE int own = source >= 0 ? -1 : open_node(flag);
	int fd = source >= 0 ? source : own, on = 1, got = 0;
	bool sysfs;

	if (*proof)
		prove(proof, cap, "; ");
	if (fd < 0) {
		prove(proof, cap, "%s can't be opened (%s)", flag->name, strerror(errno));
		return false;
	}
	if (ioctl(fd, BLKROGET, &got) == 0)
		flag->before = got != 0;
	/* A flag that is there stays untouched: a partition shows its disk's, and its own could not be put back. */
	if (!flag->before && ioctl(fd, BLKROSET, &on) < 0) {
		prove(proof, cap, "%s refused BLKROSET (%s)", flag->name, strerror(errno));
		return false;
	}
	flag->set = true;
	if (ioctl(fd, BLKROGET, &got) < 0)
		got = -1;
	sysfs = sysfs_read_only(flag->dev);
	prove(proof, cap, "%s: was %d, BLKROGET gives %d, sysfs ro gives %d", flag->name, flag->before, got, sysfs);
	return got == 1 && sysfs;
}

/* Partitions first: once the disk is read-only they all say so, and what they were before can't be seen any more. */
static int set_flags(struct im_guard *g, struct co_err *err)
{
	char proof[sizeof((struct im_layer *)0)->proof] = "";
	bool all = true;

	for (size_t i = 0; i < g->device.partitions.n; i++) {
		struct im_flag flag = { .dev = g->device.partitions.at[i].dev };

		snprintf(flag.name, sizeof flag.name, "%s", g->device.partitions.at[i].name);
		if (co_vec_push(&g->flags, flag) < 0)
			return co_err_set(err, CO_ERR_NOMEM, 0, "no memory for the write block");
	}
	struct im_flag disk = { .dev = g->device.disk_dev };
	snprintf(disk.name, sizeof disk.name, "%s", g->device.disk);
	if (co_vec_push(&g->flags, disk) < 0)
		return co_err_set(err, CO_ERR_NOMEM, 0, "no memory for the write block");
	for (size_t i = 0; i < g->flags.n; i++) {
		struct im_flag *flag = &g->flags.at[i];

		all &= set_flag(flag, flag->dev == g->device.dev ? g->fd : -1, proof, sizeof proof);
	}
	return add_layer(g, err, "BLKROSET", all, "%s", proof);
}

/* The disk first: a partition's flag can't be cleared while the disk has its own. */
static void restore_flags(struct im_guard *g)
{
	struct im_layer *layer = NULL;

	for (size_t i = 0; i < g->layers.n; i++)
		if (strcmp(g->layers.at[i].name, "BLKROSET") == 0)
			layer = &g->layers.at[i];
	for (size_t i = g->flags.n; i-- > 0;) {
		struct im_flag *flag = &g->flags.at[i];
		CO_CLEANUP_CLOSE int fd = -1;
		int value = flag->before;

		if (!flag->set)
			continue;
		if (!sysfs_read_only(flag->dev) && layer) {
			layer->applied = false;
			prove(layer->proof, sizeof layer->proof,
			      "; the flag of %s was cleared by someone else meanwhile", flag->name);
		}
		flag->set = false;
		if (flag->before)
			continue; /* was not set by us */
		fd = open_node(flag);
		if ((fd < 0 || ioctl(fd, BLKROSET, &value) < 0) && layer)
			prove(layer->proof, sizeof layer->proof, "; %s stays read-only (%s)", flag->name,
			      strerror(errno));
	}
}

static int refuse_open(const char *path, struct co_err *err)
{
	if (errno == EBUSY)
		return co_err_set(err, CO_ERR_FAILED, 0,
				  "%s is busy: the kernel or another program holds it for itself", path);
	return co_err_set(err, CO_ERR_FAILED, errno, "open %s", path);
}

/* Not every file system and device can do O_DIRECT. */
static int open_source(struct im_guard *g, int flags, struct co_err *err)
{
	const char *path = g->device.path;

	g->fd = open(path, flags | O_DIRECT);
	g->direct = g->fd >= 0;
	if (g->fd < 0 && errno == EINVAL)
		g->fd = open(path, flags);
	return g->fd < 0 ? refuse_open(path, err) : 0;
}

static int guard_disk(struct im_guard *g, struct co_err *err)
{
	const struct im_device *d = &g->device;
	int sector = 0, r;
	struct stat st;

	r = add_layer(g, err, "unused", true, "%s and its %zu partitions: no mount, no swap, no holder", d->disk,
		      d->partitions.n);
	if (r == 0)
		r = open_source(g, O_RDONLY | O_EXCL | O_CLOEXEC, err);
	if (r < 0)
		return r;
	if (fstat(g->fd, &st) < 0 || !S_ISBLK(st.st_mode) || st.st_rdev != d->dev)
		return co_err_set(err, CO_ERR_FAILED, 0, "%s became another device while it was opened", d->path);
	if (ioctl(g->fd, BLKGETSIZE64, &g->size) < 0 || ioctl(g->fd, BLKSSZGET, &sector) < 0)
		return co_err_set(err, CO_ERR_FAILED, errno, "ask %s for its size", d->path);
	if (g->size == 0 || sector < 512 || g->size % (unsigned)sector != 0)
		return co_err_set(err, CO_ERR_FAILED, 0, "%s states an impossible size (%llu bytes, sectors of %d)",
				  d->path, (unsigned long long)g->size, sector);
	g->sector = (uint32_t)sector;
	r = add_layer(g, err, "O_EXCL", true, "open with O_EXCL succeeded");
	if (r == 0)
		r = add_layer(g, err, "O_RDONLY", true, "open with O_RDONLY");
	if (r < 0)
		return r;
	/* Before the trace, in which its commands would stand. */
	im_device_probe_hidden(&g->device, g->fd);
	im_trace_begin(&g->tracing, d->disk_dev, NULL);
	r = set_flags(g, err);
	read_counters(d->disk_dev, &g->before);
	return r;
}

static int guard_file(struct im_guard *g, struct co_err *err)
{
	struct stat st;
	int r = open_source(g, O_RDONLY | O_CLOEXEC | O_NOCTTY, err);

	if (r < 0)
		return r;
	if (fstat(g->fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size <= 0)
		return co_err_set(err, CO_ERR_FAILED, 0, "%s is no longer the file it was", g->device.path);
	g->size = (uint64_t)st.st_size;
	g->sector = 512;
	return add_layer(g, err, "O_RDONLY", true, "open with O_RDONLY");
}

int im_guard_open(struct im_guard *ret, const char *path, struct co_err *err)
{
	struct im_guard g = IM_GUARD_NONE;
	IM_CLEANUP_USES struct im_uses uses = { 0 };
	int r = im_uses_load(&uses, NULL, NULL, err);

	if (r == 0)
		r = im_device_identify(&g.device, path, &uses, err);
	if (r == 0 && g.device.in_use)
		r = co_err_set(err, CO_ERR_FAILED, 0, "%s", g.device.in_use);
	if (r == 0)
		r = g.device.kind == IM_KIND_FILE ? guard_file(&g, err) : guard_disk(&g, err);
	if (r < 0) {
		im_guard_close(&g);
		return r;
	}
	*ret = g;
	return 0;
}

int im_guard_open_stream(struct im_guard *ret, struct co_err *err)
{
	struct im_guard g = IM_GUARD_NONE;
	int flags = fcntl(STDIN_FILENO, F_GETFL), r = 0;

	if (flags < 0)
		return co_err_set(err, CO_ERR_FAILED, errno, "standard input can't be read");
	g.device.path = strdup("-");
	g.device.kind = IM_KIND_STREAM;
	g.device.logical_sector = g.device.physical_sector = g.sector = 512;
	im_hidden_unknown(&g.device.hidden, "standard input shows nothing of the drive");
	g.fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	if (!g.device.path || g.fd < 0)
		r = co_err_set(err, CO_ERR_NOMEM, 0, "no memory for standard input");
	if (r == 0)
		r = add_layer(&g, err, "O_RDONLY", (flags & O_ACCMODE) == O_RDONLY,
			      "standard input was opened %s by whoever started the program",
			      (flags & O_ACCMODE) == O_RDONLY ? "for reading" : "for writing, too,");
	if (r < 0) {
		im_guard_close(&g);
		return r;
	}
	*ret = g;
	return 0;
}

static bool is_disk(const struct im_guard *g)
{
	return g->device.kind == IM_KIND_DISK || g->device.kind == IM_KIND_PARTITION;
}

int im_guard_add_layer(struct im_guard *g, const char *name, bool applied, const char *proof, struct co_err *err)
{
	return add_layer(g, err, name, applied, "%s", proof);
}

const struct im_layer *im_guard_absent(const struct im_guard *g)
{
	for (size_t i = 0; i < g->layers.n; i++)
		if (!g->layers.at[i].applied)
			return &g->layers.at[i];
	return NULL;
}

int im_guard_delegate(struct im_guard *g, struct co_sandbox *ret, struct co_err *err)
{
	return !is_disk(g) ? 1 : im_guardian_start(&g->guardian, g, ret, err);
}

void im_guard_release(struct im_guard *g)
{
	if (g->fd >= 0)
		close(g->fd);
	g->fd = -1;
}

/* The counters after the close, since the kernel may count only then. */
static void finish_here(struct im_guard *g)
{
	im_guard_release(g);
	if (!is_disk(g))
		return;
	read_counters(g->device.disk_dev, &g->after);
	im_trace_end(&g->tracing, &g->trace);
	restore_flags(g);
}

void im_guard_finish(struct im_guard *g)
{
	bool open = g->fd >= 0 || g->guardian;

	if (g->finished || !open)
		return;
	g->finished = true;
	if (!g->guardian) {
		finish_here(g);
		return;
	}
	im_guard_release(g);
	im_guardian_finish(CO_TAKE(g->guardian), g);
}

const char *im_guard_why_uncounted(const struct im_guard *g)
{
	if (!is_disk(g))
		return "the source is no disk";
	if (!g->before.valid)
		return "the kernel keeps no counters of this disk (queue/iostats is off)";
	if (!g->after.valid)
		return "the counters could not be read at the end";
	if (g->before.diskseq != g->after.diskseq)
		return "the kernel has attached another disk meanwhile";
	return NULL;
}

int im_guard_writes_seen(const struct im_guard *g, uint64_t *ret)
{
	if (im_guard_why_uncounted(g))
		return 1;
	*ret = g->after.discards - g->before.discards;
	/* The kernel also counts the flush of a sync as a write, of no sectors. Anybody can sync a read-only disk. */
	if (g->after.written_sectors != g->before.written_sectors)
		*ret += g->after.writes - g->before.writes;
	return 0;
}

void im_guard_close(struct im_guard *g)
{
	im_guard_finish(g);
	im_device_free(&g->device);
	co_vec_free(&g->layers);
	co_vec_free(&g->flags);
}
