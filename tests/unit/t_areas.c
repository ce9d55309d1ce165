/* SPDX-License-Identifier: Apache-2.0 */
#include "read/areas.h"
#include "read/map.h"

#include <sys/wait.h>

#include "folder.h"
#include "suites.h"

/* "2+3? 5+1*": first unit, count, state. */
static const char *text_of(const struct im_areas *a)
{
	static char text[4096];
	size_t n = 0;

	text[0] = '\0';
	for (size_t i = 0; i < a->list.n; i++) {
		const struct im_area *area = &a->list.at[i];

		n += (size_t)snprintf(text + n, sizeof text - n, "%s%llu+%llu%c", i ? " " : "",
				      (unsigned long long)area->first, (unsigned long long)area->count,
				      (char)area->state);
		ck_assert_uint_lt(n, sizeof text);
	}
	return text;
}

START_TEST(areas_are_appended_and_merged)
{
	struct im_areas a = { 0 };

	ck_assert_int_eq(im_areas_add(&a, 2, 3, IM_NON_TRIED), 0);
	ck_assert_int_eq(im_areas_add(&a, 5, 1, IM_NON_TRIED), 0);
	ck_assert_int_eq(im_areas_add(&a, 6, 0, IM_BAD), 0);
	ck_assert_int_eq(im_areas_add(&a, 6, 4, IM_FINISHED), 0);
	ck_assert_int_eq(im_areas_add(&a, 6, 2, IM_NON_TRIMMED), 0);
	ck_assert_int_eq(im_areas_add(&a, 9, 1, IM_NON_TRIMMED), 0);
	ck_assert_str_eq(text_of(&a), "2+4? 6+2* 9+1*");
	im_areas_free(&a);
	ck_assert_uint_eq(a.list.n, 0);
}
END_TEST

START_TEST(parts_of_areas_change_their_state)
{
	struct im_areas a = { 0 };

	ck_assert_int_eq(im_areas_add(&a, 10, 10, IM_NON_TRIMMED), 0);
	ck_assert_int_eq(im_areas_set(&a, 14, 2, IM_FINISHED), 0);
	ck_assert_str_eq(text_of(&a), "10+4* 16+4*");
	ck_assert_int_eq(im_areas_set(&a, 10, 1, IM_BAD), 0);
	ck_assert_int_eq(im_areas_set(&a, 19, 1, IM_BAD), 0);
	ck_assert_str_eq(text_of(&a), "10+1- 11+3* 16+3* 19+1-");
	ck_assert_int_eq(im_areas_set(&a, 12, 6, IM_NON_SCRAPED), 0);
	ck_assert_str_eq(text_of(&a), "10+1- 11+1* 12+6/ 18+1* 19+1-");
	ck_assert_int_eq(im_areas_set(&a, 11, 8, IM_BAD), 0);
	ck_assert_str_eq(text_of(&a), "10+10-");
	ck_assert_int_eq(im_areas_set(&a, 0, 1, IM_NON_TRIED), 0);
	ck_assert_int_eq(im_areas_set(&a, 20, 0, IM_BAD), 0);
	ck_assert_int_eq(im_areas_set(&a, 20, 1, IM_BAD), 0);
	ck_assert_str_eq(text_of(&a), "0+1? 10+11-");
	ck_assert_int_eq(im_areas_set(&a, 0, 30, IM_FINISHED), 0);
	ck_assert_str_eq(text_of(&a), "");
	im_areas_free(&a);
}
END_TEST

#define UNITS 48

static void equals_model(const struct im_areas *a, const enum im_state *model)
{
	uint64_t totals[128] = { 0 }, unfinished = 0;

	for (uint64_t u = 0; u < UNITS; u++) {
		ck_assert_int_eq((char)im_areas_state(a, u), (char)model[u]);
		totals[model[u]] += model[u] != IM_FINISHED;
		unfinished += model[u] != IM_FINISHED;
	}
	for (size_t i = 0; i < a->list.n; i++) {
		const struct im_area *area = &a->list.at[i], *before = area - 1;

		ck_assert_uint_gt(area->count, 0);
		ck_assert_int_ne((char)area->state, IM_FINISHED);
		if (i == 0)
			continue;
		ck_assert_uint_le(before->first + before->count, area->first);
		ck_assert(before->state != area->state || before->first + before->count < area->first);
	}
	for (const char *s = "?*/-"; *s; s++)
		ck_assert_uint_eq(im_areas_total(a, (enum im_state) * s), totals[(unsigned char)*s]);
	ck_assert_uint_eq(im_areas_unfinished(a), unfinished);
}

