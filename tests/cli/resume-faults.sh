#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Interrupted by a signal, a full disk, a failing disk, a source that went away: the acquisition goes on and the image is
# that of an uninterrupted one. Of another source it does not.
[ ! -w /dev/shm ] || export TMPDIR=/dev/shm
. "$(dirname "$0")/lib.sh"
. "$TOP/tests/cli/kill.sh"
requires_root
requires jq ewfverify

make_source disk.raw 48
truncate -s 48M disk.raw
attach disk.raw -r
"$IMAGER" acquire "$loop" --output whole "${shape[@]}" 2> /dev/null
serve slow disk.raw delay=15ms
attach_served
slow=$loop
whole=$PWD/whole

# start BAG [option...]: $pid is at work and has stored something
start()
{
  local bag=$1
  shift
  "$IMAGER" acquire "$slow" --output "$bag" "${shape[@]}" "$@" > start.out 2> start.err &
  pid=$!
  for ((i = 0; i < 3000; i++)); do ! holds "$bag/data/image.manifest.json" '"image.E01' || return 0; pause 0.02; done
  fail "no segment was recorded"
}
ended() { local got=0; wait $pid || got=$?; [ $got = "$1" ] || { cat start.err >&2; fail "ended with $got, not $1"; }; }
refused() { expect "$1" "$IMAGER" acquire "$2" --output bag --resume --progress none "${@:4}"; says_once "$3"; }

# asked to stop
start bag
kill -INT $pid
ended 75
equal "$(json bag/data/image.manifest.json .status)" interrupted

# what shapes the image can't be changed
for option in --name=x --case-number=1 --evidence-number=1 --examiner=x --description=x --notes=x --compression=best \
  --segment-size=2M --hash=md5 "--guid=${fixed[1]}" "--date=${fixed[3]}" --no-block-digests; do
  refused 2 "$slow" "${option%%=*} can't be given with --resume" "$option"
done
expect 2 "$IMAGER" acquire "$slow" --output bag3 --resume-check-all --progress none
says_once 'needs --resume'

# other sources: a larger one, one that differs at its begin, one that differs in the second buffer, where only all tells
cp disk.raw other.raw
truncate -s 49M other.raw
attach other.raw -r
refused 4 "$loop" 'not the source that the acquisition was begun with: its size in bytes was 50331648, and is 51380224 now'
detach "$loop"
cp disk.raw other.raw
printf x | dd of=other.raw bs=1 seek=100 conv=notrunc status=none
attach other.raw -r
refused 4 "$loop" 'not the source .*: (its sample at byte 0 differs|what it holds at byte 0)'
detach "$loop"
refused 4 disk.raw 'not the source .*: its kind was'
late=
resumed "$slow" bag "$whole"
[ ! "$late" ] || fail "it was not stopped"

# where no sample lies. All of what is stored is compared only if asked for.
rm -rf bag
start bag
for ((i = 0; i < 1000; i++)); do [ "$(jq .image.safe_bytes bag/data/image.manifest.json)" -lt 25000000 ] || break; pause 0.02; done
kill -KILL $pid
wait $pid 2> /dev/null || :
pause 0.5
place=$(jq -r '[.write_block.samples_before[] | "\(.offset) \(.bytes)"] | .[]' bag/data/image.manifest.json |
  awk 'BEGIN { want = 700000 } want + 4096 > $1 && want < $1 + $2 { want = $1 + $2 + 512 } END { print want }')
cp disk.raw other.raw
printf x | dd of=other.raw bs=1 seek="$place" conv=notrunc status=none
attach other.raw -r
refused 4 "$loop" 'not the source .*: what it holds at byte [0-9]+ is not what was stored' --resume-check-all
detach "$loop"
late=
resumed "$slow" bag "$whole" --resume-check-all

# two outputs; the run is killed, each is what it would have been
start two --second-output two2
kill -KILL $pid
wait $pid 2> /dev/null || :
pause 0.5
expect 0 "$IMAGER" acquire "$slow" --output two --second-output two2 --resume --progress none
for b in two two2; do same_image $b whole; sealed $b; done
# bags of two acquisitions are no pair
start one
kill -INT $pid
ended 75
"$IMAGER" acquire "$slow" --output stranger --segment-size 1M --progress none > start.out 2> start.err &
pid=$!
for ((i = 0; i < 1000; i++)); do [ ! -e stranger/data/image.manifest.json ] || break; pause 0.01; done
kill -INT $pid
ended 75
expect 4 "$IMAGER" acquire "$slow" --output one --second-output stranger --resume --progress none
says_once 'one and stranger are not of the same acquisition'

# the disk with the bag is full, then larger
full_disk full 5m
expect 5 "$IMAGER" acquire "$slow" --output full/bag "${shape[@]}"
says 'No space left'
mount -o remount,size=64m full
late=
resumed "$slow" full/bag "$whole"

# of two outputs one is full: the other is complete, and the full one goes on alone later
mount -o "remount,size=$(($(du -sm full | cut -f1) + 5))m" full
expect 5 "$IMAGER" acquire "$slow" --output good --second-output full/second "${shape[@]}"
same_image good whole
mount -o remount,size=64m full
late=
resumed "$slow" full/second "$whole"

# the disk with the bag dies and comes back
failing_disk dying 64M
output=$loop
start dying/bag
eio dying write on
ended 5
umount dying
eio dying write off
mount "$output" dying || fail "dying can't be mounted again"
if [ -e dying/bag/data/image.manifest.json ]; then
  late=
  resumed "$slow" dying/bag "$whole"
fi

# the source vanishes and comes back as another device
serve fading disk.raw delay=60ms
attach_served
slow=$loop
start gone
vanish fading
ended 6
nothing_final gone
equal "$(json gone/data/image.manifest.json .status)" source-lost
serve back disk.raw
attach_served
late=
resumed "$loop" gone "$whole"
