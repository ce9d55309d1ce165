# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Functions that make disks for the demo and the test cases: same input, same bytes, no root, no mount.
# Needs fdisk (sfdisk) and e2fsprogs. Times are seconds since 1970. Source it: . scripts/disk.sh

export LC_ALL=C TZ=UTC

# disk_new IMAGE MIB gpt|dos: a disk with one Linux partition from sector 2048 to near its end.
disk_new()
{
  rm -f "$1"
  truncate -s "$2M" "$1"
  _end=$(($2 * 2048 - 2048 - 2048))
  case $3 in
    gpt) printf 'label: gpt\nlabel-id: 7E1B0C5A-6D0F-4B1E-9C3D-00000000000A\nstart=2048, size=%s, type=linux, uuid=7E1B0C5A-6D0F-4B1E-9C3D-00000000000B\n' "$_end" ;;
    dos) printf 'label: dos\nlabel-id: 0x1badb002\nstart=2048, size=%s, type=83\n' "$_end" ;;
  esac | sfdisk -q --no-reread --no-tell-kernel "$1"
}

# disk_sectors IMAGE: sectors of its first partition.
disk_sectors()
{
  sfdisk -q -l -o Sectors "$1" | sed -n 2p | tr -d ' '
}

# disk_ext4 IMAGE FIRST_SECTOR SECTORS TREE TIME [mkfs options]: an ext4 with TREE's files. Modification times are those
# of TREE; access, change and birth times are TIME, as after unpacking packages then.
disk_ext4()
{
  _image=$1 _first=$2 _sectors=$3 _tree=$4 _time=$5
  shift 5
  E2FSPROGS_FAKE_TIME=$_time mke2fs -q -F -t ext4 -b 4096 -I 256 -U 3e2b5b1c-0a63-4f1e-8a5b-000000000001 \
    -E "offset=$((_first * 512)),hash_seed=3e2b5b1c-0a63-4f1e-8a5b-000000000002,lazy_itable_init=0,lazy_journal_init=0,root_owner=0:0" \
    -d "$_tree" "$@" "$_image" "$((_sectors / 8))" || return 1
  # mke2fs numbers the new inodes from 12 on; by number, since names may hold anything
  _n=$(find "$_tree" -mindepth 1 -printf '%D:%i\n' | sort -u | wc -l)
  for _i in 2 $(seq 12 $((11 + _n))); do
    printf 'sif <%s> ctime @%s\nsif <%s> ctime_extra 0\n' "$_i" "$_time" "$_i"
    printf 'sif <%s> atime @%s\nsif <%s> atime_extra 0\nsif <%s> mtime_extra 0\n' "$_i" "$_time" "$_i" "$_i"
  done |
    disk_debugfs "$_image" "$_first" "$_time"
}

# disk_debugfs IMAGE FIRST_SECTOR TIME: runs debugfs commands from standard input; any complaint is a failure.
disk_debugfs()
{
  _said=$(E2FSPROGS_FAKE_TIME=$3 debugfs -w -f /dev/stdin "$1?offset=$(($2 * 512))" 2>&1 >/dev/null | grep -v '^debugfs [0-9]' || true)
  [ -z "$_said" ] || { printf '%s\n' "$_said" | head -n 5 >&2; return 1; }
}

# disk_stamp PATH TIME [MTIME]: debugfs commands that give PATH these times (birth, change and access TIME).
disk_stamp()
{
  for _field in crtime ctime atime; do
    printf 'sif "%s" %s @%s\nsif "%s" %s_extra 0\n' "$1" "$_field" "$2" "$1" "$_field"
  done
  printf 'sif "%s" mtime @%s\nsif "%s" mtime_extra 0\n' "$1" "${3:-$2}" "$1"
}

# disk_put FILE PATH TIME [MTIME]: debugfs commands that write FILE to PATH (new, in an existing folder); the folder's
# own times become TIME.
disk_put()
{
  printf 'write "%s" "%s"\n' "$1" "$2"
  disk_stamp "$2" "$3" "${4:-$3}"
  _folder=${2%/*}
  printf 'sif "%s" mtime @%s\nsif "%s" ctime @%s\n' "${_folder:-/}" "$3" "${_folder:-/}" "$3"
}
