#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Bad input: one clear sentence with the name and the reason, the documented exit code, nothing half-written.
. "$(dirname "$0")/lib.sh"
requires jq
make_disk 16 dos
expect 0 "$IMAGER" acquire disk.raw --output bag --progress none
cp bag/data/image.E01 good.E01
size=$(stat -c %s good.E01)

head -c $((size / 2)) good.E01 > cut.E01
head -c 60 good.E01 > head.E01
: > empty
mkdir folder
head -c 1048576 /dev/urandom > noise.raw
truncate -s 1M zeros.raw
printf 'QFI\373' > disk.qcow2; truncate -s 64K disk.qcow2

for command in "$IMAGER verify" "$ANALYZER info" "$ANALYZER timeline --format body" "$ANALYZER hashes" "$ANALYZER ls"; do
  for input in cut.E01 head.E01 empty folder missing; do
    # what is left of an image does not match: see below
    case $command,$input in *verify,*.E01) continue ;; esac
    # shellcheck disable=SC2086 # command and options
    expect 1 $command $input
    says_once "$input"
    [ ! -s out ] || fail "'$command $input' wrote to standard output"
  done
done
for input in cut.E01 head.E01; do
  expect 4 "$IMAGER" verify $input --progress none
  grep -q "^PROBLEM  $input" out || { cat out; fail "the problem with $input is not told"; }
done
expect 1 "$IMAGER" verify noise.raw; says_once noise.raw
for input in noise.raw zeros.raw; do
  expect 1 "$ANALYZER" timeline --format body $input; says_once $input
  expect 1 "$ANALYZER" run $input --output case --progress none; says $input
  [ ! -e case/case.db ] || fail "case.db of $input"
done
expect 1 "$ANALYZER" info disk.qcow2; says_once 'disk.qcow2.*qcow'
for input in empty folder missing; do
  expect 1 "$IMAGER" acquire $input --output never --progress none; says_once $input
  [ ! -e never ] || fail "a bag was made for '$input'"
done

# one flipped bit in the compressed data: verify names the place, exit 4
cp good.E01 flip.E01
at=$((size / 2))
byte=$(od -An -tu1 -j $at -N1 flip.E01)
# shellcheck disable=SC2059 # the format is the byte
printf "\\x$(printf %02x $((byte ^ 16)))" | dd of=flip.E01 bs=1 seek=$at conv=notrunc status=none
got=0; "$IMAGER" verify flip.E01 --progress none > out 2> err || got=$?
equal $got 4 "verify of a flipped image"
grep -q flip.E01 out err || fail "the damaged file is not named"
got=0; "$ANALYZER" hashes flip.E01 > out 2> err || got=$?
[ $got = 0 ] || [ $got = 1 ] || [ $got = 3 ] || fail "hashes of a flipped image gave $got"

# a disk without a partition table: the file system begins at sector 0
dd if=disk.raw of=plain.raw bs=512 skip=2048 status=none
expect 0 "$ANALYZER" timeline plain.raw --format body
grep -q '|/var/www/html/index.php|' out || fail "no partition table: file not listed"

# a record whose sizes are not those of the image
for sizes in '512 0' '0 16777216' '16777216 512' '16777217 0' '4503599627370496 1'; do
  rm -rf hurt; cp -r bag hurt
  read -r bytes padding <<< "$sizes"
  jq --argjson b "$bytes" --argjson p "$padding" '.media.bytes = $b | .media.padding_bytes = $p' bag/data/image.manifest.json > hurt/data/image.manifest.json
  expect 4 "$IMAGER" verify hurt --progress none
  grep -q "the record states $bytes and a padding of $padding" out err || { cat out err; fail "the sizes of the record are not named"; }
done
