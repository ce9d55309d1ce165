#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A sparse disk as a whole, with marks on both sides of the limits that lie in it and in its last sector. HUGE_GIB: its
# size (512; 4096 is the whole way past 32-bit sector numbers, and takes eight times as long).
. "$(dirname "$0")/lib.sh"
requires_root
requires jq ewfinfo
bytes=$((${HUGE_GIB:-512} << 30))
truncate -s $bytes disk.raw || skip "no file system for a file of $bytes bytes"
marks=(512)
for bits in 31 32 40 41; do [ $((1 << bits)) -ge $bytes ] || marks+=($(((1 << bits) - 512)) $((1 << bits))); done
marks+=($((bytes - 512)))
for at in "${marks[@]}"; do printf 'mark %032d' "$at" | dd of=disk.raw bs=512 seek=$((at / 512)) conv=notrunc status=none; done
attach disk.raw
expect 0 "$IMAGER" acquire "$loop" --output bag --hash sha256 --no-verify --progress none --json
equal "$(json out '[.media.bytes, .media.read_bytes] | join(" ")')" "$bytes $bytes"
equal "$(json out '.unreadable | length')" 0
ewfinfo bag/data/image.E01 > info.txt
grep -qE "Number of sectors:\s*$((bytes / 512))$" info.txt || { cat info.txt; fail "number of sectors"; }
# what other code finds there: the marks, each in its place
command -v img_cat > /dev/null || skip "sleuthkit is not installed (the rest passed)"
for at in "${marks[@]}"; do
  img_cat -s $((at / 512)) -e $((at / 512)) bag/data/image.E01 > sector 2> err || { cat err; fail "img_cat at $at"; }
  equal "$(head -c 37 sector)" "$(printf 'mark %032d' "$at")" "the mark at $at"
done
