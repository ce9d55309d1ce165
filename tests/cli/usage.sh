#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Wrong usage: one sentence, exit 2. Help and version: standard output, exit 0.
. "$(dirname "$0")/lib.sh"
requires jq
: > file
for program in "$IMAGER" "$ANALYZER"; do
  expect 0 "$program" --help; [ -s out ] && [ ! -s err ] || fail "$program --help"
  expect 0 "$program" --version
  expect 2 "$program"
  expect 2 "$program" nonsense; says_once nonsense
  expect 2 "$program" info --no-such-option file; says_once no-such-option
  expect 2 "$program" info; says_once info
done
expect 2 "$IMAGER" acquire file; says_once output
expect 2 "$IMAGER" acquire; says_once acquire
expect 2 "$IMAGER" acquire file --output bag --hash whirlpool; says_once whirlpool
expect 2 "$IMAGER" acquire file --output bag --compression zip; says_once zip
expect 2 "$IMAGER" acquire file --output bag --segment-size tiny; says_once tiny
expect 2 "$IMAGER" acquire file --output bag --progress loud; says_once loud
expect 2 "$IMAGER" acquire file --output bag --thr 2; says_once thr
expect 2 "$IMAGER" acquire file --output bag --name ../up; says_once name
expect 2 "$IMAGER" acquire one two --output bag; says_once two
expect 2 "$ANALYZER" timeline file --format papyrus; says_once papyrus
expect 2 "$ANALYZER" timeline file --format body --from yesterday; says_once yesterday
expect 2 "$ANALYZER" hashes file --format crc; says_once crc
expect 2 "$ANALYZER" timeline file --format body --cache 1K; says_once cache
expect 2 "$ANALYZER" ls file --cache 2T; says_once cache
expect 2 "$ANALYZER" run file; says_once output
[ ! -e bag ] || fail "a bag was made"
# a full standard output is an output error
make_disk 16
got=0; "$ANALYZER" timeline disk.raw --format body > /dev/full 2> err || got=$?
equal $got 5 "exit code with a full standard output"
