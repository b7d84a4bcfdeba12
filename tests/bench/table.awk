# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The axvm authors
#
# awk -v groups="GROUP ..." -f table.awk LIMITS LINES: judges the lines "bench
# GROUP NAME VALUE UNIT" by limits.txt. Rows of the groups that printed no line
# are "missing", lines without a row are shown as such. Status 0 whatever is
# over; 2 when the limits or the lines are not what they should be.

function bad(text) {
	printf "%s:%d: %s\n", FILENAME, FNR, text >"/dev/stderr"
	broken = 1
}

function number(text) {
	return text ~ /^[0-9]+(\.[0-9]+)?$/
}

# ok, over, or - where there is nothing to hold it against.
function verdict(key, group,   of) {
	if (ratio[key] != "-") {
		of = group " " base[key]
		if (!(of in value) || value[of] == 0)
			return "missing"
		return value[key] <= ratio[key] * value[of] ? "ok" : "over"
	}
	if (most[key] == "-")
		return "-"
	return value[key] <= most[key] ? "ok" : "over"
}

function rule(key, group,   of) {
	if (ratio[key] != "-") {
		of = group " " base[key]
		if (!(of in value) || value[of] == 0)
			return "no " base[key]
		return sprintf("%.2f of at most %.2f %s",
			value[key] / value[of], ratio[key], base[key])
	}
	return most[key] == "-" ? "" : "at most " most[key]
}

/^[ \t]*(#|$)/ { next }

FNR == NR {
	key = $1 " " $2
	if (NF != 6)
		bad("a row has six fields")
	else if (key in unit)
		bad("a second row for " key)
	else if (($4 != "-" && !number($4)) || ($5 != "-" && !number($5)))
		bad("neither a number nor -")
	else if (($5 == "-") != ($6 == "-"))
		bad("a ratio is of something")
	order[++rows] = key
	unit[key] = $3; most[key] = $4; ratio[key] = $5; base[key] = $6
	next
}

$1 == "bench" {
	key = $2 " " $3
	if (NF != 5 || !number($4)) {
		bad("not a bench line")
		next
	}
	if (!(key in unit)) {
		order[++rows] = key
		unit[key] = $5; most[key] = "-"; ratio[key] = "-"
	}
	if (key in value)
		bad("a second line for " key)
	if ($5 != unit[key])
		bad(key " in " $5 ", the limit in " unit[key])
	value[key] = $4
	if (index(" " groups " ", " " $2 " ") == 0)
		groups = groups " " $2
}

END {
	if (broken)
		exit 2
	for (i = 1; i <= rows; i++) {
		key = order[i]
		split(key, part, " ")
		if (index(" " groups " ", " " part[1] " ") == 0)
			continue
		if (!(key in value)) {
			printf "%-7s %-8s %-20s\n", "missing", part[1], part[2]
			continue
		}
		printf "%-7s %-8s %-20s %10s %-12s %s\n", verdict(key, part[1]),
			part[1], part[2], value[key], unit[key],
			rule(key, part[1])
	}
}
