/* SPDX-License-Identifier: Apache-2.0 */
#include "e01/writer.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libewf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"
#include "e01/amend.h"
#include "e01/pack.h"
#include "e01/segment.h"
#include "io/sink.h"
#include "run/pool.h"

enum {
	DEFAULT_CHUNK = 32 << 10,
	CHUNK_MAX = 32 << 20,
	SEGMENT_RESERVE = 1024, /* of each segment, for the tail that libewf does not write: digest, hash, xheader */
	SEGMENT_OVERHEAD =
		128 << 10, /* headers with long notes, volume, tables: a segment must be larger than a chunk by it */
	TEXT_MAX = 2999,
	VERSION_MAX = 11,
	SYSTEM_MAX = 23,
};
#define DEFAULT_SEGMENT (UINT64_C(1500) << 20)
#define MEDIA_FLAG_IMAGE 0x01 /* libewf.h has names for the other flags only */

struct co_e01_writer {
	libewf_handle_t *ewf;
	struct co_pool *pool;
	struct co_pack pack;
	struct co_pack_job *idle; /* list of jobs that are not in work */
	char *stem;
	char *finished;                    /* as in the options, own */
	uint64_t media_size, put, written; /* bytes */
	uint32_t sector_size;
	bool unknown; /* media_size is what could be put at most */
	bool ended;   /* a buffer was put that has to be the last */
	int (*segment_done)(void *arg, unsigned number, struct co_err *err);
	void *segment_done_arg;
	unsigned segment; /* the one that is being written */
	int64_t time_ns;
	bool dated;            /* the dates of segment 1 are in place */
	struct co_err failure; /* the first; code 0: none */
};

/* --- messages of libewf --- */

/* The innermost cause, without the name of the function in libewf that met it. */
static int ewf_failed(struct co_err *err, int code, int sys, const char *stem, const char *what, libewf_error_t **error)
{
	char trace[2048] = "";
	libewf_error_backtrace_sprint(*error, trace, sizeof trace);
	libewf_error_free(error);
	trace[strcspn(trace, "\n")] = '\0';
	const char *cause = strstr(trace, ": ");
	cause = cause ? cause + 2 : trace;
	size_t n = strlen(cause);
	if (n && cause[n - 1] == '.')
		n--;
	bool known = sys && !strstr(cause, strerrordesc_np(sys) ? strerrordesc_np(sys) : "");
	return co_err_set(err, code, known ? sys : 0, "%s: %s%s%.*s", stem, what, n ? ": " : "", (int)n, cause);
}

/* --- texts of the header --- */

/* Copies what is valid UTF-8 and at most @max bytes; tab, CR and LF become spaces, other control characters go. */
static void clean(struct co_str *s, const char *text, size_t max)
{
	size_t len = strlen(text), kept = 0;
	for (size_t i = 0, n; i < len; i += n) {
		uint32_t code;
		n = co_utf8_len(text + i, len - i, &code);
		if (n == 0) {
			n = 1;
			continue;
		}
		bool blank = code == '\t' || code == '\r' || code == '\n';
		if (!blank && (code < 0x20 || (code >= 0x7F && code < 0xA0)))
			continue;
		if (kept + n > max)
			return;
		co_str_add_n(s, blank ? " " : text + i, n);
		kept += n;
	}
}

static int set_text(struct co_e01_writer *w, const char *name, const char *value, size_t max, struct co_err *err)
{
	CO_CLEANUP_STR struct co_str s = { 0 };
	libewf_error_t *error = NULL;
	if (!value)
		return 0;
	clean(&s, value, max);
	if (s.failed)
		return co_err_set(err, CO_ERR_NOMEM, 0, "no memory for the header of %s", w->stem);
	if (s.n == 0)
		return 0;
	if (libewf_handle_set_utf8_header_value(w->ewf, (const uint8_t *)name, strlen(name), (const uint8_t *)s.s, s.n,
						&error) < 0)
		return ewf_failed(err, CO_ERR_OUTPUT, 0, w->stem, "set a header value", &error);
	return 0;
}

