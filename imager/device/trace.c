/* SPDX-License-Identifier: Apache-2.0 */
#include "device/trace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "device/sysfs.h"

enum {
	BUFFER_KB = 256,     /* for each processor; some 66 bytes per event (measured) */
	LINES_MAX = 4000000, /* what is written while it is read could go on forever */
	TRIES = 16,
};

enum { QUEUED, ISSUED, EVENTS };
static const char *const events[EVENTS] = { "block_bio_queue", "block_rq_issue" };

int im_trace_find(char ret[256], const char *mountinfo)
{
	CO_CLEANUP_FCLOSE FILE *f = fopen(mountinfo ? mountinfo : "/proc/self/mountinfo", "re");
	CO_CLEANUP_FREE char *line = NULL;
	size_t cap = 0;

	while (f && getline(&line, &cap, f) > 0) {
		const char *type = strstr(line, " - tracefs ");
		const char *at = line;
		size_t n;

		for (int field = 1; field < 5 && at; field++) {
			at = strchr(at, ' ');
			at = at ? at + 1 : NULL;
		}
		if (!type || !at || at > type)
			continue;
		n = strcspn(at, " ");
		if (n >= 200 || memchr(at, '\\', n)) /* escaped characters: nobody mounts it there */
			continue;
		memcpy(ret, at, n);
		ret[n] = '\0';
		return 0;
	}
	return 1;
}

