/* SPDX-License-Identifier: Apache-2.0 */
#include "suites.h"

#include <stdio.h>

#include "base/text.h"
#include "case_builder.h"
#include "check/backdate.h"
#include "check/directives.h"
#include "check/dpkg_lists.h"
#include "check/paths.h"
#include "check/php_stub.h"

#define SPAN(text) ((struct an_span) { text, sizeof(text) - 1 })

START_TEST(lines_of_md5sums)
{
	uint8_t md5[16];
	struct an_span path;
	ck_assert(an_md5sums_line(SPAN("00112233445566778899aabbccddeeff  usr/bin/a b"), md5, &path));
	ck_assert(an_span_is(path, SPAN("usr/bin/a b")));
	ck_assert_uint_eq(md5[15], 0xff);
	ck_assert(an_md5sums_line(SPAN("00112233445566778899aabbccddeeff  ./usr/x"), md5, &path));
	ck_assert(an_span_is(path, SPAN("usr/x")));
	ck_assert(!an_md5sums_line(SPAN("00112233445566778899aabbccddeefg  usr/x"), md5, &path));
	ck_assert(!an_md5sums_line(SPAN("00112233445566778899aabbccddeeff usr/x"), md5, &path));
	ck_assert(!an_md5sums_line(SPAN("00112233445566778899aabbccddeeff  "), md5, &path));
	ck_assert(!an_md5sums_line(SPAN(""), md5, &path));
}
END_TEST

START_TEST(lines_of_conffiles)
{
	uint8_t md5[16];
	struct an_span path;
	ck_assert(an_conffile_line(SPAN(" /etc/a b 00112233445566778899aabbccddeeff"), md5, &path));
	ck_assert(an_span_is(path, SPAN("/etc/a b")));
	ck_assert(!an_conffile_line(SPAN(" /etc/a 00112233445566778899aabbccddeeff obsolete"), md5, &path));
	ck_assert(!an_conffile_line(SPAN(" /etc/a newconffile"), md5, &path));
	ck_assert(!an_conffile_line(SPAN(" etc/a 00112233445566778899aabbccddeeff"), md5, &path));
}
END_TEST

START_TEST(stanzas_of_status)
{
	static const char text[] = "Package: one\nStatus: install ok installed\nVersion: 1:2-3\nConffiles:\n /etc/one "
				   "00112233445566778899aabbccddeeff\nDescription: x\n /etc/no no\n\n\n"
				   "Package: two\nStatus: deinstall ok config-files\n\n"
				   "Package: three\nStatus: hold ok half-configured";
	struct an_dpkg_package p;
	size_t at = 0;
	ck_assert(an_next_package(text, sizeof text - 1, &at, &p));
	ck_assert(an_span_is(p.name, SPAN("one")) && an_span_is(p.version, SPAN("1:2-3")) && p.installed);
	ck_assert(memmem(p.conffiles.s, p.conffiles.n, "/etc/one", 8));
	ck_assert(!memmem(p.conffiles.s, p.conffiles.n, "/etc/no", 7));
	ck_assert(an_next_package(text, sizeof text - 1, &at, &p));
	ck_assert(an_span_is(p.name, SPAN("two")) && !p.installed);
	ck_assert(an_next_package(text, sizeof text - 1, &at, &p));
	ck_assert(an_span_is(p.name, SPAN("three")) && p.installed);
	ck_assert(!an_next_package(text, sizeof text - 1, &at, &p));
}
END_TEST

