/* SPDX-License-Identifier: Apache-2.0 */
#include "image/magic.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/text.h"

struct signature {
	struct an_magic magic;
	uint64_t at; /* byte in the volume */
	const char *bytes;
	size_t len;
};

/* Sources: XFS, btrfs, ext4, squashfs, EROFS, F2FS, md: the kernel's Documentation/filesystems and include/uapi
 * headers; LUKS: LUKS1 and LUKS2 on-disk format specifications, "magic"; LVM2: libvslvm documentation, "physical volume
 * label"; BitLocker: libbde documentation, "volume header"; APFS: Apple File System Reference, nx_magic; swap:
 * mkswap(8). */
static const struct signature volumes[] = {
	{ { "xfs", "XFS", true }, 0, "XFSB", 4 },
	{ { "luks", "a LUKS encrypted volume", true }, 0, "LUKS\xba\xbe", 6 },
	{ { "bitlocker", "a BitLocker encrypted volume", true }, 3, "-FVE-FS-", 8 },
	{ { "refs", "ReFS", true }, 3, "ReFS\0\0\0\0", 8 },
	{ { "squashfs", "SquashFS", true }, 0, "hsqs", 4 },
	{ { "apfs", "APFS", true }, 32, "NXSB", 4 },
	{ { "lvm", "an LVM2 physical volume", true }, 512, "LABELONE", 8 },
	{ { "lvm", "an LVM2 physical volume", true }, 0, "LABELONE", 8 },
	{ { "lvm", "an LVM2 physical volume", true }, 1024, "LABELONE", 8 },
	{ { "lvm", "an LVM2 physical volume", true }, 1536, "LABELONE", 8 },
	{ { "f2fs", "F2FS", true }, 1024, "\x10\x20\xf5\xf2", 4 },
	{ { "erofs", "EROFS", true }, 1024, "\xe2\xe1\xf5\xe0", 4 },
	{ { "swap", "swap space", false }, 4086, "SWAPSPACE2", 10 },
	{ { "swap", "swap space", false }, 4086, "SWAP-SPACE", 10 },
	{ { "swap", "swap space", false }, 65526, "SWAPSPACE2", 10 },
	{ { "md", "a member of a Linux software RAID", true }, 4096, "\xfc\x4e\x2b\xa9\x01\0\0\0", 8 },
	{ { "md", "a member of a Linux software RAID", true }, 0, "\xfc\x4e\x2b\xa9\x01\0\0\0", 8 },
	{ { "jfs", "JFS", true }, 32768, "JFS1", 4 },
	{ { "btrfs", "btrfs", true }, 65600, "_BHRfS_M", 8 },
	{ { "reiserfs", "ReiserFS", true }, 65588, "ReIsEr", 6 },
};

/* Sources: qcow2, VDI: QEMU's docs/interop; VMDK, VHD, VHDX: libvmdk, libvhdi documentation; AFF: AFFLIB; EWF 2: libewf
 * documentation; compressed files: file(1)'s list. */
static const struct {
	const char *name;
	uint64_t at;
	const char *bytes;
	size_t len;
} containers[] = {
	{ "a QEMU (qcow) image", 0, "QFI\xfb", 4 },
	{ "a VMware (VMDK) image", 0, "KDMV", 4 },
	{ "a VMware (VMDK) image", 0, "COWD", 4 },
	{ "a VMware (VMDK) descriptor", 0, "# Disk DescriptorFile", 21 },
	{ "a VHD image", 0, "conectix", 8 },
	{ "a VHDX image", 0, "vhdxfile", 8 },
	{ "a VirtualBox (VDI) image", 64, "\x7f\x10\xda\xbe", 4 },
	{ "an AFF image", 0, "AFF10\r\n", 7 },
	{ "an EnCase 7 (Ex01) image", 0, "EVF2\r\n\x81", 7 },
	{ "an EnCase logical (L01) image", 0, "LVF\x09\r\n\xff", 7 },
	{ "an EnCase 7 logical (Lx01) image", 0, "LEF2\r\n\x81", 7 },
	{ "a gzip compressed file", 0, "\x1f\x8b\x08", 3 },
	{ "a bzip2 compressed file", 0, "BZh", 3 },
	{ "an xz compressed file", 0,
	  "\xfd"
	  "7zXZ",
	  6 },
	{ "a Zstandard compressed file", 0, "\x28\xb5\x2f\xfd", 4 },
	{ "a ZIP or AFF4 file", 0, "PK\x03\x04", 4 },
	{ "a 7-Zip file", 0, "7z\xbc\xaf\x27\x1c", 6 },
};

static bool read_at(const struct co_source *source, uint64_t offset, uint64_t length, uint64_t at, void *buf, size_t n)
{
	return co_in_range(at, n, length) && co_source_read_full(source, buf, n, offset + at, NULL) == 0;
}

static bool has(const struct co_source *source, uint64_t offset, uint64_t length, uint64_t at, const char *bytes,
		size_t n)
{
	char buf[32];
	return n <= sizeof buf && read_at(source, offset, length, at, buf, n) && memcmp(buf, bytes, n) == 0;
}

