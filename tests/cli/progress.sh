#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Progress: JSON lines on standard error, a status file, and standard output that carries data only.
. "$(dirname "$0")/lib.sh"
requires jq
head -c 60000000 /dev/urandom > disk.raw
truncate -s 64M disk.raw
expect 0 "$IMAGER" acquire disk.raw --output bag --progress json --status-file status.json
[ ! -s out ] || fail "acquire without --json wrote to standard output"
grep '^{' err > lines
[ "$(wc -l < lines)" -ge 2 ] || fail "too few progress records"
jq -e 'select(.schema != "exhibit.progress/1" or (.done | type) != "number" or (.phase | type) != "string")' lines > bad || true
[ ! -s bad ] || fail "malformed progress record"
jq -r .phase lines | grep -qx acquire || fail "no phase acquire"
jq -r .phase lines | grep -qx verify || fail "no phase verify"
jq -e .schema status.json > /dev/null || fail "status file"
expect 0 "$IMAGER" verify bag --progress plain
grep -qi 'verify' err || fail "no plain progress line"
expect 0 "$IMAGER" verify bag --progress none --json
jq -e . out > /dev/null || fail "standard output is not JSON"
