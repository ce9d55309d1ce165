#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Acquisition against dc3dd, which writes raw files: ours stores all ("none"), or compresses and writes less ("fast").
# shellcheck source=tests/bench/lib.sh
. "$(dirname "$0")/lib.sh"
requires dc3dd ewfverify

peer() { timed "$work/peer.log" dc3dd if="$disk" of="$work/peer/raw" hash=md5 hash=sha256 log="$work/peer/log"; }
check_peer()
{
  cmp -s "$disk" "$work/peer/raw" || fail "dc3dd's output isn't the disk"
  grep -q "$digest (sha256)" "$work/peer/log" || fail "dc3dd's log has no SHA-256 of the disk"
}
ours() { our_acquire "$disk" "$compression" md5,sha256; }
check_ours() { check_image "$work/ours/data/image.E01"; }

header
use_disk realistic
for compression in none fast; do in_turn "acquire realistic, $compression, md5,sha256 (peer: dc3dd, raw)"; done
