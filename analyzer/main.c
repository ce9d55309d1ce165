/* SPDX-License-Identifier: Apache-2.0 */
#include "commands.h"
#include "run/option.h"
#include "version.h"

int main(int argc, char **argv)
{
	const struct co_command commands[] = {
		an_cmd_info, an_cmd_run, an_cmd_timeline, an_cmd_findings, an_cmd_hashes,
		an_cmd_ls,   an_cmd_cat, an_cmd_report,   { 0 },
	};
	const struct co_program program = {
		.name = "exhibit-analyzer",
		.summary = "what changed on a hacked server, when, and how we know",
		.version = CO_VERSION,
		.commands = commands,
	};
	return co_program_main(&program, argc, argv);
}
