# Turns measures into figures. A figure is the median, over the rounds, of what its rule makes of a contender and of
# the baseline, "none", in the same round. A measure taken several times in a round counts by its median.
#
#   plain          contender
#   ratio          contender / none
#   minus          contender - none
#   ratio:OTHER    contender / OTHER
#   share:OTHER    what it adds / what another contender adds, both being figures of rule minus: within a round, OTHER
#                  may seem to add next to nothing, and the quotient would be anything
#   baseline       none
#   spread         the higher none of the round / the lower: what the machine alone does to a ratio
#
# Reads a figures file (name, measure, rule, unit, budget), then lines of module, round, contender, measure and value.
# Variables: module; subject, the contender that has the budgets; only, the contenders asked for; workloads, those that
# ran; markdown; caption. Exits 1 when a budget is missed.

# Prints the median of list[1..n].
function median(list, n,    i, j, v) {
	for (i = 2; i <= n; i++) {
		v = list[i]
		for (j = i - 1; j > 0 && list[j] > v; j--)
			list[j + 1] = list[j]
		list[j + 1] = v
	}
	return n % 2 ? list[(n + 1) / 2] : (list[n / 2] + list[n / 2 + 1]) / 2
}

# Says whether a contender took a measure in a round.
function took(round, contender, measure) {
	return (round, contender, measure) in count
}

# Returns the median of its values from the first one to the last one of a round.
function middle(round, contender, measure, first, last,    list, n) {
	while (first <= last)
		list[++n] = values[round, contender, measure, first++]
	return median(list, n)
}

# Returns what it measured in a round.
function taken(round, contender, measure) {
	return middle(round, contender, measure, 1, count[round, contender, measure])
}

# Returns how far the two turns of the baseline lay apart in a round: the first half of its values and the second.
function apart(round, contender, measure,    n, a, b) {
	n = count[round, contender, measure]
	if (n < 2)
		return 1
	a = middle(round, contender, measure, 1, int(n / 2))
	b = middle(round, contender, measure, n - int(n / 2) + 1, n)
	return a > b ? a / b : b / a
}

# Returns the median, over the rounds that have both, of measure m of a contender against that of another, "" when
# there is none. kind is "ratio" or "minus".
function compared(kind, m, contender, other,    list, n, round, value) {
	for (round = 1; round <= rounds; round++) {
		if (!took(round, contender, m) || !took(round, other, m))
			continue
		value = taken(round, other, m)
		list[++n] = kind == "ratio" ? taken(round, contender, m) / value : taken(round, contender, m) - value
	}
	return n ? median(list, n) : ""
}

# Returns the median, over the rounds, of measure m of a contender; of how far its turns lay apart if kind is "spread".
function alone(kind, m, contender,    list, n, round) {
	for (round = 1; round <= rounds; round++) {
		if (took(round, contender, m))
			list[++n] = kind == "spread" ? apart(round, contender, m) : taken(round, contender, m)
	}
	return n ? median(list, n) : ""
}

# Returns figure f of a contender, "" when there is none.
function figure(f, contender,    part, kind, other, value, added) {
	other = split(rule[f], part, ":") > 1 ? part[2] : "none"
	kind = part[1]
	if (kind == "ratio" || kind == "minus")
		return compared(kind, measure[f], contender, other)
	if (kind != "share")
		return alone(kind, measure[f], contender)
	value = compared("minus", measure[f], contender, "none")
	added = compared("minus", measure[f], other, "none")
	# What costs nothing has no share of it.
	return value == "" || added == "" || added <= 0 ? "" : value / added
}

function verdict(value, budget,    limit) {
	if (budget == "-")
		return "-"
	limit = budget
	sub(/^[<>]=?/, "", limit)
	if (value == "")
		return "MISS"
	if (budget ~ /^<=/)
		return value <= limit + 0 ? "ok" : "MISS"
	if (budget ~ /^</)
		return value < limit + 0 ? "ok" : "MISS"
	return value >= limit + 0 ? "ok" : "MISS"
}

function shown(value) {
	return value == "" ? "-" : sprintf(value >= 100 || value <= -100 ? "%.0f" : "%.2f", value)
}

# Says whether figure f is about the baseline alone.
function of_baseline(f) {
	return rule[f] == "baseline" || rule[f] == "spread"
}

# Prints figure f of the contender that is judged, and then of each peer.
function print_lines(f,    p, value) {
	if (of_baseline(f)) {
		print module "." name[f], shown(figure(f, "none")), unit[f], "-", "-"
		return
	}
	value = figure(f, subject)
	if (judged)
		print module "." name[f], shown(value), unit[f], budget[f], verdict(value, budget[f])
	for (p = 1; p <= peers; p++) {
		value = figure(f, peer[p])
		if (value != "")
			print module "." name[f] "." peer[p], shown(value), unit[f], "-", "-"
	}
}

# Prints figure f as a row of the table; the baseline's stands in the column of the contender that is judged.
function print_row(f,    p, value, row, limit) {
	limit = budget[f] == "-" ? "" : budget[f]
	sub(/^<=/, "≤ ", limit)
	sub(/^>=/, "≥ ", limit)
	sub(/^</, "\\&lt; ", limit)
	value = figure(f, of_baseline(f) ? "none" : subject)
	row = "| " name[f] " | " unit[f] " | " limit " | " shown(value)
	if (verdict(value, budget[f]) == "MISS")
		row = row " MISS"
	for (p = 1; p <= peers; p++)
		row = row " | " (of_baseline(f) ? "" : shown(figure(f, peer[p])))
	print row " |"
}

BEGIN {
	OFS = "\t"
	judged = only == "" || " " only " " ~ " " subject " "
}

FNR == NR && (/^#/ || NF == 0) {
	next
}

# A figure whose measure no workload of this run takes is left out.
FNR == NR && index(" " workloads " ", " " substr($2, 1, index($2, ".") - 1) " ") == 0 {
	next
}

FNR == NR {
	figures++
	name[figures] = $1; measure[figures] = $2; rule[figures] = $3; unit[figures] = $4; budget[figures] = $5
	next
}

$1 == module {
	if ($2 > rounds)
		rounds = $2
	if ($3 != "none" && $3 != subject && !($3 in seen))
		peer[++peers] = $3
	seen[$3]
	values[$2, $3, $4, ++count[$2, $3, $4]] = $5 + 0
}

END {
	if (markdown) {
		print "\n## " module "\n\n" caption "\n"
		head = "| " module " | unit | budget | " subject
		line = "|---|---|---|---"
		for (p = 1; p <= peers; p++) {
			head = head " | " peer[p]
			line = line "|---"
		}
		print head " |\n" line "|"
	}
	for (f = 1; f <= figures; f++) {
		if (judged && verdict(figure(f, subject), budget[f]) == "MISS")
			missed = 1
		if (markdown)
			print_row(f)
		else
			print_lines(f)
	}
	exit missed
}
