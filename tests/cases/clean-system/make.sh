#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A server as its administrator left it: nothing may be reported.
. "$(dirname "$0")/../lib.sh"
base_system
wordpress_like
package wordpress
mkdir -p "$tree/var/www/html/wp-content/uploads/2026/08"
printf '\377\330\377\340 picture' > "$tree/var/www/html/wp-content/uploads/2026/08/photo.jpg"
finish_tree
disk_new "$disk" 24 gpt
disk_ext4 "$disk" 2048 "$(disk_sectors "$disk")" "$tree" $installed
