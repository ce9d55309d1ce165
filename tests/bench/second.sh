#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What a second output costs: the same acquisition with one bag and with two.
# shellcheck source=tests/bench/lib.sh
. "$(dirname "$0")/lib.sh"
requires ewfverify

peer() { timed "$work/peer.log" "$imager" acquire "$disk" --output "$work/peer/bag" --hash "$digests" "${like_peer[@]}"; }
check_peer() { check_image "$work/peer/bag/data/image.E01"; }
ours()
{
  mkdir "$work/ours"
  timed "$work/ours.log" "$imager" acquire "$disk" --output "$work/ours/1" --second-output "$work/ours/2" --hash "$digests" "${like_peer[@]}"
}
check_ours() { check_image "$work/ours/1/data/image.E01"; check_image "$work/ours/2/data/image.E01"; }

header "1 output" "2 outputs"
use_disk realistic
for digests in md5,sha256 sha256; do in_turn "acquire realistic, fast, $digests"; done
