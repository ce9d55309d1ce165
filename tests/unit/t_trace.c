/* SPDX-License-Identifier: Apache-2.0 */
#include "device/trace.h"

#include <fcntl.h>
#include <linux/blkpg.h>
#include <linux/fs.h>
#include <linux/loop.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>

#include "folder.h"
#include "suites.h"

/* Lines as Linux 6.18 wrote them. */
#define HEAD "              dd-12264   [000] ..... 22923.111765: "

static struct im_trace_result count(const char *line)
{
	struct im_trace_result r = { 0 };

	im_trace_count(&r, line);
	return r;
}

START_TEST(requests_are_counted_by_kind)
{
	struct im_trace_result r = { 0 };

	im_trace_count(&r, "# tracer: nop");
	im_trace_count(&r, "#");
	im_trace_count(&r, HEAD "block_bio_queue: 7,2 WS 0 + 1 [dd]");
	im_trace_count(&r, HEAD "block_rq_issue: 7,2 WS 512 () 0 + 1 be,0,4 [dd]");
	ck_assert_uint_eq(r.queued.writes, 1);
	ck_assert_uint_eq(r.issued.writes, 1);
	ck_assert_uint_eq(im_trace_non_reads(&r), 1);
	im_trace_count(&r, HEAD "block_bio_queue: 7,2 FWS 0 + 0 [dd]");
	im_trace_count(&r, "    kworker/0:1H-58      [000] ..... 1.113289: block_rq_issue: 7,2 FF 0 () 0 + 0 none,0,0 "
			   "[kworker/0:1H]");
	ck_assert_uint_eq(r.queued.flushes, 1);
	ck_assert_uint_eq(r.issued.flushes, 1);
	im_trace_count(&r, HEAD "block_bio_queue: 7,2 DS 2048 + 128 [blkdiscard]");
	im_trace_count(&r, HEAD "block_bio_queue: 259,3 DE 2048 + 128 [blkdiscard]");
	ck_assert_uint_eq(r.queued.discards, 2);
	im_trace_count(&r, HEAD "block_bio_queue: 7,2 FWFS 8 + 8 [dd]"); /* flush, write, force unit access */
	im_trace_count(&r, HEAD "block_bio_queue: 7,2 N 8 + 8 [dd]");    /* a write of zeros */
	im_trace_count(&r, HEAD "block_bio_queue: 7,2 ZR 8 + 8 [dd]");
	ck_assert_uint_eq(r.queued.writes, 4);
	im_trace_count(&r, HEAD "block_rq_issue: 8,0 N 0 () 0 + 0 none,0,0 [hdparm]");
	im_trace_count(&r, HEAD "block_rq_issue: 8,0 N 512 (85 08 0e) 0 + 0 [hdparm]"); /* an older kernel */
	ck_assert_uint_eq(r.issued.commands, 2);
	im_trace_count(&r, HEAD "block_bio_queue: 7,2 RAM 0 + 8 [dd]");
	ck_assert_uint_eq(im_trace_non_reads(&r), 7);
	ck_assert_uint_eq(r.unreadable, 0);
	ck_assert_uint_eq(r.n_names, 4);
	ck_assert_str_eq(r.names[0], "dd");
	ck_assert_str_eq(r.names[1], "kworker/0:1H");
	ck_assert_str_eq(r.names[2], "blkdiscard");
	ck_assert_str_eq(r.names[3], "hdparm");
}
END_TEST

START_TEST(names_of_processes_can_be_anything)
{
	struct im_trace_result r = count("            y [z-1 [000] ..... 1.1: block_bio_queue: 7,2 WS 0 + 8 [ y [z]]");

	ck_assert_uint_eq(r.queued.writes, 1);
	ck_assert_str_eq(r.names[0], " y [z]");
	r = count("  block_rq_issue-1 [000] ..... 1.1: block_bio_queue: 7,2 WS 0 + 8 [block_rq_issue:]");
	ck_assert_uint_eq(r.queued.writes, 1);
	ck_assert_uint_eq(r.issued.writes, 0);
	for (char c = 'a'; c < 'a' + 10; c++) {
		char line[200];

		snprintf(line, sizeof line, HEAD "block_bio_queue: 7,2 W 0 + 1 [%c]", c);
		im_trace_count(&r, line);
	}
	ck_assert_uint_eq(r.n_names, IM_TRACE_NAMES);
	ck_assert(r.more_names);
	ck_assert_uint_eq(r.queued.writes, 11);
}
END_TEST

