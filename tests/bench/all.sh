#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The machine, and all benches one after the other, as docs/performance.md shows them.
cd "$(dirname "$0")" || exit 1
# shellcheck source=tests/bench/lib.sh
. ./lib.sh

version() { dpkg-query -W -f '${Version}' "$1" 2> /dev/null || echo "not installed"; }
echo "## Machine"
echo
echo "- $(lscpu | sed -n 's/^Model name: *//p'), $(nproc) cores, $(free -g | awk '/^Mem:/ { print $2 }') GiB of memory, load before the start $(cut -d' ' -f1 /proc/loadavg)"
echo "- $(. /etc/os-release && echo "$PRETTY_NAME"), kernel $(uname -r), $(df --output=fstype "$work" | tail -n 1) for disks and images"
echo "- $("$imager" --version), commit $(git -C "$top" describe --always --dirty 2> /dev/null || echo unknown); disks of $mib MiB, $rounds rounds"
for package in ewf-tools dc3dd guymager openssl; do echo "- $package $(version $package)"; done
for digest in md5 sha1 sha256; do echo "- $digest on one core (openssl speed): $(lane $digest) MB/s"; done

failed=
for bench in acquire verify scaling raw export second device reading random guymager; do
  [ -e $bench.sh ] || continue
  printf '\n## %s\n\n' "$bench.sh"
  status=0
  bash ./$bench.sh || status=$?
  case $status in 0 | 77) ;; *) failed="$failed $bench" ;; esac
done
[ -z "$failed" ] || fail "failed:$failed"
