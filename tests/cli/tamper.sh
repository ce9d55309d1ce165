#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Whatever is done to a bag, by accident or by somebody who knows the formats and computes every digest anew:
# verification ends with 4 and one sentence names it. What only a signature can tell, the signature tells.
. "$(dirname "$0")/lib.sh"
requires jq openssl python3
. "$TOP/tests/cli/authority.sh"
. "$TOP/tests/cli/bad_sectors.sh"
places=$TOP/tests/cli/places.py
p7s=tagmanifest-sha256.txt.p7s
certificate examiner ec -pkeyopt ec_paramgen_curve:P-256
certificate other ec -pkeyopt ec_paramgen_curve:P-256
stamping_authority

head -c 1400000 /dev/urandom > disk.raw
head -c 697152 <(seq 1 200000) >> disk.raw
args=(--segment-size 1MiB --name ev --case-number C-1 --examiner 'A. N. Examiner' --date 2020-09-13T12:26:40Z --progress none)
source=disk.raw want=0
if bad_disk disk.raw '0x0 +\n0x0 0x8000 +\n0x8000 0x400 -\n0x8400 0x1F7C00 +\n'; then
  source=$loop want=3
else
  echo "no bad sectors: $why_not"
fi
expect $want "$IMAGER" acquire "$source" --output bag "${args[@]}"
expect $want "$IMAGER" acquire "$source" --output bag2 "${args[@]}"
cp -a bag unsigned
expect 0 "$IMAGER" sign bag --key examiner.key --cert examiner.pem
expect 0 "$IMAGER" verify bag --certificate ca.pem --progress none
segments=$(json bag/data/ev.manifest.json '.segments | length')
[ "$segments" -ge 2 ] || fail "one segment only"

# fresh [BAG]: work is a copy of it
fresh() { rm -rf work; cp -a "${1:-unsigned}" work; }
# told PATTERN [OPTIONS]: verification of work ends with 4 and a problem that matches
told()
{
  local pattern=$1
  shift
  expect 4 "$IMAGER" verify work --progress none "$@"
  grep -qE "^PROBLEM  $pattern" out || { cat out; fail "no problem '$pattern'"; }
}
# told_only: told, and it is the only one
told_only()
{
  told "$@"
  equal "$(grep -c ^PROBLEM out)" 1 "problems: $(cat out)"
}
# reseal: all digests of work are computed anew, by stock tools, as somebody would who has no key
reseal()
{
  (
    cd work
    find data -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum > manifest-sha256.txt
    sed -i "s/^Payload-Oxum: .*/Payload-Oxum: $(find data -type f -printf '%s\n' | awk '{ s += $1 } END { print s "." NR }')/" bag-info.txt
    sha256sum VERIFY.txt bag-info.txt bagit.txt manifest-sha256.txt > tagmanifest-sha256.txt
    sha256sum -c --quiet tagmanifest-sha256.txt && sha256sum -c --quiet manifest-sha256.txt
  ) || fail "resealing"
}
# edited FILTER: the record is changed by jq
edited()
{
  jq "$1" work/data/ev.manifest.json > edited.json
  cp edited.json work/data/ev.manifest.json
}
fresh
reseal
expect 0 "$IMAGER" verify work --progress none
fresh bag

# --- accidents, with each file ---
while read -r file; do
  size=$(stat -c %s "bag/$file")
  for length in 0 1 13 100 $((size / 2)) $((size - 1)); do
    [ "$length" -lt "$size" ] || continue
    head -c "$length" "bag/$file" > "work/$file"
    told ".*$file"
    case $file in
      *.E??)
        # the first segment alone has no signature of its format left: then it is no image
        got=0; "$IMAGER" verify work/data/ev.E01 --progress none > out 2> err || got=$?
        case $file,$length in *.E01,0 | *.E01,1) equal $got 1 "$file cut to $length bytes, alone" ;; *) equal $got 4 "$file cut to $length bytes, alone" ;; esac
        grep -qE "${file##*/}|segment ${file: -1}" out err || { cat out err; fail "$file cut to $length bytes is not named"; }
        ;;
    esac
  done
  case $file in "$p7s") option=(--certificate ca.pem) ;; *) option=() ;; esac
  rm "work/$file"; told ".*$file.*(is missing|not signed)|the bag is not signed.*$file" "${option[@]}"
  ln -s "$scratch/bag/$file" "work/$file"; told "(work/)?$file is a link, not a file"
  rm "work/$file"; mkdir "work/$file"; told "(work/)?$file is not a file"
  rmdir "work/$file"; mkfifo "work/$file"; told "(work/)?$file is not a file"
  rm "work/$file"; cp -a "bag/$file" "work/$file"
