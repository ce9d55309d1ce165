#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# An output that changes a bit and says nothing: reading back finds it, says where, and no image gets its final name.
. "$(dirname "$0")/../cli/lib.sh"
requires jq
shim=${SHIM:?}
head -c 3000000 /dev/urandom > disk.raw
truncate -s 8M disk.raw

# lies N: acquires onto a disk whose N-th large write goes wrong
lies()
{
  local got=0
  rm -rf bag
  env FAIL_CALL=lie FAIL_N="$1" FAIL_UNDER="$scratch/bag" FAIL_LOG="$scratch/count" LD_PRELOAD="$shim" \
    "$IMAGER" acquire disk.raw --output "$scratch/bag" --segment-size 1MiB --compression none --progress none --json > stdout 2> err || got=$?
  echo $got
}

equal "$(lies 0)" 0 "without a lie"
[ "$(cat count)" -ge 256 ] || fail "only $(cat count) large writes"

# each chunk is one large write: the 40th holds sectors 2496 to 2559
equal "$(lies 40)" 4 "exit code"
says 'E02.part: damaged from chunk 39 to 39 .sectors 2496 to 2559'
equal "$(json stdout .status)" mismatch
equal "$(json stdout .verification.result)" mismatch
nothing_final bag
grep -q '"difference".*chunk 39' bag/data/image.events.jsonl || fail "the place is not in the log of events"
grep -q '"difference".*between bytes 1048576 and 2097151' bag/data/image.events.jsonl || fail "the block is not in the log of events"

# without block digests the chunk is still found
"$IMAGER" acquire disk.raw --output whole --segment-size 1MiB --compression none --no-block-digests --progress none 2> err || fail "$(cat err)"
printf '\xff\xfe' | dd of=whole/data/image.E03 bs=1 seek=500000 conv=notrunc status=none
expect 4 "$IMAGER" verify whole/data/image.E01 --progress none
grep -q 'E03: damaged from chunk' out err || fail "the damaged chunk is not named"
