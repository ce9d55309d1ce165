#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A block device: write block set and proved, mounted sources refused, nothing written.
. "$(dirname "$0")/lib.sh"
requires_root
requires jq ewfverify mount
make_disk
before=$(sha256 disk.raw)
attach disk.raw
sleep 0.1

expect 0 "$IMAGER" acquire "$loop" --output bag --progress none --json
cp out manifest.json
equal "$(json manifest.json .status)" complete
equal "$(json manifest.json .digests.sha256)" "$before"
equal "$(json manifest.json .write_block.writes_seen)" 0
equal "$(jq -r '[.write_block.layers[] | select(.applied) | .name] | sort | join(" ")' manifest.json)" "BLKROSET Landlock O_EXCL O_RDONLY capabilities processes seccomp unused" layers
json manifest.json '.write_block.layers[] | select(.name == "BLKROSET") | .proof' | grep -q 'BLKROGET gives 1' || fail "BLKROSET was not read back"
equal "$(blockdev --getro "$loop")" 0 "read-only flag after the acquisition"
equal "$(sha256 disk.raw)" "$before" "the source"
# while it runs, the kernel refuses writes to the disk
head -c 300000000 /dev/zero > slow.raw
attach slow.raw
"$IMAGER" acquire "$loop" --output slow --compression best --progress none 2> /dev/null &
pid=$!
for _ in $(seq 100); do [ "$(blockdev --getro "$loop")" = 1 ] && break; sleep 0.02; done
equal "$(blockdev --getro "$loop")" 1 "read-only flag during the acquisition"
if dd if=/dev/urandom of="$loop" bs=512 count=1 2> /dev/null; then fail "a write to the disk went through"; fi
got=0; wait $pid || got=$?
equal $got 0 "acquisition with an attempted write"
equal "$(json slow/data/image.manifest.json .write_block.writes_seen)" 0
ewfverify -q -d sha256 bag/data/image.E01 > /dev/null || fail ewfverify
equal "$(json manifest.json .media.sector_bytes)" 512

# held by somebody else: a mount of the disk or of a partition
mkdir mnt
attach disk.raw -o 1048576
mount -o ro,noload "$loop" mnt
at_exit umount "$scratch/mnt"
expect 1 "$IMAGER" acquire "$loop" --output bag2 --progress none
says "mounted at .*/mnt"
[ ! -e bag2 ] || fail "bag2 was made"
umount mnt

# 4096-byte sectors
truncate -s 8M four.raw
printf 'mark' | dd of=four.raw bs=1 seek=8388604 conv=notrunc status=none
attach four.raw -b 4096
expect 0 "$IMAGER" acquire "$loop" --output bag4 --progress none --json
equal "$(json out .media.sector_bytes)" 4096
equal "$(json out .digests.sha256)" "$(sha256 four.raw)"
ewfverify -q bag4/data/image.E01 > /dev/null || fail "ewfverify of 4096-byte sectors"

expect 0 "$IMAGER" devices --json
equal "$(json out .schema)" exhibit.devices/1
json out '.devices[].path' | grep -qx "$loop" || fail "devices does not list $loop"
expect 0 "$IMAGER" devices
grep -q "$loop" out || fail "devices (table) does not list $loop"

expect 0 "$IMAGER" acquire "$loop" --output never --dry-run --progress none
[ ! -e never ] || fail "--dry-run made the bag"

# each layer of the write block, or nothing: without the right to set the flag one is missing
attach disk.raw
expect 0 "$IMAGER" acquire "$loop" --output strict --require-write-block --progress none --json
equal "$(jq -r '[.write_block.layers[] | select(.applied | not)] | length' out)" 0 "layers that are missing"
for process in readers writer guardian; do
  json out '.write_block.layers[] | select(.name == "seccomp") | .proof' > proof
  grep -q "$process: mode 2" proof || fail "the $process is not confined by seccomp"
done
if setpriv --bounding-set -sys_admin --inh-caps -sys_admin true 2> /dev/null; then
  expect 1 setpriv --bounding-set -sys_admin --inh-caps -sys_admin "$IMAGER" acquire "$loop" --output never --require-write-block --progress none
  says 'the write block has no BLKROSET'
  [ ! -e never ] || fail "a bag was made without a write block"
  expect 0 setpriv --bounding-set -sys_admin --inh-caps -sys_admin "$IMAGER" acquire "$loop" --output weak --progress none --json
  says 'the write block has no BLKROSET'
  equal "$(json out '.write_block.layers[] | select(.name == "BLKROSET") | .applied')" false
fi

# counters that the kernel does not keep prove nothing, and the record says so
statistics=/sys/block/${loop#/dev/}/queue/iostats
if echo 0 2> /dev/null > "$statistics"; then
  at_exit sh -c "echo 1 > $statistics"
  got=0; "$IMAGER" acquire "$loop" --output uncounted --progress none --json > uncounted.json 2> err || got=$?
  echo 1 > "$statistics"
  equal $got 0 "acquisition without counters"
  equal "$(jq -c '.write_block | [.writes_seen, .counters_before]' uncounted.json)" '[null,null]'
  json uncounted.json .write_block.why_not_counted | grep -q iostats || fail "the record does not say why nothing was counted"
fi
