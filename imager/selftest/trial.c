/* SPDX-License-Identifier: Apache-2.0 */
#include "selftest/trial.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"

#define RUN_TIME_NS (600 * CO_NS_PER_S)
#define LOOK_NS (CO_NS_PER_S / 50)

const char *im_outcome_name(enum im_outcome outcome)
{
	static const char *const names[] = { "passed", "failed", "not run", "not applicable" };

	return names[outcome];
}

/* --- deciding --- */

static void add_text(struct co_str *s, const char *fmt, va_list ap)
{
	char text[1024];

	vsnprintf(text, sizeof text, fmt, ap);
	for (size_t n = strlen(text); n > 0 && text[n - 1] == '\n'; n--)
		text[n - 1] = '\0';
	for (const char *at = text; *at;) { /* messages of programs may have several lines */
		size_t n = strcspn(at, "\n");

		co_str_add_visible(s, at, n);
		at += n;
		if (*at)
			co_str_add(s, " / ");
		at += *at != '\0';
	}
}

/* The first decision counts. */
static void decide(struct im_trial *t, enum im_outcome outcome, const char *fmt, va_list ap)
{
	if (t->outcome != IM_PASSED)
		return;
	t->outcome = outcome;
	add_text(&t->reason, fmt, ap);
}

bool im_expect(struct im_trial *t, bool ok, const char *fmt, ...)
{
	va_list ap;

	if (!ok) {
		va_start(ap, fmt);
		decide(t, IM_FAILED, fmt, ap);
		va_end(ap);
	}
	return ok;
}

bool im_not_run(struct im_trial *t, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	decide(t, IM_NOT_RUN, fmt, ap);
	va_end(ap);
	return false;
}

void im_fact(struct im_trial *t, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_text(&t->facts, fmt, ap);
	va_end(ap);
	co_str_add(&t->facts, "\n");
}

bool im_worked(struct im_trial *t, int r, const struct co_err *err)
{
	if (r == CO_ERR_CANCELED)
		t->interrupted = true;
	return r >= 0 || im_expect(t, false, "%s", err->msg);
}

bool im_same_text(struct im_trial *t, const char *what, const char *got, const char *want)
{
	return im_expect(t, got && want && strcmp(got, want) == 0, "%s is '%s' and not '%s'", what,
			 got ? got : "(nothing)", want ? want : "(nothing)");
}

bool im_needs_root(struct im_trial *t)
{
	return t->machine->root || im_not_run(t, "needs root");
}

bool im_needs_tool(struct im_trial *t, const char *name, const char **ret)
{
	const struct im_tool *tool = im_machine_tool(t->machine, name);

	if (!tool)
		return im_not_run(t, "%s is not installed", name);
	*ret = tool->path;
	return true;
}

bool im_needs_option(struct im_trial *t, const char *command, const char *option)
{
	struct im_ran ran;

	if (!im_imager(t, 0, &ran, command, "--help", NULL))
		return false;
	return strstr(ran.out, option) || im_not_run(t, "the program under test has no '%s %s'", command, option);
}

/* --- begin and end --- */

int im_trial_begin(struct im_trial *t, struct im_machine *machine, struct co_err *err)
{
	*t = (struct im_trial) { .machine = machine };
	if (asprintf(&t->folder, "%s/%u", machine->work, ++machine->trials) < 0) {
		t->folder = NULL;
		return co_err_set(err, CO_ERR_NOMEM, 0, "no memory for the self-test");
	}
	if (mkdir(t->folder, 0700) < 0)
		return co_err_set(err, CO_ERR_OUTPUT, errno, "create %s", t->folder);
	return 0;
}

void im_unmount_all(struct im_trial *t)
{
	while (t->mounts.n > 0) {
		char *folder = t->mounts.at[--t->mounts.n];

		if (umount2(folder, 0) < 0)
			umount2(folder, MNT_DETACH);
		free(folder);
	}
}

void im_detach_all(struct im_trial *t)
{
	while (t->loops.n > 0)
		im_loop_detach(&t->loops.at[--t->loops.n]);
}

