/* SPDX-License-Identifier: Apache-2.0 */
/* Settings files in web folders that make the server run other code. */
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "check/check.h"
#include "check/directives.h"
#include "check/paths.h"

#define MAX_READ (1 << 20)
#define MAX_QUOTE 400 /* bytes */

static const struct an_rule rules[] = {
	[AN_DIRECTIVE_HANDLER] = { "handler-odd-extension", AN_AXIS_PERSISTENCE, 60, false,
				   "Some sites hide their language by running .html files as PHP." },
	[AN_DIRECTIVE_PREPEND] = { "prepend-file", AN_AXIS_PERSISTENCE, 40, false,
				   "Firewalls for web applications and profilers load themselves this way." },
	[AN_DIRECTIVE_CGI] = { "cgi-allowed", AN_AXIS_PERSISTENCE, 20, false,
			       "The folder may be meant for CGI programs." },
};

static const char *const texts[] = {
	[AN_DIRECTIVE_HANDLER] = "This setting makes the server run files as code that are no scripts by their names.",
	[AN_DIRECTIVE_PREPEND] = "This setting makes PHP run a file before or after every script of the folder.",
	[AN_DIRECTIVE_CGI] = "This setting lets the server run programs that lie in the folder.",
};

struct found {
	struct an_check_context *x;
	const struct an_file *file;
	const char *text;
	struct co_err *err;
};

static int add(void *arg, enum an_directive what, size_t off, size_t len)
{
	const struct found *found = arg;
	CO_CLEANUP_STR struct co_str quote = { 0 };
	len = len < MAX_QUOTE ? len : MAX_QUOTE;
	co_str_add_n(&quote, found->text + off, strnlen(found->text + off, len));
	if (quote.failed)
		return co_err_set(found->err, CO_ERR_NOMEM, 0, "no memory for a quotation");
	return an_findings_add(&found->x->c->findings, found->file, &rules[what], co_str_get(&quote), (int64_t)off,
			       found->err, "%s", texts[what]);
}

static int check_file(struct an_check_context *x, const struct an_file *f, struct co_err *err)
{
	const char *base = an_path_base(f->path);
	bool htaccess = strcmp(base, ".htaccess") == 0, user_ini = strcmp(base, ".user.ini") == 0;
	bool php_ini = strcmp(base, "php.ini") == 0 && an_path_is_web(x->c, f->path);
	CO_CLEANUP_FREE char *text = NULL;
	size_t len = 0;
	if (!htaccess && !user_ini && !php_ini)
		return 0;
	int r = an_check_load(x, f, MAX_READ, &text, &len, err);
	if (r != 0)
		return r < 0 ? r : 0;
	struct found found = { x, f, text, err };
	return htaccess ? an_htaccess_scan(text, len, add, &found) : an_user_ini_scan(text, len, add, &found);
}

static int run(struct an_check_context *x, struct co_err *err)
{
	int r = 0;
	for (size_t i = 0; r == 0 && i < x->c->files.rows.n; i++) {
		const struct an_file *f = &x->c->files.rows.at[i];
		if (an_file_is_live_regular(f) && !an_check_knows(x, f, AN_KNOWN_SAME))
			r = check_file(x, f, err);
	}
	return r;
}

const struct an_check an_check_handler = { "handler", AN_AXIS_PERSISTENCE,
					   "settings that make the server run other code", run };
