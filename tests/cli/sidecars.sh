#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The files beside an image for other programs and for court: DFXML, CASE/UCO and the form of a certificate say what
# the record says. The schema of DFXML is no part of this tree: it is used if $DFXML_XSD names it.
. "$(dirname "$0")/lib.sh"
requires jq xmllint
xsd=${DFXML_XSD:-$shared/testdata/dfxml_schema/dfxml.xsd}
[ -e "$xsd" ] || echo "no schema of DFXML ($xsd): documents are checked for well-formedness only, not against it"

# xml FILE XPATH: its text. The names of elements are those of DFXML, without a prefix.
xml() { xmllint --xpath "string($(steps "$2"))" "$1"; }
# number_of FILE XPATH: how many there are
number_of() { xmllint --xpath "count($(steps "$2"))" "$1"; }
steps() { sed -E 's|/([a-z_]+)|/*[local-name()="\1"]|g' <<< "$1"; }
role() { echo "//*[local-name()=\"byte_run\"][@*[local-name()=\"role\"]=\"$1\"]"; }
# digest FILE ROLE ALGORITHM: of the byte run with that role
digest() { xmllint --xpath "string($(role "$2")/*[local-name()=\"hashdigest\"][@type=\"$3\"])" "$1"; }

# check_dfxml BAG NAME: valid, and as the record
check_dfxml()
{
  local file=$1/data/$2.dfxml record=$1/data/$2.manifest.json
  xmllint --noout "$file" 2> err || { cat err; fail "$file is not well-formed"; }
  if [ -e "$xsd" ]; then
    xmllint --nonet --noout --schema "$xsd" "$file" > err 2>&1 || { cat err; fail "$file is not valid"; }
  fi
  for alg in sha256 sha1 md5; do
    equal "$(digest "$file" medium $alg)" "$(json "$record" ".digests.$alg // \"\"")" "$alg of the medium in $file"
    equal "$(digest "$file" padded-medium $alg)" "$(json "$record" ".padded_digests.$alg // \"\"")" "$alg of the padded medium in $file"
  done
  equal "$(xml "$file" /dfxml/diskimageobject/status)" "$(json "$record" .status)" "status in $file"
  equal "$(xml "$file" /dfxml/diskimageobject/sector_size)" "$(json "$record" .media.sector_bytes)" "sector size in $file"
  equal "$(xml "$file" /dfxml/diskimageobject/device/size)" "$(json "$record" .media.bytes)" "size in $file"
  equal "$(xml "$file" /dfxml/diskimageobject/image/guid)" "$(json "$record" .image.guid)" "GUID in $file"
  equal "$(xml "$file" /dfxml/creator/execution_environment/start_time)" "$(json "$record" .clock.start)" "start in $file"
  equal "$(xml "$file" /dfxml/creator/version)" "$(json "$record" .tool.version)" "version in $file"
  equal "$(for ((i = 1; i <= $(number_of "$file" /dfxml/fileobject); i++)); do
      echo "$(xml "$file" "/dfxml/fileobject[$i]/filename") $(xml "$file" "/dfxml/fileobject[$i]/filesize") $(xml "$file" "/dfxml/fileobject[$i]/hashdigest")"
    done)" "$(json "$record" '.segments[] | "\(.name) \(.bytes) \(.sha256)"')" "segments in $file"
  equal "$(xmllint --xpath "count($(role unreadable))" "$file")" "$(json "$record" '.unreadable | length')" "unreadable ranges in $file"
  for ((i = 1; i <= $(json "$record" '.unreadable | length'); i++)); do
    equal "$(xmllint --xpath "concat(($(role unreadable))[$i]/@img_offset div 512, ' ', ($(role unreadable))[$i]/@len div 512)" "$file")" \
      "$(json "$record" ".unreadable[$i - 1] | \"\(.[0]) \(.[1])\"")" "unreadable range $i in $file"
  done
}

