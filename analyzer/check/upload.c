/* SPDX-License-Identifier: Apache-2.0 */
/* Code where only data should be: in folders for uploads and temporary files, among pictures, inside pictures, and
 * under names that hide it. */
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "check/check.h"
#include "check/paths.h"
#include "check/php_stub.h"

#define MAX_READ (8 << 20) /* bytes in which a tag is looked for */
#define MAX_STUB 1024      /* an empty index.php is not longer */
#define QUOTE 160          /* bytes */
#define MIN_STATIC 4       /* files that make a folder one of static files */
#define MAX_ROWS 20000     /* looked at around a script */
#define FEW_RARE 5         /* more files with such an extension are this server's habit */

static const struct an_rule rule_uploads = {
	"upload-script",
	AN_AXIS_METADATA,
	40,
	false,
	"Some plugins write scripts into the upload folder, for caches and exports.",
};
static const struct an_rule rule_cache = {
	"cache-script", AN_AXIS_METADATA, 10, false, "Template engines compile pages to PHP in cache folders.",
};
static const struct an_rule rule_alone = {
	"static-folder-script",
	AN_AXIS_METADATA,
	20,
	false,
	"An application may keep a single script beside its pictures or style sheets.",
};
static const struct an_rule rule_temporary = {
	"temporary-program",
	AN_AXIS_METADATA,
	20,
	false,
	"Installers and administrators unpack programs into temporary folders.",
};
static const struct an_rule rule_hidden = {
	"hidden-script",
	AN_AXIS_METADATA,
	25,
	false,
	"Tools of developers keep settings in PHP files whose names begin with a dot.",
};
static const struct an_rule rule_double = {
	"double-extension",
	AN_AXIS_METADATA,
	25,
	false,
	"A generator of thumbnails may be named like the picture that it makes.",
};
static const struct an_rule rule_rare = {
	"rare-extension",
	AN_AXIS_METADATA,
	20,
	false,
	"Some frameworks use .phtml, .php5 or .phar for their own files.",
};
static const struct an_rule rule_inside = {
	"php-in-media",
	AN_AXIS_CONTENT,
	40,
	false,
	"A text about PHP may have been stored in the metadata of the picture.",
};

enum place {
	PLACE_ELSEWHERE,
	PLACE_UPLOADS,
	PLACE_CACHE,
};

static bool one_of(const char *s, size_t n, const char *const *list)
{
	for (; *list; list++)
		if (strlen(*list) == n && strncasecmp(s, *list, n) == 0)
			return true;
	return false;
}

/* By the first folder of the path that says so; folders of code end the search: what lies below them came with it. */
static enum place place_of(const char *path)
{
	static const char *const uploads[] = { "uploads",    "upload",  "userfiles",    "user_files", "attachments",
					       "attachment", "avatars", "user_uploads", "wp-uploads", NULL };
	static const char *const caches[] = { "cache",  "caches", "tmp", "temp",  "files",
					      "images", "image",  "img", "media", NULL };
	static const char *const code[] = { "plugins",      "themes",        "vendor",      "modules",
					    "includes",     "src",           "lib",         "libraries",
					    "node_modules", "wp-admin",      "wp-includes", "core",
					    "components",   "administrator", "app",         NULL };
	/* where Debian keeps what applications write; here "lib" says nothing about code */
	static const char state[] = "/var/lib";
	const char *begin = an_path_below(path, state) ? path + strlen(state) : path;
	for (const char *s = begin; *s == '/';) {
		size_t n = strcspn(++s, "/");
		if (s[n] == '\0' || one_of(s, n, code))
			break;
		if (one_of(s, n, uploads))
			return PLACE_UPLOADS;
		if (one_of(s, n, caches))
			return PLACE_CACHE;
		s += n;
	}
	return PLACE_ELSEWHERE;
}

