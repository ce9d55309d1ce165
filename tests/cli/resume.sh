#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# An acquisition that was killed at any of 20 points, once or many times, goes on and ends as if nothing had happened.
# In memory: on a slow disk the record is written too seldom for so short runs.
[ ! -w /dev/shm ] || export TMPDIR=/dev/shm
. "$(dirname "$0")/lib.sh"
. "$TOP/tests/cli/kill.sh"
requires jq ewfverify ewfinfo

make_source disk.raw 64
serve slow disk.raw delay=50ms
source=$served
whole=$PWD/whole
began=${EPOCHREALTIME/./}
"$IMAGER" acquire "$source" --output whole "${shape[@]}" 2> /dev/null
took=$((${EPOCHREALTIME/./} - began)) # microseconds
sealed whole
equal "$(json whole/data/image.manifest.json .digests.sha256)" "$(sha256 disk.raw)" "content"

# many kills in a row: each resumed run is killed as well, each a little later than the one before
in_a_row()
{
  kill_when segments:4 "$IMAGER" acquire "$source" --output bag "${shape[@]}"
  for condition in resumes:{1+0.2,2+0.5,3+0.7,4+1,5+1.2}; do
    kill_when "$condition" "$IMAGER" acquire "$source" --output bag --resume --progress none
  done
  sessions=$(jq '.earlier_sessions | length + 1' bag/data/image.manifest.json)
  [ "$sessions" -ge 3 ] || fail "only $sessions sessions before the last"
  resumed "$source" bag "$whole"
}
mkdir in-a-row
(cd in-a-row && in_a_row) > in-a-row.log 2>&1 &
row=$!

# each once, from the first file to the seal; libewf writes when some 16 MiB have been read
points=()
for i in 2 20 40 60 80; do points+=("$(seconds $((took * i / 100)))"); done
points+=(segments:1 segments:1+0.3 segments:1+0.7 segments:2 segments:3 segments:4 segments:5 file:bag/data event:source-opened event:source-read event:image-written event:verification-started+0.05
  file:bag/data/image.E01 event:ended file:bag/manifest-sha256.txt)
all_points point "$source" "$whole" "${points[@]}"
echo "an uninterrupted run took $((took / 1000)) ms; what the record said of the killed ones, and its segments:"
sort point.*/outcome | uniq -c
[ "$(grep -L late point.*/outcome | wc -l)" -ge 16 ] || fail "too many came to their end before they were killed"
[ "$(grep -cE 'running [1-9]' point.*/outcome | grep -c ':1')" -ge 5 ] || fail "too few had stored something"
wait $row || { cat in-a-row.log >&2; fail "killed many times in a row"; }

# so early that there is no record
mkdir -p early/data
expect 1 "$IMAGER" acquire "$source" --output early --resume --progress none
says_once 'early/data/ holds no record of an acquisition'
expect 1 "$IMAGER" acquire disk.raw --output nothing --resume --progress none
says_once 'nothing/data/.*No such file'
expect 0 "$IMAGER" acquire disk.raw --output fresh "${shape[@]}"
same_image fresh whole

# a bag that is complete stays as it is
find whole -type f -exec sha256sum {} + | sort > before
expect 2 "$IMAGER" acquire "$source" --output whole --resume --progress none
says_once 'whole is complete: there is nothing to resume'
find whole -type f -exec sha256sum {} + | sort > after
same before after

# what is left of an unfinished bag is no image to other programs
cat point.*/taken 2> /dev/null && fail "unfinished images were taken for whole ones"
exit 0