START_TEST(names_of_lists_and_diversions)
{
	ck_assert(an_span_is(an_list_package("libc6:amd64.md5sums", ".md5sums"), SPAN("libc6")));
	ck_assert(an_span_is(an_list_package("g++.md5sums", ".md5sums"), SPAN("g++")));
	ck_assert_uint_eq(an_list_package("libc6.list", ".md5sums").n, 0);
	ck_assert_uint_eq(an_list_package(".md5sums", ".md5sums").n, 0);
	struct an_diversion v;
	size_t at = 0;
	ck_assert(an_next_diversion("/bin/sh\n/bin/sh.distrib\ndash\n/cut\n", 34, &at, &v));
	ck_assert(an_span_is(v.to, SPAN("/bin/sh.distrib")) && an_span_is(v.package, SPAN("dash")));
	ck_assert(!an_next_diversion("/bin/sh\n/bin/sh.distrib\ndash\n/cut\n", 34, &at, &v));
}
END_TEST

static void is_stub(const char *text, bool expected)
{
	ck_assert_msg(an_php_is_stub(text, strlen(text)) == expected, "%s", text);
}

START_TEST(stubs_of_php)
{
	is_stub("", true);
	is_stub("<?php // Silence is golden.\n", true);
	is_stub("<?php\n/* nothing */ # here\n?>\n", true);
	is_stub("<?php exit;", true);
	is_stub("<?php die();", true);
	is_stub("<?php return; eval($x);", false);
	is_stub("<?php // x ?><b>", false);
	is_stub("<?php // x\neval($x);", false);
	is_stub("<?php /* */ #[A]\nf();", false);
	is_stub("<?php exit(system($x));", false);
	is_stub("<?= $x ?>", false);
	is_stub("GIF89a <?php", false);
	is_stub("<?php /* never closed", true);
}
END_TEST

START_TEST(tags_of_php)
{
	ck_assert_int_eq(an_php_tag("xx<?php\n1", 9), 2);
	ck_assert_int_eq(an_php_tag("<?phpx 12345", 12), -1);
	ck_assert_int_eq(an_php_tag("<?= $_GET['x'] ?>", 17), 0);
	ck_assert_int_eq(an_php_tag("<?=\xff\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a", 14), -1);
	ck_assert_int_eq(an_php_tag("<?xml <?php ", 12), 6);
	ck_assert_int_eq(an_php_tag("<?php", 5), -1);
}
END_TEST

struct seen {
	enum an_directive what[8];
	size_t off[8], len[8], n;
};

static int see(void *arg, enum an_directive what, size_t off, size_t len)
{
	struct seen *s = arg;
	if (s->n == 8)
		return 1;
	s->what[s->n] = what;
	s->off[s->n] = off;
	s->len[s->n++] = len;
	return 0;
}

static struct seen htaccess(const char *text)
{
	struct seen s = { 0 };
	ck_assert_int_eq(an_htaccess_scan(text, strlen(text), see, &s), 0);
	return s;
}

static size_t settings(const char *text)
{
	return htaccess(text).n;
}

START_TEST(directives_that_run_other_code)
{
	struct seen s = htaccess("# AddHandler php .jpg\naddHANDLER application/x-httpd-php .png \\\n .jpg\n");
	ck_assert_uint_eq(s.n, 1);
	ck_assert_int_eq(s.what[0], AN_DIRECTIVE_HANDLER);
	ck_assert_uint_eq(s.off[0], 22);
	ck_assert_uint_eq(s.len[0], 47);
	ck_assert_uint_eq(settings("AddType application/x-httpd-php .txt"), 1);
	ck_assert_uint_eq(settings("AddType \"application/x-httpd-php\" png"), 1);
	ck_assert_uint_eq(settings("SetHandler application/x-httpd-php"), 1);
	ck_assert_uint_eq(settings("<FilesMatch \"\\.(jpg|php)$\">\nSetHandler php-script\n</FilesMatch>"), 1);
	ck_assert_uint_eq(settings("ForceType application/x-httpd-php"), 1);
	ck_assert_int_eq(htaccess("php_value auto_prepend_file /tmp/x").what[0], AN_DIRECTIVE_PREPEND);
	ck_assert_uint_eq(settings("php_value  auto_append_file '/a b'"), 1);
	ck_assert_int_eq(htaccess("Options -Indexes +ExecCGI").what[0], AN_DIRECTIVE_CGI);
}
END_TEST