/* "logo.png.php", "page.php.jpg" */
static bool has_double_extension(const char *path)
{
	static const char *const pictures[] = { "jpg", "jpeg", "png", "gif", "ico", "bmp", "webp", "svg", "pdf", NULL };
	CO_CLEANUP_STR struct co_str first = { 0 };
	const char *extension = an_path_extension(path);
	if (!*extension)
		return false;
	co_str_add_n(&first, path, strlen(path) - strlen(extension) - 1);
	const char *stem = co_str_get(&first);
	return (an_path_is_script(path) && an_path_has_extension(stem, pictures)) ||
	       (an_path_has_extension(path, pictures) && an_path_is_script(stem));
}

/* Reads the file. 0: *ret_bytes; 1: unreadable, or an empty index.php that only keeps the folder from being listed. */
static int load_code(struct an_check_context *x, const struct an_file *f, char **ret_bytes, size_t *ret_len,
		     struct co_err *err)
{
	int r = an_check_load(x, f, MAX_READ, ret_bytes, ret_len, err);
	bool index = strncasecmp(an_path_base(f->path), "index.", 6) == 0;
	if (r == 0 && index && *ret_len <= MAX_STUB && an_php_is_stub(*ret_bytes, *ret_len))
		return 1;
	return r;
}

/* Quotes the code: from the first tag on, or the begin of the file. */
static int report(struct an_check_context *x, const struct an_file *f, const struct an_rule *rule, const char *bytes,
		  size_t len, struct co_err *err, const char *text)
{
	CO_CLEANUP_STR struct co_str quote = { 0 };
	long tag = an_php_tag(bytes, len);
	size_t at = tag >= 0 ? (size_t)tag : 0;
	size_t n = len - at < QUOTE ? len - at : QUOTE;
	co_str_add_n(&quote, bytes + at, strnlen(bytes + at, n));
	if (quote.failed)
		return co_err_set(err, CO_ERR_NOMEM, 0, "no memory for a quotation");
	return an_findings_add(&x->c->findings, f, rule, quote.n ? co_str_get(&quote) : NULL,
			       quote.n ? (int64_t)at : -1, err, "%s", text);
}

/* Counts the files of the folder of @row from there on in one direction, until it is clear that there are others with
 * code. Rows of a folder lie together, those of its subfolders among them. False: too many to look at. */
static bool count_folder(const struct an_check_context *x, size_t row, int direction, size_t *n_static, size_t *n_code)
{
	const struct an_files *files = &x->c->files;
	const char *path = files->rows.at[row].path;
	size_t len = (size_t)(an_path_base(path) - path);
	for (size_t i = row + (size_t)direction, n = 0; i < files->rows.n && *n_code < 2; i += (size_t)direction) {
		const struct an_file *f = &files->rows.at[i];
		if (strncmp(f->path, path, len) != 0)
			break;
		if (++n > MAX_ROWS)
			return false;
		if ((size_t)(an_path_base(f->path) - f->path) != len || !an_file_is_live_regular(f))
			continue;
		*(an_path_is_static(f->path) ? n_static : n_code) += 1;
	}
	return true;
}

/* Is this script the only one in a folder of files that are only served? */
static bool alone_among_static(const struct an_check_context *x, size_t row)
{
	size_t n_static = 0, n_code = 1;
	return count_folder(x, row, -1, &n_static, &n_code) && count_folder(x, row, 1, &n_static, &n_code) &&
	       n_code == 1 && n_static >= MIN_STATIC;
}

static bool few_have_extension(const struct an_check_context *x, const char *path)
{
	const char *const list[] = { an_path_extension(path), NULL };
	size_t n = 0;
	for (size_t i = 0; i < x->c->files.rows.n && n <= FEW_RARE; i++)
		n += an_file_is_live_regular(&x->c->files.rows.at[i]) &&
		     an_path_has_extension(x->c->files.rows.at[i].path, list);
	return n <= FEW_RARE;
}

/* Up to this many rules apply to one script. */
struct matches {
	const struct an_rule *rule[6];
	const char *text[6];
	size_t n;
};

