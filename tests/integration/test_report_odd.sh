#!/bin/sh
# vmtoll report: results that hold little, nothing, or what an enemy wrote into them.
# beside others
# shellcheck source=tests/integration/tap.sh
. "$(dirname "$0")/tap.sh"
# shellcheck source=tests/integration/result.sh
. "$(dirname "$0")/result.sh"

says() { # what it is, sentence
    run "$VMTOLL" report "$work/r.json"
    is "$1: a report" 0
    has "$1: the headline says so" "$2"
    for format in markdown csv html openmetrics; do
        run "$VMTOLL" report "$work/r.json" --format $format
        is "$1: $format" 0
        lacks "$1: $format invents no number" '(nan|inf)[ ,<|]|-0\.0+[ <]'
    done
}

document r.json "$(row empty control ok '"none"' 0)" "$(row nop control ok '"none"' 0.2)"
says "only controls" '^Only controls were measured'
document r.json "$(row sort compute ok '"none"' 2000)"
says "only computing" '^No sensitive instruction was measured'
document r.json "$(row cpuid identification unverified '"exit-kernel"' 2000)"
says "only unverified rows" '^Nothing can be concluded'
document r.json "$(row cpuid identification failed null '')" "$(row hlt idle unsupported null '')" "$(row rdtsc time timeout null '')"
says "no row that was measured" '^Nothing could be measured here'
document r.json ''
says "no row" '^The result holds no measurements'
document r.json "$(row cpuid identification ok '"exit-kernel"' 2000)"
says "one row" '^An exit and the way back takes 2.00 '
cpl=3 path=emulated
document r.json "$(row cpuid identification ok '"exit-kernel"' 2000)"
says "an exit where the processor shows no mode for guests" 'takes 2.00 .*, for a program in a guest of a KVM'
cpl=0 path=hardware
document r.json "$(row cpuid identification ok '"none"' 0)" "$(row rdtsc time ok '"none"' -3.5)"
says "tolls of zero and below" '^No crossing into a hypervisor was observed'
document r.json "$(row cpuid identification ok '"exit-kernel"' 1e17)" "$(row rdtsc time ok '"exit-kernel"' 1e-17)"
says "tolls without measure" '^An exit and the way back'

# A reason that most cells of a column have is said once, and those cells are empty: few cases have a paravirtual form.
engine=hypercall path=paravirtual
forms=$(row cpuid identification ok '"hypercall"' 2000)
for name in hlt rdtsc cli; do forms="$forms,$(row $name class unsupported null '' 'has no paravirtual form')"; done
engine=kvm path=hardware
document r.json "$forms,$(row cpuid identification ok '"exit-kernel"' 2000),$(row hlt idle unsupported null '' 'seldom')"
run "$VMTOLL" report "$work/r.json" --format html
has "most of a column without a form: the reason once" '<p class="caption">Empty under hypercall CPL 0: has no paravirtual form.</p>'
dashes() { [ "$(grep -o '<td class="absent">–' "$work/out" | wc -l)" -eq "$1" ]; }
holds "... and a dash only where a reason is a cell's own" dashes 1

# Under a case's name stands its instruction, and not what a guest asks for in its place, whichever comes first.
path=paravirtual
asked=$(row mov-to-cr3 control-register ok '"hypercall"' 600 | sed 's/^{/{"operation":"asks for it",/')
path=hardware
document r.json "$asked,$(row mov-to-cr3 control-register ok '"none"' 1 | sed 's/^{/{"operation":"mov cr3, rax",/')"
run "$VMTOLL" report "$work/r.json" --format html
has "a case beside its paravirtual form: its own instruction" 'mov-to-cr3<code>mov cr3, rax</code>'

