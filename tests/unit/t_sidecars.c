/* SPDX-License-Identifier: Apache-2.0 */
/* The files beside an image that other programs and people read: DFXML, CASE/UCO, and the form of a certificate. */
#include <inttypes.h>
#include <jansson.h>
#include <unistd.h>

#include "acquire/blocks.h"
#include "acquire/case_uco.h"
#include "acquire/certificate.h"
#include "acquire/dfxml.h"
#include "folder.h"
#include "suites.h"

/* All that a device or user may say, and what must stand for it in the DFXML and elsewhere. */
#define HOSTILE "<&\"'>\x01\t\n]]>\xff\xc3\x28\xef\xbf\xbe\xef\xbf\xbf\xed\xa0\x80\xe2\x80\xae\\z"
#define HOSTILE_XML \
	"&lt;&amp;&quot;'&gt;\\x01\\x09\\x0a]]&gt;\\xff\\xc3(\\xef\\xbf\\xbe\\xef\\xbf\\xbf\\xed\\xa0\\x80" \
	"\\xe2\\x80\\xae\\x5cz"
#define HOSTILE_VISIBLE \
	"<&\"'>\\x01\\x09\\x0a]]>\\xff\\xc3(\\xef\\xbf\\xbe\\xef\\xbf\\xbf\\xed\\xa0\\x80" \
	"\\xe2\\x80\\xae\\x5cz"
#define HOSTILE_PLAIN "<&\"'>\\x01\\x09\\x0a]]>\\xff\\xc3(\xef\xbf\xbe\xef\xbf\xbf\\xed\\xa0\\x80\\xe2\\x80\\xae\\x5cz"

static struct folder *dir;
static struct im_guard guard;
static struct im_record rec;
static struct co_str out;

static void set_digests(struct co_digests *d, uint8_t first)
{
	for (int alg = 0; alg < CO_HASH_N; alg++) {
		d->set |= CO_HASH_BIT(alg);
		d->of[alg].alg = (enum co_hash_alg)alg;
		d->of[alg].bytes[0] = (uint8_t)(first + alg);
	}
}

static void set_up(void)
{
	dir = calloc(1, sizeof *dir);
	ck_assert_ptr_nonnull(dir);
	folder_make(dir);
	guard = IM_GUARD_NONE;
	guard.device = (struct im_device) { .path = strdup("/dev/" HOSTILE),
					    .kind = IM_KIND_DISK,
					    .model = HOSTILE,
					    .serial = HOSTILE,
					    .vendor = HOSTILE,
					    .physical_sector = 4096 };
	rec = (struct im_record) { .name = "ev",
				   .command_line = "exhibit-imager acquire " HOSTILE,
				   .info = { .case_number = "C-1", .examiner = HOSTILE, .notes = HOSTILE },
				   .guard = &guard,
				   .start_ns = INT64_C(1700000000123456789),
				   .end_ns = INT64_C(1700000001000000000),
				   .media_bytes = 10000,
				   .padding_bytes = 240,
				   .sector = 512,
				   .read_bytes = 10000,
				   .have_digests = true,
				   .block_digests = true,
				   .guid = { 1, 2, 3 },
				   .n_bags = 1,
				   .bags = { { .path = "bag",
					       .status = IM_STATUS_COMPLETE_WITH_ERRORS,
					       .published = true,
					       .verification = IM_VERIFICATION_MATCH } } };
	set_digests(&rec.digests.plain, 0x50);
	set_digests(&rec.digests.padded, 0xa0);
	ck_assert_int_eq(im_ranges_add(&rec.bad, 2, 2), 0);
	ck_assert_int_eq(im_ranges_add(&rec.bad, 19, 1), 0);
	ck_assert_int_eq(co_vec_push(&rec.bags[0].segments, (struct im_segment) { .name = strdup("ev.E01"),
										  .part = strdup("ev.E01.part"),
										  .bytes = 7 }),
			 0);
	memset(rec.bags[0].segments.at[0].sha256, 'c', 64);
}

static void tear_down(void)
{
	co_str_free(&out);
	im_record_free(&rec);
	im_guard_close(&guard);
	folder_remove(dir);
	free(dir);
}

/* As it is when the source was lost after 4096 bytes. */
static void lose_the_source(void)
{
	struct im_bag_record *bag = &rec.bags[0];

	rec.have_digests = false;
	rec.read_bytes = 4096;
	bag->status = IM_STATUS_SOURCE_LOST;
	bag->published = false;
	bag->verification = IM_VERIFICATION_NOT_REACHED;
	co_err_set(&bag->error, CO_ERR_LOST, 0, "%s", HOSTILE);
}

