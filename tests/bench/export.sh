#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# An image back to raw, against ewfexport (which makes the MD5 meanwhile and doesn't read back).
# shellcheck source=tests/bench/lib.sh
. "$(dirname "$0")/lib.sh"
requires ewfexport ewfverify
"$imager" export --help > /dev/null 2>&1 || skip "$imager has no command export"

image=$work/bag/data/image.E01
peer() { timed "$work/peer.log" ewfexport -u -q -t "$work/peer/raw" -f raw "$image"; }
check_peer() { cmp -s "$disk" "$work/peer/raw.raw" || fail "ewfexport's output isn't the disk"; }
ours()
{
  mkdir "$work/ours"
  timed "$work/ours.log" "$imager" export "$image" --output "$work/ours/raw" --no-verify --progress none
}
check_ours() { cmp -s "$disk" "$work/ours/raw" || fail "our output isn't the disk"; }

header
use_disk realistic
quietly "$imager" acquire "$disk" --output "$work/bag" --hash md5,sha256 "${like_peer[@]}"
check_image "$image"
in_turn "export realistic to raw"
