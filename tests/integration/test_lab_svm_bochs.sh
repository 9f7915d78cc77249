#!/bin/sh
# Lab svm-bochs: KVM's AMD-V code on a processor with NRIPS. Both runs at once, one on each core.
# seconds: 1800
# beside others
. "$(dirname "$0")/tap.sh"
# shellcheck source=tests/integration/crossings.sh
. "$(dirname "$0")/crossings.sh"

command -v bochs >/dev/null 2>&1 || skip_all "bochs is missing: apt-get install bochs bochsbios vgabios bochs-x xvfb grub-pc-bin xorriso"
command -v qemu-system-x86_64 >/dev/null 2>&1 || skip_all "qemu-system-x86_64 is missing: apt-get install qemu-system-x86"
command -v jq >/dev/null 2>&1 || skip_all "jq is missing: apt-get install jq"
mkdir "$work/tmp"
export TMPDIR="$work/tmp"
some='cpuid,vmmcall,hlt,first-touch,mmio-write-*,x2apic-eoi'
# What it costs depends on the pages that the machine's kernel has at hand (docs/LAB.md), and a sanitizer in the machine
# takes some whenever it likes.
if sanitized; then
    some=$(echo "$some" | sed s/first-touch,//)
    skip "first-touch counts the same" "a sanitizer takes pages of its own"
fi

# What else is asked for changes no count. Functions are of one case: a debugger prints each instruction of it.
"$VMTOLL" lab svm-bochs --limit 1200 --case "$some" --quiet --output "$work/some.json" 2>"$work/some.err" &
run "$VMTOLL" lab svm-bochs --limit 1200 --quiet --output "$work/all.json"
first=$status
wait $!
second=$?
# Bochs 3.1's IDIV of 64 bits gives wrong quotients (docs/LAB.md): no Linux boots.
grep -qE 'the package|is missing|no cache folder|divides wrongly' "$work/err" && skip_all "$(cat "$work/err")"
"$VMTOLL" lab svm-bochs --limit 1200 --profile --case nop,cpuid --quiet --output "$work/profiled.json" 2>"$work/profiled.err" &
status=$first
is "all cases run" 0
holds "and some of them" test "$second" -eq 0
run "$VMTOLL" lab svm --limit 600 --quiet --output "$work/qemu.json"
is "and all on QEMU" 0
wait $!
holds "and two with their functions" test $? -eq 0

# shellcheck disable=SC2317
row() { # expression over one row of the instructions themselves
    jq -e ".measurements[] | select(.path == \"hardware\") | select($1)" "$work/all.json"
}
# shellcheck disable=SC2317
count() {
    jq "[.measurements[] | select($1)] | length" "$work/all.json"
}

# Tolls of both results, of rows that both have; prints those that differ by more than 0.02 %.
differing() {
    jq -n --slurpfile one "$work/all.json" --slurpfile two "$work/some.json" '
        def tolls: [.[0].measurements[] | select(.status == "ok") | {key: "\(.case) \(.path)", value: .toll.median}] | from_entries;
        ($one | tolls) as $a | ($two | tolls) as $b | ($b | keys)[]
        | select($a[.] == null or (($a[.] - $b[.]) | fabs) > 0.0002 * ($a[.] | fabs))'
}

holds "at least 35 cases are ok" test "$(count '.status == "ok"')" -ge 35
holds "none failed" test "$(count '.status == "failed" or .status == "timeout" or .status == "unverified"')" -eq 0
differing >"$work/out"
holds "all and some count the same" test ! -s "$work/out"
holds "some are at least six" test "$(jq '[.measurements[] | select(.status == "ok")] | length' "$work/some.json")" -ge 6
holds "each row with functions adds up" jq -e \
    '[.measurements[] | select(.status == "ok")] | length >= 2 and all(.profile != null and .profile.unattributed == 0 and ((.profile.sum / .profile.operations - .toll.median) | fabs < 0.00001 * (. + 1)))' "$work/profiled.json"
holds "cpuid is answered by kvm, and one instruction of it is the guest's" jq -e \
    'first(.measurements[] | select(.case == "cpuid" and .path == "hardware")) | .profile as $p | $p.functions | any(.name == "kvm_emulate_cpuid") and any(.module == "guest" and .self == $p.operations)' "$work/profiled.json"
# But for first-touch, which may differ by as much as is allowed above (docs/LAB.md), to the instruction.
for one in all some; do
    jq 'del(.measurements[] | select(.case == "first-touch"))' "$work/$one.json" >"$work/$one-exact.json"
done
run "$VMTOLL" compare "$work/all-exact.json" "$work/some-exact.json" --fail-on change
is "compare finds no difference" 0
holds "engine, unit and the mark of simulation" test "$(count '.engine == "svm-bochs" and .unit == "instructions" and .simulated')" -eq "$(count true)"
holds "KVM uses NRIPS and nested paging" jq -e '.settings.module_parameters | .["kvm_amd.nrips"] == "1" and .["kvm_amd.npt"] == "Y"' "$work/all.json"
holds "cpuid exits once, and nothing is decoded" row '.case == "cpuid" and .crossing == "exit-kernel" and .exits_per_op == 1 and .evidence.insn_emulation == 0'
holds "hlt exits once, with its interrupt" row '.case == "hlt" and .crossing == "exit-kernel" and .exits_per_op == 1'
holds "vmmcall is a hypercall" row '.case == "vmmcall" and .crossing == "hypercall"'
holds "nothing counts as 0 instructions" row '.case == "empty" and .toll.median == 0'
holds "one instruction counts as 1" row '.case == "nop" and .toll.median == 1'
holds "a thousand count as 1000" row '.case == "thousand" and .toll.median == 1000'

# The note on QEMU's rows: on those, and only those, that are decoded there and not here.
jq -n -r --slurpfile here "$work/all.json" --slurpfile there "$work/qemu.json" '
    def rows: [.[0].measurements[] | select(.status == "ok") | {key: "\(.case) \(.path)",
        value: {decoded: (.evidence.insn_emulation // 0), noted: (.reason // "" | test("NRIPS"))}}] | from_entries;
    ($here | rows) as $a | ($there | rows) as $b | ($a | keys)[]
    | select($b[.] != null and (($b[.].decoded - $a[.].decoded >= 0.9) != $b[.].noted))' >"$work/out"
holds "QEMU's rows say where NRIPS would save decoding" test ! -s "$work/out"
holds "and there are some" test "$(jq '[.measurements[] | select(.reason // "" | test("NRIPS"))] | length' "$work/qemu.json")" -ge 10
holds "no row here says so" test "$(count '.reason // "" | test("NRIPS")')" -eq 0
cpuid=$(jq '.measurements[] | select(.case == "cpuid" and .path == "hardware") | .toll.median' "$work/all.json")
run "$VMTOLL" report "$work/qemu.json" "$work/all.json"
holds "a report of both says first what an exit takes as processors are sold" grep -q "takes $cpuid instructions to the kernel" "$work/out"
crossings_wrong "$work/all.json" svm-bochs >"$work/out"
holds "every case crosses as docs/MEASUREMENT.md says" test ! -s "$work/out"
holds "nothing temporary is left behind" test -z "$(ls "$TMPDIR")"
finish