static const char *dfxml(const char *blocks)
{
	struct co_err err = CO_ERR_INIT;

	co_str_clear(&out);
	ck_assert_msg(im_dfxml_text(&rec, &rec.bags[0], blocks, &out, &err) == 0, "%s", err.msg);
	return co_str_get(&out);
}

static const char *case_uco(void)
{
	struct co_err err = CO_ERR_INIT;

	co_str_clear(&out);
	ck_assert_msg(im_case_uco_text(&rec, &rec.bags[0], &out, &err) == 0, "%s", err.msg);
	return co_str_get(&out);
}

static const char *certificate(void)
{
	struct co_err err = CO_ERR_INIT;

	co_str_clear(&out);
	ck_assert_msg(im_certificate_text(&rec, &rec.bags[0], &out, &err) == 0, "%s", err.msg);
	return co_str_get(&out);
}

static void holds(const char *text, const char *what)
{
	ck_assert_msg(strstr(text, what) != NULL, "'%s' is not in:\n%.2000s", what, text);
}

static void lacks(const char *text, const char *what)
{
	ck_assert_msg(strstr(text, what) == NULL, "'%s' is in:\n%.2000s", what, text);
}

static unsigned count(const char *text, const char *what)
{
	unsigned n = 0;

	for (const char *at = text; (at = strstr(at, what)); at++)
		n++;
	return n;
}

/* --- DFXML --- */

/* Char of XML 1.0, without the tab and carriage return, which nothing here needs. */
static void check_characters(const char *text, size_t n)
{
	for (size_t i = 0, len; i < n; i += len) {
		uint32_t code = 0;

		len = co_utf8_len(text + i, n - i, &code);
		ck_assert_msg(len > 0, "invalid UTF-8 at byte %zu", i);
		ck_assert_msg((code >= 0x20 || code == '\n') && code != 0xFFFE && code != 0xFFFF, "U+%04" PRIX32, code);
	}
}

static void check_reference(const char *at)
{
	static const char *const known[] = { "&amp;", "&lt;", "&gt;", "&quot;" };

	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		if (strncmp(at, known[i], strlen(known[i])) == 0)
			return;
	ck_abort_msg("a bare & in: %.40s", at);
}

/* Elements are closed in the order in which they were opened, and one holds all. */
static void check_elements(const char *text)
{
	const char *open[16];
	size_t length[16], depth = 0;

	for (const char *at = strchr(text, '\n') + 1; *at; at++) {
		const char *name = at + 1, *end;

		if (*at == '&')
			check_reference(at);
		ck_assert_msg(*at != '>', "a bare > in: %.40s", at);
		if (*at != '<')
			continue;
		end = strchr(at, '>');
		ck_assert_ptr_nonnull(end);
		if (*name == '/') {
			ck_assert_uint_gt(depth, 0);
			depth--;
			ck_assert_msg((size_t)(end - name - 1) == length[depth] &&
					      memcmp(name + 1, open[depth], length[depth]) == 0,
				      "not closed in order: %.40s", at);
		} else if (end[-1] != '/') {
			ck_assert_uint_lt(depth, 16);
			open[depth] = name;
			length[depth++] = strcspn(name, " >");
		}
		at = end;
		ck_assert_msg(depth > 0 || strcmp(end, ">\n") == 0, "more than one root");
	}
	ck_assert_uint_eq(depth, 0);
}

START_TEST(dfxml_is_safe_from_hostile_texts)
{
	const char *text = dfxml(NULL);

	check_characters(text, out.n);
	check_elements(text);
	holds(text, "<exhibit:serial>" HOSTILE_XML "</exhibit:serial>\n");
	holds(text, "<exhibit:examiner>" HOSTILE_XML "</exhibit:examiner>\n");
	holds(text, "<image_filename>/dev/" HOSTILE_XML "</image_filename>\n");
	holds(text, "<command_line>exhibit-imager acquire " HOSTILE_XML "</command_line>\n");
	holds(text, "<start_time>2023-11-14T22:13:20.123456789Z</start_time>\n");
	lacks(text, "evidence_number");
}
END_TEST