START_TEST(directives_of_ordinary_sites)
{
	ck_assert_uint_eq(settings(""), 0);
	ck_assert_uint_eq(settings("AddHandler application/x-httpd-php74 .php .phtml"), 0);
	ck_assert_uint_eq(settings("AddType image/svg+xml .svg\nAddType text/html .php"), 0);
	ck_assert_uint_eq(
		settings("<FilesMatch \\.php$>\nSetHandler \"proxy:unix:/run/php.sock|fcgi://x\"\n</FilesMatch>"), 0);
	ck_assert_uint_eq(settings("php_value auto_prepend_file none\nphp_value upload_max_filesize 64M"), 0);
	ck_assert_uint_eq(settings("Options -ExecCGI\nRewriteRule . /index.php [L]\nphp_flag engine off"), 0);
	ck_assert_uint_eq(settings("\"\n'\n\\"), 0);
}
END_TEST

START_TEST(directives_of_user_ini)
{
	struct seen s = { 0 };
	static const char text[] =
		"; auto_prepend_file = x\n auto_prepend_file=\"/tmp/a\"\nauto_append_file =\nmemory_limit = 1";
	ck_assert_int_eq(an_user_ini_scan(text, sizeof text - 1, see, &s), 0);
	ck_assert_uint_eq(s.n, 1);
	ck_assert_uint_eq(s.off[0], 24);
}
END_TEST

START_TEST(bursts_are_counted_per_volume)
{
	struct builder b;
	struct an_instants all;
	struct co_err err = CO_ERR_INIT;
	builder_make(&b);
	for (int i = 0; i < 5; i++)
		builder_file(&b, "/f", "x")->time[AN_CRTIME] = AT(10 * i);
	struct an_file *other = builder_file(&b, "/g", "x");
	other->volume = 1;
	other->time[AN_CRTIME] = AT(20);
	ck_assert_int_eq(an_instants_make(&b.c.files, AN_CRTIME, &all, &err), 0);
	ck_assert_uint_eq(an_instants_near(&all, 0, AT(20), 10 * CO_NS_PER_S), 3); /* both ends count */
	ck_assert_uint_eq(an_instants_near(&all, 1, AT(20), 10 * CO_NS_PER_S), 1);
	ck_assert_uint_eq(an_instants_near(&all, 0, INT64_MAX, 10 * CO_NS_PER_S), 0);
	ck_assert_uint_eq(an_instants_near(&all, 0, INT64_MIN + 1, 10 * CO_NS_PER_S), 0);
	an_instants_free(&all);
	builder_free(&b);
}
END_TEST

START_TEST(inodes_out_of_order)
{
	struct builder b;
	struct an_births all;
	struct co_err err = CO_ERR_INIT;
	builder_make(&b);
	for (int i = 0; i < 8; i++)
		builder_file(&b, "/f", "x")->time[AN_CRTIME] = AT(i);
	struct an_file *early = builder_file(&b, "/early", "x"), *fits;
	early->time[AN_CRTIME] = AT(-7200);
	fits = builder_file(&b, "/fits", "x");
	fits->time[AN_CRTIME] = AT(-3000);
	ck_assert_int_eq(an_births_make(&b.c.files, &all, &err), 0);
	ck_assert(an_births_out_of_order(&all, &b.c.files.rows.at[8]));
	ck_assert(!an_births_out_of_order(&all, &b.c.files.rows.at[9]));
	ck_assert(!an_births_out_of_order(&all, &b.c.files.rows.at[0]));
	an_births_free(&all);
	builder_free(&b);
}
END_TEST

