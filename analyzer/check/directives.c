/* SPDX-License-Identifier: Apache-2.0 */
#include "check/directives.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#define MAX_WORDS 32
#define WORD 128

/* The words of a line, lower-case, without quotes, cut where they are too long to matter. */
struct words {
	char at[MAX_WORDS][WORD];
	size_t n;
};

/* Length of the line at @s with what continues it behind a backslash, without its last newline. */
static size_t line_length(const char *s, size_t n)
{
	size_t i = 0;
	while (i < n && s[i] != '\n') {
		if (s[i] == '\\' && i + 1 < n && s[i + 1] == '\n')
			i++;
		else if (s[i] == '\\' && i + 2 < n && s[i + 1] == '\r' && s[i + 2] == '\n')
			i += 2;
		i++;
	}
	return i;
}

static size_t continuation(const char *s, size_t n)
{
	if (n > 1 && s[0] == '\\' && s[1] == '\n')
		return 2;
	return n > 2 && s[0] == '\\' && s[1] == '\r' && s[2] == '\n' ? 3 : 0;
}

static void split(const char *s, size_t n, struct words *ret)
{
	size_t i = 0, k;
	ret->n = 0;
	while (i < n && ret->n < MAX_WORDS) {
		while (i < n && ((k = continuation(s + i, n - i)) || isspace((unsigned char)s[i])))
			i += k ? k : 1;
		if (i == n)
			break;
		char *word = ret->at[ret->n++];
		char quote = s[i] == '"' || s[i] == '\'' ? s[i++] : 0;
		size_t len = 0;
		while (i < n && (quote ? s[i] != quote : !isspace((unsigned char)s[i]))) {
			if ((k = continuation(s + i, n - i))) {
				i += k;
				continue;
			}
			if (len < WORD - 1)
				word[len++] = (char)tolower((unsigned char)s[i]);
			i++;
		}
		word[len] = '\0';
		i += i < n;
	}
}

/* Does the handler or media type make the server run a file? */
static bool runs_code(const char *handler)
{
	return strstr(handler, "php") || strstr(handler, "cgi-script") || strstr(handler, "fcgi") ||
	       strstr(handler, "perl-script") || strstr(handler, "wsgi-script") || strstr(handler, "python-program");
}

/* Extensions that a server runs anyway. */
static bool is_ordinary(const char *extension)
{
	static const char *const list[] = { "php",  "phtml", "php3", "php4", "php5", "php6", "php7",
					    "php8", "phps",  "cgi",  "pl",   "py",   "fcgi", "wsgi" };
	extension += *extension == '.';
	for (size_t i = 0; i < sizeof list / sizeof *list; i++)
		if (strcmp(extension, list[i]) == 0)
			return true;
	return false;
}

/* AddHandler handler ext..., AddType type ext...: one extension that is not code is enough. */
static bool adds_handler(const struct words *w)
{
	if (w->n < 3 || (strcmp(w->at[0], "addhandler") != 0 && strcmp(w->at[0], "addtype") != 0) ||
	    !runs_code(w->at[1]))
		return false;
	for (size_t i = 2; i < w->n; i++)
		if (!is_ordinary(w->at[i]))
			return true;
	return false;
}

/* Is the pattern of a <Files> section about scripts only? */
static bool is_script_section(const char *section)
{
	static const char *const others[] = { "jp",  "png", "gif", "ico", "svg", "webp",
					      "txt", "css", "htm", "xml", "pdf", "*" };
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		if (strstr(section, others[i]))
			return false;
	return strstr(section, "ph") || strstr(section, "cgi") || strstr(section, ".p[ly]") || strstr(section, ".pl") ||
	       strstr(section, ".py");
}

/* SetHandler handler, ForceType type: for every file of the folder, or those of a section that isn't for scripts. */
static bool sets_handler(const struct words *w, const char *section)
{
	if (w->n < 2 || (strcmp(w->at[0], "sethandler") != 0 && strcmp(w->at[0], "forcetype") != 0) ||
	    !runs_code(w->at[1]))
		return false;
	return !is_script_section(section);
}

static bool names_a_file(const char *value)
{
	return *value && strcmp(value, "none") != 0;
}

/* php_value auto_prepend_file FILE */
static bool prepends(const struct words *w)
{
	return w->n >= 3 && (strcmp(w->at[0], "php_value") == 0 || strcmp(w->at[0], "php_admin_value") == 0) &&
	       (strcmp(w->at[1], "auto_prepend_file") == 0 || strcmp(w->at[1], "auto_append_file") == 0) &&
	       names_a_file(w->at[2]);
}

static bool allows_cgi(const struct words *w)
{
	if (w->n < 2 || strcmp(w->at[0], "options") != 0)
		return false;
	for (size_t i = 1; i < w->n; i++)
		if (strcmp(w->at[i], "+execcgi") == 0 || strcmp(w->at[i], "execcgi") == 0)
			return true;
	return false;
}

/* <Files x>, <FilesMatch x>: what the lines up to its end are about. */
static void follow_section(const struct words *w, char section[WORD])
{
	if (w->n == 0)
		return;
	if (strncmp(w->at[0], "</files", 7) == 0)
		section[0] = '\0';
	else if (strncmp(w->at[0], "<files", 6) == 0 && w->n > 1)
		memcpy(section, w->at[w->n - 1], WORD);
}

int an_htaccess_scan(const char *text, size_t len, an_directive_fn *fn, void *arg)
{
	struct words w;
	char section[WORD] = "";
	int r = 0;
	for (size_t at = 0, n; r == 0 && at < len; at += n + 1) {
		n = line_length(text + at, len - at);
		split(text + at, n, &w);
		if (w.n == 0 || w.at[0][0] == '#')
			continue;
		follow_section(&w, section);
		if (adds_handler(&w) || sets_handler(&w, section))
			r = fn(arg, AN_DIRECTIVE_HANDLER, at, n);
		else if (prepends(&w))
			r = fn(arg, AN_DIRECTIVE_PREPEND, at, n);
		else if (allows_cgi(&w))
			r = fn(arg, AN_DIRECTIVE_CGI, at, n);
	}
	return r;
}

int an_user_ini_scan(const char *text, size_t len, an_directive_fn *fn, void *arg)
{
	static const char *const names[] = { "auto_prepend_file", "auto_append_file" };
	struct words w;
	int r = 0;
	for (size_t at = 0, n; r == 0 && at < len; at += n + 1) {
		const char *end = memchr(text + at, '\n', len - at);
		n = end ? (size_t)(end - text) - at : len - at;
		const char *equals = memchr(text + at, '=', n);
		if (!equals)
			continue;
		split(text + at, (size_t)(equals - text) - at, &w);
		bool named = w.n == 1 && (strcmp(w.at[0], names[0]) == 0 || strcmp(w.at[0], names[1]) == 0);
		split(equals + 1, n - (size_t)(equals + 1 - text) + at, &w);
		if (named && w.n > 0 && names_a_file(w.at[0]))
			r = fn(arg, AN_DIRECTIVE_PREPEND, at, n);
	}
	return r;
}
