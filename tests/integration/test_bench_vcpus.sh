#!/bin/sh
# vmtoll bench --vcpus: several vCPUs at once, proved, and kept apart from one alone by all that reads results.
# shellcheck source=tests/integration/tap.sh
. "$(dirname "$0")/tap.sh"

for count in 0 65 -1 x ''; do
    run "$VMTOLL" bench --vcpus "$count" --case nop --budget 0.1
    refuses "'$count' vCPUs" 2 "vcpus"
done
run "$VMTOLL" bench --vcpus 2 --engine native --case nop --budget 0.1
is "an engine of one processor cannot" 3
has "and says so" 'not with --vcpus' err

command -v jq >/dev/null 2>&1 || {
    skip "what two vCPUs measure" "jq is missing: apt-get install jq"
    finish
}
"$VMTOLL" list engines --json | jq -e '.engines[] | select(.name == "kvm") | .available' >/dev/null || {
    skip "what two vCPUs measure" "engine kvm cannot work here"
    finish
}

two=$work/two.json one=$work/one.json
run "$VMTOLL" bench --vcpus 2 --case 'nop,in-user,x2apic-ipi,vm-create' --cpl 0 --budget 4 --output "$two"
is "two vCPUs are measured" 0
row() { # filter
    jq -e "[.measurements[] | select($1)] | length > 0" "$two"
}
holds "by engine kvm alone, which nobody named" row '.engine == "kvm"'
holds "the settings say how many" jq -e '.settings.vcpus == 2' "$two"
holds "and so does every row" jq -e 'all(.measurements[]; .vcpus == 2)' "$two"
holds "a case with a second vCPU of its own is left out" row '.case == "x2apic-ipi" and .status == "unsupported"'
holds "and so is a machine's life" row '.case == "vm-create" and .status == "unsupported"'
if row '.case == "nop" and .status == "unsupported"' >/dev/null; then
    skip "the other vCPU is counted" "this kernel has no counters of one vCPU alone"
else
    holds "the other vCPU is counted, in body and baseline" row '.case == "in-user" and
        .evidence_totals.body.operations_beside > 0 and .evidence_totals.baseline.operations_beside > 0'
fi

run "$VMTOLL" report "$two"
has "the table's head says it" 'kvm CPL 0, 2 vCPUs'
run "$VMTOLL" report "$two" --format openmetrics
has "a series says it" 'vcpus="2"'
run "$VMTOLL" report "$two" --format csv
has "a table of values says it" 'user,vcpus'
run "$VMTOLL" bench --engine kvm --case 'nop,in-user' --cpl 0 --budget 2 --output "$one"
run "$VMTOLL" report "$one" --format openmetrics
lacks "a series of one vCPU is what it was" 'vcpus='
run "$VMTOLL" compare "$one" "$two"
refuses "one is not compared with two" 2 "on as many vCPUs"
run "$VMTOLL" compare "$two" "$two" --json
# What it answers is the noise's: a refusal would have no headline.
has "two are compared with two" '"headline"'

# An interrupt reaches all of them.
started=$(date +%s)
"$VMTOLL" bench --vcpus 2 --budget 300 --quiet --output "$two" >"$work/out" 2>"$work/err" &
child=$!
sleep 1
kill -INT "$child"
wait "$child"
status=$?
is "an interrupted run ends with status 1" 1
holds "soon after the interrupt" test $(($(date +%s) - started)) -le 6
holds "its document is marked" jq -e .interrupted "$two"
finish