START_TEST(dfxml_has_the_runs_of_the_medium)
{
	const char *text = dfxml(NULL);

	holds(text, "<byte_run img_offset=\"0\" len=\"10000\" exhibit:role=\"medium\">\n"
		    "        <hashdigest type=\"sha256\">52");
	holds(text, "<byte_run img_offset=\"0\" len=\"10240\" exhibit:role=\"padded-medium\">\n"
		    "        <hashdigest type=\"sha256\">a2");
	holds(text, "<byte_run img_offset=\"1024\" len=\"1024\" exhibit:role=\"unreadable\" fill=\"0\"/>\n");
	/* the last sector is not whole */
	holds(text, "<byte_run img_offset=\"9728\" len=\"272\" exhibit:role=\"unreadable\" fill=\"0\"/>\n");
	ck_assert_uint_eq(count(text, "<byte_run "), 4);
	ck_assert_uint_eq(count(text, "<hashdigest type=\"md5\">"), 2);
	holds(text, "<filename>ev.E01</filename>\n");
	holds(text, "<filesize>7</filesize>\n    <hashdigest type=\"sha256\">cccc");
	lacks(text, "block_digests");
	lacks(text, "<error>");
}
END_TEST

START_TEST(dfxml_of_a_lost_source_says_what_was_read)
{
	const char *text;

	lose_the_source();
	text = dfxml(NULL);
	check_elements(text);
	holds(text, "<byte_run img_offset=\"0\" len=\"4096\" exhibit:role=\"read\"/>\n");
	holds(text, "<byte_run img_offset=\"4096\" len=\"5904\" exhibit:role=\"not-read\"/>\n");
	holds(text, "<exhibit:status>source-lost</exhibit:status>\n");
	holds(text, "<error>" HOSTILE_XML "</error>\n");
	holds(text, "<filename>ev.E01.part</filename>\n");
	ck_assert_uint_eq(count(text, "<hashdigest"), 1);
}
END_TEST

/* The digest of block i begins with the byte i. */
static const char *write_blocks(uint64_t media)
{
	const char *file = in_folder(dir, "blocks");
	struct im_blocks_writer w;
	struct co_err err = CO_ERR_INIT;
	uint8_t digest[32] = { 0 };

	ck_assert_int_eq(im_blocks_begin(&w, file, media, &err), 0);
	for (uint64_t i = 0; i * IM_BLOCK_SIZE < media; i++) {
		digest[0] = (uint8_t)i;
		im_blocks_add(&w, i, digest);
	}
	ck_assert_int_eq(im_blocks_commit(&w, &err), 0);
	return file;
}

START_TEST(dfxml_lists_the_blocks_of_a_small_medium)
{
	const char *text;

	rec.padding_bytes = 0;
	rec.media_bytes = IM_BLOCK_SIZE + 512;
	text = dfxml(write_blocks(rec.media_bytes));
	check_elements(text);
	ck_assert_uint_eq(count(text, "exhibit:role=\"block\""), 2);
	holds(text,
	      "<byte_run img_offset=\"1048576\" len=\"512\" exhibit:role=\"block\">\n"
	      "        <hashdigest type=\"sha256\">0100000000000000000000000000000000000000000000000000000000000000<");
	holds(text, "<exhibit:block_digests file=\"ev.blocks.sha256\" algorithm=\"sha256\" block_bytes=\"1048576\"/>");
	rec.media_bytes = (uint64_t)IM_DFXML_BLOCKS_MAX * IM_BLOCK_SIZE;
	ck_assert_uint_eq(count(dfxml(write_blocks(rec.media_bytes)), "exhibit:role=\"block\""), IM_DFXML_BLOCKS_MAX);
	/* then only the file is named, and not read */
	rec.media_bytes++;
	text = dfxml(in_folder(dir, "none"));
	ck_assert_uint_eq(count(text, "exhibit:role=\"block\""), 0);
	holds(text, "<exhibit:block_digests file=\"ev.blocks.sha256\"");
}
END_TEST

START_TEST(dfxml_refuses_other_digests_of_blocks)
{
	struct co_err err = CO_ERR_INIT;
	const char *file;
	char *good, *bad;

	rec.media_bytes = 3 * IM_BLOCK_SIZE;
	ck_assert_int_eq(im_dfxml_text(&rec, &rec.bags[0], in_folder(dir, "none"), &out, &err), CO_ERR_OUTPUT);
	file = write_blocks(2 * IM_BLOCK_SIZE);
	ck_assert_int_eq(im_dfxml_text(&rec, &rec.bags[0], file, &out, &err), CO_ERR_OUTPUT);
	file = write_blocks(4 * IM_BLOCK_SIZE);
	ck_assert_int_eq(im_dfxml_text(&rec, &rec.bags[0], file, &out, &err), CO_ERR_OUTPUT);
	write_blocks(rec.media_bytes);
	good = folder_read(dir, "blocks");
	ck_assert_ptr_nonnull(good);
	for (size_t i = 0; i < strlen(good); i += 37) {
		if (i > 0 && i <= strcspn(good, "\n"))
			continue; /* the rest of the comment is free */
		bad = strdup(good);
		ck_assert_ptr_nonnull(bad);
		bad[i] = good[i] == 'x' || i % 2 ? '\t' : 'x';
		folder_puts(dir, "blocks", bad);
		free(bad);
		ck_assert_msg(im_dfxml_text(&rec, &rec.bags[0], in_folder(dir, "blocks"), &out, &err) == CO_ERR_OUTPUT,
			      "a change of byte %zu was not seen", i);
		holds(err.msg, "blocks");
	}
	free(good);
}
END_TEST