# node FILE TYPE: the nodes of a type in the graph
node() { jq --arg type "$2" '.["@graph"][] | select(.["@type"] == $type)' "$1"; }
# hash_of METHOD: out of a node on standard input
hash_of()
{
  jq -r --arg method "$1" '.["uco-core:hasFacet"][] | select(.["@type"] == "uco-observable:ContentDataFacet")["uco-observable:hash"][]?
    | select(.["uco-types:hashMethod"] == $method)["uco-types:hashValue"]["@value"]'
}
# check_case BAG NAME
check_case()
{
  local file=$1/data/$2.case.jsonld record=$1/data/$2.manifest.json set=digests
  equal "$(jq -c '[.. | objects | select(has("@id"))] | (map(select(length == 1)["@id"]) - map(select(length > 1)["@id"]))' "$file")" '[]' "references to nothing in $file"
  equal "$(jq -c '[.. | objects | select(length > 1)["@id"] // empty] | length - (unique | length)' "$file")" 0 "nodes defined twice in $file"
  equal "$(jq -c '([.. | objects | keys[] | select(startswith("@") | not) | split(":")[0]] | unique) - (.["@context"] | keys)' "$file")" '[]' "prefixes in $file"
  equal "$(node "$file" uco-tool:Tool | jq -r '.["uco-tool:version"]')" "$(json "$record" .tool.version)" "version in $file"
  equal "$(node "$file" case-investigation:InvestigativeAction | jq -r '.["uco-action:startTime"]["@value"]')" "$(json "$record" .clock.start)" "start in $file"
  [ "$(json "$record" 'has("padded_digests")')" = false ] || set=padded_digests
  for pair in "SHA256 sha256" "SHA1 sha1" "MD5 md5"; do
    equal "$(node "$file" uco-observable:Image | hash_of "${pair% *}")" "$(json "$record" ".$set.${pair#* } // \"\"")" "$pair of the image in $file"
  done
}
in_bag() { grep -q "  data/$2\$" "$1/manifest-sha256.txt" || fail "$1/manifest-sha256.txt does not list $2"; }

# terms BAG NAME: all that its CASE document uses were looked up in the ontology
terms()
{
  grep -oE '"(case|uco)-[a-z]+:[A-Za-z]+"' "$1/data/$2.case.jsonld" | tr -d '"' | sort -u > terms
  [ "$(wc -l < terms)" -gt 30 ] || fail "few terms"
  while read -r term; do
    grep -qE "\`$term\`" "$TOP/docs/decisions/0012-case-uco-terms.md" || fail "$term is not among the terms that were looked up"
  done < terms
}

# a file with hostile names, padded, in three segments
hostile=$'<&">\'\x01\t]]>\xff\xef\xbf\xbe end'
head -c 5000100 /dev/urandom > "$hostile"
expect 0 "$IMAGER" acquire "$hostile" --output bag --name ev1 --case-number "C-1 <&>" --evidence-number $'7\x02' --examiner "J. Ünï & \"sons\" <j@x>" \
  --description "$hostile" --notes "]]> <!-- & -->" --segment-size 2MiB --progress none
for file in ev1.dfxml ev1.case.jsonld ev1.certificate.txt; do in_bag bag $file; done
(cd bag && sha256sum -c --quiet manifest-sha256.txt && sha256sum -c --quiet tagmanifest-sha256.txt) || fail "sha256sum -c"
expect 0 "$IMAGER" verify bag --progress none
check_dfxml bag ev1
visible='<&">'\''\x01\x09]]>\xff\xef\xbf\xbe end'
equal "$(xml bag/data/ev1.dfxml /dfxml/source/image_filename)" "$visible" "name of the source in the DFXML"
equal "$(xml bag/data/ev1.dfxml /dfxml/diskimageobject/case/notes)" "]]> <!-- & -->" notes
equal "$(xml bag/data/ev1.dfxml /dfxml/diskimageobject/case/evidence_number)" '7\x02' "evidence number"
equal "$(digest bag/data/ev1.dfxml medium sha256)" "$(sha256 "$hostile")" "SHA-256 of the source"
equal "$(number_of bag/data/ev1.dfxml /dfxml/fileobject)" 3 segments
for ((i = 1; i <= 3; i++)); do
  equal "$(xml bag/data/ev1.dfxml "/dfxml/fileobject[$i]/hashdigest")" "$(sha256 bag/data/ev1.E0$i)" "digest of segment $i"
done
# the digests of the blocks
for ((i = 1; i <= 5; i++)); do
  block="($(role block))[$i]"
  xmllint --xpath "concat($block/*, '  ', $block/@img_offset, ' ', $block/@len)" bag/data/ev1.dfxml
done > blocks
same blocks <(grep -v '^#' bag/data/ev1.blocks.sha256)
equal "$(xmllint --xpath "count($(role block))" bag/data/ev1.dfxml)" 5 "number of blocks"

check_case bag ev1
terms bag ev1
case=bag/data/ev1.case.jsonld
id_of() { node "$case" "$1" | jq -r '.["@id"]'; }
action() { node "$case" case-investigation:InvestigativeAction | jq -r ".[\"uco-action:$1\"]$2"; }
equal "$(action performer '["@id"]')" "$(id_of uco-identity:Identity)" performer
equal "$(action instrument '["@id"]')" "$(id_of uco-tool:Tool)" instrument
equal "$(action result '[0]["@id"]')" "$(id_of uco-observable:Image)" "first result"
equal "$(action result '[1]["@id"]')" "$(id_of case-investigation:ProvenanceRecord)" "second result"
equal "$(action actionStatus '')" Success "status of the action"
equal "$(jq -r --arg id "$(action object '["@id"]')" '.["@graph"][] | select(.["@id"] == $id)["uco-core:name"]' $case)" "$visible" "name of the source in CASE"
equal "$(node $case uco-identity:Identity | jq -r '.["uco-core:name"]')" 'J. Ünï & "sons" <j@x>' examiner
equal "$(node $case uco-observable:File | jq -r '.["uco-core:hasFacet"][1]["uco-observable:hash"][0]["uco-types:hashValue"]["@value"] // empty' | sort)" \
  "$( (sha256 "$hostile"; sed 's/ .*//' <(sha256sum bag/data/ev1.E0?)) | sort)" "digests of the files in CASE"
