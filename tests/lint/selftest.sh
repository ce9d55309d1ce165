#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Breaks the tree on purpose, in a copy, once per lint: each must notice. selftest.sh TOP BUILD
set -uo pipefail
top=$1 build=$2
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
failed=0

# breaks LINT FILE TEXT: TEXT at the end of FILE (made if absent) must make LINT fail, which passes without it
breaks()
{
  rm -rf "$copy/tree"
  mkdir "$copy/tree"
  (cd "$top" && tar -c --exclude=./build --exclude=./demo --exclude=./.git .) | tar -x -C "$copy/tree"
  "$copy/tree/tests/lint/run.sh" "$copy/tree" "$build" "$1" > "$copy/said" 2>&1
  [ $? = 77 ] && { echo "$1: skipped"; return; }
  printf '%s\n' "$3" >> "$copy/tree/$2"
  if "$copy/tree/tests/lint/run.sh" "$copy/tree" "$build" "$1" > "$copy/said" 2>&1; then
    echo "$1 did not notice '$3' in $2"
    failed=1
  else
    echo "$1 noticed: $(head -n 1 "$copy/said" | cut -c1-150)"
  fi
}

breaks layers libcommon/base/text.c '#include "run/pool.h"'
breaks layers analyzer/check/dpkg.c '#include "export/export.h"'
breaks layers imager/main.c '#include "store/case.h"'
breaks libraries imager/main.c '#include <libewf.h>'
breaks libraries analyzer/check/dpkg.c '#include <tsk/libtsk.h>'
breaks threads imager/main.c 'int x = pthread_create(0, 0, 0, 0);'
breaks banned imager/main.c 'void f(char *a) { strcpy(a, "b"); }'
breaks spdx tests/unit/new.c 'int x;'
breaks length imager/main.c "$(yes '/* */' | head -n 600)"
breaks docs README.md 'See `docs/nowhere.md`.'
breaks format imager/main.c 'int  x ;'
breaks shell scripts/demo 'for f in $(ls *.txt); do cat $f; done; read x'
exit $failed