START_TEST(what_paths_say)
{
	ck_assert(an_path_below("/tmp/x", "/tmp") && an_path_below("/tmp", "/tmp") && !an_path_below("/tmpx", "/tmp"));
	ck_assert_str_eq(an_path_extension("/a.b/c"), "");
	ck_assert_str_eq(an_path_extension("/a/.htaccess"), "");
	ck_assert_str_eq(an_path_extension("/a/.x.php"), "php");
	ck_assert(an_path_is_script("/x.PhP5") && an_path_is_rare_script("/x.php5") &&
		  !an_path_is_rare_script("/x.php"));
	ck_assert(an_path_is_media("/x.JPG") && !an_path_is_media("/x.php"));
}
END_TEST

/* A server with one package: programs behind a merged /usr, data, a configuration file, and its list of digests. */
static void package(struct builder *b)
{
	static char list[8192], status[1024];
	static const char *const files[][2] = {
		{ "/usr/bin/tool", "\177ELF tool" },
		{ "/usr/bin/other", "\177ELF other" },
		{ "/usr/share/pkg/data", "data" },
		{ "/usr/share/wp/index.php", "<?php a();" },
		{ "/usr/share/wp/uploads/x.php", "<?php kept();" },
		{ "/usr/bin/set", "\177ELF set" },
	};
	size_t n = 0;
	char hex[33];
	builder_make(b);
	builder_link(b, "/bin", "usr/bin");
	struct an_file conf = { 0 };
	builder_digest(&conf, "as shipped", 10);
	co_hex(conf.md5, 16, hex);
	snprintf(status, sizeof status,
		 "Package: pkg\nStatus: install ok installed\nVersion: 1.0\nConffiles:\n /etc/pkg.conf %s\n\n"
		 "Package: gone\nStatus: deinstall ok config-files\n",
		 hex);
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		struct an_file *f = builder_file(b, files[i][0], files[i][1]);
		co_hex(f->md5, 16, hex);
		const char *listed =
			i == 0 ? "bin/tool" : files[i][0] + 1; /* as packages from before the merge list it */
		n += (size_t)snprintf(list + n, sizeof list - n, "%s  %s\n", hex, listed);
		if (strcmp(files[i][0], "/usr/bin/set") == 0)
			f->mode = 04755;
	}
	snprintf(list + n, sizeof list - n, "%s  usr/lib/lost.so\n", hex);
	builder_file(b, "/etc/pkg.conf", "as shipped");
	builder_file(b, "/var/lib/dpkg/status", status);
	builder_file(b, "/var/lib/dpkg/info/pkg:amd64.md5sums", list);
	builder_file(b, "/var/lib/dpkg/info/gone.md5sums", "00112233445566778899aabbccddeeff  usr/share/pkg/data\n");
}

/* Gives a file of the package other bytes. */
static void change(struct builder *b, const char *path, const char *content)
{
	struct an_file *f = an_files_find(&b->c.files, path);
	ck_assert_ptr_nonnull(f);
	builder_digest(f, content, strlen(content));
	for (size_t i = 0; i < b->n; i++) {
		if (strcmp(b->content[i].path, path) == 0) {
			free(b->content[i].content);
			b->content[i].content = strdup(content);
			b->content[i].len = strlen(content);
		}
	}
}

START_TEST(an_unchanged_package_is_silent)
{
	struct builder b;
	package(&b);
	builder_run(&b);
	ck_assert_uint_eq(b.c.findings.list.n, 1); /* the lost library */
	ck_assert_ptr_nonnull(builder_reason(&b, "/usr/lib/lost.so", "dpkg-missing"));
	ck_assert_uint_eq(b.c.problems.n, 0);
	builder_free(&b);
}
END_TEST

