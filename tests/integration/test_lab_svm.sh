#!/bin/sh
# Lab svm: KVM's AMD-V code on an emulated CPU, counted in instructions, the same number every time.
# seconds: 1200
# beside others
. "$(dirname "$0")/tap.sh"
# shellcheck source=tests/integration/crossings.sh
. "$(dirname "$0")/crossings.sh"

command -v qemu-system-x86_64 >/dev/null 2>&1 || skip_all "qemu-system-x86_64 is missing: apt-get install qemu-system-x86"
command -v jq >/dev/null 2>&1 || skip_all "jq is missing: apt-get install jq"
mkdir "$work/tmp"
export TMPDIR="$work/tmp"

run "$VMTOLL" lab svm --quiet --output "$work/one.json"
grep -qE 'the package|is missing|no cache folder' "$work/err" && skip_all "$(cat "$work/err")"
is "all cases run" 0
run "$VMTOLL" lab svm --quiet --output "$work/two.json"
is "and a second time" 0

# shellcheck disable=SC2317
row() { # expression over one row of the first result
    jq -e ".measurements[] | select(.cpl == 0 and .path != \"paravirtual\") | select($1)" "$work/one.json"
}

# shellcheck disable=SC2317
form() { # case, expression
    jq -e ".measurements[] | select(.path == \"paravirtual\" and .case == \"$1\" and .status == \"ok\") | select($2)" "$work/one.json"
}

count() {
    jq "[.measurements[] | select($1)] | length" "$work/one.json"
}

# Both results' tolls of each case that is ok, side by side; prints those that differ by more than 0.1 %.
differing() {
    jq -n --slurpfile one "$work/one.json" --slurpfile two "$work/two.json" '
        def tolls: [.[0].measurements[] | select(.status == "ok") | {key: "\(.case) \(.cpl) \(.path == "paravirtual")", value: .toll.median}] | from_entries;
        ($one | tolls) as $a | ($two | tolls) as $b
        | (($a | keys) + ($b | keys) | unique)[]
        | select($a[.] == null or $b[.] == null or (($a[.] - $b[.]) | fabs) > 0.001 * ($a[.] | fabs))'
}

holds "at least 35 cases are ok" test "$(count '.status == "ok"')" -ge 35
holds "none failed" test "$(count '.status == "failed" or .status == "timeout" or .status == "unverified"')" -eq 0
differing >"$work/out"
holds "two runs count the same instructions in every case that is ok" test ! -s "$work/out"
holds "engine, unit and the mark of simulation" test "$(count '.engine == "svm" and .unit == "instructions" and .simulated')" -eq "$(count true)"
holds "settings name emulator and kernel" jq -e '.settings | (.emulator | test("^QEMU")) and (.kernel | test("^Linux"))' "$work/one.json"
holds "cpuid exits once" row '.case == "cpuid" and .crossing == "exit-kernel" and (.exits_per_op - 1 | fabs) < 0.002'
holds "vmmcall is a hypercall" row '.case == "vmmcall" and .crossing == "hypercall" and (.evidence.hypercalls - 1 | fabs) < 0.002'
holds "out-user is one user exit" row '.case == "out-user" and .crossing == "exit-user" and (.evidence.user_exits - 1 | fabs) < 0.002'
holds "mov-from-cr0 does not exit" row '.case == "mov-from-cr0" and .crossing == "none" and .exits_per_op == 0'
holds "hardware is the path of what KVM runs" row '.case == "cpuid" and .path == "hardware"'

# A guest that is a hypervisor: its guest comes and goes by KVM.
holds "vmrun is two exits and one entry of the guest's guest" row '.case == "vmrun" and .exits_per_op == 2 and .evidence.nested_run == 1'
holds "as KVM does it, six" row '.case == "vmrun-as-kvm" and .exits_per_op == 6 and .evidence.nested_run == 1'
holds "one that is refused enters nothing" row '.case == "vmrun-refused" and .exits_per_op == 1 and .evidence.nested_run == 0'
holds "an exit that the guest does not ask for is KVM's alone" row '.case == "inner-cpuid" and .exits_per_op == 1 and .evidence.nested_run == 0'
holds "virtual GIF is no exit" row '.case == "clgi" and .exits_per_op == 0'

# What a guest that knows KVM does instead.
holds "a paravirtual vmmcall is a hypercall" form vmmcall '.crossing == "hypercall" and (.evidence.hypercalls - 1 | fabs) < 0.002'
holds "the time is read from memory" form rdtsc '.crossing == "none" and .exits_per_op == 0 and .evidence.honoured == 1'
holds "an interrupt ends in memory" form x2apic-eoi '.crossing == "none" and .exits_per_op == 0 and .evidence.honoured == 1'
holds "a self-IPI is one call" form x2apic-self-ipi '.crossing == "hypercall" and (.evidence.hypercalls - 1 | fabs) < 0.002'
for path in hardware paravirtual; do
    holds "an IPI to another vCPU is one exit and waits there: $path" jq -e --arg path "$path" '.measurements[] | select(.case == "x2apic-ipi" and .path == $path) | select(.status == "ok" and .exits_per_op == 1 and .evidence.interrupts == 1)' "$work/one.json"
done
holds "a flush is left in memory for another vCPU" form invlpg '.crossing == "none" and .evidence.honoured == 1'
holds "a kick wakes a HLT: one call, two exits" form hlt '.crossing == "hypercall" and .exits_per_op == 2 and .evidence.hypercalls == 1'
holds "no row is of a case without such a form" test "$(count '.path == "paravirtual" and (.reason // "" | test("no paravirtual form"))')" -eq 0

# Known lengths: what a thousand more instructions in a path would show as.
holds "nothing counts as 0 instructions" row '.case == "empty" and .toll.median == 0'
holds "one instruction counts as 1" row '.case == "nop" and .toll.median == 1'
holds "a thousand count as 1000" row '.case == "thousand" and .toll.median == 1000'

# What else is asked for changes no count: the first of these has no timer, no second vCPU and no other APIC before it.
for some in hlt 'tsc-*,x2apic-self-ipi-hlt' 'cpuid,first-touch,mmio-write-coalesced' 'x2apic-*,vmmcall,mov-to-cr8,wrmsr-user'; do
    run "$VMTOLL" lab svm --case "$some" --quiet --output "$work/some.json"
    jq -n --slurpfile one "$work/one.json" --slurpfile two "$work/some.json" '
        def tolls: [.[0].measurements[] | select(.status == "ok") | {key: "\(.case) \(.path)", value: .toll.median}] | from_entries;
        ($one | tolls) as $a | ($two | tolls) as $b
        | if ($b | length) == 0 then "no row" else empty end, (($b | keys)[] | select($a[.] == null or (($a[.] - $b[.]) | fabs) > 0.0002 * ($a[.] | fabs)))' >"$work/out"
    holds "$some counts the same alone" test ! -s "$work/out"
done

crossings_wrong "$work/one.json" svm >"$work/out"
holds "every case crosses as docs/MEASUREMENT.md says" test ! -s "$work/out"
holds "nothing temporary is left behind" test -z "$(ls "$TMPDIR")"
finish
