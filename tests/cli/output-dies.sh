#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The disk with the evidence bag fails or is full, at the start, in mid-work or at the very end: exit 5, a sentence that
# names the cause, and nothing there that looks finished, not even for who mounts it again.
. "$(dirname "$0")/lib.sh"
requires_root
requires jq
head -c 24000000 /dev/urandom > disk.raw

# failed BAG CAUSE: so says the record in ./out, the message in ./err and the folder. Where all of the image was read back
# before, it may have its name; the bag is not one.
failed()
{
  local verified
  verified=$(json out .verification.result)
  says "$1.*$2"
  equal "$(json out .status)" output-failed
  equal "$(json out '.outputs | map(.status) | join(" ")')" output-failed
  [ "$verified" = not-reached ] || [ "$verified" = match ] || fail "verification: $verified"
  json out .error | grep -qE "$1.*$2" || { json out .error; fail "the record does not name the cause"; }
  if [ "$verified" = match ] && [ -e "$1/data/image.E01" ]; then
    [ ! -e "$1/manifest-sha256.txt" ] && [ ! -e "$1/tagmanifest-sha256.txt" ] || fail "the bag is sealed"
    "$IMAGER" verify "$1/data/image.E01" --progress none > /dev/null 2>&1 || fail "the image under its final name is not whole"
  else
    nothing_final "$1"
  fi
  # where no more could be written it is the record of a run that has not ended: never that of a complete one
  [ ! -e "$1/data/image.manifest.json" ] || json "$1/data/image.manifest.json" .status | grep -qxE 'output-failed|running' || fail "the record on the disk claims to be $(json "$1/data/image.manifest.json" .status)"
}
# again FOLDER: what is on its disk, without what the kernel had in memory
again()
{
  umount "$1"
  eio "$1" write off
  mount "$loop" "$1" || fail "$1 can't be mounted again"
}

# it takes no write from the start: there is nothing yet that a record could tell of
failing_disk early 128M
eio early write on
expect 5 "$IMAGER" acquire disk.raw --output early/bag --progress none --json
says_once 'early/bag: Input/output error'
equal "$(json out '.status // "output-failed"')" "$([ ! -s out ] || echo output-failed)" "record of nothing"
again early
nothing_final early

# in_mid_work FOLDER COMMAND...: FOLDER's disk takes nothing more when the first bytes of the image in FOLDER/bag are in the
# kernel's memory, where also the rest finds place; only fsync tells
serve slow disk.raw delay=40ms
slow=$served
in_mid_work()
{
  local folder=$1 got=0
  shift
  failing_disk "$folder" 128M
  "$@" > out 2> err &
  pid=$!
  for _ in $(seq 400); do [ -z "$(find "$folder/bag" -name 'image*.E0?*' -size +0 2> /dev/null)" ] || break; sleep 0.01; done
  [ -n "$(find "$folder/bag" -name 'image*.E0?*' -size +0)" ] || fail "no part of the image was seen"
  eio "$folder" write on
  wait $pid || got=$?
  equal $got 5 "exit code when the output disk failed in mid-work"
}
for options in "" "--segment-size 1MiB --compression none"; do
  folder=middle${options:+-segments}
  # shellcheck disable=SC2086 # words
  in_mid_work "$folder" "$IMAGER" acquire "$slow" --output "$folder/bag" --progress none --json $options
  failed "$folder/bag" '(Input/output error|Read-only file system)'
  again "$folder"
  nothing_final "$folder"
done

# full, at any point: the image, or what is put beside it
expect 0 "$IMAGER" acquire disk.raw --output whole --progress none
need=$(du -sk --apparent-size whole | cut -f1)
full_disk full 1m
found=
for kib in 1024 $((need / 2)) $((need - 300)) $((need - 100)) $((need - 60)) $((need - 40)) $((need - 24)) $((need - 12)); do
  mount -o "remount,size=${kib}k" full
  expect 5 "$IMAGER" acquire disk.raw --output full/bag --progress none --json
  failed full/bag 'No space left on device'
  found+=" $(json out .verification.result)"
  rm -rf full/bag
done
# before and after the image was read back
[[ $found = *not-reached*match* ]] || fail "not at all points: $found"
mount -o "remount,size=$((need * 2))k" full
expect 0 "$IMAGER" acquire disk.raw --output full/bag --progress none --json
equal "$(json out .status)" complete

# full, where only writing out tells
dd if=/dev/zero of=little.raw bs=1M count=12 status=none
mke2fs -q -F -t ext4 -E lazy_itable_init=0 little.raw
attach little.raw
mkdir little
mount "$loop" little
at_exit umount "$scratch/little"
expect 5 "$IMAGER" acquire disk.raw --output little/bag --progress none --json
failed little/bag 'No space left on device'

# of two, the other one is complete
in_mid_work other "$IMAGER" acquire "$slow" --output first --second-output other/bag --progress none --json
equal "$(json out '.outputs | map(.status) | join(" ")')" "complete output-failed"
says 'other/bag.*(Input/output error|Read-only file system)'
again other
nothing_final other
expect 0 "$IMAGER" verify first --progress none