/* --- CASE/UCO --- */

static json_t *parse(const char *text)
{
	json_error_t error;
	json_t *j = json_loads(text, JSON_REJECT_DUPLICATES, &error);

	ck_assert_msg(j != NULL, "line %d: %s", error.line, error.text);
	return j;
}

static void check_term(const json_t *context, const char *term)
{
	char prefix[64];
	const char *colon = strchr(term, ':');

	if (term[0] == '@')
		return;
	ck_assert_msg(colon && colon - term < 64, "%s has no prefix", term);
	snprintf(prefix, sizeof prefix, "%.*s", (int)(colon - term), term);
	ck_assert_msg(json_is_string(json_object_get(context, prefix)), "%s: no such prefix", term);
}

static void check_id(const char *id)
{
	static const char pattern[] = "urn:uuid:hhhhhhhh-hhhh-5hhh-vhhh-hhhhhhhhhhhh";

	ck_assert_uint_eq(strlen(id), strlen(pattern));
	for (size_t i = 0; pattern[i]; i++) {
		const char *allowed = i < 9               ? NULL
				      : pattern[i] == 'h' ? "0123456789abcdef"
				      : pattern[i] == 'v' ? "89ab"
							  : NULL;

		ck_assert_msg(allowed ? strchr(allowed, id[i]) != NULL : id[i] == pattern[i], "%s", id);
	}
}

/* Sorts the identifiers below @j into nodes, each there once, and references; checks all terms. */
static void walk(const json_t *context, json_t *j, json_t *nodes, json_t *references)
{
	const char *key, *id = json_string_value(json_object_get(j, "@id"));
	size_t i;
	json_t *v;

	if (id) {
		check_id(id);
		if (json_object_size(j) == 1) {
			json_object_set_new(references, id, json_true());
		} else {
			ck_assert_msg(!json_object_get(nodes, id), "%s is there twice", id);
			json_object_set(nodes, id, j);
		}
	}
	json_object_foreach(j, key, v)
	{
		check_term(context, key);
		if (strcmp(key, "@type") == 0)
			check_term(context, json_string_value(v));
		walk(context, v, nodes, references);
	}
	json_array_foreach(j, i, v) walk(context, v, nodes, references);
}

static void check_graph(json_t *document)
{
	json_t *nodes = json_object(), *references = json_object(), *v;
	const char *id;

	walk(json_object_get(document, "@context"), json_object_get(document, "@graph"), nodes, references);
	ck_assert_uint_gt(json_object_size(references), 3);
	json_object_foreach(references, id, v) ck_assert_msg(json_object_get(nodes, id) != NULL, "%s is nowhere", id);
	json_decref(nodes);
	json_decref(references);
}

/* The only node of a type, NULL if there is none. Borrowed. */
static const json_t *node(const json_t *document, const char *type)
{
	const json_t *found = NULL;
	json_t *v;
	size_t i;

	json_array_foreach(json_object_get(document, "@graph"), i, v)
	{
		if (strcmp(json_string_value(json_object_get(v, "@type")), type) != 0)
			continue;
		ck_assert_msg(!found, "two of %s", type);
		found = v;
	}
	return found;
}

static const char *string_of(const json_t *object, const char *key)
{
	const char *s = json_string_value(json_object_get(object, key));

	ck_assert_msg(s != NULL, "no %s", key);
	return s;
}

START_TEST(case_is_a_whole_graph)
{
	json_t *document = parse(case_uco());
	const json_t *action, *image;

	check_characters(co_str_get(&out), out.n);
	check_graph(document);
	action = node(document, "case-investigation:InvestigativeAction");
	image = node(document, "uco-observable:Image");
	ck_assert_ptr_nonnull(action);
	ck_assert_ptr_nonnull(image);
	ck_assert_ptr_nonnull(node(document, "uco-observable:StorageMedium"));
	ck_assert_ptr_nonnull(node(document, "uco-tool:Tool"));
	ck_assert_ptr_nonnull(node(document, "case-investigation:ProvenanceRecord"));
	ck_assert_ptr_nonnull(node(document, "case-investigation:Investigation"));
	ck_assert_str_eq(string_of(action, "uco-action:actionStatus"), "Complete/Finish");
	/* Fixed, since others may cite it: SHA-256 of the GUID and "action". */
	ck_assert_str_eq(string_of(action, "@id"), "urn:uuid:ec54d395-10b5-597b-9401-acd81aa0fff6");
	holds(string_of(image, "uco-core:description"), "3 sectors of 512 bytes could not be read");
	json_decref(document);
}
END_TEST

