/* SPDX-License-Identifier: Apache-2.0 */
#include "device/samples.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "hash/digest.h"

#define ALIGN ((uint64_t)4096)
#define EDGE ((uint64_t)1 << 20)
#define PIECE ((uint64_t)64 << 10)

static void place(struct im_samples *s, uint64_t offset, uint64_t length)
{
	s->at[s->n++] = (struct im_sample) { .offset = offset, .length = length };
}

/* Where they lie: of the size alone. */
static void plan(struct im_samples *s)
{
	uint64_t last = s->size > EDGE ? (s->size - EDGE) / ALIGN * ALIGN : 0;

	place(s, 0, co_min_u64(EDGE, s->size));
	for (uint64_t i = 1; s->size > EDGE && i < IM_SAMPLES - 1; i++) {
		uint64_t at = (s->size / (IM_SAMPLES - 1) * i) / ALIGN * ALIGN;

		place(s, at, co_min_u64(PIECE, s->size - at));
	}
	if (s->size > EDGE)
		place(s, last, s->size - last);
}

static int take_one(struct im_sample *sample, const struct co_source *src, uint8_t *buf, struct co_err *err)
{
	struct co_digests d;
	struct co_err why = CO_ERR_INIT;
	size_t good = 0;
	int r = co_source_read(src, buf, sample->length, sample->offset, &good, &why);

	if (r < 0) {
		*err = why;
		return r;
	}
	sample->readable = r == 0;
	if (r > 0)
		return 0;
	r = co_digest_bytes(CO_HASH_BIT(CO_HASH_SHA256), buf, sample->length, &d, err);
	if (r == 0)
		memcpy(sample->sha256, d.of[CO_HASH_SHA256].bytes, sizeof sample->sha256);
	return r;
}

int im_samples_take(struct im_samples *ret, const struct co_source *src, struct co_err *err)
{
	CO_CLEANUP_FREE uint8_t *buf = aligned_alloc(ALIGN, EDGE + ALIGN);
	struct im_samples s = { .size = src->size };
	int r = 0;

	if (!buf)
		return co_err_set(err, CO_ERR_NOMEM, 0, "no memory for samples of the source");
	plan(&s);
	for (unsigned i = 0; i < s.n && r == 0; i++)
		r = take_one(&s.at[i], src, buf, err);
	if (r == 0)
		*ret = s;
	return r;
}

int im_samples_differ(const struct im_samples *before, const struct im_samples *after,
		      struct im_samples_difference *ret)
{
	struct im_samples_difference d = { 0 };

	for (unsigned i = 0; i < before->n && before->size == after->size; i++) {
		const struct im_sample *a = &before->at[i], *b = &after->at[i];

		if (!a->readable || !b->readable) {
			d.unreadable++;
			continue;
		}
		d.compared++;
		if (memcmp(a->sha256, b->sha256, sizeof a->sha256) == 0)
			continue;
		if (d.differ++ == 0)
			d.first = a->offset;
	}
	*ret = d;
	return d.differ > 0 || before->size != after->size;
}

void im_samples_json(struct co_json *j, const char *key, const struct im_samples *s)
{
	char hex[65];

	co_json_array(j, key);
	for (unsigned i = 0; i < s->n; i++) {
		co_hex(s->at[i].sha256, sizeof s->at[i].sha256, hex);
		co_json_object(j, NULL);
		co_json_uint(j, "offset", s->at[i].offset);
		co_json_uint(j, "bytes", s->at[i].length);
		co_json_str(j, "sha256", s->at[i].readable ? hex : NULL);
		co_json_end_object(j);
	}
	co_json_end_array(j);
}