static int set_texts(struct co_e01_writer *w, const struct co_e01_case *info, struct co_err *err)
{
	const struct {
		const char *name, *value;
		size_t max;
	} texts[] = {
		{ "case_number", info->case_number, TEXT_MAX },
		{ "evidence_number", info->evidence_number, TEXT_MAX },
		{ "examiner_name", info->examiner, TEXT_MAX },
		{ "description", info->description, TEXT_MAX },
		{ "notes", info->notes, TEXT_MAX },
		{ "model", info->model, TEXT_MAX },
		{ "serial_number", info->serial, TEXT_MAX },
		{ "acquiry_software_version", info->software_version, VERSION_MAX },
		{ "acquiry_operating_system", info->operating_system, SYSTEM_MAX },
		{ "acquiry_date", CO_E01_DATE_PLACEHOLDER, TEXT_MAX },
		{ "system_date", CO_E01_DATE_PLACEHOLDER, TEXT_MAX },
	};
	int r = 0;
	for (size_t i = 0; r == 0 && i < sizeof texts / sizeof *texts; i++)
		r = set_text(w, texts[i].name, texts[i].value, texts[i].max, err);
	return r;
}

/* --- opening --- */

static int check_options(const struct co_e01_writer_opts *o, uint32_t spc, uint64_t segment, struct co_err *err)
{
	uint64_t chunk = (uint64_t)spc * o->sector_size;
	if (o->sector_size < 128 || o->sector_size > 65536)
		return co_err_set(err, CO_ERR_USAGE, 0,
				  "an E01 image of %" PRIu64 " bytes in sectors of %u is not possible", o->media_size,
				  o->sector_size);
	if (o->media_size % o->sector_size)
		return co_err_set(err, CO_ERR_USAGE, 0,
				  "the medium has %" PRIu64
				  " bytes: not a multiple of its sector size %u, as E01 needs",
				  o->media_size, o->sector_size);
	if (chunk == 0 || chunk > CHUNK_MAX || o->media_size / chunk >= UINT32_MAX)
		return co_err_set(err, CO_ERR_USAGE, 0,
				  "chunks of %u sectors are not possible with this sector and medium size", spc);
	if (o->depth == 0 || o->buffer_size < chunk || o->buffer_size % chunk)
		return co_err_set(err, CO_ERR_USAGE, 0, "buffers of %zu bytes do not hold whole chunks of %" PRIu64,
				  o->buffer_size, chunk);
	if (segment < chunk + SEGMENT_OVERHEAD || segment > INT64_MAX)
		return co_err_set(err, CO_ERR_USAGE, 0, "segments must have at least %" PRIu64 " bytes",
				  chunk + SEGMENT_OVERHEAD);
	if (o->media_size / segment >= CO_E01_SEGMENTS_MAX)
		return co_err_set(err, CO_ERR_USAGE, 0,
				  "segments of %" PRIu64 " bytes are too small: more than %d of them", segment,
				  CO_E01_SEGMENTS_MAX);
	return 0;
}

/* The folder that @stem is in. NULL: no memory. */
static char *folder_of(const char *stem)
{
	const char *slash = strrchr(stem, '/');
	return slash ? strndup(stem, (size_t)(slash - stem) + 1) : strdup(".");
}

/* libewf truncates without asking. All names that it could use are looked for, not only the first: a left-over .E07
 * would be taken for a part of the new image. */
static int check_absent(const char *stem, struct co_err *err)
{
	CO_CLEANUP_FREE char *folder = folder_of(stem);
	const char *slash = strrchr(stem, '/'), *base = slash ? slash + 1 : stem;
	size_t n = strlen(base);
	if (!folder)
		return co_err_set(err, CO_ERR_NOMEM, 0, "no memory for the folder of %s", stem);
	CO_CLEANUP_CLOSEDIR DIR *dir = opendir(folder);
	if (!dir)
		return co_err_set(err, CO_ERR_OUTPUT, errno, "open %s", folder);
	errno = 0;
	for (const struct dirent *e = readdir(dir); e; e = readdir(dir))
		if (strncmp(e->d_name, base, n) == 0 && e->d_name[n] == '.' && strlen(e->d_name + n) == 4)
			return co_err_set(err, CO_ERR_OUTPUT, 0, "%s%s already exists", slash ? folder : "", e->d_name);
	return errno ? co_err_set(err, CO_ERR_OUTPUT, errno, "read %s", folder) : 0;
}

