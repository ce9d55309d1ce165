/* SPDX-License-Identifier: Apache-2.0 */
#include "acquire/damage.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "acquire/blocks.h"
#include "base/bytes.h"
#include "e01/reader.h"

#define SENTENCES_MAX 1000 /* of one kind; the rest is counted */

struct teller {
	im_damage_fn *tell;
	void *arg;
	unsigned told;
};

static void say(const struct teller *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void say(const struct teller *t, const char *fmt, ...)
{
	char text[4096 + 256]; /* a file name and numbers */
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	t->tell(t->arg, text);
}

/* A chunk of an image. */
struct place {
	const char *file;
	uint64_t from, to; /* bytes of the medium */
};

static struct place place_of(const struct co_source *image, uint64_t chunk)
{
	uint64_t from = chunk * co_e01_info(image)->chunk_size, first, len;
	struct place p = { .file = "an unknown file", .from = from, .to = from };

	if (co_e01_locate(image, from, &p.file, &first, &len) == 0) {
		p.from = first;
		p.to = first + len;
	}
	return p;
}

/* The chunks from @chunk on that lie in the same file. Returns the first one behind them. */
static uint64_t tell_run(const struct co_source *image, uint64_t chunk, uint64_t end, const struct teller *t)
{
	uint32_t sector = co_e01_info(image)->sector_size;
	struct place p = place_of(image, chunk), next;
	uint64_t first = chunk;

	for (chunk++; chunk < end; chunk++) {
		next = place_of(image, chunk);
		if (strcmp(next.file, p.file) != 0)
			break;
		p.to = next.to;
	}
	say(t, "%s: damaged from chunk %" PRIu64 " to %" PRIu64 " (sectors %" PRIu64 " to %" PRIu64 ")", p.file, first,
	    chunk - 1, p.from / sector, (p.to > p.from ? p.to - 1 : p.from) / sector);
	return chunk;
}

void im_tell_damaged(const struct co_source *image, const struct im_ranges *damaged, im_damage_fn *tell, void *arg)
{
	struct teller t = { .tell = tell, .arg = arg };

	for (size_t i = 0; i < damaged->list.n; i++) {
		uint64_t chunk = damaged->list.at[i].first, end = chunk + damaged->list.at[i].count;

		while (chunk < end) {
			if (t.told++ == SENTENCES_MAX) {
				say(&t, "%" PRIu64 " damaged chunks in all; further ones are not listed",
				    damaged->total);
				return;
			}
			chunk = tell_run(image, chunk, end, &t);
		}
	}
}

void im_tell_differing(const struct im_ranges *differing, uint64_t media, im_damage_fn *tell, void *arg)
{
	struct teller t = { .tell = tell, .arg = arg };

	for (size_t i = 0; i < differing->list.n; i++) {
		uint64_t from = differing->list.at[i].first * IM_BLOCK_SIZE;
		uint64_t to = co_min_u64(from + differing->list.at[i].count * IM_BLOCK_SIZE, media);

		if (i == SENTENCES_MAX) {
			say(&t, "%" PRIu64 " blocks differ in all; further ones are not listed", differing->total);
			return;
		}
		say(&t, "the medium differs from the block digests between bytes %" PRIu64 " and %" PRIu64, from,
		    to - 1);
	}
}
