/* SPDX-License-Identifier: Apache-2.0 */
#include "facts.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "store/resolve.h"

#define TEXT_MAX ((size_t)256 << 10)

/* Loads a text file by path. 0; 1: there is none that can be read; < 0: fatal. */
static int load(struct an_case *c, struct an_reader *reader, const char *path, char **ret, struct co_err *err)
{
	size_t len;
	struct co_err why = CO_ERR_INIT;
	int r = an_reader_load_path(reader, &c->files, path, TEXT_MAX, ret, &len, &why);
	if (r < 0)
		*err = why;
	return r;
}

/* The next line of *at without its end, or NULL. The text is changed. */
static char *next_line(char **at)
{
	char *line = *at;
	if (!line || !*line)
		return NULL;
	char *end = line + strcspn(line, "\n");
	*at = *end ? end + 1 : end;
	*end = '\0';
	size_t n = strlen(line);
	if (n > 0 && line[n - 1] == '\r')
		line[n - 1] = '\0';
	return line;
}

/* Cuts blanks at both ends and one pair of quotes. */
static char *trim(char *text)
{
	text += strspn(text, " \t");
	size_t n = strlen(text);
	while (n > 0 && (text[n - 1] == ' ' || text[n - 1] == '\t'))
		text[--n] = '\0';
	if (n >= 2 && (text[0] == '"' || text[0] == '\'') && text[n - 1] == text[0]) {
		text[n - 1] = '\0';
		text++;
	}
	return text;
}

/* Source: os-release(5). */
static int find_os(struct an_case *c, struct an_reader *reader, struct co_err *err)
{
	static const char key[] = "PRETTY_NAME=";
	CO_CLEANUP_FREE char *text = NULL;
	int r = load(c, reader, "/etc/os-release", &text, err);
	if (r != 0)
		return r < 0 ? r : 0;
	char *at = text;
	for (char *line = next_line(&at); line; line = next_line(&at))
		if (strncmp(line, key, sizeof key - 1) == 0)
			return an_case_fact(c, "os", trim(line + sizeof key - 1), "/etc/os-release", err);
	return 0;
}

/* A fact that is the first line of a file that is neither empty nor a comment. */
static int find_line(struct an_case *c, struct an_reader *reader, const char *path, const char *kind, bool *ret_found,
		     struct co_err *err)
{
	CO_CLEANUP_FREE char *text = NULL;
	*ret_found = false;
	int r = load(c, reader, path, &text, err);
	if (r != 0)
		return r < 0 ? r : 0;
	char *at = text;
	for (char *line = next_line(&at); line; line = next_line(&at)) {
		char *value = trim(line);
		if (!*value || *value == '#')
			continue;
		*ret_found = true;
		return an_case_fact(c, kind, value, path, err);
	}
	return 0;
}

/* /etc/timezone (Debian), else the target of /etc/localtime: .../zoneinfo/Europe/Berlin. */
static int find_time_zone(struct an_case *c, struct an_reader *reader, struct co_err *err)
{
	static const char folder[] = "/zoneinfo/";
	bool found;
	int r = find_line(c, reader, "/etc/timezone", "time-zone", &found, err);
	if (r < 0 || found)
		return r;
	const struct an_file *f = an_files_find(&c->files, "/etc/localtime");
	const char *zone = f && f->link ? strstr(f->link, folder) : NULL;
	if (!zone)
		return 0;
	return an_case_fact(c, "time-zone", zone + sizeof folder - 1, "/etc/localtime", err);
}

static bool has_fact(const struct an_case *c, const char *kind, const char *value)
{
	for (size_t i = 0; i < c->facts.n; i++)
		if (strcmp(c->facts.at[i].kind, kind) == 0 && strcmp(c->facts.at[i].value, value) == 0)
			return true;
	return false;
}

static int add_root(struct an_case *c, const char *folder, const char *source, struct co_err *err)
{
	CO_CLEANUP_FREE char *copy = strdup(folder);
	if (!copy)
		return co_err_set(err, CO_ERR_NOMEM, 0, "out of memory");
	for (size_t n = strlen(copy); n > 1 && copy[n - 1] == '/'; n--)
		copy[n - 1] = '\0';
	if (copy[0] != '/' || copy[1] == '\0' || has_fact(c, "web-root", copy))
		return 0;
	return an_case_fact(c, "web-root", copy, source, err);
}

/* "$wp_version = '6.1.9';" without running PHP. */
static char *wordpress_version(char *text)
{
	static const char key[] = "$wp_version";
	for (char *line = next_line(&text); line; line = next_line(&text)) {
		line += strspn(line, " \t");
		if (strncmp(line, key, sizeof key - 1) != 0)
			continue;
		char *begin = line + strcspn(line, "'\"");
		char *end = *begin ? strchr(begin + 1, *begin) : NULL;
		if (!end || end - begin > 32)
			return NULL;
		*end = '\0';
		return begin + 1;
	}
	return NULL;
}

