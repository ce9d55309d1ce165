#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Acquisition against ewfacquire, verification against ewfverify; both images must verify and hold the same bytes.
# The time of ours is that of acquire --no-verify, since ewfacquire does not verify either.
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
    if [ "$setting" = fast:md5,sha256 ]; then
      echo "  image size: $(du -cb "$work"/ours/data/*.E* | tail -n 1 | cut -f1) ours, $(du -cb "$work"/peer/* | tail -n 1 | cut -f1) peer"
      [ "$(ewfexport -u -q -t - -f raw "$work"/ours/data/image.E01 2> /dev/null | sha256sum)" = "$(sha256sum < "$disk")" ] || { echo "bench: our image differs" >&2; exit 1; }
      rm -f "$work"/*.log
      for ((i = 0; i < rounds; i++)); do
        timed "$work/peer.log" ewfverify -q -d sha256 "$work/ours/data/image.E01"
        timed "$work/ours.log" "$imager" verify "$work/ours/data/image.E01" --progress none
      done
      row "verify $kind, md5,sha256" "$work/peer.log" "$work/ours.log" "$bytes"
    fi
  done
  rm -f "$disk"
done
