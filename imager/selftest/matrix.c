/* SPDX-License-Identifier: Apache-2.0 */
#include "selftest/matrix.h"

#include <string.h>

#include "selftest/rows.h"

static const struct {
	const char *name, *document;
} standards[] = {
	[IM_STANDARD_DDA] = { "NIST DDA",
			      "NIST CFTT, Digital Data Acquisition Tool Assertions and Test Plan, version 1.0, "
			      "November 2005" },
	[IM_STANDARD_SWB] = { "NIST SWB",
			      "NIST CFTT, Software Write Block Tool Specification and Test Plan, version 3.0" },
	[IM_STANDARD_SOLVE_IT] = { "SOLVE-IT",
				   "SOLVE-IT knowledge base, github.com/SOLVE-IT-DF/solve-it, commit 59b3791 of "
				   "2026-07-17, data/weaknesses" },
	[IM_STANDARD_GAPS] = { "Suhanov", "M. Suhanov, github.com/msuhanov/Linux-write-blocker, commit b9c2d33 of "
					  "2017-12-16, README.md "
					  "(on what write blockers and their tests miss)" },
	[IM_STANDARD_EXHIBIT] = { "Exhibit", "a demand of this project" },
};

const char *im_standard_short(enum im_standard standard)
{
	return standards[standard].name;
}

const char *im_standard_long(enum im_standard standard)
{
	return standards[standard].document;
}

const char *im_checked_text(enum im_checked checked)
{
	static const char *const texts[] = {
		[IM_CHECKED_NO] = "paraphrase; id not checked against the source",
		[IM_CHECKED_MEANING] = "paraphrase checked against a summary; id not checked against the source",
		[IM_CHECKED_YES] = "checked against the source",
		[IM_CHECKED_OWN] = "own demand",
	};

	return texts[checked];
}

