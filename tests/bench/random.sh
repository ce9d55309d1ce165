#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Reading an E01 image as an analyzer does: 20000 reads of 4 KiB at random places, and the whole of it in steps of
# 64 KiB and 1 MiB, by libewf (peer) and by our reader; both must read the same bytes.
#   BENCH_READS   the program (target bench_e01_reads)
. "$(dirname "$0")/lib.sh"
reads=${BENCH_READS:-$top/build/release/bin/bench_e01_reads}
[ -x "$reads" ] || fail "$reads is missing: cmake --build --preset release --target bench_e01_reads"

# compare WHAT AHEAD ARGUMENT...: the program's own time of reading (without opening) counts, so its runs are not timed
# as a whole.
compare()
{
  local what=$1 ahead=$2 bytes
  shift 2
  rm -f "$work"/*.log
  for ((i = 0; i < rounds; i++)); do
    timed "$work/peer.all" "$reads" libewf "$image" "$@"
    cp "$work/out" "$work/peer.out"
    timed "$work/ours.all" "$reads" ours "$image" "$@" "$ahead"
    [ "$(cut -d' ' -f1,2 "$work/peer.out")" = "$(cut -d' ' -f1,2 "$work/out")" ] ||
      fail "libewf and ours do not read the same bytes: $*"
    bytes=$(cut -d' ' -f1 "$work/out")
    paste -d' ' <(cut -d' ' -f3 "$work/peer.out") <(tail -n 1 "$work/peer.all" | cut -d' ' -f2,3) >> "$work/peer.log"
    paste -d' ' <(cut -d' ' -f3 "$work/out") <(tail -n 1 "$work/ours.all" | cut -d' ' -f2,3) >> "$work/ours.log"
  done
  row "$what" "$work/peer.log" "$work/ours.log" "$bytes"
  [ "$1" != random ] || awk -v n="$2" -v p="$(median "$work/peer.log" 1)" -v o="$(median "$work/ours.log" 1)" \
    'BEGIN { printf "  reads/s, peer / ours: %.0f / %.0f\n", n / p, n / o }'
}

header
for kind in realistic zeros random; do
  disk=$work/$kind.raw
  "disk_$kind" "$disk"
  quietly "$imager" acquire "$disk" --output "$work/bag" "${like_peer[@]}"
  rm -f "$disk"
  image=$work/bag/data/image.E01
  compare "$kind, 4 KiB at random places" 0 random 20000
  compare "$kind, 4 KiB at random places, ahead 1" 1 random 20000
  compare "$kind, in steps of 64 KiB" 0 sequential 65536
  compare "$kind, in steps of 64 KiB, ahead 1" 1 sequential 65536
  compare "$kind, in steps of 1 MiB" 0 sequential 1048576
  rm -rf "$work/bag"
done
