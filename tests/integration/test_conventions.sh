#!/bin/sh
# What other programs of its kind do as well: short options, units, lists given twice, closed pipes, formats.
# beside others
# shellcheck source=tests/integration/tap.sh
. "$(dirname "$0")/tap.sh"
# shellcheck source=tests/integration/result.sh
. "$(dirname "$0")/result.sh"

rows=$(row cpuid identification ok '"exit-kernel"' 2000)
document one.json "$rows"
document two.json "$(row cpuid identification unsupported null '')"

# A pipe whose only reader is gone before the first byte.
closed() { # command...
    run sh -c 'pipe=$1; shift; rm -f "$pipe"; mkfifo "$pipe" && exec 3<>"$pipe" 4>"$pipe" 3<&- && "$@" >&4' sh "$work/pipe" "$@"
}
quiet() { # name, status
    is "$1, its reader gone" "$2"
    holds "... without a word" test ! -s "$work/err"
}
for subject in cases engines paths capabilities; do
    closed "$VMTOLL" list "$subject"
    quiet "list $subject" 0
    closed "$VMTOLL" list --json "$subject"
    quiet "list --json $subject" 0
done
for format in text markdown csv json html openmetrics; do
    closed "$VMTOLL" report "$work/one.json" --format $format
    quiet "report as $format" 0
done
for format in text markdown json html; do
    closed "$VMTOLL" compare "$work/one.json" "$work/one.json" --format $format
    quiet "compare as $format, nothing changed" 0
    closed "$VMTOLL" compare "$work/one.json" "$work/two.json" --format $format
    is "compare as $format keeps its verdict when nobody reads" 1
    lacks "... and does not speak of the pipe" 'roken pipe|cannot write' err
done
closed "$VMTOLL" probe
quiet probe 0
closed "$VMTOLL" probe --json
quiet "probe --json" 0
closed "$VMTOLL" audit
quiet audit 0
closed "$VMTOLL" bench --engine native --case nop --budget 0.1
quiet bench 0
closed "$VMTOLL" bench --engine native --case nop --budget 0.1 --output -
quiet "bench --output -" 0
closed "$VMTOLL" --help
quiet help 0
run sh -c '"$1" report "$2" >/dev/full' sh "$VMTOLL" "$work/one.json"
refuses "a full disk is no reader gone" 3 "No space left"

# Short options.
for command in list probe bench report compare price audit lab help; do
    "$VMTOLL" "$command" --help >"$work/help"
    run "$VMTOLL" "$command" -h
    holds "$command -h is $command --help" cmp "$work/help" "$work/out"
done
run "$VMTOLL" report "$work/one.json" -o "$work/short.md"
is "report -o" 0
holds "... writes the file" test -s "$work/short.md"
run "$VMTOLL" compare "$work/one.json" "$work/one.json" -o"$work/short.html"
is "compare -oFILE" 0
holds "... writes the file" test -s "$work/short.html"
run "$VMTOLL" bench --engine native --case nop --budget 0.1 -q -o "$work/short.json"
is "bench -q -o" 0
holds "... is silent" test ! -s "$work/out"
holds "... writes the file" test -s "$work/short.json"
run "$VMTOLL" report "$work/one.json" -o
refuses "-o without its file" 2 "output needs FILE"
run "$VMTOLL" list cases -q
refuses "a letter of another command" 2 "unknown option '-q'"

# --json and --format json say the same everywhere.
same() { # name, command...
    what=$1
    shift
    run "$@" --json
    is "$what --json" 0
    sed 's/":.*/":/' "$work/out" >"$work/json" # what is measured differs
    run "$@" --format json
    is "$what --format json" 0
    sed 's/":.*/":/' "$work/out" >"$work/format"
    holds "... is the same document" cmp "$work/json" "$work/format"
    has "... with a schema" '"schema": ?"vmtoll\.'
}
same list "$VMTOLL" list cases
same audit "$VMTOLL" audit --format text
same probe "$VMTOLL" probe --from-cpuid "$(dirname "$0")/../data/cpuid/bochs-amd-ryzen.txt"
same report "$VMTOLL" report "$work/one.json"
same compare "$VMTOLL" compare "$work/one.json" "$work/one.json"
for option in --json '--format json'; do
    # shellcheck disable=SC2086
    run "$VMTOLL" bench --engine native --case nop --budget 0.1 $option
    is "bench $option" 0
    has "... prints the result" '"schema": ?"vmtoll.result/1"'
    lacks "... and nothing else" '^ *nop '
done
run "$VMTOLL" list cases --format csv
refuses "a format that a command has not" 2 "unknown FORMAT 'csv'"

# The ending of --output names a format or is an error, before anything is read.
for command in report compare; do
    run "$VMTOLL" $command "$work/missing-1" "$work/missing-2" --output "$work/x.foo"
    refuses "$command to an unknown ending" 2 "no format is known by the ending '.foo'"
done

# Numbers with their unit.
for budget in 100ms 0.1s 0.1 ; do
    run "$VMTOLL" bench --engine native --case nop --budget $budget -q
    is "--budget $budget" 0
done
run "$VMTOLL" bench --engine native --case nop --budget 0.001min -q -o "$work/unit.json"
is "--budget 0.001min" 0
has "... is 0.06 s" '"budget_s": ?0.06' unit.json
for budget in 5x s 5ss 1e3q '5 s' 1ms 100h; do
    run "$VMTOLL" bench --engine native --case nop --budget "$budget"
    refuses "--budget '$budget'" 2 "budget takes"
