#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The case folder: the same from run to run and from any number of threads, complete, checkable, and from E01 or raw.
. "$(dirname "$0")/lib.sh"
requires jq python3
"$TOP/tests/cases/hacked-wordpress/make.sh" disk.raw
expect 0 "$ANALYZER" run disk.raw --output case --progress none --json
equal "$(json out .schema)" exhibit.run/1
for file in case.db findings.json report.html manifest-sha256.txt; do
  [ -s "case/$file" ] || fail "no case/$file"
done
(cd case && sha256sum -c --quiet manifest-sha256.txt) || fail "sha256sum -c in the case"
[ -z "$(find case -name '*.part')" ] || fail ".part left"

expect 0 "$ANALYZER" run disk.raw --output again --progress none --threads 1
for file in case/*; do same "$file" "again/${file#case/}"; done
expect 0 "$IMAGER" acquire disk.raw --output bag --progress none
expect 0 "$ANALYZER" run bag --output frombag --progress none
same case/findings.json frombag/findings.json
expect 2 "$ANALYZER" run disk.raw --output case --progress none

# formats from the image and from the case agree
for format in body mactime csv jsonl l2tcsv; do
  expect 0 "$ANALYZER" timeline case --format $format; cut -c1-1000000 out > from.case
  [ -s from.case ] || fail "empty $format"
done
"$ANALYZER" timeline case --format jsonl | jq -e 'select((.timestamp | type) != "number" or (.datetime | type) != "string" or (.message | type) != "string" or (.timestamp_desc | type) != "string")' > bad.json || true
[ ! -s bad.json ] || fail "JSONL records without Timesketch's fields"
awk -F, 'NF != 17 { print; exit 1 }' < <("$ANALYZER" timeline case --format l2tcsv) || fail "l2tcsv has not 17 columns"
expect 0 "$ANALYZER" timeline case --format body; sed 's/^[0-9a-f]*|/0|/' out > a
expect 0 "$ANALYZER" timeline disk.raw --format body; cp out b
same a b

# filters
expect 0 "$ANALYZER" timeline case --format mactime --from 2026-09-01 --to 2026-09-02
grep -q thumb.php out || fail "--from lost the attack"
if grep -q '^2026-08\|^2022' out; then fail "--from let earlier rows through"; fi
expect 0 "$ANALYZER" timeline case --format csv --path '*/uploads/*'
grep -q thumb.php out || fail "--path"
if grep -q part-3.php out; then fail "--path let others through"; fi
expect 0 "$ANALYZER" timeline case --format csv --notable
grep -q thumb.php out || fail "--notable"
if grep -q part-3.php out; then fail "--notable let others through"; fi

# findings as a table and as JSON
expect 0 "$ANALYZER" findings case
grep -q thumb.php out || fail "findings table"
expect 0 "$ANALYZER" findings case --json
same out case/findings.json
equal "$(json out .schema)" exhibit.findings/1
equal "$(jq '[.findings[] | select(.path == null or .rule == null or .axis == null or .score == null or .severity == null or (.reasons | length) == 0)] | length' out)" 0
expect 0 "$ANALYZER" report case --output again.html
same again.html case/report.html
mkdir nocase
expect 1 "$ANALYZER" findings nocase
says_once nocase

python3 - <<'PY' || fail "case.db"
import sqlite3
db = sqlite3.connect('file:case/case.db?mode=ro', uri=True)
tables = {r[0] for r in db.execute("select name from sqlite_master where type = 'table'")}
assert {'evidence', 'volume', 'file', 'event', 'finding', 'reason'} <= tables, tables
row = db.execute("select path, size, mtime_ns, crtime_ns, sha256, allocated from file where path = '/etc/hostname'").fetchone()
assert row and row[1] == 6 and row[2] == 1663626370 * 10**9 and row[3] == 1785578400 * 10**9 and row[5] == 1, row
import hashlib
assert row[4] == hashlib.sha256(b'web01\n').hexdigest()
assert db.execute('pragma integrity_check').fetchone()[0] == 'ok'
PY

# the report: one file, nothing from elsewhere, each script and style under a hash of the policy
python3 - <<'PY' || fail "report.html"
import base64, hashlib, re
page = open('case/report.html', encoding='utf-8').read()
policy = re.search(r'http-equiv="?Content-Security-Policy"?\s+content="([^"]+)"', page, re.I).group(1)
assert "default-src 'none'" in policy and 'unsafe' not in policy, policy
for tag in ('script', 'style'):
    for body in re.findall(r'<%s[^>]*>(.*?)</%s>' % (tag, tag), page, re.S):
        digest = base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()
        assert "'sha256-%s'" % digest in policy, tag
assert not re.search(r'(src|href)\s*=\s*["\']?(https?:)?//', page), 'reference to the network'
assert not re.search(r'\son[a-z]+\s*=', re.sub(r'<script.*?</script>', '', page, flags=re.S)), 'event handler attribute'
assert not re.search(r'\sstyle\s*=', page), 'inline style, which the policy forbids'
PY
