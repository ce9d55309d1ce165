#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The demo of the README, twice in a row.
. "$(dirname "$0")/lib.sh"
(apt-get download -q wordpress > /dev/null 2>&1) || skip "the wordpress package can't be fetched here"
expect 0 "$TOP/scripts/demo" "$scratch/demo"
grep -q 'All 4 planted files were found' out || fail "the demo does not say what it found"
[ -s demo/case/report.html ] || fail "no report"
expect 0 "$TOP/scripts/demo" "$scratch/demo"
mkdir other; touch other/mine
expect 2 "$TOP/scripts/demo" "$scratch/other"
[ -e other/mine ] || fail "the demo removed somebody's folder"
