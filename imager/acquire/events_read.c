/* SPDX-License-Identifier: Apache-2.0 */
#include "acquire/events_read.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "acquire/json_read.h"
#include "base/cleanup.h"
#include "hash/digest.h"
#include "io/source.h"

#define SIZE_MAX_READ ((uint64_t)256 << 20)

struct walk {
	struct im_events_head head; /* of what was read so far */
	uint64_t foreign;           /* first line that is no event; they count from 1, 0: none */
	uint64_t broken;            /* first line that does not follow the one before */
};

static bool is_event(const json_t *event)
{
	return json_is_integer(json_object_get(event, "seq")) && json_is_string(json_object_get(event, "prev"));
}

static bool follows(const json_t *event, const struct im_events_head *before)
{
	return json_integer_value(json_object_get(event, "seq")) == (json_int_t)before->count &&
	       strcmp(json_string_value(json_object_get(event, "prev")), before->sha256) == 0;
}

static int add_line(struct walk *w, char *line, size_t n, struct co_err *err)
{
	struct co_digests digests;
	json_t *event = NULL;
	/* Before it is parsed, which may change it. */
	int r = co_digest_bytes(CO_HASH_BIT(CO_HASH_SHA256), line, n, &digests, err);

	if (r < 0)
		return r;
	if (im_json_parse(line, n, &event, NULL) < 0 || !is_event(event))
		w->foreign = w->foreign ? w->foreign : w->head.count + 1;
	else if (!follows(event, &w->head))
		w->broken = w->broken ? w->broken : w->head.count + 1;
	json_decref(event);
	co_digests_hex(&digests, CO_HASH_SHA256, w->head.sha256);
	w->head.count++;
	return 0;
}

static int walk(struct walk *w, char *text, size_t size, struct co_err *err)
{
	char *end = text + size, *stop;
	int r = 0;

	*w = (struct walk) { 0 };
	memset(w->head.sha256, '0', 64);
	for (char *line = text; r == 0 && line < end; line = stop + 1) {
		stop = memchr(line, '\n', (size_t)(end - line));
		if (!stop)
			stop = end;
		r = add_line(w, line, (size_t)(stop - line), err);
	}
	return r;
}

static int load(const char *file, char **ret, size_t *ret_n, struct co_err *err)
{
	CO_CLEANUP_SOURCE struct co_source src = CO_SOURCE_NONE;
	CO_CLEANUP_FREE char *text = NULL;
	int r = co_source_open_file(&src, file, err);

	if (r < 0)
		return r;
	if (src.size > SIZE_MAX_READ)
		return co_err_set(err, CO_ERR_FAILED, 0, "%s is too large for a log of events", file);
	text = malloc(src.size);
	if (!text)
		return co_err_set(err, CO_ERR_NOMEM, 0, "no memory for %s", file);
	r = co_source_read_full(&src, text, src.size, 0, err);
	if (r < 0)
		return r;
	*ret_n = src.size;
	*ret = CO_TAKE(text);
	return 0;
}

int im_events_check(const char *file, const struct im_events_head *stated, im_damage_fn *tell, void *arg,
		    struct co_err *err)
{
	CO_CLEANUP_FREE char *text = NULL;
	char sentence[4096 + 256]; /* a file name and numbers */
	struct walk w = { 0 };
	size_t size = 0;
	int r = load(file, &text, &size, err);

	if (r == 0)
		r = walk(&w, text, size, err);
	if (r < 0)
		return r;
	if (w.foreign) {
		snprintf(sentence, sizeof sentence, "%s: line %" PRIu64 " is not an event", file, w.foreign);
		tell(arg, sentence);
	}
	if (w.broken) {
		snprintf(sentence, sizeof sentence,
			 "%s: the chain of events is broken at line %" PRIu64
			 ": it or a line before it was changed, added or taken out",
			 file, w.broken);
		tell(arg, sentence);
	}
	if (w.head.count != stated->count)
		snprintf(sentence, sizeof sentence,
			 "%s holds %" PRIu64 " events, but the record states %" PRIu64 ": %s", file, w.head.count,
			 stated->count, w.head.count < stated->count ? "it was cut" : "some were added");
	else if (stated->count && strcmp(w.head.sha256, stated->sha256) != 0)
		snprintf(sentence, sizeof sentence, "%s: its last line is not the one whose digest the record states",
			 file);
	else
		return 0;
	tell(arg, sentence);
	return 0;
}
