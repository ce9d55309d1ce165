# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# For command line tests: each runs in its own scratch folder, which is removed at the end.
# Given by ctest: IMAGER, ANALYZER (programs), TOP (source folder), EXHIBIT_SHARED (folder with real test data, may be
# absent). Exit 0 passed, 1 failed, 77 skipped (always saying why).
set -euo pipefail
export LC_ALL=C TZ=UTC

: "${IMAGER:?}" "${ANALYZER:?}" "${TOP:?}"
shared=${EXHIBIT_SHARED:-$TOP/../shared}
scratch=$(mktemp -d "${TMPDIR:-/tmp}/exhibit-test.XXXXXX")
cd "$scratch"
# shellcheck source=scripts/disk.sh
. "$TOP/scripts/disk.sh"

cleanups=()
servers=()
# at_exit COMMAND...: runs it at the end, last one first.
at_exit() { cleanups+=("$(printf '%q ' "$@")"); }
finish()
{
  status=$?
  trap - EXIT
  set +e
  # Whoever waits for a halted disk can't be killed before it goes on.
  for name in "${servers[@]}"; do go_on "$name"; done
  for ((i = ${#cleanups[@]} - 1; i >= 0; i--)); do eval "${cleanups[i]}" > /dev/null 2>&1; done
  cd /
  rm -rf "$scratch"
  exit "$status"
}
trap finish EXIT

fail() { echo "FAILED: $*" >&2; exit 1; }
skip() { echo "skipped: $*"; exit 77; }
requires() { for tool; do command -v "$tool" > /dev/null || skip "$tool is not installed"; done; }
requires_root() { [ "$(id -u)" = 0 ] || skip "needs root"; }
requires_shared() { [ -e "$shared/testdata/$1" ] || skip "no shared test data ($1)"; }

# expect CODE COMMAND...: the command must end with this exit code. Its output is in ./out and ./err.
expect()
{
  local want=$1 got=0
  shift
  "$@" > out 2> err || got=$?
  if [ "$got" != "$want" ]; then
    echo "--- standard output"; head -c 2000 out; echo "--- standard error"; head -c 2000 err
    fail "'$*' ended with $got, not $want"
  fi
}
# says PATTERN: standard error of the last expect is one line that matches (extended regular expression).
says()
{
  grep -qE -- "$1" err || { cat err >&2; fail "standard error does not say '$1'"; }
}
says_once()
{
  says "$1"
  [ "$(wc -l < err)" = 1 ] || { cat err >&2; fail "more than one line on standard error"; }
}
equal() { [ "$1" = "$2" ] || fail "${3:-values}: '$1' is not '$2'"; }
same() { cmp -s "$1" "$2" || { diff "$1" "$2" | head -n 20 >&2; fail "$1 and $2 differ"; }; }
sha256() { sha256sum "$1" | cut -d' ' -f1; }
# json FILE FILTER: one value.
json() { jq -r "$2" "$1"; }
# Nothing that looks finished may be below FOLDER: no .E01 but .part ones, no bag manifest.
nothing_final()
{
  [ ! -e "$1" ] && return
  local left
  left=$(find "$1" \( -name '*.E[0-9][0-9]' ! -name '*.writing.*' \) -o -name 'manifest-sha256.txt' -o -name 'tagmanifest-sha256.txt')
  [ -z "$left" ] || fail "left under a final name: $left"
}

# A small tree with all kinds of names, and the disk made of it: DISK.
make_tree()
{
  mkdir -p tree/etc tree/var/www/html/uploads "tree/deep/$(printf 'd%.0s/' {1..40})"
  echo 'PRETTY_NAME="Test System 1"' > tree/etc/os-release
  echo test > tree/etc/hostname
  seq 1 20000 > tree/var/www/html/numbers.txt
  echo '<?php echo 1;' > tree/var/www/html/index.php
  ln -s ../etc/hostname tree/var/link
  ln tree/var/www/html/index.php tree/var/www/html/hard.php
  printf 'a' > "tree/with space"
  printf 'b' > "tree/pipe|name"
  printf 'c' > "$(printf 'tree/bad\377byte')"
  head -c 3000000 /dev/zero > tree/zeros
  find tree -exec touch -h -d @1600000000 {} +
}
make_disk()
{
  make_tree
  disk_new disk.raw "${1:-32}" "${2:-gpt}"
  disk_ext4 disk.raw 2048 "$(disk_sectors disk.raw)" tree 1700000000 || fail "disk_ext4"
}

# attach FILE [losetup options]: a loop device in $loop, writable, detached at the end.
attach()
{
  local file=$1
  shift
  loop=$(losetup -f --show "$@" "$file" 2> /dev/null) || skip "no loop device"
  at_exit losetup -d "$loop"
  case " $* " in *" -r "*) ;; *) blockdev --setrw "$loop" ;; esac
}
# detach LOOP: before the end; by then the device may be somebody else's.
detach()
{
  local i mine
  mine=$(printf '%q ' losetup -d "$1")
  losetup -d "$1"
  for ((i = 0; i < ${#cleanups[@]}; i++)); do [ "${cleanups[i]}" != "$mine" ] || cleanups[i]=:; done
  # the kernel lets go of the file a little later
  for ((i = 0; i < 100; i++)); do [ -e "/sys/block/${1##*/}/loop/backing_file" ] || return 0; sleep 0.05; done
  fail "$1 is still attached"
}

# Disks with faults: an nbdkit of our own serves a file, nbdfuse shows it as a file, a loop device makes it a disk.

# serve NAME FILE [bad=MAP] [delay=TIME] [writable]: the bytes of FILE, or of MEMORY (memory:64M), as the file $served.
# bad: the areas that this ddrescue map calls bad give EIO, to the sector; delay: of each read (2ms).
# Faults meanwhile: halt, go_on, vanish, eio.
serve()
{
  local name=$1 file=$2 option show=(-r)
  local filters=(--filter=error) settings=(error-pread=EIO error-pread-rate=100% "error-pread-file=$scratch/$1.eio-read"
    error-pwrite=EIO error-pwrite-rate=100% "error-pwrite-file=$scratch/$1.eio-write")
  requires nbdkit nbdfuse fusermount3
  [ -e /dev/fuse ] || skip "no /dev/fuse"
  shift 2
  for option; do
    case $option in
      bad=*) filters+=(--filter=ddrescue); settings+=("ddrescue-mapfile=${option#*=}") ;;
      delay=*) filters+=(--filter=delay); settings+=("rdelay=${option#*=}") ;;
      writable) show=() ;;
      *) fail "serve: $option" ;;
    esac
  done
  filters+=(--filter=noextents)
  case $file in memory:*) settings=(memory "${file#*:}" "${settings[@]}") ;; *) settings=(file "$file" "${settings[@]}") ;; esac
  nbdkit -f -U "$scratch/$name.sock" -P "$scratch/$name.pid" "${filters[@]}" "${settings[@]}" < /dev/null > "$name.nbdkit" 2>&1 &
  disown $! # its end is no message
  for _ in $(seq 100); do [ -s "$name.pid" ] && break; sleep 0.05; done
  [ -s "$name.pid" ] || { cat "$name.nbdkit" >&2; skip "nbdkit does not start"; }
  servers+=("$name")
  at_exit stop_serving "$name"
  # A test that is killed runs no trap; a halted disk would then keep its readers for ever.
  setsid -f sh -c 'tail --pid="$1" -f /dev/null; kill -CONT "$2" && kill -KILL "$2"; fusermount3 -u -z "$3"' - \
    $$ "$(cat "$name.pid")" "$scratch/$name.served" < /dev/null > /dev/null 2>&1
  served=$scratch/$name.served
  touch "$served"
  nbdfuse "${show[@]}" -P "$scratch/$name.nbdfuse" "$served" "nbd+unix:///?socket=$scratch/$name.sock" < /dev/null > /dev/null 2>&1 &
  disown $!
  for _ in $(seq 100); do [ -s "$served" ] && return; sleep 0.05; done
  skip "nbdfuse does not start"
}
stop_serving()
{
  fusermount3 -u "$scratch/$1.served" || fusermount3 -u -z "$scratch/$1.served"
  vanish "$1"
}
server_signal()
{
  local pid
  pid=$(cat "$scratch/$2.pid" 2> /dev/null) && [ "$(cat "/proc/$pid/comm" 2> /dev/null)" = nbdkit ] && kill "-$1" "$pid"
}
# halt NAME: its reads and writes hang, in a state that no signal ends, until go_on NAME (or the end of the test).
halt() { server_signal STOP "$1"; }
go_on() { server_signal CONT "$1"; }
# vanish NAME: all its reads and writes fail from now on; the loop device still tells its size.
vanish() { server_signal KILL "$1"; }
# eio NAME read|write on|off: whether all of its reads or writes fail.
eio() { if [ "$3" = on ]; then touch "$scratch/$1.eio-$2"; else rm -f "$scratch/$1.eio-$2"; fi; }

