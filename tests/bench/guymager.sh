#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Acquisition against guymager, whose window is driven in a virtual screen: its wall time is that from the key on "Start"
# to its command at the end of an acquisition. Both read a loop device, since guymager takes no files.
# shellcheck source=tests/bench/lib.sh
. "$(dirname "$0")/lib.sh"
[ "$(id -u)" = 0 ] || skip "needs root"
requires guymager Xvfb xdotool ewfverify losetup blockdev lsblk

# settings: digests as ours, no reading back, all fields filled in, and no device in the window but ours
settings()
{
  local name
  printf '%s\n' 'INCLUDE /etc/guymager/guymager.cfg' 'SECTION GUYMAGER' 'StartupSize = MANUAL' 'StartupSizeManualX = 0' \
    'StartupSizeManualY = 0' 'StartupSizeManualDx = 1000' 'StartupSizeManualDy = 500' 'LocalHiddenDevicesUseRegExp = false' \
    "CommandAcquisitionEnd = 'touch $work/ended'" 'TABLE HiddenDevices NoName'
  lsblk -adpno NAME | grep -vxF "$loop" | sed "s/.*/'&'/"
  printf '%s\n' ENDTABLE 'TABLE DlgAcquireField NoName' "'SplitFileSwitch' ShowLast Hide '1'" "'SplitFileSize' ShowLast Hide '2047'" \
    "'SplitFileUnit' ShowLast Hide 'MiB'" "'DestImageDirectory' ShowLast Hide '$work/peer/'" "'DestInfoDirectory' Hide ShowLast '$work/peer/'"
  for name in EwfCaseNumber EwfEvidenceNumber EwfExaminer EwfDescription EwfNotes UserField; do echo "'$name' ShowDefault Hide 'x'"; done
  for name in DestImageFilename DestInfoFilename; do echo "'$name' ShowDefault ShowDefault 'image'"; done
  for name in HashCalcMD5 HashCalcSHA256; do echo "'$name' ShowLast ShowLast '1'"; done
  for name in HashCalcSHA1 HashVerifySrc HashVerifyDst; do echo "'$name' ShowLast ShowLast '0'"; done
  printf '%s\n' ENDTABLE ENDSECTION
}

# until_true SECONDS COMMAND...: whether the command succeeds within this time
until_true()
{
  local end=$((SECONDS + $1))
  shift
  until "$@" > /dev/null 2>&1; do
    [ $SECONDS -le $end ] || return 1
    sleep 0.05
  done
}
window() { xdotool search --onlyvisible --name "$1"; }
# open_dialog: the context menu of the only row, wherever the fonts have put it, and its first entry
open_dialog()
{
  local y
  for y in 130 120 140 110 150 100 160; do
    xdotool mousemove 150 $y click 3 sleep 0.5 key Down Return
    until_true 2 window 'Acquire image of' && { sleep 1; return; } # it takes keys a moment after it is shown
    xdotool key Escape
  done
  fail "guymager's window has no row for $loop where one is expected"
}
cpu_ticks() { sed 's/.*) //' "/proc/$1/stat" | awk '{ print $12 + $13 + $14 + $15 }'; }

peer()
{
  local pid before start end
  fresh
  rm -f "$work/ended"
  guymager log="$work/guymager.log" cfg="$work/guymager.cfg" > "$work/out" 2> "$work/err" &
  pid=$!
  started+=("$pid")
  until_true 30 window '^GUYMAGER' || fail "guymager shows no window: $(tail -n 1 "$work/err")"
  sleep 2 # its first search for devices
  open_dialog
  before=$(cpu_ticks $pid)
  start=${EPOCHREALTIME/./}
  xdotool key Return
  until_true $((30 + mib / 8)) test -e "$work/ended" || fail "guymager hasn't ended in time, or asks something: $(xdotool search --onlyvisible --name . getwindowname %@ | paste -sd ,)"
  end=${EPOCHREALTIME/./}
  awk -v wall=$((end - start)) -v ticks=$(($(cpu_ticks $pid) - before)) -v hz="$(getconf CLK_TCK)" \
    '/^VmHWM:/ { printf "%.4f %.2f %d\n", wall / 1e6, ticks / hz, $2 }' "/proc/$pid/status" >> "$work/peer.log"
  kill $pid
  wait $pid 2> /dev/null || true
  started=("${started[@]:0:1}")
}
check_peer() { check_image "$work/peer/image.E01"; }
ours() { fresh; our_acquire "$loop" fast md5,sha256; }
check_ours() { check_image "$work/ours/data/image.E01"; }

# nothing of the user's own settings
mkdir -m 700 "$work/home"
export HOME=$work/home XDG_RUNTIME_DIR=$work/home
Xvfb -screen 0 1280x1024x24 -displayfd 3 3> "$work/display" > /dev/null 2>&1 &
started+=($!)
until_true 10 grep -q . "$work/display" || fail "Xvfb doesn't start"
DISPLAY=:$(cat "$work/display")
export DISPLAY

header guymager our
use_disk realistic
use_loop
settings > "$work/guymager.cfg"
in_turn "acquire realistic from a loop device, fast, md5,sha256" 4.0
echo
awk -v peer="$(median "$work/peer.log" 2)" -v ours="$(median "$work/ours.log" 2)" -v rss="$(median "$work/peer.log" 3)" \
  'BEGIN { printf "CPU of ours / guymager: %.2f (at most 0.33: %s); peak memory of guymager: %.0f MB\n", ours / peer, ours / peer <= 0.334 ? "yes" : "no", rss / 1024 }'