START_TEST(case_is_safe_from_hostile_texts)
{
	json_t *document = parse(case_uco());
	const json_t *medium = node(document, "uco-observable:StorageMedium");
	const json_t *facet = json_array_get(json_object_get(medium, "uco-core:hasFacet"), 0);

	ck_assert_str_eq(string_of(medium, "uco-core:name"), "/dev/" HOSTILE_VISIBLE);
	ck_assert_str_eq(string_of(facet, "uco-observable:serialNumber"), HOSTILE_VISIBLE);
	ck_assert_str_eq(string_of(node(document, "case-investigation:ProvenanceRecord"), "uco-core:description"),
			 HOSTILE_VISIBLE);
	lacks(co_str_get(&out), "\\ud");
	json_decref(document);
}
END_TEST

START_TEST(case_names_digests_of_what_was_read_only)
{
	const char *text = case_uco();

	/* of the image, SHA-256, SHA-1 and MD5 of the padded medium; those of the source would claim too much */
	ck_assert_uint_eq(count(text, "\"uco-types:Hash\""), 4);
	holds(text, "\"@value\": \"a2");
	holds(text, "\"@value\": \"a1");
	holds(text, "\"@value\": \"a0");
	holds(text, "\"@value\": \"cccc");
	lacks(text, "\"@value\": \"52");
	im_ranges_free(&rec.bad);
	rec.bad = (struct im_ranges) { 0 };
	text = case_uco();
	ck_assert_uint_eq(count(text, "\"uco-types:Hash\""), 7);
	holds(text, "\"@value\": \"52");
}
END_TEST

START_TEST(case_of_a_lost_source_has_no_image)
{
	json_t *document;

	lose_the_source();
	document = parse(case_uco());
	check_graph(document);
	ck_assert_ptr_null(node(document, "uco-observable:Image"));
	ck_assert_uint_eq(count(co_str_get(&out), "uco-types:Hash"), 0);
	ck_assert_str_eq(string_of(node(document, "case-investigation:InvestigativeAction"), "uco-action:actionStatus"),
			 "Fail");
	json_decref(document);
}
END_TEST

START_TEST(case_knows_all_kinds_of_sources)
{
	json_t *document;

	rec.info = (struct im_case) { 0 };
	guard.device.kind = IM_KIND_FILE;
	guard.device.vendor[0] = '\0';
	document = parse(case_uco());
	check_graph(document);
	ck_assert_ptr_null(node(document, "case-investigation:Investigation"));
	ck_assert_ptr_null(node(document, "uco-identity:Identity"));
	ck_assert_uint_eq(count(co_str_get(&out), "\"uco-observable:FileFacet\""), 2);
	json_decref(document);
	guard.device.kind = IM_KIND_PARTITION;
	guard.device.dev = 7;
	snprintf(guard.device.name, sizeof guard.device.name, "nvme0n1p12");
	ck_assert_int_eq(
		co_vec_push(&guard.device.partitions, (struct im_partition) { .name = "x1", .dev = 7, .start = 77777 }),
		0);
	document = parse(case_uco());
	check_graph(document);
	ck_assert_ptr_nonnull(node(document, "uco-observable:DiskPartition"));
	ck_assert_ptr_nonnull(node(document, "uco-observable:StorageMedium"));
	holds(co_str_get(&out), "\"@value\": \"77777\"");
	holds(co_str_get(&out), "\"uco-observable:partitionID\": \"12\"");
	json_decref(document);
}
END_TEST

START_TEST(another_image_has_other_identifiers)
{
	json_t *one = parse(case_uco()), *two;

	rec.guid[15] ^= 1;
	two = parse(case_uco());
	ck_assert_str_ne(string_of(node(one, "uco-observable:Image"), "@id"),
			 string_of(node(two, "uco-observable:Image"), "@id"));
	json_decref(one);
	json_decref(two);
}
END_TEST

/* --- the form of a certificate --- */

