# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Sourced behind lib.sh: a disk with sectors that can't be read.

# bad_disk FILE MAP: a loop device in $loop, whose bytes are those of FILE and whose bad sectors are those of the map of
# GNU ddrescue (in printf's notation). 1 where this machine can't do it; $why_not says why.
bad_disk()
{
  local tool size
  for tool in nbdkit nbdfuse fusermount3 losetup; do
    command -v $tool > /dev/null || { why_not="$tool is not installed"; return 1; }
  done
  why_not="needs root and /dev/fuse"
  [ "$(id -u)" = 0 ] && [ -e /dev/fuse ] || return 1
  size=$(stat -c %s "$1")
  # shellcheck disable=SC2059 # the map is a format
  printf "$2" > bad_disk.map
  touch bad_disk
  why_not="nbdkit does not start"
  nbdkit -U "$scratch/bad_disk.sock" -P bad_disk.pid --filter=ddrescue --filter=noextents file "$1" ddrescue-mapfile=bad_disk.map 2> /dev/null || return 1
  at_exit sh -c "kill -9 \$(cat $scratch/bad_disk.pid)"
  nbdfuse -r "$scratch/bad_disk" "nbd+unix:///?socket=$scratch/bad_disk.sock" > /dev/null 2>&1 &
  at_exit fusermount3 -u "$scratch/bad_disk"
  for _ in $(seq 50); do [ "$(stat -c %s bad_disk)" = "$size" ] && break; sleep 0.1; done
  why_not="nbdfuse or the loop device does not start"
  [ "$(stat -c %s bad_disk)" = "$size" ] || return 1
  loop=$(losetup -f --show -r --direct-io=on bad_disk 2> /dev/null) || return 1
  at_exit losetup -d "$loop"
}
