#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# An image back to raw: exactly the bytes of the medium, sparse, checked; nothing under its final name that is not proven.
. "$(dirname "$0")/lib.sh"
requires jq

# no_output NAME: neither it nor a part of it
no_output() { [ ! -e "$1" ] && [ ! -e "$1.part" ] || fail "$1 or $1.part is left"; }
allocated() { echo $(($(stat -c '%b * %B' "$1"))); }

# media of many sizes: data, zeros that are no multiple of anything, zeros at the end, the last sector cut
round_trip()
{
  rm -rf bag copy
  expect 0 "$IMAGER" acquire disk.raw --output bag --progress none "$@"
  expect 0 "$IMAGER" export bag --output copy --progress none --json
  same disk.raw copy
  equal "$(json out .schema)" exhibit.export/1
  equal "$(json out .result)" match "result of $(stat -c %s disk.raw) bytes"
  equal "$(json out .read_back)" "done"
  equal "$(json out .bytes)" "$(stat -c %s disk.raw)"
  equal "$(json out .digests.sha256)" "$(sha256 disk.raw)"
  equal "$(json out .output)" copy
  [ ! -e copy.part ] || fail "copy.part is left"
}
for size in 1 512 513 32768 1048576 1048577 5000001; do
  head -c $size /dev/urandom > disk.raw
  round_trip
done
truncate -s 3M disk.raw # behind what is there: zeros
round_trip
: > disk.raw
truncate -s 8M disk.raw
round_trip
[ "$(allocated copy)" -lt 65536 ] || fail "a copy of zeros takes $(allocated copy) bytes"
head -c 3000000 /dev/urandom > disk.raw
truncate -s 20000000 disk.raw
head -c 2000 /dev/urandom >> disk.raw
truncate -s 30000100 disk.raw
round_trip --segment-size 1MiB --threads 1
[ -e bag/data/image.E02 ] || fail "not several segments"
[ "$(allocated copy)" -lt 4000000 ] || fail "the copy is not sparse: $(allocated copy) bytes"
grep -qx 'exhibit-imager: copy: 30000100 bytes written and read back, all digests match' err || { cat err; fail "the summary"; }

# the image alone: whole sectors
cp disk.raw padded.raw
truncate -s 30000128 padded.raw
expect 0 "$IMAGER" export bag/data/image.E01 --output alone --no-verify --progress none --json
same padded.raw alone
equal "$(json out .read_back)" skipped
equal "$(json out .stored_digests.sha256)" "$(sha256 padded.raw)"
rm -rf other && expect 0 "$IMAGER" acquire disk.raw --output other --hash sha256 --progress none
expect 0 "$IMAGER" export other --output more --hash md5 --threads 3 --progress none --json
equal "$(json out .digests.md5)" "$(md5sum disk.raw | cut -d' ' -f1)" "MD5 on demand"
rm more
expect 0 "$IMAGER" export other --output more --progress json --status-file status.json
[ ! -s out ] || fail "standard output without --json"
jq -r 'select(.phase) | .phase' <(grep '^{' err) | grep -qx export || fail "no phase export"
jq -e .schema status.json > /dev/null || fail "status file"
rm more

# other programs: the oracle's bytes, and their images
if command -v ewfexport > /dev/null && command -v ewfacquire > /dev/null; then
  ewfexport -q -u -t oracle -f raw bag/data/image.E01 > /dev/null 2>&1 || fail ewfexport
  same alone oracle.raw
  for chunk in 64 128 512; do
    for file in disk.raw padded.raw; do
      rm -f peer.* copy
      ewfacquire -q -u -t peer -f encase6 -b $chunk -c fast -S 1MiB "$file" > /dev/null 2>&1 || fail ewfacquire
      expect 0 "$IMAGER" export peer.E01 --output copy --progress none --json
      same "$file" copy
      equal "$(json out .result)" match "image by ewfacquire"
    done
  done
else
  echo "not tested: ewfexport and ewfacquire are not installed"
fi

