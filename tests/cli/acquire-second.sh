#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Two bags in one pass: the same image in both; one that can't be written leaves the other complete.
. "$(dirname "$0")/lib.sh"
requires jq
head -c 12000000 /dev/urandom > disk.raw
truncate -s 16000100 disk.raw # not whole sectors: padded
source_sha256=$(sha256 disk.raw)

# is_complete BAG OTHER-STATUS: sealed, verified, and it tells what became of the other one
is_complete()
{
  expect 0 "$IMAGER" verify "$1" --progress none
  (cd "$1" && sha256sum -c --quiet manifest-sha256.txt && sha256sum -c --quiet tagmanifest-sha256.txt) || fail "sha256sum -c in $1"
  equal "$(json "$1/data/image.manifest.json" .status)" complete "status of $1"
  equal "$(json "$1/data/image.manifest.json" .verification.result)" match "verification of $1"
  equal "$(json "$1/data/image.manifest.json" .digests.sha256)" "$source_sha256" "digest in $1"
  equal "$(jq -c --arg own "$1" '[.outputs[] | select(.path != $own).status]' "$1/data/image.manifest.json")" "[\"$2\"]" "the other output in $1"
  equal "$(jq -c --arg own "$1" '[.outputs[] | select(.path == $own) | .status, .error]' "$1/data/image.manifest.json")" '["complete",null]' "$1 in itself"
  equal "$(tail -n 1 "$1/data/image.events.jsonl" | tr -d '\n' | sha256sum | cut -d' ' -f1)" \
    "$(json "$1/data/image.manifest.json" .events.head_sha256)" "head of the events of $1"
  [ -z "$(find "$1" -name '*.part*')" ] || fail "a .part file is left in $1"
}

# both
expect 0 "$IMAGER" acquire disk.raw --output one --second-output two --segment-size 4MiB --progress none --json
equal "$(json out .status)" complete
is_complete one complete
is_complete two complete
equal "$(jq -c '[.outputs[].path]' two/data/image.manifest.json)" '["one","two"]' outputs
names=$(cd one/data && ls)
equal "$(cd two/data && ls)" "$names" "files of the second bag"
[ -e one/data/image.E03 ] || fail "not several segments"
for file in one/data/*.E[0-9][0-9] one/data/*.blocks.sha256 one/data/*.map; do same "$file" "two/data/${file##*/}"; done
# and no other than a lone one
guid=$(json one/data/image.manifest.json .image.guid)
expect 0 "$IMAGER" acquire disk.raw --output a --second-output b --guid "$guid" --date 2026-09-01T00:00:00Z --progress none
expect 0 "$IMAGER" acquire disk.raw --output c --guid "$guid" --date 2026-09-01T00:00:00Z --progress none
same a/data/image.E01 c/data/image.E01
same b/data/image.E01 c/data/image.E01

# usage: nothing may be created
mkdir real full
ln -s real link
touch full/x
for pair in "new new" "new ./new" "new real/../new" "real link" "link/new real/new" "new new/data/inner" "new/inner new" "new full" "full new" "new one"; do
  # shellcheck disable=SC2086 # two words
  set -- $pair
  expect 2 "$IMAGER" acquire disk.raw --output "$1" --second-output "$2" --progress none
  says_once "$(basename "$1")|$(basename "$2")"
  [ ! -e new ] || fail "'$pair' left something behind"
  [ -z "$(ls real)" ] && equal "$(ls full)" x "$pair" || fail "'$pair' left something behind"
done
expect 2 "$IMAGER" acquire disk.raw --output new --second-output "" --progress none
expect 2 "$IMAGER" acquire disk.raw --output new --second-output new --dry-run
expect 5 "$IMAGER" acquire disk.raw --output new --second-output /proc/no/such/bag --progress none
[ ! -e new ] || fail "a bag was begun though the other can't be"
expect 0 "$IMAGER" acquire disk.raw --output new --second-output new2 --dry-run --json
equal "$(json out .second_output.bag)" new2
[ ! -e new ] && [ ! -e new2 ] || fail "the dry run created something"

# interrupted: neither is complete
head -c 200000000 /dev/urandom > large.raw
"$IMAGER" acquire large.raw --output stopped --second-output stopped2 --progress none --compression best --threads 1 --json > out 2> err &
pid=$!
sleep 0.5
kill -INT $pid
got=0; wait $pid || got=$?
equal $got 75 "exit code after SIGINT"
equal "$(jq -c '[.outputs[].status]' out)" '["interrupted","interrupted"]'
nothing_final stopped
nothing_final stopped2

# one is lost in mid-work
[ "$(id -u)" = 0 ] || skip "a full disk needs root (the rest passed)"
mkdir small
mount -t tmpfs -o size=5m tmpfs small
at_exit umount "$scratch/small"
# lost WHOLE LOST: what is said of the two
lost()
{
  says "$2"
  nothing_final "$2"
  ls "$2"/data/image*.E01* > /dev/null 2>&1 || fail "no partial image in $2"
  is_complete "$1" output-failed
  [ "$(jq -r --arg lost "$2" '.outputs[] | select(.path == $lost).error' "$1/data/image.manifest.json")" != null ] || fail "$1 does not say why $2 was lost"
  grep -q '"event":"output-ended".*No space left' "$1/data/image.events.jsonl" || fail "the events of $1 don't tell of the loss"
  grep -q 'No space left' "$1/data/image.report.txt" || fail "the report of $1 does not tell of the loss"
}
expect 5 "$IMAGER" acquire disk.raw --output good --second-output small/bag --progress none --json
equal "$(json out .status)" complete "the record that is printed"
lost good small/bag
rm -rf small/bag
expect 5 "$IMAGER" acquire disk.raw --output small/bag --second-output good2 --progress none --json
equal "$(json out .status)" complete "the record that is printed"
lost good2 small/bag
# both: at once, and not after the whole source
rm -rf small/bag
expect 5 "$IMAGER" acquire large.raw --output small/bag --second-output small/bag2 --progress none --json
equal "$(jq -c '[.outputs[].status]' out)" '["output-failed","output-failed"]'
[ "$(json out .media.read_bytes)" -lt 100000000 ] || fail "the source was read on without an output"
nothing_final small
