#!/bin/sh
# Lab vmx: KVM's VT-x code on Bochs. Both runs at once, one on each core.
# seconds: 1800
# beside others
. "$(dirname "$0")/tap.sh"
# shellcheck source=tests/integration/crossings.sh
. "$(dirname "$0")/crossings.sh"

command -v bochs >/dev/null 2>&1 || skip_all "bochs is missing: apt-get install bochs bochsbios vgabios bochs-x xvfb grub-pc-bin xorriso"
command -v jq >/dev/null 2>&1 || skip_all "jq is missing: apt-get install jq"
mkdir "$work/tmp"
export TMPDIR="$work/tmp"

# What a second run shows, that lengths do not change, is no sanitizer's matter.
if sanitized; then twice=; else twice=yes; fi
{ [ ! "$twice" ] || "$VMTOLL" lab vmx --limit 800 --quiet --output "$work/two.json" 2>"$work/two.err"; } &
run "$VMTOLL" lab vmx --limit 800 --quiet --output "$work/one.json"
first=$status
wait $!
second=$?
# Bochs 3.1's IDIV of 64 bits gives wrong quotients (docs/LAB.md): no Linux boots.
grep -qE 'the package|is missing|no cache folder|divides wrongly' "$work/err" && skip_all "$(cat "$work/err")"
status=$first
is "all cases run" 0

# shellcheck disable=SC2317
row() { # expression over one row
    jq -e ".measurements[] | select($1)" "$work/one.json"
}

differing() {
    jq -n --slurpfile one "$work/one.json" --slurpfile two "$work/two.json" '
        [$one[0].measurements, $two[0].measurements] | transpose[]
        | select(.[0].status != .[1].status or (.[0].status == "ok" and ((.[0].toll.median - .[1].toll.median) | fabs) > 0.005 * (.[0].toll.median | fabs)))'
}

count() {
    jq "[.measurements[] | select($1)] | length" "$work/one.json"
}

if [ "$twice" ]; then
    holds "all cases run a second time" test "$second" -eq 0
    holds "two results hold the same rows" differing
    differing >"$work/out"
    holds "two runs differ by less than 0.5 %" test ! -s "$work/out"
    run "$VMTOLL" compare "$work/one.json" "$work/two.json" --fail-on change
    is "compare finds no difference" 0
else
    skip "two runs are the same" "a sanitizer changes nothing of it, and doubles the time"
fi
holds "at least 35 cases are ok" test "$(count '.status == "ok"')" -ge 35
holds "none failed" test "$(count '.status == "failed" or .status == "timeout" or .status == "unverified"')" -eq 0
holds "no timer of the kernel is part of a count" test "$(count '.crossing == "exit-kernel" and .iterations == 100 and .toll.p25 != .toll.median')" -le 1
holds "one instruction counts as 1" row '.case == "nop" and .toll.median == 1'
holds "a thousand count as 1000" row '.case == "thousand" and .toll.median == 1000'
holds "cpuid exits once" row '.case == "cpuid" and .path == "hardware" and .crossing == "exit-kernel" and (.exits_per_op - 1 | fabs) < 0.002'
holds "vmcall is a hypercall" row '.case == "vmcall" and .crossing == "hypercall" and (.evidence.hypercalls - 1 | fabs) < 0.002'
holds "out-user is one user exit" row '.case == "out-user" and .crossing == "exit-user" and (.evidence.user_exits - 1 | fabs) < 0.002'
holds "mov-from-cr0 does not exit" row '.case == "mov-from-cr0" and .crossing == "none" and .exits_per_op == 0'
holds "a paravirtual vmcall is a hypercall" row '.case == "vmcall" and .path == "paravirtual" and .crossing == "hypercall" and (.evidence.hypercalls - 1 | fabs) < 0.002'
holds "the paravirtual time is read from memory" row '.case == "rdtsc" and .path == "paravirtual" and .crossing == "none" and .evidence.honoured == 1'

# A guest that is a hypervisor: its guest comes and goes by KVM, and most of its VMCS is a shadow.
holds "vmresume is two exits and one entry of the guest's guest" row '.case == "vmresume" and .exits_per_op == 2 and .evidence.nested_run == 1'
holds "as KVM does it, no more" row '.case == "vmresume-as-kvm" and .exits_per_op == 2 and .evidence.nested_run == 1'
holds "one that is refused enters nothing" row '.case == "vmlaunch-refused" and .exits_per_op == 1 and .evidence.nested_run == 0'
holds "an exit that the guest does not ask for is KVM's alone" row '.case == "inner-rdmsr" and .exits_per_op == 1 and .evidence.nested_run == 0'
holds "a field of the shadow is one instruction" row '.case == "vmread" and .toll.median == 1 and .exits_per_op == 0'

