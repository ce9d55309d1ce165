#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Verification of one image by ewfverify and by us. What is in the image decides which digests ours makes; ewfverify
# always makes MD5, and SHA-256 on demand.
# shellcheck source=tests/bench/lib.sh
. "$(dirname "$0")/lib.sh"
requires ewfverify

image=$work/bag/data/image.E01
peer() { timed "$work/peer.log" ewfverify -q -d sha256 "$image"; }
check_peer() { grep -q '^ewfverify: SUCCESS' "$work/out" || fail "ewfverify doesn't say SUCCESS"; }
ours() { timed "$work/ours.log" "$imager" verify "$image" --progress none; }
check_ours() { :; } # its exit status said it

header
use_disk realistic
for pair in md5,sha256:2.4 sha256:4.8; do
  digests=${pair%:*}
  quietly "$imager" acquire "$disk" --output "$work/bag" --hash "$digests" "${like_peer[@]}"
  check_image "$image"
  in_turn "verify realistic, $digests (peer: md5,sha256)" "${pair#*:}"
  rm -rf "$work/bag"
done
echo
peak
