#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Segment files: sizes, names in any order, a missing or foreign one.
. "$(dirname "$0")/lib.sh"
requires ewfverify jq
head -c 12000000 /dev/urandom > disk.raw
truncate -s 16M disk.raw
expect 0 "$IMAGER" acquire disk.raw --output bag --segment-size 2MiB --progress none --json
[ "$(json out '.segments | length')" -ge 6 ] || fail "too few segments"
for f in bag/data/image.E*; do
  [ "$(stat -c %s "$f")" -le 2097152 ] || fail "$f is larger than asked for"
done
ewfverify -q -d sha256 bag/data/image.E01 > /dev/null || fail ewfverify
json bag/data/image.manifest.json '.segments[] | "\(.sha256)  bag/data/\(.name)"' | sha256sum -c --quiet || fail "digests of the segments"
expect 0 "$IMAGER" verify bag --progress none

# the size that is usual for a small source
expect 0 "$IMAGER" acquire disk.raw --output usual --no-verify --progress none --json
equal "$(json out .image.segment_bytes)" 67108864 "usual size of a segment"
# sizes of chunks and segments for larger ones
plan() { truncate -s "$1" large.raw; expect 0 "$IMAGER" acquire large.raw --output never --dry-run --json; json out '"\(.chunk_bytes) \(.segment_bytes)"'; }
equal "$(plan 32G)" "32768 536870912"
equal "$(plan 256G)" "32768 1572864000"
equal "$(plan 1T)" "131072 1572864000"
equal "$(plan 12T)" "1048576 1610612736"
rm large.raw

# under foreign names, given in any order, and with one name found beside it
mkdir moved
i=0
for f in bag/data/image.E*; do i=$((i + 1)); cp "$f" "moved/$((i * 7919 % 100))-part"; done
expect 0 "$IMAGER" verify "moved/$((7919 % 100))-part" --json --progress none
equal "$(json out .digests.sha256)" "$(sha256 disk.raw)" "digest through renamed segments"

# a missing one
cp -r bag/data short
rm short/image.E03
expect 4 "$IMAGER" verify short/image.E01 --progress none
grep -q '^PROBLEM  .*segment 3.*missing' out || fail "the missing segment is not named"
cp -r bag bag2
rm bag2/data/image.E03
got=0; "$IMAGER" verify bag2 --progress none > out 2> err || got=$?
equal $got 4 "verify of a bag with a missing segment"
grep -q 'image.E03' out err || fail "the missing file is not named"

# one of another set
expect 0 "$IMAGER" acquire disk.raw --output other --segment-size 2MiB --progress none
cp -r bag/data mixed
cp other/data/image.E03 mixed/image.E03
expect 4 "$IMAGER" verify mixed/image.E01 --progress none
grep -q '^PROBLEM  .*E03 belongs to another image' out || fail "the foreign segment is not named"
