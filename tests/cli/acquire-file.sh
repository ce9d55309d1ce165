#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A raw file becomes a bag that stock tools accept, and holds exactly the bytes of the source.
. "$(dirname "$0")/lib.sh"
requires ewfverify ewfinfo ewfexport fls jq
make_disk
before=$(sha256 disk.raw)

expect 0 "$IMAGER" acquire disk.raw --output bag --name ev1 --case-number C-1 --evidence-number 7 --examiner "Jürgen Ünï" \
  --description $'two\tfields\nhere' --notes n --progress none --json
cp out manifest.json
equal "$(json manifest.json .schema)" exhibit.acquisition/1
equal "$(json manifest.json .status)" complete
equal "$(json manifest.json .digests.sha256)" "$before" "SHA-256"
equal "$(json manifest.json .digests.md5)" "$(md5sum disk.raw | cut -d' ' -f1)" MD5
equal "$(json manifest.json .digests.sha1)" "$(sha1sum disk.raw | cut -d' ' -f1)" SHA-1
equal "$(json manifest.json .media.bytes)" "$(stat -c %s disk.raw)"
equal "$(json manifest.json .verification.result)" match
equal "$(json manifest.json '.unreadable | length')" 0
jq -S . manifest.json > a; jq -S . bag/data/ev1.manifest.json > b; same a b

equal "$(sha256 disk.raw)" "$before" "the source"
for file in bagit.txt bag-info.txt manifest-sha256.txt tagmanifest-sha256.txt data/ev1.E01 data/ev1.manifest.json \
  data/ev1.blocks.sha256 data/ev1.map data/ev1.events.jsonl data/ev1.report.txt \
  data/ev1.dfxml data/ev1.case.jsonld data/ev1.certificate.txt; do
  [ -s "bag/$file" ] || fail "no bag/$file"
done
[ -z "$(find bag -name '*.part*')" ] || fail "a .part file is left"
(cd bag && sha256sum -c --quiet manifest-sha256.txt && sha256sum -c --quiet tagmanifest-sha256.txt) || fail "sha256sum -c"

ewfverify -q -d sha256 bag/data/ev1.E01 > verify.txt || { cat verify.txt; fail ewfverify; }
ewfverify -q bag/data/ev1.E01 > plain.txt 2>&1 || { cat plain.txt; fail "ewfverify without options"; }
grep -q SUCCESS verify.txt && grep -q SUCCESS plain.txt || fail "ewfverify does not say SUCCESS"
ewfinfo bag/data/ev1.E01 > info.txt
grep -q 'Case number:.*C-1' info.txt || fail "case number in ewfinfo"
grep -q 'Examiner name:.*Jürgen Ünï' info.txt || fail "examiner in ewfinfo"
grep -q 'Description:.*two fields here' info.txt || { cat info.txt; fail "a tab or newline in the description shifted fields"; }
grep -q "SHA256:.*$before" info.txt || fail "SHA-256 is not in the image"
ewfexport -q -u -t export -f raw bag/data/ev1.E01 > /dev/null 2>&1 || fail ewfexport
equal "$(sha256 export.raw)" "$before" "ewfexport"

fls -r -o 2048 disk.raw > fls.raw
fls -r -o 2048 bag/data/ev1.E01 > fls.e01
same fls.raw fls.e01
[ "$(wc -l < fls.raw)" -gt 50 ] || fail "fls listed too little"

# blocks: digest of each MiB
dd if=disk.raw bs=1M skip=3 count=1 status=none | sha256sum | cut -d' ' -f1 > third
grep -q "^$(cat third)" bag/data/ev1.blocks.sha256 || fail "digest of block 3"
equal "$(grep -vc '^#' bag/data/ev1.blocks.sha256)" 32 "number of blocks"

# none of them where they are not asked for
expect 0 "$IMAGER" acquire disk.raw --output plain --no-block-digests --progress none --json
equal "$(json out .blocks)" null
equal "$(json out .verification.result)" match
[ ! -e plain/data/image.blocks.sha256 ] || fail "block digests were made"
! grep -q blocks.sha256 plain/VERIFY.txt || fail "VERIFY.txt names a file that is not there"
expect 0 "$IMAGER" verify plain --progress none

expect 0 "$IMAGER" verify bag --progress none
expect 0 "$IMAGER" verify bag/data/ev1.E01 --progress none --json
equal "$(json out .result)" match
expect 0 "$IMAGER" info bag --json
equal "$(json out .schema)" exhibit.image/1
expect 0 "$IMAGER" info bag/data/ev1.E01
grep -q C-1 out || fail "info shows no case number"

# the bag must be new
expect 2 "$IMAGER" acquire disk.raw --output bag --progress none
says "bag"