static void match(struct matches *m, bool hit, const struct an_rule *rule, const char *text)
{
	if (!hit)
		return;
	m->rule[m->n] = rule;
	m->text[m->n++] = text;
}

static int check_script(struct an_check_context *x, size_t row, struct co_err *err)
{
	const struct an_file *f = &x->c->files.rows.at[row];
	enum place place = place_of(f->path);
	struct matches m = { 0 };
	CO_CLEANUP_FREE char *bytes = NULL;
	size_t len = 0;
	match(&m, place == PLACE_UPLOADS, &rule_uploads,
	      "A script that the server would run lies in a folder for uploads.");
	match(&m, place == PLACE_CACHE, &rule_cache, "A script that the server would run lies in a folder for data.");
	match(&m, place == PLACE_ELSEWHERE && alone_among_static(x, row), &rule_alone,
	      "A script lies alone in a folder that otherwise holds only pictures, style sheets and the like.");
	match(&m, an_path_base(f->path)[0] == '.', &rule_hidden,
	      "The name of this script begins with a dot, which hides it.");
	match(&m, has_double_extension(f->path), &rule_double, "The name of this script looks like that of a picture.");
	match(&m, an_path_is_rare_script(f->path) && few_have_extension(x, f->path), &rule_rare,
	      "The server may run files with this rare extension, and hardly any other file here has it.");
	if (m.n == 0)
		return 0;
	int r = load_code(x, f, &bytes, &len, err);
	for (size_t i = 0; r == 0 && i < m.n; i++)
		r = report(x, f, m.rule[i], bytes, len, err, m.text[i]);
	return r < 0 ? r : 0;
}

static int check_temporary(struct an_check_context *x, const struct an_file *f, struct co_err *err)
{
	bool program =
		(f->content & (AN_CONTENT_ELF | AN_CONTENT_SHEBANG | AN_CONTENT_PHP)) || an_path_is_script(f->path);
	if (!program || f->size == 0)
		return 0;
	return an_findings_add(
		&x->c->findings, f, &rule_temporary, NULL, -1, err,
		"A program or script (%s) lies in a folder for temporary files that everyone may write to.",
		f->content & AN_CONTENT_ELF ? "ELF" : "text");
}

/* PHP inside a picture, or inside any file of an upload folder that is no script by its name. */
static int check_inside(struct an_check_context *x, const struct an_file *f, struct co_err *err)
{
	CO_CLEANUP_FREE char *bytes = NULL;
	size_t len = 0;
	bool uploads = place_of(f->path) == PLACE_UPLOADS;
	if (!(f->content & AN_CONTENT_PHP) || !(an_path_is_media(f->path) || uploads))
		return 0;
	int r = an_check_load(x, f, MAX_READ, &bytes, &len, err);
	if (r == 0 && an_php_tag(bytes, len) >= 0)
		r = report(x, f, &rule_inside, bytes, len, err,
			   "The file is no script by its name, but holds PHP code.");
	return r < 0 ? r : 0;
}

static int run(struct an_check_context *x, struct co_err *err)
{
	int r = 0;
	for (size_t i = 0; r == 0 && i < x->c->files.rows.n; i++) {
		const struct an_file *f = &x->c->files.rows.at[i];
		if (!an_file_is_live_regular(f) || an_check_knows(x, f, AN_KNOWN_SAME))
			continue;
		if (an_path_is_temporary(f->path))
			r = check_temporary(x, f, err);
		if (r < 0 || !an_path_is_web(x->c, f->path))
			continue;
		bool hidden = f->content & AN_CONTENT_PHP && an_path_base(f->path)[0] == '.';
		if (an_path_is_web_code(f) || hidden ||
		    (an_path_is_script(f->path) && place_of(f->path) == PLACE_UPLOADS))
			r = check_script(x, i, err);
		else
			r = check_inside(x, f, err);
	}
	return r;
}

const struct an_check an_check_upload = { "upload", AN_AXIS_METADATA, "code where only data should be", run };