START_TEST(the_certificate_states_the_facts)
{
	const char *text = certificate();

	holds(text, "IT IS NO LEGAL ADVICE");
	holds(text, "/dev/" HOSTILE_PLAIN "\n");
	holds(text, "10000 bytes\n");
	holds(text, " 5200000000000000000000000000000000000000000000000000000000000000\n");
	holds(text, " a200000000000000000000000000000000000000000000000000000000000000\n");
	holds(text, "240 zero bytes");
	holds(text, "cccc  ev.E01\n");
	holds(text, "NOT ALL COULD BE READ: 3 sectors");
	holds(text, "read the whole image back");
	holds(text, "Signature:");
	lacks(text, "DID NOT READ THE IMAGE BACK");
	im_ranges_free(&rec.bad);
	rec.bad = (struct im_ranges) { 0 };
	rec.bags[0].verification = IM_VERIFICATION_SKIPPED;
	text = certificate();
	holds(text, "All sectors of the source could be read");
	holds(text, "DID NOT READ THE IMAGE BACK");
	lacks(text, "read the whole image back");
}
END_TEST

START_TEST(a_long_list_of_segments_is_cut_short)
{
	for (int i = 1; i < 101; i++) {
		struct im_segment g = { .bytes = 1 };

		ck_assert_int_gt(asprintf(&g.name, "ev.%d", i), 0);
		g.part = strdup(g.name);
		ck_assert_int_eq(co_vec_push(&rec.bags[0].segments, g), 0);
	}
	holds(certificate(), "101 files");
	holds(certificate(), "from ev.E01 to ev.100;");
	lacks(certificate(), "  ev.E01\n");
}
END_TEST

START_TEST(only_a_complete_acquisition_is_certified)
{
	for (int i = IM_STATUS_FAILED; i <= IM_STATUS_INTERRUPTED; i++) {
		rec.bags[0].status = (enum im_status)i;
		ck_assert_int_eq(im_certificate_is_due(&rec.bags[0]),
				 i == IM_STATUS_COMPLETE || i == IM_STATUS_COMPLETE_WITH_ERRORS);
	}
}
END_TEST

START_TEST(the_same_record_gives_the_same_bytes)
{
	const char *blocks;
	char *first;

	rec.media_bytes = 3 * IM_BLOCK_SIZE;
	blocks = write_blocks(rec.media_bytes);
	first = strdup(dfxml(blocks));
	ck_assert_str_eq(first, dfxml(blocks));
	free(first);
	first = strdup(case_uco());
	ck_assert_str_eq(first, case_uco());
	free(first);
	first = strdup(certificate());
	ck_assert_str_eq(first, certificate());
	free(first);
}
END_TEST

/* --- each fact in its place --- */

/* No two values are the same, so that none can stand for another. */
static void set_distinct_values(void)
{
	struct im_device *d = &guard.device;

	free(d->path);
	d->path = strdup("/dev/sdq");
	snprintf(d->name, sizeof d->name, "sdq");
	snprintf(d->vendor, sizeof d->vendor, "Vendor");
	snprintf(d->model, sizeof d->model, "Model");
	snprintf(d->serial, sizeof d->serial, "Serial");
	snprintf(d->revision, sizeof d->revision, "Revision");
	snprintf(d->wwid, sizeof d->wwid, "naa.5");
	snprintf(d->transport, sizeof d->transport, "usb");
	rec.command_line = "exhibit-imager acquire /dev/sdq";
	rec.info = (struct im_case) { .case_number = "C-1",
				      .evidence_number = "E-2",
				      .examiner = "Examiner",
				      .description = "Description",
				      .notes = "Notes" };
	rec.read_bytes = 9999;
	ck_assert_int_eq(co_vec_push(&guard.layers, (struct im_layer) { "first layer", true, "" }), 0);
	ck_assert_int_eq(co_vec_push(&guard.layers, (struct im_layer) { "second layer", false, "" }), 0);
	guard.before = guard.after = (struct im_counters) { .valid = true };
	guard.after.writes = 4711;
	guard.after.written_sectors = guard.before.written_sectors + 1;
}

