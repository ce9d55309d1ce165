/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A sink: a file that appears under its final name only when it is complete and on the disk.
 * Written as NAME.part; commit() = flush, fsync, close, rename, fsync of the folder, each of them checked.
 * Every failure is CO_ERR_OUTPUT and names the file.
 */
#ifndef CO_IO_SINK_H
#define CO_IO_SINK_H

#include <stddef.h>
#include <stdio.h>

#include "base/error.h"

struct co_sink;

/* Creates NAME.part (an old one is overwritten; an existing NAME is replaced at commit). */
int co_sink_open(struct co_sink **ret, const char *name, struct co_err *err);
/* Standard output instead of a file: commit() only flushes. */
int co_sink_open_stdout(struct co_sink **ret, struct co_err *err);
/* Buffered; a failure is kept and returned by this and all later calls. */
int co_sink_write(struct co_sink *sink, const void *bytes, size_t len, struct co_err *err);
int co_sink_puts(struct co_sink *sink, const char *text, struct co_err *err);
int co_sink_printf(struct co_sink *sink, struct co_err *err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* The file under its final name, or a negative code and nothing under it. Frees the sink in any case. */
int co_sink_commit(struct co_sink *sink, struct co_err *err);
/* Ends it as @r says: a negative code removes NAME.part and is returned, else commit; then @r, or the code of commit.
 */
int co_sink_finish(struct co_sink *sink, int r, struct co_err *err);
/* Removes NAME.part. NULL is allowed. */
void co_sink_abort(struct co_sink *sink);

/* Writes a whole small file this way. */
int co_sink_write_file(const char *name, const void *bytes, size_t len, struct co_err *err);

/* fsync of a folder, so that names created or renamed in it survive a power cut. */
int co_sync_folder(const char *folder, struct co_err *err);
/* fsync of the folder that @name is in. */
int co_sync_folder_of(const char *name, struct co_err *err);
/* fsync of a file by name. */
int co_sync_file(const char *name, struct co_err *err);
/* rename() and fsync of the target's folder; refuses to replace an existing target. */
int co_rename_new(const char *from, const char *to, struct co_err *err);

#endif
