#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Signatures and time stamps of bags, checked by openssl, too; and everything that must not pass.
. "$(dirname "$0")/lib.sh"
requires jq openssl xxd

p7s=tagmanifest-sha256.txt.p7s
head -c 3000000 /dev/urandom > disk.raw

# --- an authority, two signers, a time stamping authority ---
. "$TOP/tests/cli/authority.sh"
certificate examiner ec -pkeyopt ec_paramgen_curve:P-256
certificate rsa rsa:2048
certificate edwards ed25519
stamping_authority

# by_openssl BAG CA: does openssl accept the signature?
by_openssl()
{
  openssl cms -verify -binary -inform DER -in "$1/$p7s" -content "$1/tagmanifest-sha256.txt" -CAfile "$2" -out /dev/null 2> openssl.txt
}
# problem PATTERN COMMAND...: verification ends with 4, and a problem that matches
problem()
{
  local pattern=$1
  shift
  expect 4 "$@" --progress none
  grep -qE "^PROBLEM  .*$pattern" out || { cat out; fail "no problem '$pattern'"; }
}

# --- sign ---
expect 0 "$IMAGER" acquire disk.raw --output bag --progress none
cp -a bag unsigned
expect 0 "$IMAGER" verify bag --progress none --json
equal "$(jq -c .signature out)" '{"present":false,"signer":null,"certificate_checked":false,"valid":null,"time_stamp":null}'
problem 'the bag is not signed' "$IMAGER" verify bag --certificate ca.pem
for kind in rsa examiner; do
  expect 0 "$IMAGER" sign bag --key $kind.key --cert $kind.pem --replace
  says_once "bag is signed by CN=$kind,O=Laboratory"
  [ ! -s out ] || fail "sign writes on standard output"
  by_openssl bag ca.pem || { cat openssl.txt; fail "openssl does not accept the signature of $kind"; }
  ! by_openssl bag stranger.pem || fail "openssl accepts any certificate"
  openssl cms -cmsout -print -inform DER -in bag/$p7s > print.txt
  grep -q 'id-smime-aa-signingCertificateV2' print.txt || fail "no signing-certificate-v2"
  expect 0 "$IMAGER" verify bag --progress none
  grep -qx "signed by CN=$kind,O=Laboratory, certificate not checked" out || { cat out; fail "what verify says"; }
  expect 0 "$IMAGER" verify bag --certificate ca.pem --progress none --json
  equal "$(jq -c .signature out)" "{\"present\":true,\"signer\":\"CN=$kind,O=Laboratory\",\"certificate_checked\":true,\"valid\":true,\"time_stamp\":null}"
  problem 'unable to get local issuer' "$IMAGER" verify bag --certificate stranger.pem
done
(cd bag && sha256sum -c --quiet tagmanifest-sha256.txt && sha256sum -c --quiet manifest-sha256.txt) || fail "sha256sum -c"
expect 1 "$IMAGER" verify bag --certificate no.pem --progress none; says_once no.pem
expect 2 "$IMAGER" verify bag/data/image.E01 --certificate ca.pem --progress none; says_once certificate
[ -z "$(find bag -name '*.part*')" ] || fail "a .part file is left"

# --- what sign refuses ---
expect 2 "$IMAGER" sign bag --key examiner.key --cert examiner.pem; says_once 'signed already'
expect 2 "$IMAGER" sign unsigned --key examiner.key; says_once cert
expect 2 "$IMAGER" sign unsigned --key examiner.key --cert rsa.pem; says_once 'is not the one of the certificate'
expect 2 "$IMAGER" sign unsigned --key edwards.key --cert edwards.pem; says_once Ed25519
expect 2 "$IMAGER" sign unsigned --key tsa.key --cert tsa.pem; says_once 'not for signing'
expect 1 "$IMAGER" sign unsigned --key no.key --cert examiner.pem; says_once 'no.key: No such file'
mkdir empty
expect 1 "$IMAGER" sign empty --key examiner.key --cert examiner.pem; says_once 'not a complete evidence bag'
[ ! -e unsigned/$p7s ] && [ -z "$(ls empty)" ] || fail "a signature was written"
# a locked key
openssl pkey -in examiner.key -aes-128-cbc -passout pass:secret -out locked.key
echo secret > right; echo guess > wrong
expect 1 "$IMAGER" sign unsigned --key locked.key --cert examiner.pem --passphrase-file wrong; says_once locked.key
expect 0 "$IMAGER" sign unsigned --key locked.key --cert examiner.pem --passphrase-file right
by_openssl unsigned ca.pem || fail "the signature by the locked key"

