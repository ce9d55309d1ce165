#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A disk that hangs or vanishes is found out within seconds, whatever is going on, and is never a success; later the
# acquisition goes on. Killed processes of ours leave no read-only disk behind.
[ ! -w /dev/shm ] || export TMPDIR=/dev/shm # records are written too seldom for short runs on slow disks
. "$(dirname "$0")/lib.sh"
. "$TOP/tests/cli/kill.sh"
requires_root
requires jq ewfverify

make_source disk.raw 64
serve slow disk.raw delay=50ms
attach_served -r
slow=$loop
attach disk.raw
"$IMAGER" acquire "$loop" --output whole "${shape[@]}" 2> /dev/null || fail "acquire"

# begin COMMAND...: in the background, until segments are in the record of ./bag; $pid
begin()
{
  "$@" > out 2> err &
  pid=$!
}
until_segments()
{
  for ((i = 0; i < 1500; i++)); do
    ! holds "$1/data/image.manifest.json" '"image.E01' || return 0
    pause 0.02
  done
  cat err >&2
  fail "no segment was recorded"
}
# ends CODE SECONDS: $pid ends with this code, within so many seconds
ends()
{
  local got=0 since=$SECONDS
  # shellcheck disable=SC2016 # for the other shell
  timeout 60 bash -c 'while [ -e "/proc/$1/exe" ]; do sleep 0.05; done' - $pid || fail "still there after 60 s"
  wait $pid || got=$?
  equal $got "$1" "exit code"
  echo "ended after $((SECONDS - since)) s"
  [ $((SECONDS - since)) -le "$2" ] || fail "it took $((SECONDS - since)) s"
}
# wake: reads come back; those that waited for them, killed meanwhile, end
wake()
{
  go_on slow
  for ((k = 0; k < 100; k++)); do
    # shellcheck disable=SC2010 # no names of our making
    ls -l /proc/[0-9]*/fd 2> /dev/null | grep -q -- "-> $slow\$" || { pause 1; return 0; }
    pause 0.1
  done
  fail "$slow is still held"
}
writable() { for ((k = 0; k < 100; k++)); do [ "$(blockdev --getro "$1")" != 0 ] || return 0; pause 0.05; done; fail "$1 is still read-only"; }

# it hangs: a reader can't be killed, the program ends all the same, and so does what reads its output
begin "$IMAGER" acquire "$slow" --output bag "${shape[@]}" --read-timeout 7 --json
until_segments bag
halt slow
ends 6 20
says 'has not answered for five seconds at byte [0-9]+'
says 'hangs: no answer within 7 s at byte [0-9]+'
equal "$(json out .status)" source-lost
[ "$(json out .media.read_bytes)" -gt 0 ] || fail "the record does not say how far it came"
equal "$(jq -c .status bag/data/image.manifest.json)" '"source-lost"'
nothing_final bag
jq -c '.write_block.layers[] | select(.name == "BLKROSET")' out
wake
late=
resumed "$slow" bag whole

# the same with a pipe: whoever reads the output is not kept
begin bash -c '"$@" 2> err | cat > piped; exit "${PIPESTATUS[0]}"' - "$IMAGER" acquire "$slow" --output piped-bag "${shape[@]}" \
  --read-timeout 3 --json
until_segments piped-bag
halt slow
ends 6 15
equal "$(json piped .status)" source-lost
wake

# asked to stop while a read hangs
begin "$IMAGER" acquire "$slow" --output stopped "${shape[@]}" --read-timeout 60 --json
until_segments stopped
halt slow
pause 1
kill -INT $pid
ends 75 12
equal "$(json out .status)" interrupted
wake
late=
resumed "$slow" stopped whole

# killed hard: the guardian takes the flag away at once, and nobody keeps the disk
serve brake disk.raw delay=50ms writable
attach_served
equal "$(blockdev --getro "$loop")" 0 "read-only flag before"
kids() { pgrep -P "$pid" -x "$1"; }
begin "$IMAGER" acquire "$loop" --output killed "${shape[@]}"
until_segments killed
equal "$(blockdev --getro "$loop")" 1 "read-only flag meanwhile"
guard=$(kids exhibit-guard)
readers=$(kids exhibit-reader)
[ "$(echo "$guard" | wc -w)" = 1 ] && [ "$(echo "$readers" | wc -w)" = 2 ] || fail "not a guardian and two readers"
kill -KILL $pid
wait $pid 2> /dev/null || :
writable "$loop"
for kid in $guard $readers; do
  for ((i = 0; i < 100; i++)); do [ -e "/proc/$kid/exe" ] || break; pause 0.05; done
  [ ! -e "/proc/$kid/exe" ] || fail "$(cat "/proc/$kid/comm") is still there"
done
late=
resumed "$loop" killed whole

# a reader is killed: a sentence, and no success
begin "$IMAGER" acquire "$loop" --output reader "${shape[@]}" --json
until_segments reader
kill -KILL "$(kids exhibit-reader | head -n 1)"
ends 1 15
says 'the process that reads .* has ended'
equal "$(json out .status)" failed
nothing_final reader
writable "$loop"
late=
resumed "$loop" reader whole

# the guardian is killed: whether the write block held to the end is not known, so this is no success either; the disk
# stays as it was, read-only, and the sentence says so
begin "$IMAGER" acquire "$loop" --output guard "${shape[@]}" --json
until_segments guard
kill -KILL "$(kids exhibit-guard)"
ends 1 60
says 'the process that guards .* has ended.*read-only'
equal "$(json out .status)" failed
[ ! -e guard/manifest-sha256.txt ] || fail "sealed"
equal "$(json out '.write_block.layers[] | select(.name == "BLKROSET") | .applied')" false
blockdev --setrw "$loop"
late=
resumed "$loop" guard whole

# it vanishes, in the first pass or in a later one: never complete
bad_map "$(stat -c %s disk.raw)" 2048 1 4100 8 16383 1 > bad.map
n=0
for at in 'source-opened' 'pass","text":"trim' 'pass","text":"scrape' 'pass","text":"retry 1'; do
  n=$((n + 1))
  serve "vanishing$n" disk.raw bad=bad.map delay=8ms
  attach_served -r
  begin "$IMAGER" acquire "$loop" --output "vanished$n" "${shape[@]}" --sector-retries 300 --json
  for ((i = 0; i < 3000; i++)); do ! holds "vanished$n/data/image.events.jsonl.part" "\"event\":\"$at" || break; pause 0.01; done
  vanish "vanishing$n"
  ends 6 15
  equal "$(json out .status)" source-lost "vanished in $at"
  nothing_final "vanished$n"
done
