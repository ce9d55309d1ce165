#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Acquisition against ewfacquire. Both images must verify and hold the bytes of the disk.
# shellcheck source=tests/bench/lib.sh
. "$(dirname "$0")/lib.sh"
requires ewfacquire ewfverify

peer() { ewf_acquire "$disk" "$compression"; }
check_peer() { check_image "$work/peer/image.E01"; peer_size=$(image_size "$work/peer"); }
ours() { our_acquire "$disk" "$compression" "$digests"; }
check_ours() { check_image "$work/ours/data/image.E01"; our_size=$(image_size "$work/ours/data"); }

sizes=()
# against COMPRESSION DIGESTS TARGET
against()
{
  compression=$1 digests=$2
  in_turn "acquire $kind, $1, $2" "$3"
  sizes+=("$(awk -v k="$kind, $1, $2" -v p="$peer_size" -v o="$our_size" 'BEGIN { printf "%s: %.0f / %.0f = %.4f (at most 1.005: %s)", k, o, p, o / p, o / p <= 1.005 ? "yes" : "no" }')")
}

header
kind=realistic
use_disk realistic
against fast md5,sha256 5.0
against fast sha1,sha256 7.0
against fast sha256 9.0
against none md5,sha256 1.6

# What an examiner does who also wants the image read back: our defaults (all digests, those of the blocks among them).
peer()
{
  # shellcheck disable=SC2016 # the inner shell's
  timed "$work/peer.log" bash -c 'ewfacquire "${@:3}" -c fast -t "$1/image" "$2" && ewfverify -q -d sha256 "$1/image.E01"' - \
    "$work/peer" "$disk" "${ewf_options[@]}"
}
ours() { timed "$work/ours.log" "$imager" acquire "$disk" --output "$work/ours" --progress none; }
in_turn "acquire realistic, our defaults, read back (peer: ewfacquire -d sha256, then ewfverify -d sha256)"

peer() { ewf_acquire "$disk" "$compression"; }
ours() { our_acquire "$disk" "$compression" "$digests"; }
for pair in zeros:1.8 random:8.0; do
  kind=${pair%:*}
  use_disk "$kind"
  against fast md5,sha256 "${pair#*:}"
done

echo
echo "Image size, ours / peer:"
printf -- '- %s\n' "${sizes[@]}"
echo
peak