# --- acquire signs ---
expect 2 "$IMAGER" acquire disk.raw --output new --sign-key examiner.key --progress none; says_once sign-cert
expect 2 "$IMAGER" acquire disk.raw --output new --sign-cert examiner.pem --progress none; says_once sign-key
expect 2 "$IMAGER" acquire disk.raw --output new --sign-key examiner.key --sign-cert rsa.pem --progress none; says_once 'not the one'
expect 1 "$IMAGER" acquire disk.raw --output new --sign-key no.key --sign-cert rsa.pem --progress none; says_once no.key
[ ! -e new ] || fail "a bag was begun"
expect 0 "$IMAGER" acquire disk.raw --output new --second-output new2 --sign-key examiner.key --sign-cert examiner.pem --progress none
for bag in new new2; do
  by_openssl $bag ca.pem || fail "openssl does not accept $bag"
  expect 0 "$IMAGER" verify $bag --certificate ca.pem --progress none
done
# a signature that can't be written costs the bag its seal
if [ -n "${SHIM:-}" ]; then
  mkdir under
  expect 0 env FAIL_CALL=create FAIL_N=0 FAIL_UNDER="$scratch/under" FAIL_LOG="$scratch/count" LD_PRELOAD="$SHIM" \
    "$IMAGER" acquire disk.raw --output "$scratch/under/bag" --sign-key examiner.key --sign-cert examiner.pem --progress none
  last=$(cat count)
  rm -rf under/bag
  expect 5 env FAIL_CALL=create FAIL_N="$last" FAIL_ERRNO=28 FAIL_UNDER="$scratch/under" FAIL_LOG="$scratch/count" LD_PRELOAD="$SHIM" \
    "$IMAGER" acquire disk.raw --output "$scratch/under/bag" --sign-key examiner.key --sign-cert examiner.pem --progress none
  says "can't be signed"
  [ ! -e under/bag/tagmanifest-sha256.txt ] && [ ! -e under/bag/$p7s ] || fail "the bag is sealed, but not signed"
  equal "$(json under/bag/data/image.manifest.json .status)" output-failed
else
  echo "left out: failures of system calls (a sanitizer allows no preloading)"
fi

# --- damage ---
cp -a bag work
# damaged FILE OFFSET: the byte there is another one
damaged()
{
  local old
  old=$(xxd -p -s "$2" -l 1 "$1")
  printf '%b' "\\x$(printf %02x $((0x$old ^ 0x55)))" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}
# twenty_bytes FROM: from there to the end of the signature, each damaged in turn, is a problem. The unit test takes every
# byte.
twenty_bytes()
{
  local size i
  size=$(stat -c %s bag/$p7s)
  for ((i = 0; i < 20; i++)); do
    cp bag/$p7s work/
    damaged work/$p7s $(($1 + i * (size - 1 - $1) / 19))
    problem "$p7s" "$IMAGER" verify work
  done
}
twenty_bytes 0
head -c 500 bag/$p7s > work/$p7s; problem "is not a CMS signature" "$IMAGER" verify work
cp new/$p7s work/; problem "$p7s is not a valid signature" "$IMAGER" verify work --certificate ca.pem
head -c 1100000 /dev/zero > work/$p7s; problem 'too large' "$IMAGER" verify work
rm work/$p7s; ln -s ../bag/$p7s work/$p7s; problem 'is a link' "$IMAGER" verify work
rm work/$p7s; cp bag/$p7s work/
expect 0 "$IMAGER" verify work --certificate ca.pem --progress none
# a bag that was changed and sealed anew: only the signature tells
echo more >> work/data/image.report.txt
(cd work && sed -i "s/^[0-9a-f]*  data.image.report.txt/$(sha256 data/image.report.txt)  data\/image.report.txt/" manifest-sha256.txt &&
  sed -i "s/^[0-9a-f]*  manifest-sha256.txt/$(sha256 manifest-sha256.txt)  manifest-sha256.txt/" tagmanifest-sha256.txt)
sed -i "s/^\(Payload-Oxum: \).*/\1$(find work/data -type f -printf '%s\n' | awk '{ s += $1 } END { print s "." NR }')/" work/bag-info.txt
(cd work && sed -i "s/^[0-9a-f]*  bag-info.txt/$(sha256 bag-info.txt)  bag-info.txt/" tagmanifest-sha256.txt)
mv work/$p7s kept.p7s
expect 0 "$IMAGER" verify work --progress none
mv kept.p7s work/$p7s
problem "is not a valid signature" "$IMAGER" verify work
equal "$(grep -c ^PROBLEM out)" 1 "problems"
expect 4 "$IMAGER" verify work --progress none --json
equal "$(jq -c '[.result, .signature.valid]' out)" '["mismatch",false]'