# attach_served: the loop device $loop over $served; errors are as small as the sectors.
attach_served() { attach "$served" --direct-io=on "$@"; }
# bad_map BYTES [SECTOR COUNT]...: a ddrescue map of a disk with these bad sectors of 512 bytes, in order.
bad_map()
{
  local bytes=$1 at=0
  shift
  echo "0x00 +"
  while [ $# -gt 0 ]; do
    [ $at = $(($1 * 512)) ] || printf '0x%x 0x%x +\n' $at $(($1 * 512 - at))
    printf '0x%x 0x%x -\n' $(($1 * 512)) $(($2 * 512))
    at=$((($1 + $2) * 512))
    shift 2
  done
  [ $at = "$bytes" ] || printf '0x%x 0x%x +\n' $at $((bytes - at))
}
# zero_sectors FILE [SECTOR COUNT]...: what an image holds in place of such sectors.
zero_sectors()
{
  local file=$1
  shift
  while [ $# -gt 0 ]; do
    dd if=/dev/zero of="$file" bs=512 seek="$1" count="$2" conv=notrunc status=none
    shift 2
  done
}
# full_disk FOLDER SIZE: a file system in memory of this size (4m).
full_disk()
{
  mkdir "$1"
  mount -t tmpfs -o "size=$2" tmpfs "$1" || skip "no tmpfs can be mounted"
  at_exit umount -l "$scratch/$1"
}
# failing_disk FOLDER SIZE: an ext4 on a disk of this size (256M); "eio FOLDER write on" makes all writing to it fail.
failing_disk()
{
  requires mke2fs
  serve "$1" "memory:$2" writable
  attach_served
  mke2fs -q -F -t ext4 -E nodiscard,lazy_itable_init=0,lazy_journal_init=0 "$loop" || fail mke2fs
  mkdir "$1"
  mount "$loop" "$1" || skip "no ext4 can be mounted"
  at_exit umount "$scratch/$1"
}
