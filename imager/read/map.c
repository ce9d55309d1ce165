/* SPDX-License-Identifier: Apache-2.0 */
#include "read/map.h"

#include <inttypes.h>
#include <string.h>

#include "base/bytes.h"
#include "version.h"

/* A line is held back until the next one has another state. */
struct line {
	struct co_str *s;
	uint64_t from, to;
	char state;
};

static void flush(const struct line *line)
{
	if (line->from < line->to)
		co_str_addf(line->s, "0x%08" PRIX64 "  0x%08" PRIX64 "  %c\n", line->from, line->to - line->from,
			    line->state);
}

/* The medium is in this state up to @to. */
static void reach(struct line *line, uint64_t to, char state)
{
	if (to <= line->to)
		return;
	if (state != line->state) {
		flush(line);
		line->from = line->to;
		line->state = state;
	}
	line->to = to;
}

void im_map_write(const struct im_map *map, struct co_str *ret)
{
	uint64_t read = co_min_u64(map->read, map->bytes);
	struct line line = { .s = ret };

	co_str_add(ret, "# Mapfile. Created by exhibit-imager " CO_VERSION "\n");
	co_str_add(ret, "# current_pos  current_status  current_pass\n");
	co_str_addf(ret, "0x%08" PRIX64 "     %c               %u\n", map->position, map->status, map->pass);
	co_str_add(ret, "#      pos        size  status\n");
	for (size_t i = 0; i < map->areas->list.n; i++) {
		const struct im_area *area = &map->areas->list.at[i];

		reach(&line, co_min_u64(area->first * map->unit, read), IM_FINISHED);
		reach(&line, co_min_u64((area->first + area->count) * map->unit, read), (char)area->state);
	}
	reach(&line, read, IM_FINISHED);
	reach(&line, map->bytes, IM_NON_TRIED);
	flush(&line);
}

char im_map_status(const char *pass)
{
	static const struct {
		const char *name;
		enum im_state status;
	} passes[] = { { "trim", IM_NON_TRIMMED }, { "scrape", IM_NON_SCRAPED }, { "retry", IM_BAD } };

	for (size_t i = 0; i < sizeof passes / sizeof passes[0]; i++)
		if (strncmp(pass, passes[i].name, strlen(passes[i].name)) == 0)
			return (char)passes[i].status;
	return IM_NON_TRIED;
}
