#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Any number of workers writes the same image, given the same GUID and date.
. "$(dirname "$0")/lib.sh"
make_disk 24
for compression in fast best none; do
  for n in 1 2 7; do
    expect 0 "$IMAGER" acquire disk.raw --output "bag$n" --guid 00112233445566778899aabbccddeeff --date 2026-01-02T03:04:05Z \
      --threads $n --compression $compression --progress none
    sha256 "bag$n/data/image.E01" >> digests
    rm -r "bag$n"
  done
  equal "$(sort -u digests | wc -l)" 1 "different images with --compression $compression"
  rm digests
done
