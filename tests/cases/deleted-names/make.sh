#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Names that are gone: a deleted file, a deleted folder with a file, and a name whose inode is in use again.
. "$(dirname "$0")/../lib.sh"
base_system
for i in 1 2 3 4 5; do put "/srv/file-$i" "content $i"; done
put /srv/folder/inner inside
finish_tree
disk_new "$disk" 16 gpt
disk_ext4 "$disk" 2048 "$(disk_sectors "$disk")" "$tree" $installed
echo new > "$work/new"
{
  echo 'rm /srv/file-2'
  echo 'rm /srv/folder/inner'
  echo 'rmdir /srv/folder'
  echo 'rm /srv/file-4'
} | disk_debugfs "$disk" 2048 $attacked
