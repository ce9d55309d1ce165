/* SPDX-License-Identifier: Apache-2.0 */
#include "run/option.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"
#include "run/log.h"

/* What getopt_long() returns for our long options: above all characters, then the index in the table. */
enum { VALUE_LONG = 0x100, VALUE_HELP = 0x10000 };

/* The parsing of one command line. */
struct parse {
	const struct co_program *program;
	const struct co_command *cmd;
	size_t n;             /* options in the table */
	struct option *longs; /* the same for getopt_long, then --help, then the end */
	struct co_str shorts;
	bool own_h; /* the table uses -h itself */
	void *opts;
	char **args;
	int n_args;
	bool help;
};

/* "text (see 'PROGRAM COMMAND --help')" */
static int __attribute__((format(printf, 3, 4))) misuse(const struct parse *p, struct co_err *err, const char *fmt, ...)
{
	char text[384];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	return co_err_set(err, CO_ERR_USAGE, 0, "%s (see '%s %s --help')", text, p->program->name, p->cmd->name);
}

static int set_time(const struct parse *p, const char *what, const char *text, int64_t *ret, struct co_err *err)
{
	if (co_time_parse(text, ret) < 0)
		return misuse(p, err, "%s: '%s' is not a time such as 2026-09-01T02:54:20Z", what, text);
	return 0;
}

static int add_value(const struct parse *p, const char *what, const char *text, struct co_option_list *list,
		     struct co_err *err)
{
	size_t max = sizeof list->at / sizeof *list->at;
	if (list->n == max)
		return misuse(p, err, "%s is given more than %zu times", what, max);
	list->at[list->n++] = text;
	return 0;
}

static int set_field(const struct parse *p, const struct co_option *o, const char *text, struct co_err *err)
{
	void *field = (char *)p->opts + o->offset;
	struct co_err why = CO_ERR_INIT;
	char what[64];
	snprintf(what, sizeof what, "--%s", o->name);
	switch (o->kind) {
	case CO_OPT_FLAG:
		*(bool *)field = true;
		return 0;
	case CO_OPT_STRING:
		*(const char **)field = text;
		return 0;
	case CO_OPT_UINT:
		return co_parse_uint(text, what, 0, UINT64_MAX, field, &why) < 0 ? misuse(p, err, "%s", why.msg) : 0;
	case CO_OPT_SIZE:
		return co_parse_size(text, what, field, &why) < 0 ? misuse(p, err, "%s", why.msg) : 0;
	case CO_OPT_TIME:
		return set_time(p, what, text, field, err);
	case CO_OPT_LIST:
		return add_value(p, what, text, field, err);
	}
	return co_err_set(err, CO_ERR_FAILED, 0, "option %s has no kind", what);
}

static const struct co_option *option_of_letter(const struct parse *p, int letter)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->cmd->options[i].letter == letter)
			return &p->cmd->options[i];
	return NULL;
}

/* The tables for getopt_long, and the option struct with what is not zero by default. */
static int prepare(struct parse *p, int argc, struct co_err *err)
{
	while (p->cmd->options && p->cmd->options[p->n].name)
		p->n++;
	p->longs = calloc(p->n + 2, sizeof *p->longs);
	p->args = calloc((size_t)argc + 1, sizeof *p->args);
	p->opts = calloc(1, p->cmd->opts_size ? p->cmd->opts_size : 1);
	/* '-': operands come back one by one in place, whatever POSIXLY_CORRECT says. ':': no messages of its own. */
	co_str_add(&p->shorts, "-:");
	for (size_t i = 0; p->longs && p->opts && i < p->n; i++) {
		const struct co_option *o = &p->cmd->options[i];
		int has_arg = o->kind == CO_OPT_FLAG ? no_argument : required_argument;
		p->longs[i] = (struct option) { o->name, has_arg, NULL, VALUE_LONG + (int)i };
		if (o->letter)
			co_str_addf(&p->shorts, "%c%s", o->letter, has_arg == no_argument ? "" : ":");
		p->own_h = p->own_h || o->letter == 'h';
		if (o->kind == CO_OPT_TIME)
			*(int64_t *)(void *)((char *)p->opts + o->offset) = CO_TIME_NONE;
	}
	if (!p->own_h)
		co_str_add(&p->shorts, "h");
	if (!p->longs || !p->args || !p->opts || p->shorts.failed)
		return co_err_set(err, CO_ERR_NOMEM, 0, "out of memory for the options");
	p->longs[p->n] = (struct option) { "help", no_argument, NULL, VALUE_HELP };
	return 0;
}

static void parse_free(struct parse *p)
{
	free(p->longs);
	free(p->args);
	free(p->opts);
	co_str_free(&p->shorts);
}

/* getopt_long() takes abbreviations: was this word the whole name? */
static bool is_whole_name(const char *word, const char *name)
{
	size_t len = strlen(name);
	return strncmp(word, "--", 2) == 0 && strncmp(word + 2, name, len) == 0 &&
	       (word[2 + len] == '\0' || word[2 + len] == '=');
}

