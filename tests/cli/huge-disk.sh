#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A disk of 4 TiB: sectors and bytes past 32 bits. Its last 64 MiB, as a partition, with a mark in the last sector and two
# bad sectors; the whole of it is begun.
. "$(dirname "$0")/lib.sh"
requires_root
requires jq addpart ewfverify
bytes=$((4 << 40)) part=$((64 << 20))
truncate -s $bytes disk.raw || skip "no file system for a file of 4 TiB"
head -c 100000 /dev/urandom | dd of=disk.raw bs=1M seek=$(((bytes - part) >> 20)) conv=notrunc status=none
printf 'mark' | dd of=disk.raw bs=1 seek=$((bytes - 4)) conv=notrunc status=none
first=$(((bytes - part) / 512))
bad_map $bytes 0 1 $((first + 7)) 1 $((first + 100000)) 2 > bad.map
serve disk disk.raw bad=bad.map
attach_served -r
addpart "$loop" 1 $first $((part / 512)) || skip "no partitions on loop devices"
at_exit delpart "$loop" 1
[ -b "${loop}p1" ] || skip "no node for ${loop}p1"

tail -c $part disk.raw > part.raw
equal "$(tail -c 4 part.raw)" mark
zero_sectors part.raw 7 1 100000 2
expect 3 "$IMAGER" acquire "${loop}p1" --output bag --progress none --json
equal "$(json out .media.bytes)" $part
equal "$(jq -c .unreadable out)" '[[7,1],[100000,2]]'
equal "$(json out .digests.sha256)" "$(sha256 part.raw)" "the end of the disk"
equal "$(json out .verification.result)" match
ewfverify -q -d sha256 bag/data/image.E01 > /dev/null || fail ewfverify
expect 0 "$IMAGER" export bag --output copy --progress none
cmp copy part.raw || fail "export gives other bytes"
delpart "$loop" 1

# all of it: known by its size
expect 0 "$IMAGER" devices --json
equal "$(jq -r --arg disk "$loop" '.devices[] | select(.path == $disk) | .bytes' out)" $bytes "size by devices"
attach disk.raw -r
"$IMAGER" acquire "$loop" --output begun --progress none --json > begun.json 2> begun.err &
pid=$!
at_exit kill -KILL "$pid"
for _ in $(seq 200); do [ -z "$(find begun -name 'image*.E0?*' -size +0 2> /dev/null)" ] || break; sleep 0.05; done
kill -INT "$pid"
got=0; wait "$pid" || got=$?
equal $got 75 "exit code after SIGINT"
equal "$(json begun.json .media.bytes)" $bytes
read -r _ done_bytes _ < <(grep -v '^#' begun/data/image.map | sed -n 2p)
[ "$((done_bytes))" -gt 0 ] || { cat begun/data/image.map; fail "the map has no beginning"; }
# the rest, to the last byte, is not tried
tail -n 1 begun/data/image.map > last
read -r at size state < last
equal "$((at + size)) $state" "$bytes ?" "the map's end"
nothing_final begun
