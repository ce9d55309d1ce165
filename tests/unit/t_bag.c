/* SPDX-License-Identifier: Apache-2.0 */
#include "suites.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "folder.h"
#include "hash/digest.h"
#include "manifest/bag.h"

static struct folder dir;
static struct co_str problems; /* of the last verification, one per line */
static struct co_str payload;  /* digests of it, one per line */
static uint64_t bytes_done;

static void set_up(void)
{
	folder_make(&dir);
	problems = (struct co_str) { 0 };
	payload = (struct co_str) { 0 };
}

static void tear_down(void)
{
	co_str_free(&problems);
	co_str_free(&payload);
	folder_remove(&dir);
}

static void on_problem(void *arg, const char *sentence)
{
	ck_assert_ptr_eq(arg, &dir);
	co_str_addf(&problems, "%s\n", sentence);
}

static void on_done(void *arg, uint64_t bytes)
{
	ck_assert_ptr_eq(arg, &dir);
	bytes_done += bytes;
}

static void on_payload(void *arg, const char *path, const char sha256[65])
{
	ck_assert_ptr_eq(arg, &dir);
	co_str_addf(&payload, "%s  %s\n", sha256, path);
}

static int verify(struct co_err *err)
{
	co_str_clear(&problems);
	bytes_done = 0;
	const struct co_bag_watch watch = { on_problem, on_done, on_payload, &dir };
	co_str_clear(&payload);
	return co_bag_verify(in_folder(&dir, "bag"), &watch, err);
}

static void check_problems(const char *want)
{
	struct co_err err = CO_ERR_INIT;
	int r = verify(&err);
	ck_assert_msg(r == (*want ? 1 : 0), "verify returned %d (%s)", r, err.msg);
	ck_assert_str_eq(co_str_get(&problems), want);
}

static void check_file(const char *name, const char *want)
{
	char *got = folder_read(&dir, name);
	ck_assert_ptr_nonnull(got);
	ck_assert_str_eq(got, want);
	free(got);
}

#define HEX_ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define HEX_EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

/* BAG with data/abc, data/empty and data/sub/abc. */
static void make_bag(void)
{
	static const struct co_bag_field fields[] = { { "Source-Organization", "Unit\r\ntest" },
						      { "External-Identifier", NULL },
						      { "Contact-Name", "J\xC3\xA4\xFF" } };
	ck_assert_int_eq(co_bag_create(in_folder(&dir, "bag"), NULL), 0);
	folder_puts(&dir, "bag/data/abc", "abc");
	folder_puts(&dir, "bag/data/empty", "");
	ck_assert_int_eq(mkdir(in_folder(&dir, "bag/data/sub"), 0700), 0);
	folder_puts(&dir, "bag/data/sub/abc", "abc");
	folder_puts(&dir, "bag/VERIFY.txt", "how to\n");
	ck_assert_int_eq(co_bag_seal(in_folder(&dir, "bag"), fields, 3, NULL, 0, NULL), 0);
}