/* The word of the option that getopt_long() has just returned: the last one it used up, or the one before the value. */
static const char *word_of(char **argv)
{
	bool apart = optarg && optarg == argv[optind - 1];
	return argv[optind - (apart ? 2 : 1)];
}

static int bad_word(const struct parse *p, int got, const char *word, struct co_err *err)
{
	int name_len = (int)strcspn(word, "=");
	if (optopt >= VALUE_LONG) {
		const char *name = optopt >= VALUE_HELP ? "help" : p->longs[optopt - VALUE_LONG].name;
		if (!is_whole_name(word, name))
			return misuse(p, err, "unknown option %.*s", name_len, word);
		return misuse(p, err, got == ':' ? "option --%s needs a value" : "option --%s takes no value", name);
	}
	if (got == ':')
		return misuse(p, err, "option -%c needs a value", optopt);
	if (optopt)
		return misuse(p, err, "unknown option -%c", optopt);
	return misuse(p, err, "unknown option %.*s", name_len, word);
}

static int parse_words(struct parse *p, int argc, char **argv, struct co_err *err)
{
	int got, index = -1;
	optind = 0; /* GNU: begin anew */
	opterr = 0;
	while ((got = getopt_long(argc, argv, p->shorts.s, p->longs, &index)) != -1) {
		int r;
		if (got == 1) {
			p->args[p->n_args++] = optarg;
			continue;
		}
		if (got == '?' || got == ':')
			return bad_word(p, got, argv[optind - 1], err);
		if (got >= VALUE_LONG && !is_whole_name(word_of(argv), p->longs[index].name))
			return misuse(p, err, "unknown option %.*s", (int)strcspn(word_of(argv), "="), word_of(argv));
		if (got == VALUE_HELP || (got == 'h' && !p->own_h)) {
			p->help = true;
			return 0;
		}
		const struct co_option *o =
			got >= VALUE_LONG ? &p->cmd->options[got - VALUE_LONG] : option_of_letter(p, got);
		if ((r = set_field(p, o, optarg, err)) < 0)
			return r;
	}
	while (optind < argc)
		p->args[p->n_args++] = argv[optind++];
	if (p->n_args < p->cmd->min_args)
		return misuse(p, err, "an operand is missing; usage: %s %s %s", p->program->name, p->cmd->name,
			      p->cmd->operands ? p->cmd->operands : "");
	if (p->cmd->max_args >= 0 && p->n_args > p->cmd->max_args)
		return misuse(p, err, "too many operands: '%s'", p->args[p->cmd->max_args]);
	return 0;
}

/* Prints @text behind column @indent, with line breaks before column 80. */
static void print_wrapped(const char *text, int indent)
{
	int column = indent;
	while (*text) {
		int len = (int)strcspn(text, " ");
		if (column > indent && column + 1 + len >= 80) {
			printf("\n%*s", indent, "");
			column = indent;
		} else if (column > indent) {
			putchar(' ');
			column++;
		}
		printf("%.*s", len, text);
		column += len;
		text += len;
		text += *text == ' ';
	}
	putchar('\n');
}

static void print_row(const char *left, const char *text, int indent)
{
	int used = printf("%s", left);
	if (used + 2 > indent)
		printf("\n%*s", indent, "");
	else
		printf("%*s", indent - used, "");
	print_wrapped(text, indent);
}

static void print_command_help(const struct co_program *program, const struct co_command *cmd)
{
	enum { INDENT = 28 };
	const char *operands = cmd->operands ? cmd->operands : "";
	bool own_h = false;
	printf("Usage: %s %s%s%s [OPTION...]\n\n", program->name, cmd->name, *operands ? " " : "", operands);
	print_wrapped(cmd->summary, 0);
	if (cmd->details)
		printf("\n%s\n", cmd->details);
	printf("\nOptions:\n");
	for (const struct co_option *o = cmd->options; o && o->name; o++) {
		char left[128], letter[8] = "    ";
		if (o->letter)
			snprintf(letter, sizeof letter, "-%c, ", o->letter);
		own_h = own_h || o->letter == 'h';
		snprintf(left, sizeof left, "  %s--%s%s%s", letter, o->name, o->arg ? " " : "", o->arg ? o->arg : "");
		print_row(left, o->help, INDENT);
	}
	print_row(own_h ? "      --help" : "  -h, --help", "show this help", INDENT);
}

static void print_program_help(const struct co_program *program, FILE *to)
{
	fprintf(to, "Usage: %s COMMAND [OPTION...]\n\n%s\n\nCommands:\n", program->name, program->summary);
	for (const struct co_command *c = program->commands; c->name; c++)
		fprintf(to, "  %-12s %s\n", c->name, c->summary);
	fprintf(to, "\n'%s COMMAND --help' shows the options of a command; '%s --version' the version.\n",
		program->name, program->name);
}

