#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What more threads and cores give, and what the digests alone would allow. No peer, so hyperfine may do the rounds; the
# memory, which it doesn't know, comes from /usr/bin/time inside.
# shellcheck source=tests/bench/lib.sh
. "$(dirname "$0")/lib.sh"
requires ewfverify hyperfine jq taskset openssl

cores=$(nproc)
first=$(one_core)
use_disk realistic

# measured WHAT DIGESTS THREADS [PREFIX...]: a row; the first one since base="" is what the others are compared with
measured()
{
  local what=$1 digests=$2 threads=$3 command
  shift 3
  rm -f "$work/rss"
  command=$(printf '%q ' "$@" /usr/bin/time -a -o "$work/rss" -f %M "$imager" acquire "$disk" --output "$work/ours" --hash "$digests" --threads "$threads" "${like_peer[@]}")
  hyperfine --shell=none --style none --runs "$rounds" --prepare "rm -rf $(printf %q "$work/ours")" --export-json "$work/json" "$command" > "$work/out" 2> "$work/err" ||
    { cat "$work/err" >&2; fail "'$command' failed"; }
  check_image "$work/ours/data/image.E01"
  rm -rf "$work/ours"
  base=${base:-$(jq '.results[0].median' "$work/json")}
  # shellcheck disable=SC2016 # jq's variables
  jq -r '.results[0] | [.median, .user + .system] | @tsv' "$work/json" |
    awk -v what="$what, $digests" -v threads="$threads" -v base="$base" -v bytes="$bytes" -v rss="$(median "$work/rss" 1)" \
      '{ printf "| %-36s | %7d | %7.0f | %6.2f | %6.2f | %7.0f | %10.2f x |\n", what, threads, bytes / $1 / 1e6, $1, $2, rss / 1024, base / $1 }'
}

echo "| work (realistic, fast) | threads | MB/s | wall s | CPU s (mean) | MB peak | against one core |"
echo "|---|---|---|---|---|---|---|"
for digests in md5,sha256 sha256; do
  base=
  measured "one core" "$digests" 1 taskset -c "$first"
  for threads in 1 2 $([ "$cores" -le 2 ] || echo "$cores"); do measured "$cores cores" "$digests" "$threads"; done
done
rm -f "$disk"

echo
echo "| digest alone, on one core (openssl speed) | MB/s |"
echo "|---|---|"
speed_md5=$(lane md5) speed_sha1=$(lane sha1) speed_sha256=$(lane sha256)
echo "| md5 | $speed_md5 |"
echo "| sha1 | $speed_sha1 |"
echo "| sha256 | $speed_sha256 |"
# A digest is one sequential lane: with a core each, the slowest bounds; on one core, they add up.
for digests in md5,sha256 sha1,sha256 sha256; do
  awk -v digests="$digests" -v md5="$speed_md5" -v sha1="$speed_sha1" -v sha256="$speed_sha256" 'BEGIN {
    speed["md5"] = md5; speed["sha1"] = sha1; speed["sha256"] = sha256
    n = split(digests, name, ",")
    for (i = 1; i <= n; i++) {
      sum += 1 / speed[name[i]]
      if (slowest == 0 || speed[name[i]] < slowest) slowest = speed[name[i]]
    }
    printf "| at most, %s: a core for each / one core for all | %.0f / %.0f |\n", digests, slowest, 1 / sum
  }'
done