# --- an expired certificate ---
dated old 20200101000000Z 20210101000000Z
expect 2 "$IMAGER" sign bag --replace --key old.key --cert old.pem; says_once 'has expired'
cp -a bag old
signed_by old old/tagmanifest-sha256.txt old/$p7s
expect 0 "$IMAGER" verify old --progress none
problem 'certificate has expired' "$IMAGER" verify old --certificate ca.pem

# --- time stamps ---
expect 2 "$IMAGER" timestamp bag; says_once request
expect 2 "$IMAGER" timestamp bag --request a.tsq --attach a.tsr; says_once attach
expect 1 "$IMAGER" timestamp empty --request a.tsq; says_once empty
expect 0 "$IMAGER" timestamp bag --request a.tsq
expect 2 "$IMAGER" timestamp bag --request a.tsq; says_once 'exists already'
openssl ts -query -in a.tsq -text > query.txt 2> /dev/null
grep -q 'Hash Algorithm: sha256' query.txt && grep -q 'Certificate required: yes' query.txt && ! grep -q 'Nonce: unspecified' query.txt || { cat query.txt; fail "the request"; }
answers a.tsq a.tsr
quiet openssl ts -verify -queryfile a.tsq -in a.tsr -CAfile ca.pem
expect 0 "$IMAGER" timestamp new --request b.tsq
answers b.tsq b.tsr
openssl ts -query -data disk.raw -sha512 -out c.tsq 2> /dev/null
openssl ts -reply -config tsa.conf -queryfile c.tsq -signer tsa.pem -inkey tsa.key -out c.tsr > quiet.txt 2>&1 || true
before=$(sha256 bag/$p7s)
expect 4 "$IMAGER" timestamp bag --attach b.tsr; says_once 'not for this signature'
expect 1 "$IMAGER" timestamp bag --attach c.tsr; says_once 'did not grant'
expect 1 "$IMAGER" timestamp bag --attach a.tsq; says_once 'not the reply'
expect 1 "$IMAGER" timestamp bag --attach none; says_once none
equal "$(sha256 bag/$p7s)" "$before" "the signature"
# another request for the same signature, and its reply under the name of the first one's
expect 0 "$IMAGER" timestamp bag --request d.tsq
answers d.tsq d.tsr
cp a.tsq e.tsq; cp d.tsr e.tsr
expect 4 "$IMAGER" timestamp bag --attach e.tsr; says_once 'e.tsr is not the answer to e.tsq: it has another nonce'
equal "$(sha256 bag/$p7s)" "$before" "the signature"
expect 0 "$IMAGER" timestamp bag --attach a.tsr; says_once 'the signature has its time stamp$'
expect 2 "$IMAGER" timestamp bag --attach a.tsr; says_once 'time stamp already'
[ -z "$(find bag -name '*.part*')" ] || fail "a .part file is left"
by_openssl bag ca.pem || { cat openssl.txt; fail "the stamped signature"; }
time=$(openssl ts -reply -in a.tsr -text 2> /dev/null | sed -n 's/^Time stamp: //p')
expect 0 "$IMAGER" verify bag --progress none --json
equal "$(jq -r .signature.time_stamp out)" "$(date -u -d "$time" +%Y-%m-%dT%H:%M:%S.000000000Z)" "time stamp"
expect 0 "$IMAGER" verify bag --certificate ca.pem --progress none
grep -qE '^time stamp [0-9T:.-]+Z$' out && grep -qx 'signed by CN=examiner,O=Laboratory' out || { cat out; fail "what verify says"; }

# by openssl alone, with the commands of VERIFY.txt
openssl asn1parse -inform DER -in bag/$p7s | grep -B 3 -A 2 timeStampToken > places
value=$(head -n 1 places | cut -d: -f1 | tr -d ' ') token=$(tail -n 1 places | cut -d: -f1 | tr -d ' ')
sed -n '/^6\. /,$p' bag/VERIFY.txt | sed -e "s/VALUE/$value/; s/TOKEN/$token/" -e "s|/tmp/|$scratch/|g; s|CA.pem|$scratch/ca.pem|g" |
  sed -n -e ':again' -e '/\\$/ { N; b again' -e '}' -e 's/^ *openssl /openssl /p' > commands
equal "$(grep -c . commands)" 10 "lines of commands"
(cd bag && bash -e ../commands > ../quiet.txt 2>&1) || { cat commands quiet.txt; fail "VERIFY.txt"; }
[ "$(grep -ciE 'verification( successful|: ok)' quiet.txt)" = 2 ] && grep -q "$time" quiet.txt || { cat quiet.txt; fail "VERIFY.txt"; }

# damage to the time stamp; that somebody took it away whole can't be seen, for it is not signed
rm -rf work; cp -a bag work
twenty_bytes "$token"