# the identifier of a node, computed by other tools
guid=$(json bag/data/ev1.manifest.json .image.guid)
# shellcheck disable=SC2059,SC2001 # the format is made of the GUID
id=$( (printf "$(sed 's/../\\x&/g' <<< "$guid")"; printf action) | sha256sum)
printf -v id '%s-%s-5%s-%x%s-%s' "${id:0:8}" "${id:8:4}" "${id:13:3}" $((0x${id:16:1} & 3 | 8)) "${id:17:3}" "${id:20:12}"
equal "$(id_of case-investigation:InvestigativeAction)" "urn:uuid:$id" "identifier"

certificate=bag/data/ev1.certificate.txt
for text in "NO LEGAL ADVICE" "$(json bag/data/ev1.manifest.json .digests.sha256)" "$(json bag/data/ev1.manifest.json .padded_digests.md5)" "$guid" \
  "$(sha256 bag/data/ev1.E02)  ev1.E02" "read the whole image back" "All sectors of the source could be read" "Signature:  " "Place:  " "Date:  " "Name:  "; do
  grep -qF "$text" $certificate || { cat $certificate; fail "the certificate does not say '$text'"; }
done
[ "$(awk 'length > m { m = length } END { print m }' $certificate)" -le 120 ] || fail "the certificate has long lines"

# without digests of blocks, without reading back, and with SHA-256 only
head -c 1048576 /dev/urandom > small.raw
expect 0 "$IMAGER" acquire small.raw --output plain --no-block-digests --no-verify --hash sha256 --progress none
check_dfxml plain image
check_case plain image
equal "$(xmllint --xpath "count($(role block))" plain/data/image.dfxml)" 0 "number of blocks"
equal "$(number_of plain/data/image.dfxml //block_digests)" 0 "references to digests of blocks"
equal "$(node plain/data/image.case.jsonld case-investigation:Investigation)" "" "an investigation without a number"
grep -q "DID NOT READ THE IMAGE BACK" plain/data/image.certificate.txt || fail "the certificate does not say that nothing was compared"

# what did not complete: the documents say so, and there is nothing to certify
head -c 200000000 /dev/urandom > large.raw
"$IMAGER" acquire large.raw --output stopped --progress none --compression best --threads 1 > out 2> err &
pid=$!
sleep 0.5
kill -INT $pid
got=0; wait $pid || got=$?
equal $got 75 "exit code after SIGINT"
check_dfxml stopped image
check_case stopped image
[ ! -e stopped/data/image.certificate.txt ] || fail "a certificate for what did not complete"
[ -n "$(xml stopped/data/image.dfxml /dfxml/diskimageobject/error)" ] || fail "no error in the DFXML"
equal "$(xmllint --xpath "string($(role read)/@len)" stopped/data/image.dfxml)" "$(json stopped/data/image.manifest.json .media.read_bytes)" "bytes read"
equal "$(node stopped/data/image.case.jsonld case-investigation:InvestigativeAction | jq -r '.["uco-action:actionStatus"]')" Fail "status of the action"
equal "$(node stopped/data/image.case.jsonld uco-observable:Image)" "" "an image that did not complete"

# unreadable sectors
for tool in nbdkit nbdfuse fusermount3; do command -v $tool > /dev/null || skip "no $tool for unreadable sectors (the rest passed)"; done
[ "$(id -u)" = 0 ] && [ -e /dev/fuse ] || skip "unreadable sectors need root and /dev/fuse (the rest passed)"
printf '0x0 +\n0x0 0x8000 +\n0x8000 0x400 -\n0x8400 0xF7A00 +\n0xFFE00 0x200 -\n' > bad.map
touch served
nbdkit -U "$scratch/s.sock" -P nbdkit.pid --filter=ddrescue --filter=noextents file small.raw ddrescue-mapfile=bad.map 2> /dev/null || skip "nbdkit does not start"
at_exit sh -c "kill -9 \$(cat $scratch/nbdkit.pid)"
nbdfuse -r -P nbdfuse.pid "$scratch/served" "nbd+unix:///?socket=$scratch/s.sock" > /dev/null 2>&1 &
at_exit fusermount3 -u "$scratch/served"
for _ in $(seq 50); do [ "$(stat -c %s served)" = 1048576 ] && break; sleep 0.1; done
attach served -r --direct-io=on
expect 3 "$IMAGER" acquire "$loop" --output damaged --progress none
check_dfxml damaged image
check_case damaged image
terms damaged image
equal "$(jq -c .unreadable damaged/data/image.manifest.json)" '[[64,2],[2047,1]]' "list of bad sectors"
equal "$(node damaged/data/image.case.jsonld uco-observable:StorageMedium | hash_of SHA256)" "" "digest of a source that could not be read"
equal "$(node damaged/data/image.case.jsonld case-investigation:InvestigativeAction | jq -r '.["uco-action:actionStatus"]')" Complete/Finish "status of the action"
grep -q "NOT ALL COULD BE READ: 3 sectors" damaged/data/image.certificate.txt || fail "the certificate does not name unreadable sectors"
