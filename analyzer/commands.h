/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The commands of exhibit-analyzer; one cmd_*.c each, put together in main.c.
 */
#ifndef AN_COMMANDS_H
#define AN_COMMANDS_H

#include "run/option.h"

extern const struct co_command an_cmd_info, an_cmd_run, an_cmd_timeline, an_cmd_findings, an_cmd_hashes, an_cmd_ls,
	an_cmd_cat, an_cmd_report;

#endif