# damage: that chunk is zeros, all else is there
cp -r bag hurt
byte=$(od -An -tu1 -j500000 -N1 hurt/data/image.E02 | tr -d ' ')
printf "\\x$(printf %x $((byte ^ 255)))" | dd of=hurt/data/image.E02 bs=1 seek=500000 conv=notrunc status=none
expect 3 "$IMAGER" export hurt --output salvage --progress none --json
equal "$(json out .result)" damaged
equal "$(json out .damaged_chunks)" 1
equal "$(jq -c '.damaged | length, .[0][1]' out | tr '\n' ' ')" "1 64 " "damaged sectors"
first=$(json out '.damaged[0][0]')
says "image.E02.*sectors $first to $((first + 63))"
[ ! -e salvage.part ] || fail "the salvage has no final name"
cp disk.raw expected.raw
dd if=/dev/zero of=expected.raw bs=512 seek="$first" count=64 conv=notrunc status=none
same expected.raw salvage
if cmp -s disk.raw salvage; then fail "the damaged chunk held nothing"; fi
expect 3 "$IMAGER" export hurt/data/image.E01 --output salvage2 --progress none
truncate -s 30000128 expected.raw
same expected.raw salvage2

# a record that states something else: no final name
sum=$(sha256 disk.raw)
rm -rf hurt && cp -r bag hurt
sed -i "s/$sum/$(echo "$sum" | tr 0-9a-f 1-9a-f0)/" hurt/data/image.manifest.json
expect 4 "$IMAGER" export hurt --output wrong --progress none --json
equal "$(json out .result)" mismatch
equal "$(json out .output)" wrong.part
says 'wrong.part'
[ ! -e wrong ] || fail "a mismatch has the final name"
same disk.raw wrong.part
expect 2 "$IMAGER" export bag --output wrong --progress none
says_once 'wrong.part'
same disk.raw wrong.part
rm wrong.part
for sizes in '512 0' '0 30000128' '30000128 0' '18446744073709551615 30000129' '29000000 1000128'; do
  read -r bytes padding <<< "$sizes"
  jq --argjson b "$bytes" --argjson p "$padding" '.media.bytes = $b | .media.padding_bytes = $p' bag/data/image.manifest.json > hurt/data/image.manifest.json
  got=0; "$IMAGER" export hurt --output wrong --progress none > out 2> err || got=$?
  [ $got = 4 ] || [ $got = 1 ] || fail "a record of '$sizes' bytes gave $got"
  [ ! -e wrong ] || fail "a record of '$sizes' bytes gave a final name"
  rm -f wrong.part
done
cp other/data/image.manifest.json hurt/data/
cp other/data/image.E01 other.E01
expect 4 "$IMAGER" export hurt --output wrong --progress none
says GUID
rm wrong.part

# an image without digests: nothing to compare with
if command -v python3 > /dev/null; then
  python3 - other.E01 << 'PY'
import struct, sys, zlib
b = bytearray(open(sys.argv[1], 'rb').read())
at, next = 0, 13
while next > at: # descriptors: type (16), offset of the next (8), ..., Adler-32 of 72 bytes
    at, next = next, struct.unpack_from('<Q', b, next + 16)[0]
    if b[at:at + 16].rstrip(b'\0') in (b'hash', b'digest', b'xhash', b'xheader'):
        b[at:at + 2] = b'no'
        struct.pack_into('<I', b, at + 72, zlib.adler32(bytes(b[at:at + 72])))
open(sys.argv[1], 'wb').write(b)
PY
  expect 0 "$IMAGER" export other.E01 --output bare --progress none --json
  equal "$(json out .result)" no-digest
  says 'nothing to compare with'
  same padded.raw bare
  rm bare
fi

# usage: nothing may be touched
echo mine > mine
ln -s nowhere dangling
mkdir folder
for output in mine dangling folder /dev/null; do
  expect 2 "$IMAGER" export bag --output "$output" --progress none
  says_once "$output exists"
done
equal "$(cat mine)" mine
[ ! -e nowhere ] && [ -z "$(ls folder)" ] || fail "something was written"
expect 2 "$IMAGER" export bag --progress none; says_once output
expect 2 "$IMAGER" export bag --output - --progress none; says_once output
expect 2 "$IMAGER" export bag --output new --threads 1000; says_once threads
expect 2 "$IMAGER" export bag --output new --hash crc; says_once crc
expect 2 "$IMAGER" export bag --output new --overwrite-device --progress none; says_once 'not a block device'
expect 1 "$IMAGER" export mine --output new --progress none; says_once mine
expect 1 "$IMAGER" export nothing --output new --progress none; says_once nothing
expect 5 "$IMAGER" export bag --output /proc/no/such/file --progress none; says_once '/proc/no'
no_output new