static bool ends_with(const char *text, const char *end)
{
	size_t n = strlen(text), m = strlen(end);
	return n >= m && strcmp(text + n - m, end) == 0;
}

/* A WordPress at PATH/wp-includes/version.php: PATH is a web root as well. */
static int find_wordpress(struct an_case *c, struct an_reader *reader, const struct an_file *file, struct co_err *err)
{
	static const char end[] = "/wp-includes/version.php";
	CO_CLEANUP_FREE char *text = NULL;
	CO_CLEANUP_STR struct co_str root = { 0 }, value = { 0 };
	size_t len;
	struct co_err why = CO_ERR_INIT;
	if (!ends_with(file->path, end) || !an_file_is_live_regular(file))
		return 0;
	int r = an_reader_load(reader, file, TEXT_MAX, &text, &len, &why);
	if (r < 0)
		*err = why;
	const char *version = r == 0 ? wordpress_version(text) : NULL;
	if (!version)
		return r < 0 ? r : 0;
	co_str_add_n(&root, file->path, strlen(file->path) - (sizeof end - 1));
	co_str_addf(&value, "WordPress %s", version);
	if (root.failed || value.failed)
		return co_err_set(err, CO_ERR_NOMEM, 0, "out of memory");
	r = an_case_fact(c, "web-application", co_str_get(&value), file->path, err);
	return r == 0 ? add_root(c, co_str_get(&root), file->path, err) : r;
}

/* "DocumentRoot /var/www/html" of Apache, "root /srv/site;" of nginx. */
static int find_directives(struct an_case *c, struct an_reader *reader, const char *path, struct co_err *err)
{
	CO_CLEANUP_FREE char *text = NULL;
	int r = load(c, reader, path, &text, err);
	if (r != 0)
		return r < 0 ? r : 0;
	char *at = text;
	for (char *line = next_line(&at); r == 0 && line; line = next_line(&at)) {
		char *word = trim(line);
		size_t n = strcspn(word, " \t");
		bool apache = n == 12 && strncasecmp(word, "DocumentRoot", n) == 0;
		bool nginx = n == 4 && strncmp(word, "root", n) == 0;
		if (!word[n] || (!apache && !nginx))
			continue;
		char *value = word + n;
		value[strcspn(value, nginx ? ";" : "#")] = '\0';
		r = add_root(c, trim(value), path, err);
	}
	return r;
}

static bool is_in(const char *path, const char *folder)
{
	size_t n = strlen(folder);
	return strncmp(path, folder, n) == 0 && (path[n] == '\0' || path[n] == '/');
}

/* Is it /var/www... or /srv/www... itself? */
static bool is_usual_root(const struct an_file *f)
{
	static const char *const begins[] = { "/var/www", "/srv/www" };
	if (!(f->flags & AN_NAME_ALLOCATED) || f->type != AN_TYPE_FOLDER)
		return false;
	for (size_t i = 0; i < sizeof begins / sizeof *begins; i++)
		if (strncmp(f->path, begins[i], strlen(begins[i])) == 0 && !strchr(f->path + strlen(begins[i]), '/'))
			return true;
	return false;
}

static int find_in_file(struct an_case *c, struct an_reader *reader, size_t row, struct co_err *err)
{
	const struct an_file *f = &c->files.rows.at[row];
	if (!(f->flags & AN_NAME_ALLOCATED))
		return 0;
	int r = 0;
	if (is_usual_root(f))
		r = add_root(c, f->path, f->path, err);
	if (r == 0)
		r = find_wordpress(c, reader, f, err);
	bool site = is_in(f->path, "/etc/apache2/sites-enabled") || is_in(f->path, "/etc/nginx/sites-enabled");
	if (r == 0 && site && (f->type == AN_TYPE_REGULAR || f->type == AN_TYPE_LINK))
		r = find_directives(c, reader, f->path, err);
	return r;
}

int an_facts_find(struct an_case *c, struct an_reader *reader, struct co_err *err)
{
	bool found;
	int r = find_os(c, reader, err);
	if (r == 0)
		r = find_line(c, reader, "/etc/hostname", "hostname", &found, err);
	if (r == 0)
		r = find_time_zone(c, reader, err);
	for (size_t i = 0; r == 0 && i < c->files.rows.n; i++)
		r = find_in_file(c, reader, i, err);
	return r;
}

bool an_facts_in_web_root(const struct an_case *c, const char *path)
{
	for (size_t i = 0; i < c->facts.n; i++)
		if (strcmp(c->facts.at[i].kind, "web-root") == 0 && is_in(path, c->facts.at[i].value))
			return true;
	return false;
}