static int compression_level(enum co_compression c)
{
	return c == CO_COMPRESSION_NONE   ? LIBEWF_COMPRESSION_NONE
	       : c == CO_COMPRESSION_BEST ? LIBEWF_COMPRESSION_BEST
					  : LIBEWF_COMPRESSION_FAST;
}

/* RFC 9562, version 4. The fields that hold version and variant are little-endian in E01 files. */
static void make_guid(uint8_t guid[16])
{
	arc4random_buf(guid, 16);
	guid[7] = (uint8_t)(0x40 | (guid[7] & 0x0F));
	guid[8] = (uint8_t)(0x80 | (guid[8] & 0x3F));
}

static int configure(struct co_e01_writer *w, const struct co_e01_writer_opts *o, uint64_t segment, struct co_err *err)
{
	libewf_handle_t *h = w->ewf;
	libewf_error_t *error = NULL;
	uint8_t guid[16];
	uint8_t type = o->removable ? LIBEWF_MEDIA_TYPE_REMOVABLE : LIBEWF_MEDIA_TYPE_FIXED;
	uint8_t flags = MEDIA_FLAG_IMAGE | (o->physical ? LIBEWF_MEDIA_FLAG_PHYSICAL : 0);
	uint32_t spc = w->pack.chunk_size / o->sector_size;
	if (o->guid)
		memcpy(guid, o->guid, sizeof guid);
	else
		make_guid(guid); /* libewf would leave it zero */
	/* The format first: it decides which of the other values are allowed. */
	if (libewf_handle_set_format(h, LIBEWF_FORMAT_ENCASE6, &error) < 0 ||
	    libewf_handle_set_compression_values(h, (int8_t)compression_level(o->compression), 0, &error) < 0 ||
	    (o->media_size && libewf_handle_set_media_size(h, o->media_size, &error) < 0) ||
	    libewf_handle_set_bytes_per_sector(h, o->sector_size, &error) < 0 ||
	    libewf_handle_set_sectors_per_chunk(h, spc, &error) < 0 ||
	    libewf_handle_set_error_granularity(h, 1, &error) < 0 ||
	    libewf_handle_set_media_type(h, type, &error) < 0 || libewf_handle_set_media_flags(h, flags, &error) < 0 ||
	    libewf_handle_set_maximum_segment_size(h, segment - SEGMENT_RESERVE, &error) < 0 ||
	    libewf_handle_set_header_codepage(h, LIBEWF_CODEPAGE_WINDOWS_1252, &error) < 0 ||
	    libewf_handle_set_segment_file_set_identifier(h, guid, sizeof guid, &error) < 0)
		return ewf_failed(err, CO_ERR_OUTPUT, 0, w->stem, "prepare the image", &error);
	return set_texts(w, &o->info, err);
}

static int open_ewf(struct co_e01_writer *w, const struct co_e01_writer_opts *o, uint64_t segment, struct co_err *err)
{
	libewf_error_t *error = NULL;
	char *names[] = { w->stem };
	errno = 0;
	if (libewf_handle_initialize(&w->ewf, &error) < 0)
		return ewf_failed(err, CO_ERR_NOMEM, 0, w->stem, "start libewf", &error);
	if (libewf_handle_open(w->ewf, names, 1, LIBEWF_OPEN_WRITE, &error) < 0)
		return ewf_failed(err, CO_ERR_OUTPUT, errno, w->stem, "create the image", &error);
	return configure(w, o, segment, err);
}

static int make_jobs(struct co_e01_writer *w, unsigned depth, unsigned workers, struct co_err *err)
{
	for (unsigned i = 0; i < depth; i++) {
		struct co_pack_job *job;
		int r = co_pack_job_open(&job, &w->pack, err);
		if (r < 0)
			return r;
		job->next = w->idle;
		w->idle = job;
	}
	return co_pool_open(&w->pool, &co_pack_ops, &w->pack, workers, depth, err);
}