START_TEST(what_is_no_event_is_not_passed_over)
{
	static const char *const lines[] = {
		"",
		"x",
		"   nonsense",
		HEAD "block_bio_queue:",
		HEAD "block_bio_queue: ",
		HEAD "block_bio_queue: 7,2",
		HEAD "block_bio_queue: 7,2 WS",
		HEAD "block_bio_queue: 7,2 WS 0 + x [dd]",
		HEAD "block_bio_queue: 7,2 ws 0 + 1 [dd]",
		HEAD "block_bio_queue: seven WS 0 + 1 [dd]",
		HEAD "block_bio_queue: 7,2 WWWWWWWWWWWWWWWWWWWWWWWWWWW 0 + 1 [dd]",
		HEAD "block_rq_complete: 7,2 WS () 0 + 1 [0]",
	};

	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
		struct im_trace_result r = count(lines[i]);

		ck_assert_msg(r.unreadable == 1, "line '%s'", lines[i]);
		ck_assert_uint_eq(im_trace_non_reads(&r), 1);
	}
}
END_TEST

START_TEST(tracefs_is_found_in_the_table_of_mounts)
{
	struct folder dir;
	char where[256] = "";

	folder_make(&dir);
	folder_puts(&dir, "none", "22 1 252:1 / / rw - ext4 /dev/root rw\ngarbage\n - tracefs \n");
	ck_assert_int_eq(im_trace_find(where, in_folder(&dir, "none")), 1);
	folder_puts(&dir, "some",
		    "22 1 252:1 / /x rw - ext4 tracefs rw\n"
		    "30 22 0:12 / /sys/kernel/debug\\040x/tracing rw shared:3 - tracefs tracefs rw\n"
		    "31 22 0:12 / /sys/kernel/tracing rw,nosuid shared:3 - tracefs tracefs rw\n");
	ck_assert_int_eq(im_trace_find(where, in_folder(&dir, "some")), 0);
	ck_assert_str_eq(where, "/sys/kernel/tracing");
	ck_assert_int_eq(im_trace_find(where, in_folder(&dir, "absent")), 1);
	folder_remove(&dir);
}
END_TEST

START_TEST(without_a_begin_there_is_a_reason)
{
	struct im_trace trace = { 0 };
	struct im_trace_result r;
	struct co_err err = CO_ERR_INIT;

	im_trace_end(&trace, &r);
	ck_assert(!r.complete);
	ck_assert_str_eq(r.why, "no trace was begun");
	if (geteuid() == 0 && im_trace_find(trace.tracefs, NULL) == 0)
		return;
	ck_assert_int_eq(im_trace_begin(&trace, 0, &err), 1);
	ck_assert_str_eq(trace.why, err.msg);
	im_trace_end(&trace, &r);
	ck_assert(!r.complete);
	ck_assert_str_eq(r.why, err.msg);
}
END_TEST

/* A disk of our own. */
struct disk {
	struct folder dir;
	char name[64];
	int fd;
	dev_t dev;
	uint8_t *buf;
};

static bool skip(const char *why)
{
	fprintf(stderr, "skipped: tracing a disk: %s\n", why);
	return false;
}

/* The mount is seen by this process alone, and ends with it. */
static bool mount_tracefs(void)
{
	char where[256];

	if (geteuid() != 0)
		return skip("needs root");
	if (im_trace_find(where, NULL) == 0)
		return true;
	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return skip("own mounts");
	if (mount("none", "/sys/kernel/tracing", "tracefs", 0, NULL) < 0)
		return skip("mount tracefs");
	return true;
}