static void add_quoted(struct co_str *s, const char *word)
{
	static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-";
	if (*word && !word[strspn(word, safe)]) {
		co_str_add(s, word);
		return;
	}
	co_str_add(s, "'");
	for (; *word; word++) {
		if (*word == '\'')
			co_str_add(s, "'\\''");
		else
			co_str_add_n(s, word, 1);
	}
	co_str_add(s, "'");
}

static int run_command(const struct co_program *program, const struct co_command *cmd, const char *command_line,
		       int argc, char **argv, struct co_err *err)
{
	struct parse p = { .program = program, .cmd = cmd };
	int r = prepare(&p, argc, err);
	if (r == 0)
		r = parse_words(&p, argc, argv, err);
	if (r == 0 && p.help) {
		print_command_help(program, cmd);
	} else if (r == 0) {
		struct co_call call = { p.opts, p.args, p.n_args, command_line };
		r = cmd->run(&call, err);
	}
	parse_free(&p);
	return r;
}

static const struct co_command *find_command(const struct co_program *program, const char *name)
{
	const struct co_command *c = program->commands;
	while (c->name && strcmp(c->name, name) != 0)
		c++;
	return c->name ? c : NULL;
}

/* The exit code for an error that is printed here. */
static int report(const char *command, const struct co_err *err)
{
	/* Nobody reads standard output any more (`| head`): no reason for a message. */
	bool quiet = err->code == CO_ERR_OUTPUT && err->sys == EPIPE;
	if (!quiet)
		co_log_error("%s: %s", command, err->msg);
	return (int)co_err_exit(err->code);
}

static int named_command(const struct co_program *program, int argc, char **argv)
{
	CO_CLEANUP_STR struct co_str line = { 0 };
	struct co_err err = CO_ERR_INIT;
	const struct co_command *cmd = find_command(program, argv[1]);
	if (!cmd) {
		const char *kind = argv[1][0] == '-' ? "option" : "command";
		co_log_error("unknown %s '%s' (see '%s --help')", kind, argv[1], program->name);
		return CO_EXIT_USAGE;
	}
	for (int i = 0; i < argc; i++) {
		co_str_add(&line, i ? " " : "");
		add_quoted(&line, i ? argv[i] : program->name);
	}
	int r = line.failed ? co_err_set(&err, CO_ERR_NOMEM, 0, "out of memory for the command line")
			    : run_command(program, cmd, line.s, argc - 1, argv + 1, &err);
	if (r >= 0)
		return r;
	err.code = r;
	return report(cmd->name, &err);
}

static int dispatch(const struct co_program *program, int argc, char **argv)
{
	if (argc < 2) {
		print_program_help(program, stderr);
		return CO_EXIT_USAGE;
	}
	const char *word = argv[1];
	bool help = strcmp(word, "help") == 0 || strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
	if (strcmp(word, "--version") == 0) {
		printf("%s %s\n", program->name, program->version);
		return CO_EXIT_OK;
	}
	if (help && argc == 2) {
		print_program_help(program, stdout);
		return CO_EXIT_OK;
	}
	if (help) {
		const struct co_command *cmd = find_command(program, argv[2]);
		if (!cmd) {
			co_log_error("unknown command '%s' (see '%s --help')", argv[2], program->name);
			return CO_EXIT_USAGE;
		}
		print_command_help(program, cmd);
		return CO_EXIT_OK;
	}
	return named_command(program, argc, argv);
}

/* A closed descriptor 1 or 2 would be given to the next file opened, and our output would go into that file. What is
 * put in its place is opened the wrong way round, so that reading 0 or writing 1 and 2 fails as before. */
static void keep_standard_descriptors(void)
{
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY) < 0)
			_exit(CO_EXIT_FAILED);
}

static bool reader_is_gone(void)
{
	struct pollfd out = { .fd = STDOUT_FILENO, .events = POLLOUT };
	return poll(&out, 1, 0) == 1 && (out.revents & POLLERR);
}

/* Whatever was printed must have arrived. */
static int close_stdout(int code)
{
	bool earlier = ferror(stdout);
	int sys = fflush(stdout) != 0 ? errno : 0;
	bool gone = sys == EPIPE || (earlier && reader_is_gone());
	if (fclose(stdout) != 0 && !sys)
		sys = errno;
	if (!earlier && !sys)
		return code;
	/* CO_EXIT_OUTPUT: the command has seen and reported it. */
	if (code != CO_EXIT_OUTPUT && !gone)
		co_log_error("standard output could not be written%s%s", sys ? ": " : "",
			     sys ? strerrordesc_np(sys) : "");
	return code == CO_EXIT_OK || code == CO_EXIT_DAMAGED ? CO_EXIT_OUTPUT : code;
}

int co_program_main(const struct co_program *program, int argc, char **argv)
{
	keep_standard_descriptors();
	signal(SIGPIPE, SIG_IGN); /* a reader that goes away is an error of write(), which is handled */
	co_log_init(program->name);
	return close_stdout(dispatch(program, argc, argv));
}
