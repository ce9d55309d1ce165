/* SPDX-License-Identifier: Apache-2.0 */
#include "check/paths.h"

#include <string.h>
#include <strings.h>

#include "store/resolve.h"

bool an_path_below(const char *path, const char *folder)
{
	size_t n = strlen(folder);
	return strncmp(path, folder, n) == 0 && (path[n] == '/' || path[n] == '\0');
}

const char *an_path_base(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

const char *an_path_extension(const char *path)
{
	const char *base = an_path_base(path);
	const char *dot = strrchr(base, '.');
	return dot && dot != base ? dot + 1 : "";
}

static bool is_one_of(const char *word, const char *const *list)
{
	for (; *list; list++)
		if (strcasecmp(word, *list) == 0)
			return true;
	return false;
}

bool an_path_has_extension(const char *path, const char *const *extensions)
{
	return is_one_of(an_path_extension(path), extensions);
}

/* Apache's and PHP's usual handlers (Debian: libapache2-mod-php's "\.ph(ar|p|tml)$", others add digits), CGI, JSP, ASP.
 */
static const char *const rare_scripts[] = { "php3", "php4", "php5", "php6", "php7", "php8", "pht", "phar", NULL };
static const char *const scripts[] = { "php", "phtml", "cgi", "pl",   "py",   "rb",  "sh",
				       "jsp", "jspx",  "asp", "aspx", "ashx", "cfm", NULL };
static const char *const media[] = { "jpg",  "jpeg", "png",  "gif",  "ico",   "bmp", "webp", "svg", "tif",
				     "tiff", "avif", "heic", "mp3",  "mp4",   "avi", "mov",  "ogg", "wav",
				     "webm", "ttf",  "otf",  "woff", "woff2", "eot", "psd",  NULL };
static const char *const others[] = { "css", "js",   "map", "scss", "less", "html",
				      "htm", "json", "txt", "xml",  "mjs",  NULL };

bool an_path_is_rare_script(const char *path)
{
	return an_path_has_extension(path, rare_scripts);
}

bool an_path_is_script(const char *path)
{
	return an_path_has_extension(path, scripts) || an_path_is_rare_script(path);
}

bool an_path_is_web_code(const struct an_file *f)
{
	static const char *const web[] = { "php", "phtml", "cgi", "jsp", "jspx", "asp", "aspx", "ashx", "cfm", NULL };
	static const char *const maybe[] = { "", "inc", "module", "tpl", "suspected", "bak", "old", NULL };
	return an_path_is_rare_script(f->path) || an_path_has_extension(f->path, web) ||
	       ((f->content & AN_CONTENT_PHP) && an_path_has_extension(f->path, maybe));
}

bool an_path_is_media(const char *path)
{
	return an_path_has_extension(path, media);
}

bool an_path_is_static(const char *path)
{
	return an_path_is_media(path) || an_path_has_extension(path, others);
}

bool an_path_is_temporary(const char *path)
{
	return an_path_below(path, "/tmp") || an_path_below(path, "/var/tmp") || an_path_below(path, "/dev/shm");
}

bool an_path_is_system(const char *path)
{
	static const char *const folders[] = { "/usr",   "/bin",    "/sbin", "/lib", "/lib32",
					       "/lib64", "/libx32", "/boot", "/etc" };
	for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
		if (an_path_below(path, folders[i]))
			return true;
	return false;
}

bool an_path_is_web(const struct an_case *c, const char *path)
{
	static const char *const parts[] = { "/wp-content/", "/wp-includes/", "/wp-admin/", "/public_html/",
					     "/htdocs/",     "/httpdocs/",    "/docroot/",  "/wwwroot/" };
	if (an_path_below(path, "/var/www") || an_path_below(path, "/srv/www") || an_path_below(path, "/srv/http"))
		return true;
	for (size_t i = 0; i < c->facts.n; i++) {
		const struct an_fact *f = &c->facts.at[i];
		bool root = strcmp(f->kind, "web-root") == 0 && f->value[0] == '/' && f->value[1];
		if (root && an_path_below(path, f->value))
			return true;
	}
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		if (strstr(path, parts[i]))
			return true;
	return false;
}

struct an_file *an_path_resolve(struct an_files *files, const char *path)
{
	struct an_file *f = an_files_find(files, path);
	if (f && f->type != AN_TYPE_LINK)
		return f;
	struct co_err err = CO_ERR_INIT;
	return an_files_resolve(files, path, &f, &err) == 0 ? f : NULL;
}