START_TEST(a_changed_program_is_confirmed)
{
	struct builder b;
	package(&b);
	change(&b, "/usr/bin/tool", "\177ELF trojan");
	change(&b, "/usr/share/pkg/data", "other");
	change(&b, "/etc/pkg.conf", "edited");
	change(&b, "/usr/bin/set", "\177ELF mine");
	builder_run(&b);
	const struct an_reason *reason = builder_reason(&b, "/usr/bin/tool", "dpkg-modified");
	ck_assert_ptr_nonnull(reason);
	ck_assert_ptr_nonnull(strstr(reason->text, "pkg 1.0"));
	ck_assert_ptr_nonnull(strstr(reason->text, "/var/lib/dpkg/info/pkg:amd64.md5sums (SHA-256 "));
	ck_assert_int_eq(builder_finding(&b, "/usr/bin/tool")->severity, AN_CONFIRMED);
	ck_assert_ptr_nonnull(builder_reason(&b, "/usr/share/pkg/data", "dpkg-modified-data"));
	ck_assert_int_eq(builder_finding(&b, "/etc/pkg.conf")->severity, AN_NOTABLE);
	ck_assert_ptr_nonnull(builder_reason(&b, "/usr/bin/set", "setuid-root"));
	builder_free(&b);
}
END_TEST

START_TEST(diverted_files_are_compared_at_their_place)
{
	struct builder b;
	package(&b);
	change(&b, "/usr/bin/other", "\177ELF of the other package");
	builder_file(&b, "/usr/bin/other.distrib", "\177ELF other");
	builder_file(&b, "/var/lib/dpkg/diversions", "/usr/bin/other\n/usr/bin/other.distrib\nelse\n");
	builder_run(&b);
	ck_assert_ptr_null(builder_finding(&b, "/usr/bin/other"));
	ck_assert_ptr_null(builder_finding(&b, "/usr/bin/other.distrib"));
	builder_free(&b);
}
END_TEST

START_TEST(without_digests_it_is_said)
{
	struct builder b;
	package(&b);
	for (size_t i = 0; i < b.c.files.rows.n; i++)
		b.c.files.rows.at[i].flags &= ~(uint32_t)AN_HAS_DIGESTS;
	builder_run(&b);
	ck_assert_uint_eq(b.c.problems.n, 1);
	ck_assert_ptr_nonnull(strstr(b.c.problems.at[0].text, "--hash"));
	builder_free(&b);
}
END_TEST

START_TEST(a_copy_of_a_package_is_compared)
{
	struct builder b;
	char path[128], copy[128], text[64], list[16384], hex[33];
	size_t n = 0;
	builder_make(&b);
	for (int i = 0; i < 60; i++) {
		snprintf(path, sizeof path, "/usr/share/wp/inc/part-%d.php", i);
		snprintf(text, sizeof text, "<?php part(%d);", i);
		co_hex(builder_file(&b, path, text)->md5, 16, hex);
		n += (size_t)snprintf(list + n, sizeof list - n, "%s  %s\n", hex, path + 1);
		snprintf(copy, sizeof copy, "/var/www/html/blog/inc/part-%d.php", i);
		builder_file(&b, copy, i == 7 ? "<?php part(7); evil();" : text);
	}
	co_hex(builder_file(&b, "/usr/share/wp/index.php", "<?php top();")->md5, 16, hex);
	snprintf(list + n, sizeof list - n, "%s  usr/share/wp/index.php\n", hex);
	builder_file(&b, "/var/www/html/blog/index.php", "<?php top();");
	builder_file(&b, "/var/www/html/blog/inc/mine.php", "<?php mine();");
	builder_file(&b, "/var/www/html/blog/wp-config.php", "<?php config();");
	builder_file(&b, "/var/lib/dpkg/status", "Package: wp\nStatus: install ok installed\n");
	builder_file(&b, "/var/lib/dpkg/info/wp.md5sums", list);
	builder_run(&b);
	ck_assert_ptr_nonnull(builder_reason(&b, "/var/www/html/blog/inc/part-7.php", "copy-modified"));
	ck_assert_int_eq(builder_finding(&b, "/var/www/html/blog/inc/part-7.php")->severity, AN_CONFIRMED);
	ck_assert_ptr_nonnull(builder_reason(&b, "/var/www/html/blog/inc/mine.php", "extra-code"));
	ck_assert_ptr_null(builder_finding(&b, "/var/www/html/blog/wp-config.php"));
	ck_assert_uint_eq(b.c.findings.list.n, 2);
	builder_free(&b);
}
END_TEST

