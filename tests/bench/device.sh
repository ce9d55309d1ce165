#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The first row of acquire.sh with a block device as the source: a loop device, read by the peer through the page cache
# and by us past it.
# shellcheck source=tests/bench/lib.sh
. "$(dirname "$0")/lib.sh"
[ "$(id -u)" = 0 ] || skip "needs root"
requires ewfacquire ewfverify losetup blockdev

peer() { fresh; ewf_acquire "$loop" fast; }
check_peer() { check_image "$work/peer/image.E01"; }
ours() { fresh; our_acquire "$loop" fast md5,sha256; }
check_ours() { check_image "$work/ours/data/image.E01"; }

header
use_disk realistic
use_loop
in_turn "acquire realistic from a loop device, fast, md5,sha256" 5.0
[ "$(sha256sum < "$disk" | cut -d' ' -f1)" = "$digest" ] || fail "$disk has changed"
