# SPDX-License-Identifier: Apache-2.0
# Each external library is included in its own folders only. Usage: awk -f libraries.awk docs/layers FILE...
function folder(path) { sub(/\/[^\/]*$/, "", path); return path }
FILENAME == ARGV[1] { if ($1 == "library") { n++; header[n] = $2; $1 = $2 = ""; allowed[n] = $0 " " } next }
/^#[ \t]*include[ \t]*</ {
	split($0, part, /[<>]/); name = part[2]
	for (i = 1; i <= n; i++)
		if (name == header[i] || (header[i] ~ /\/$/ && index(name, header[i]) == 1)) {
			seen++
			if (!index(allowed[i], " " folder(FILENAME) " ")) {
				printf "%s:%d: <%s> belongs in%sonly\n", FILENAME, FNR, name, allowed[i]
				bad = 1
			}
		}
}
END { if (!seen) { print "libraries: no include was read"; bad = 1 } exit bad }
