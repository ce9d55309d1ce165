#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A disk with ten bad sectors loses exactly these ten; a disk that vanishes is never a success.
. "$(dirname "$0")/lib.sh"
requires_root
requires jq nbdkit nbdfuse ewfverify
[ -e /dev/fuse ] || skip "no /dev/fuse"
head -c 8388608 /dev/urandom > disk.raw
cat > bad.map <<'MAP'
0x00000000     +
0x00000000  0x00100000  +
0x00100000  0x00000200  -
0x00100200  0x00100600  +
0x00200800  0x00001000  -
0x00201800  0x005FE600  +
0x007FFE00  0x00000200  -
MAP
touch served
nbdkit -U "$scratch/s.sock" -P nbdkit.pid --filter=ddrescue --filter=noextents --filter=delay file disk.raw ddrescue-mapfile=bad.map rdelay=2ms 2> /dev/null || skip "nbdkit does not start"
at_exit sh -c "kill -9 \$(cat $scratch/nbdkit.pid)"
nbdfuse -r -P nbdfuse.pid "$scratch/served" "nbd+unix:///?socket=$scratch/s.sock" > /dev/null 2>&1 &
at_exit fusermount3 -u "$scratch/served"
for _ in $(seq 50); do [ "$(stat -c %s served)" = 8388608 ] && break; sleep 0.1; done
[ "$(stat -c %s served)" = 8388608 ] || skip "nbdfuse does not start"
attach served -r --direct-io=on

expect 3 "$IMAGER" acquire "$loop" --output bag --progress none --json
equal "$(json out -c .status 2> /dev/null || json out .status)" complete-with-errors
equal "$(jq -c .unreadable out)" '[[2048,1],[4100,8],[16383,1]]' "list of bad sectors"
# everything else is as on the disk, the bad ones are zero
cp disk.raw expected.raw
for range in "2048 1" "4100 8" "16383 1"; do
  # shellcheck disable=SC2086 # two words
  set -- $range
  dd if=/dev/zero of=expected.raw bs=512 seek="$1" count="$2" conv=notrunc status=none
done
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
kill -9 "$(cat nbdkit.pid)"
got=0; wait $pid || got=$?
equal $got 6 "exit code when the disk vanished"
equal "$(json lost.json .status)" source-lost
nothing_final gone
