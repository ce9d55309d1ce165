/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to imager/selftest: the functions of the rows, by file, and what several of them need.
 */
#ifndef IM_SELFTEST_ROWS_H
#define IM_SELFTEST_ROWS_H

#include "selftest/trial.h"

/* common.c */

/* The bag that many rows examine, of a file with machine->base_disk; the row fails if it can't be made. */
bool im_base(struct im_trial *t, const char **ret_bag, const json_t **ret_record);
/* A copy of it, to be damaged. */
bool im_base_copy(struct im_trial *t, const char **ret_bag);
/* `acquire SOURCE --output BAG` ends with @code; its record. */
bool im_acquire_to(struct im_trial *t, int code, const char *source, const char *bag, const json_t **ret);
/* The record and an export of the bag give exactly the disk. */
bool im_proves(struct im_trial *t, const json_t *record, const char *bag, const struct im_disk *d);
/* Both, for a source that can be read to its end. */
bool im_images(struct im_trial *t, const char *source, const struct im_disk *d, const json_t **ret);
/* The layer of the write block in the record: NULL if it does not name it. */
const json_t *im_layer(const json_t *record, const char *name);
/* A key and a self-signed certificate: those that the self-test was given, or made by openssl for the row. */
bool im_signer_files(struct im_trial *t, const char **ret_key, const char **ret_certificate);

/* A disk some of whose sectors the kernel can't read: nbdkit and nbdfuse serve the file below a loop device. */
struct im_faulty {
	struct co_child *server;
	struct im_loop *loop;
};
bool im_faulty_disk(struct im_trial *t, const struct im_disk *d, int delay_ms, struct im_faulty *ret);

/* access.c */
void im_row_file(struct im_trial *t);
void im_row_disk(struct im_trial *t);
void im_row_partition(struct im_trial *t);
void im_row_stdin(struct im_trial *t);
void im_row_sectors_4096(struct im_trial *t);
void im_row_one_sector(struct im_trial *t);
void im_row_odd_size(struct im_trial *t);
void im_row_environment(struct im_trial *t);
void im_row_image_here(struct im_trial *t);
void im_row_image_tmpfs(struct im_trial *t);
void im_row_image_ext4(struct im_trial *t);
void im_row_hidden(struct im_trial *t);
void im_row_two_outputs(struct im_trial *t);

/* accuracy.c */
void im_row_last_sector(struct im_trial *t);
void im_row_beyond_4_gib(struct im_trial *t);
void im_row_accurate(struct im_trial *t);
void im_row_represents(struct im_trial *t);
void im_row_format(struct im_trial *t);
void im_row_segments(struct im_trial *t);
void im_row_block_digests(struct im_trial *t);
void im_row_log(struct im_trial *t);
void im_row_no_extra_bytes(struct im_trial *t);

/* errors.c */
void im_row_bad_end(struct im_trial *t);
void im_row_bad_sectors(struct im_trial *t);
void im_row_vanishes(struct im_trial *t);
void im_row_write_error(struct im_trial *t);
void im_row_no_space(struct im_trial *t);
void im_row_interrupted(struct im_trial *t);
void im_row_resume(struct im_trial *t);
void im_row_retries(struct im_trial *t);

/* integrity.c */
void im_row_unchanged(struct im_trial *t);
void im_row_changed(struct im_trial *t);
void im_row_location(struct im_trial *t);
void im_row_incomplete(struct im_trial *t);
void im_row_metadata(struct im_trial *t);
void im_row_replaced(struct im_trial *t);
void im_row_stock_tools(struct im_trial *t);
void im_row_events(struct im_trial *t);
void im_row_signature(struct im_trial *t);

/* block.c */
void im_row_writes_refused(struct im_trial *t);
void im_row_configuration(struct im_trial *t);
void im_row_reads_pass(struct im_trial *t);
void im_row_others_free(struct im_trial *t);
void im_row_status_told(struct im_trial *t);
void im_row_source_unchanged(struct im_trial *t);
void im_row_mounted_refused(struct im_trial *t);
void im_row_claimed_refused(struct im_trial *t);
void im_row_unclean_ext4(struct im_trial *t);
void im_row_zero_writes(struct im_trial *t);
void im_row_trace(struct im_trial *t);
void im_row_samples(struct im_trial *t);
void im_row_layers(struct im_trial *t);
void im_row_require(struct im_trial *t);

/* clone.c */
void im_row_clone(struct im_trial *t);
void im_row_clone_addresses(struct im_trial *t);
void im_row_clone_excess(struct im_trial *t);
void im_row_clone_too_small(struct im_trial *t);
void im_row_clone_write_error(struct im_trial *t);
void im_row_convert(struct im_trial *t);

#endif
