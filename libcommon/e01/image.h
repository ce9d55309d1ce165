/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to e01/: the parts of the reader. files (few descriptors for many segments), set (which files belong
 * together), header (texts), table (where chunks lie), chunk (reads and inflates them), cache (inflated chunks), ahead
 * (fills the cache for reads in order); reader.c puts them together.
 */
#ifndef CO_E01_IMAGE_H
#define CO_E01_IMAGE_H

#include <pthread.h>

#include "base/text.h"
#include "base/vec.h"
#include "e01/codec.h"
#include "e01/reader.h"
#include "e01/section.h"

/* --- warnings --- */

struct co_e01_notes {
	CO_VEC(char *) list;
	size_t left_out; /* behind the first 200 */
	bool failed;     /* memory ran out; checked once, when opening ends */
};
void co_e01_note(struct co_e01_notes *notes, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void co_e01_notes_free(struct co_e01_notes *notes);

/* --- files: at most 64 of them are open --- */

struct co_e01_files;

/* Copies @names; opens nothing yet. */
int co_e01_files_open(struct co_e01_files **ret, const char *const *names, size_t n, struct co_err *err);
void co_e01_files_close(struct co_e01_files *files);
const char *co_e01_files_name(const struct co_e01_files *files, size_t i);
/* A descriptor to read with, valid until release. Any thread. */
int co_e01_files_acquire(struct co_e01_files *files, size_t i, int *ret_fd, struct co_err *err);
void co_e01_files_release(struct co_e01_files *files, size_t i);

/* --- set: the segments of an image, in order --- */

struct co_e01_set {
	CO_VEC(char *) names; /* [0] is segment 1 */
};
/* Finds and orders them; see co_e01_open(). CO_ERR_FORMAT where one is missing or none is an E01 file. @partial: only
 * those that are named; those behind them may be missing. */
int co_e01_set_find(struct co_e01_set *ret, const char *const *names, size_t n, bool partial,
		    struct co_e01_notes *notes, struct co_err *err);
void co_e01_set_free(struct co_e01_set *set);

/* --- header: the texts of an examiner --- */

enum co_e01_text {
	CO_E01_CASE_NUMBER,
	CO_E01_EVIDENCE_NUMBER,
	CO_E01_EXAMINER,
	CO_E01_DESCRIPTION,
	CO_E01_NOTES,
	CO_E01_ACQUIRY_DATE,
	CO_E01_SYSTEM_DATE,
	CO_E01_SOFTWARE_VERSION,
	CO_E01_OPERATING_SYSTEM,
	CO_E01_MODEL,
	CO_E01_SERIAL,
	CO_E01_TEXT_N,
};

/* Adds what is not known yet from the inflated text of header (one byte per character) or header2 (UTF-16).
 * Dates become ISO 8601: seconds since 1970 with Z, the six numbers of header (local time of an unknown zone) without.
 * 0; 1: it has no lines of names and values; < 0: CO_ERR_NOMEM. */
int co_e01_header_parse(const uint8_t *text, size_t len, char *texts[CO_E01_TEXT_N], struct co_err *err);

/* --- table: where each chunk lies --- */

/* The chunks of one table section, or a run of chunks whose table is lost (entries NULL). */
struct co_e01_group {
	uint64_t first; /* chunk */
	uint64_t n;
	uint64_t base; /* added to the offsets in the entries */
	uint64_t end;  /* of the chunk data in the file */
	uint32_t file;
	bool gap; /* unknown number of chunks lost here; n is 0 until co_e01_table_finish */
	uint32_t *entries;
};

struct co_e01_table {
	CO_VEC(struct co_e01_group) groups;
	uint64_t n; /* chunks in all groups */
};

/* One table section as it is in the file. */
struct co_e01_table_part {
	bool present, header_ok, entries_ok;
	uint64_t n, base, end;
	uint32_t *entries; /* NULL unless entries_ok */
};

/* @bytes: content of a table or table2 section at @off. Never fails but for memory. */
int co_e01_table_parse(struct co_e01_table_part *ret, const uint8_t *bytes, size_t len,
		       const struct co_e01_section *section, struct co_err *err);
/* Appends a group from a table and its mirror; takes over the entries of both. */
int co_e01_table_add(struct co_e01_table *t, uint32_t file, struct co_e01_table_part *table,
		     struct co_e01_table_part *table2, struct co_err *err);
int co_e01_table_add_gap(struct co_e01_table *t, uint32_t file, struct co_err *err);
/* Chunks that no table lists are put where the gaps are: what lies before the first gap counts from the beginning, what
 * lies behind the last one from the end. Returns the number of chunks without a table. */
int co_e01_table_finish(struct co_e01_table *t, uint64_t n_chunks, uint64_t *ret_lost, struct co_err *err);
/* Chunks before the first that no table lists; after finish. */
uint64_t co_e01_table_unbroken(const struct co_e01_table *t);
void co_e01_table_free(struct co_e01_table *t);

struct co_e01_place {
	uint32_t file;
	uint64_t off, len; /* stored bytes; len is an upper bound for compressed chunks */
	bool compressed;
};
/* NULL: past the end. */
const struct co_e01_group *co_e01_table_group(const struct co_e01_table *t, uint64_t chunk);
/* 0, or 1: no table tells, or it points outside of its file. */
int co_e01_table_place(const struct co_e01_table *t, uint64_t chunk, struct co_e01_place *ret);

/* --- cache: inflated chunks --- */

struct co_e01_cache;

/* Keeps at most @bytes (0: 64 MiB) of chunks; memory is taken when they come. @n_chunks: of the image. */
int co_e01_cache_open(struct co_e01_cache **ret, size_t bytes, size_t chunk_size, uint64_t n_chunks,
		      struct co_err *err);
void co_e01_cache_close(struct co_e01_cache *cache);
/* Chunks that it may hold. */
size_t co_e01_cache_chunks(const struct co_e01_cache *cache);
/* Is the chunk there? Does not count as a use of it. Any thread. */
bool co_e01_cache_has(struct co_e01_cache *cache, uint64_t chunk);
/* Copies [off, off + len) of the chunk if it is there. Any thread. */
bool co_e01_cache_get(struct co_e01_cache *cache, uint64_t chunk, size_t off, size_t len, void *buf);
/* Puts the chunk in. The cache takes over *bytes (chunk_size bytes from malloc) and gives back another buffer of that
 * size or NULL. Any thread. */
void co_e01_cache_put(struct co_e01_cache *cache, uint64_t chunk, uint8_t **bytes);

/* --- ahead: chunks are inflated before they are asked for --- */

struct co_e01_image;
struct co_e01_ahead;

/* *ret is NULL if there is nothing to do: no threads, or a cache too small for it. The image has its sizes and its
 * cache by now; both outlive *ret. */
int co_e01_ahead_open(struct co_e01_ahead **ret, struct co_e01_image *img, unsigned threads, struct co_err *err);
void co_e01_ahead_close(struct co_e01_ahead *ahead);
/* A read of [off, off + len) begins. If it goes on where others ended, what lies behind it is put into the cache
 * meanwhile. Never blocks for long. Any thread. */
void co_e01_ahead_note(struct co_e01_ahead *ahead, uint64_t off, size_t len);
/* Is the chunk being loaded, or about to be? Any thread. */
bool co_e01_ahead_has(struct co_e01_ahead *ahead, uint64_t chunk);
/* Waits for a chunk that is being loaded; true: it has ended, and is in the cache unless it is damaged. False: the
 * chunk is not, and will not be loaded. Any thread. */
bool co_e01_ahead_wait(struct co_e01_ahead *ahead, uint64_t chunk);

/* --- the image --- */

enum { CO_E01_ZEROS_MAX = 1024 };

/* What one reading thread needs for one chunk. */
struct co_e01_scratch {
	struct co_codec *codec;
	uint8_t *stored;                 /* a chunk, or a run of them */
	uint8_t *inflated;               /* chunk_size bytes, or NULL until needed */
	uint8_t zeros[CO_E01_ZEROS_MAX]; /* stored bytes that were seen to inflate to zeros only */
	size_t zeros_len;                /* of them; 0: none were seen */
	size_t zeros_size;               /* of what they inflate to */
	struct co_e01_scratch *next;
};

struct co_e01_image {
	struct co_e01_info info;
	struct co_e01_set set;
	struct co_e01_files *files;
	struct co_e01_table table;
	struct co_e01_cache *cache;
	struct co_e01_ahead *ahead; /* NULL: does not read ahead */
	struct co_e01_notes notes;
	struct co_e01_volume volume;
	bool have_volume;
	bool partial; /* as in struct co_e01_opts */
	char *texts[CO_E01_TEXT_N];
	struct {
		uint64_t (*at)[2]; /* first sector, sectors */
		size_t n, cap;
	} errors;
	size_t in_cap;        /* most bytes that a stored chunk may have */
	pthread_mutex_t lock; /* of idle */
	struct co_e01_scratch *idle;
};

/* NULL: no memory. */
struct co_e01_scratch *co_e01_scratch_borrow(struct co_e01_image *img, struct co_err *err);
void co_e01_scratch_return(struct co_e01_image *img, struct co_e01_scratch *s);
/* Frees those that nobody has borrowed. */
void co_e01_scratch_free(struct co_e01_image *img);

/* Bytes of the medium in a chunk. */
size_t co_e01_chunk_len(const struct co_e01_image *img, uint64_t chunk);
/* Does it cost much more to load than to copy? Not so if it is raw, or compressed to next to nothing. */
bool co_e01_chunk_is_costly(const struct co_e01_image *img, uint64_t chunk);
/* Brings a chunk into @out. 0: *ret_len >= @expect bytes are there. 1: damaged, *err tells how. Any thread. */
int co_e01_chunk_load(const struct co_e01_image *img, struct co_e01_scratch *s, uint64_t chunk, size_t expect,
		      uint8_t *out, size_t cap, size_t *ret_len, struct co_err *err);
/* Brings @n chunks of full size into @out. 0: all. 1: *ret_n are there, and the one behind is damaged. Any thread. */
int co_e01_chunk_load_whole(const struct co_e01_image *img, struct co_e01_scratch *s, uint64_t chunk, size_t n,
			    uint8_t *out, size_t *ret_n, struct co_err *err);

/* Walks all segments and fills everything but info, cache and the sizes that depend on them. */
int co_e01_image_scan(struct co_e01_image *img, struct co_err *err);

#endif