/* Each operation against a plain array of states. */
START_TEST(areas_are_what_a_plain_array_says)
{
	static const enum im_state states[] = { IM_NON_TRIED, IM_NON_TRIMMED, IM_NON_SCRAPED, IM_BAD, IM_FINISHED };
	uint32_t seed = 7;

	for (int round = 0; round < 50; round++) {
		struct im_areas a = { 0 };
		enum im_state model[UNITS];

		for (int u = 0; u < UNITS; u++)
			model[u] = IM_FINISHED;
		for (int step = 0; step < 60; step++) {
			uint64_t first = (seed = seed * 1664525 + 1013904223) >> 16;
			uint64_t count = (seed = seed * 1664525 + 1013904223) >> 16;
			enum im_state state = states[((seed = seed * 1664525 + 1013904223) >> 16) % 5];

			first %= UNITS;
			count %= step % 3 ? 4 : UNITS;
			if (count > UNITS - first)
				count = UNITS - first;
			ck_assert_int_eq(im_areas_set(&a, first, count, state), 0);
			for (uint64_t u = first; u < first + count; u++)
				model[u] = state;
			equals_model(&a, model);
		}
		im_areas_free(&a);
	}
}
END_TEST

START_TEST(areas_are_found_in_both_directions)
{
	struct im_areas a = { 0 };
	struct im_area area;

	ck_assert_int_eq(im_areas_add(&a, 2, 3, IM_BAD), 0);
	ck_assert_int_eq(im_areas_add(&a, 5, 5, IM_NON_TRIED), 0);
	ck_assert_int_eq(im_areas_add(&a, 20, 2, IM_BAD), 0);
	ck_assert(im_areas_next(&a, IM_BAD, 0, &area) && area.first == 2 && area.count == 3);
	ck_assert(im_areas_next(&a, IM_BAD, 4, &area) && area.first == 4 && area.count == 1);
	ck_assert(im_areas_next(&a, IM_BAD, 5, &area) && area.first == 20 && area.count == 2);
	ck_assert(!im_areas_next(&a, IM_BAD, 22, &area));
	ck_assert(!im_areas_next(&a, IM_NON_SCRAPED, 0, &area));
	ck_assert(im_areas_previous(&a, IM_BAD, 100, &area) && area.first == 20 && area.count == 2);
	ck_assert(im_areas_previous(&a, IM_BAD, 21, &area) && area.first == 20 && area.count == 1);
	ck_assert(im_areas_previous(&a, IM_BAD, 20, &area) && area.first == 2 && area.count == 3);
	ck_assert(im_areas_previous(&a, IM_NON_TRIED, 7, &area) && area.first == 5 && area.count == 2);
	ck_assert(!im_areas_previous(&a, IM_BAD, 2, &area));
	im_areas_free(&a);
}
END_TEST

START_TEST(lists_and_copies_hold_the_same)
{
	struct im_areas a = { 0 }, copy;
	struct im_ranges r = { 0 };

	ck_assert_int_eq(im_areas_copy(&copy, &a), 0);
	ck_assert_uint_eq(copy.list.n, 0);
	ck_assert_int_eq(im_areas_add(&a, 2, 3, IM_BAD), 0);
	ck_assert_int_eq(im_areas_add(&a, 5, 5, IM_NON_TRIED), 0);
	ck_assert_int_eq(im_areas_add(&a, 20, 2, IM_BAD), 0);
	ck_assert_int_eq(im_areas_copy(&copy, &a), 0);
	ck_assert_int_eq(im_areas_set(&a, 0, 9, IM_FINISHED), 0);
	ck_assert_str_eq(text_of(&copy), "2+3- 5+5? 20+2-");
	ck_assert_int_eq(im_areas_ranges(&copy, &r), 0);
	ck_assert_uint_eq(r.list.n, 2);
	ck_assert_uint_eq(r.list.at[0].first, 2);
	ck_assert_uint_eq(r.list.at[0].count, 8);
	ck_assert_uint_eq(r.total, 10);
	im_ranges_free(&r);
	im_areas_free(&a);
	im_areas_free(&copy);
}
END_TEST

START_TEST(too_many_areas_are_joined_and_claim_nothing)
{
	struct im_areas a = { .max = 8 };

	for (uint64_t i = 0; i < 8; i++)
		ck_assert_int_eq(im_areas_add(&a, 10 * i, 1 + i % 2, i == 3 ? IM_NON_TRIED : IM_BAD), 0);
	ck_assert_uint_eq(a.joined, 0);
	ck_assert_int_eq(im_areas_add(&a, 1000, 1, IM_BAD), 0);
	ck_assert_uint_eq(a.joined, 1);
	ck_assert_str_eq(text_of(&a), "0+72? 1000+1-");
	im_areas_free(&a);

	a = (struct im_areas) { .max = 4 };
	ck_assert_int_eq(im_areas_add(&a, 0, 1, IM_BAD), 0);
	ck_assert_int_eq(im_areas_add(&a, 1, 1, IM_NON_SCRAPED), 0);
	ck_assert_int_eq(im_areas_add(&a, 2, 1, IM_NON_TRIMMED), 0);
	ck_assert_int_eq(im_areas_add(&a, 40, 1, IM_BAD), 0);
	ck_assert_int_eq(im_areas_add(&a, 42, 1, IM_BAD), 0);
	ck_assert_str_eq(text_of(&a), "0+3* 40+3/");
	im_areas_free(&a);
}
END_TEST

