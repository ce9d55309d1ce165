#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Whole operations in which each n-th write, fsync, rename, create or close of the output fails in turn: exit code 5, one
# sentence, and nothing under a final name that is not complete.
. "$(dirname "$0")/../cli/lib.sh"
shim=${SHIM:?}
# the loader is told to preload into ours alone
faulty() { local call=$1 n=$2; shift 2; env FAIL_CALL="$call" FAIL_N="$n" FAIL_UNDER="$scratch/out" FAIL_LOG="$scratch/count" FAIL_ERRNO=28 LD_PRELOAD="$shim" "$@"; }

head -c 1200000 /dev/urandom > disk.raw
truncate -s 2M disk.raw
"$TOP/tests/cases/hacked-wordpress/make.sh" server.raw

# rounds CALL COMMAND...: lets each call fail once (evenly chosen ones if there are many), until none is left
rounds()
{
  local call=$1 total n=1 step got
  shift
  rm -rf out; mkdir out
  faulty "$call" 0 "$@" > /dev/null 2> err || fail "without a fault: $(cat err)"
  total=$(cat count)
  [ "$total" -gt 0 ] || fail "'$*' made no $call below its output"
  step=$(((total + 11) / 12))
  while [ $n -le "$total" ]; do
    rm -rf out; mkdir out
    got=0; faulty "$call" $n "$@" > stdout 2> err || got=$?
    [ $got = 5 ] || { cat err; fail "$call $n of $total of '$*' failed, exit code $got and not 5"; }
    [ -s err ] || fail "$call $n: no message"
    nothing_complete "$call $n of $total"
    n=$((n + step))
  done
  echo "$total calls of $call in ${1##*/} $2: $(((total + step - 1) / step)) failed in turn"
}

# What has its final name must be whole: the last calls fail when everything was written already.
nothing_complete()
{
  if [ -e out/data/image.E01 ]; then "$IMAGER" verify out/data/image.E01 --progress none > /dev/null 2>&1 || fail "$1: the image is not whole"; fi
  if [ -e out/tagmanifest-sha256.txt ]; then "$IMAGER" verify out --progress none > /dev/null 2>&1 || fail "$1: the bag is not whole"; fi
}
for call in create write sync rename close; do
  rounds $call "$IMAGER" acquire disk.raw --output "$scratch/out" --segment-size 1MiB --progress none
done
"$IMAGER" acquire disk.raw --output image --progress none 2> err || fail "$(cat err)"
nothing_complete()
{
  [ -z "$(ls out)" ] || fail "$1: left behind: $(ls out)"
}
for call in create write sync rename close; do
  rounds $call "$IMAGER" export image --output "$scratch/out/copy.raw" --progress none
done
nothing_complete()
{
  if [ -e out/manifest-sha256.txt ]; then (cd out && sha256sum -c --quiet manifest-sha256.txt) || fail "$1: the case is not whole"; fi
}
for call in create write sync rename; do
  rounds $call "$ANALYZER" run server.raw --output "$scratch/out" --progress none
done
