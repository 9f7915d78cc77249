#!/bin/sh
# Lab vmx: KVM's VT-x code on Bochs. Both runs at once, one on each core.
# seconds: 900
. "$(dirname "$0")/tap.sh"
# shellcheck source=tests/integration/crossings.sh
. "$(dirname "$0")/crossings.sh"

command -v bochs >/dev/null 2>&1 || skip_all "bochs is missing: apt-get install bochs bochsbios vgabios bochs-x xvfb grub-pc-bin xorriso"
command -v jq >/dev/null 2>&1 || skip_all "jq is missing: apt-get install jq"
mkdir "$work/tmp"
export TMPDIR="$work/tmp"

"$VMTOLL" lab vmx --limit 800 --quiet --output "$work/two.json" 2>"$work/two.err" &
run "$VMTOLL" lab vmx --limit 800 --quiet --output "$work/one.json"
first=$status
wait $!
second=$?
grep -qE 'the package|is missing|no cache folder' "$work/err" && skip_all "$(cat "$work/err")"
# Its IDIV of 64 bits gives wrong quotients: Linux 6.12 and 7.2 divide by zero in register_refined_jiffies.
case $(bochs --help cpu 2>/dev/null) in
*"Emulator 3.1"*) grep -q 'halted with interrupts off while booting' "$work/err" && skip_all "Bochs 3.1 boots no Linux: $(cat "$work/err")" ;;
esac
status=$first
is "all cases run" 0
holds "and a second time" test "$second" -eq 0

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

holds "two results hold the same rows" differing
differing >"$work/out"
holds "two runs differ by less than 0.5 %" test ! -s "$work/out"
holds "at least 35 cases are ok" test "$(count '.status == "ok"')" -ge 35
holds "none failed" test "$(count '.status == "failed" or .status == "timeout" or .status == "unverified"')" -eq 0
holds "no timer of the kernel is part of a count" test "$(count '.crossing == "exit-kernel" and .iterations == 100 and .toll.p25 != .toll.median')" -le 1
run "$VMTOLL" compare "$work/one.json" "$work/two.json" --fail-on change
is "compare finds no difference" 0
holds "one instruction counts as 1" row '.case == "nop" and .toll.median == 1'
holds "a thousand count as 1000" row '.case == "thousand" and .toll.median == 1000'
holds "cpuid exits once" row '.case == "cpuid" and .path == "hardware" and .crossing == "exit-kernel" and (.exits_per_op - 1 | fabs) < 0.002'
holds "vmcall is a hypercall" row '.case == "vmcall" and .crossing == "hypercall" and (.evidence.hypercalls - 1 | fabs) < 0.002'
holds "out-user is one user exit" row '.case == "out-user" and .crossing == "exit-user" and (.evidence.user_exits - 1 | fabs) < 0.002'
holds "mov-from-cr0 does not exit" row '.case == "mov-from-cr0" and .crossing == "none" and .exits_per_op == 0'
holds "a paravirtual vmcall is a hypercall" row '.case == "vmcall" and .path == "paravirtual" and .crossing == "hypercall" and (.evidence.hypercalls - 1 | fabs) < 0.002'
holds "the paravirtual time is read from memory" row '.case == "rdtsc" and .path == "paravirtual" and .crossing == "none" and .evidence.honoured == 1'
crossings_wrong "$work/one.json" vmx >"$work/out"
holds "every case crosses as docs/MEASUREMENT.md says" test ! -s "$work/out"
holds "nothing temporary is left behind" test -z "$(ls "$TMPDIR")"
finish