START_TEST(scripts_in_upload_folders)
{
	struct builder b;
	package(&b);
	builder_file(&b, "/var/www/html/wp-content/uploads/2026/09/thumb.php", "<?php x($y);");
	builder_file(&b, "/var/www/html/wp-content/uploads/index.php", "<?php // Silence is golden.");
	builder_file(&b, "/var/www/html/wp-content/uploads/thumb.php", "<?php return; /* nothing yet */");
	/* "lib" is a folder of code elsewhere */
	builder_file(&b, "/var/lib/wordpress/wp-content/uploads/thumb.php", "<?php x($y);");
	builder_file(&b, "/var/www/html/wp-content/uploads/2026/09/a.jpg",
		     "\xff\xd8 plain picture <?=\x80\x81 by chance");
	builder_file(&b, "/var/www/html/wp-content/uploads/2026/09/b.jpg", "GIF89a;<?php run($y);");
	builder_file(&b, "/var/www/html/wp-content/plugins/p/cache/c.php", "<?php class C {}");
	builder_file(&b, "/tmp/.x", "\177ELF helper");
	builder_file(&b, "/tmp/sess_1", "user|i:1");
	builder_run(&b);
	const struct an_reason *reason =
		builder_reason(&b, "/var/www/html/wp-content/uploads/2026/09/thumb.php", "upload-script");
	ck_assert_ptr_nonnull(reason);
	ck_assert_str_eq(reason->quote, "<?php x($y);");
	ck_assert_int_eq(reason->offset, 0);
	reason = builder_reason(&b, "/var/www/html/wp-content/uploads/2026/09/b.jpg", "php-in-media");
	ck_assert_ptr_nonnull(reason);
	ck_assert_int_eq(reason->offset, 7);
	ck_assert_ptr_nonnull(builder_reason(&b, "/tmp/.x", "temporary-program"));
	ck_assert_ptr_nonnull(builder_reason(&b, "/var/www/html/wp-content/uploads/thumb.php", "upload-script"));
	ck_assert_ptr_nonnull(builder_reason(&b, "/var/lib/wordpress/wp-content/uploads/thumb.php", "upload-script"));
	ck_assert_uint_eq(b.c.findings.list.n, 6); /* with the lost library */
	builder_free(&b);
}
END_TEST

START_TEST(packaged_scripts_in_upload_folders_are_cleared_by_their_digest)
{
	struct builder b;
	package(&b);
	builder_run(&b);
	ck_assert_ptr_null(builder_finding(&b, "/usr/share/wp/uploads/x.php"));
	builder_free(&b);
	package(&b);
	struct co_err err = CO_ERR_INIT;
	ck_assert_int_eq(an_case_fact(&b.c, "web-root", "/usr/share/wp", "/etc/apache2/x.conf", &err), 0);
	change(&b, "/usr/share/wp/uploads/x.php", "<?php other();");
	builder_run(&b);
	ck_assert_ptr_nonnull(builder_reason(&b, "/usr/share/wp/uploads/x.php", "upload-script"));
	ck_assert_ptr_nonnull(builder_reason(&b, "/usr/share/wp/uploads/x.php", "dpkg-modified"));
	builder_free(&b);
}
END_TEST