done
run "$VMTOLL" bench --engine native --case nop --cpu 0s
refuses "a unit where there is none" 2 "cpu takes a whole number"
run "$VMTOLL" compare "$work/one.json" "$work/one.json" --threshold 5%
is "--threshold 5%" 0

# A list given twice is one list.
names() { sed "1,/\"measurements\"/d" "$1" | sed -n 's/.*"case": *"\([a-z0-9-]*\)".*/\1/p' | sort -u | tr '\n' ' '; }
run "$VMTOLL" bench --engine native --case nop --case empty,rdtsc --case 'cpu*' --budget 0.4 -q -o "$work/union.json"
is "--case three times" 0
equals "... is a union" "$(names "$work/union.json")" "cpuid empty nop rdtsc "
run "$VMTOLL" bench --engine native --engine translate --cpl 0 --cpl 3 --case nop --budget 0.4 -q -o "$work/union.json"
equals "--engine and --cpl twice are unions" \
    "$(tr -d ' \n' <"$work/union.json" | grep -o '"engine":"[a-z]*","cpl":[03]' | sort -u | tr '\n' ' ')" \
    '"engine":"native","cpl":3 "engine":"translate","cpl":0 '
run "$VMTOLL" bench --path native --path translated --case nop --budget 0.4 -q -o "$work/union.json"
equals "--path twice is a union" \
    "$(tr -d ' \n' <"$work/union.json" | grep -o '"engine":"[a-z]*"' | sort -u | tr '\n' ' ')" '"engine":"native" "engine":"translate" '
run "$VMTOLL" bench --case nop --case nosuch
refuses "each word is checked" 2 "unknown case 'nosuch'"
long=$(printf 'nop,%01000d' 0)
run "$VMTOLL" bench --case "$long" --case "$long" --case "$long" --case "$long" --case "$long"
refuses "lists without end" 2 "longer than"
run "$VMTOLL" probe --from-cpuid "$(dirname "$0")/../data/cpuid/bochs-amd-ryzen.txt" --require vt-x --require amd-v
has "--require twice: the first" '^vt-x: '
has "--require twice: the second" '^amd-v: '

# A result named twice is read once, by whatever name.
mkdir -p "$work/folder" && cp "$work/one.json" "$work/folder/a.json" && ln -s a.json "$work/folder/b.json"
"$VMTOLL" report "$work/folder/a.json" --format csv >"$work/alone"
for again in a.json ./a.json ../folder/a.json b.json; do
    run "$VMTOLL" report "$work/folder/a.json" "$work/folder/$again" --format csv
    holds "a.json and $again are one result" cmp "$work/alone" "$work/out"
done
run "$VMTOLL" report "$work/folder" "$work/folder/a.json" --format csv
holds "a folder and its file are one result" cmp "$work/alone" "$work/out"
echo "$work/folder/a.json" >"$work/list"
run "$VMTOLL" report "$work/folder" --list "$work/list" --format csv
holds "a list and a folder are one result" cmp "$work/alone" "$work/out"
run "$VMTOLL" report "$work/folder/a.json" "$work/one.json" --format csv
holds "a copy is another result" test "$(wc -l <"$work/out")" -gt "$(wc -l <"$work/alone")"

# A byte-order mark before each of several documents.
mark=$(printf '\357\273\277')
for between in '' ' ' "$(printf '\r')"; do
    { printf '%s' "$mark" && cat "$work/one.json" && printf '%s%s' "$between" "$mark" && cat "$work/one.json"; } >"$work/marked.json"
    cat "$work/one.json" "$work/one.json" >"$work/plain.json"
    "$VMTOLL" report "$work/plain.json" --format csv | cut -d, -f2- >"$work/alone"
    run "$VMTOLL" report "$work/marked.json" --format csv
    is "marks before both documents" 0
    cut -d, -f2- "$work/out" >"$work/marked"
    holds "... are passed over" cmp "$work/alone" "$work/marked"
done
{ printf '%s' "$mark" && tr -d '\n' <"$work/one.json" && printf '%s' "$mark" && cat "$work/one.json"; } >"$work/marked.json"
run "$VMTOLL" report "$work/marked.json" --format csv
cut -d, -f2- "$work/out" >"$work/marked"
holds "... on one line as well" cmp "$work/alone" "$work/marked"
run sh -c 'cat "$2" | "$1" report - --format csv' sh "$VMTOLL" "$work/marked.json"
cut -d, -f2- "$work/out" >"$work/marked"
holds "... from a pipe too" cmp "$work/alone" "$work/marked"
# Wherever the mark falls in the pieces that a file is read in.
if command -v python3 >/dev/null 2>&1; then
    python3 - "$work/one.json" "$work/pieces.json" <<'PY'
import sys
one = open(sys.argv[1], "rb").read().strip()
with open(sys.argv[2], "wb") as out:
    for n in range(700):
        out.write(b"\xef\xbb\xbf" + one + b" " * (n % 7) + b"\n")
PY
    run "$VMTOLL" report "$work/pieces.json" --by kernel
    is "marks at any place of a window" 0
    has "... and every document is read" '700'
fi
printf '{"schema"%s:"vmtoll.result/1"}' "$mark" >"$work/inside.json"
run "$VMTOLL" report "$work/inside.json"
refuses "a mark inside a document" 2 "inside.json:1"

finish
