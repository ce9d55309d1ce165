#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Hostile operations from within each process of an acquisition, on a loop device that nothing else protects: all are
# denied, the work is possible, the device saw no write. And each layer by itself denies something that was possible.
. "$(dirname "$0")/../cli/lib.sh"
requires_root
requires mkfs.ext4
attacks=${ATTACKS:?}
truncate -s 16M pristine
mkfs.ext4 -q -F pristine || fail "mkfs.ext4"

# A loop device is named by its file: attacks may have freed it, and others may use it by now.
release() { losetup -n -O NAME -j "$scratch/disk" | xargs -r -n 1 losetup -d; }
at_exit release
# A fresh disk in $loop.
renew()
{
  release
  cp pristine disk
  loop=$(losetup -f --show disk 2> /dev/null) || skip "no loop device"
  blockdev --setrw "$loop"
}

# tried PROFILE LAYER: what came out, in PROFILE.LAYER
tried()
{
  rm -rf folder; mkdir folder
  "$attacks" "$1" "$2" "$loop" "$scratch/folder" > "$1.$2" 2> err && return
  grep -q ': absent' err && skip "a layer is missing on this kernel: $(head -n 1 err)"
  fail "$1, $2: $(cat err)"
}
# count FILE KIND RESULT
count() { awk -F '\t' -v k="$2" -v r="$3" '$1 == k && $3 == r' "$1" | wc -l; }
# writes, discards and flushes that the device has done: fields 5, 12 and 16
changes() { sync; awk '{ print $5, $12, $16 }' "/sys/block/${loop##*/}/stat"; }

# --- all layers ---
renew
before=$(sha256 disk)
[ "$(cat "/sys/block/${loop##*/}/queue/iostats")" = 1 ] || skip "the device does not count its requests"
blockdev --flushbufs "$loop"
at_start=$(changes)
for profile in reader writer guardian; do
  tried $profile all
  [ "$(count $profile.all attack denied)" -ge 43 ] || fail "only $(count $profile.all attack denied) operations were denied in the $profile"
  equal "$(awk -F '\t' '$1 == "attack" && $3 != "denied"' $profile.all)" "" "not denied in the $profile"
  equal "$(awk -F '\t' '$1 == "work" && $3 != "possible"' $profile.all)" "" "not possible in the $profile"
  [ "$(count $profile.all work possible)" -ge 4 ] || fail "the $profile did no work"
done
equal "$(changes)" "$at_start" "writes, discards and flushes"
release
equal "$(sha256 disk)" "$before" "digest of the disk"

for profile in reader writer guardian; do
  awk -F '\t' -v p=$profile '{ print $1 "\t" $2 "\t" p "\t" ($3 == "possible" ? "works" : $4) }' $profile.all
done | awk -F '\t' '
  !($2 in seen) { seen[$2]; order[++n] = $2 }
  { cell[$2, $3] = $4 }
  function show(o, p) { return (o, p) in cell ? cell[o, p] : "." }
  function line(o, r, w, g) { printf "%-34s %-7s %-17s %s\n", o, r, w, g }
  BEGIN { line("operation", "reader", "writer", "guardian") }
  END { for (i = 1; i <= n; i++) line(order[i], show(order[i], "reader"), show(order[i], "writer"), show(order[i], "guardian")) }'

# --- each layer alone ---
for layer in none landlock capabilities seccomp; do
  for profile in reader writer guardian; do
    renew
    tried $profile $layer
  done
done
for profile in reader writer guardian; do
  echo "$profile without layers: $(count $profile.none attack denied) denied, $(count $profile.none attack failed) failed, $(count $profile.none attack possible) possible"
  [ "$(count $profile.none attack possible)" -ge 20 ] || fail "too few operations are possible for the $profile without layers: this proves nothing"
  for layer in landlock capabilities seccomp; do
    # denied by this layer alone, and by nothing without it
    awk -F '\t' 'NR == FNR { open[$2] = $3 != "denied"; next } $1 == "attack" && $3 == "denied" && open[$2] { print $2 }' \
      $profile.none $profile.$layer > stopped
    echo "$profile, $layer alone denies $(wc -l < stopped): $(paste -sd, stopped | sed 's/,\([^ ]\)/, \1/g')"
    [ "$(wc -l < stopped)" -ge 3 ] || fail "$layer alone denies next to nothing to the $profile"
    equal "$(awk -F '\t' '$1 == "work" && $3 != "possible"' $profile.$layer)" "" "not possible in the $profile with $layer alone"
  done
done

# stops LAYER PROFILE OPERATION...: what one layer has to deny even if both others are gone, by EPERM or EACCES
stops()
{
  local layer=$1 profile=$2 said
  shift 2
  for operation; do
    said=$(awk -F '\t' -v o="$operation" '$2 == o { print $3, $4 }' "$profile.$layer")
    case $said in "denied EPERM" | "denied EACCES") ;; *) fail "$layer alone lets the $profile do '$operation': $said" ;; esac
  done
}
by_path=("open by path, O_RDWR" "open by path, O_WRONLY" "open through a link in the folder" "create a file elsewhere" "write to sysfs")
for profile in reader writer guardian; do
  stops landlock $profile "${by_path[@]}" "open /proc/self/fd/N" "mknod and open" "mount the source" "ptrace another"
  stops capabilities $profile "mknod and open"
  stops seccomp $profile BLKDISCARD BLKZEROOUT BLKRRPART "SG_IO, WRITE(10)" LOOP_CLR_FD "mknod and open" "chmod of the device" \
    "mount the source" swapon io_uring bpf "ptrace another" "signal another" socket fork execve
done
stops capabilities reader "BLKROSET off" BLKRRPART "mount the source"
stops capabilities writer "BLKROSET off" BLKRRPART "mount the source"
stops seccomp reader write pwrite pwritev2 "mmap shared, writable" "fsync (flush)" "BLKROSET off" "${by_path[@]}"
stops seccomp writer "BLKROSET off"
stops seccomp guardian write pwrite pwritev2 "mmap shared, writable" "fsync (flush)" "${by_path[@]}"