static void five_states(struct im_areas *a)
{
	*a = (struct im_areas) { 0 };
	ck_assert_int_eq(im_areas_add(a, 2, 3, IM_NON_TRIED), 0);
	ck_assert_int_eq(im_areas_add(a, 5, 1, IM_NON_TRIMMED), 0);
	ck_assert_int_eq(im_areas_add(a, 7, 2, IM_NON_SCRAPED), 0);
	ck_assert_int_eq(im_areas_add(a, 9, 1, IM_BAD), 0);
	ck_assert_int_eq(im_areas_add(a, 19, 1, IM_BAD), 0);
}

START_TEST(the_map_is_exact)
{
	struct im_areas a;
	struct im_map map = { .areas = &a, .unit = 512, .bytes = 10000, .read = 10000, .status = '+', .pass = 1 };
	struct co_str s = { 0 };
	const char *head = "# current_pos  current_status  current_pass\n", *body;

	five_states(&a);
	map.position = 10000;
	im_map_write(&map, &s);
	ck_assert(!s.failed);
	ck_assert_int_eq(strncmp(co_str_get(&s), "# Mapfile. Created by exhibit-imager ", 37), 0);
	body = strstr(co_str_get(&s), head);
	ck_assert_ptr_nonnull(body);
	ck_assert_str_eq(body + strlen(head), "0x00002710     +               1\n"
					      "#      pos        size  status\n"
					      "0x00000000  0x00000400  +\n"
					      "0x00000400  0x00000600  ?\n"
					      "0x00000A00  0x00000200  *\n"
					      "0x00000C00  0x00000200  +\n"
					      "0x00000E00  0x00000400  /\n"
					      "0x00001200  0x00000200  -\n"
					      "0x00001400  0x00001200  +\n"
					      "0x00002600  0x00000110  -\n"); /* the short last sector */
	co_str_free(&s);
	/* The first pass ended in the third sector, where a skipped place begins: one line for both. */
	map.read = 1536;
	map.status = '?';
	map.position = 1536;
	im_map_write(&map, &s);
	body = strstr(co_str_get(&s), head);
	ck_assert_ptr_nonnull(body);
	ck_assert_str_eq(body + strlen(head), "0x00000600     ?               1\n"
					      "#      pos        size  status\n"
					      "0x00000000  0x00000400  +\n"
					      "0x00000400  0x00002310  ?\n");
	co_str_free(&s);
	im_areas_free(&a);
	ck_assert_int_eq(im_map_status("copy backward"), '?');
	ck_assert_int_eq(im_map_status("trim"), '*');
	ck_assert_int_eq(im_map_status("scrape"), '/');
	ck_assert_int_eq(im_map_status("retry 12"), '-');
}
END_TEST

/* What a stock program prints to the file "out" of the folder. false: it is not installed. */
static bool run_ddrescuelog(struct folder *f, const char *option, const char *map)
{
	const char *out = in_folder(f, "out"), *path = in_folder(f, map);
	pid_t pid = fork();
	int status;

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		if (!freopen(out, "w", stdout) || !freopen("/dev/null", "w", stderr))
			_exit(126);
		execlp("ddrescuelog", "ddrescuelog", option, "-b", "512", path, (char *)NULL);
		_exit(127);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	if (WEXITSTATUS(status) == 127)
		return false;
	ck_assert_int_eq(WEXITSTATUS(status), 0);
	return true;
}

START_TEST(ddrescuelog_reads_the_map)
{
	static const struct {
		const char *option, *blocks;
	} lists[] = { { "-l?", "2\n3\n4\n" }, { "-l*", "5\n" }, { "-l/", "7\n8\n" }, { "-l-", "9\n19\n" } };
	struct im_areas a;
	struct im_map map = { .areas = &a, .unit = 512, .bytes = 10240, .read = 10240, .status = '/', .pass = 1 };
	struct co_str s = { 0 };
	struct folder f;

	five_states(&a);
	im_map_write(&map, &s);
	folder_make(&f);
	folder_puts(&f, "map", co_str_get(&s));
	for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
		char *out;

		if (!run_ddrescuelog(&f, lists[i].option, "map")) {
			fprintf(stderr, "skipped: ddrescuelog is not installed\n");
			break;
		}
		out = folder_read(&f, "out");
		ck_assert_str_eq(out, lists[i].blocks);
		free(out);
	}
	folder_remove(&f);
	co_str_free(&s);
	im_areas_free(&a);
}
END_TEST

Suite *t_areas_suite(void)
{
	Suite *s = suite_create("areas");
	TCase *c = tcase_create("areas");

	tcase_add_test(c, areas_are_appended_and_merged);
	tcase_add_test(c, parts_of_areas_change_their_state);
	tcase_add_test(c, areas_are_what_a_plain_array_says);
	tcase_add_test(c, areas_are_found_in_both_directions);
	tcase_add_test(c, lists_and_copies_hold_the_same);
	tcase_add_test(c, too_many_areas_are_joined_and_claim_nothing);
	tcase_add_test(c, the_map_is_exact);
	tcase_add_test(c, ddrescuelog_reads_the_map);
	suite_add_tcase(s, c);
	return s;
}