const struct im_row im_matrix[] = {
	{ "DA-AM-01/file", IM_STANDARD_DDA, IM_CHECKED_NO,
	  "The tool reads a source through the access it was asked to use.",
	  "images a raw file; digest, size and every byte of an export are those of the formula", "cli.acquire-file",
	  im_row_file },
	{ "DA-AM-01/disk", IM_STANDARD_DDA, IM_CHECKED_NO, "As above, for a block device.",
	  "the same for a loop device of 512-byte sectors", "cli.acquire-device", im_row_disk },
	{ "DA-AM-01/partition", IM_STANDARD_DDA, IM_CHECKED_NO, "As above, for a partition.",
	  "adds a partition of an odd number of sectors to a loop device; only its bytes are in the image",
	  "cli.selftest", im_row_partition },
	{ "DA-AM-01/stdin", IM_STANDARD_DDA, IM_CHECKED_NO, "As above, for a stream.",
	  "pipes content of an odd size through standard input", "cli.stdin", im_row_stdin },
	{ "DA-AM-02/sectors-4096", IM_STANDARD_DDA, IM_CHECKED_NO,
	  "The tool acquires each type of source that it claims to support.",
	  "a loop device of 4096-byte sectors whose size is no multiple of a chunk", "cli.acquire-device",
	  im_row_sectors_4096 },
	{ "DA-AM-02/one-sector", IM_STANDARD_DDA, IM_CHECKED_NO, "As above, for the smallest disk there is.",
	  "a loop device of one sector", "cli.selftest", im_row_one_sector },
	{ "DA-AM-02/odd-size", IM_STANDARD_DDA, IM_CHECKED_NO, "As above, for a size that is no multiple of a sector.",
	  "a file of 1000003 bytes: the padding is stated, and the image verifies", "cli.acquire-file",
	  im_row_odd_size },
	{ "DA-AM-03", IM_STANDARD_DDA, IM_CHECKED_NO, "The tool works in the environment it is run in.",
	  "the record names the kernel that runs; the report names machine and programs", "unit.record",
	  im_row_environment },
	{ "DA-AM-04", IM_STANDARD_DDA, IM_CHECKED_NO, "A clone is made where one is asked for.",
	  "writes the image to a loop device of the same size", "cli.export", im_row_clone },
	{ "DA-AM-05/here", IM_STANDARD_DDA, IM_CHECKED_NO, "An image is made on the file system that was asked for.",
	  "an image on the file system of the output folder", "cli.acquire-file", im_row_image_here },
	{ "DA-AM-05/tmpfs", IM_STANDARD_DDA, IM_CHECKED_NO, "As above.", "an image on a tmpfs", "cli.selftest",
	  im_row_image_tmpfs },
	{ "DA-AM-05/ext4", IM_STANDARD_DDA, IM_CHECKED_NO, "As above.", "an image on a new ext4 (needs mkfs.ext4)",
	  "cli.selftest", im_row_image_ext4 },
	{ "DA-AM-06/last-sector", IM_STANDARD_DDA, IM_CHECKED_NO, "All visible sectors are acquired.",
	  "an odd number of sectors; each, and the last one, is in the export", "cli.acquire-file cli.export",
	  im_row_last_sector },
	{ "DA-AM-06/beyond-4-GiB", IM_STANDARD_DDA, IM_CHECKED_NO, "As above, where 32 bits no longer count bytes.",
	  "a disk of a little more than 4 GiB with a random last sector (4 TiB is a slow test of the project)",
	  "cli.selftest", im_row_beyond_4_gib },
	{ "DA-AM-07", IM_STANDARD_DDA, IM_CHECKED_NO, "All hidden sectors (HPA, DCO) are acquired.",
	  "sees whether the record says what is known of hidden areas; finding them needs a drive that has some",
	  "unit.ata", im_row_hidden },
	{ "DA-AM-08", IM_STANDARD_DDA, IM_CHECKED_NO, "What is acquired is accurate.",
	  "one disk, each compression, one to three threads: each time all bytes and the digest are those of the "
	  "formula",
	  "cli.acquire-file cli.acquire-same-bytes", im_row_accurate },
	{ "DA-AM-09/ten-sectors", IM_STANDARD_DDA, IM_CHECKED_NO, "What can't be read is told, by kind and place.",
	  "ten bad sectors in three places (nbdkit below a loop device): exit status 3 and exactly these in the "
	  "record; ewfverify accepts the image",
	  "cli.acquire-bad-sectors unit.reader", im_row_bad_sectors },
	{ "DA-AM-09/end", IM_STANDARD_DDA, IM_CHECKED_NO, "As above.",
	  "the last 32 KiB of a disk can't be read (its file was cut off): exit status 3 and exactly these sectors in "
	  "the record",
	  "cli.selftest", im_row_bad_end },
	{ "DA-AM-10", IM_STANDARD_DDA, IM_CHECKED_NO, "Data that can't be read is replaced by a harmless fill.",
	  "the same ten sectors: zeros there, every other byte as on the disk", "cli.acquire-bad-sectors",
	  im_row_bad_sectors },
	{ "DA-AO-01", IM_STANDARD_DDA, IM_CHECKED_NO,
	  "The data that an image represents is the data that was acquired.",
	  "exports an image and compares every byte with the formula, and its digest by sha256sum", "cli.export",
	  im_row_represents },
	{ "DA-AO-02", IM_STANDARD_DDA, IM_CHECKED_NO, "The image has the format that was asked for.",
	  "begins as an E01 does; ewfverify reads it and accepts its SHA-256", "cli.acquire-file unit.e01_writer",
	  im_row_format },
	{ "DA-AO-03", IM_STANDARD_DDA, IM_CHECKED_NO, "An error while the image is written is told.",
	  "files can't grow beyond 2 MiB: exit status 5, a message, nothing under a final name",
	  "cli.acquire-output fault.nth-call fault.lying-disk", im_row_write_error },
	{ "DA-AO-04", IM_STANDARD_DDA, IM_CHECKED_NO, "That the space does not suffice is told.",
	  "a tmpfs that is too small: exit status 5, the message says why, nothing under a final name",
	  "cli.acquire-output", im_row_no_space },
	{ "DA-AO-05", IM_STANDARD_DDA, IM_CHECKED_NO, "No file of an image in several files is larger than asked.",
	  "an odd segment size; the size of each file, and the bytes of all", "cli.acquire-segments", im_row_segments },
	{ "DA-AO-06", IM_STANDARD_DDA, IM_CHECKED_NO,
	  "An integrity check of an unchanged image says that it is unchanged.", "verifies a bag and its image",
	  "cli.acquire-file", im_row_unchanged },
	{ "DA-AO-07", IM_STANDARD_DDA, IM_CHECKED_NO, "An integrity check of a changed image says that it was changed.",
	  "changes a byte at 24 places of the image and in each other file in turn: exit status 4 each time, 0 when "
	  "all is put back",
	  "cli.acquire-file cli.sign unit.bag unit.e01_reader", im_row_changed },
	{ "DA-AO-08", IM_STANDARD_DDA, IM_CHECKED_NO, "It says which part was changed.",
	  "changes a byte of a known sector: the message names a range of sectors around it",
	  "cli.export unit.e01_reader", im_row_location },
	{ "DA-AO-09", IM_STANDARD_DDA, IM_CHECKED_NO, "A conversion to another format keeps the data.",
	  "E01 to raw and back to E01", "cli.export", im_row_convert },
	{ "DA-AO-10", IM_STANDARD_DDA, IM_CHECKED_NO,
	  "Where the tool can go on on another device when one is full, it does.",
	  "this tool does not switch destinations: it ends with exit status 5", "", NULL },
	{ "DA-AO-11", IM_STANDARD_DDA, IM_CHECKED_NO, "A clone is made during the acquisition if that is asked for.",
	  "this tool makes clones of images only; --second-output makes a second image", "", NULL },
	{ "DA-AO-12", IM_STANDARD_DDA, IM_CHECKED_NO, "A clone is made of an image if that is asked for.",
	  "writes an image to a loop device; all bytes are those of the formula", "cli.export", im_row_clone },
	{ "DA-AO-13", IM_STANDARD_DDA, IM_CHECKED_NO, "The clone is written through the access that was asked for.",
	  "the same, by the name of a block device", "cli.export", im_row_clone },
	{ "DA-AO-14", IM_STANDARD_DDA, IM_CHECKED_NO, "Each sector of a clone lies where it lay on the source.",
	  "sectors all over a larger device, one by one", "cli.export", im_row_clone_addresses },
	{ "DA-AO-15", IM_STANDARD_DDA, IM_CHECKED_NO, "An aligned clone keeps addresses relative to its cylinders.",
	  "the tool knows no cylinders: clones are not aligned", "", NULL },
	{ "DA-AO-16", IM_STANDARD_DDA, IM_CHECKED_NO, "If only a part is to be cloned, all of that part is.",
	  "the tool always takes the whole source", "", NULL },
	{ "DA-AO-17", IM_STANDARD_DDA, IM_CHECKED_NO,
	  "Sectors of the clone's medium behind the image are not changed if that is asked for.",
	  "a larger device: what lies behind the image is what was there", "cli.export", im_row_clone_excess },
	{ "DA-AO-18", IM_STANDARD_DDA, IM_CHECKED_NO, "They are filled if that is asked for.",
	  "the tool does not fill them", "", NULL },
	{ "DA-AO-19", IM_STANDARD_DDA, IM_CHECKED_NO, "If a clone's medium is too small, what fits is written.",
	  "the tool refuses instead, before it writes: see DA-AO-20", "", NULL },
	{ "DA-AO-20", IM_STANDARD_DDA, IM_CHECKED_NO, "That a clone is not complete is told.",
	  "a device that is too small: refused with a message, and not a byte of it is changed", "cli.export",
	  im_row_clone_too_small },
	{ "DA-AO-21", IM_STANDARD_DDA, IM_CHECKED_NO, "An error while a clone is written is told.",
	  "files can't grow beyond 2 MiB: exit status 5, a message, nothing under the final name", "fault.nth-call",
	  im_row_clone_write_error },
	{ "DA-AO-22", IM_STANDARD_DDA, IM_CHECKED_NO,
	  "Digests of blocks of a given size are made if that is asked for.",
	  "each line of the list of blocks against the formula, the last, shorter one too", "cli.acquire-file",
	  im_row_block_digests },
	{ "DA-AO-23", IM_STANDARD_DDA, IM_CHECKED_NO, "What the log states is right.",
	  "size, source, times, digests and errors of the record and of the text report against what is known",
	  "unit.record cli.sidecars", im_row_log },
	{ "DA-AO-24", IM_STANDARD_DDA, IM_CHECKED_NO, "The source is unchanged by the acquisition.",
	  "a loop device; its file, read past the device afterwards, against the formula", "cli.acquire-device",
	  im_row_source_unchanged },
	{ "SWB-RM-01", IM_STANDARD_SWB, IM_CHECKED_MEANING, "A protected drive can't be changed.",
	  "halts an acquisition: opening and writing, a write, a discard and zeroing through a descriptor from before "
	  "are all refused, and the disk is unchanged",
	  "cli.acquire-device unit.guard", im_row_writes_refused },
	{ "SWB-RM-02", IM_STANDARD_SWB, IM_CHECKED_MEANING, "Information can be had from and about any drive.",
	  "meanwhile another program reads the disk and asks for its size and sectors", "cli.selftest",
	  im_row_reads_pass },
	{ "SWB-RM-03", IM_STANDARD_SWB, IM_CHECKED_MEANING, "A drive that is not protected can be used as ever.",
	  "meanwhile another loop device is written", "cli.selftest", im_row_others_free },
	{ "SWB-AM-01", IM_STANDARD_SWB, IM_CHECKED_NO,
	  "Commands of the category \"write\" to a protected drive are blocked.", "as SWB-RM-01", "cli.acquire-device",
	  im_row_writes_refused },
	{ "SWB-AM-02", IM_STANDARD_SWB, IM_CHECKED_MEANING,
	  "Commands of the category \"configuration\" to a protected drive are blocked.",
	  "meanwhile mounting it for writing and claiming it exclusively are refused", "cli.acquire-device",
	  im_row_configuration },
	{ "SWB-AM-03", IM_STANDARD_SWB, IM_CHECKED_NO,
	  "Commands of the category \"miscellaneous\" to a protected drive are blocked.",
	  "the layers that forbid the imager itself all other requests (Landlock, capabilities, seccomp) are in the "
	  "record as applied",
	  "fault.attacks", im_row_layers },
	{ "SWB-AM-04", IM_STANDARD_SWB, IM_CHECKED_NO, "Commands of the category \"read\" pass.", "as SWB-RM-02",
	  "cli.selftest", im_row_reads_pass },
	{ "SWB-AM-05", IM_STANDARD_SWB, IM_CHECKED_NO, "Commands of the category \"information\" pass.", "as SWB-RM-02",
	  "cli.selftest", im_row_reads_pass },
	{ "SWB-AM-06", IM_STANDARD_SWB, IM_CHECKED_NO,
	  "Which drives are accessible, and whether they are protected, is told.",
	  "\"devices\" says read-only while the acquisition is halted, and no longer when it has ended", "cli.selftest",
	  im_row_status_told },
	{ "gap/unclean-file-system", IM_STANDARD_GAPS, IM_CHECKED_YES,
	  "A file system that was not unmounted is not repaired by reading its disk.",
	  "an ext4 with a journal to replay (needs mkfs.ext4): acquired, and unchanged", "cli.selftest",
	  im_row_unclean_ext4 },
	{ "gap/granularity", IM_STANDARD_GAPS, IM_CHECKED_NO, "One bad sector costs one sector.",
	  "as DA-AM-09/ten-sectors", "cli.acquire-bad-sectors", im_row_bad_sectors },
	{ "DFW-1004", IM_STANDARD_SOLVE_IT, IM_CHECKED_YES, "Copying stops early, and sectors at the end are missing.",
	  "the disk vanishes in mid-read: exit status 6, status \"source-lost\", nothing under a final name",
	  "cli.acquire-bad-sectors", im_row_vanishes },
	{ "DFW-1278", IM_STANDARD_SOLVE_IT, IM_CHECKED_YES, "Copying skips sectors or bytes.",
	  "an odd number of sectors: every byte of the export", "cli.export", im_row_last_sector },
	{ "DFW-1013", IM_STANDARD_SOLVE_IT, IM_CHECKED_YES, "Copying adds bytes.",
	  "files of eight sizes around those of sectors, chunks and blocks: exports have exactly their size",
	  "cli.export", im_row_no_extra_bytes },
	{ "DFW-1006", IM_STANDARD_SOLVE_IT, IM_CHECKED_YES, "The host protected area (HPA) is not copied.",
	  "as DA-AM-07", "unit.ata", im_row_hidden },
	{ "DFW-1007", IM_STANDARD_SOLVE_IT, IM_CHECKED_YES, "The device configuration overlay (DCO) is not copied.",
	  "as DA-AM-07", "unit.ata", im_row_hidden },
	{ "DFW-1014", IM_STANDARD_SOLVE_IT, IM_CHECKED_YES, "Accessing the drive changes it.", "as DA-AO-24",
	  "cli.acquire-device", im_row_source_unchanged },
	{ "DFW-1015", IM_STANDARD_SOLVE_IT, IM_CHECKED_YES, "An SSD wipes sectors by itself when it gets power (TRIM).",
	  "no program on the machine can prevent it: the drive does it before the kernel sees it", "", NULL },
	{ "DFW-1016", IM_STANDARD_SOLVE_IT, IM_CHECKED_YES, "What was read is not what is stored.", "as DA-AM-08",
	  "cli.acquire-file", im_row_accurate },
	{ "DFW-1143", IM_STANDARD_SOLVE_IT, IM_CHECKED_YES, "Sectors that the drive has remapped are not read.",
	  "a drive does not give them to the machine: this needs commands of its maker", "", NULL },
	{ "DFW-1126", IM_STANDARD_SOLVE_IT, IM_CHECKED_YES, "An incomplete image passes as verified.",
	  "a segment taken away, and one cut in half: neither bag nor image verifies", "cli.acquire-segments",
	  im_row_incomplete },
	{ "DFW-1127", IM_STANDARD_SOLVE_IT, IM_CHECKED_YES, "What an image states about itself is not verified.",
	  "an image of the same data under another case number, with manifests made anew: exit status 4, and the "
	  "message says so",
	  "unit.record", im_row_metadata },
	{ "DFW-1128", IM_STANDARD_SOLVE_IT, IM_CHECKED_YES, "An image is replaced together with its stored digest.",
	  "a whole bag replaced beneath a signature: exit status 4, and the message names the signature", "cli.sign",
	  im_row_replaced },
	{ "EX-layers", IM_STANDARD_EXHIBIT, IM_CHECKED_OWN,
	  "The write block has several layers, and each is proved in the record.",
	  "O_RDONLY, O_EXCL and BLKROSET are applied; Landlock, capabilities and seccomp, too", "fault.attacks",
	  im_row_layers },
	{ "EX-require-write-block", IM_STANDARD_EXHIBIT, IM_CHECKED_OWN,
	  "Where a layer is absent, --require-write-block makes that an error.",
	  "acquires with the option, and compares with the layers of the record", "cli.acquire-device",
	  im_row_require },
	{ "EX-zero-writes", IM_STANDARD_EXHIBIT, IM_CHECKED_OWN, "The kernel counted no write to the disk.",
	  "the counters of the record, and the number of the attachment before and after", "cli.acquire-device",
	  im_row_zero_writes },
	{ "EX-trace", IM_STANDARD_EXHIBIT, IM_CHECKED_OWN,
	  "A trace by the kernel shows that no request but reads was made.",
	  "the trace in the record is complete and shows none", "cli.trace", im_row_trace },
	{ "EX-samples", IM_STANDARD_EXHIBIT, IM_CHECKED_OWN, "Samples of the disk are the same before and after.",
	  "digests of the samples in the record against the formula", "unit.samples", im_row_samples },
	{ "EX-mounted", IM_STANDARD_EXHIBIT, IM_CHECKED_OWN, "A source that is mounted is refused.",
	  "a mounted ext4 (needs mkfs.ext4): exit status 1, the message says so, no bag is begun", "cli.acquire-device",
	  im_row_mounted_refused },
	{ "EX-claimed", IM_STANDARD_EXHIBIT, IM_CHECKED_OWN, "A source that another program has claimed is refused.",
	  "a loop device held exclusively: exit status 1, no bag is begun", "unit.guard", im_row_claimed_refused },
	{ "EX-interrupted", IM_STANDARD_EXHIBIT, IM_CHECKED_OWN,
	  "An acquisition that is stopped leaves nothing that looks complete.",
	  "SIGTERM in the middle: exit status 75, nothing under a final name", "cli.acquire-output",
	  im_row_interrupted },
	{ "EX-resume", IM_STANDARD_EXHIBIT, IM_CHECKED_OWN,
	  "A killed acquisition goes on, and the image is the same as without the kill.",
	  "SIGKILL in the middle, then --resume: the same bytes as an uninterrupted image", "cli.resume",
	  im_row_resume },
	{ "EX-sector-retries", IM_STANDARD_EXHIBIT, IM_CHECKED_OWN,
	  "Retries of bad sectors do not change what is stated as lost.", "the ten bad sectors with --sector-retries 2",
	  "cli.rescue", im_row_retries },
	{ "EX-second-output", IM_STANDARD_EXHIBIT, IM_CHECKED_OWN, "Two bags of one pass are both right.",
	  "both exported and compared with the formula", "cli.acquire-second", im_row_two_outputs },
	{ "EX-stock-tools", IM_STANDARD_EXHIBIT, IM_CHECKED_OWN, "A bag is checked by sha256sum alone.",
	  "sha256sum -c of both manifests", "cli.acquire-file", im_row_stock_tools },
	{ "EX-events", IM_STANDARD_EXHIBIT, IM_CHECKED_OWN, "The log of events can't be changed or cut unseen.",
	  "each line carries the digest of the one before it, the record that of the last", "unit.record",
	  im_row_events },
	{ "EX-signature", IM_STANDARD_EXHIBIT, IM_CHECKED_OWN, "A signature is checked by openssl alone.",
	  "openssl cms -verify accepts it, and no longer when a byte of the manifest is another one", "cli.sign",
	  im_row_signature },
};