int co_e01_writer_open(struct co_e01_writer **ret, const char *stem, const struct co_e01_writer_opts *opts,
		       struct co_err *err)
{
	uint64_t segment = opts->segment_size ? opts->segment_size : DEFAULT_SEGMENT;
	uint32_t spc = opts->sectors_per_chunk;
	if (spc == 0 && opts->sector_size)
		spc = opts->sector_size < DEFAULT_CHUNK ? DEFAULT_CHUNK / opts->sector_size : 1;
	int r = check_options(opts, spc, segment, err);
	if (r == 0)
		r = check_absent(stem, err);
	if (r < 0)
		return r;
	struct co_e01_writer *w = calloc(1, sizeof *w);
	if (!w)
		return co_err_set(err, CO_ERR_NOMEM, 0, "no memory to write %s", stem);
	w->unknown = opts->media_size == 0;
	w->media_size = w->unknown ? (uint64_t)(UINT32_MAX - 1) * spc * opts->sector_size : opts->media_size;
	w->sector_size = opts->sector_size;
	w->segment_done = opts->segment_done;
	w->segment_done_arg = opts->segment_done_arg;
	w->segment = 1;
	w->time_ns = opts->info.acquiry_time_ns ? opts->info.acquiry_time_ns : co_clock_now();
	w->stem = strdup(stem);
	w->finished = opts->finished ? strdup(opts->finished) : NULL;
	r = w->stem && (w->finished || !opts->finished)
		    ? co_pack_open(&w->pack, opts->compression, spc * opts->sector_size, opts->buffer_size, err)
		    : co_err_set(err, CO_ERR_NOMEM, 0, "no memory to write %s", stem);
	if (r == 0)
		r = open_ewf(w, opts, segment, err);
	if (r == 0)
		r = make_jobs(w, opts->depth, opts->workers, err);
	if (r < 0) {
		co_e01_writer_close(w);
		return r;
	}
	*ret = w;
	return 0;
}

/* --- writing --- */

/* Keeps the first failure: all later calls return it. */
static int fail(struct co_e01_writer *w, int r, const struct co_err *err)
{
	if (r < 0 && w->failure.code == 0) {
		w->failure = err ? *err : (struct co_err) { .code = r, .msg = "the image could not be written" };
		w->failure.code = r;
	}
	return r;
}

static int failed_before(const struct co_e01_writer *w, struct co_err *err)
{
	if (err)
		*err = w->failure;
	return w->failure.code;
}

/* Segments that are finished may have another name. */
static char *name_of(const struct co_e01_writer *w, unsigned number)
{
	return co_e01_segment_name(number < w->segment && w->finished ? w->finished : w->stem, number);
}

