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
# at_exit COMMAND...: runs it at the end, last one first.
at_exit() { cleanups+=("$(printf '%q ' "$@")"); }
finish()
{
  status=$?
  trap - EXIT
  set +e
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
  left=$(find "$1" \( -name '*.E[0-9][0-9]' ! -name '*.part.*' \) -o -name 'manifest-sha256.txt' -o -name 'tagmanifest-sha256.txt')
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
