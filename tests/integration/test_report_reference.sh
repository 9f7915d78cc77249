#!/bin/sh
# vmtoll report --reference: published figures beside what was measured alike, and beside nothing else.
# beside others
# shellcheck source=tests/integration/tap.sh
. "$(dirname "$0")/tap.sh"
# shellcheck source=tests/integration/result.sh
. "$(dirname "$0")/result.sh"

published=$(dirname "$0")/../../data/published.json
report() { run "$VMTOLL" report "$work/r.json" --reference --output "$work/r.md" && sed 's/[\\*]//g; s/&gt;/>/g; s/µ/u/g' "$work/r.md" >"$work/out"; }
machine() { host="{\"hypervisor\":{\"present\":$1},\"timing\":{\"tsc_khz\":$2}}"; }
document_of() { # crossing
    document r.json "$(row cpuid identification ok "\"$1\"" 500)"
}
shown='cpuid, hardware \(CPU not stated\): 1313 -> 1291 cycles'
nested='cpuid, hardware nested \(CPU not stated\): 14886 -> 13142 cycles'

machine false 2000000
document_of exit-kernel
report
has "an exit beside exits, in their unit" "$shown; here, alike: kvm CPL 0 1000 cycles"
has "... also where that is time" 'cpuid, hardware \(CPU 2 x Xeon.*\): 0\.54 us; here, alike: kvm CPL 0 500 ns'
has "... but not beside those of a nested guest" "$nested\$"
machine true 2000000
document_of exit-kernel
report
has "a nested guest beside nested ones" "$nested; here, alike: kvm CPL 0 1000 cycles"
has "... and not beside others" "$shown\$"
machine false null
document_of exit-kernel
report
has "without a clock's rate both units are shown" "$shown; here, alike: kvm CPL 0 500 ns"
machine false 2000000
for crossing in none interpreted trap; do
    document_of $crossing
    report
    has "$crossing is no exit" "$shown\$"
done
path=emulated
document_of exit-kernel
report
has "nor is what another road does" "$shown\$"
path=hardware unit=instructions simulated=true
document_of exit-kernel
report
has "nor what is simulated" "$shown\$"

if command -v python3 >/dev/null 2>&1; then
    "$VMTOLL" list cases --json >"$work/cases.json"
    holds "figures name cases that there are" python3 - "$published" "$work/cases.json" <<'P'
import json, sys
published, cases = (json.load(open(name, encoding="utf-8")) for name in sys.argv[1:])
known = {case["name"] for case in cases["cases"]}
for source in published["sources"]:
    assert source["title"] and source["unit"] in ("cycles", "us", "ms"), source["id"]
    for row in source["rows"]:
        assert row["case"] is None or row["case"] in known, row
        for key, value in row.items():
            if key.endswith("_before"):
                assert key.replace("_before", "_after") in row, row
P
else
    skip "figures name cases that there are" "python3 is missing: apt-get install python3"
fi
finish
