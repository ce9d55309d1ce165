#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Output that is full, refused or interrupted: the right exit code, and nothing under a final name.
. "$(dirname "$0")/lib.sh"
requires jq
head -c 16000000 /dev/urandom > disk.raw
truncate -s 16M disk.raw

# interrupted
head -c 400000000 /dev/urandom > large.raw
"$IMAGER" acquire large.raw --output stopped --progress none --compression best --threads 1 --json > stopped.json 2> stopped.err &
pid=$!
sleep 0.5
kill -INT $pid
got=0; wait $pid || got=$?
equal $got 75 "exit code after SIGINT"
equal "$(json stopped.json .status)" interrupted
nothing_final stopped
rm large.raw
# no program takes for an image what has the extension of one, whatever was complete when it ended
requires ewfinfo ewfverify img_stat
seen=0
for f in stopped/data/*.E[0-9][0-9]; do
  [ -e "$f" ] || continue
  seen=1
  if ewfinfo "$f" > /dev/null 2>&1; then fail "ewfinfo opens $f"; fi
  if ewfverify -q "$f" > /dev/null 2>&1; then fail "ewfverify opens $f"; fi
  if img_stat "$f" 2> /dev/null | grep -q ewf; then fail "img_stat opens $f"; fi
done
[ $seen = 1 ] || fail "no segment was being written"

# a folder that can't be written
[ "$(id -u)" = 0 ] || { mkdir ro; chmod 500 ro; expect 5 "$IMAGER" acquire disk.raw --output ro/bag --progress none; }
expect 5 "$IMAGER" acquire disk.raw --output /proc/no/such/bag --progress none
says '/proc/no'

[ "$(id -u)" = 0 ] || skip "a full disk needs root (the rest passed)"
mkdir small
mount -t tmpfs -o size=4m tmpfs small
at_exit umount "$scratch/small"
expect 5 "$IMAGER" acquire disk.raw --output small/bag --progress none --json
says 'small'
nothing_final small
