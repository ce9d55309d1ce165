# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# For benches: disks made here, the peer and we in turn (A B A B ...), medians and the ratio.
#   BENCH_MIB     size of each disk (2048)     BENCH_ROUNDS  rounds (3)
#   BENCH_DIR     where disks and images lie: a tmpfs (/dev/shm), so that no disk bounds the result
# Measure on an idle machine. Needs the packages ewf-tools and time beside those of scripts/dependencies.
set -euo pipefail
export LC_ALL=C TZ=UTC
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
imager=${IMAGER:-$top/build/release/bin/exhibit-imager}
analyzer=${ANALYZER:-$top/build/release/bin/exhibit-analyzer}
mib=${BENCH_MIB:-2048}
rounds=${BENCH_ROUNDS:-3}
work=$(mktemp -d "${BENCH_DIR:-/dev/shm}/exhibit-bench.XXXXXX")
trap 'rm -rf "$work"' EXIT
for program in "$imager" "$analyzer"; do
  [ -x "$program" ] || { echo "bench: $program is missing: cmake --workflow --preset release" >&2; exit 1; }
done

# disk_realistic FILE: an ext4 file system: half of it a real /usr tree, a sixth random bytes (as pictures and archives
# are), the rest free.
disk_realistic()
{
  local tree=$work/tree size=0 limit=$((mib * 1024 / 2)) folder
  mkdir -p "$tree/data"
  for folder in /usr/share /usr/lib /usr/bin /usr/include; do
    # whole files in the order of their names until the limit is reached
    while IFS= read -r -d '' file; do
      size=$((size + ($(stat -c %s "$file") + 1023) / 1024))
      [ $size -lt $limit ] || break 2
      printf '%s\0' "$file"
    done < <(find $folder -xdev -type f -size -8M -print0 | sort -z)
  done | tar -C / -c --null -T - 2> /dev/null | tar -x -C "$tree"
  head -c "$((mib / 6))M" /dev/urandom > "$tree/data/random"
  truncate -s "${mib}M" "$1"
  mke2fs -q -F -t ext4 -d "$tree" "$1"
  rm -rf "$tree"
}
disk_zeros() { truncate -s "${mib}M" "$1"; dd if=/dev/urandom of="$1" bs=1M count=$((mib / 20)) seek=8 conv=notrunc status=none; }
disk_random() { head -c "${mib}M" /dev/urandom > "$1"; }

# timed FILE COMMAND...: appends "wall cpu rss_kB" of one run.
timed()
{
  local log=$1
  shift
  /usr/bin/time -f '%e %U %S %M' -o "$work/time" "$@" > "$work/out" 2> "$work/err" || { cat "$work/err" >&2; echo "bench: '$*' failed" >&2; return 1; }
  awk '{ printf "%.3f %.3f %d\n", $1, $2 + $3, $4 }' "$work/time" >> "$log"
}

# median FILE COLUMN
median() { sort -n -k "$2,$2" "$1" | awk -v c="$2" '{ v[NR] = $c } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }

# row WHAT PEER_LOG OUR_LOG BYTES: one line of the table.
row()
{
  awk -v what="$1" -v pw="$(median "$2" 1)" -v pc="$(median "$2" 2)" -v ow="$(median "$3" 1)" -v oc="$(median "$3" 2)" -v rss="$(median "$3" 3)" -v bytes="$4" \
    'BEGIN { printf "| %-44s | %7.0f | %7.0f | %5.2f x | %6.2f | %6.2f | %5.0f |\n", what, bytes / pw / 1e6, bytes / ow / 1e6, pw / ow, pc, oc, rss / 1024 }'
}
header() { printf '| %-44s | peer MB/s | our MB/s | ratio | peer CPU s | our CPU s | our MB peak |\n|---|---|---|---|---|---|---|\n' work; }