void im_trial_end(struct im_trial *t)
{
	/* Readers of devices end before the devices, and those before the programs that serve them. */
	for (size_t i = t->children.n; i-- > 0;)
		co_child_go_on(t->children.at[i]);
	im_unmount_all(t);
	im_detach_all(t);
	while (t->children.n > 0)
		co_child_close(t->children.at[--t->children.n]);
	if (t->folder && !t->machine->keep)
		im_remove_tree(t->folder);
	for (size_t i = 0; i < t->texts.n; i++)
		free(t->texts.at[i]);
	for (size_t i = 0; i < t->documents.n; i++)
		json_decref(t->documents.at[i]);
	co_vec_free(&t->texts);
	co_vec_free(&t->loops);
	co_vec_free(&t->children);
	co_vec_free(&t->mounts);
	co_vec_free(&t->documents);
	free(CO_TAKE(t->folder));
}

void im_trial_free(struct im_trial *t)
{
	im_trial_end(t);
	co_str_free(&t->reason);
	co_str_free(&t->facts);
	co_str_free(&t->commands);
}

/* --- texts --- */

/* Takes it over. Without memory: a name that no file has, and the row has failed. */
static const char *keep_text(struct im_trial *t, char *text)
{
	if (text && co_vec_push(&t->texts, text) == 0)
		return text;
	free(text);
	im_expect(t, false, "no memory");
	return "/dev/null/no memory";
}

const char *im_text(struct im_trial *t, const char *fmt, ...)
{
	char *text;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	va_end(ap);
	return keep_text(t, text);
}

const char *im_path(struct im_trial *t, const char *name)
{
	return im_text(t, "%s/%s", t->folder, name);
}

/* --- programs --- */

/* A line "COMMAND -> code"; the folder for temporary data is $WORK in it. */
static void log_command(struct im_trial *t, const char *const *argv, int code)
{
	CO_CLEANUP_STR struct co_str s = { 0 };
	size_t work = strlen(t->machine->work);

	for (int i = 0; argv[i]; i++) {
		const char *word = argv[i], *name = strrchr(word, '/');

		if (i == 0 && name)
			word = name + 1;
		co_str_add(&s, i ? " " : "");
		for (const char *at = strstr(word, t->machine->work); at; at = strstr(word, t->machine->work)) {
			co_str_add_n(&s, word, (size_t)(at - word));
			co_str_add(&s, "$WORK");
			word = at + work;
		}
		co_str_add(&s, word);
	}
	co_str_add_visible(&t->commands, co_str_get(&s), s.n);
	if (code == IM_ANY_CODE)
		co_str_add(&t->commands, " &\n");
	else
		co_str_addf(&t->commands, " -> %d\n", code);
}

static size_t collect_args(const char *argv[IM_ARGS_MAX], const char *path, va_list ap)
{
	size_t n = 0;

	argv[n++] = path;
	for (const char *word = va_arg(ap, const char *); word && n < IM_ARGS_MAX - 1; word = va_arg(ap, const char *))
		argv[n++] = word;
	argv[n] = NULL;
	return n;
}

static bool start(struct im_trial *t, const struct im_how *how, const char *const *argv, struct co_child **ret)
{
	struct co_child_spec spec = { .file = argv[0], .argv = argv };
	struct co_err err = CO_ERR_INIT;
	struct co_child *child = NULL;

	if (how) {
		spec.file_limit = how->file_limit;
		spec.input = how->input;
	}
	if (!im_worked(t, co_child_start(&child, &spec, &err), &err))
		return false;
	if (co_vec_push(&t->children, child) < 0) {
		co_child_close(child);
		return im_expect(t, false, "no memory");
	}
	*ret = child;
	return true;
}

bool im_finish(struct im_trial *t, struct co_child *child, int code, struct im_ran *ret)
{
	struct co_err err = CO_ERR_INIT;
	int r = co_child_wait(child, RUN_TIME_NS, &err);

	if (!im_worked(t, r, &err) || !im_expect(t, r == 0, "a command did not end within ten minutes"))
		return false;
	*ret = (struct im_ran) { co_child_code(child), co_str_get(co_child_out(child)),
				 co_str_get(co_child_err(child)) };
	return im_expect(t, code == IM_ANY_CODE || ret->code == code, "ended with exit status %d and not %d: %s",
			 ret->code, code, ret->err);
}

static bool run(struct im_trial *t, const struct im_how *how, int code, struct im_ran *ret, const char *const *argv)
{
	struct co_child *child;
	struct im_ran ran = { 0 };
	bool ok;

	if (!start(t, how, argv, &child))
		return false;
	ok = im_finish(t, child, code, &ran);
	log_command(t, argv, ran.out ? ran.code : IM_ANY_CODE);
	if (ok && ret)
		*ret = ran;
	return ok;
}

