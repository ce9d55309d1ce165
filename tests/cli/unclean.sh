#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A disk whose file system was not unmounted: whoever mounts it changes it. Its acquisition does not; and while it runs,
# nobody else can.
. "$(dirname "$0")/lib.sh"
requires_root
requires jq mount mke2fs dumpe2fs python3

left_out=()
left_out() { left_out+=("$1"); echo "not tested: $1"; }
has_driver() { modprobe -q "$1" 2> /dev/null || true; grep -qw "$1" /proc/filesystems; }

# unclean: the digest of FILE is that of the image, before and after
unclean()
{
  local file=$1 before
  before=$(sha256 "$file")
  attach "$file"
  rm -rf bag
  expect 0 "$IMAGER" acquire "$loop" --output bag --hash sha256 --progress none --json
  equal "$(json out .digests.sha256)" "$before" "image of $file"
  equal "$(json out .verification.result)" match
  equal "$(json out .write_block.writes_seen)" 0 "writes to $file"
  equal "$(sha256 "$file")" "$before" "$file after the acquisition"
  detach "$loop"
  equal "$(sha256 "$file")" "$before" "$file after it was detached"
}
# would_change FILE TYPE OPTIONS: the proof that FILE is unclean: even a mount for reading writes to it.
would_change()
{
  cp --sparse=always "$1" witness.raw
  attach witness.raw
  mount -t "$2" -o "$3" "$loop" mnt || fail "$1 can't be mounted"
  umount mnt
  detach "$loop"
  if cmp -s "$1" witness.raw; then fail "$1 is no unclean $2: mounting it changed nothing"; fi
}
# use FILE TYPE SIZE MKFS...: makes it, mounts it at mnt and leaves traces in its log
use()
{
  local file=$1 type=$2 size=$3
  shift 3
  truncate -s "$size" "$file"
  "$@" "$file" > mkfs.txt 2>&1 || { cat mkfs.txt; fail "$1"; }
  attach "$file"
  mount -t "$type" "$loop" mnt || fail "mount $file"
  echo first > mnt/first
  sync -f mnt
  seq 1 200000 > mnt/numbers
  mkdir mnt/folder
  mv mnt/first mnt/folder/
  head -c 300000 /dev/urandom > mnt/folder/random
}
# taken FILE: the disk as it was while mounted, as after pulling the plug
taken()
{
  cp --sparse=always "$1" "$1.taken"
  exec 7>&-
  umount mnt
  detach "$loop"
}
mkdir mnt
at_exit umount "$scratch/mnt"

use ext4.raw ext4 48M mke2fs -q -F -t ext4 -E lazy_itable_init=0
sync -f mnt
taken ext4.raw
dumpe2fs -h ext4.raw.taken > super.txt 2> /dev/null
grep -q needs_recovery super.txt || fail "the ext4 does not need recovery"
unclean ext4.raw.taken
would_change ext4.raw.taken ext4 ro

# deleted, but still open by a program: the file is on the list of orphans
use ext3.raw ext3 48M mke2fs -q -F -t ext3
sync -f mnt
exec 7< mnt/numbers
rm mnt/numbers
sync -f mnt
taken ext3.raw
dumpe2fs -h ext3.raw.taken > super.txt 2> /dev/null
grep -q needs_recovery super.txt || fail "the ext3 does not need recovery"
unclean ext3.raw.taken
would_change ext3.raw.taken ext3 ro
grep -qi '^First orphan inode' super.txt || fail "the ext3 has no orphan"

if ! has_driver xfs || ! command -v mkfs.xfs > /dev/null || ! command -v xfs_io > /dev/null; then
  left_out "XFS (no driver, or no xfsprogs)"
else
  use xfs.raw xfs 300M mkfs.xfs -q -f
  xfs_io -c fsync mnt/numbers
  taken xfs.raw
  unclean xfs.raw.taken
  would_change xfs.raw.taken xfs ro,nouuid
fi