/* Runs a tool in the bag; its exit code. */
static int tool(const char *program, const char *arg, const char *arg2)
{
	int status;
	const char *bag = in_folder(&dir, "bag");
	pid_t pid = fork();
	if (pid == 0) {
		int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
		if (chdir(bag) < 0 || dup2(nowhere, STDOUT_FILENO) < 0 || dup2(nowhere, STDERR_FILENO) < 0)
			_exit(120);
		execlp(program, program, arg, arg2, (char *)NULL);
		_exit(121);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return WEXITSTATUS(status);
}

START_TEST(create_makes_the_folders)
{
	struct stat st;
	ck_assert_int_eq(co_bag_create(in_folder(&dir, "bag"), NULL), 0);
	ck_assert_int_eq(stat(in_folder(&dir, "bag"), &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0700);
	ck_assert_int_eq(stat(in_folder(&dir, "bag/data"), &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0700);
	ck_assert_int_eq(mkdir(in_folder(&dir, "ready"), 0755), 0);
	ck_assert_int_eq(co_bag_create(in_folder(&dir, "ready"), NULL), 0);
}
END_TEST

START_TEST(create_overwrites_nothing)
{
	struct co_err err = CO_ERR_INIT;
	ck_assert_int_eq(co_bag_create(in_folder(&dir, "bag"), NULL), 0);
	ck_assert_int_eq(co_bag_create(in_folder(&dir, "bag"), NULL), 0); /* nothing is in it yet */
	folder_puts(&dir, "bag/data/file", "");
	ck_assert_int_eq(co_bag_create(in_folder(&dir, "bag"), &err), CO_ERR_USAGE);
	ck_assert_ptr_nonnull(strstr(err.msg, "bag exists and is not an empty folder"));
	folder_puts(&dir, "file", "");
	ck_assert_int_eq(co_bag_create(in_folder(&dir, "file"), &err), CO_ERR_USAGE);
	ck_assert_int_eq(co_bag_create(in_folder(&dir, "no/bag"), &err), CO_ERR_OUTPUT);
	ck_assert_ptr_nonnull(strstr(err.msg, "No such file"));
}
END_TEST

START_TEST(a_sealed_bag_is_as_the_standard_says)
{
	make_bag();
	check_file("bag/bagit.txt", "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n");
	check_file("bag/bag-info.txt",
		   "Source-Organization: Unit  test\nContact-Name: J\xC3\xA4\\xff\nPayload-Oxum: 6.3\n");
	check_file("bag/manifest-sha256.txt",
		   HEX_ABC "  data/abc\n" HEX_EMPTY "  data/empty\n" HEX_ABC "  data/sub/abc\n");
	char *tags = folder_read(&dir, "bag/tagmanifest-sha256.txt");
	const char *line = tags;
	static const char *const names[] = { "VERIFY.txt", "bag-info.txt", "bagit.txt", "manifest-sha256.txt" };
	for (int i = 0; i < 4; i++) {
		ck_assert_uint_gt(strcspn(line, "\n"), 66);
		ck_assert_int_eq(strncmp(line + 66, names[i], strlen(names[i])), 0);
		line += strcspn(line, "\n") + 1;
	}
	ck_assert_str_eq(line, "");
	free(tags);
	check_problems("");
	ck_assert_uint_gt(bytes_done, 300);
	/* the stock tool agrees, and would not if a file were another */
	ck_assert_int_eq(tool("sha256sum", "-c", "manifest-sha256.txt"), 0);
	ck_assert_int_eq(tool("sha256sum", "-c", "tagmanifest-sha256.txt"), 0);
	folder_puts(&dir, "bag/data/abc", "abd");
	ck_assert_int_eq(tool("sha256sum", "-c", "manifest-sha256.txt"), 1);
}
END_TEST

START_TEST(sealing_twice_gives_the_same_bytes)
{
	make_bag();
	char *before = folder_read(&dir, "bag/manifest-sha256.txt");
	char *tags_before = folder_read(&dir, "bag/tagmanifest-sha256.txt");
	static const struct co_bag_field fields[] = { { "Source-Organization", "Unit\r\ntest" },
						      { "Contact-Name", "J\xC3\xA4\xFF" } };
	folder_puts(&dir, "bag/tagmanifest-sha256.txt.p7s", "a signature");
	ck_assert_int_eq(co_bag_seal(in_folder(&dir, "bag"), fields, 2, NULL, 0, NULL), 0);
	check_file("bag/manifest-sha256.txt", before);
	check_file("bag/tagmanifest-sha256.txt", tags_before);
	free(before);
	free(tags_before);
}
END_TEST

START_TEST(known_digests_are_not_computed_again)
{
	struct co_bag_known known[] = { { "data/abc", HEX_EMPTY } };
	struct co_err err = CO_ERR_INIT;
	ck_assert_int_eq(co_bag_create(in_folder(&dir, "bag"), NULL), 0);
	folder_puts(&dir, "bag/data/abc", "abc");
	ck_assert_int_eq(co_bag_seal(in_folder(&dir, "bag"), NULL, 0, known, 1, NULL), 0);
	check_file("bag/manifest-sha256.txt", HEX_EMPTY "  data/abc\n");
	check_problems("data/abc was changed: its SHA-256 is not the one in manifest-sha256.txt\n");
	known[0].path = "data/none";
	ck_assert_int_eq(co_bag_seal(in_folder(&dir, "bag"), NULL, 0, known, 1, &err), CO_ERR_FAILED);
	ck_assert_ptr_nonnull(strstr(err.msg, "data/none is gone"));
}
END_TEST

START_TEST(hostile_names_are_encoded)
{
	ck_assert_int_eq(co_bag_create(in_folder(&dir, "bag"), NULL), 0);
	folder_puts(&dir, "bag/data/a\nb\r%0A", "abc");
	folder_puts(&dir, "bag/data/ spaces  *", "abc");
	ck_assert_int_eq(co_bag_seal(in_folder(&dir, "bag"), NULL, 0, NULL, 0, NULL), 0);
	check_file("bag/manifest-sha256.txt", HEX_ABC "  data/ spaces  *\n" HEX_ABC "  data/a%0Ab%0D%250A\n");
	check_problems("");
}
END_TEST

START_TEST(what_can_not_be_bagged)
{
	struct co_err err = CO_ERR_INIT;
	ck_assert_int_eq(co_bag_create(in_folder(&dir, "bag"), NULL), 0);
	ck_assert_int_eq(symlink("/etc/passwd", in_folder(&dir, "bag/data/link")), 0);
	ck_assert_int_eq(co_bag_seal(in_folder(&dir, "bag"), NULL, 0, NULL, 0, &err), CO_ERR_FAILED);
	ck_assert_ptr_nonnull(strstr(err.msg, "data/link is neither a file nor a folder"));
	ck_assert(!folder_has(&dir, "bag/tagmanifest-sha256.txt"));
	ck_assert_int_eq(unlink(in_folder(&dir, "bag/data/link")), 0);
	folder_puts(&dir, "bag/data/a\\b", "");
	ck_assert_int_eq(co_bag_seal(in_folder(&dir, "bag"), NULL, 0, NULL, 0, &err), CO_ERR_FAILED);
	ck_assert_ptr_nonnull(strstr(err.msg, "backslash"));
	ck_assert_int_lt(co_bag_seal(in_folder(&dir, "none"), NULL, 0, NULL, 0, &err), 0);
}
END_TEST

START_TEST(changes_are_found)
{
	make_bag();
	folder_puts(&dir, "bag/data/abc", "abd");
	check_problems("data/abc was changed: its SHA-256 is not the one in manifest-sha256.txt\n");
	ck_assert_str_eq(co_str_get(&payload), "a52d159f262b2c6ddb724a61840befc36eb30c88877a4030b65cbe86298449c9  "
					       "data/abc\n" HEX_EMPTY "  data/empty\n" HEX_ABC "  data/sub/abc\n");
	folder_puts(&dir, "bag/data/abc", "abcd");
	check_problems("data/abc was changed: its SHA-256 is not the one in manifest-sha256.txt\n"
		       "bag-info.txt states another number of bytes or files than there are in data/\n");
	folder_puts(&dir, "bag/data/abc", "abc");
	check_problems("");
	folder_puts(&dir, "bag/VERIFY.txt", "other\n");
	check_problems("VERIFY.txt was changed: its SHA-256 is not the one in tagmanifest-sha256.txt\n");
}
END_TEST

START_TEST(missing_and_added_files_are_found)
{
	make_bag();
	folder_puts(&dir, "bag/data/sub/added\x1b", "");
	ck_assert_int_eq(unlink(in_folder(&dir, "bag/data/empty")), 0);
	check_problems("data/empty is missing\ndata/sub/added\\x1b is not listed in manifest-sha256.txt\n");
	ck_assert_int_eq(symlink("abc", in_folder(&dir, "bag/data/empty")), 0);
	check_problems("data/empty is a link, not a file\ndata/empty is neither a file nor a folder\n"
		       "data/sub/added\\x1b is not listed in manifest-sha256.txt\n");
}
END_TEST

START_TEST(a_linked_folder_is_not_entered)
{
	make_bag();
	ck_assert_int_eq(rename(in_folder(&dir, "bag/data/sub"), in_folder(&dir, "outside")), 0);
	ck_assert_int_eq(symlink("../../outside", in_folder(&dir, "bag/data/sub")), 0);
	check_problems("data/sub/abc can't be opened: Not a directory\ndata/sub is neither a file nor a folder\n"
		       "bag-info.txt states another number of bytes or files than there are in data/\n");
}
END_TEST

START_TEST(an_unfinished_bag_is_told)
{
	make_bag();
	ck_assert_int_eq(unlink(in_folder(&dir, "bag/tagmanifest-sha256.txt")), 0);
	check_problems("tagmanifest-sha256.txt is missing: the bag was not completed\n");
	ck_assert_int_eq(unlink(in_folder(&dir, "bag/manifest-sha256.txt")), 0);
	check_problems("tagmanifest-sha256.txt is missing: the bag was not completed\n"
		       "manifest-sha256.txt is missing: the bag was not completed\n");
}
END_TEST

START_TEST(what_is_no_bag)
{
	struct co_err err = CO_ERR_INIT;
	ck_assert_int_lt(verify(&err), 0);
	ck_assert_ptr_nonnull(strstr(err.msg, "No such file"));
	ck_assert_int_eq(mkdir(in_folder(&dir, "bag"), 0700), 0);
	ck_assert_int_eq(verify(&err), CO_ERR_FORMAT);
	ck_assert_ptr_nonnull(strstr(err.msg, "is not an evidence bag"));
	ck_assert_str_eq(co_str_get(&problems), "");
}
END_TEST

START_TEST(the_declaration_is_checked)
{
	static const char changed[] = "bagit.txt was changed: its SHA-256 is not the one in tagmanifest-sha256.txt\n"
				      "bagit.txt does not declare a bag in UTF-8\n";
	make_bag();
	folder_puts(&dir, "bag/bagit.txt", "something else\n");
	check_problems(changed);
	folder_puts(&dir, "bag/bagit.txt", "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-16\n");
	check_problems(changed);
	ck_assert_int_eq(unlink(in_folder(&dir, "bag/bagit.txt")), 0);
	check_problems("bagit.txt is missing\n");
	ck_assert_int_eq(mkdir(in_folder(&dir, "bag/bagit.txt"), 0700), 0);
	check_problems("bagit.txt is not a file\nbagit.txt is an empty folder\n");
}
END_TEST

/* Nobody lists them, so they could be anything. */
START_TEST(added_tag_files_and_folders_are_found)
{
	make_bag();
	folder_puts(&dir, "bag/notes\x1b.txt", "");
	check_problems("notes\\x1b.txt is not listed in tagmanifest-sha256.txt\n");
	ck_assert_int_eq(unlink(in_folder(&dir, "bag/notes\x1b.txt")), 0);
	ck_assert_int_eq(mkdir(in_folder(&dir, "bag/more"), 0700), 0);
	check_problems("more is an empty folder\n");
	folder_puts(&dir, "bag/more/file", "");
	check_problems("more/file is not listed in tagmanifest-sha256.txt\n");
	ck_assert_int_eq(unlink(in_folder(&dir, "bag/more/file")), 0);
	ck_assert_int_eq(rmdir(in_folder(&dir, "bag/more")), 0);
	ck_assert_int_eq(symlink("bagit.txt", in_folder(&dir, "bag/tagmanifest-sha256.txt.p7s")), 0);
	check_problems("tagmanifest-sha256.txt.p7s is neither a file nor a folder\n");
	ck_assert_int_eq(unlink(in_folder(&dir, "bag/tagmanifest-sha256.txt.p7s")), 0);
	folder_puts(&dir, "bag/tagmanifest-sha256.txt.p7s", "checked elsewhere");
	check_problems("");
	ck_assert_int_eq(mkdir(in_folder(&dir, "bag/data/none"), 0700), 0);
	check_problems("data/none is an empty folder\n");
}
END_TEST

/* The manifest replaced by @text, and the tag manifest made to agree. */
static void forge(const char *text)
{
	CO_CLEANUP_STR struct co_str tags = { 0 };
	static const char *const names[] = { "VERIFY.txt", "bag-info.txt", "bagit.txt", "manifest-sha256.txt" };
	folder_puts(&dir, "bag/manifest-sha256.txt", text);
	for (int i = 0; i < 4; i++) {
		struct co_digests d;
		char hex[2 * CO_HASH_MAX + 1], name[64];
		snprintf(name, sizeof name, "bag/%s", names[i]);
		ck_assert_int_eq(co_digest_file(CO_HASH_BIT(CO_HASH_SHA256), in_folder(&dir, name), &d, NULL), 0);
		co_digests_hex(&d, CO_HASH_SHA256, hex);
		co_str_addf(&tags, "%s  %s\n", hex, names[i]);
	}
	folder_puts(&dir, "bag/tagmanifest-sha256.txt", co_str_get(&tags));
}

#define GOOD HEX_ABC "  data/abc\n" HEX_EMPTY "  data/empty\n" HEX_ABC "  data/sub/abc\n"

static const struct {
	const char *line; /* added to a good manifest */
	const char *problem;
} forged[] = {
	{ "", "" },
	{ HEX_ABC "  data/../../secret\n", "data/../../secret is not a path within the bag\n" },
	{ HEX_ABC "  ../secret\n", "../secret is not a path within the bag\n" },
	{ HEX_ABC "  /etc/passwd\n", "/etc/passwd is not a path within the bag\n" },
	{ HEX_ABC "  ~/x\n", "~/x is not a path within the bag\n" },
	{ HEX_ABC "  data\\..\\x\n", "data\\x5c..\\x5cx is not a path within the bag\n" },
	{ HEX_ABC "  data/./abc\n", "data/./abc is not a path within the bag\n" },
	{ HEX_ABC "  data//abc\n", "data//abc is not a path within the bag\n" },
	{ HEX_ABC "  data/sub/\n", "data/sub/ is not a path within the bag\n" },
	{ HEX_ABC "  data/..%0A\n", "data/..\\x0a is missing\n" },
	{ HEX_ABC "  bagit.txt\n", "bagit.txt is listed as payload, but lies outside data/\n" },
	{ HEX_ABC "  data/sub\n", "data/sub is not a file\n" },
	{ HEX_ABC "  data/abc\n", "data/abc is listed twice\n" },
	{ HEX_ABC "  data/none\n", "data/none is missing\n" },
	{ HEX_ABC "\n", "manifest-sha256.txt has a line that is not a digest and a path\n" },
	{ HEX_ABC "  \n", " is not a path within the bag\n" },
	{ HEX_ABC "data/none\n", "manifest-sha256.txt has a line that is not a digest and a path\n" },
	{ "xyz  data/none\n", "manifest-sha256.txt has a line that is not a digest and a path\n" },
	{ "\r\n\n", "" },
};

START_TEST(forged_manifests_are_refused)
{
	CO_CLEANUP_STR struct co_str text = { 0 };
	make_bag();
	folder_puts(&dir, "secret", "abc");
	co_str_addf(&text, "%s%s", GOOD, forged[_i].line);
	forge(text.s);
	check_problems(forged[_i].problem);
}
END_TEST

START_TEST(other_line_forms_are_read)
{
	make_bag();
	forge("BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD *data/abc\r\n" HEX_EMPTY
	      "\tdata/empty\r\n" HEX_ABC " data/sub/abc");
	check_problems("");
}
END_TEST

START_TEST(long_lines_and_zero_bytes_are_refused)
{
	CO_CLEANUP_STR struct co_str text = { 0 };
	make_bag();
	co_str_add(&text, GOOD HEX_ABC "  data/");
	for (int i = 0; i < 1000; i++)
		co_str_add(&text, "long/");
	forge(text.s);
	check_problems("manifest-sha256.txt has a line that is too long\n");
	co_str_clear(&text);
	co_str_add(&text, GOOD HEX_ABC "  data/");
	co_str_add_n(&text, "a\0bc\n", 5);
	folder_write(&dir, "bag/manifest-sha256.txt", text.s, text.n);
	ck_assert_int_eq(verify(NULL), 1);
	ck_assert_ptr_nonnull(strstr(co_str_get(&problems), "manifest-sha256.txt has a line with a zero byte\n"));
}
END_TEST

START_TEST(an_unlisted_manifest_proves_nothing)
{
	make_bag();
	folder_puts(&dir, "bag/tagmanifest-sha256.txt", "");
	check_problems("VERIFY.txt is not listed in tagmanifest-sha256.txt\n"
		       "bag-info.txt is not listed in tagmanifest-sha256.txt\n"
		       "bagit.txt is not listed in tagmanifest-sha256.txt\n"
		       "manifest-sha256.txt is not listed in tagmanifest-sha256.txt\n");
	folder_puts(&dir, "bag/tagmanifest-sha256.txt", HEX_ABC "  data/abc\n");
	ck_assert_int_eq(verify(NULL), 1);
	ck_assert_ptr_nonnull(strstr(co_str_get(&problems), "data/abc is listed as tag file, but lies in data/\n"));
}
END_TEST

Suite *t_bag_suite(void)
{
	Suite *suite = suite_create("bag");
	TCase *tc = tcase_create("bag");
	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, create_makes_the_folders);
	tcase_add_test(tc, create_overwrites_nothing);
	tcase_add_test(tc, a_sealed_bag_is_as_the_standard_says);
	tcase_add_test(tc, sealing_twice_gives_the_same_bytes);
	tcase_add_test(tc, known_digests_are_not_computed_again);
	tcase_add_test(tc, hostile_names_are_encoded);
	tcase_add_test(tc, what_can_not_be_bagged);
	tcase_add_test(tc, changes_are_found);
	tcase_add_test(tc, missing_and_added_files_are_found);
	tcase_add_test(tc, a_linked_folder_is_not_entered);
	tcase_add_test(tc, an_unfinished_bag_is_told);
	tcase_add_test(tc, what_is_no_bag);
	tcase_add_test(tc, the_declaration_is_checked);
	tcase_add_test(tc, added_tag_files_and_folders_are_found);
	tcase_add_loop_test(tc, forged_manifests_are_refused, 0, (int)(sizeof forged / sizeof *forged));
	tcase_add_test(tc, other_line_forms_are_read);
	tcase_add_test(tc, long_lines_and_zero_bytes_are_refused);
	tcase_add_test(tc, an_unlisted_manifest_proves_nothing);
	suite_add_tcase(suite, tc);
	return suite;
}