START_TEST(each_fact_is_in_the_dfxml)
{
	static const char *const facts[] = {
		"<command_line>exhibit-imager acquire /dev/sdq</command_line>",
		"<start_time>2023-11-14T22:13:20.123456789Z</start_time>",
		"<image_filename>/dev/sdq</image_filename>",
		"<exhibit:status>complete-with-errors</exhibit:status>",
		"<exhibit:start_time>2023-11-14T22:13:20.123456789Z</exhibit:start_time>",
		"<exhibit:end_time>2023-11-14T22:13:21.000000000Z</exhibit:end_time>",
		"<exhibit:case_number>C-1</exhibit:case_number>",
		"<exhibit:evidence_number>E-2</exhibit:evidence_number>",
		"<exhibit:examiner>Examiner</exhibit:examiner>",
		"<exhibit:description>Description</exhibit:description>",
		"<exhibit:notes>Notes</exhibit:notes>",
		"<exhibit:path>/dev/sdq</exhibit:path>",
		"<exhibit:kind>disk</exhibit:kind>",
		"<exhibit:vendor>Vendor</exhibit:vendor>",
		"<exhibit:model>Model</exhibit:model>",
		"<exhibit:serial>Serial</exhibit:serial>",
		"<exhibit:revision>Revision</exhibit:revision>",
		"<exhibit:wwid>naa.5</exhibit:wwid>",
		"<exhibit:transport>usb</exhibit:transport>",
		"<exhibit:size>10000</exhibit:size>",
		"<exhibit:logical_sector>512</exhibit:logical_sector>",
		"<exhibit:physical_sector>4096</exhibit:physical_sector>",
		"<exhibit:name>ev</exhibit:name>",
		"<exhibit:compression>fast</exhibit:compression>",
		"<exhibit:guid>01020300000000000000000000000000</exhibit:guid>",
		"<exhibit:padding_bytes>240</exhibit:padding_bytes>",
		"<exhibit:verification>match</exhibit:verification>",
		"<sector_size>512</sector_size>",
		"<filesize>7</filesize>",
	};
	char uid[32];

	set_distinct_values();
	for (size_t i = 0; i < sizeof facts / sizeof facts[0]; i++)
		ck_assert_msg(count(dfxml(NULL), facts[i]) == 1, "%s is not there once:\n%s", facts[i],
			      co_str_get(&out));
	snprintf(uid, sizeof uid, "<uid>%u</uid>", geteuid());
	holds(dfxml(NULL), uid);
}
END_TEST

START_TEST(each_fact_is_in_the_certificate)
{
	static const char *const facts[][2] = {
		{ "Case number", "C-1" },
		{ "Evidence number", "E-2" },
		{ "Description", "Description" },
		{ "Read from", "/dev/sdq" },
		{ "Kind", "disk" },
		{ "Vendor", "Vendor" },
		{ "Model", "Model" },
		{ "Serial number", "Serial" },
		{ "Size", "10000 bytes" },
		{ "Size of a sector", "512 bytes" },
		{ "Operated by", "Examiner" },
		{ "Begun (UTC)", "2023-11-14T22:13:20Z" },
		{ "Ended (UTC)", "2023-11-14T22:13:21Z" },
		{ "Hardware write blocker", "____" },
		{ "Image", "ev" },
		{ "GUID of the image", "01020300000000000000000000000000" },
	};

	set_distinct_values();
	for (size_t i = 0; i < sizeof facts / sizeof facts[0]; i++) {
		char line[128];

		snprintf(line, sizeof line, "\n   %s:%*s%s", facts[i][0], (int)(24 - strlen(facts[i][0])), "",
			 facts[i][1]);
		holds(certificate(), line);
	}
	holds(certificate(), "- first layer: applied\n");
	holds(certificate(), "- second layer: not applied\n");
	holds(certificate(), "counted 4711 writes");
	guard.after.valid = false;
	lacks(certificate(), "writes and discards");
}
END_TEST

static void refers_to(const json_t *from, const char *key, const json_t *to)
{
	const json_t *v = json_object_get(from, key);

	ck_assert_msg(v != NULL && to != NULL, "no %s", key);
	ck_assert_str_eq(string_of(json_is_array(v) ? json_array_get(v, 0) : v, "@id"), string_of(to, "@id"));
}

static const json_t *facet(const json_t *of, size_t i, const char *type)
{
	const json_t *f = json_array_get(json_object_get(of, "uco-core:hasFacet"), i);

	ck_assert_str_eq(string_of(f, "@type"), type);
	return f;
}

static void check_value(const json_t *object, const char *key, const char *value)
{
	ck_assert_str_eq(string_of(json_object_get(object, key), "@value"), value);
}