if ! has_driver btrfs || ! command -v mkfs.btrfs > /dev/null; then
  left_out "btrfs (no driver, or no btrfs-progs)"
else
  use btrfs.raw btrfs 128M mkfs.btrfs -q -f
  sync -f mnt
  # by fsync: into the log; the first ones may still make a new generation
  for n in 1 2 3; do echo "more $n" >> mnt/numbers; sync mnt/numbers; done
  taken btrfs.raw
  btrfs inspect-internal dump-super btrfs.raw.taken > super.txt
  grep -qE '^log_root\s+[1-9]' super.txt || fail "the btrfs has no log"
  unclean btrfs.raw.taken
  would_change btrfs.raw.taken btrfs ro
fi

if ! command -v mkntfs > /dev/null || ! command -v ntfsfix > /dev/null || ! command -v ntfsinfo > /dev/null; then
  left_out "NTFS (no ntfs-3g)"
else
  truncate -s 24M ntfs.raw
  mkntfs -q -F ntfs.raw > /dev/null 2>&1 || fail mkntfs
  ntfsfix ntfs.raw > /dev/null || fail ntfsfix # marks the volume for a check at the next start
  ntfsinfo -m -f ntfs.raw > super.txt 2> /dev/null || true
  grep -qE 'Volume Flags: 0x0001' super.txt || fail "the NTFS is not marked as dirty"
  unclean ntfs.raw
fi

# while it is read, the world tries to change it; the zeros behind the file system take the time
cp --sparse=always ext4.raw.taken target.raw
truncate -s 2G target.raw
before=$(sha256 target.raw)
attach target.raw
exec 6<> "$loop"
"$IMAGER" acquire "$loop" --output busy --hash sha256 --no-verify --progress none --json > busy.json 2> busy.err &
pid=$!
at_exit kill -KILL "$pid"
for _ in $(seq 200); do [ "$(blockdev --getro "$loop")" = 1 ] && break; sleep 0.02; done
equal "$(blockdev --getro "$loop")" 1 "read-only flag during the acquisition"
for attack in "dd if=/dev/urandom of=$loop bs=4096 count=1" "dd if=/dev/urandom of=$loop bs=4096 count=1 oflag=direct" \
  "dd if=/dev/zero bs=512 count=1 of=/dev/fd/6" "mount -t ext4 $loop mnt" "mount -t ext4 -o ro $loop mnt" "e2fsck -fy $loop" \
  "tune2fs -L other $loop" "mke2fs -q -F $loop" "blkdiscard -f $loop" "blkdiscard -f -z $loop" "wipefs -a -f $loop" \
  "mkswap -f $loop" "swapon $loop" "blockdev --flushbufs $loop; debugfs -w -R 'ssv mtime 0' $loop && cmp -n 50331648 $loop ext4.raw.taken && false"; do
  [ -d "/proc/$pid" ] && [ "$(blockdev --getro "$loop")" = 1 ] || fail "the acquisition was over before '$attack'"
  if timeout 20 sh -c "$attack" > attack.txt 2>&1 6>&6; then cat attack.txt; fail "'$attack' went through"; fi
done
got=0; wait "$pid" || got=$?
equal $got 0 "acquisition of a disk that others try to change"
exec 6>&-
equal "$(json busy.json .digests.sha256)" "$before" "image"
equal "$(json busy.json .write_block.writes_seen)" 0
equal "$(json busy.json '[.write_block.layers[] | select(.name == "BLKROSET") | .applied] | join(" ")')" true
equal "$(blockdev --getro "$loop")" 0 "read-only flag after the acquisition"
blockdev --flushbufs "$loop"
equal "$(sha256 target.raw)" "$before" "the source"
# each of them could have done it: the first one does now
dd if=/dev/urandom of="$loop" bs=4096 count=1 conv=fsync status=none || fail "the disk can't be written at all"
[ "$(sha256 target.raw)" != "$before" ] || fail "the disk can't be written at all"

[ ${#left_out[@]} = 0 ] || skip "$(printf '%s; ' "${left_out[@]}")the rest passed"
