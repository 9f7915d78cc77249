#!/bin/sh
# Lab svm at depth 2: a guest of a guest, with the exits of the hypervisor below it.
# seconds: 300
# beside others
. "$(dirname "$0")/tap.sh"

command -v qemu-system-x86_64 >/dev/null 2>&1 || skip_all "qemu-system-x86_64 is missing: apt-get install qemu-system-x86"
command -v jq >/dev/null 2>&1 || skip_all "jq is missing: apt-get install jq"
mkdir "$work/tmp"
export TMPDIR="$work/tmp"

run "$VMTOLL" lab svm --depth 2 --quiet --case empty,nop,thousand,cpuid,xsetbv --output "$work/deep.json"
grep -qE 'the package|is missing|no cache folder' "$work/err" && skip_all "$(cat "$work/err")"
is "the cases run in a guest of a guest" 0

# shellcheck disable=SC2317
row() { # expression over one row
    jq -e ".measurements[] | select($1)" "$work/deep.json"
}

holds "all rows are of depth 2" jq -e 'all(.measurements[]; .depth == 2)' "$work/deep.json"
holds "nothing is 0 instructions, and no exit below" row '.case == "empty" and .toll.median == 0 and .outer_exits == 0'
holds "one instruction is 1, and no exit below" row '.case == "nop" and .toll.median == 1 and .outer_exits == 0'
holds "a thousand are 1000, and no exit below" row '.case == "thousand" and .toll.median == 1000 and .outer_exits == 0'
holds "cpuid is one exit, and more than one below" row '.case == "cpuid" and .crossing == "exit-kernel" and .exits_per_op == 1 and .outer_exits >= 3'
holds "XSAVE is on at depth 2 as well" row '.case == "xsetbv" and .status == "ok"'
holds "the count of cpuid is one number, but for what a timer hit" row '.case == "cpuid" and .toll.p75 - .toll.p25 < 0.001 * .toll.median'

# Another depth is another road for all who read results.
run "$VMTOLL" report "$work/deep.json"
has "the report says how deep" 'depth 2'
run "$VMTOLL" report "$work/deep.json" --format csv
has "a table of values too" 'depth,outer_exits'
run "$VMTOLL" report "$work/deep.json" --format openmetrics
has "and a series" 'depth="2"'
jq 'del(.measurements[] | .depth, .outer_exits)' "$work/deep.json" >"$work/shallow.json"
run "$VMTOLL" compare "$work/shallow.json" "$work/deep.json"
has "nothing of one depth compares with another" 'nothing to compare' err
holds "nothing temporary is left behind" test -z "$(ls "$TMPDIR")"
finish
