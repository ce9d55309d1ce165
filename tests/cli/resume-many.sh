#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# An acquisition is killed at POINTS (100) random points, chosen by SEED (1), half of them by time and half by what it is
# about to do; each goes on and ends as if nothing had happened. Many minutes.
[ ! -w /dev/shm ] || export TMPDIR=/dev/shm
. "$(dirname "$0")/lib.sh"
. "$TOP/tests/cli/kill.sh"
requires jq ewfverify ewfinfo

make_source disk.raw 64
serve slow disk.raw delay=30ms
whole=$PWD/whole
began=${EPOCHREALTIME/./}
"$IMAGER" acquire "$served" --output whole "${shape[@]}" 2> /dev/null
took=$((${EPOCHREALTIME/./} - began)) # microseconds
sealed whole

RANDOM=${SEED:-1}
below() { echo $(((RANDOM * 32768 + RANDOM) % $1)); }
triggers=(segments:1 segments:2 segments:3 segments:5 segments:7 event:source-read event:image-written
  event:verification-started event:verified file:bag/data/image.E01 file:bag/data/image.report.txt
  file:bag/manifest-sha256.txt)
points=()
for ((i = 0; i < ${POINTS:-100}; i++)); do
  if [ $((i % 2)) = 0 ]; then
    points+=("$(seconds "$(below $took)")")
  else
    points+=("${triggers[$(below ${#triggers[@]})]}+$(seconds "$(below 100000)")")
  fi
done
all_points point "$served" "$whole" "${points[@]}"
echo "${#points[@]} points, an uninterrupted run took $((took / 1000)) ms; what the record said of the killed ones, and its segments:"
sort point.*/outcome | uniq -c
cat point.*/taken 2> /dev/null && fail "unfinished images were taken for whole ones"
exit 0
