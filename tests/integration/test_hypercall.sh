#!/bin/sh
# Engine hypercall: the paravirtual forms, how each crossed, and why a case has none here.
. "$(dirname "$0")/tap.sh"

result=$work/result.json

field() { # column, case, cpl
    "$VMTOLL" report "$result" --format csv | awk -F, -v column="$1" -v name="$2" -v cpl="$3" '
        { sub(/\r$/, "") }
        FNR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
        $at["case"] == name && $at["cpl"] == cpl { print $at[column] }'
}

run "$VMTOLL" list engines
has "the engine is listed" '^hypercall '

run "$VMTOLL" list cases --json
has "the catalogue names the forms" '"kvm": *"PV EOI: clear a bit in memory"'

run "$VMTOLL" bench --engine hypercall --case 'rdtsc,rdmsr-kernel,vmcall,vmmcall,cpuid' --budget 3 --output "$result"
is "hypercall ends well" 0
equals "every row is of path paravirtual" "$("$VMTOLL" report "$result" --format csv | awk -F, '
    { sub(/\r$/, "") }
    FNR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
    $at["path"] != "paravirtual" { n++ } END { print n + 0 }')" 0
equals "a case without a form is unsupported" "$(field status cpuid 0)" unsupported
holds "and the reason says so" grep -q 'has no paravirtual form' "$result"

if [ "$(field status vmcall 3)" = ok ]; then
    equals "a dispatched system call is a trap" "$(field crossing vmcall 3)" trap
    holds "and is named as what it is" grep -q '"operation": *"syscall with an unused number' "$result"
else
    skip "a dispatched system call" "no syscall user dispatch here"
fi

if ! "$VMTOLL" probe --require kvm >/dev/null 2>&1; then
    skip "everything under KVM" "KVM runs no guest here (vmtoll probe says why)"
    finish
fi
"$VMTOLL" probe --json >"$work/probe.json"
if ! grep -Eq '"KVM_CAP_BINARY_STATS_FD": *[1-9]' "$work/probe.json"; then
    skip "everything under KVM" "this kernel does not count (KVM_GET_STATS_FD, Linux 5.14)"
    finish
fi
for name in rdtsc rdmsr-kernel; do
    if [ "$(field status "$name" 3)" = unsupported ]; then
        skip "$name from memory" "this KVM does not offer it"
        continue
    fi
    equals "$name from memory is verified" "$(field status "$name" 3)" ok
    equals "$name from memory crosses nothing" "$(field crossing "$name" 3)" none
done
if grep -Eq '"backend": *"(vmx|svm)"' "$work/probe.json"; then
    # The other one is unsupported, or has Xen's form where this KVM speaks Xen's ABI.
    grep -q '"backend": *"vmx"' "$work/probe.json" && own=vmcall || own=vmmcall
    equals "the processor's own instruction is a hypercall" "$(field crossing "$own" 0)" hypercall
else
    skip "hypercalls from CPL 0" "neither VMX nor SVM runs here"
fi

# Without the device the process's own form still works.
if can_hide_devices; then
    run without_devices "$VMTOLL" bench --engine hypercall --case 'rdtsc,vmcall' --budget 1 --output "$result"
    is "without /dev/kvm it ends well" 0
    holds "the missing device is named" grep -q 'there is no /dev/kvm' "$result"
    equals "what needs no device is measured" "$(field status vmcall 3)" ok
else
    skip "without /dev/kvm" "needs root, mount namespaces and mknod"
fi
finish
