# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# For tests that kill acquisitions and resume them; sourced after lib.sh.

fixed=(--guid 000102030405060708090a0b0c0d0e0f --date 2026-01-01T00:00:00Z)
shape=(--segment-size 1M --threads 2 "${fixed[@]}" --progress none)
# seconds MICROSECONDS
seconds() { printf '%d.%06d' $(($1 / 1000000)) $(($1 % 1000000)); }
pause() { read -r -t "$1" <> <(:) || :; } # seconds, without a process

# make_source FILE MIB: zeros, text and random bytes in turn, and half a sector at the end. The ring holds 16 MiB: the first
# segments are written when about so much has been read.
make_source()
{
  local i
  for ((i = 0; i < $2; i++)); do
    case $((i % 4)) in
      0) head -c 1048576 /dev/zero ;;
      1) yes "line $i of something that can be compressed" | head -c 1048576 || : ;;
      *) head -c 262144 /dev/urandom; head -c 786432 /dev/zero ;;
    esac
  done > "$1"
  head -c 256 /dev/urandom >> "$1"
}

# same_image BAG WHOLE: all segments are the same bytes, and there is nothing left of an unfinished image.
same_image()
{
  local one two
  one=$(cd "$1/data" && ls -- *.E??)
  two=$(cd "$2/data" && ls -- *.E??)
  equal "$one" "$two" "segments of $1"
  for file in $one; do cmp "$1/data/$file" "$2/data/$file" || fail "$1/data/$file is not that of an uninterrupted run"; done
  [ "$(cd "$1/data" && ls)" = "$(cd "$2/data" && ls)" ] || fail "$1/data holds other files: $(ls "$1/data")"
  cmp "$1/data/image.blocks.sha256" "$2/data/image.blocks.sha256" || fail "block digests of $1"
  equal "$(jq -c '[.digests, .unreadable, .areas, .segments]' "$1/data/image.manifest.json")" \
    "$(jq -c '[.digests, .unreadable, .areas, .segments]' "$2/data/image.manifest.json")" "record of $1"
}

# whole_log BAG: each line names the digest of the one before, none is missing, and the record has the last one.
whole_log()
{
  local prev n=0 line log=$1/data/image.events.jsonl
  prev=$(printf '0%.0s' {1..64})
  while IFS= read -r line; do
    [[ $line == "{\"seq\":$n,"*"\"prev\":\"$prev\"}" ]] || fail "$log: line $n does not follow the one before"
    prev=$(printf %s "$line" | sha256sum | cut -d' ' -f1)
    n=$((n + 1))
  done < "$log"
  equal "$(jq -r '"\(.events.count) \(.events.head_sha256)"' "$1/data/image.manifest.json")" "$n $prev" "head of $log"
}

# sealed BAG: complete, as stock tools and we ourselves see it.
sealed()
{
  (cd "$1" && sha256sum --quiet -c manifest-sha256.txt && sha256sum --quiet -c tagmanifest-sha256.txt) || fail "$1: sha256sum -c"
  "$IMAGER" verify "$1" --progress none > verified 2>&1 || { cat verified >&2; fail "verify $1"; }
  grep -q ': match' verified || fail "verify $1 does not say match"
  whole_log "$1"
}

# holds FILE TEXT, without a process
holds()
{
  local text=
  { read -r -d '' text < "$1" || :; } 2> /dev/null
  [[ $text == *"$2"* ]]
}