done < <(cd bag && find . -type f | sed 's,^\./,,' | sort)
expect 0 "$IMAGER" verify work --certificate ca.pem --progress none
for added in data/more data/ev.E09 data/folder/file notes.txt fetch.txt folder/file; do
  mkdir -p "work/$(dirname "$added")"
  echo x > "work/$added"
  told "$added is not listed in"
  rm "work/$added"
  find work -mindepth 1 -type d -empty -delete
done
mkdir work/data/none; told_only 'data/none is an empty folder'
fresh bag
rm -r work/data; told '.*data/ev.E01'
fresh bag
rm work/bagit.txt work/*manifest-sha256.txt*; expect 1 "$IMAGER" verify work --progress none; says_once 'work is not an evidence bag'

# --- segments ---
fresh; cp bag2/data/ev.E02 work/data/; told 'data/ev.E02 was changed'; grep -qE '^PROBLEM  .*work/data/ev.E02 belongs to another image' out || fail "the foreign segment"
reseal; told 'work/data/ev.E02 is not the segment that was recorded'; grep -qE '^PROBLEM  .*work/data/ev.E02 belongs to another image' out || fail "the foreign segment"
fresh; cp bag2/data/ev.E?? work/data/; reseal; told 'the GUID of the image is not the one in the record'
fresh
for file in work/data/ev.E??; do python3 "$places" amend guid "$file"; done
reseal; told 'the GUID of the image is not the one in the record'
fresh; mv work/data/ev.E01 keep; mv work/data/ev.E02 work/data/ev.E01; mv keep work/data/ev.E02; told 'data/ev.E01 was changed'
reseal; told 'work/data/ev.E01 is not the segment that was recorded'; grep -q '^PROBLEM  work/data/ev.E02 holds segment 1, which the record names work/data/ev.E01' out || { cat out; fail "the exchanged names"; }
fresh; cp bag2/data/ev.E02 work/data/ev.E07; reseal; told_only 'work/data/ev.E07 is a segment of an image that the record does not name'
fresh; rm work/data/ev.E02; reseal; told '(open )?work/data/ev.E02'

# --- metadata of the image, every checksum right ---
for what in examiner date; do
  fresh; python3 "$places" amend $what work/data/ev.E01
  expect 0 "$IMAGER" verify work/data/ev.E01 --progress none # nothing in the image tells
  reseal; told 'work/data/ev.E01 is not the segment that was recorded'
  # the record says the new digest, too
  edited ".segments[0].sha256 = \"$(sha256 work/data/ev.E01)\""; reseal
  if [ $what = examiner ]; then
    told_only 'the header of the image states another examiner than the record: "Mallory", not "A. N. Examiner"'
  else
    edited '.image.acquiry_date = "2020-09-13T12:26:40Z"'; reseal
    told_only 'the header of the image states another date than the record: "2017-07-14T02:40:00Z", not "2020-09-13T12:26:40Z"'
  fi
done
if [ $want = 3 ]; then
  fresh; for file in work/data/ev.E??; do python3 "$places" amend errors "$file" 2> /dev/null || true; done
  reseal; told 'the list of unreadable sectors in the image is not the one in the record: they differ from sector 64 on'
fi

# --- the record ---
record() { fresh; edited "$1"; reseal; told "$2"; }
record '.unreadable = [[5, 1]] | .unreadable_sectors = 1' 'the list of unreadable sectors in the image is not the one in the record: they differ from sector 5 on'
record '.unreadable_sectors = 7' 'work/data/ev.manifest.json is no valid record'
record '.image.guid = "00112233445566778899aabbccddeeff"' 'the GUID of the image is not the one in the record'
record '.digests.sha256 |= sub("^..."; "000")' 'the sha256 of the medium is .*, but the record states 000'
record '.case.examiner = "Mallory"' 'the header of the image states another examiner'
record '.case.case_number = null' 'the header of the image states another case number'
record '.media.bytes -= 1' 'the image holds'
record '.segments[1].sha256 |= sub("^..."; "000")' 'work/data/ev.E02 is not the segment that was recorded'
record '.segments |= .[:1]' '.*'
record '.segments[0].name = "../../bag/data/ev.E01"' 'work/data/ev.manifest.json is no valid record'
record '.events.count = 1' 'work/data/ev.events.jsonl holds [0-9]+ events, but the record states 1'
record '.events.head_sha256 |= sub("^..."; "000")' 'work/data/ev.events.jsonl: its last line is not the one'
record '.status = "interrupted"' 'the record says that the acquisition did not complete: its status is interrupted'
fresh; cp bag2/data/ev.manifest.json work/data/; told 'data/ev.manifest.json was changed'
reseal; told 'the GUID of the image is not the one in the record'
fresh; cp bag2/data/ev.manifest.json work/data/other.manifest.json; reseal; told_only 'work/data/ holds more than one record'
fresh; echo '{' > work/data/ev.manifest.json; reseal; told_only 'work/data/ev.manifest.json is no valid record'

# --- the log of events ---
events=work/data/ev.events.jsonl
fresh; sed -i '$d' $events; told 'data/ev.events.jsonl was changed'
reseal; told_only "$events holds [0-9]+ events, but the record states [0-9]+: it was cut"
fresh; sed -i '3d' $events; reseal; told "$events: the chain of events is broken at line 3"
fresh; sed -i '3s/"text":"/"text":"not /' $events; reseal; told_only "$events: the chain of events is broken at line 4"
fresh; sed -i '$s/complete/completed/' $events; reseal; told_only "$events: its last line is not the one whose digest the record states"
fresh; tail -n 1 $events >> $events; reseal; told "$events: the chain of events is broken at line"
fresh; echo nothing >> $events; reseal; told "$events: line [0-9]+ is not an event"
fresh; rm $events; reseal; told_only "(open )?$events: No such file"

# --- digests of blocks ---
fresh; sed -i '2s/^[0-9a-f]*/0000000000000000000000000000000000000000000000000000000000000000/' work/data/ev.blocks.sha256; reseal
told_only 'the medium differs from the block digests between bytes 0 and 1048575'
fresh; sed -i '$d' work/data/ev.blocks.sha256; reseal; told_only 'work/data/ev.blocks.sha256 is damaged'

