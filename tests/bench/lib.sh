# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# For benches: disks made here, the peer and we in turn (A B A B ...), medians and the ratio.
#   BENCH_MIB     size of each disk (2048)     BENCH_ROUNDS  rounds (3)
#   BENCH_DIR     where disks and images lie: a tmpfs (/dev/shm), so that no disk bounds the result
# Measure on an idle machine. Needs the packages ewf-tools and time beside those of scripts/dependencies, and for some
# benches dc3dd, hyperfine, guymager with xvfb and xdotool. Exit 0 measured, 1 failed (nothing that it printed counts), 77 skipped.
set -euo pipefail
export LC_ALL=C TZ=UTC
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
imager=${IMAGER:-$top/build/release/bin/exhibit-imager}
analyzer=${ANALYZER:-$top/build/release/bin/exhibit-analyzer}
mib=${BENCH_MIB:-2048}
rounds=${BENCH_ROUNDS:-3}
work=$(mktemp -d "${BENCH_DIR:-/dev/shm}/exhibit-bench.XXXXXX")
disk=
loop=
started=() # processes that run beside a bench
finish()
{
  [ ${#started[@]} = 0 ] || { kill "${started[@]}"; wait; } 2> /dev/null || true
  [ -z "$loop" ] || losetup -d "$loop" || echo "bench: $loop is still attached" >&2
  # a signal may have left commands that still write there
  pkill -P $$ || true
  rm -rf "$work" 2> /dev/null || { sleep 1; rm -rf "$work"; }
}
trap finish EXIT

fail() { echo "bench: $*" >&2; exit 1; }
skip() { echo "skipped: $*"; exit 77; }
requires() { for tool; do command -v "$tool" > /dev/null || skip "$tool is not installed"; done; }
for program in "$imager" "$analyzer"; do
  [ -x "$program" ] || fail "$program is missing: cmake --workflow --preset release"
done
[ -x /usr/bin/time ] || skip "/usr/bin/time is not installed"

# Options of ours for the work that ewfacquire and dc3dd do: they neither read back nor make digests of blocks.
like_peer=(--no-verify --progress none)
case $("$imager" acquire --help) in
  *--no-block-digests*) like_peer+=(--no-block-digests) ;;
  *) echo "bench: $imager knows no --no-block-digests: ours makes the digests of blocks, too" >&2 ;;
esac

# disk_realistic FILE: an ext4 file system: half of it a real /usr tree, a sixth random bytes (as pictures and archives
# are), the rest free.
disk_realistic()
{
  local tree=$work/tree size=0 limit=$((mib * 1024 / 2)) folder file length
  mkdir -p "$tree/data"
  for folder in /usr/share /usr/lib /usr/bin /usr/include; do
    # whole files in the order of their names until the limit is reached
    while IFS=/ read -r -d '' length file; do
      size=$((size + (length + 1023) / 1024))
      [ $size -lt $limit ] || break 2
      printf '/%s\0' "$file"
    done < <(find $folder -xdev -type f -size -8M -printf '%s%p\0' | sort -z -t / -k 2)
  done | tar -C / -c --null -T - 2> /dev/null | tar -x -C "$tree"
  size=$(du -sk --apparent-size "$tree" | cut -f1)
  [ "$size" -ge $((limit * 9 / 10)) ] || echo "bench: /usr fills only $((size / 1024)) of $((limit / 1024)) MiB" >&2
  head -c "$((mib / 6))M" /dev/urandom > "$tree/data/random"
  truncate -s "${mib}M" "$1"
  mke2fs -q -F -t ext4 -d "$tree" "$1"
  rm -rf "$tree"
}
disk_zeros() { truncate -s "${mib}M" "$1"; dd if=/dev/urandom of="$1" bs=1M count=$((mib / 20)) seek=8 conv=notrunc status=none; }
disk_random() { head -c "${mib}M" /dev/urandom > "$1"; }

# use_disk KIND: makes it; its name, size and SHA-256 are in $disk, $bytes, $digest. The one before is removed.
use_disk()
{
  [ -z "$disk" ] || rm -f "$disk"
  disk=$work/$1.raw
  "disk_$1" "$disk"
  bytes=$(stat -c %s "$disk")
  digest=$(sha256sum < "$disk" | cut -d' ' -f1)
}

# use_loop: $loop is a loop device over the disk (root only). fresh drops the pages that the run before it read.
use_loop()
{
  loop=$(losetup -f --show "$disk") || skip "no loop device"
  fresh
}
fresh() { blockdev --setrw --flushbufs "$loop"; } # read-only outlives the device's last user

