#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Body file and mactime table against The Sleuth Kit's own, image by image. Differences that are meant:
#   1. '|' in a name is written as %7C (fls leaves it, and the line falls apart in mactime)
#   2. times before 1970 and after 2038 on ext4: fls prints others (docs/filesystems.md); no such times in these images
. "$(dirname "$0")/lib.sh"
requires fls mactime unzip pstat icat

# compare IMAGE OFFSET VOLUME [FLS OPTIONS]
compare()
{
  local image=$1 offset=$2 volume=$3
  shift 3
  TZ=UTC0 fls "$@" -r -m / -o "$offset" "$image" > fls.body 2> /dev/null || fail "fls $image"
  expect 0 "$ANALYZER" timeline "$image" --format body --volume "$volume"
  sed 's/%7C/|/' out > our.body
  cmp -s fls.body our.body || { diff fls.body our.body | head -n 20 >&2; fail "body file of $image, volume $volume"; }
  [ -s our.body ] || fail "empty body file of $image"
  if ! grep -q 'pipe|name' fls.body; then
    mactime -b fls.body -d -y -z UTC > fls.csv 2> /dev/null
    expect 0 "$ANALYZER" timeline "$image" --format mactime --volume "$volume"
    cmp -s fls.csv out || { diff fls.csv out | head -n 20 >&2; fail "mactime table of $image, volume $volume"; }
  fi
  echo "$(wc -l < our.body) lines agree: ${image##*/} volume $volume"
}

make_disk
compare disk.raw 2048 0
expect 0 "$IMAGER" acquire disk.raw --output bag --segment-size 1MiB --progress none
compare bag/data/image.E01 2048 0
for case in hacked-wordpress deleted-names clean-system; do
  "$TOP/tests/cases/$case/make.sh" case.raw
  compare case.raw 2048 0
done

requires_shared e01/dfvfs-ext2.E01
data=$shared/testdata
compare "$data/e01/dfvfs-ext2.E01" 0 0
compare "$data/e01/dfvfs-ext2-split.E01" 0 0
compare "$data/e01/tsk-image.E01" 0 0
compare "$data/e01/tsk-imageformat_mmls_1.E01" 128 0
compare "$data/e01/tsk-imageformat_mmls_1.E01" 55424 1
compare "$data/fs/tsk-image.dd" 0 0
compare "$data/fs/hfsplus.raw" 0 0
compare "$data/fs/iso9660.raw" 0 0
for zip in 4-kwsrch-ext3 6-undel-fat 7-undel-ntfs 9-fat-label; do
  unzip -q -o "$data/fs/$zip.zip" -d "$zip"
  image=$(find "$zip" -name '*.dd' -o -name '*.img' | head -n 1)
  compare "$image" 0 0
done
unzip -q -o "$data/vol/1-extend-part.zip" -d extend
image=$(find extend -name '*.dd' | head -n 1)
volume=0
for first in $(mmls "$image" | awk '/FAT|Win95|0x0[46eE]/ { print $3 }'); do
  compare "$image" "$((10#$first))" $volume
  volume=$((volume + 1))
done
equal $volume 6 "FAT partitions of the DFTT image"

# APFS: fls opens a volume of a container by the block of its superblock, which pstat tells
image=$data/fs/apfs.raw
if [ -e "$image" ]; then
  volume=0
  for block in $(pstat "$image" | awk '/APSB Block Number/ { print $NF }'); do
    compare "$image" 0 $volume -P apfs -B "$block"
    while IFS='|' read -r _ name inode mode _; do
      case $mode in r/r*) ;; *) continue ;; esac
      icat -P apfs -B "$block" "$image" "$inode" > theirs 2> /dev/null || : > theirs # a file without content is an error of icat
      expect 0 "$ANALYZER" cat "$image" --volume $volume --inode "$inode"
      same theirs out
    done < fls.body
    volume=$((volume + 1))
  done
  equal $volume 1 "volumes of apfs.raw"
else
  echo "left out: APFS against fls, since there is no shared test data (fs/apfs.raw)"
fi
