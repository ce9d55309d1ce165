#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# One of each kind that the first checks look for, all planted in one night.
. "$(dirname "$0")/../lib.sh"
base_system
wordpress_like
package wordpress
mkdir -p "$tree/usr/share/wordpress/wp-content/uploads/2026/09"
finish_tree
disk_new "$disk" 24 dos
disk_ext4 "$disk" 2048 "$(disk_sectors "$disk")" "$tree" $installed

root=/usr/share/wordpress
{ cat "$tree$root/wp-includes/part-7.php"; echo '/* inert change */'; } > "$work/core"
printf '\177ELF another one\n' > "$work/program"
echo '<?php return; /* inert */' > "$work/script"
printf '# pictures\nAddHandler application/x-httpd-php .jpg\n' > "$work/htaccess"
printf 'auto_prepend_file = "/tmp/.x"\n' > "$work/user.ini"
{
  echo "rm $root/wp-includes/part-7.php"
  disk_put "$work/core" $root/wp-includes/part-7.php $attacked
  printf 'sif "%s" crtime @%s\n' $root/wp-includes/part-7.php $installed
  disk_put "$work/script" $root/wp-content/uploads/2026/09/thumb.php $((attacked + 60))
  { echo "rm /usr/bin/true"; disk_put "$work/program" /usr/bin/true $((attacked + 300)) $packaged; echo 'sif /usr/bin/true mode 0100755'; }
  disk_put "$work/htaccess" $root/wp-content/uploads/.htaccess $((attacked + 600))
  disk_put "$work/user.ini" $root/.user.ini $((attacked + 700))
  disk_put "$work/script" $root/wp-includes/class-part.php $((attacked + 1200)) $packaged
  disk_put "$work/program" /tmp/.helper $((attacked + 1800))
  echo 'sif /tmp/.helper mode 0104755'
} | disk_debugfs "$disk" 2048 $attacked
