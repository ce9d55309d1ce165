#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Digests of all files against sha256sum over the tree that the disk was made of; DFXML and hashdeep forms.
. "$(dirname "$0")/lib.sh"
requires jq xmllint
make_disk
(cd tree && find . -type f -print0 | sort -z | xargs -0 sha256sum | sed 's|  \./|  /|; s|^\(\\*[0-9a-f]*  \)\./|\1/|' | sort -k2) > want
expect 0 "$ANALYZER" hashes disk.raw --format sha256sum
sort -k2 out > got
same want got
for n in 1 2 5; do
  expect 0 "$ANALYZER" hashes disk.raw --format sha256sum --threads $n
  sha256 out >> digests
done
equal "$(sort -u digests | wc -l)" 1 "lists with other numbers of threads"
expect 0 "$ANALYZER" hashes disk.raw --format hashdeep
grep -q '^%%%% HASHDEEP-1.0' out || fail "hashdeep header"
size=$(stat -c %s tree/var/www/html/numbers.txt)
grep -q "^$size,$(md5sum < tree/var/www/html/numbers.txt | cut -d' ' -f1),$(sha256 tree/var/www/html/numbers.txt),/var/www/html/numbers.txt$" out || fail "hashdeep line"
expect 0 "$ANALYZER" hashes disk.raw --format dfxml
xmllint --noout out || fail "DFXML is not well-formed"
grep -q "$(sha256 tree/var/www/html/numbers.txt)" out || fail "digest in DFXML"

# one file, by name and by inode; a name that is not there
expect 0 "$ANALYZER" cat disk.raw /var/www/html/numbers.txt
same out tree/var/www/html/numbers.txt
expect 1 "$ANALYZER" cat disk.raw /no/such/file
says_once '/no/such/file'
expect 0 "$ANALYZER" ls disk.raw
grep -qx '/var/www/html/numbers.txt' out || { head out; fail "ls"; }
expect 0 "$ANALYZER" ls disk.raw /var/www/html
equal "$(wc -l < out)" 5 "/var/www/html and what is below /var/www/html"
