/* SPDX-License-Identifier: Apache-2.0 */
/* Timelines: moments, filters and the formats that follow The Sleuth Kit. */
#include "suites.h"

#include <string.h>

#include "base/clock.h"
#include "export/export.h"
#include "folder.h"

static struct folder dir;
static struct an_case c;

#define LIVE (AN_NAME_ALLOCATED | AN_META_KNOWN | AN_META_ALLOCATED)
#define NONE CO_TIME_NONE
#define S CO_NS_PER_S

static void set_up(void)
{
	folder_make(&dir);
	c = (struct an_case) { 0 };
}

static void tear_down(void)
{
	an_case_free(&c);
	folder_remove(&dir);
}

static struct an_file *add(const char *path, uint64_t inode, int64_t a, int64_t m, int64_t ch, int64_t b)
{
	struct an_file f = { .path = path,
			     .inode = inode,
			     .type = AN_TYPE_REGULAR,
			     .name_type = AN_TYPE_REGULAR,
			     .mode = 0644,
			     .size = 5,
			     .flags = LIVE,
			     .time = { a, m, ch, b, NONE } };
	ck_assert_int_eq(an_files_add(&c.files, &f, NULL), 0);
	return &c.files.rows.at[c.files.rows.n - 1];
}

static char *written(const char *format, const struct an_filter *filter)
{
	struct co_sink *sink;
	const struct an_exporter *e = an_exporter_find(an_timeline_exporters, format);
	if (!e)
		e = an_exporter_find(an_hash_exporters, format);
	ck_assert_ptr_nonnull(e);
	ck_assert_int_eq(co_sink_open(&sink, in_folder(&dir, "out"), NULL), 0);
	ck_assert_int_eq(e->write(&c, filter, sink, NULL), 0);
	ck_assert_int_eq(co_sink_commit(sink, NULL), 0);
	return folder_read(&dir, "out");
}

static void check(const char *format, const struct an_filter *filter, const char *want)
{
	char *got = written(format, filter);
	ck_assert_str_eq(got, want);
	free(got);
}

START_TEST(equal_times_are_one_moment)
{
	add("/b", 1, 5 * S, 5 * S, 7 * S, NONE);
	add("/a", 2, 5 * S, 5 * S + 1, NONE, 5 * S);
	struct an_moments m;
	ck_assert_int_eq(an_moments_make(&c, NULL, &m, NULL), 0);
	ck_assert_uint_eq(m.list.n, 4);
	ck_assert_str_eq(m.list.at[0].file->path, "/a");
	ck_assert_uint_eq(m.list.at[0].macb, 1u << AN_ATIME | 1u << AN_CRTIME);
	ck_assert_str_eq(m.list.at[1].file->path, "/b");
	ck_assert_uint_eq(m.list.at[1].macb, 1u << AN_ATIME | 1u << AN_MTIME);
	ck_assert_int_eq(m.list.at[2].ns, 5 * S + 1);
	ck_assert_int_eq(m.list.at[3].ns, 7 * S);
	an_moments_free(&m);
}
END_TEST

START_TEST(filters)
{
	add("/var/www/x.php", 1, 5 * S, 6 * S, 7 * S, NONE);
	add("/etc/passwd", 2, 6 * S, NONE, NONE, NONE);
	struct an_filter filter = { .from_ns = 6 * S, .to_ns = 7 * S, .path_glob = "*/www/*" };
	struct an_moments m;
	ck_assert_int_eq(an_moments_make(&c, &filter, &m, NULL), 0);
	ck_assert_uint_eq(m.list.n, 1);
	ck_assert_int_eq(m.list.at[0].ns, 6 * S);
	an_moments_free(&m);
	filter.path_glob = NULL;
	ck_assert_int_eq(an_moments_make(&c, &filter, &m, NULL), 0);
	ck_assert_uint_eq(m.list.n, 2);
	an_moments_free(&m);
}
END_TEST

static const struct an_rule rule = { "rule", AN_AXIS_METADATA, 10, false, "nothing" };