START_TEST(hidden_and_disguised_scripts)
{
	struct builder b;
	builder_make(&b);
	for (int i = 0; i < 5; i++) {
		char path[64];
		snprintf(path, sizeof path, "/var/www/html/js/lib-%d.js", i);
		builder_file(&b, path, "js");
	}
	builder_file(&b, "/var/www/html/js/.x.php", "<?php x();");
	builder_file(&b, "/var/www/html/logo.png.php", "<?php x();");
	builder_file(&b, "/var/www/html/a.php5", "<?php x();");
	builder_file(&b, "/var/www/html/a.php", "<?php x();");
	builder_run(&b);
	ck_assert_ptr_nonnull(builder_reason(&b, "/var/www/html/js/.x.php", "hidden-script"));
	ck_assert_ptr_nonnull(builder_reason(&b, "/var/www/html/js/.x.php", "static-folder-script"));
	ck_assert_ptr_nonnull(builder_reason(&b, "/var/www/html/logo.png.php", "double-extension"));
	ck_assert_ptr_nonnull(builder_reason(&b, "/var/www/html/a.php5", "rare-extension"));
	ck_assert_ptr_null(builder_finding(&b, "/var/www/html/a.php"));
	builder_free(&b);
}
END_TEST

START_TEST(backdated_files)
{
	struct builder b;
	builder_make(&b);
	builder_folder(&b, "/var/www");
	for (int i = 0; i < 10; i++) { /* an archive: old content, born together */
		char path[64];
		snprintf(path, sizeof path, "/var/www/unpacked-%d.php", i);
		builder_times(builder_file(&b, path, "<?php 1;"), AT(0), AT(-8000000), AT(1));
	}
	builder_times(builder_file(&b, "/var/www/lone.php", "<?php 1;"), AT(5000), AT(-8000000), AT(5001));
	builder_times(builder_file(&b, "/var/www/new.php", "<?php 1;"), AT(6000), AT(6000), AT(6000));
	builder_times(builder_file(&b, "/var/www/unpacked-10.php", "<?php 1;"), AT(0), AT(-8000000), AT(7000));
	builder_times(builder_file(&b, "/var/www/rollback.php", "<?php 1;"), AT(8000), AT(-100), AT(-100));
	builder_times(builder_file(&b, "/var/www/unknown.php", "<?php 1;"), CO_TIME_NONE, AT(-8000000), AT(9000));
	builder_times(builder_file(&b, "/var/log/rotated.1", "log"), AT(9500), AT(9000), AT(9900));
	builder_run(&b);
	ck_assert_ptr_nonnull(builder_reason(&b, "/var/www/lone.php", "backdated-birth"));
	ck_assert_ptr_nonnull(builder_reason(&b, "/var/www/unpacked-10.php", "backdated-change"));
	ck_assert_ptr_nonnull(builder_reason(&b, "/var/www/rollback.php", "change-before-birth"));
	ck_assert_uint_eq(b.c.findings.list.n, 3);
	builder_free(&b);
}
END_TEST

START_TEST(times_that_contradict_the_folder)
{
	struct builder b;
	builder_make(&b);
	struct an_file *folder = builder_folder(&b, "/var/www/new");
	folder->time[AN_CRTIME] = AT(0);
	folder->time[AN_CTIME] = AT(100);
	builder_times(builder_file(&b, "/var/www/new/older.php", "<?php 1;"), AT(-500), AT(-500), AT(-500));
	builder_times(builder_file(&b, "/var/www/new/moved.php", "<?php 1;"), AT(-500), AT(-500), AT(50));
	builder_times(builder_file(&b, "/var/www/new/later.php", "<?php 1;"), AT(200), AT(200), AT(200));
	builder_times(builder_file(&b, "/var/www/new/again.php", "<?php 1;"), AT(300), AT(300), AT(300));
	builder_run(&b);
	ck_assert_ptr_nonnull(builder_reason(&b, "/var/www/new/older.php", "older-than-folder"));
	ck_assert_ptr_nonnull(builder_reason(&b, "/var/www/new", "folder-before-file"));
	ck_assert_uint_eq(builder_finding(&b, "/var/www/new")->reasons.n, 1); /* once, not for each file */
	ck_assert_ptr_null(builder_finding(&b, "/var/www/new/later.php"));
	ck_assert_ptr_null(builder_finding(&b, "/var/www/new/moved.php"));
	builder_free(&b);
}
END_TEST

