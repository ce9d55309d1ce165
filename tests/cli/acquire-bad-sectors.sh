#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A disk with ten bad sectors loses exactly these ten; a disk that vanishes is never a success.
. "$(dirname "$0")/lib.sh"
requires_root
requires jq ewfverify
head -c 8388608 /dev/urandom > disk.raw
bad=(2048 1 4100 8 16383 1)
bad_map 8388608 "${bad[@]}" > bad.map
serve worn disk.raw bad=bad.map delay=2ms
equal "$(stat -c %s "$served")" 8388608 "size of the disk"
attach_served -r

expect 3 "$IMAGER" acquire "$loop" --output bag --progress none --json
equal "$(json out -c .status 2> /dev/null || json out .status)" complete-with-errors
equal "$(jq -c .unreadable out)" '[[2048,1],[4100,8],[16383,1]]' "list of bad sectors"
# everything else is as on the disk, the bad ones are zero
cp disk.raw expected.raw
zero_sectors expected.raw "${bad[@]}"
equal "$(json out .digests.sha256)" "$(sha256 expected.raw)" "content"
equal "$(json out .verification.result)" match
ewfverify -q -d sha256 bag/data/image.E01 > /dev/null || fail ewfverify
ewfinfo -e bag/data/image.E01 > info.txt 2>&1 || ewfinfo bag/data/image.E01 > info.txt
grep -qE '16383' info.txt || { cat info.txt; fail "ewfinfo does not show the errors"; }
grep -qE '0x0*100000 +0x0*200 +-' bag/data/image.map || { cat bag/data/image.map; fail "ddrescue map"; }

# the disk vanishes in mid-read
"$IMAGER" acquire "$loop" --output gone --progress none --json > lost.json 2> lost.err &
pid=$!
sleep 0.4
vanish worn
got=0; wait $pid || got=$?
equal $got 6 "exit code when the disk vanished"
equal "$(json lost.json .status)" source-lost
nothing_final gone
