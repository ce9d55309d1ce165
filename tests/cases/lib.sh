# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# For make.sh of a case: a small Debian-like system below $tree, in a scratch folder that is removed at the end.
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck source=scripts/disk.sh
. "$top/scripts/disk.sh"
case $1 in /*) disk=$1 ;; *) disk=$PWD/$1 ;; esac
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tree=$work/tree
installed=1785578400 # 2026-08-01T10:00:00Z
attacked=1788230400  # 2026-09-01T02:40:00Z
packaged=1663626370  # 2022-09-19T22:26:10Z, when the packages were built

# put PATH TEXT: a file of the tree.
put()
{
  mkdir -p "$tree${1%/*}"
  printf '%s\n' "$2" > "$tree$1"
}

# package NAME: everything put so far that no package owns belongs to package NAME from now on.
package()
{
  local info=$tree/var/lib/dpkg/info
  mkdir -p "$info"
  (cd "$tree" && find . -type f ! -path './var/lib/dpkg/*' -printf '%P\n' | sort) > "$work/all"
  cat "$info"/*.list 2> /dev/null | sed 's|^/||' | sort > "$work/owned" || true
  comm -23 "$work/all" "$work/owned" > "$work/new"
  sed 's|^|/|' "$work/new" > "$info/$1.list"
  (cd "$tree" && xargs -d '\n' md5sum < "$work/new") > "$info/$1.md5sums"
  printf 'Package: %s\nStatus: install ok installed\nArchitecture: all\nVersion: 1.0-1\n\n' "$1" >> "$tree/var/lib/dpkg/status"
}

# base_system: what every case has.
base_system()
{
  put /etc/os-release 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"'
  put /etc/hostname web01
  put /etc/timezone Etc/UTC
  mkdir -p "$tree/usr/bin" "$tree/tmp" "$tree/var/log"
  printf '\177ELF not a real program\n' > "$tree/usr/bin/true"
  printf '\177ELF nor is this\n' > "$tree/usr/bin/passwd"
  chmod 755 "$tree/usr/bin/true"
  chmod 4755 "$tree/usr/bin/passwd"
}

# wordpress_like: an application with the layout of WordPress, and its uploads.
wordpress_like()
{
  local i
  put /usr/share/wordpress/index.php "<?php require 'wp-blog-header.php';"
  put /usr/share/wordpress/wp-includes/version.php "<?php \$wp_version = '6.1.9';"
  for i in $(seq 1 12); do put "/usr/share/wordpress/wp-includes/part-$i.php" "<?php /* part $i */ function part_$i() { return $i; }"; done
  put /usr/share/wordpress/wp-content/index.php '<?php // Silence is golden.'
}

# finish_tree: times of an unpacked system.
finish_tree()
{
  find "$tree" -exec touch -h -d "@$packaged" {} +
}
