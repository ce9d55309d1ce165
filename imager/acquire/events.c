/* SPDX-License-Identifier: Apache-2.0 */
#include "acquire/events.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "hash/digest.h"
#include "io/sink.h"
#include "manifest/json.h"

struct im_events {
	struct co_sink *sink;
	struct im_events_head head;
	struct co_err failure; /* the first one */
};

int im_events_open(struct im_events **ret, const char *file, struct co_err *err)
{
	struct im_events *e = calloc(1, sizeof *e);
	int r;

	if (!e)
		return co_err_set(err, CO_ERR_NOMEM, 0, "no memory for the log of events");
	memset(e->head.sha256, '0', 64);
	r = co_sink_open(&e->sink, file, err);
	if (r < 0) {
		free(e);
		return r;
	}
	*ret = e;
	return 0;
}

static int line_of(const struct im_events *e, const char *event, const char *text, struct co_str *ret,
		   struct co_err *err)
{
	struct co_json j;

	co_json_to_str(&j, ret, false);
	co_json_object(&j, NULL);
	co_json_uint(&j, "seq", e->head.count);
	co_json_time(&j, "time", co_clock_now());
	co_json_str(&j, "event", event);
	co_json_str(&j, "text", text);
	co_json_str(&j, "prev", e->head.sha256);
	co_json_end_object(&j);
	return co_json_end(&j, err);
}

static int add(struct im_events *e, const char *event, const char *text, struct co_err *err)
{
	CO_CLEANUP_STR struct co_str line = { 0 };
	struct co_digests digests;
	int r = line_of(e, event, text, &line, err);

	if (r == 0)
		r = co_digest_bytes(CO_HASH_BIT(CO_HASH_SHA256), co_str_get(&line), line.n, &digests, err);
	if (r == 0)
		r = co_sink_write(e->sink, co_str_get(&line), line.n, err);
	if (r == 0)
		r = co_sink_puts(e->sink, "\n", err);
	if (r < 0)
		return r;
	co_digests_hex(&digests, CO_HASH_SHA256, e->head.sha256);
	e->head.count++;
	return 0;
}

void im_events_add(struct im_events *e, const char *event, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	if (!e || e->failure.code)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	add(e, event, text, &e->failure);
}

int im_events_commit(struct im_events *e, struct im_events_head *ret, struct co_err *err)
{
	struct im_events_head head = e->head;
	int r = e->failure.code;

	if (r < 0) {
		if (err)
			*err = e->failure;
		im_events_abort(e);
		return r;
	}
	r = co_sink_commit(e->sink, err);
	free(e);
	if (r == 0)
		*ret = head;
	return r;
}

void im_events_abort(struct im_events *e)
{
	if (!e)
		return;
	co_sink_abort(e->sink);
	free(e);
}
