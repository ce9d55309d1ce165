/* SPDX-License-Identifier: Apache-2.0 */
#include "commands.h"
#include "version.h"

int main(int argc, char **argv)
{
	const struct co_command commands[] = { im_cmd_devices,   im_cmd_acquire,  im_cmd_verify,
					       im_cmd_info,      im_cmd_export,   im_cmd_sign,
					       im_cmd_timestamp, im_cmd_selftest, { 0 } };
	const struct co_program program = {
		.name = "exhibit-imager",
		.summary = "acquire disks behind a software write block into evidence bags, and verify them",
		.version = CO_VERSION,
		.commands = commands,
	};

	return co_program_main(&program, argc, argv);
}
