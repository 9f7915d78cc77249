#!/bin/sh
# vmtoll report --plots: charts as files, all of them or none.
# beside others
# shellcheck source=tests/integration/tap.sh
. "$(dirname "$0")/tap.sh"

"$VMTOLL" bench --engine native --case 'nop,rd*,cpuid,sgdt' --budget 0.4 --quiet --output "$work/a.json" 2>"$work/err"
[ -s "$work/a.json" ] || skip_all "vmtoll bench gave no result: $(head -n 1 "$work/err")"
mkdir "$work/empty"

leaves_nothing() { # name...
    for left in "$@"; do [ ! -e "$work/$left" ] || return 1; done
    ! find "$work" -name '*vmtoll-*' | grep .
}

run "$VMTOLL" report "$work/a.json" --plots "$work/none/charts"
refuses "charts into a missing folder" 3 'none/charts.*does not exist'
run "$VMTOLL" report "$work/a.json" --plots "$work/a.json"
refuses "charts into a file" 3 'a\.json.*not a folder'
run "$VMTOLL" report "$work/a.json" --plots ''
refuses "charts into no name" 2 'empty'
run env PATH="$work/empty" "$VMTOLL" report "$work/a.json" --plots "$work/unmade"
refuses "charts without gnuplot" 3 'gnuplot is not installed \(apt-get install gnuplot-nox\)'
holds "and nothing is left behind" leaves_nothing unmade
run "$VMTOLL" report "$work/a.json" --by kernel --plots "$work/unmade"
refuses "charts of a fleet" 2 'at most eight'
sed 's/"status": *"ok"/"status":"unsupported"/' "$work/a.json" >"$work/nothing.json"
run "$VMTOLL" report "$work/nothing.json" --plots "$work/unmade"
refuses "nothing to draw" 1 'no chart to draw'
command -v gnuplot >/dev/null 2>&1 || { skip "charts are drawn" "gnuplot is not installed"; finish; }

is_pdf() { # file
    head -c 5 "$1" | grep -q '^%PDF-' && tail -c 32 "$1" | grep -q '%%EOF' &&
        { ! command -v pdfinfo >/dev/null 2>&1 || pdfinfo "$1"; }
}

# Big-endian: 300 dots per inch are 11811 (2e 23) per metre, both ways.
is_png() {
    od -An -v -tx1 "$1" | tr -d ' \n' | grep -q '^89504e470d0a1a0a0000000d49484452.*7048597300002e2300002e2301.*49454e44ae426082$'
}

run "$VMTOLL" report "$work/a.json" --plots "$work/charts/"
is "charts are drawn" 0
has "and the report is printed all the same" '^  rdtsc  '
for name in roads roads-time distribution-rdtsc; do
    holds "$name.pdf is a PDF" is_pdf "$work/charts/$name.pdf"
    holds "$name.png is a PNG of 300 dots per inch" is_png "$work/charts/$name.png"
done
pictures=$(find "$work/charts" -type f | wc -l)
echo old >"$work/charts/roads.pdf"
echo mine >"$work/charts/notes"
run "$VMTOLL" report "$work/a.json" --plots "$work/charts"
holds "an existing folder gets new pictures" is_pdf "$work/charts/roads.pdf"
holds "keeps what is not a picture, and has nothing else" test "$(find "$work/charts" -mindepth 1 | wc -l)" -eq $((pictures + 1))

hostile="..\/..\/x'\\\\n\$y"
sed "s/\"case\": *\"rdtsc\"/\"case\":\"$hostile\"/" "$work/a.json" >"$work/path.json"
run "$VMTOLL" report "$work/path.json" --plots "$work/paths"
holds "a case's name is no path and no script" is_png "$work/paths/distribution-______x___y.png"

sed 's/"unit": *"ns"/"unit":"instructions"/; s/"simulated": *false/"simulated":true/' "$work/a.json" >"$work/lab.json"
run "$VMTOLL" report "$work/a.json" "$work/lab.json" --plots "$work/both"
holds "instructions have charts of their own" is_png "$work/both/roads-instructions.png"
holds "and so has each class" is_pdf "$work/both/roads-time-instructions.pdf"

# shellcheck source=tests/integration/result.sh
. "$(dirname "$0")/result.sh"
# shellcheck source=tests/integration/story.sh
. "$(dirname "$0")/story.sh"
# More labs than a chart has room for: one of each road is drawn before a second of one.
many=
for lab in monitor-call monitor-svm monitor-svm-kvm monitor-trap svm tcg vmx xen-pv xen-pvh svm-bochs; do
    on $lab hardware 0 instructions true
    many="$many,$(row cpuid identification ok '"exit-kernel"' 1200)"
