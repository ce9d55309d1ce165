/* SPDX-License-Identifier: Apache-2.0 */
/* Programs that run with the rights of their owner or group and that no package brought. */
#include <string.h>

#include "check/check.h"
#include "check/paths.h"

#define SET_UID 04000
#define SET_GID 02000

static const struct an_rule rule_root = {
	"setuid-root",
	AN_AXIS_PERSISTENCE,
	60,
	false,
	"An administrator may have installed a program from elsewhere, as sudo or a mail server, or set the bit by "
	"hand.",
};
static const struct an_rule rule_other = {
	"setuid-other",
	AN_AXIS_PERSISTENCE,
	25,
	false,
	"An administrator may have installed a program from elsewhere or set the bit by hand.",
};
static const struct an_rule rule_odd_place = {
	"setuid-odd-place",
	AN_AXIS_METADATA,
	30,
	false,
	"A chroot or container keeps its own programs outside the usual folders.",
};

static bool is_program_folder(const char *path)
{
	static const char *const folders[] = { "/usr/bin",   "/usr/sbin", "/usr/libexec", "/usr/local", "/usr/lib",
					       "/usr/games", "/bin",      "/sbin",        "/lib",       "/opt" };
	for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
		if (an_path_below(path, folders[i]))
			return an_path_base(path)[0] != '.';
	return false;
}

/* A file that can be run with rights of another: set-group-id without the execute bit means mandatory locking. */
static bool gives_rights(const struct an_file *f)
{
	return ((f->mode & SET_UID) && (f->mode & 0111)) || ((f->mode & SET_GID) && (f->mode & 010));
}

static int report(struct an_check_context *x, const struct an_file *f, struct co_err *err)
{
	bool user = f->mode & SET_UID;
	const struct an_rule *rule = user && f->uid == 0 ? &rule_root : &rule_other;
	const char *state = an_check_knows(x, f, AN_KNOWN_PACKAGED) ? "its content is not that of its package"
								    : "no installed package lists it";
	int r = an_findings_add(&x->c->findings, f, rule, NULL, -1, err,
				"Whoever runs this program gets the rights of %s %u (mode %04o), and %s.",
				user ? "user" : "group", user ? f->uid : f->gid, f->mode, state);
	if (r == 0 && !is_program_folder(f->path))
		r = an_findings_add(
			&x->c->findings, f, &rule_odd_place, NULL, -1, err,
			"A program with the rights of another user lies outside the folders for programs, or "
			"is hidden.");
	return r;
}

/* Without any list of packages nothing can be said about programs at their usual places. */
static bool has_lists(const struct an_check_context *x)
{
	for (size_t i = 0; i < x->c->files.rows.n; i++)
		if (x->known[i] & AN_KNOWN_PACKAGED)
			return true;
	return false;
}

static int run(struct an_check_context *x, struct co_err *err)
{
	bool lists = has_lists(x);
	int r = 0;
	for (size_t i = 0; r == 0 && i < x->c->files.rows.n; i++) {
		const struct an_file *f = &x->c->files.rows.at[i];
		if (!an_file_is_live_regular(f) || !gives_rights(f))
			continue;
		bool packaged = an_check_knows(x, f, AN_KNOWN_PACKAGED) && !an_check_knows(x, f, AN_KNOWN_CHANGED);
		if (!packaged && (lists || !is_program_folder(f->path)))
			r = report(x, f, err);
	}
	return r;
}

const struct an_check an_check_setuid = { "setuid", AN_AXIS_PERSISTENCE, "set-user-id programs that no package brought",
					  run };
