#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Sources of odd kind: sizes that are no multiple of anything, one sector, 4096-byte sectors, a partition, a disk that is
# read-only, open or held before. The image holds exactly their bytes, and they stay as they were.
. "$(dirname "$0")/lib.sh"
requires jq ewfinfo ewfverify ewfexport python3

# good BAG FILE SECTOR: BAG (its record is ./out) holds FILE, from a source of such sectors, by all accounts.
good()
{
  local bag=$1 file=$2 sector=$3 size padding
  size=$(stat -c %s "$file")
  padding=$(((sector - size % sector) % sector))
  cp "$file" padded
  truncate -s $((size + padding)) padded
  equal "$(json out .status)" complete
  equal "$(json out '.media | [.bytes, .sector_bytes, .padding_bytes] | join(" ")')" "$size $sector $padding" "media of $file"
  equal "$(json out .digests.sha256)" "$(sha256 "$file")" "SHA-256 of $file"
  equal "$(json out .digests.sha1)" "$(sha1sum "$file" | cut -d' ' -f1)" "SHA-1 of $file"
  equal "$(json out .digests.md5)" "$(md5sum "$file" | cut -d' ' -f1)" "MD5 of $file"
  equal "$(json out '.padded_digests.sha256 // .digests.sha256')" "$(sha256 padded)" "SHA-256 of $file in whole sectors"
  equal "$(json out .verification.result)" match
  equal "$(json out '.unreadable | length')" 0
  ewfinfo "$bag/data/image.E01" > info.txt
  grep -qE "Bytes per sector:\s*$sector$" info.txt && grep -qE "Number of sectors:\s*$(((size + padding) / sector))$" info.txt ||
    { cat info.txt; fail "ewfinfo states other sectors than $sector bytes each"; }
  ewfverify -q -d sha256 "$bag/data/image.E01" > verify.txt 2>&1 && grep -q SUCCESS verify.txt || { cat verify.txt; fail "ewfverify of $file"; }
  # what another program reads from it
  rm -f peer.*
  ewfexport -q -u -t peer -f raw "$bag/data/image.E01" > /dev/null 2>&1 || fail "ewfexport of $file"
  cmp padded peer.raw || fail "ewfexport gives other bytes than $file"
  expect 0 "$IMAGER" verify "$bag" --progress none --json
  equal "$(json out '.media | [.bytes, .padding_bytes] | join(" ")')" "$size $padding" "sizes by verify"
  rm -f copy
  expect 0 "$IMAGER" export "$bag" --output copy --progress none
  cmp "$file" copy || fail "export gives other bytes than $file"
}
# image SOURCE: into ./bag, record in ./out
image() { rm -rf bag; expect 0 "$IMAGER" acquire "$1" --output bag --progress none --json; }

head -c 4000000 /dev/urandom > random
for size in 1 511 513 1000003 32767 32769 1048575 1048577 $((3 * 1048576 + 17)); do
  head -c $size random > file.raw
  image file.raw
  good bag file.raw 512
done
# the last block has the size of what is there
tail -n 1 bag/data/image.blocks.sha256 | grep -qE "^$(tail -c 17 file.raw | sha256sum | cut -c1-64) +3145728 17$" ||
  { cat bag/data/image.blocks.sha256; fail "the last block of 17 bytes"; }
# and the map ends with the source
sed -i 's/^#.*//' bag/data/image.map
grep -qiE '^0x0+ +0x0*300011 +\+$' bag/data/image.map || { cat bag/data/image.map; fail "the map of 3145745 bytes"; }
: > empty.raw
expect 1 "$IMAGER" acquire empty.raw --output none --progress none
says_once 'empty.raw'
nothing_final none

[ "$(id -u)" = 0 ] || skip "odd devices need root (odd files passed)"
# device FILE SECTOR [CHECKS OF THE RECORD]: as a disk with such sectors
device()
{
  local sum
  sum=$(sha256 "$1")
  attach "$1" -b "$2"
  image "$loop"
  equal "$(json out .device.logical_sector_bytes)" "$2"
  good bag "$1" "$2"
  grep -qE 'Is physical:\s*yes' info.txt || fail "a disk without the physical flag"
  equal "$(sha256 "$1")" "$sum" "the source"
}
head -c 512 random > one.raw
device one.raw 512
head -c 4096 random > one.raw
device one.raw 4096
# no multiple of a chunk (64 sectors) nor of a block (1 MiB)
head -c $((1048576 * 3 + 4096 * 5)) random > four.raw
device four.raw 4096
head -c $((512 * 4099)) random > odd.raw
device odd.raw 512

# a partition: that range alone; neither it nor its disk can be written to meanwhile
head -c 3000000 random > disk.raw
truncate -s 64M disk.raw
tail -c 1000000 random | dd of=disk.raw bs=1M seek=40 conv=notrunc status=none
dd if=disk.raw of=part.raw bs=512 skip=2049 count=122881 status=none
before=$(sha256 disk.raw)
attach disk.raw
addpart "$loop" 1 2049 122881 || skip "no partitions on loop devices (the rest passed)"
at_exit delpart "$loop" 1
[ -b "${loop}p1" ] || skip "no node for ${loop}p1 (the rest passed)"
image "${loop}p1"
equal "$(json out .device.kind)" partition
equal "$(json out .device.disk)" "${loop##*/}"
equal "$(json out '[.write_block.layers[] | select(.name == "BLKROSET") | .applied] | join(" ")')" true "write block"
for name in "${loop##*/}" "${loop##*/}p1"; do
  jq -e --arg want "$name: was 0, BLKROGET gives 1, sysfs ro gives 1" \
    '.write_block.layers[] | select(.name == "BLKROSET") | .proof | contains($want)' out > /dev/null || { json out .write_block; fail "no proof for $name"; }
done
good bag part.raw 512
grep -qE 'Is physical:\s*no' info.txt || fail "a partition with the physical flag"
equal "$(sha256 disk.raw)" "$before" "the disk of the partition"
equal "$(blockdev --getro "$loop") $(blockdev --getro "${loop}p1")" "0 0" "flags after the acquisition"
delpart "$loop" 1

# read-only before: so it stays
blockdev --setro "$loop"
image "$loop"
good bag disk.raw 512
equal "$(blockdev --getro "$loop")" 1 "a flag that was set before"
rm -rf bag
blockdev --setrw "$loop"
image "$loop"
equal "$(blockdev --getro "$loop")" 0 "a flag that was not set before"
attach disk.raw -r
image "$loop"
equal "$(json out .digests.sha256)" "$before"
equal "$(blockdev --getro "$loop")" 1 "a device attached read-only"

# open by a reader: no hindrance; held by somebody: refused, and left alone
attach disk.raw
exec 5< "$loop"
image "$loop"
equal "$(json out .digests.sha256)" "$before"
exec 5<&-
python3 -c 'import os, sys, time
fd = os.open(sys.argv[1], os.O_RDONLY | os.O_EXCL)
open("held", "w").close()
time.sleep(60)' "$loop" &
holder=$!
at_exit kill "$holder"
for _ in $(seq 100); do [ -e held ] && break; sleep 0.05; done
[ -e held ] || fail "no holder"
expect 1 "$IMAGER" acquire "$loop" --output never --progress none
says_once "$loop is busy"
[ ! -e never ] || fail "a bag was made"
equal "$(blockdev --getro "$loop")" 0 "flag of a device that was refused"
kill "$holder"
wait "$holder" 2> /dev/null || true
image "$loop"
equal "$(sha256 disk.raw)" "$before" "the source"