START_TEST(a_habit_of_the_server_is_no_evidence)
{
	struct builder b;
	builder_make(&b);
	for (int i = 0; i < 60; i++) {
		char path[64];
		snprintf(path, sizeof path, "/var/www/synced-%d.php", i);
		builder_times(builder_file(&b, path, "<?php 1;"), AT(i * 1000), AT(-8000000), AT(i * 1000));
	}
	builder_run(&b);
	ck_assert_uint_eq(b.c.findings.list.n, 0);
	ck_assert_uint_eq(b.c.facts.n, 1);
	ck_assert_ptr_nonnull(strstr(b.c.facts.at[0].value, "60 files"));
	builder_free(&b);
}
END_TEST

START_TEST(setuid_programs)
{
	struct builder b;
	package(&b);
	builder_file(&b, "/usr/local/bin/backup", "\177ELF")->mode = 04755;
	builder_file(&b, "/tmp/.X1-lock", "\177ELF")->mode = 04755;
	builder_file(&b, "/usr/bin/group", "\177ELF")->mode = 02755;
	builder_file(&b, "/var/mail/lock", "x")->mode = 02644;
	builder_run(&b);
	ck_assert_int_eq(builder_finding(&b, "/usr/local/bin/backup")->severity, AN_NOTABLE);
	ck_assert_int_eq(builder_finding(&b, "/tmp/.X1-lock")->severity, AN_STRONG);
	ck_assert_ptr_nonnull(builder_reason(&b, "/usr/bin/group", "setuid-other"));
	ck_assert_ptr_null(builder_finding(&b, "/usr/bin/set"));
	ck_assert_ptr_null(builder_finding(&b, "/var/mail/lock"));
	builder_free(&b);
}
END_TEST

START_TEST(handlers_are_quoted)
{
	struct builder b;
	builder_make(&b);
	builder_file(&b, "/var/www/html/up/.htaccess", "# x\nAddHandler application/x-httpd-php .jpg\n");
	builder_file(&b, "/var/www/html/.user.ini", "auto_prepend_file = /tmp/x\n");
	builder_file(&b, "/var/www/html/.htaccess", "RewriteEngine on\n");
	builder_run(&b);
	const struct an_reason *reason = builder_reason(&b, "/var/www/html/up/.htaccess", "handler-odd-extension");
	ck_assert_ptr_nonnull(reason);
	ck_assert_str_eq(reason->quote, "AddHandler application/x-httpd-php .jpg");
	ck_assert_int_eq(reason->offset, 4);
	ck_assert_ptr_nonnull(builder_reason(&b, "/var/www/html/.user.ini", "prepend-file"));
	ck_assert_uint_eq(b.c.findings.list.n, 2);
	builder_free(&b);
}
END_TEST

Suite *t_checks_suite(void)
{
	const TTest *const tests[] = {
		lines_of_md5sums,
		lines_of_conffiles,
		stanzas_of_status,
		names_of_lists_and_diversions,
		stubs_of_php,
		tags_of_php,
		directives_that_run_other_code,
		directives_of_ordinary_sites,
		directives_of_user_ini,
		bursts_are_counted_per_volume,
		inodes_out_of_order,
		what_paths_say,
		an_unchanged_package_is_silent,
		a_changed_program_is_confirmed,
		diverted_files_are_compared_at_their_place,
		without_digests_it_is_said,
		a_copy_of_a_package_is_compared,
		scripts_in_upload_folders,
		packaged_scripts_in_upload_folders_are_cleared_by_their_digest,
		hidden_and_disguised_scripts,
		backdated_files,
		times_that_contradict_the_folder,
		a_habit_of_the_server_is_no_evidence,
		setuid_programs,
		handlers_are_quoted,
	};
	Suite *s = suite_create("checks");
	TCase *t = tcase_create("checks");
	for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
		tcase_add_test(t, tests[i]);
	suite_add_tcase(s, t);
	return s;
}