# What an enemy writes: markup, scripts, a spreadsheet's formulas, a terminal's escapes, gnuplot's commands
hostile='<script>alert(1)</script>\" onload=\"x\u001b[2J`|[a](http://x.example)\n=1'
cat >"$work/h.json" <<E
{"schema":"vmtoll.result/1","tool":{"version":"$hostile"},"started":"$hostile","settings":{"warnings":["$hostile"]},
"host":{"cpu":{"brand":"$hostile","vendor":"$hostile"},"system":{"hostname":"$hostile","kernel":"$hostile"},"hypervisor":{"present":true,"vendor":"$hostile","signature":"$hostile"},
"verdict":{"answers":[{"question":"$hostile","answer":"$hostile","text":"$hostile","fix":"$hostile"}]}},
"audit":{"verdict":{"text":"$hostile"},"guest":"$hostile","assists":[{"title":"$hostile","state":"$hostile","evidence":"$hostile"}],
"instructions":[{"name":"$hostile","group":"$hostile","outcome":"silent","trials":[{"operation":"$hostile","with":"$hostile","outcome":"silent","seen":"$hostile","expected":"$hostile"}]}]},
"measurements":[$(row "$hostile" "$hostile" ok '"exit-kernel"' 5 "$hostile"),$(row '=cmd|x' '@SUM(1)' ok "\"$hostile\"" 5)]}
E
for format in text markdown csv html openmetrics; do
    "$VMTOLL" report "$work/h.json" --format $format >"$work/h.$format" 2>"$work/err"
    status=$?
    is "hostile texts: $format" 0
done
holds "the result was read as meant" grep -q 'alert(1)' "$work/h.text"
escaped() { ! grep -q "$(printf '\033')" "$work/h.$1"; }
for format in text markdown; do
    holds "$format: no escape reaches the terminal" escaped $format
done
no_markup() { ! grep -Eq '<script>alert|" onload="' "$work/h.html"; }
holds "html: no markup, no attribute" no_markup
no_tag() { ! grep -q '<script' "$work/h.markdown"; }
holds "markdown: no tag" no_tag
no_link() { ! grep -q '[^\\]](http' "$work/h.markdown" && ! grep -q 'http://' "$work/h.markdown"; }
holds "markdown: no link" no_link
even() { # as many cells in each line as in the first of its table
    [ "$(sed 's/\\|//g' "$work/h.markdown" | awk -F'|' '/^\|/ { if (!n) n = NF; else if (NF != n) bad = 1; next } { n = 0 } END { print bad + 0 }')" -eq 0 ]
}
holds "markdown: no cell of its own" even
holds "csv: no formula, and as many cells as heads" python3 - "$work/h.csv" <<'P'
import csv, sys
rows = list(csv.reader(open(sys.argv[1], newline="")))
for row in rows:
    assert len(row) == len(rows[0]), len(row)
    for cell in row:
        assert not cell or cell[0] not in "=+@-\t\r" or cell.lstrip("-")[0].isdigit(), cell
P
# A name that a terminal would obey: C1's CSI, a text turned round, no UTF-8.
name=$(printf 'a\302\2332Jb\342\200\256c\377d')
run "$VMTOLL" report "$work/$name"
refuses "a file of such a name that is not there" 2 'a.+2Jb.+c.+d'
holds "... is named without what it would do" sh -c '! LC_ALL=C grep -q "$(printf "\302\233\|\342\200\256\|\377")" "$1"' sh "$work/err"
cp "$work/h.json" "$work/$name"
for format in text markdown html; do
    run "$VMTOLL" report --format $format "$work/$name" "$work/h.json"
    is "$format: a result of such a name" 0
    holds "... is shown without what it would do" sh -c '! LC_ALL=C grep -q "$(printf "\302\233\|\342\200\256\|\377")" "$1"' sh "$work/out"
done

# One file, valid, that knows 20000 engines; work that grows with the square of them took minutes.
engine=ENGINE
row cpuid identification ok '"exit-kernel"' 2000 >"$work/one"
document none.json
awk -v file="$work/none.json" '{ row = $0 } END {
    getline frame <file
    sub(/"measurements":.*/, "\"measurements\":[", frame)
    printf "%s", frame
    for (i = 0; i < 20000; i++) { one = row; sub("ENGINE", "e" i, one); printf "%s%s", i ? "," : "", one }
    print "]}"
}' "$work/one" >"$work/many.json"
for format in text markdown csv json html openmetrics; do
    run timeout 60 "$VMTOLL" report --format $format "$work/many.json"
    is "$format: 20000 engines in one file take no minute" 0
    [ $format != csv ] || equals "... and each is there" "$(grep -c 'e[0-9]*[05],' "$work/out")" 4000
done
run timeout 60 "$VMTOLL" compare --fail-on never "$work/many.json" "$work/many.json"
holds "compare: nor do they" test "$status" -ne 124
finish
