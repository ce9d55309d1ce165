#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The self-test: its report, its signature, and that each row that passes fails when what it tests is broken.
. "$(dirname "$0")/lib.sh"
requires jq openssl

# --- usage ---
expect 2 "$IMAGER" selftest; says_once 'output'
expect 2 "$IMAGER" selftest --output r --only DA-XX-01; says_once 'no row DA-XX-01'
rm -rf r
expect 2 "$IMAGER" selftest --output r --sign-key k.pem; says_once 'sign-cert'
mkdir full; echo mine > full/mine
expect 2 "$IMAGER" selftest --output full; says_once 'not empty'
[ "$(ls full)" = mine ] || fail "something was put into a folder that is not empty"
expect 1 "$IMAGER" selftest --output r --program ./nothing; says_once nothing
[ ! -e r ] || fail "a folder was made for nothing"

# --- docs/validation.md is the matrix ---
expect 0 "$IMAGER" selftest --list
grep '^|' "$TOP/docs/validation.md" > documented || true
same out documented
expect 0 "$IMAGER" selftest --list --json
cp out matrix.json
equal "$(json matrix.json .schema)" exhibit.matrix/1
equal "$(json matrix.json '[.rows[].id] | length - (unique | length)')" 0 "ids that occur twice"
# the tests it names exist
for test in $(json matrix.json '.rows[].tests'); do
  case $test in
    unit.*) [ -e "$TOP/tests/unit/t_${test#unit.}.c" ] ;;
    *) [ -e "$TOP/tests/${test%%.*}/${test#*.}.sh" ] ;;
  esac || fail "the matrix names the test $test, which does not exist"
done

# --- some rows need neither rights nor devices ---
few=(--only DA-AM-01/file --only DA-AO-06 --only DA-AM-01/disk)
if [ "$(id -u)" = 0 ] && command -v setpriv > /dev/null; then
  mkdir -m 777 open; chmod 711 "$scratch"
  cp "$IMAGER" open/imager
  expect 0 setpriv --reuid 65534 --regid 65534 --clear-groups open/imager selftest --output open/report "${few[@]}" --json
else
  mkdir open
  expect 0 "$IMAGER" selftest --output open/report "${few[@]}" --json
fi
if [ "$(json out .machine.root)" = false ]; then
  equal "$(jq -c '[.passed, .failed, .not_run, .not_applicable]' out)" '[2,0,1,0]' "results without rights"
  equal "$(json out '.rows[] | select(.result == "not run") | .id + ": " + .reason')" "DA-AM-01/disk: needs root"
fi
same out open/report/validation.json
[ ! -e open/report/work ] || fail "temporary data is left"
expect 0 "$IMAGER" selftest --output kept --only DA-AM-01/file --keep
(cd kept && [ -e work/1/bag/data/image.E01 ]) || fail "--keep keeps nothing"

requires_root
requires nbdkit nbdfuse ewfverify mkfs.ext4
[ -e /dev/loop-control ] || skip "no loop devices"

# --- all of it, signed ---
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout k.pem -out c.pem -days 10 -subj /CN=lab 2> /dev/null
# below the scratch folder of ours alone: others use loop devices, too
left() { losetup -l -n -O NAME,BACK-FILE | grep -F "$scratch/" || true; grep -F "$scratch/" /proc/self/mounts || true; }
expect 0 "$IMAGER" selftest --output all --sign-key k.pem --sign-cert c.pem --json
cp out all.json
same all.json all/validation.json
equal "$(json all.json .schema)" exhibit.validation/1
equal "$(json all.json .result)" passed
equal "$(json all.json .failed)" 0
equal "$(json all.json .machine.root)" true
equal "$(json all.json .program.sha256)" "$(sha256 "$IMAGER")"
equal "$(jq '.passed + .failed + .not_run + .not_applicable - (.rows | length)' all.json)" 0 "rows that are not counted"
equal "$(jq -c '[.rows[].id]' all.json)" "$(jq -c '[.rows[].id]' matrix.json)" "rows"
equal "$(jq -c '[.rows[] | select(.result != "passed" and .reason == null)]' all.json)" '[]' "rows without a reason"
jq -r '.rows[] | select(.result == "not run") | "not run: " + .id + ": " + .reason' all.json
grep -qx 'result: *passed: .* passed, 0 failed, .*' all/validation.txt || { head all/validation.txt; fail "validation.txt"; }
(cd all && sha256sum -c --strict --quiet validation.sha256) || fail "sha256sum -c"
openssl cms -verify -binary -inform DER -in all/validation.sha256.p7s -content all/validation.sha256 -CAfile c.pem -out /dev/null 2> /dev/null ||
  fail "openssl does not accept the signature"