START_TEST(each_fact_is_in_its_place_in_case)
{
	json_t *document;
	const json_t *action, *source, *image, *segment, *relation, *provenance, *f;

	set_distinct_values();
	guard.device.vendor[0] = '\0'; /* else there are two identities */
	document = parse(case_uco());
	action = node(document, "case-investigation:InvestigativeAction");
	source = node(document, "uco-observable:StorageMedium");
	image = node(document, "uco-observable:Image");
	segment = node(document, "uco-observable:File");
	relation = node(document, "uco-observable:ObservableRelationship");
	provenance = node(document, "case-investigation:ProvenanceRecord");
	check_value(action, "uco-action:startTime", "2023-11-14T22:13:20.123456789Z");
	check_value(action, "uco-action:endTime", "2023-11-14T22:13:21.000000000Z");
	refers_to(action, "uco-action:performer", node(document, "uco-identity:Identity"));
	refers_to(action, "uco-action:instrument", node(document, "uco-tool:Tool"));
	refers_to(action, "uco-action:environment", node(document, "uco-observable:Computer"));
	refers_to(action, "uco-action:object", source);
	refers_to(action, "uco-action:result", image);
	holds(string_of(action, "uco-core:description"), "exhibit-imager acquire /dev/sdq");
	refers_to(image, "case-investigation:wasDerivedFrom", source);
	refers_to(relation, "uco-core:source", image);
	refers_to(relation, "uco-core:target", segment);
	ck_assert_str_eq(string_of(relation, "uco-core:kindOfRelationship"), "Contained_Within");
	ck_assert_str_eq(string_of(provenance, "case-investigation:exhibitNumber"), "E-2");
	ck_assert_str_eq(string_of(provenance, "uco-core:name"), "data/ev.manifest.json");
	refers_to(provenance, "uco-core:object", image);
	ck_assert_str_eq(string_of(node(document, "case-investigation:Investigation"), "uco-core:name"), "C-1");
	ck_assert_str_eq(string_of(node(document, "uco-identity:Identity"), "uco-core:name"), "Examiner");
	ck_assert_str_eq(string_of(source, "uco-core:name"), "/dev/sdq");
	ck_assert_str_eq(string_of(source, "uco-core:description"), "Description");
	f = facet(source, 0, "uco-observable:DeviceFacet");
	ck_assert_str_eq(string_of(f, "uco-observable:model"), "Model");
	ck_assert_str_eq(string_of(f, "uco-observable:serialNumber"), "Serial");
	ck_assert_str_eq(string_of(f, "uco-observable:deviceType"), "usb");
	f = facet(source, 1, "uco-observable:StorageMediumFacet");
	check_value(f, "uco-observable:totalStorageCapacityInBytes", "10000");
	check_value(facet(source, 2, "uco-observable:ContentDataFacet"), "uco-observable:sizeInBytes", "10000");
	ck_assert_str_eq(string_of(facet(image, 0, "uco-observable:ImageFacet"), "uco-observable:imageType"), "E01");
	check_value(facet(image, 1, "uco-observable:ContentDataFacet"), "uco-observable:sizeInBytes", "10240");
	f = facet(segment, 0, "uco-observable:FileFacet");
	ck_assert_str_eq(string_of(f, "uco-observable:fileName"), "ev.E01");
	ck_assert_str_eq(string_of(f, "uco-observable:filePath"), "data/ev.E01");
	check_value(f, "uco-observable:sizeInBytes", "7");
	json_decref(document);
	snprintf(guard.device.vendor, sizeof guard.device.vendor, "Vendor");
	holds(case_uco(), "\"uco-core:name\": \"Vendor\"");
	holds(case_uco(), "\"uco-observable:manufacturer\": {");
}
END_TEST

Suite *t_sidecars_suite(void)
{
	Suite *s = suite_create("sidecars");
	TCase *c = tcase_create("sidecars");

	tcase_add_checked_fixture(c, set_up, tear_down);
	tcase_add_test(c, dfxml_is_safe_from_hostile_texts);
	tcase_add_test(c, dfxml_has_the_runs_of_the_medium);
	tcase_add_test(c, dfxml_of_a_lost_source_says_what_was_read);
	tcase_add_test(c, dfxml_lists_the_blocks_of_a_small_medium);
	tcase_add_test(c, dfxml_refuses_other_digests_of_blocks);
	tcase_add_test(c, case_is_a_whole_graph);
	tcase_add_test(c, case_is_safe_from_hostile_texts);
	tcase_add_test(c, case_names_digests_of_what_was_read_only);
	tcase_add_test(c, case_of_a_lost_source_has_no_image);
	tcase_add_test(c, case_knows_all_kinds_of_sources);
	tcase_add_test(c, another_image_has_other_identifiers);
	tcase_add_test(c, the_certificate_states_the_facts);
	tcase_add_test(c, a_long_list_of_segments_is_cut_short);
	tcase_add_test(c, only_a_complete_acquisition_is_certified);
	tcase_add_test(c, the_same_record_gives_the_same_bytes);
	tcase_add_test(c, each_fact_is_in_the_dfxml);
	tcase_add_test(c, each_fact_is_in_the_certificate);
	tcase_add_test(c, each_fact_is_in_its_place_in_case);
	suite_add_tcase(s, c);
	return s;
}