const struct an_magic *an_magic_find(const struct co_source *source, uint64_t offset, uint64_t length)
{
	for (size_t i = 0; i < sizeof volumes / sizeof *volumes; i++)
		if (has(source, offset, length, volumes[i].at, volumes[i].bytes, volumes[i].len))
			return &volumes[i].magic;
	return NULL;
}

bool an_magic_is_apfs(const struct co_source *source, uint64_t offset, uint64_t length)
{
	const struct an_magic *m = an_magic_find(source, offset, length);
	return m && strcmp(m->name, "apfs") == 0;
}

const char *an_magic_container(const struct co_source *source)
{
	for (size_t i = 0; i < sizeof containers / sizeof *containers; i++)
		if (has(source, 0, source->size, containers[i].at, containers[i].bytes, containers[i].len))
			return containers[i].name;
	if (source->size >= 512 && has(source, 0, source->size, source->size - 512, "conectix", 8))
		return "a VHD image";
	if (source->size >= 512 && has(source, 0, source->size, source->size - 512, "koly", 4))
		return "an Apple (DMG) image";
	return NULL;
}

void an_magic_uuid_text(const uint8_t b[16], char ret[40])
{
	if (co_is_zero(b, 16)) {
		ret[0] = '\0';
		return;
	}
	char hex[33];
	co_hex(b, 16, hex);
	snprintf(ret, 40, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
}

/* Text in a field of fixed width: ended by NUL or padded with spaces. */
static void label_text(const uint8_t *bytes, size_t n, char ret[64])
{
	size_t len = strnlen((const char *)bytes, n < 63 ? n : 63);
	while (len > 0 && bytes[len - 1] == ' ')
		len--;
	memcpy(ret, bytes, len);
	ret[len] = '\0';
}

/* Where label and UUID of a file system lie; 0 bytes of label: none. Sources: as for the signatures; ext: kernel
 * Documentation/filesystems/ext4/super.rst, s_uuid and s_volume_name. */
static const struct {
	const char *fs;
	uint64_t uuid_at, label_at;
	size_t label_len;
} identities[] = {
	{ "ext2", 1024 + 104, 1024 + 120, 16 }, { "ext3", 1024 + 104, 1024 + 120, 16 },
	{ "ext4", 1024 + 104, 1024 + 120, 16 }, { "xfs", 32, 108, 12 },
	{ "swap", 1024 + 12, 1024 + 28, 16 },   { "btrfs", 65536 + 32, 65536 + 299, 63 },
};

/* Serial number as Linux shows it. Source: Microsoft FAT specification, BS_VolID; NTFS: libfsntfs documentation,
 * "volume header". */
static void identify_boot_sector(const uint8_t sector[512], const char *fs, struct an_identity *ret)
{
	if (strcmp(fs, "ntfs") == 0) {
		snprintf(ret->uuid, sizeof ret->uuid, "%016llX", (unsigned long long)co_le64(sector + 72));
		return;
	}
	size_t at = strcmp(fs, "exfat") == 0 ? 100 : strcmp(fs, "fat32") == 0 ? 67 : 39;
	uint32_t serial = co_le32(sector + at);
	snprintf(ret->uuid, sizeof ret->uuid, "%04X-%04X", serial >> 16, serial & 0xffff);
	if (strcmp(fs, "exfat") != 0)
		label_text(sector + at + 4, 11, ret->label);
	if (strcmp(ret->label, "NO NAME") == 0)
		ret->label[0] = '\0';
}

void an_magic_identify(const struct co_source *source, uint64_t offset, uint64_t length, const char *fs,
		       struct an_identity *ret)
{
	uint8_t buf[512];
	*ret = (struct an_identity) { 0 };
	for (size_t i = 0; i < sizeof identities / sizeof *identities; i++) {
		if (strcmp(identities[i].fs, fs) != 0)
			continue;
		if (read_at(source, offset, length, identities[i].uuid_at, buf, 16))
			an_magic_uuid_text(buf, ret->uuid);
		if (read_at(source, offset, length, identities[i].label_at, buf, identities[i].label_len))
			label_text(buf, identities[i].label_len, ret->label);
	}
	if (strcmp(fs, "luks") == 0 && read_at(source, offset, length, 168, buf, 40))
		snprintf(ret->uuid, sizeof ret->uuid, "%.39s", (const char *)buf);
	bool boot_sector = strncmp(fs, "fat", 3) == 0 || strcmp(fs, "exfat") == 0 || strcmp(fs, "ntfs") == 0;
	if (boot_sector && read_at(source, offset, length, 0, buf, 512))
		identify_boot_sector(buf, fs, ret);
	/* s_feature_incompat, INCOMPAT_RECOVER */
	if (strncmp(fs, "ext", 3) == 0 && read_at(source, offset, length, 1024 + 96, buf, 4))
		ret->needs_recovery = (co_le32(buf) & 0x4) != 0;
}
