/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Descriptors that whoever started the program left open in it.
 */
#ifndef IM_DEVICE_INHERITED_H
#define IM_DEVICE_INHERITED_H

/* Closes those of block devices: the program opens a source itself, and nobody else's way to write to one shall be in
 * it. Before anything is opened. */
void im_inherited_close(void);

#endif
