#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# One byte after another of a small bag is damaged, in all its files: verification finds each and names the place.
. "$(dirname "$0")/lib.sh"
requires jq openssl xxd python3
. "$TOP/tests/cli/authority.sh"
places=$TOP/tests/cli/places.py
p7s=tagmanifest-sha256.txt.p7s
certificate examiner ec -pkeyopt ec_paramgen_curve:P-256
stamping_authority

# --- the bag: random, compressible and zero areas, an odd end, bad sectors if that is possible here ---
head -c 1048576 /dev/urandom > disk.raw
head -c 786432 <(seq 1 200000) >> disk.raw
head -c 524288 /dev/zero >> disk.raw
head -c 262144 /dev/urandom >> disk.raw
. "$TOP/tests/cli/bad_sectors.sh"
args=(--segment-size 1MiB --name ev --case-number C-1 --evidence-number E-1 --examiner 'A. N. Examiner' --notes none --date 2020-09-13T12:26:40Z)
if bad_disk disk.raw '0x0 +\n0x0 0x8000 +\n0x8000 0x400 -\n0x8400 0x1F7C00 +\n0x200000 0x200 -\n0x200200 0x7FE00 +\n'; then
  expect 3 "$IMAGER" acquire "$loop" --output bag "${args[@]}" --progress none
else
  echo "no bad sectors: $why_not"
  expect 0 "$IMAGER" acquire disk.raw --output bag "${args[@]}" --progress none
fi
expect 0 "$IMAGER" sign bag --key examiner.key --cert examiner.pem
expect 0 "$IMAGER" timestamp bag --request bag.tsq
answers bag.tsq bag.tsr
expect 0 "$IMAGER" timestamp bag --attach bag.tsr
expect 0 "$IMAGER" verify bag --certificate ca.pem --progress none
cp -a bag work
segments=(bag/data/ev.E??)
[ ${#segments[@]} -ge 2 ] || fail "one segment only"

# --- the places: FILE OFFSET WHAT, and what the sentence must match ---
# lines FILE: the first byte, one in the first, middle and last line, and the last byte
lines()
{
  local size middle
  size=$(stat -c %s "bag/$1")
  middle=$(head -c $((size / 2)) "bag/$1" | wc -l)
  printf '%s\t%s\t%s\t%s\n' "$1" 0 first-byte "$2" \
    "$1" $(($(head -n 1 "bag/$1" | wc -c) / 2)) first-line "$2" \
    "$1" $(($(head -n "$middle" "bag/$1" | wc -c) + $(sed -n "$((middle + 1))p" "bag/$1" | wc -c) / 3)) middle-line "$2" \
    "$1" $((size - $(tail -n 1 "bag/$1" | wc -c) / 2 - 1)) last-line "$2" \
    "$1" $((size - 1)) last-byte "$2"
}
{
  python3 "$places" flips "${segments[@]}" | sed 's,^,data/,'
  for file in bag/data/*; do
    case $file in *.E??) ;; *) lines "${file#bag/}" "^${file#bag/} was changed" ;; esac
  done
  for file in bagit.txt bag-info.txt VERIFY.txt manifest-sha256.txt; do lines $file "^$file was changed"; done
  lines tagmanifest-sha256.txt "^bag.work/$p7s is not a valid signature of what it stands for|^work/$p7s is not a valid signature of what it stands for"
  size=$(stat -c %s bag/$p7s)
  for ((i = 0; i < 40; i++)); do printf '%s\t%s\t%s\t%s\n' $p7s $((i * (size - 1) / 39)) signature $p7s; done
} > places
number=$(wc -l < places)
[ "$number" -ge 200 ] || fail "$number places only"
equal "$(cut -f 1 places | sort -u)" "$(cd bag && find . -type f | sed 's,^\./,,' | sort)" "files that are damaged"

# --- each in turn ---
failures=0
wrong() { echo "$*" >&2; failures=$((failures + 1)); }
# flip FILE OFFSET: the byte becomes another one
flip()
{
  local old
  old=$(xxd -p -s "$2" -l 1 "$1")
  printf '%b' "\\x$(printf %02x $((0x$old ^ 0x55)))" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}
# verified CODE WHERE SAID COMMAND...: exit code and a sentence, or it is noted
verified()
{
  local code=$1 where=$2 said=$3 got=0
  shift 3
  "$@" --progress none > out 2> err || got=$?
  [ $got = "$code" ] || { wrong "$where: exit code $got"; return; }
  { sed -n 's/^PROBLEM  //p' out; cat err; } > sentences
  grep -qE -- "$said" sentences || { wrong "$where: no sentence '$said', but:"; head -n 5 sentences >&2; }
}
while IFS=$'\t' read -r file offset what said; do
  flip "work/$file" "$offset"
  where="$file, byte $offset ($what)"
  case $file in
    *.E??)
      verified 4 "$where" "^$file was changed: its SHA-256 is not the one in manifest-sha256.txt" "$IMAGER" verify work --certificate ca.pem
      case $said in
        'is missing') ;; # the number of the segment: the name is no help
        *) grep -qE "^(PROBLEM  )?(work/)?$file(:| ).*$said" out || { wrong "$where: no place '$said', but:"; head -n 5 out >&2; } ;;
      esac
      # the image alone; the first bytes of a file say what it is, and what is none can't be damaged
      code=4
      case $file,$said in *.E01,'is not an E01 file') code=1 ;; esac
      verified $code "$where, image alone" "$said" "$IMAGER" verify work/data/ev.E01
      ;;
    *) verified 4 "$where" "$said" "$IMAGER" verify work --certificate ca.pem ;;
  esac
  cp "bag/$file" "work/$file"
done < places
expect 0 "$IMAGER" verify work --certificate ca.pem --progress none
[ $failures = 0 ] || fail "$failures of $number places"
echo "$number places"