static bool attach(struct disk *d)
{
	int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC), back, off = 0;
	struct loop_config config = { .info.lo_flags = LO_FLAGS_AUTOCLEAR | LO_FLAGS_PARTSCAN };
	struct stat st;

	folder_puts(&d->dir, "disk", "");
	ck_assert_int_eq(truncate(in_folder(&d->dir, "disk"), 8 << 20), 0);
	back = open(in_folder(&d->dir, "disk"), O_RDWR | O_CLOEXEC);
	config.fd = (unsigned)back;
	d->fd = -1;
	for (int i = 0; i < 20 && control >= 0 && d->fd < 0; i++) { /* others take them too */
		snprintf(d->name, sizeof d->name, "/dev/loop%d", ioctl(control, LOOP_CTL_GET_FREE));
		d->fd = open(d->name, O_RDWR | O_DIRECT | O_CLOEXEC);
		if (d->fd >= 0 && ioctl(d->fd, LOOP_CONFIGURE, &config) < 0) {
			close(d->fd);
			d->fd = -1;
		}
	}
	close(back);
	if (control >= 0)
		close(control);
	if (d->fd < 0)
		return skip("no loop device");
	ck_assert_int_eq(ioctl(d->fd, BLKROSET, &off), 0);
	ck_assert_int_eq(fstat(d->fd, &st), 0);
	d->dev = st.st_rdev;
	d->buf = aligned_alloc(4096, 65536);
	ck_assert_ptr_nonnull(d->buf);
	memset(d->buf, 0x5a, 65536);
	return true;
}

static bool disk_open(struct disk *d)
{
	*d = (struct disk) { .fd = -1 };
	if (!mount_tracefs())
		return false;
	folder_make(&d->dir);
	if (attach(d))
		return true;
	folder_remove(&d->dir);
	return false;
}

static void disk_close(struct disk *d)
{
	close(d->fd);
	free(d->buf);
	folder_remove(&d->dir);
}

static struct im_trace begin(const struct disk *d)
{
	struct im_trace trace;
	struct co_err err = CO_ERR_INIT;
	int r = im_trace_begin(&trace, d->dev, &err);

	ck_assert_msg(r == 0, "%s", err.msg);
	return trace;
}

START_TEST(reads_of_a_disk_leave_nothing)
{
	struct disk d;
	struct im_trace trace;
	struct im_trace_result r;
	char folder[512];

	if (!disk_open(&d))
		return;
	trace = begin(&d);
	snprintf(folder, sizeof folder, "%s", trace.folder);
	ck_assert_int_eq(access(folder, F_OK), 0);
	for (off_t at = 0; at < 8 << 20; at += 4096)
		ck_assert_int_eq(pread(d.fd, d.buf, 4096, at), 4096);
	im_trace_end(&trace, &r);
	ck_assert_msg(r.complete, "%s", r.why);
	ck_assert_uint_eq(im_trace_non_reads(&r), 0);
	ck_assert_uint_eq(r.lost, 0);
	ck_assert_uint_eq(r.n_names, 0);
	ck_assert_int_lt(access(folder, F_OK), 0);
	im_trace_end(&trace, &r);
	ck_assert(!r.complete);
	disk_close(&d);
}
END_TEST

START_TEST(exactly_what_was_not_read_is_counted)
{
	uint64_t range[2] = { 1 << 20, 65536 };
	struct disk d;
	struct im_trace trace;
	struct im_trace_result r;

	if (!disk_open(&d))
		return;
	prctl(PR_SET_NAME, "a writer [1]");
	trace = begin(&d);
	ck_assert_int_eq(pread(d.fd, d.buf, 4096, 0), 4096);
	ck_assert_int_eq(pwrite(d.fd, d.buf, 512, 0), 512);
	im_trace_end(&trace, &r);
	ck_assert_msg(r.complete, "%s", r.why);
	ck_assert_uint_eq(r.queued.writes, 1);
	ck_assert_uint_eq(r.issued.writes, 1);
	ck_assert_uint_eq(im_trace_non_reads(&r), 1);
	ck_assert_uint_eq(r.n_names, 1);
	ck_assert_str_eq(r.names[0], "a writer [1]");

	trace = begin(&d);
	ck_assert_int_eq(ioctl(d.fd, BLKDISCARD, range), 0);
	ck_assert_int_eq(fsync(d.fd), 0);
	im_trace_end(&trace, &r);
	ck_assert_msg(r.complete, "%s", r.why);
	ck_assert_uint_eq(r.queued.discards, 1);
	ck_assert_uint_eq(r.issued.discards, 1);
	ck_assert_uint_eq(r.queued.writes + r.issued.writes, 0);
	ck_assert_uint_eq(r.queued.flushes, 1);
	ck_assert_uint_eq(im_trace_non_reads(&r), 2);

	trace = begin(&d);
	ck_assert_int_eq(ioctl(d.fd, BLKZEROOUT, range), 0);
	im_trace_end(&trace, &r);
	ck_assert_uint_ge(r.queued.writes, 1);
	ck_assert_uint_eq(r.queued.commands + r.queued.discards, 0);
	disk_close(&d);
}
END_TEST

