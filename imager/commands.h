/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The commands of exhibit-imager, one file each (cmd_*.c): options in, library calls, output.
 */
#ifndef IM_COMMANDS_H
#define IM_COMMANDS_H

#include "run/option.h"

extern const struct co_command im_cmd_acquire, im_cmd_devices, im_cmd_export, im_cmd_info, im_cmd_selftest, im_cmd_sign,
	im_cmd_timestamp, im_cmd_verify;

#endif
