#!/bin/sh
# Lab tcg: the cases at ring 0 of an emulated processor, no hypervisor below.
# beside others
. "$(dirname "$0")/tap.sh"

command -v qemu-system-x86_64 >/dev/null 2>&1 || skip_all "qemu-system-x86_64 is missing: apt-get install qemu-system-x86"
command -v jq >/dev/null 2>&1 || skip_all "jq is missing: apt-get install jq"
mkdir "$work/tmp"
export TMPDIR="$work/tmp"

run "$VMTOLL" lab tcg --quiet --output "$work/one.json"
is "all cases run" 0
run "$VMTOLL" lab tcg --quiet --output "$work/two.json"
is "and a second time" 0

tolls() {
    jq -S '[.measurements[] | {case, status, toll: .toll.median}]' "$1"
}

# shellcheck disable=SC2317
row() {
    jq -e ".measurements[] | select($1)" "$work/one.json"
}

tolls "$work/one.json" >"$work/out"
tolls "$work/two.json" >"$work/err"
holds "two runs count the same" cmp "$work/out" "$work/err"
holds "at least 60 cases are ok" test "$(jq '[.measurements[] | select(.status == "ok")] | length' "$work/one.json")" -ge 60
holds "nothing counts as 0 instructions" row '.engine == "tcg" and .case == "empty" and .toll.median == 0'
holds "one instruction counts as 1" row '.engine == "tcg" and .case == "nop" and .toll.median == 1'
holds "a thousand count as 1000" row '.engine == "tcg" and .case == "thousand" and .toll.median == 1000'
holds "cpuid costs itself" row '.engine == "tcg" and .case == "cpuid" and .toll.median == 1 and .crossing == "none" and .path == "native"'
holds "an exception costs entry, handler and return" row '.engine == "tcg" and .case == "page-fault" and .toll.median > 5 and .toll.median < 30'
holds "a system call and back are two" row '.engine == "tcg" and .case == "syscall" and .toll.median == 2 and .crossing == "none"'
holds "so are a call and its return" row '.engine == "tcg" and .case == "call-ret" and .toll.median == 2'
# The monitor: the same bytes at ring 3, and what faults there is emulated at ring 0.
trapped='.engine == "monitor-trap" and .status == "ok"'
holds "44 cases or more are one trap of the monitor each" test "$(jq "[.measurements[] | select($trapped and .crossing == \"trap\" and .evidence.traps == 1 and .exits_per_op == 1)] | length" "$work/one.json")" -ge 44
holds "what is sensitive and does not fault is silent, with the reason" test "$(jq "[.measurements[] | select($trapped and .crossing == \"none\" and .evidence.traps == 0 and (.reason // \"\" | startswith(\"does not fault at ring 3\")))] | length" "$work/one.json")" -ge 10
for name in popf cpuid rdtsc pushf mov-from-cs; do
    holds "$name is one of them" row "$trapped and .case == \"$name\" and .crossing == \"none\" and .toll.median == 1"
done
for name in rdtsc rdtscp; do
    holds "CR4.TSD makes $name a fault" row ".engine == \"monitor-trap-assist\" and .case == \"$name\" and .status == \"ok\" and .crossing == \"trap\" and .evidence.traps == 1 and .toll.median > 100 and .breakdown.bare.median + .breakdown.emulation.median == .toll.median and .reason == \"1.00 #GP per operation, by CR4.TSD\""
done
holds "CPUID faulting is asked of the processor, which has none" row '.engine == "monitor-trap-assist" and .case == "cpuid" and .status == "unsupported" and (.reason | startswith("the processor has neither CPUID faulting"))'
equals "no other case has such a row" "$(jq '[.measurements[] | select(.engine == "monitor-trap-assist")] | length' "$work/one.json")" 3
for name in empty:0 nop:1 thousand:1000; do
    holds "${name%:*} is as long below the monitor" row "$trapped and .case == \"${name%:*}\" and .toll.median == ${name#*:} and .exits_per_op == 0"
done
holds "cli is a fault and its emulation" row "$trapped and .case == \"cli\" and .path == \"emulated\" and .breakdown.bare.median >= 4 and .breakdown.bare.median <= 8 and .toll.median > 50 and .toll.median < 400 and .reason == \"1.00 #GP per operation\""
holds "the parts add up" row "$trapped and .case == \"mov-to-cr3\" and .breakdown.bare.median + .breakdown.emulation.median == .toll.median"
holds "an exception is a fault, and its handler's return another" row "$trapped and .case == \"undefined\" and .exits_per_op == 2 and .reason == \"1.00 #UD, 1.00 #GP per operation\""
# Of SYSRET at ring 3 with EFER.SCE clear the manuals say #UD; QEMU 10 looks at the level first.
holds "a system call is a fault, and the way to its program another" row "$trapped and .case == \"syscall\" and .exits_per_op == 2 and (.reason | IN(\"2.00 #UD per operation\", \"1.00 #UD, 1.00 #GP per operation\"))"
holds "a write to a page table is seen" row "$trapped and .case == \"write-4-ptes\" and .evidence.traps == 4"
holds "a device's page is one fault" row "$trapped and .case == \"mmio-write-user\" and .evidence.traps == 1 and .reason == \"1.00 #PF per operation\""
# Translated: the same bytes, rewritten before they run.
translated='.engine == "monitor-translate" and .status == "ok" and .path == "translated"'
for name in empty:0 nop:1 thousand:1000; do
    holds "${name%:*} is as long translated" row "$translated and .case == \"${name%:*}\" and .crossing == \"none\" and .toll.median == ${name#*:} and .exits_per_op == 0"
done
holds "30 cases or more are inline" test "$(jq "[.measurements[] | select($translated and .crossing == \"inline\" and .evidence.inline_hits == 1 and .evidence.traps == 0)] | length" "$work/one.json")" -ge 30
holds "35 or more are one callout" test "$(jq "[.measurements[] | select($translated and .crossing == \"callout\" and .evidence.callouts == 1 and .evidence.traps == 0)] | length" "$work/one.json")" -ge 35
holds "cli is one instruction" row "$translated and .case == \"cli\" and .crossing == \"inline\" and .toll.median == 1"
holds "a call-out's parts add up, of which SYSCALL and SYSRET are two" row "$translated and .case == \"invlpg\" and .breakdown.bare.median == 2 and .breakdown.bare.median + .breakdown.emulation.median == .toll.median"
holds "what is inline, or a fault, has no such part" test "$(jq "[.measurements[] | select($translated and .crossing != \"callout\" and .breakdown != null)] | length" "$work/one.json")" -eq 0
for name in popf cpuid pushf mov-from-cs; do
    holds "$name is no hole there, and less than a trap" row "$translated and .case == \"$name\" and .crossing == \"inline\" and .toll.median <= 25"
done
holds "a page table's entry is written by the emulator from its first fault on" row "$translated and .case == \"write-pte\" and .crossing == \"callout\" and .evidence.traps == 0"
holds "so is a device's page" row "$translated and .case == \"mmio-write-user\" and .crossing == \"callout\" and .evidence.traps == 0"
holds "a system call and the way to its program are called out, and nothing is translated again" row "$translated and .case == \"syscall\" and .crossing == \"callout\" and .evidence.callouts == 2 and .evidence.blocks == 0"
holds "a call and its return are longer, and leave for nobody" row "$translated and .case == \"call-ret\" and .crossing == \"none\" and .toll.median > 2 and .toll.median < 20 and .evidence.lookup_misses == 0"
holds "a division by zero is a fault" row "$translated and .case == \"divide-error\" and .crossing == \"trap\" and .reason == \"1.00 #DE per operation\""
holds "what the baseline does not do is no toll" row '.engine == "monitor-translate" and .case == "hlt" and .status == "unverified"'
# Asked instead: Xen's hypercalls, answered by the same monitor.
called='.engine == "monitor-call" and .status == "ok" and .path == "paravirtual" and .crossing == "hypercall"'
holds "12 cases or more are one hypercall each" test "$(jq "[.measurements[] | select($called and .evidence.hypercalls == 1 and .evidence.traps == 0)] | length" "$work/one.json")" -ge 12
holds "a system call is a hypercall to its program, and handed on" row "$called and .case == \"syscall\" and .evidence.hypercalls == 1 and .evidence.traps == 1"
holds "a hypercall's parts add up" row "$called and .case == \"mov-to-cr3\" and .breakdown.bare.median == 2 and .breakdown.bare.median + .breakdown.emulation.median == .toll.median"
holds "asking costs less than being trapped" test "$(jq '[.measurements[] | select((.engine == "monitor-call" or .engine == "monitor-trap") and .case == "mov-to-cr3")] | map({(.engine): .toll.median}) | add | ."monitor-call" < ."monitor-trap"' "$work/one.json")" = true
# With AMD-V: the same emulator behind a #VMEXIT, all intercepted, or as KVM does.
left='.path == "hardware" and .status == "ok" and .crossing == "exit-kernel"'
holds "40 cases or more are one exit each where all is intercepted" test "$(jq "[.measurements[] | select($left and .engine == \"monitor-svm\" and .exits_per_op == 1)] | length" "$work/one.json")" -ge 40
holds "fewer as KVM does it" test "$(jq "[.measurements[] | select($left and .engine == \"monitor-svm-kvm\")] | length" "$work/one.json")" -lt "$(jq "[.measurements[] | select($left and .engine == \"monitor-svm\")] | length" "$work/one.json")"
holds "the bare exit of cpuid is apart" row "$left and .engine == \"monitor-svm\" and .case == \"cpuid\" and .breakdown.bare.median >= 5 and .breakdown.bare.median <= 8 and .toll.median > 100"
holds "popf is no hole there" row "$left and .engine == \"monitor-svm\" and .case == \"popf\""
holds "a guest of hardware writes CR3 itself" row '.engine == "monitor-svm-kvm" and .case == "mov-to-cr3" and .crossing == "none" and .toll.median == 1'
holds "and its system calls" row '.engine == "monitor-svm" and .case == "syscall" and .crossing == "none" and .toll.median == 2'
holds "and handles its exceptions itself" row '.engine == "monitor-svm" and .case == "page-fault" and .crossing == "none" and .toll.median < 20'
last=$(jq -r '.measurements[-1].case' "$work/one.json")
run "$VMTOLL" lab tcg --case "nop,cpuid,$last" --quiet --output "$work/two.json"
is "--case runs three of them" 0
equals "and no other" "$(jq -r '[.measurements[] | select(.engine != "monitor-call" and .engine != "monitor-trap-assist").case] | join(" ")' "$work/two.json")" "$(jq -r --arg last "$last" '[.measurements[] | select(.engine != "monitor-call" and .engine != "monitor-trap-assist").case | select(. == "nop" or . == "cpuid" or . == $last)] | join(" ")' "$work/one.json")"
holds "nothing temporary is left behind" test -z "$(ls "$TMPDIR")"
finish