/* As long as segment 1 is being written, its first byte is wrong: no program takes it for an image. */
static int set_signature(const struct co_e01_writer *w, uint8_t first, struct co_err *err)
{
	CO_CLEANUP_FREE char *name = co_e01_segment_name(w->stem, 1);
	if (!name)
		return co_err_set(err, CO_ERR_NOMEM, 0, "no memory for segment names");
	int fd = open(name, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return co_err_set(err, CO_ERR_OUTPUT, errno, "open %s", name);
	int sys = pwrite(fd, &first, 1, 0) == 1 ? 0 : errno;
	if (close(fd) < 0 && !sys)
		sys = errno;
	return sys ? co_err_set(err, CO_ERR_OUTPUT, sys, "write %s", name) : 0;
}

static int set_dates(struct co_e01_writer *w, struct co_err *err)
{
	CO_CLEANUP_FREE char *first = co_e01_segment_name(w->stem, 1);
	if (!first)
		return co_err_set(err, CO_ERR_NOMEM, 0, "no memory for segment names");
	w->dated = true;
	int r = co_e01_set_dates(first, w->time_ns, err);
	return r < 0 ? r : set_signature(w, 0, err);
}

static int count_segments(const struct co_e01_writer *w, unsigned *ret, struct co_err *err)
{
	unsigned n = w->segment - 1;
	for (;;) {
		struct stat st;
		CO_CLEANUP_FREE char *name = name_of(w, n + 1);
		if (!name || lstat(name, &st) < 0)
			break;
		n++;
	}
	*ret = n;
	return n >= w->segment ? 0 : co_err_set(err, CO_ERR_OUTPUT, 0, "the last segment of %s has vanished", w->stem);
}

/* libewf takes a short write(2) for a failure and then knows no reason. What the system says when the newest segment
 * is made longer is the reason; 0 if it can be. */
static int why_not_longer(const struct co_e01_writer *w)
{
	static const uint8_t more[64 << 10];
	unsigned n;
	if (count_segments(w, &n, NULL) < 0)
		return 0;
	CO_CLEANUP_FREE char *name = name_of(w, n);
	CO_CLEANUP_CLOSE int fd = name ? open(name, O_WRONLY | O_CLOEXEC) : -1;
	struct stat st;
	if (fd < 0 || fstat(fd, &st) < 0)
		return errno;
	int reason = 0;
	for (off_t off = st.st_size, end = off + (off_t)sizeof more; reason == 0 && off < end;) {
		ssize_t done = pwrite(fd, more, (size_t)(end - off), off);
		off += done > 0 ? done : 0;
		reason = done < 0 && errno != EINTR ? errno : 0;
	}
	return ftruncate(fd, st.st_size) < 0 && !reason ? errno : reason;
}

static int write_failed(struct co_e01_writer *w, int sys, libewf_error_t **error, struct co_err *err)
{
	return ewf_failed(err, CO_ERR_OUTPUT, sys ? sys : why_not_longer(w), w->stem, "the image can't be written",
			  error);
}

static int write_job(struct co_e01_writer *w, const struct co_pack_job *job, struct co_err *err)
{
	size_t left = job->buf->len;
	for (size_t i = 0; i < job->n; i++) {
		struct co_packed *c = &job->chunks[i];
		libewf_error_t *error = NULL;
		size_t len = (size_t)co_min_u64(w->pack.chunk_size, left);
		errno = 0;
		if (libewf_handle_write_chunk(w->ewf, c->bytes, c->len, len, c->compressed, c->checksum, c->adler,
					      !c->compressed, &error) <= 0)
			return write_failed(w, errno, &error, err);
		left -= len;
		w->written += len;
		if (!w->dated) {
			int r = set_dates(w, err);
			if (r < 0)
				return r;
		}
	}
	return 0;
}

/* Segment w->segment is complete. */
static int end_segment(struct co_e01_writer *w, struct co_err *err)
{
	CO_CLEANUP_FREE char *old = co_e01_segment_name(w->stem, w->segment);
	CO_CLEANUP_FREE char *new = w->finished ? co_e01_segment_name(w->finished, w->segment) : NULL;
	if (!old || (w->finished && !new))
		return co_err_set(err, CO_ERR_NOMEM, 0, "no memory for segment names");
	int r = w->segment == 1 ? set_signature(w, 'E', err) : 0;
	if (r == 0 && new &&rename(old, new) < 0)
		r = co_err_set(err, CO_ERR_OUTPUT, errno, "rename %s to %s", old, new);
	w->segment++;
	return r;
}

/* libewf opens the next segment when it has ended the one before. It comes back to all of them if the size of the
 * medium was not known. */
static int tell_done(struct co_e01_writer *w, struct co_err *err)
{
	int r = 0;
	while (r == 0 && !(w->unknown && w->ewf)) {
		struct stat st;
		CO_CLEANUP_FREE char *next = co_e01_segment_name(w->stem, w->segment + 1);
		if (!next || lstat(next, &st) < 0)
			break;
		r = end_segment(w, err);
		if (r == 0 && w->segment_done)
			r = w->segment_done(w->segment_done_arg, w->segment - 1, err);
	}
	return r;
}

/* A job that came back from the pool. */
static int end_job(struct co_e01_writer *w, struct co_pack_job *job, int r, struct co_err *err)
{
	if (r == 0 && w->failure.code)
		r = failed_before(w, err);
	else if (r == 0)
		r = write_job(w, job, err);
	if (r == 0)
		r = tell_done(w, err);
	co_buf_unref(job->buf);
	job->buf = NULL;
	job->next = w->idle;
	w->idle = job;
	return fail(w, r, err);
}

int co_e01_writer_pump(struct co_e01_writer *w, struct co_err *err)
{
	void *job;
	int r = co_pool_take(w->pool, &job, err);
	return r > 0 ? 1 : end_job(w, job, r, err);
}

/* Writes what is done already, so that buffers go back early. */
static int write_done(struct co_e01_writer *w, struct co_err *err)
{
	void *job;
	int r;
	while ((r = co_pool_poll(w->pool, &job, err)) <= 0) {
		r = end_job(w, job, r, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int check_put(const struct co_e01_writer *w, const struct co_buf *buf, struct co_err *err)
{
	uint64_t left = w->media_size - w->put;
	bool is_end = buf->len % w->pack.chunk_size;
	if (w->failure.code)
		return failed_before(w, err);
	if (buf->off != w->put || buf->len == 0 || buf->len > left || buf->len > w->pack.buffer_size || w->ended ||
	    (is_end && (w->unknown ? buf->len % w->sector_size != 0 : buf->len != left)))
		return co_err_set(err, CO_ERR_FAILED, 0,
				  "%s: %zu bytes at %" PRIu64 " are not what follows byte %" PRIu64, w->stem, buf->len,
				  buf->off, w->put);
	return 0;
}

int co_e01_writer_put(struct co_e01_writer *w, struct co_buf *buf, struct co_err *err)
{
	int r = check_put(w, buf, err);
	while (r == 0 && !w->idle)
		r = co_e01_writer_pump(w, err);
	if (r) {
		co_buf_unref(buf);
		return r;
	}
	struct co_pack_job *job = w->idle;
	w->idle = job->next;
	job->buf = buf;
	w->put += buf->len;
	w->ended = buf->len % w->pack.chunk_size;
	co_pool_submit(w->pool, job); /* there are as many jobs as places in the pool */
	return write_done(w, err);
}

/* --- finishing --- */

static int close_ewf(struct co_e01_writer *w, struct co_err *err)
{
	libewf_error_t *error = NULL;
	errno = 0;
	if (libewf_handle_write_finalize(w->ewf, &error) < 0 || libewf_handle_close(w->ewf, &error) != 0)
		return write_failed(w, errno, &error, err);
	libewf_handle_free(&w->ewf, NULL);
	return 0;
}

static int sync_segments(const struct co_e01_writer *w, unsigned n, struct co_err *err)
{
	for (unsigned k = 1; k <= n; k++) {
		CO_CLEANUP_FREE char *name = name_of(w, k);
		int r = name ? co_sync_file(name, err)
			     : co_err_set(err, CO_ERR_NOMEM, 0, "no memory for segment names");
		if (r < 0)
			return r;
	}
	CO_CLEANUP_FREE char *folder = folder_of(w->stem);
	return folder ? co_sync_folder(folder, err)
		      : co_err_set(err, CO_ERR_NOMEM, 0, "no memory for the folder of %s", w->stem);
}

static int finish(struct co_e01_writer *w, unsigned *ret_segments, struct co_err *err)
{
	int r;
	while ((r = co_e01_writer_pump(w, err)) == 0)
		;
	if (r < 0)
		return r;
	if (w->failure.code)
		return failed_before(w, err);
	if (w->unknown && w->written == 0)
		return co_err_set(err, CO_ERR_FAILED, 0, "%s: an image of an empty medium is not possible", w->stem);
	if (!w->unknown && w->written != w->media_size)
		return co_err_set(err, CO_ERR_FAILED, 0, "%s: only %" PRIu64 " of %" PRIu64 " bytes were put", w->stem,
				  w->written, w->media_size);
	r = w->unknown ? set_signature(w, 'E', err) : 0; /* libewf opens all segments again to state the size */
	if (r == 0)
		r = close_ewf(w, err);
	if (r == 0)
		r = count_segments(w, ret_segments, err);
	if (r == 0)
		r = tell_done(w, err);
	if (r == 0)
		r = end_segment(w, err);
	return r < 0 ? r : sync_segments(w, *ret_segments, err);
}

int co_e01_writer_finish(struct co_e01_writer *w, unsigned *ret_segments, struct co_err *err)
{
	unsigned n = 0;
	int r = finish(w, &n, err);
	if (r == 0)
		*ret_segments = n;
	return fail(w, r, err);
}

void co_e01_writer_close(struct co_e01_writer *w)
{
	void *job;
	if (!w)
		return;
	while (w->pool && co_pool_take(w->pool, &job, NULL) <= 0) {
		co_buf_unref(((struct co_pack_job *)job)->buf);
		co_pack_job_close(job);
	}
	co_pool_close(w->pool);
	for (struct co_pack_job *j = w->idle, *next; j; j = next) {
		next = j->next;
		co_pack_job_close(j);
	}
	if (w->ewf) {
		libewf_handle_close(w->ewf, NULL);
		libewf_handle_free(&w->ewf, NULL);
	}
	co_pack_close(&w->pack);
	free(w->stem);
	free(w->finished);
	free(w);
}