# Without a shadow; and at depth 2, where the guest of the cases is a guest of a guest.
# Beside that one with functions, of little, for Bochs' debugger prints each instruction.
{
    "$VMTOLL" lab vmx --limit 600 --quiet --case nop,vmread,vmwrite,vmresume-as-kvm --param kvm_intel.enable_shadow_vmcs=0 --output "$work/plain.json" &&
        "$VMTOLL" lab vmx --limit 400 --profile --quiet --case nop,cpuid --output "$work/profiled.json" &&
        "$VMTOLL" lab vmx --limit 400 --quiet --case 'nop,vm*,inv*,inner-*' --param kvm_intel.nested=0 --output "$work/flat.json"
} 2>"$work/plain.err" &
# shellcheck disable=SC2317
deep() { # expression over one row
    jq -e ".measurements[] | select($1)" "$work/deep.json"
}
if sanitized; then
    skip "a guest of a guest" "a machine in a machine has no room for a sanitizer's memory"
else
    run "$VMTOLL" lab vmx --limit 800 --depth 2 --quiet --case empty,nop,thousand,cpuid,xsetbv --output "$work/deep.json"
    is "the cases run in a guest of a guest" 0
    holds "nothing is 0 instructions, and no exit below" deep '.case == "empty" and .toll.median == 0 and .outer_exits == 0'
    holds "one instruction is 1, and no exit below" deep '.case == "nop" and .toll.median == 1 and .outer_exits == 0'
    holds "a thousand are 1000, and no exit below" deep '.case == "thousand" and .toll.median == 1000 and .outer_exits == 0'
    # Five on Linux 6.1, six on 6.12 (docs/LAB.md).
    holds "cpuid is one exit, and five or six below" deep '.case == "cpuid" and .depth == 2 and .exits_per_op == 1 and (.outer_exits == 5 or .outer_exits == 6)'
    holds "XSAVE is on at depth 2 as well" deep '.case == "xsetbv" and .status == "ok"'
fi
wait $!
holds "where a guest's VMCS has no shadow, and two with functions" test $? -eq 0
holds "functions add up to their tolls, and none is unknown" jq -e \
    '[.measurements[] | select(.status == "ok")] | length == 2 and all(.profile != null and .profile.unattributed == 0 and ((.profile.sum / .profile.operations - .toll.median) | fabs < 0.00001 * (. + 1)))' "$work/profiled.json"
holds "nop is the guest's alone" jq -e \
    'first(.measurements[] | select(.case == "nop")) | .profile | .sum == .operations and [.functions[].module] == ["guest"]' "$work/profiled.json"
holds "cpuid is answered by kvm through kvm_intel, and one instruction of it is the guest's" jq -e \
    'first(.measurements[] | select(.case == "cpuid")) | .profile as $p | $p.functions | any(.name == "kvm_emulate_cpuid" and .module == "kvm") and any(.name == "vmx_vcpu_run" and .module == "kvm_intel") and any(.module == "guest" and .self == $p.operations)' "$work/profiled.json"
holds "where KVM's guests are no hypervisors each row says what to load" jq -e \
    '[.measurements[] | select(.case | test("^(vmx|vmread|vmwrite|vmptr|vmclear|vmlaunch|vmresume|inner-rdmsr)"))] | length >= 13 and all(.status == "unsupported" and (.reason | contains("KVM offers its guests no VT-x: load kvm_intel with nested=1")))' "$work/flat.json"
holds "and those of AMD-V whose they are" jq -e \
    '[.measurements[] | select(.case | test("^(vmrun|vmsave|vmload)"))] | length >= 5 and all(.status == "unsupported" and (.reason | contains("AMD-V")))' "$work/flat.json"
holds "without a shadow each field is an exit" jq -e '[.measurements[] | select(.case == "vmread" or .case == "vmwrite") | .exits_per_op] == [1, 1]' "$work/plain.json"
holds "so KVM's way around an entry is nine" jq -e '.measurements[] | select(.case == "vmresume-as-kvm") | .exits_per_op == 9 and .evidence.nested_run == 1' "$work/plain.json"
crossings_wrong "$work/one.json" vmx >"$work/out"
holds "every case crosses as docs/MEASUREMENT.md says" test ! -s "$work/out"
holds "nothing temporary is left behind" test -z "$(ls "$TMPDIR")"
finish
