#!/bin/sh
# Lab bochs: ring 0 of Bochs' processors and the image's own monitor there, with VT-x and with AMD-V.
# seconds: 300
# beside others
. "$(dirname "$0")/tap.sh"

command -v bochs >/dev/null 2>&1 || skip_all "bochs is missing: apt-get install bochs bochsbios vgabios bochs-x xvfb grub-pc-bin xorriso"
command -v jq >/dev/null 2>&1 || skip_all "jq is missing: apt-get install jq"
mkdir "$work/tmp"
export TMPDIR="$work/tmp"
some=nop,cpuid,mov-to-cr3,x2apic-eoi

"$VMTOLL" lab bochs --limit 240 --case "$some" --quiet --output "$work/some.json" 2>"$work/some.err" &
run "$VMTOLL" lab bochs --limit 240 --quiet --output "$work/all.json"
wait $!
second=$?
grep -q 'is missing' "$work/err" && skip_all "$(cat "$work/err")"
is "all cases run" 0
holds "and some of them at the same time" test "$second" -eq 0

# shellcheck disable=SC2317
row() {
    jq -e ".measurements[] | select($1)" "$work/all.json"
}
# shellcheck disable=SC2317
count() {
    jq "[.measurements[] | select($1)] | length" "$work/all.json"
}

jq -S '[.measurements[] | select(.case | IN("nop", "cpuid", "mov-to-cr3", "x2apic-eoi")) | {case, engine, status, toll: .toll.median}]' "$work/all.json" >"$work/out"
jq -S '[.measurements[] | {case, engine, status, toll: .toll.median}]' "$work/some.json" >"$work/err"
holds "all and some count the same" cmp "$work/out" "$work/err"
holds "no row failed" test "$(count '.status == "failed" or .status == "timeout" or .status == "unverified" and (.engine == "monitor-translate" and .case == "hlt" | not)')" -eq 0
equals "each road has its rows" "$(jq -r '[.measurements[].engine] | unique | join(" ")' "$work/all.json")" \
    "bochs monitor-call monitor-svm monitor-svm-kvm monitor-translate monitor-trap monitor-trap-assist monitor-vmx monitor-vmx-kvm"
for engine in bochs monitor-trap monitor-translate monitor-svm monitor-svm-kvm monitor-vmx monitor-vmx-kvm; do
    for name in empty:0 nop:1 thousand:1000; do
        holds "$engine: ${name%:*} is ${name#*:}" row ".engine == \"$engine\" and .case == \"${name%:*}\" and .toll.median == ${name#*:}"
    done
done
holds "CR4.TSD makes rdtsc a fault" row '.engine == "monitor-trap-assist" and .case == "rdtsc" and .status == "ok" and .evidence.traps == 1 and .reason == "1.00 #GP per operation, by CR4.TSD"'
holds "30 cases or more are inline where translated" test "$(count '.engine == "monitor-translate" and .status == "ok" and .crossing == "inline" and .evidence.inline_hits == 1 and .evidence.traps == 0')" -ge 30
trapped='.engine == "monitor-trap" and .status == "ok"'
holds "44 cases or more are one trap of the monitor each" test "$(count "$trapped and .crossing == \"trap\" and .evidence.traps == 1 and .exits_per_op == 1")" -ge 44

# VT-x: the same emulator behind a VM exit.
left='.path == "hardware" and .status == "ok" and .crossing == "exit-kernel"'
holds "30 cases or more are one exit of VT-x where all is intercepted" test "$(count "$left and .engine == \"monitor-vmx\" and .exits_per_op == 1")" -ge 30
holds "fewer as KVM does it" test "$(count "$left and .engine == \"monitor-vmx-kvm\"")" -lt "$(count "$left and .engine == \"monitor-vmx\"")"
for engine in monitor-vmx monitor-svm; do
    holds "$engine: the bare exit is apart" row "$left and .engine == \"$engine\" and .case == \"cpuid\" and .breakdown.bare.median >= 4 and .breakdown.bare.median <= 20 and .toll.median > 100"
    holds "$engine: the parts add up" row ".engine == \"$engine\" and .case == \"mov-to-cr3\" and .breakdown.bare.median + .breakdown.emulation.median == .toll.median"
    holds "$engine-kvm: a guest writes CR3 itself" row ".engine == \"$engine-kvm\" and .case == \"mov-to-cr3\" and .crossing == \"none\" and .toll.median == 1"
    holds "$engine-kvm: and handles its exceptions itself" row ".engine == \"$engine-kvm\" and .case == \"page-fault\" and .crossing == \"none\" and .toll.median < 20"
done
for name in mov-from-cr0 mov-from-cr4 popf pushf cli sti iret; do
    holds "VT-x has no control for $name" row ".engine == \"monitor-vmx\" and .case == \"$name\" and .crossing == \"none\""
done
holds "a guest lowers its task priority without an exit, and the interrupt that waited comes" row '.engine == "monitor-vmx-kvm" and .case == "x2apic-self-ipi-tpr" and .status == "ok" and .evidence.interrupts == 1'
holds "nothing temporary is left behind" test -z "$(ls "$TMPDIR")"
finish
