#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Acquisition against ewfacquire, verification against ewfverify; both images must verify and hold the same bytes.
# Ours runs with --no-verify, since ewfacquire does not read back either.
. "$(dirname "$0")/lib.sh"

peer() # COMPRESSION DISK
{
  rm -rf "$work/peer" && mkdir "$work/peer"
  timed "$work/peer.log" ewfacquire -u -q -t "$work/peer/image" -f encase6 -c "$1" -S 1.9GiB -d sha256 -C c -D d -e e -E 1 -N n -m fixed -M physical "$2"
}
ours() # COMPRESSION DISK HASHES
{
  rm -rf "$work/ours"
  timed "$work/ours.log" "$imager" acquire "$2" --output "$work/ours" --compression "$1" --hash "$3" --no-verify --progress none
}
# same_bytes IMAGE DISK: the peer's own verifier decodes IMAGE to the bytes of DISK
same_bytes()
{
  ewfverify -q -d sha256 "$1" > "$work/verified" && grep -q "calculated over data:.*$(sha256sum < "$2" | cut -d' ' -f1)" "$work/verified" ||
    { echo "bench: $1 does not hold $2" >&2; exit 1; }
}
verify_rounds() # WHAT DISK
{
  local bytes
  bytes=$(stat -c %s "$2")
  rm -f "$work"/*.log
  for ((i = 0; i < rounds; i++)); do
    timed "$work/peer.log" ewfverify -q -d sha256 "$work/ours/data/image.E01"
    timed "$work/ours.log" "$imager" verify "$work/ours/data/image.E01" --progress none
  done
  row "$1" "$work/peer.log" "$work/ours.log" "$bytes"
}

header
for kind in realistic zeros random; do
  disk=$work/$kind.raw
  "disk_$kind" "$disk"
  bytes=$(stat -c %s "$disk")
  for setting in fast:md5,sha256 fast:sha1,sha256 fast:sha256 none:md5,sha256; do
    compression=${setting%%:*} hashes=${setting#*:}
    rm -f "$work"/*.log
    for ((i = 0; i < rounds; i++)); do
      peer "$compression" "$disk"
      ours "$compression" "$disk" "$hashes"
    done
    row "acquire $kind, $compression, $hashes" "$work/peer.log" "$work/ours.log" "$bytes"
    case $setting in
      fast:md5,sha256)
        same_bytes "$work/ours/data/image.E01" "$disk"
        echo "  image size, ours / peer: $(du -cb "$work"/ours/data/*.E* | tail -n 1 | cut -f1) / $(du -cb "$work"/peer/* | tail -n 1 | cut -f1)"
        verify_rounds "verify $kind, md5,sha256" "$disk"
        ;;
      fast:sha256) verify_rounds "verify $kind, sha256 (peer: md5,sha256)" "$disk" ;;
    esac
  done
  rm -f "$disk"
done