START_TEST(notable_files_only)
{
	struct an_file *f = add("/found", 1, S, NONE, NONE, NONE);
	ck_assert_int_eq(an_findings_add(&c.findings, f, &rule, NULL, -1, NULL, "seen"), 0);
	ck_assert_int_eq(an_findings_settle(&c.findings, NULL), 0);
	add("/other", 2, S, NONE, NONE, NONE);
	struct an_filter filter = { .from_ns = NONE, .to_ns = NONE, .notable = true };
	ck_assert_int_eq(an_filter_prepare(&filter, &c, NULL), 0);
	ck_assert(an_filter_path(&filter, &c.files.rows.at[0]));
	ck_assert(!an_filter_path(&filter, &c.files.rows.at[1]));
	an_filter_free(&filter);
}
END_TEST

/* Expected lines as fls 4.11.1 prints them, but for the escapes of '|' and '%'. */
START_TEST(body_lines)
{
	add("/a|b\nc%7C%zz", 12, 1 * S + 999999999, 2 * S, 3 * S, NONE);
	struct an_file *f = add("/gone", 13, -1, NONE, NONE, 4 * S);
	f->flags = AN_META_KNOWN | AN_META_ALLOCATED;
	f = add("/l", 14, NONE, NONE, NONE, NONE);
	f->type = f->name_type = AN_TYPE_LINK;
	f->link = "to|x";
	f = add("/n:s", 15, NONE, NONE, NONE, NONE);
	f->flags |= AN_STREAM;
	f->attr_type = 128;
	f->attr_id = 3;
	f = add("/n", 15, NONE, NONE, NONE, NONE);
	f->flags = AN_META_KNOWN | AN_NTFS_NAME_TIMES | AN_HAS_DIGESTS;
	f->attr_type = 48;
	memset(f->md5, 0xab, sizeof f->md5);
	check("body", NULL,
	      "0|/a%7Cb^c%257C%zz|12|r/rrw-r--r--|0|0|5|1|2|3|0\n"
	      "0|/gone (deleted-realloc)|13|r/rrw-r--r--|0|0|5|-1|0|0|4\n"
	      "0|/l -> to%7Cx|14|l/lrw-r--r--|0|0|5|0|0|0|0\n"
	      "0|/n:s|15-128-3|r/rrw-r--r--|0|0|5|0|0|0|0\n"
	      "abababababababababababababababab|/n ($FILE_NAME) (deleted)|15-48-0|r/rrw-r--r--|0|0|5|0|0|0|0\n");
}
END_TEST

/* Expected lines as mactime 4.11.1 prints them: inodes sort as text, a row for the missing birth time. */
START_TEST(mactime_lines)
{
	add("/say \"hi\", x", 9, 10 * S, 10 * S + 5, 86400 * S, NONE);
	add("/b", 10, 10 * S, 10 * S, 10 * S, 10 * S);
	add("/no times", 11, NONE, NONE, NONE, NONE);
	struct an_file *f = add("/b", 10, NONE, 20 * S, NONE, 10 * S);
	f->attr_type = 128;
	check("mactime", NULL,
	      "Date,Size,Type,Mode,UID,GID,Meta,File Name\n"
	      "0000-00-00T00:00:00Z,5,.ac.,r/rrw-r--r--,0,0,10-128-0,\"/b\"\n"
	      "0000-00-00T00:00:00Z,5,...b,r/rrw-r--r--,0,0,9,\"/say \"\"hi\"\", x\"\n"
	      "1970-01-01T00:00:10Z,5,macb,r/rrw-r--r--,0,0,10,\"/b\"\n"
	      "1970-01-01T00:00:10Z,5,...b,r/rrw-r--r--,0,0,10-128-0,\"/b\"\n"
	      "1970-01-01T00:00:10Z,5,ma..,r/rrw-r--r--,0,0,9,\"/say \"\"hi\"\", x\"\n"
	      "1970-01-01T00:00:20Z,5,m...,r/rrw-r--r--,0,0,10-128-0,\"/b\"\n"
	      "1970-01-02T00:00:00Z,5,..c.,r/rrw-r--r--,0,0,9,\"/say \"\"hi\"\", x\"\n");
}
END_TEST

