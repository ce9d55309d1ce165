#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# One case: make.sh builds the disk, the analyzer reads it, and what comes out is compared with expect.*:
#   expect.timeline   name, mode, size, atime, mtime, ctime, crtime of every row of the body file, sorted
#   expect.findings   severity, rule of the finding, path; in the order of findings.json
#   expect.volumes    offset, file system, mount point
# run.sh NAME [--accept]   --accept rewrites expect.* from what came out: read the difference before you commit it.
case=$(cd "$(dirname "$0")/$1" && pwd)
accept=${2:-}
. "$(dirname "$0")/../cli/lib.sh"
requires jq

"$case/make.sh" disk.raw || fail "make.sh"
cp disk.raw first.raw
"$case/make.sh" disk.raw
cmp -s disk.raw first.raw || fail "make.sh does not make the same disk twice"

got=0; "$ANALYZER" timeline disk.raw --format body > body 2> err || got=$?
[ $got = 0 ] || { cat err; fail "timeline ended with $got"; }
cut -d'|' -f2,4,7-11 body | sort > got.timeline
got=0; "$ANALYZER" run disk.raw --output case --progress none 2> err || got=$?
[ $got = 0 ] || { cat err; fail "run ended with $got"; }
jq -r '.findings[] | [.severity, .rule, .path] | @tsv' case/findings.json > got.findings
"$ANALYZER" info disk.raw --json | jq -r '.volumes[] | [.offset, .file_system, .mount] | @tsv' > got.volumes

for what in timeline findings volumes; do
  if [ "$accept" = --accept ]; then
    cp "got.$what" "$case/expect.$what"
  else
    diff -u "$case/expect.$what" "got.$what" || fail "$what of case ${case##*/} is not as expected"
  fi
done
