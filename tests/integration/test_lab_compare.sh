#!/bin/sh
# vmtoll compare of lab results: instruction counts are subtracted, and every single one shows.
# beside others
# shellcheck source=tests/integration/tap.sh
. "$(dirname "$0")/tap.sh"
# shellcheck source=tests/integration/schema.sh
. "$(dirname "$0")/schema.sh"

command -v qemu-system-x86_64 >/dev/null 2>&1 || skip_all "qemu-system-x86_64 is missing: apt-get install qemu-system-x86"
command -v jq >/dev/null 2>&1 || skip_all "jq is missing: apt-get install jq"

run "$VMTOLL" lab tcg --quiet --output "$work/old.json"
is "a first run" 0
run "$VMTOLL" lab tcg --quiet --output "$work/new.json"
is "a second" 0
changed() { # jq program: a result in which something differs
    jq "$1" "$work/old.json" >"$work/changed.json"
}
longer() { # case, instructions
    changed "(.measurements[] | select(.case == \"$1\" and .toll.median != null) | .toll.median) += $2"
}

run "$VMTOLL" compare "$work/old.json" "$work/new.json" --fail-on change
is "two runs of one lab: nothing changed" 0
# HLT, translated, is not the same work as its twin, in both runs: what is not proved is not judged.
all=$(jq '[.measurements[] | select(.toll.median != null)] | length' "$work/old.json")
unproved=$(jq '[.measurements[] | select(.status == "unverified")] | length' "$work/old.json")
has "and it says so" "^Nothing changed: $((all - unproved)) of $all measurements unchanged; $unproved cannot tell\.$"
holds "of which one is not proved" test "$unproved" -le 1
has "the difference of every case stands there: 0" '^cpuid +tcg CPL 0 +1 +1  0 +any$'
lacks "no statistics" 'Mann-Whitney|chance,|95 %'

# Case nop under the name of the case thousand: a path of known extra length.
changed '[.measurements[] | select(.case == "nop")][0] as $nop | (.measurements[] | select(.case == "thousand")) |= ($nop | .case = "thousand")'
run "$VMTOLL" compare "$work/changed.json" "$work/new.json"
is "999 instructions more: a regression" 1
has "exactly so many" '^thousand +tcg CPL 0 +1 +1000  \+999 instructions \(\+99900 %\) +any$'
run "$VMTOLL" compare "$work/new.json" "$work/changed.json"
is "fewer are none" 0
has "but told" '^thousand +tcg CPL 0 +1000 +1  -999 instructions \(-100 %\) +any$'

longer sort 1
for format in text markdown json html; do
    run "$VMTOLL" compare "$work/old.json" "$work/changed.json" --format "$format"
    is "$format: one instruction more is a regression" 1
    has "$format: one instruction more is shown" '\+1 instruction \(\+0\.00[0-9]+ %\)'
done
run "$VMTOLL" compare "$work/old.json" "$work/changed.json" --format json
fits "a comparison of counts" comparison "$work/out"
holds "json: old, new, difference" jq -e '.measurements[] | select(.case == "sort" and .old != null) | .new - .old == 1 and .difference == 1 and .change == "longer" and .p_runs == null' "$work/out"
run "$VMTOLL" compare "$work/old.json" "$work/changed.json" --threshold 0.1
is "below the threshold" 0
has "it is shown all the same" '^sort .*\+1 instruction .*too little'
run "$VMTOLL" compare "$work/old.json" "$work/changed.json" --fail-on never
is "never fail" 0

changed '(.measurements[] | select(.case == "cpuid")) |= (.crossing = "exit-kernel" | .toll.median = 2771)'
run "$VMTOLL" compare "$work/old.json" "$work/changed.json"
is "a new crossing is a regression" 1
has "with its instructions" '^cpuid .*\+2770 instructions.*this instruction exits now'

changed '.settings.emulator = "QEMU emulator version 99"'
run "$VMTOLL" compare "$work/old.json" "$work/changed.json"
is "another emulator is no regression" 0
has "but named, and the old one too" "the lab's emulator was \"QEMU emulator version [^\"]*\" and is \"QEMU emulator version 99\"" err
finish