/* The whole of a small file of the kernel without its last line break; false if it can't be read or is longer. */
static bool read_text(const char *folder, const char *name, char *ret, size_t cap)
{
	char path[512];
	CO_CLEANUP_CLOSE int fd = -1;
	size_t n = 0;
	ssize_t r;

	snprintf(path, sizeof path, "%s/%s", folder, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	while (n < cap && (r = read(fd, ret + n, cap - n)) != 0) {
		if (r < 0)
			return false;
		n += (size_t)r;
	}
	if (n == cap)
		return false;
	if (n > 0 && ret[n - 1] == '\n')
		n--;
	ret[n] = '\0';
	return true;
}

static int write_text(const char *folder, const char *name, const char *text)
{
	char path[512];
	CO_CLEANUP_CLOSE int fd = -1;
	ssize_t n;

	snprintf(path, sizeof path, "%s/%s", folder, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	n = write(fd, text, strlen(text));
	if (n >= 0 && (size_t)n != strlen(text))
		errno = EIO;
	return n == (ssize_t)strlen(text) ? 0 : -1;
}

/* As the kernel holds device numbers, and not as they are handed to programs. */
static unsigned kernel_number(dev_t dev)
{
	return major(dev) << 20 | minor(dev);
}

struct filter {
	char text[4000]; /* the kernel takes less than a page */
	size_t n;
	bool full;
};

static void add_device(struct filter *f, dev_t dev)
{
	int n = snprintf(f->text + f->n, sizeof f->text - f->n, "%sdev == %u", f->n > 1 ? " || " : "",
			 kernel_number(dev));

	f->n += (size_t)n;
	f->full |= f->n + 32 > sizeof f->text;
	if (f->full)
		f->n = 1;
}

static void add_partitions(struct filter *f, dev_t disk)
{
	char folder[64], sub[400];
	CO_CLEANUP_CLOSEDIR DIR *dir = NULL;
	uint64_t number;

	im_sysfs_folder(disk, folder);
	dir = opendir(folder);
	for (const struct dirent *e = dir ? readdir(dir) : NULL; e; e = readdir(dir)) {
		snprintf(sub, sizeof sub, "%s/%s", folder, e->d_name);
		if (e->d_name[0] != '.' && im_sysfs_uint(sub, "partition", &number))
			add_device(f, im_sysfs_dev(sub));
	}
}

/* An event that is recorded without its filter would be filled by the whole machine: all or nothing. */
static int set_event(struct im_trace *t, int event, dev_t disk, struct co_err *err)
{
	struct filter f = { .text = "(", .n = 1 };
	char name[128];

	add_device(&f, disk);
	if (event == QUEUED)
		add_partitions(&f, disk);
	if (f.full)
		return co_err_set(err, CO_ERR_FAILED, 0, "the disk has too many partitions for a filter of the kernel");
	snprintf(f.text + f.n, sizeof f.text - f.n, ") && !(rwbs ~ \"R*\")");
	snprintf(name, sizeof name, "events/block/%s/filter", events[event]);
	if (write_text(t->folder, name, f.text) < 0)
		return co_err_set(err, CO_ERR_FAILED, errno, "the kernel can't filter the event %s", events[event]);
	if (!read_text(t->folder, name, t->filter[event], sizeof t->filter[event]) ||
	    !strstr(t->filter[event], "dev == "))
		return co_err_set(err, CO_ERR_FAILED, 0, "the filter of the event %s can't be read back",
				  events[event]);
	snprintf(name, sizeof name, "events/block/%s/enable", events[event]);
	if (write_text(t->folder, name, "1") < 0)
		return co_err_set(err, CO_ERR_FAILED, errno, "the kernel can't record the event %s", events[event]);
	return 0;
}

static int make_folder(struct im_trace *t, struct co_err *err)
{
	char path[512];

	if (im_trace_find(t->tracefs, NULL) > 0)
		return co_err_set(err, CO_ERR_FAILED, 0, "tracefs is not mounted");
	snprintf(path, sizeof path, "%s/events/block", t->tracefs);
	if (access(path, F_OK) < 0 && errno == ENOENT)
		return co_err_set(err, CO_ERR_FAILED, 0, "this kernel has no events of the block layer");
	for (unsigned i = 0; i < TRIES; i++) {
		/* Never one that is there: it may be in use by a process with our number in another namespace. */
		snprintf(t->folder, sizeof t->folder, "%s/instances/exhibit-%d-%u", t->tracefs, (int)getpid(), i);
		if (mkdir(t->folder, 0700) == 0)
			return 0;
		if (errno != EEXIST)
			break;
	}
	co_err_set(err, CO_ERR_FAILED, errno, "make %s", t->folder);
	t->folder[0] = '\0';
	return CO_ERR_FAILED;
}

int im_trace_begin(struct im_trace *ret, dev_t disk, struct co_err *err)
{
	struct co_err e = CO_ERR_INIT;
	char kb[16];
	int r;

	*ret = (struct im_trace) { 0 };
	r = make_folder(ret, &e);
	snprintf(kb, sizeof kb, "%d", BUFFER_KB);
	if (r == 0 && write_text(ret->folder, "buffer_size_kb", kb) < 0)
		r = co_err_set(&e, CO_ERR_FAILED, errno, "the kernel gives no buffer for a trace");
	for (int i = 0; r == 0 && i < EVENTS; i++)
		r = set_event(ret, i, disk, &e);
	if (r == 0)
		return 0;
	if (ret->folder[0])
		rmdir(ret->folder);
	ret->folder[0] = '\0';
	snprintf(ret->why, sizeof ret->why, "%.255s", e.msg);
	if (err)
		*err = e;
	return 1;
}

static void add_name(struct im_trace_result *r, const char *text)
{
	const char *end = strrchr(text, ']');
	size_t n = end ? (size_t)(end - text) : strlen(text);
	char name[16] = "";

	memcpy(name, text, co_min_u64(n, sizeof name - 1));
	for (unsigned i = 0; i < r->n_names; i++)
		if (strcmp(r->names[i], name) == 0)
			return;
	if (r->n_names == IM_TRACE_NAMES)
		r->more_names = true;
	else
		memcpy(r->names[r->n_names++], name, sizeof name);
}

/* true: a request that is none of the reads; they don't come here unless the filter fails. */
static bool count_kind(struct im_trace_counts *c, const char *flags, uint64_t sectors)
{
	/* F in front means a flush before the request; alone, or without sectors, it is the request. */
	if (flags[0] == 'F' && sectors > 0 && flags[1])
		flags++;
	switch (flags[0]) {
	case 'R':
		return false;
	case 'D':
		c->discards++;
		return true;
	case 'F':
		c->flushes++;
		return true;
	case 'N':
		*(sectors > 0 ? &c->writes : &c->commands) += 1;
		return true;
	default:
		c->writes++;
		return true;
	}
}

/* Behind the name of the event: "7,2 WS 0 + 8 [dd]" or "7,2 WS 4096 () 0 + 8 be,0,4 [dd]" */
static bool count_event(struct im_trace_result *r, struct im_trace_counts *c, const char *text)
{
	const char *flags = strchr(text, ' '), *plus = flags ? strstr(flags, " + ") : NULL;
	const char *name = plus ? strstr(plus, " [") : NULL;
	uint64_t sectors;
	char letters[16] = "", *end;
	size_t n;

	if (!name || strspn(text, "0123456789,") != (size_t)(flags - text))
		return false;
	n = strspn(++flags, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
	if (n == 0 || n >= sizeof letters || flags[n] != ' ')
		return false;
	memcpy(letters, flags, n);
	sectors = strtoull(plus + 3, &end, 10);
	if (end == plus + 3)
		return false;
	if (count_kind(c, letters, sectors))
		add_name(r, name + 2);
	return true;
}

void im_trace_count(struct im_trace_result *r, const char *line)
{
	static const char queued[] = " block_bio_queue: ", issued[] = " block_rq_issue: ";
	/* The name of the process stands before the event, but is too short to hold one. */
	const char *q = strstr(line, queued), *i = strstr(line, issued);

	if (line[0] == '#' || strncmp(line, "CPU:", 4) == 0)
		return;
	if (q && (!i || q < i)) {
		if (count_event(r, &r->queued, q + sizeof queued - 1))
			return;
	} else if (i && count_event(r, &r->issued, i + sizeof issued - 1)) {
		return;
	}
	r->unreadable++;
}

/* Returns false, and says why, if not all could be read. */
static bool read_trace(const struct im_trace *t, struct im_trace_result *r)
{
	char path[512], line[1024];
	CO_CLEANUP_FCLOSE FILE *f = NULL;
	bool inside = false; /* in mid-line */

	snprintf(path, sizeof path, "%s/trace", t->folder);
	f = fopen(path, "re");
	for (unsigned n = 0; f && fgets(line, sizeof line, f); n++) {
		size_t len = strcspn(line, "\n");
		bool ends = line[len] == '\n';

		line[len] = '\0';
		if (n == LINES_MAX) {
			snprintf(r->why, sizeof r->why, "there was more than could be read");
			return false;
		}
		if (inside)
			r->unreadable++;
		else
			im_trace_count(r, line);
		inside = !ends;
	}
	if (!f || ferror(f))
		snprintf(r->why, sizeof r->why, "the trace could not be read (%s)", strerror(errno));
	return f && !ferror(f);
}

static uint64_t number_in(const char *text, const char *key)
{
	const char *at = strstr(text, key);

	return at ? strtoull(at + strlen(key), NULL, 10) : 0;
}

static bool read_lost(const struct im_trace *t, struct im_trace_result *r)
{
	char path[512], text[1024];
	CO_CLEANUP_CLOSEDIR DIR *dir = NULL;
	unsigned seen = 0;

	snprintf(path, sizeof path, "%s/per_cpu", t->folder);
	dir = opendir(path);
	for (const struct dirent *e = dir ? readdir(dir) : NULL; e; e = readdir(dir)) {
		if (strncmp(e->d_name, "cpu", 3) != 0)
			continue;
		snprintf(path, sizeof path, "per_cpu/%s/stats", e->d_name);
		if (!read_text(t->folder, path, text, sizeof text)) {
			snprintf(r->why, sizeof r->why, "the counters of %.32s could not be read", e->d_name);
			return false;
		}
		r->lost += number_in(text, "\noverrun: ") + number_in(text, "\ncommit overrun: ") +
			   number_in(text, "\ndropped events: ");
		seen++;
	}
	if (!seen)
		snprintf(r->why, sizeof r->why, "the counters of the trace could not be read");
	return seen > 0;
}

/* Someone with the rights could have stopped it, or changed what it records. */
static bool still_runs(const struct im_trace *t, struct im_trace_result *r)
{
	char name[128], text[4096];

	if (!read_text(t->folder, "tracing_on", text, sizeof text) || strcmp(text, "1") != 0) {
		snprintf(r->why, sizeof r->why, "the trace was stopped by someone else");
		return false;
	}
	for (int i = 0; i < EVENTS; i++) {
		snprintf(name, sizeof name, "events/block/%s/enable", events[i]);
		if (!read_text(t->folder, name, text, sizeof text) || strcmp(text, "1") != 0) {
			snprintf(r->why, sizeof r->why, "the event %s was switched off by someone else", events[i]);
			return false;
		}
		snprintf(name, sizeof name, "events/block/%s/filter", events[i]);
		if (!read_text(t->folder, name, text, sizeof text) || strcmp(text, t->filter[i]) != 0) {
			snprintf(r->why, sizeof r->why, "the filter of %s was changed by someone else", events[i]);
			return false;
		}
	}
	return true;
}

void im_trace_end(struct im_trace *t, struct im_trace_result *ret)
{
	struct im_trace_result r = { 0 };

	if (!t->folder[0]) {
		snprintf(r.why, sizeof r.why, "%s", t->why[0] ? t->why : "no trace was begun");
		*ret = r;
		return;
	}
	r.complete = still_runs(t, &r) && read_trace(t, &r) && read_lost(t, &r);
	if (r.complete && (r.lost || r.unreadable)) {
		r.complete = false;
		snprintf(r.why, sizeof r.why, "%llu events got lost, %llu could not be read",
			 (unsigned long long)r.lost, (unsigned long long)r.unreadable);
	}
	/* Events that are still enabled don't keep it; only open files do (Linux 6.18). */
	rmdir(t->folder);
	t->folder[0] = '\0';
	*ret = r;
}

static uint64_t all(const struct im_trace_counts *c)
{
	return c->writes + c->discards + c->flushes + c->commands;
}

uint64_t im_trace_non_reads(const struct im_trace_result *r)
{
	return co_max_u64(all(&r->queued), all(&r->issued)) + r->unreadable + r->lost;
}

static void counts_json(struct co_json *j, const char *key, const struct im_trace_counts *c)
{
	co_json_object(j, key);
	co_json_uint(j, "writes", c->writes);
	co_json_uint(j, "discards", c->discards);
	co_json_uint(j, "flushes", c->flushes);
	co_json_uint(j, "commands", c->commands);
	co_json_end_object(j);
}

void im_trace_json(struct co_json *j, const char *key, const struct im_trace_result *r)
{
	co_json_object(j, key);
	co_json_bool(j, "complete", r->complete);
	co_json_str(j, "why_not", r->complete ? NULL : r->why);
	co_json_uint(j, "non_reads", im_trace_non_reads(r));
	counts_json(j, "queued", &r->queued);
	counts_json(j, "issued", &r->issued);
	co_json_uint(j, "lost", r->lost);
	co_json_uint(j, "unreadable", r->unreadable);
	co_json_array(j, "processes");
	for (unsigned i = 0; i < r->n_names; i++)
		co_json_str(j, NULL, r->names[i]);
	co_json_end_array(j);
	co_json_bool(j, "more_processes", r->more_names);
	co_json_end_object(j);
}