START_TEST(same_name_twice_is_one_mactime_line)
{
	add("/a", 1, 10 * S, NONE, NONE, NONE);
	add("/a", 1, NONE, 10 * S, NONE, NONE);
	struct an_filter filter = { .from_ns = S, .to_ns = NONE };
	check("mactime", &filter,
	      "Date,Size,Type,Mode,UID,GID,Meta,File Name\n"
	      "1970-01-01T00:00:10Z,5,ma..,r/rrw-r--r--,0,0,1,\"/a\"\n");
}
END_TEST

START_TEST(tables)
{
	add("/a,b\"c\n", 1, -1, NONE, NONE, NONE);
	check("csv", NULL,
	      "datetime,timestamp_desc,timestamp,message,data_type,timestamp_ns,filename,inode,volume,file_size,mode,"
	      "uid,"
	      "gid,file_entry_type,is_allocated,sha256_hash\n"
	      "1969-12-31T23:59:59.999999+00:00,Last Access Time,-1,\"/a,b\"\"c^ Type: file\",fs:stat,-1,"
	      "\"/a,b\"\"c\\x0a\",1,0,5,r/rrw-r--r--,0,0,file,true,\n");
	check("l2tcsv", NULL,
	      "date,time,timezone,MACB,source,sourcetype,type,user,host,short,desc,version,filename,inode,notes,format,"
	      "extra\n"
	      "12/31/1969,23:59:59,UTC,.A..,FILE,File stat,Last Access Time,-,-,/a b\"c\\x0a,/a b\"c^ Type: file,2,"
	      "/a b\"c\\x0a,1,-,filestat,size: 5; mode: r/rrw-r--r--; uid: 0; gid: 0; volume: 0\n");
	char *got = written("jsonl", NULL);
	ck_assert_ptr_nonnull(strstr(got, "\"timestamp\":-1,"));
	ck_assert_ptr_nonnull(strstr(got, "\"timestamp_ns\":-1,\"filename\":\"/a,b\\\"c\\n\""));
	ck_assert_int_eq(got[strlen(got) - 1], '\n');
	free(got);
}
END_TEST

START_TEST(hash_lists)
{
	struct an_file *f = add("/z\\\n", 1, NONE, NONE, NONE, NONE);
	f->flags |= AN_HAS_DIGESTS;
	f = add("/a<b>&", 2, NONE, NONE, NONE, NONE);
	f->flags |= AN_HAS_DIGESTS;
	f->sha256[0] = 0x12;
	add("/unread", 3, NONE, NONE, NONE, NONE);
#define ZEROS "00000000000000000000000000000000000000000000000000000000000000"
	check("sha256sum", NULL, "12" ZEROS "  /a<b>&\n\\00" ZEROS "  /z\\\\\\n\n");
	check("hashdeep", NULL,
	      "%%%% HASHDEEP-1.0\n%%%% size,md5,sha256,filename\n"
	      "5,00000000000000000000000000000000,12" ZEROS ",/a<b>&\n"
	      "5,00000000000000000000000000000000,00" ZEROS ",/z\\\\x0a\n");
	ck_assert_int_eq(co_vec_push(&c.volumes, (struct an_case_volume) { .fs = strdup("ext4") }), 0);
	char *got = written("dfxml", NULL);
	ck_assert_ptr_nonnull(strstr(got, "<filename>a&lt;b&gt;&amp;</filename>"));
	ck_assert_ptr_nonnull(strstr(got, "<hashdigest type='sha256'>12" ZEROS "</hashdigest>"));
	ck_assert_ptr_null(strstr(got, "unread"));
	free(got);
}
END_TEST

Suite *t_moments_suite(void)
{
	Suite *s = suite_create("moments");
	TCase *tc = tcase_create("moments");
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, equal_times_are_one_moment);
	tcase_add_test(tc, filters);
	tcase_add_test(tc, notable_files_only);
	tcase_add_test(tc, body_lines);
	tcase_add_test(tc, mactime_lines);
	tcase_add_test(tc, same_name_twice_is_one_mactime_line);
	tcase_add_test(tc, tables);
	tcase_add_test(tc, hash_lists);
	suite_add_tcase(s, tc);
	return s;
}
