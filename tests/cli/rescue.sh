#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What can't be read at first is read again: exactly the bad sectors are lost, what comes back is put into the finished
# image, and a dead area costs a bounded number of reads.
[ ! -w /dev/shm ] || export TMPDIR=/dev/shm
. "$(dirname "$0")/lib.sh"
. "$TOP/tests/cli/kill.sh"
requires_root
requires jq ewfverify ewfinfo ddrescuelog

make_source disk.raw 24
truncate -s 24M disk.raw
bytes=$((24 << 20))

# ten sectors in three places, and two areas that lie next to each other in one MiB
bad=(2048 1 4100 8 16383 1)
bad_map $bytes "${bad[@]}" > bad.map
serve worn disk.raw bad=bad.map
attach_served
worn=$loop
cp disk.raw expected.raw
zero_sectors expected.raw "${bad[@]}"
expect 3 "$IMAGER" acquire "$worn" --output bag --second-output bag2 "${shape[@]}" --sector-retries 2 --json
equal "$(jq -c .unreadable out)" '[[2048,1],[4100,8],[16383,1]]' "list of bad sectors"
equal "$(jq -c .areas out)" '[[2048,1,"-"],[4100,8,"-"],[16383,1,"-"]]' "areas"
equal "$(json out .digests.sha256)" "$(sha256 expected.raw)" "content"
for b in bag bag2; do
  sealed $b
  for pass in trim scrape 'retry 1' 'retry 2'; do
    grep -q "\"event\":\"pass\",\"text\":\"$pass: " $b/data/image.events.jsonl || fail "no pass $pass in the log of $b"
  done
  ewfverify -q -d sha256 $b/data/image.E01 > /dev/null || fail "ewfverify $b"
  ddrescuelog --compare-as-domain $b/data/image.map bad.map > /dev/null 2>&1 || :
  equal "$(ddrescuelog -l- $b/data/image.map | tr '\n' ' ')" "$(ddrescuelog -l- bad.map | tr '\n' ' ')" "sectors in the map"
  equal "$(ddrescuelog -l+ $b/data/image.map | sha256sum)" "$(ddrescuelog -l+ bad.map | sha256sum)" "good sectors in the map"
  ewfinfo -e $b/data/image.E01 > info.txt 2>&1 || fail "ewfinfo -e"
  for range in '2048 - 2048' '4100 - 4107' '16383 - 16383'; do
    grep -q "at sector(s): $range " info.txt || { cat info.txt; fail "ewfinfo does not list $range"; }
  done
  equal "$(grep -c 'at sector' info.txt)" 3 "areas in the image"
  # the block digests are those of the bytes
  split -b 1048576 --filter='sha256sum | cut -c1-64' expected.raw > want.blocks
  grep -v '^#' $b/data/image.blocks.sha256 | grep -oE '[0-9a-f]{64}' > got.blocks
  same want.blocks got.blocks
done
for f in bag/data/*.E??; do cmp "$f" "bag2/data/${f##*/}"; done