done
document many.json "${many#,}"
"$VMTOLL" report "$work/many.json" --format html 2>"$work/err" | sed -n '/<ul class="key"/,/<\/ul>/p' | sed -n '1,/<\/ul>/p' >"$work/out"
for lab in svm-bochs vmx xen-pv monitor-trap monitor-call; do has "of many labs $lab is drawn" "</svg>$lab CPL 0"; done
on kvm hardware 0 ns false
story_document story.json 1084
run "$VMTOLL" report "$work/story.json" --plots "$work/ladders"
holds "an operation on all roads is a ladder" is_png "$work/ladders/ladder-mov-to-cr3.png"
holds "... in instructions another" is_pdf "$work/ladders/ladder-mov-to-cr3-instructions.pdf"
holds "one road makes no ladder" test ! -e "$work/charts/ladder-rdtsc.png"

if [ "$(id -u)" -eq 0 ]; then
    skip "charts into a folder that may not be written to" "root may write everywhere"
else
    mkdir -m 500 "$work/locked"
    run "$VMTOLL" report "$work/a.json" --plots "$work/locked"
    refuses "charts into a folder that may not be written to" 3 'Permission denied'
fi

# A page stays one that can be sent by mail: 130 cases on seven roads in time and six of the labs, every cell measured.
if python3 - "$work/large.json" <<'P'; then
import json, random, sys

def summary(samples):
    ordered = sorted(samples)
    at = lambda p: ordered[int(p * len(ordered))]
    return {"median": at(.5), "ci95": [at(.48), at(.52)], "min": at(0), "p05": at(.05), "p25": at(.25), "p75": at(.75), "p95": at(.95), "p99": at(.99), "mad": 1}

random.seed(1)
rows = []
for case in range(130):
    for engine, cpl in ("native", 3), ("kvm", 0), ("kvm", 3), ("trap", 0), ("translate", 0), ("hypercall", 0), ("hypercall", 3):
        base = 10 ** random.uniform(0, 5)
        samples = [base * (1 + abs(random.gauss(0, .02))) for _ in range(150)]
        rows.append({"case": "case-%d" % case, "class": "class-%d" % (case // 4), "path": "hardware", "engine": engine, "cpl": cpl,
                     "crossing": "exit-kernel", "status": "ok", "reason": None, "simulated": False, "unit": "ns", "iterations": 1000,
                     "batches": 150, "marked": 1, "toll": summary(samples), "toll_cycles": summary(samples), "exits_per_op": 1,
                     "evidence": {"exits": 1, "io_exits": 1}, "samples": samples})
    for engine, cpl in ("svm", 0), ("vmx", 0), ("tcg", 0), ("xen-pv", 3), ("xen-pv", 0), ("xen-pvh", 0):
        rows.append(dict(rows[-1], engine=engine, cpl=cpl, unit="instructions", simulated=True, samples=[1000 + case] * 7, toll=summary([1000 + case] * 7)))
json.dump({"schema": "vmtoll.result/1", "tool": {"version": "0"}, "started": "2026-11-22T15:00:00Z", "host": None,
           "settings": None, "measurements": rows}, open(sys.argv[1], "w"))
P
    run "$VMTOLL" report "$work/large.json" --output "$work/large.html"
    wc -c "$work/large.html" >"$work/out"
    holds "a page of 130 cases on thirteen roads is under 1.2 MB" test "$(wc -c <"$work/large.html")" -lt 1200000
    holds "with its pictures" test "$(grep -c '<svg class="chart' "$work/large.html")" -ge 130
else
    skip "a page of 130 cases on thirteen roads is under 1.2 MB" "python3 is missing"
fi

# A gnuplot that stops half way
mkdir "$work/broken"
printf '#!/bin/sh\necho "%%PDF-1.5" >roads.pdf\n' >"$work/broken/gnuplot"
chmod +x "$work/broken/gnuplot"
run env PATH="$work/broken:$PATH" "$VMTOLL" report "$work/a.json" --plots "$work/half"
refuses "pictures that were cut off" 3 'incomplete'
run env PATH="$work/broken:$PATH" "$VMTOLL" report "$work/a.json" --plots "$work/charts"
holds "an old folder keeps its pictures" is_pdf "$work/charts/roads.pdf"
holds "and a new one is not made" leaves_nothing half
finish