START_TEST(writes_through_a_partition_are_seen)
{
	struct blkpg_partition part = { .start = 1 << 20, .length = 2 << 20, .pno = 1 };
	struct blkpg_ioctl_arg arg = { .op = BLKPG_ADD_PARTITION, .datalen = sizeof part, .data = &part };
	struct disk d;
	struct im_trace trace;
	struct im_trace_result r;
	char name[80];
	int fd = -1;

	if (!disk_open(&d))
		return;
	snprintf(name, sizeof name, "%sp1", d.name);
	if (ioctl(d.fd, BLKPG, &arg) == 0)
		fd = open(name, O_RDWR | O_DIRECT | O_CLOEXEC);
	if (fd < 0) {
		skip("no partitions of loop devices");
	} else {
		trace = begin(&d);
		ck_assert_int_eq(pwrite(fd, d.buf, 4096, 0), 4096);
		im_trace_end(&trace, &r);
		ck_assert_msg(r.complete, "%s", r.why);
		ck_assert_uint_eq(r.queued.writes, 1);
		ck_assert_uint_eq(r.issued.writes, 1);
		close(fd);
		arg.op = BLKPG_DEL_PARTITION;
		ck_assert_int_eq(ioctl(d.fd, BLKPG, &arg), 0);
	}
	disk_close(&d);
}
END_TEST

static void put(const struct im_trace *trace, const char *name, const char *text)
{
	char path[512];
	int fd;

	snprintf(path, sizeof path, "%s/%s", trace->folder, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

START_TEST(a_trace_that_was_tampered_with_proves_nothing)
{
	static const char *const changes[][2] = {
		{ "events/block/block_rq_issue/enable", "0" },
		{ "events/enable", "0" },
		{ "tracing_on", "0" },
		{ "events/block/block_bio_queue/filter", "0" },
		{ "events/block/block_rq_issue/filter", "dev == 5" },
	};
	struct disk d;
	struct im_trace_result r;

	if (!disk_open(&d))
		return;
	for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
		struct im_trace trace = begin(&d);

		put(&trace, changes[i][0], changes[i][1]);
		im_trace_end(&trace, &r);
		ck_assert_msg(!r.complete && r.why[0], "%s", changes[i][0]);
	}
	disk_close(&d);
}
END_TEST

START_TEST(more_writes_than_the_buffer_holds_are_told)
{
	struct disk d;
	struct im_trace trace;
	struct im_trace_result r;

	if (!disk_open(&d))
		return;
	trace = begin(&d);
	put(&trace, "buffer_size_kb", "8");
	for (int i = 0; i < 2000; i++)
		ck_assert_int_eq(pwrite(d.fd, d.buf, 512, 0), 512);
	im_trace_end(&trace, &r);
	ck_assert(!r.complete);
	ck_assert_uint_gt(r.lost, 0);
	ck_assert_uint_ge(im_trace_non_reads(&r), 2000);
	disk_close(&d);
}
END_TEST

Suite *t_trace_suite(void)
{
	Suite *s = suite_create("trace");
	TCase *t = tcase_create("lines");

	tcase_add_test(t, requests_are_counted_by_kind);
	tcase_add_test(t, names_of_processes_can_be_anything);
	tcase_add_test(t, what_is_no_event_is_not_passed_over);
	tcase_add_test(t, tracefs_is_found_in_the_table_of_mounts);
	tcase_add_test(t, without_a_begin_there_is_a_reason);
	suite_add_tcase(s, t);
	t = tcase_create("disk");
	tcase_set_timeout(t, 60);
	tcase_add_test(t, reads_of_a_disk_leave_nothing);
	tcase_add_test(t, exactly_what_was_not_read_is_counted);
	tcase_add_test(t, writes_through_a_partition_are_seen);
	tcase_add_test(t, a_trace_that_was_tampered_with_proves_nothing);
	tcase_add_test(t, more_writes_than_the_buffer_holds_are_told);
	suite_add_tcase(s, t);
	return s;
}