# errors of two areas that go away after a while: all of the disk is there in the end, in both images. Of this disk each
# area is a file of its own, so that errors can be switched.
piece() { dd if=disk.raw of="$1" bs=64K skip="$2" count="$3" status=none; }
piece begin 0 100; piece one 100 3; piece middle 103 97; piece two 200 1; piece end 201 183
serve first "$PWD/one"
one=$served
serve second "$PWD/two"
two=$served
nbdkit -f -r -U "$PWD/joined.sock" -P "$PWD/joined.pid" --filter=delay split begin "$one" middle "$two" end rdelay=4ms < /dev/null > /dev/null 2>&1 &
joined=$!
at_exit kill $joined
for ((i = 0; i < 100; i++)); do [ -s joined.pid ] && break; pause 0.05; done
[ -s joined.pid ] || skip "nbdkit has no split plugin"
touch joined
nbdfuse -r joined "nbd+unix:///?socket=$PWD/joined.sock" < /dev/null > /dev/null 2>&1 &
at_exit fusermount3 -u -z "$PWD/joined"
for ((i = 0; i < 100; i++)); do [ -s joined ] && break; pause 0.05; done
served=$PWD/joined
attach_served
moody=$loop
equal "$(sha256 "$moody")" "$(sha256 disk.raw)" "the disk that was joined"
echo 3 > /proc/sys/vm/drop_caches # what is cached never fails
eio first read on
eio second read on
"$IMAGER" acquire "$moody" --output calm --second-output calm2 "${shape[@]}" --sector-retries 1000 --json > out 2> err &
pid=$!
wait_for_event() { for ((i = 0; i < 3000; i++)); do ! holds calm/data/image.events.jsonl.part "\"text\":\"$1" || return 0; pause 0.01; done; fail "no '$1'"; }
wait_for_event scrape
eio first read off
wait_for_event 'retry 1'
eio second read off
got=0
wait $pid || got=$?
[ $got = 0 ] || cat err
equal $got 0 "exit code when the errors have gone away"
equal "$(json out .status)" complete
equal "$(json out .image.patched)" true "the errors did not show"
equal "$(json out .digests.sha256)" "$(sha256 disk.raw)" "content"
equal "$(jq -c '[.unreadable, .areas]' out)" '[[],[]]'
split -b 1048576 --filter='sha256sum | cut -c1-64' disk.raw > want.blocks
for b in calm calm2; do
  sealed $b
  ewfverify -q -d sha256 $b/data/image.E01 > /dev/null || fail "ewfverify $b"
  grep -v '^#' $b/data/image.blocks.sha256 | grep -oE '[0-9a-f]{64}' > got.blocks
  same want.blocks got.blocks
done
echo "passes: $(grep -o '"event":"pass","text":"[^"]*' calm/data/image.events.jsonl | cut -d'"' -f8 | tr '\n' ';')"

# errors that go away between two sessions: what lies behind the part that was stored is read anew, and well
for at in segments:1 event:source-read; do
  rm -rf bag
  echo 3 > /proc/sys/vm/drop_caches
  eio first read on
  eio second read on
  kill_when $at "$IMAGER" acquire "$moody" --output bag "${shape[@]}" --sector-retries 1
  eio first read off
  eio second read off
  echo "killed at $at with $(jq -c .areas bag/data/image.manifest.json)"
  expect 0 "$IMAGER" acquire "$moody" --output bag --resume --progress none --json
  equal "$(json out .digests.sha256)" "$(sha256 disk.raw)" "content"
  sealed bag
done

# killed in the passes, and after: the same image as without
serve dying disk.raw bad=bad.map delay=3ms
attach_served
dying=$loop
expect 3 "$IMAGER" acquire "$dying" --output whole "${shape[@]}" --sector-retries 3
for at in 'copy' trim scrape 'retry 1' 'retry 3'; do
  holds whole/data/image.events.jsonl "\"text\":\"$at" || continue
  rm -rf bag
  kill_when "event:pass\",\"text\":\"$at" "$IMAGER" acquire "$dying" --output bag "${shape[@]}" --sector-retries 3
  want=3
  late=
  resumed "$dying" bag "$PWD/whole" --sector-retries 3
  [ ! "$late" ] || fail "not killed in $at"
  echo "killed in $at"
done
want=0

# a dead area of 64 MiB costs few reads: it is left in steps that double
truncate -s 128M large.raw
bad_map $((128 << 20)) 65536 131072 > large.map
serve dead large.raw bad=large.map
attach_served
began=$SECONDS
expect 3 "$IMAGER" acquire "$loop" --output dead "${shape[@]}" --area-timeout 2 --json
echo "64 MiB that are dead took $((SECONDS - began)) s, $(jq '.write_block.counters_after.reads - .write_block.counters_before.reads' out) reads"
[ $((SECONDS - began)) -le 60 ] || fail "64 MiB that are dead took $((SECONDS - began)) s"
equal "$(jq '.unreadable_sectors' out)" 131072
equal "$(jq -c .unreadable out)" '[[65536,131072]]'
