# SPDX-License-Identifier: Apache-2.0
# Includes may only go down. Usage: awk -f layers.awk docs/layers FILE...   (paths relative to the top folder)
function folder(path) { sub(/\/[^\/]*$/, "", path); return path }
FILENAME == ARGV[1] { if ($1 == "layer") level[$3] = $2; next }
FNR == 1 {
	here = folder(FILENAME)
	if (!(here in level)) { printf "%s: folder %s is not in docs/layers\n", FILENAME, here; bad = 1 }
	split(here, part, "/"); program = part[1]
}
/^#[ \t]*include[ \t]*"/ {
	split($0, quoted, "\""); name = quoted[2]
	if (name == "version.h") next
	there = (name ~ /\//) ? folder(name) : ""
	target = there == "" ? program : (("libcommon/" there) in level ? "libcommon/" there : program "/" there)
	if (there == "" && here != program) { printf "%s:%d: \"%s\" names no folder\n", FILENAME, FNR, name; bad = 1; next }
	if (!(target in level)) { printf "%s:%d: \"%s\" is in no known folder\n", FILENAME, FNR, name; bad = 1; next }
	if (target != here && level[target] >= level[here]) {
		printf "%s:%d: \"%s\" goes up or sideways (%s is layer %d, %s is layer %d)\n", FILENAME, FNR, name, here, level[here], target, level[target]
		bad = 1
	}
	seen++
}
END { if (!seen) { print "layers: no include was read"; bad = 1 } exit bad }