# --- what nothing else protects, the signature does: it is there, and all digests are right ---
for change in 's/started/begun/ data/ev.events.jsonl' 's/Lab/lab/;1s/^/x/ data/ev.report.txt' '1s/^/x/ data/ev.map' '1s/^/x/ data/ev.certificate.txt' '1s/^/x/ VERIFY.txt' \
  's/1.0/1.1/ bagit.txt' 's/^Contact-Name: .*/Contact-Name: Mallory/ bag-info.txt'; do
  fresh bag; sed -i "${change% *}" "work/${change##* }"; reseal
  told "work/$p7s is not a valid signature"
done
# the lists with other line ends, or without what they need not have
fresh bag; sed -i 's/$/\r/' work/manifest-sha256.txt; told 'manifest-sha256.txt was changed'
fresh bag; sed -i 's/$/\r/' work/tagmanifest-sha256.txt; told_only "work/$p7s is not a valid signature"
fresh bag; sed -i '/VERIFY.txt/d' work/tagmanifest-sha256.txt; rm work/VERIFY.txt; told_only "work/$p7s is not a valid signature"

# --- certificates ---
# signed NAME: work is signed by it, through openssl
signed() { fresh; signed_by "$1" work/tagmanifest-sha256.txt work/$p7s; expect 0 "$IMAGER" verify work --progress none; }
trusted() { told_only "$1" --certificate ca.pem; }
signed examiner; expect 0 "$IMAGER" verify work --certificate ca.pem --progress none
dated old 20200101000000Z 20210101000000Z
signed old; trusted "$p7s has a certificate that is not accepted: certificate has expired"
dated future 20900101000000Z 20910101000000Z
signed future; trusted "$p7s has a certificate that is not accepted: certificate is not yet valid"
printf 'basicConstraints = critical, CA:FALSE\nextendedKeyUsage = serverAuth\n' > server.ext
certificate server ec -pkeyopt ec_paramgen_curve:P-256
signed server; trusted "$p7s has a certificate that is not accepted: unsupported certificate purpose|$p7s has a certificate that is not accepted: unsuitable certificate purpose"
ca=stranger certificate elsewhere ec -pkeyopt ec_paramgen_curve:P-256
signed elsewhere; trusted "$p7s has a certificate that is not accepted: unable to get local issuer certificate"
# one of the laboratory, and another one of it: the signature tells who; that it has to be a certain one, nobody said
signed other; expect 0 "$IMAGER" verify work --certificate ca.pem --progress none --json; equal "$(json out .signature.signer)" "CN=other,O=Laboratory"
# a signature of another bag, by the right key
fresh; signed_by examiner bag2/tagmanifest-sha256.txt work/$p7s; told_only "work/$p7s is not a valid signature of what it stands for"
# none, where one is demanded
fresh; trusted "the bag is not signed: it has no $p7s"
# the time stamp of an authority that is none
fresh bag
expect 0 "$IMAGER" timestamp work --request a.tsq
printf 'basicConstraints = critical, CA:FALSE\nextendedKeyUsage = critical, timeStamping\n' > foreign_tsa.ext
ca=stranger certificate foreign_tsa ec -pkeyopt ec_paramgen_curve:P-256
quiet openssl ts -reply -config tsa.conf -queryfile a.tsq -signer foreign_tsa.pem -inkey foreign_tsa.key -out a.tsr
expect 0 "$IMAGER" timestamp work --attach a.tsr
trusted "the time stamp in $p7s has a certificate that is not accepted: unable to get local issuer certificate"