# kill_when CONDITION COMMAND...: runs it in the background and kills it, hard, as soon as the condition holds; also once it
# has ended. Messages are in ./killed. CONDITION: a number of seconds, file:NAME (it exists), event:WORD (in the log),
# segments:N (so many in the record), resumes:N (so many in the log) or seconds behind one of them (event:verified+0.01).
kill_when()
{
  local condition=${1%%+*} more=0 pid i kid kids=
  [[ $1 == *+* ]] && more=${1#*+}
  shift
  "$@" > killed 2>&1 &
  pid=$!
  disown $pid # its end is no message
  for ((i = 0; i < 20000; i++)); do
    case $condition in
      resumes:*) [ "$(grep -cs '"event":"resumed"' bag/data/image.events.jsonl.part)" != "${condition#*:}" ] || break ;;
      file:*) [ ! -e "${condition#*:}" ] || break ;;
      segments:*) ! holds bag/data/image.manifest.json "\"image.E0${condition#*:}" || break ;;
      event:*) ! holds bag/data/image.events.jsonl.part "\"event\":\"${condition#*:}" || break ;;
      *) pause "$condition"; break ;;
    esac
    [ -e "/proc/$pid/exe" ] || break
    pause 0.01
  done
  pause "$more"
  { read -r kids < /proc/$pid/task/$pid/children || :; } 2> /dev/null
  kill -KILL $pid 2> /dev/null || :
  # until its files are closed, and those of its processes
  for kid in $pid $kids; do
    while [ -e "/proc/$kid/exe" ]; do pause 0.003; done
  done
}

# resumed SOURCE BAG WHOLE [option...]: goes on until the end; the bag is as if nothing had happened.
resumed()
{
  local source=$1 bag=$2 whole=$3 got=0 sessions
  shift 3
  sessions=$(jq '.earlier_sessions | length + 1' "$bag/data/image.manifest.json")
  "$IMAGER" acquire "$source" --output "$bag" --resume --progress none "$@" > out 2> err || got=$?
  if [ $got = 2 ] && grep -q 'is complete: there is nothing to resume' err; then
    late=1
  else
    [ $got = "${want:-0}" ] || { cat err >&2; fail "resume of $bag ended with $got"; }
    equal "$(jq '.earlier_sessions | length' "$bag/data/image.manifest.json")" "$sessions" "sessions"
    equal "$(grep -c '"event":"resumed"' "$bag/data/image.events.jsonl")" "$sessions" "sessions in the log"
  fi
  same_image "$bag" "$whole"
  sealed "$bag"
}

# look_for_whole BAG: what other programs take for a whole image goes into ./taken; of an unfinished bag it must be empty.
look_for_whole()
{
  local file
  for file in "$1"/data/*.E??; do
    [ -e "$file" ] || continue
    ! ewfverify -q "$file" > /dev/null 2>&1 || echo "ewfverify: $file" >> taken
    ! ewfinfo "$file" > /dev/null 2>&1 || echo "ewfinfo: $file" >> taken
  done
}

# killed_at CONDITION SOURCE WHOLE: in a folder of its own: an acquisition that is killed, and what is left.
killed_at()
{
  local bag=bag
  kill_when "$1" "$IMAGER" acquire "$2" --output bag "${shape[@]}"
  if [ ! -e bag/data/image.manifest.json ]; then
    expect 1 "$IMAGER" acquire "$2" --output bag --resume --progress none
    says_once '(holds no record of an acquisition|open bag/data/: No such file)'
    echo none > outcome
    return
  fi
  [ -e bag/tagmanifest-sha256.txt ] || [ -e bag/data/image.E01 ] || look_for_whole bag
  jq -r '"\(.status) \(.segments | length)"' bag/data/image.manifest.json > outcome
  late=
  resumed "$2" bag "$3"
  [ ! "$late" ] || echo late > outcome
}

# all_points NAME SOURCE WHOLE CONDITION...: several at the same time. Outcomes are in NAME.N/outcome.
all_points()
{
  local name=$1 source=$2 whole=$3 i=0 condition pids=() each=10
  shift 3
  for condition; do
    mkdir "$name.$i"
    (cd "$name.$i" && killed_at "$condition" "$source" "$whole" > log 2>&1) &
    pids+=("$!")
    i=$((i + 1))
    if [ $((i % each)) = 0 ] || [ $i = $# ]; then
      for ((k = 0; k < ${#pids[@]}; k++)); do
        wait "${pids[k]}" && continue
        cat "$name.$((i - ${#pids[@]} + k))/log" >&2
        fail "killed at ${*:i - ${#pids[@]} + k + 1:1}"
      done
      pids=()
    fi
  done
}
