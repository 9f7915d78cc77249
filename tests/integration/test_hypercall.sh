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
for name in rdtsc rdmsr-kernel; do
    if [ "$(field status "$name" 3)" = unsupported ]; then
        skip "$name from memory" "this KVM does not offer it"
        continue
    fi
    equals "$name from memory is verified" "$(field status "$name" 3)" ok
    equals "$name from memory crosses nothing" "$(field crossing "$name" 3)" none
done
"$VMTOLL" probe --json >"$work/probe.json"
if grep -Eq '"backend": *"(vmx|svm)"' "$work/probe.json"; then
    calls=$(for name in vmcall vmmcall; do field crossing $name 0; done)
    equals "the processor's own instruction is a hypercall" "$calls" hypercall
else
    skip "hypercalls from CPL 0" "neither VMX nor SVM runs here"
fi

# Without the device the process's own form still works.
if [ "$(id -u)" -eq 0 ] && unshare -m mount -t tmpfs none /dev 2>/dev/null; then
    # shellcheck disable=SC2016
    hidden='mount -t tmpfs none /dev && mknod -m 666 /dev/null c 1 3 && exec "$0" "$@"'
    run unshare -m sh -c "$hidden" "$VMTOLL" bench --engine hypercall --case 'rdtsc,vmcall' --budget 1 --output "$result"
    is "without /dev/kvm it ends well" 0
    holds "the missing device is named" grep -q '/dev/kvm: no such device' "$result"
    equals "what needs no device is measured" "$(field status vmcall 3)" ok
else
    skip "without /dev/kvm" "needs root and mount namespaces"
fi
finish
