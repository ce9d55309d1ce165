#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Root and /var on partitions of their own, joined through the root's fstab; a third one that fstab does not name.
. "$(dirname "$0")/../lib.sh"
base_system
put /etc/fstab 'UUID=3e2b5b1c-0a63-4f1e-8a5b-0000000000aa / ext4 defaults 0 1
LABEL=vardata /var ext4 defaults 0 2'
finish_tree
mkdir -p "$work/var/log" "$work/third"
echo line > "$work/var/log/syslog"
echo third > "$work/third/file"
find "$work/var" "$work/third" -exec touch -d "@$packaged" {} +
rm -f "$disk"
truncate -s 48M "$disk"
printf 'label: gpt\nlabel-id: 7E1B0C5A-6D0F-4B1E-9C3D-00000000000A\n%s\n%s\n%s\n' \
  'start=2048, size=32768, type=linux, uuid=7E1B0C5A-6D0F-4B1E-9C3D-000000000001' \
  'start=34816, size=32768, type=linux, uuid=7E1B0C5A-6D0F-4B1E-9C3D-000000000002' \
  'start=67584, size=28672, type=linux, uuid=7E1B0C5A-6D0F-4B1E-9C3D-000000000003' | sfdisk -q --no-reread --no-tell-kernel "$disk"
disk_ext4 "$disk" 2048 32768 "$work/var" $installed -L vardata
disk_ext4 "$disk" 34816 32768 "$tree" $installed -U 3e2b5b1c-0a63-4f1e-8a5b-0000000000aa
disk_ext4 "$disk" 67584 28672 "$work/third" $installed -U 3e2b5b1c-0a63-4f1e-8a5b-0000000000cc
