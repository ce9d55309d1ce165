#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# One bag with all that a bag can have, read by the tools that others use: libewf's, coreutils, openssl, ddrescuelog,
# xmllint, jq. None of them knows us.
. "$(dirname "$0")/lib.sh"
requires jq openssl xmllint ewfverify ewfinfo ewfexport
. "$TOP/tests/cli/authority.sh"
. "$TOP/tests/cli/bad_sectors.sh"
xsd=${DFXML_XSD:-$shared/testdata/dfxml_schema/dfxml.xsd}
p7s=tagmanifest-sha256.txt.p7s
certificate examiner ec -pkeyopt ec_paramgen_curve:P-256
stamping_authority

head -c 1500000 /dev/urandom > disk.raw
head -c 1121440 <(seq 1 200000) >> disk.raw
cp disk.raw expected.raw
source=disk.raw want=0
if bad_disk disk.raw '0x0 +\n0x0 0x8000 +\n0x8000 0x400 -\n0x8400 0x277C00 +\n'; then
  source=$loop want=3
  dd if=/dev/zero of=expected.raw bs=512 seek=64 count=2 conv=notrunc status=none
else
  echo "no bad sectors: $why_not"
fi
expect $want "$IMAGER" acquire "$source" --output bag --name ev --segment-size 1MiB --case-number C-1 --evidence-number E-1 --examiner 'J. Ünï' --progress none \
  --sign-key examiner.key --sign-cert examiner.pem
expect 0 "$IMAGER" timestamp bag --request bag.tsq
answers bag.tsq bag.tsr
expect 0 "$IMAGER" timestamp bag --attach bag.tsr
record=bag/data/ev.manifest.json
equal "$(sha256 expected.raw)" "$(json $record .digests.sha256)" "SHA-256 of the medium"

# --- libewf ---
expect 0 ewfverify -q -d sha1,sha256 bag/data/ev.E01
expect 0 ewfverify -d sha256 bag/data/ev.E01
for alg in md5 sha256; do
  grep -qE "$(tr a-z A-Z <<< $alg).*calculated over data:[[:space:]]*$(json $record .digests.$alg)" out || { cat out; fail "ewfverify computes another $alg"; }
done
grep -qE 'MD5 hash stored in file:[[:space:]]*'"$(json $record .digests.md5)" out || { cat out; fail "ewfverify does not find the MD5"; }
guid=$(json $record .image.guid)
identifier=${guid:6:2}${guid:4:2}${guid:2:2}${guid:0:2}-${guid:10:2}${guid:8:2}-${guid:14:2}${guid:12:2}-${guid:16:4}-${guid:20}
expect 0 ewfinfo -d iso8601 bag/data/ev.E01
for line in 'Case number:[[:space:]]*C-1' 'Evidence number:[[:space:]]*E-1' 'Examiner name:[[:space:]]*J. Ünï' 'File format:[[:space:]]*EnCase 6' \
  "MD5:[[:space:]]*$(json $record .digests.md5)" "SHA1:[[:space:]]*$(json $record .digests.sha1)" "SHA256:[[:space:]]*$(json $record .digests.sha256)" \
  "Set identifier:[[:space:]]*$identifier"; do
  grep -qE "$line" out || { cat out; fail "ewfinfo does not show '$line'"; }
done
expect 0 ewfexport -q -u -t exported -f raw bag/data/ev.E01
same exported.raw expected.raw
if [ $want = 3 ]; then
  expect 0 ewfinfo -e bag/data/ev.E01
  grep -qE 'at sector\(s\): 64 - 65 number: 2' out || { cat out; fail "ewfinfo does not show the unreadable sectors"; }
fi

# --- sha256sum ---
(cd bag && sha256sum --strict --quiet -c tagmanifest-sha256.txt && sha256sum --strict --quiet -c manifest-sha256.txt) || fail "sha256sum -c"
while read -r digest offset length; do
  equal "$(tail -c "+$((offset + 1))" expected.raw | head -c "$length" | sha256sum | cut -d' ' -f1)" "$digest" "block at $offset"
done < <(grep -v '^#' bag/data/ev.blocks.sha256)
equal "$(tail -n 1 bag/data/ev.events.jsonl | tr -d '\n' | sha256sum | cut -d' ' -f1)" "$(json $record .events.head_sha256)" "head of the log of events"

# --- openssl: the signature, and the time stamp that was attached to it ---
expect 0 openssl cms -verify -binary -inform DER -in bag/$p7s -content bag/tagmanifest-sha256.txt -CAfile ca.pem -out /dev/null
expect 4 openssl cms -verify -binary -inform DER -in bag/$p7s -content bag/manifest-sha256.txt -CAfile ca.pem -out /dev/null
expect 4 openssl cms -verify -binary -inform DER -in bag/$p7s -content bag/tagmanifest-sha256.txt -CAfile stranger.pem -out /dev/null
expect 0 openssl ts -verify -queryfile bag.tsq -in bag.tsr -CAfile ca.pem
openssl asn1parse -inform DER -in bag/$p7s | grep -B 3 -A 2 timeStampToken > places
value=$(head -n 1 places | cut -d: -f1 | tr -d ' ') token=$(tail -n 1 places | cut -d: -f1 | tr -d ' ')
openssl asn1parse -inform DER -in bag/$p7s -noout -strparse "$value" -out value
openssl asn1parse -inform DER -in bag/$p7s -noout -strparse "$token" -out token
expect 0 openssl ts -verify -token_in -in token -data value -CAfile ca.pem
expect 1 openssl ts -verify -token_in -in token -data disk.raw -CAfile ca.pem

# --- documents ---
for file in bag/data/*.json bag/data/*.jsonld; do jq -e type "$file" > /dev/null || fail "jq does not read $file"; done
[ "$(jq -s length bag/data/ev.events.jsonl)" -gt 5 ] || fail "jq does not read the events"
xmllint --noout bag/data/ev.dfxml || fail "the DFXML is not well-formed"
if [ -e "$xsd" ]; then
  expect 0 xmllint --nonet --noout --schema "$xsd" bag/data/ev.dfxml
  # it must be able to say no
  sed 's,<sector_size>,<sector_size>x,' bag/data/ev.dfxml > wrong.dfxml
  expect 3 xmllint --nonet --noout --schema "$xsd" wrong.dfxml
else
  echo "no schema of DFXML ($xsd): the document is checked for well-formedness only, not against it"
fi
if command -v ddrescuelog > /dev/null; then
  expect 0 ddrescuelog -t bag/data/ev.map
  [ $want = 0 ] || equal "$(ddrescuelog -b 512 -l - bag/data/ev.map | xargs)" "64 65" "bad sectors by ddrescuelog"
else
  echo "no ddrescuelog: the map was not read by it"
fi
