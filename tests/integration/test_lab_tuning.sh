#!/bin/sh
# Lab svm under other settings: what was asked for is in force, in the result, and told apart by compare.
# seconds: 900
# beside others
. "$(dirname "$0")/tap.sh"

command -v qemu-system-x86_64 >/dev/null 2>&1 || skip_all "qemu-system-x86_64 is missing: apt-get install qemu-system-x86"
command -v jq >/dev/null 2>&1 || skip_all "jq is missing: apt-get install jq"
mkdir "$work/tmp"
export TMPDIR="$work/tmp"
cases=nop,cpuid,mov-to-cr3,page-fault

lab() { # result, options
    result=$1
    shift
    run "$VMTOLL" lab svm --case "$cases" --quiet --output "$work/$result.json" "$@"
}
# shellcheck disable=SC2317
toll() { # result, case
    jq ".measurements[] | select(.case == \"$2\" and .path == \"hardware\") | .toll.median" "$work/$1.json"
}
# shellcheck disable=SC2317
crossing() { # result, case, crossing
    jq -e --arg case "$2" --arg crossing "$3" '.measurements[] | select(.case == $case and .path == "hardware") | .crossing == $crossing' "$work/$1.json"
}
# shellcheck disable=SC2317
setting() { # result, expression
    jq -e ".settings | $2" "$work/$1.json"
}

lab plain
grep -qE 'the package|is missing|no cache folder' "$work/err" && skip_all "$(cat "$work/err")"
is "the lab as it is" 0
holds "with nested paging" setting plain '.module_parameters["kvm_amd.npt"] == "Y"'
holds "and one processor" setting plain '.processors == 1'

cases=nop,vmrun
lab flat --param kvm_amd.nested=0
is "a lab whose guests are no hypervisors" 0
holds "where they cannot be one a row says what to load" jq -e \
    '.measurements[] | select(.case == "vmrun") | .status == "unsupported" and (.reason | contains("kvm_amd with nested=1"))' "$work/flat.json"

cases=nop,cpuid,mov-to-cr3,page-fault
lab shadow --param kvm_amd.npt=0
is "shadow paging" 0
holds "its parameter is in force" setting shadow '.module_parameters["kvm_amd.npt"] == "N"'
holds "and on the command line" setting shadow '.kernel_command_line | test(" kvm_amd.npt=0 ")'
holds "a write to CR3 exits now" crossing shadow mov-to-cr3 exit-kernel
holds "a page fault exits now" crossing shadow page-fault exit-kernel
holds "neither did before" crossing plain mov-to-cr3 none
run "$VMTOLL" compare "$work/plain.json" "$work/shadow.json"
has "compare names the parameter" 'kvm_amd.npt was "Y" and is "N"' err
has "compare names the command line" 'kernel command line was .*kvm_amd.npt=0' err

lab guarded --append 'mitigations=auto'
is "with mitigations" 0
holds "an exit is longer" test "$(toll guarded cpuid)" -gt "$(toll plain cpuid)"
holds "an instruction is not" test "$(toll guarded nop)" -eq 1

lab refused --param kvm_amd.avic=1
refuses "what the processor lacks is refused, not passed over" 3 "kvm_amd.avic=1 is not in force, KVM made it N"
holds "and there is no result" test ! -e "$work/refused.json"
holds "nothing temporary is left behind" test -z "$(ls "$TMPDIR")"
finish