sed -i 's/0/1/' all/validation.sha256
! openssl cms -verify -binary -inform DER -in all/validation.sha256.p7s -content all/validation.sha256 -CAfile c.pem -out /dev/null 2> /dev/null ||
  fail "openssl accepts the signature of a changed list"
equal "$(ls all | tr '\n' ' ')" "validation.json validation.sha256 validation.sha256.p7s validation.txt " "files"
equal "$(left)" "" "devices and mounts that are left"

# --- interrupted: nothing is left, and no report ---
"$IMAGER" selftest --output stopped --only SWB-RM-01 --only DA-AM-06/beyond-4-GiB 2> /dev/null &
pid=$!
sleep 1.5
kill -INT $pid
got=0; wait $pid || got=$?
equal $got 75 "exit status when interrupted"
equal "$(ls -A stopped)" "" "files that are left by an interrupted self-test"
equal "$(left)" "" "devices and mounts that are left by an interrupted self-test"

# --- each row that passes must fail when what it tests is broken ---
# What is broken then is what the rows run, which says nothing about memory.
if [ -n "${SANITIZED:-}" ]; then echo "left out: the broken programs"; exit 0; fi
passed() { jq -e --arg id "$1" '.rows[] | select(.id == $id and .result == "passed")' all.json > /dev/null; }
export REAL=$IMAGER
: > seen-to-fail
# fault NAME ROW...: with that fault these rows fail (those that pass without)
fault()
{
  local name=$1 id rows=()
  shift
  for id; do
    jq -e --arg id "$id" '.rows[] | select(.id == $id)' matrix.json > /dev/null || fail "there is no row $id"
    if passed "$id"; then rows+=(--only "$id"); fi
  done
  [ ${#rows[@]} -gt 0 ] || return 0
  rm -rf broken
  got=0; FAULT=$name "$IMAGER" selftest --output broken --program "$TOP/tests/cli/broken-imager" "${rows[@]}" 2> err || got=$?
  [ $got = 4 ] || { cat err; fail "with the fault '$name' the self-test ended with $got"; }
  jq -r '.rows[] | select(.result == "failed") | .id' broken/validation.json >> seen-to-fail
  for id; do
    passed "$id" || continue
    grep -qx "$id" seen-to-fail || { cat err; fail "the row $id passes with the fault '$name'"; }
  done
}
fault export-byte DA-AM-01/file DA-AM-01/disk DA-AM-01/partition DA-AM-01/stdin DA-AM-02/sectors-4096 DA-AM-02/one-sector DA-AM-02/odd-size \
  DA-AM-04 DA-AM-05/here DA-AM-05/tmpfs DA-AM-05/ext4 DA-AM-06/last-sector DA-AM-08 DA-AO-01 DA-AO-09 DA-AO-12 DA-AO-13 DA-AO-14 DFW-1278 DFW-1016
fault export-longer DFW-1013
fault export-beyond DA-AO-17
fault digest DA-AM-06/beyond-4-GiB
fault verify-match DA-AO-07 DFW-1126 DFW-1127 DFW-1128
fault verify-mismatch DA-AO-06
fault verify-vague DA-AO-08
fault all-is-well DA-AM-09/ten-sectors DA-AM-09/end DA-AO-03 DA-AO-04 DA-AO-20 DA-AO-21 DFW-1004 EX-interrupted
fault no-list DA-AM-10 gap/granularity EX-sector-retries
fault writes DA-AO-24 DFW-1014 gap/unclean-file-system SWB-RM-02 SWB-RM-03 SWB-AM-04 SWB-AM-05
fault copies SWB-RM-01 SWB-AM-01 SWB-AM-02 EX-mounted EX-claimed
fault no-segments DA-AO-05
fault unsigned EX-signature
fault blocks DA-AO-22
fault events EX-events
fault report DA-AO-23
fault manifest EX-stock-tools
fault format DA-AO-02
fault final DA-AO-03 DA-AO-04 DFW-1004 EX-interrupted
fault host DA-AM-03
fault layers EX-layers SWB-AM-03 EX-require-write-block
fault counters EX-zero-writes
fault trace EX-trace
fault samples EX-samples
fault no-resume EX-resume
fault one-output EX-second-output
fault devices SWB-AM-06
for id in $(json all.json '.rows[] | select(.result == "passed") | .id'); do
  grep -qx "$id" seen-to-fail || fail "no fault was tried for the row $id"
done
