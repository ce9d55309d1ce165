#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The trace of requests by the kernel is in the record, and is ended and taken away however the acquisition ends.
. "$(dirname "$0")/lib.sh"
requires_root
requires jq
tracing=/sys/kernel/tracing
if ! [ -d $tracing/instances ]; then
  mount -t tracefs none $tracing 2> /dev/null || skip "tracefs can't be mounted"
  at_exit umount -l $tracing
fi
instances() { find $tracing/instances -mindepth 1 -maxdepth 1 -name "exhibit-$1-*"; }
head -c 6000000 /dev/urandom > disk.raw
truncate -s 200M disk.raw
attach disk.raw

expect 0 "$IMAGER" acquire "$loop" --output quiet --progress none --json
equal "$(jq -c '.write_block.trace | [.complete, .non_reads, .lost]' out)" '[true,0,0]' "trace of an undisturbed acquisition"
equal "$(json out .write_block.samples_differ)" false
grep -q '^Trace of requests: *0' quiet/data/image.report.txt || fail "the report does not tell of the trace"

# somebody syncs the disk meanwhile: no sector can change, but it is seen
"$IMAGER" acquire "$loop" --output synced --compression best --progress none --json > synced.json 2> err & pid=$!
for _ in $(seq 200); do [ "$(blockdev --getro "$loop")" = 1 ] && break; sleep 0.02; done
python3 -c "import os, sys; fd = os.open(sys.argv[1], os.O_RDONLY); os.fsync(fd)" "$loop" || true
got=0; wait $pid || got=$?
equal $got 0
equal "$(json synced.json .write_block.trace.complete)" true
[ "$(json synced.json .write_block.trace.non_reads)" -gt 0 ] || fail "a flush by another program is not in the trace"
jq -r '.write_block.trace.processes[]' synced.json > names
grep -q python names || { cat names; fail "the trace does not name who did it"; }
equal "$(json synced.json .write_block.writes_seen)" 0

# killed: the guardian ends the trace and the write block
"$IMAGER" acquire "$loop" --output killed --compression best --progress none > /dev/null 2>&1 & pid=$!
# the guardian is there before the first segment
for _ in $(seq 400); do [ -e killed/data/image.writing.E01 ] && break; sleep 0.02; done
equal "$(blockdev --getro "$loop")" 1 "read-only flag before SIGKILL"
[ -n "$(instances $pid)" ] || fail "there is no trace of process $pid"
kill -KILL $pid
wait $pid || true
for _ in $(seq 200); do [ "$(blockdev --getro "$loop")" = 0 ] && [ -z "$(instances $pid)" ] && break; sleep 0.02; done
equal "$(blockdev --getro "$loop")" 0 "read-only flag after SIGKILL"
[ -z "$(instances $pid)" ] || fail "the trace outlives the program"
