/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Commands and their options as tables: the one source of parsing, --help and (later) man pages and completion.
 *
 *	static const struct co_option options[] = {
 *		{ "output", 'o', "BAG", CO_OPT_STRING, offsetof(struct opts, output), "new folder for the evidence" },
 *		{ 0 },
 *	};
 *
 * Every option writes one field of the command's option struct, which is zeroed first. Strings point into argv.
 * Abbreviated long options are refused: scripts must not change their meaning when an option is added. Of a scalar
 * option that is given twice the last counts. Options and operands may be mixed; "--" ends the options; a lone "-" is
 * an operand. Whatever is wrong with the words is one sentence on standard error and exit code 2.
 */
#ifndef CO_RUN_OPTION_H
#define CO_RUN_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum co_option_kind {
	CO_OPT_FLAG = 1, /* bool */
	CO_OPT_STRING,   /* const char * */
	CO_OPT_UINT,     /* uint64_t, a decimal number */
	CO_OPT_SIZE,     /* uint64_t, bytes, with units */
	CO_OPT_TIME,     /* int64_t, ns since 1970, from ISO 8601; CO_TIME_NONE when not given */
	CO_OPT_LIST,     /* struct co_option_list: one value each time it is given; a comma does not split */
};

struct co_option_list {
	const char *at[64];
	size_t n;
};

struct co_option {
	const char *name; /* long name without dashes; NULL ends the table */
	char letter;      /* short option, 0: none */
	const char *arg;  /* name of the value in help, NULL for a flag */
	enum co_option_kind kind;
	size_t offset; /* of the field in the option struct */
	const char *help;
};

/* What a command is called with. */
struct co_call {
	const void *opts;  /* the filled option struct */
	char *const *args; /* the operands */
	int n_args;
	const char *command_line; /* program and all words, shell-quoted, for records */
};

struct co_command {
	const char *name;     /* NULL ends the table */
	const char *operands; /* "SOURCE --output BAG": shown behind the name in usage */
	const char *summary;  /* one line */
	const char *details;  /* further paragraphs of help, or NULL */
	const struct co_option *options;
	size_t opts_size;       /* of the option struct */
	int min_args, max_args; /* operands; max -1: any number */
	/* >= 0: the exit code. < 0: an error, printed by co_program_main, which maps it to the exit code. */
	int (*run)(const struct co_call *call, struct co_err *err);
};

struct co_program {
	const char *name; /* "exhibit-imager" */
	const char *summary;
	const char *version;
	const struct co_command *commands;
};

/* The whole of main(): finds the command, parses, runs, prints the error as one line, flushes and closes standard
 * output (a failed close is CO_EXIT_OUTPUT; without a word if its reader went away, SIGPIPE being ignored), returns the
 * exit code. Handles --help, --version, "help COMMAND". */
int co_program_main(const struct co_program *program, int argc, char **argv);

/* Fields each long-running command shares; put CO_PROGRESS_OPTIONS(struct opts, progress) into its table. */
struct co_progress_args {
	const char *mode;
	const char *status_file;
};
#define CO_PROGRESS_OPTIONS(type, field) \
	{ "progress", 0, "MODE", CO_OPT_STRING, offsetof(type, field.mode), "auto, tty, plain, json or none" }, \
	{ \
		"status-file", 0, "FILE", CO_OPT_STRING, offsetof(type, field.status_file), \
			"keep the newest progress record (JSON) in this file" \
	}

#endif
