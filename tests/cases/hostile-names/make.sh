#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Names made to break terminals, reports and line-based files; and a script in uploads with such a name.
. "$(dirname "$0")/../lib.sh"
base_system
up=/var/www/html/wp-content/uploads
mkdir -p "$tree$up" "$tree/srv/$(printf '</script><script>alert(1)<')"
for name in 'a|b' 'tab	here' $'new\nline' $'esc\033[31m' $'bad\377utf8' $'rtl\342\200\256gnp.exe' '<img src=x onerror=alert(1)>' ' lead' 'trail ' '$HOME`id`' "quote'\"" '%7C'; do
  printf x > "$tree/srv/$name"
done
printf '<?php return;\n' > "$tree$up/<img src=x onerror=alert(1)>.php"
finish_tree
disk_new "$disk" 16 gpt
disk_ext4 "$disk" 2048 "$(disk_sectors "$disk")" "$tree" $installed