# the output is full
expect 5 bash -c "trap '' XFSZ; ulimit -f 2000; exec \"\$@\"" - "$IMAGER" export bag --output full --progress none
says_once 'full.part: File too large'
no_output full

# in mid-work: stopped at the first byte, so that what is changed then was written before
head -c 150000000 /dev/urandom > large.raw
expect 0 "$IMAGER" acquire large.raw --output large --compression none --no-verify --progress none
# at_first_byte OPTIONS...: starts an export to ./late and halts it; $pid
at_first_byte()
{
  "$IMAGER" export large --output late --progress none "$@" > out 2> err &
  pid=$!
  while [ ! -s late.part ] && [ -d "/proc/$pid" ] && [ ! -e late ]; do :; done
  kill -STOP $pid
  [ -s late.part ] || fail "the export was over before it could be halted"
}
at_first_byte --threads 1
kill -INT $pid
kill -CONT $pid
got=0; wait $pid || got=$?
equal $got 75 "exit code after SIGINT"
no_output late

at_first_byte --json
printf '\xff\xfe\xfd\xfc' | dd of=late.part conv=notrunc status=none
kill -CONT $pid
got=0; wait $pid || got=$?
equal $got 4 "exit code for a copy that was changed behind us"
says 'late.part does not hold what was written'
equal "$(json out .result)" mismatch
[ ! -e late ] || fail "a wrong copy has the final name"
rm late.part

at_first_byte
echo mine > late
kill -CONT $pid
got=0; wait $pid || got=$?
equal $got 5 "exit code when the name was taken meanwhile"
equal "$(cat late)" mine
[ ! -e late.part ] || fail "late.part is left"
rm -rf large large.raw late

# devices
[ "$(id -u)" = 0 ] || skip "devices and a full disk need root (the rest passed)"
mkdir small
mount -t tmpfs -o size=1m tmpfs small
at_exit umount "$scratch/small"
expect 5 "$IMAGER" export bag --output small/copy --progress none
says_once 'small/copy.part: No space left'
no_output small/copy

head -c 32000000 /dev/urandom > before.raw
truncate -s 31457280 before.raw
cp before.raw device.raw
attach device.raw
expect 2 "$IMAGER" export bag --output "$loop" --progress none
says_once '--overwrite-device'
cmp "$loop" before.raw || fail "the device was written to without leave"
expect 0 "$IMAGER" export bag --output "$loop" --overwrite-device --progress none --json
equal "$(json out .kind)" device
equal "$(json out .untouched_bytes)" $((31457280 - 30000100))
says "last $((31457280 - 30000100)) bytes"
sync
cmp -n 30000100 device.raw disk.raw || fail "the device does not hold the medium"
cmp -i 30000100 device.raw before.raw || fail "what lies behind the medium was changed"
ln -s "$loop" link
expect 0 "$IMAGER" export bag/data/image.E01 --output link --overwrite-device --progress none
cmp -n 30000128 device.raw padded.raw || fail "through a link"
[ -L link ] || fail "the link is gone"

# too small, write-protected, mounted, held
truncate -s 29999616 little.raw
attach little.raw
expect 2 "$IMAGER" export bag --output "$loop" --overwrite-device --progress none
says_once 'too small.*29999616.*30000100'
equal "$(allocated little.raw)" 0 "blocks of a device that is too small"
cp before.raw protected.raw
attach protected.raw -r
expect 2 "$IMAGER" export bag --output "$loop" --overwrite-device --progress none
says_once "$loop is write-protected"
same before.raw protected.raw
cp before.raw mounted.raw
mke2fs -q -F -t ext4 mounted.raw
attach mounted.raw
mkdir mnt
mount "$loop" mnt
at_exit umount "$scratch/mnt"
expect 2 "$IMAGER" export bag --output "$loop" --overwrite-device --progress none
says_once "mounted at .*/mnt"
umount mnt
e2fsck -fn "$loop" > /dev/null 2>&1 || fail "the mounted file system was damaged"