const size_t im_matrix_n = sizeof im_matrix / sizeof im_matrix[0];

bool im_row_is(const struct im_row *row, const char *name)
{
	size_t n = strlen(name);

	return strncmp(row->id, name, n) == 0 && (row->id[n] == '\0' || row->id[n] == '/');
}

void im_matrix_text(struct co_str *s)
{
	co_str_add(s,
		   "| id | standard | what it means | row of the self-test | tests of the suite | checked against the "
		   "source? |\n|---|---|---|---|---|---|\n");
	for (size_t i = 0; i < im_matrix_n; i++) {
		const struct im_row *r = &im_matrix[i];

		co_str_addf(s, "| %s | %s | %s | %s%s | %s | %s |\n", r->id, im_standard_short(r->standard), r->meaning,
			    r->run ? "" : "not applicable: ", r->does, r->tests, im_checked_text(r->checked));
	}
}

void im_matrix_json(struct co_json *j)
{
	co_json_object(j, NULL);
	co_json_str(j, "schema", "exhibit.matrix/1");
	co_json_array(j, "rows");
	for (size_t i = 0; i < im_matrix_n; i++) {
		const struct im_row *r = &im_matrix[i];

		co_json_object(j, NULL);
		co_json_str(j, "id", r->id);
		co_json_str(j, "standard", im_standard_short(r->standard));
		co_json_str(j, "meaning", r->meaning);
		co_json_str(j, "does", r->does);
		co_json_str(j, "tests", r->tests);
		co_json_str(j, "checked_against_source", im_checked_text(r->checked));
		co_json_bool(j, "applicable", r->run != NULL);
		co_json_end_object(j);
	}
	co_json_end_array(j);
	co_json_end_object(j);
}