bool im_imager_with(struct im_trial *t, const struct im_how *how, int code, struct im_ran *ret, ...)
{
	const char *argv[IM_ARGS_MAX];
	va_list ap;

	va_start(ap, ret);
	collect_args(argv, t->machine->program, ap);
	va_end(ap);
	return run(t, how, code, ret, argv);
}

bool im_imager(struct im_trial *t, int code, struct im_ran *ret, ...)
{
	const char *argv[IM_ARGS_MAX];
	va_list ap;

	va_start(ap, ret);
	collect_args(argv, t->machine->program, ap);
	va_end(ap);
	return run(t, NULL, code, ret, argv);
}

bool im_tool(struct im_trial *t, const char *path, int code, struct im_ran *ret, ...)
{
	const char *argv[IM_ARGS_MAX];
	va_list ap;

	va_start(ap, ret);
	collect_args(argv, path, ap);
	va_end(ap);
	return run(t, NULL, code, ret, argv);
}

bool im_start(struct im_trial *t, const char *path, struct co_child **ret, ...)
{
	const char *argv[IM_ARGS_MAX];
	va_list ap;

	va_start(ap, ret);
	collect_args(argv, path ? path : t->machine->program, ap);
	va_end(ap);
	log_command(t, argv, IM_ANY_CODE);
	return start(t, NULL, argv, ret);
}

bool im_wait_for_file(struct im_trial *t, struct co_child *child, const char *path, int seconds)
{
	int64_t end = co_clock_monotonic() + seconds * CO_NS_PER_S;
	struct co_err err = CO_ERR_INIT;
	int r = 1;

	while (r == 1 && access(path, F_OK) != 0 && co_clock_monotonic() < end)
		r = co_child_wait(child, LOOK_NS, &err);
	return im_worked(t, r, &err) &&
	       im_expect(t, access(path, F_OK) == 0, "%s did not appear within %d s", path, seconds);
}

/* --- devices --- */

bool im_attach(struct im_trial *t, const char *file, uint32_t sector, bool direct, struct im_loop **ret)
{
	struct im_loop loop = IM_LOOP_NONE;
	struct co_err err = CO_ERR_INIT;

	if (!im_needs_root(t))
		return false;
	if (co_vec_reserve(&t->loops, 16) < 0) /* never moved: rows keep pointers into it */
		return im_expect(t, false, "no memory");
	if (t->loops.n == 16)
		return im_expect(t, false, "too many loop devices in one row");
	if (im_loop_attach(&loop, file, sector, direct, &err) < 0)
		return im_not_run(t, "no loop device: %s", err.msg);
	*ret = &t->loops.at[t->loops.n++];
	**ret = loop;
	return true;
}

bool im_mount(struct im_trial *t, const char *source, const char *folder, const char *type, unsigned long flags,
	      const char *data)
{
	char *name;

	if (!im_needs_root(t) || !im_make_folder(t, folder))
		return false;
	if (mount(source, folder, type, flags, data) < 0)
		return im_not_run(t, "a file system of type %s can't be mounted: %s", type, strerror(errno));
	name = strdup(folder);
	if (!name || co_vec_push(&t->mounts, name) < 0) {
		free(name);
		umount2(folder, MNT_DETACH);
		return im_expect(t, false, "no memory");
	}
	return true;
}

/* --- JSON --- */

bool im_parse(struct im_trial *t, const char *text, const json_t **ret)
{
	json_error_t why;
	json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, &why);

	if (!root)
		return im_expect(t, false, "no valid JSON: %s", why.text);
	if (co_vec_push(&t->documents, root) < 0) {
		json_decref(root);
		return im_expect(t, false, "no memory");
	}
	*ret = root;
	return true;
}

const char *im_json(struct im_trial *t, const json_t *root, const char *place)
{
	while (root && *place) {
		size_t n = strcspn(place, ".");
		CO_CLEANUP_FREE char *key = strndup(place, n);

		root = key ? json_object_get(root, key) : NULL;
		place += n + (place[n] == '.');
	}
	if (!root)
		return NULL;
	if (json_is_string(root))
		return json_string_value(root);
	return keep_text(t, json_dumps(root, JSON_COMPACT | JSON_ENCODE_ANY));
}

bool im_json_is(struct im_trial *t, const json_t *root, const char *place, const char *want)
{
	return im_same_text(t, place, im_json(t, root, place), want);
}
