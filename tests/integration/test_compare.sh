#!/bin/sh
# vmtoll compare: the verdict, its formats, the exit status, and what cannot be compared.
# beside others
# shellcheck source=tests/integration/tap.sh
. "$(dirname "$0")/tap.sh"
data=$(dirname "$0")/../data
command -v python3 >/dev/null 2>&1 || skip_all "python3 is missing, which makes the synthetic results: apt-get install python3"

synthesize() { # file, option...
    file=$1
    shift
    "$data/synthesize" --cases 40 --drift 0.002 "$@" >"$work/$file"
}
synthesize old.json --seed 1
synthesize same.json --seed 2
synthesize slow.json --seed 3 --scale cpuid=1.06
synthesize other.json --seed 4 --host 'cpu.brand=Another <b>CPU</b>'

run "$VMTOLL" compare "$work/old.json" "$work/same.json"
is "two runs of the same: status 0" 0
has "nothing changed" '^Nothing changed beyond chance'

run "$VMTOLL" compare "$work/old.json" "$work/slow.json"
is "a regression: status 1" 1
has "the case is named" '^cpuid .*slower'
lacks "and no other" '^mov-to-cr3 .*slower'
run "$VMTOLL" compare "$work/slow.json" "$work/old.json"
is "an improvement is no regression" 0
has "it is reported all the same" '^cpuid .*faster'
run "$VMTOLL" compare "$work/slow.json" "$work/old.json" --fail-on change
is "but it is a change" 1
run "$VMTOLL" compare "$work/old.json" "$work/slow.json" --fail-on never
is "never fail" 0
run "$VMTOLL" compare "$work/old.json" "$work/slow.json" --threshold 20
is "below the threshold" 0

for format in markdown json html; do
    run "$VMTOLL" compare "$work/old.json" "$work/slow.json" --format "$format"
    is "$format: status 1 as well" 1
    has "$format: the case is named" 'cpuid'
done
run "$VMTOLL" compare "$work/old.json" "$work/other.json"
has "another processor is warned about" 'unlike machines: the processor' err
run "$VMTOLL" compare "$work/old.json" "$work/other.json" --format html
lacks "a brand with markup stays text" '<b>CPU'

sed 's/"crossing": "none"/"crossing": "exit-kernel"/' "$work/old.json" >"$work/exits.json"
run "$VMTOLL" compare "$work/old.json" "$work/exits.json"
is "a heavier crossing is a regression" 1
has "it is told as such" 'this instruction exits now: no crossing before, exit to the kernel now'

sed 's/"unit": "ns"/"unit": "instructions"/g' "$work/old.json" >"$work/lab.json"
run "$VMTOLL" compare "$work/old.json" "$work/lab.json"
refuses "time against instructions" 2 'nothing to compare'
# Several runs a side: what differs from run to run is measured, and a small change is found through it.
for seed in 11 12 13 14; do
    synthesize "before$seed.json" --seed "$seed" --drift 0.01
    synthesize "after$seed.json" --seed "2$seed" --drift 0.01 --scale cpuid=1.06
done
cat "$work"/before1?.json >"$work/before.jsonl"
cat "$work"/after1?.json >"$work/after.jsonl"
run "$VMTOLL" compare "$work/before.jsonl" "$work/after.jsonl"
is "four runs against four: status 1" 1
has "the case is named" '^cpuid .*slower'
# Each of its roads is a test of its own, and the smallest of them lies near the limit.
grep -E '(slower|faster)$' "$work/out" | grep -v '^cpuid ' >"$work/others" || true
holds "and it alone" [ ! -s "$work/others" ]
has "on more than one of its roads" '^[2-5] of '
cat "$work/before11.json" "$work/before12.json" >"$work/half.jsonl"
cat "$work/before13.json" "$work/before14.json" >"$work/rest.jsonl"
run "$VMTOLL" compare "$work/half.jsonl" "$work/rest.jsonl"
is "runs of the same against each other: status 0" 0
sed 's/"crossing": "none"/"crossing": "exit-kernel"/' "$work/before12.json" | cat "$work/before11.json" - >"$work/torn.jsonl"
run "$VMTOLL" compare "$work/torn.jsonl" "$work/torn.jsonl" --format json
has "runs that crossed differently prove nothing" '"old_status": "unverified"'
cat "$work/old.json" "$work/other.json" >"$work/fleet.jsonl"
run "$VMTOLL" compare "$work/fleet.jsonl" "$work/old.json"
refuses "runs of two machines" 2 'different machines'

# Arrays of unlike length are nobody's pairs: the tolls alone are compared, within their bounds.
python3 - "$work/before11.json" >"$work/odd.json" <<'P'
import json, sys
document = json.load(open(sys.argv[1]))
for row in document["measurements"]:
    row["samples_body"] = row["samples"][:7] * 20
    row["samples_baseline"] = row["samples"][:7] * 20
    row["samples"] = row["samples"][:30]
json.dump(document, sys.stdout)
P
cat "$work/before12.json" "$work/odd.json" >"$work/odd.jsonl"
run "$VMTOLL" compare "$work/odd.jsonl" "$work/before.jsonl" --fail-on never
is "samples that are no pairs" 0

run "$VMTOLL" compare "$work/old.json"
refuses "one file" 2
run "$VMTOLL" compare "$work/old.json" "$work/none.json"
refuses "a missing file" 2 'none\.json'
run "$VMTOLL" compare "$work/old.json" "$work/old.json" --threshold -1
refuses "a negative threshold" 2
finish
