#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What reads a block device fastest past the page cache, with how much CPU: one, two and four threads with pread, or io_uring
# (docs/decisions/0007-threads-that-read.md). Reads DEVICE if one is named, else a loop device over a file in memory. Needs root and fio.
. "$(dirname "$0")/lib.sh"
device=${1:-}
[ "$(id -u)" = 0 ] || { echo "bench: needs root" >&2; exit 1; }
command -v fio > /dev/null || { echo "bench: fio is not installed" >&2; exit 1; }
if [ -z "$device" ]; then
  disk_random "$work/disk.raw"
  device=$(losetup -f --show "$work/disk.raw")
  trap 'losetup -d "$device"; rm -rf "$work"' EXIT
  blockdev --setrw "$device"
fi

# reads NAME JOBS FIO-OPTION...: MiB-sized reads of the first BENCH_MIB of the device, shared by the jobs
reads()
{
  local name=$1 jobs=$2
  shift 2
  fio --name=read --filename="$device" --readonly --direct=1 --bs=1M --rw=read --numjobs="$jobs" --size="$((mib / jobs))M" \
    --offset_increment="$((mib / jobs))M" --thread --group_reporting --output-format=json "$@" > "$work/fio.json"
  jq -r --argjson mib "$mib" '[.jobs[0] | .read.runtime, (.usr_cpu + .sys_cpu) * .job_runtime / 100] | "\(.[0]) \(.[1])"' "$work/fio.json" >> "$work/$name.log"
}

for ((i = 0; i < rounds; i++)); do
  reads pread1 1 --ioengine=psync
  reads pread2 2 --ioengine=psync
  reads pread4 4 --ioengine=psync
  reads uring4 1 --ioengine=io_uring --iodepth=4
  reads uring8 1 --ioengine=io_uring --iodepth=8
done
printf '| %-24s | MB/s | CPU s per GB |\n|---|---|---|\n' "reads of 1 MiB"
for name in pread1 pread2 pread4 uring4 uring8; do
  awk -v name="$name" -v mib="$mib" -v ms="$(median "$work/$name.log" 1)" -v cpu="$(median "$work/$name.log" 2)" \
    'BEGIN { bytes = mib * 1048576; printf "| %-24s | %4.0f | %.3f |\n", name, bytes / ms / 1e3, cpu / 1e3 / (bytes / 1e9) }'
done
