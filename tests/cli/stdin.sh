#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A stream of unknown size: the same image as of a file with the same bytes, and the same care with its end.
. "$(dirname "$0")/lib.sh"
requires jq ewfverify cmp
head -c 9000000 /dev/urandom > disk.raw
truncate -s 12M disk.raw
same=(--guid 000102030405060708090a0b0c0d0e0f --date 2026-01-02T03:04:05Z --segment-size 1MiB --progress none --json)

for size in 1 511 512 32769 1048576 3145745 12582912; do
  head -c "$size" disk.raw > piece.raw
  rm -rf bag file
  expect 0 sh -c "cat piece.raw | '$IMAGER' acquire - --output bag ${same[*]}"
  cp out stdin.json
  equal "$(json stdin.json .digests.sha256)" "$(sha256 piece.raw)" "$size bytes"
  equal "$(json stdin.json .media.bytes)" "$size"
  equal "$(json stdin.json .device.kind)" stream
  equal "$(json stdin.json .verification.result)" match
  ewfverify -q bag/data/image.E01 > /dev/null || fail "ewfverify of $size bytes"
  expect 0 "$IMAGER" verify bag --progress none
  expect 0 "$IMAGER" export bag --output copy.raw --progress none
  cmp piece.raw copy.raw || fail "export of $size bytes"
  rm copy.raw
  expect 0 "$IMAGER" acquire piece.raw --output file "${same[@]}"
  cmp bag/data/image.blocks.sha256 file/data/image.blocks.sha256 || fail "block digests of $size bytes"
  for f in bag/data/image.E??; do cmp "$f" "file/data/${f##*/}" || fail "$size bytes: ${f##*/} is not the one of a file"; done
  equal "$(find bag/data -name 'image.E??' | wc -l)" "$(find file/data -name 'image.E??' | wc -l)" "segments"
done

# in a pipe that gives little at a time, and one that stops in the middle
expect 0 sh -c "(head -c 700000 disk.raw; sleep 0.3; tail -c +700001 disk.raw) | '$IMAGER' acquire - --output slow --progress none --json"
equal "$(json out .digests.sha256)" "$(sha256 disk.raw)"
mkfifo pipe
sleep 60 > pipe & holder=$!
at_exit kill $holder
"$IMAGER" acquire - --output stopped --progress none --json < pipe > stopped.json 2> /dev/null & pid=$!
for _ in $(seq 400); do [ -e stopped/data/image.manifest.json ] && break; sleep 0.05; done
kill -INT $pid
got=0; wait $pid || got=$?
equal $got 75 "SIGINT while nothing comes"
nothing_final stopped

expect 1 sh -c "'$IMAGER' acquire - --output empty --progress none < /dev/null"
says 'standard input is empty'
nothing_final empty
expect 2 "$IMAGER" acquire - --output bag --resume --progress none
says "can't be read twice"
