#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# One lint by name, over the tree: run.sh TOP BUILD NAME. Prints what is wrong; exit 0 clean, 1 not, 77 skipped.
# shellcheck disable=SC2046,SC2044 # our own file names have no spaces
set -uo pipefail
top=$1 build=$2 name=$3
lint=$(cd "$(dirname "$0")" && pwd)
cd "$top" || exit 1

code() { find libcommon imager analyzer -name '*.[ch]' | sort; }
scripts() { grep -lE '^#!/bin/(ba)?sh' -r scripts tests .ci 2>/dev/null | sort; }
need() { command -v "$1" > /dev/null || { echo "skipped: $1 is not installed"; exit 77; }; }
# fails if its input holds anything, and shows it; a grep before it may well find nothing
none() { ! grep . ; }
set +o pipefail

case $name in
  layers) code | xargs awk -f "$lint/layers.awk" docs/layers ;;
  libraries) code | xargs awk -f "$lint/libraries.awk" docs/layers ;;
  threads) grep -n pthread_create $(code) | grep -v '^libcommon/run/pool.c:' | none ;;
  banned)
    # unbounded, locale-dependent or thread-unsafe calls
    grep -nE '\b(strcpy|strcat|sprintf|vsprintf|gets|strtok|atoi|atol|atof|gmtime|localtime|asctime|ctime|mktemp|tmpnam|alloca|system|popen) ?\(' $(code) | none ;;
  spdx) for f in $(code) $(find tests -name '*.[ch]'); do
      head -n 1 "$f" | grep -qF '/* SPDX-License-Identifier: Apache-2.0 */' || echo "$f: line 1 is not the SPDX line"; done | none ;;
  length) wc -l $(code) | awk '$2 != "total" && $1 > 600 { print $2 ": " $1 " lines (600 at most: is it two ideas?)" }' | none ;;
  symbols)
    # What the objects define for others begins with our prefixes: libtsk exports names such as ewf_open.
    need nm
    for lib in "$build"/libcommon/libcommon.a "$build"/imager/libimager_core.a "$build"/analyzer/libanalyzer_core.a; do
      [ -e "$lib" ] || { echo "$lib is missing"; continue; }
      nm -g --defined-only "$lib" 2>/dev/null | awk -v lib="${lib##*/}" 'NF == 3 && $3 !~ /^_?_?(co|im|an)_/ && $3 !~ /^__(asan|odr_asan|ubsan|tsan)/ { print lib ": exports " $3 }'
    done | none || exit 1
    # and the programs export nothing at all
    for program in exhibit-imager exhibit-analyzer; do
      nm -D --defined-only "$build/bin/$program" | awk -v p=$program '$2 != "w" && $2 != "V" && $3 !~ /@GLIBC/ { print p ": exports " $3 }'
    done | none ;;
  usage)
    # every command answers --help on standard output, and its help names every option of the design's contract
    for program in exhibit-imager exhibit-analyzer; do
      "$build/bin/$program" --version | grep -qE "^$program [0-9]+\.[0-9]+\.[0-9]+$" || echo "$program --version"
      commands=$("$build/bin/$program" --help | awk '/^  [a-z]/ { print $1 }')
      [ -n "$commands" ] || echo "$program --help lists no command"
      for command in $commands; do
        "$build/bin/$program" "$command" --help 2>/dev/null | grep -qi '^usage:' || echo "$program $command --help shows no usage"
        grep -qF "$program $command" README.md docs/*.md || echo "$program $command is nowhere in README.md or docs/"
      done
    done | none ;;
  docs)
    # files that the documents name exist
    # shellcheck disable=SC2016 # backquotes of Markdown
    grep -ohE '`(libcommon|imager|analyzer|tests|docs|scripts|cmake)/[A-Za-z0-9_./-]+`' README.md NEWS.md docs/*.md docs/decisions/*.md | tr -d '`' | sort -u |
      while read -r path; do [ -e "$path" ] || echo "documents name $path, which does not exist"; done | none || exit 1
    # and each folder of the code is in docs/architecture.md
    for folder in $(find libcommon imager analyzer tests -mindepth 1 -maxdepth 1 -type d); do
      grep -qF "${folder##*/}" docs/architecture.md || echo "docs/architecture.md does not name $folder"
    done | none ;;
  places) # no path of a developer's machine, no binary fixture
    case $PWD in /*/*) git grep -nIF "$PWD/" | none || exit 1 ;; esac
    git ls-files -z | xargs -0 file --mime-encoding 2>/dev/null | grep ': binary$' | grep -v '^docs/.*\.png:' | none ;;
  format) need clang-format; clang-format --dry-run -Werror $(code) $(find tests -name '*.[ch]') 2>&1 | grep -E 'error|warning' | head -n 20 | none ;;
  shell) need shellcheck; scripts | xargs shellcheck -x -S warning ;;
  tidy) need clang-tidy; [ -e "$build/compile_commands.json" ] || { echo "no compile commands"; exit 1; }
    code | grep '\.c$' | xargs -P 2 -n 8 clang-tidy -p "$build" --quiet 2>/dev/null | grep -E 'error|warning' | sort -u | none ;;
  *) echo "unknown lint $name"; exit 1 ;;
esac
