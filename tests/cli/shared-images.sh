#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Real images with values that others published or that independent tools computed.
. "$(dirname "$0")/lib.sh"
requires jq unzip ewfexport
requires_shared e01/dfvfs-ext2.E01
data=$shared/testdata

md5_of() { "$IMAGER" verify "$1" --json --progress none 2> err | jq -r .digests.md5; }
equal "$(md5_of "$data/e01/dfvfs-ext2.E01")" 196066add11fb71c4c49cf1bb50d6d24
equal "$(md5_of "$data/e01/dfvfs-ext2-split.E01")" 196066add11fb71c4c49cf1bb50d6d24
equal "$(md5_of "$data/e01/tsk-imageformat_mmls_1.E01")" 8ec671e301095c258224aad701740503
equal "$(md5_of "$data/e01/dissect-4097bytes.E01")" 4a225557e15472d956eb5fe34eed3b9d
for image in dfvfs-ext2 dfvfs-ext2-split tsk-imageformat_mmls_1 dissect-4097bytes plaso-image plaso-image-split tsk-image; do
  expect 0 "$IMAGER" verify "$data/e01/$image.E01" --progress none
done

# the same media raw: acquired again, and split raw, gives the same files
ewfexport -q -u -t raw -f raw "$data/e01/dfvfs-ext2.E01" > /dev/null 2>&1
mv raw.raw ext2.raw
equal "$(md5sum < ext2.raw | cut -d' ' -f1)" 196066add11fb71c4c49cf1bb50d6d24
split -b 1500000 -d -a 3 --numeric-suffixes=1 ext2.raw ext2.
expect 0 "$ANALYZER" timeline ext2.001 --format body; cp out split.body
expect 0 "$ANALYZER" timeline ext2.raw --format body; cp out raw.body
expect 0 "$ANALYZER" timeline "$data/e01/dfvfs-ext2.E01" --format body; cp out e01.body
same raw.body split.body
same raw.body e01.body
expect 0 "$ANALYZER" cat ext2.raw --inode 15
equal "$(wc -c < out)" 22 "bytes of inode 15 (another_file)"
dd if=ext2.raw bs=1 skip=527360 count=22 status=none | cmp -s - out || fail "content of inode 15"

# six FAT16 partitions
unzip -q "$data/vol/1-extend-part.zip" -d extend
expect 0 "$ANALYZER" info "$(find extend -name '*.dd')" --json
equal "$(jq '[.volumes[] | select(.file_system == "fat16")] | length' out)" 6
equal "$(jq -c '[.volumes[] | select(.file_system == "fat16") | .offset / 512]' out)" "[63,52416,104832,157311,209727,262143]"

# nine deleted NTFS files by MD5, as the image's own page lists them
unzip -q "$data/fs/7-undel-ntfs.zip" -d ntfs
image=$(find ntfs -name '*.dd')
page=$(find ntfs -name index.html)
expect 0 "$ANALYZER" timeline "$image" --format body
found=0
grep -oiE '[0-9a-f]{32}' "$page" | tr A-F a-f | sort -u > listed
while IFS='|' read -r _ name inode _; do
  case $name in *\(deleted*) ;; *) continue ;; esac
  case $name in *FILE_NAME*) continue ;; esac
  "$ANALYZER" cat "$image" --inode "$inode" > content 2> /dev/null || continue
  if grep -qx "$(md5sum < content | cut -d' ' -f1)" listed; then found=$((found + 1)); fi
done < out
equal $found 9 "deleted NTFS files recovered by MD5"

# words in a deleted file and in slack: read where the page of the image says
unzip -q "$data/fs/4-kwsrch-ext3.zip" -d ext3
equal "$(md5sum < "$(find ext3 -name '*.dd')" | cut -d' ' -f1)" 30e7f792cc853e34e17335b243605d3a