# timed FILE COMMAND...: appends "wall cpu rss_kB" of one run. The clock of /usr/bin/time counts hundredths of a second,
# too coarse for short runs: the wall time is the shell's.
timed()
{
  local log=$1 start end
  shift
  start=${EPOCHREALTIME/./}
  /usr/bin/time -f '%U %S %M' -o "$work/time" "$@" > "$work/out" 2> "$work/err" ||
    { tail -n 20 "$work/out" "$work/err" >&2; fail "'$*' failed"; }
  end=${EPOCHREALTIME/./}
  awk -v wall=$((end - start)) '{ printf "%.4f %.2f %d\n", wall / 1e6, $1 + $2, $3 }' "$work/time" >> "$log"
}

# quietly COMMAND...: untimed; what it says is only of interest when it fails.
quietly() { "$@" > "$work/out" 2> "$work/err" || { tail -n 20 "$work/out" "$work/err" >&2; fail "'$*' failed"; }; }

# check_image IMAGE: the peer's own verifier finds nothing wrong in it, and decodes it to the bytes of the disk.
check_image()
{
  ewfverify -q -d sha256 "$1" > "$work/verified" 2> "$work/err" || fail "ewfverify refuses $1: $(tail -n 1 "$work/verified")"
  grep -q "^ewfverify: SUCCESS" "$work/verified" || fail "ewfverify doesn't say SUCCESS of $1"
  grep -q "^SHA256 hash calculated over data:.*$digest" "$work/verified" || fail "$1 doesn't hold the bytes of $disk"
}
# image_size FOLDER: bytes of its segment files
image_size() { du -cb "$1"/*.E[0-9A-Z][0-9A-Z] | tail -n 1 | cut -f1; }

# in_turn WHAT [TARGET]: the functions peer and ours in turn, and the row. Each calls timed with $work/peer.log or
# $work/ours.log, and may write to the folder $work/peer (empty) or to $work/ours (absent), which are removed after each
# run. check_peer and check_ours look once at what they left.
in_turn()
{
  rm -f "$work/peer.log" "$work/ours.log"
  for ((i = 0; i < rounds; i++)); do
    mkdir "$work/peer"
    peer
    [ $i != 0 ] || check_peer
    rm -rf "$work/peer"
    ours
    [ $i != 0 ] || check_ours
    rm -rf "$work/ours"
  done
  row "$1" "$work/peer.log" "$work/ours.log" "$bytes" "${2:-}"
}

# median FILE COLUMN
median() { sort -n -k "$2,$2" "$1" | awk -v c="$2" '{ v[NR] = $c } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }

# row WHAT PEER_LOG OUR_LOG BYTES [TARGET]: one line of the table; TARGET is the ratio to reach.
row()
{
  median "$3" 3 >> "$work/peaks"
  awk -v what="$1" -v pw="$(median "$2" 1)" -v pc="$(median "$2" 2)" -v ow="$(median "$3" 1)" -v oc="$(median "$3" 2)" -v rss="$(median "$3" 3)" -v bytes="$4" -v target="${5:-}" \
    'BEGIN {
      reach = target == "" ? "" : sprintf("%.1f x: %s", target, pw / ow >= target ? "yes" : "no")
      printf "| %-44s | %7.0f | %7.0f | %5.2f x | %6.2f | %6.2f | %5.0f | %-10s |\n", what, bytes / pw / 1e6, bytes / ow / 1e6, pw / ow, pc, oc, rss / 1024, reach
    }'
}
# header [PEER OURS]: what the columns are called
header()
{
  local peer=${1:-peer} ours=${2:-our}
  printf '| %-44s | %s MB/s | %s MB/s | ratio | %s CPU s | %s CPU s | %s MB peak | reach |\n' work "$peer" "$ours" "$peer" "$ours" "$ours"
  printf '|---|---|---|---|---|---|---|---|\n'
}
# peak: the sentence on the most memory that a row above showed
peak() { sort -n "$work/peaks" | tail -n 1 | awk '{ printf "Peak memory of ours: %.0f MB (at most 100: %s)\n", $1 / 1024, $1 / 1024 <= 100 ? "yes" : "no" }'; }

# The same acquisition by both: ewf_acquire SOURCE COMPRESSION into $work/peer/image.E01 (MD5 is always among its digests),
# our_acquire SOURCE COMPRESSION DIGESTS into the bag $work/ours.
ewf_options=(-u -q -f encase6 -S 1.9GiB -d sha256 -C c -D d -e e -E 1 -N n -m fixed -M physical)
ewf_acquire() { timed "$work/peer.log" ewfacquire "${ewf_options[@]}" -c "$2" -t "$work/peer/image" "$1"; }
our_acquire() { timed "$work/ours.log" "$imager" acquire "$1" --output "$work/ours" --compression "$2" --hash "$3" "${like_peer[@]}"; }

# one_core: the number of the first processor that this process may use
one_core() { taskset -cp $$ | sed 's/.*: *//; s/[-,].*//'; }
# lane DIGEST: MB/s of one core that does nothing else
lane() { taskset -c "$(one_core)" openssl speed -mr -seconds 2 -bytes 1048576 -evp "$1" 2> /dev/null | awk -F: '/^\+F/ { printf "%.0f\n", $NF / 1e6 }'; }
