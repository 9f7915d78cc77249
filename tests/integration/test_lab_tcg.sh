#!/bin/sh
# Lab tcg: the cases at ring 0 of an emulated processor, no hypervisor below.
. "$(dirname "$0")/tap.sh"

command -v qemu-system-x86_64 >/dev/null 2>&1 || skip_all "qemu-system-x86_64 is missing: apt-get install qemu-system-x86"
command -v jq >/dev/null 2>&1 || skip_all "jq is missing: apt-get install jq"
mkdir "$work/tmp"
export TMPDIR="$work/tmp"

run "$VMTOLL" lab tcg --quiet --output "$work/one.json"
is "all cases run" 0
run "$VMTOLL" lab tcg --quiet --output "$work/two.json"
is "and a second time" 0

tolls() {
    jq -S '[.measurements[] | {case, status, toll: .toll.median}]' "$1"
}

# shellcheck disable=SC2317
row() {
    jq -e ".measurements[] | select($1)" "$work/one.json"
}

tolls "$work/one.json" >"$work/out"
tolls "$work/two.json" >"$work/err"
holds "two runs count the same" cmp "$work/out" "$work/err"
holds "at least 60 cases are ok" test "$(jq '[.measurements[] | select(.status == "ok")] | length' "$work/one.json")" -ge 60
holds "nothing counts as 0 instructions" row '.case == "empty" and .toll.median == 0'
holds "one instruction counts as 1" row '.case == "nop" and .toll.median == 1'
holds "a thousand count as 1000" row '.case == "thousand" and .toll.median == 1000'
holds "cpuid costs itself" row '.case == "cpuid" and .toll.median == 1 and .crossing == "none" and .path == "native"'
holds "an exception costs entry, handler and return" row '.case == "page-fault" and .toll.median > 5 and .toll.median < 30'
last=$(jq -r '.measurements[-1].case' "$work/one.json")
run "$VMTOLL" lab tcg --case "nop,cpuid,$last" --quiet --output "$work/two.json"
is "--case runs three of them" 0
equals "and no other" "$(jq -r '[.measurements[].case] | join(" ")' "$work/two.json")" "$(jq -r --arg last "$last" '[.measurements[].case | select(. == "nop" or . == "cpuid" or . == $last)] | join(" ")' "$work/one.json")"
holds "nothing temporary is left behind" test -z "$(ls "$TMPDIR")"
finish
