#!/bin/sh
# vmtoll compare --format commit: figures for a commit message, whatever the results hold.
# beside others
# shellcheck source=tests/integration/tap.sh
. "$(dirname "$0")/tap.sh"
# shellcheck source=tests/integration/result.sh
. "$(dirname "$0")/result.sh"

compare() { run "$VMTOLL" compare "$work/old.json" "$work/new.json" --format commit --fail-on never; }
host_of() { # kernel, microcode, mitigation
    echo "{\"cpu\":{\"brand\":\"Some CPU\",\"family\":6,\"model\":85,\"stepping\":4},\"system\":{\"kernel\":\"$1\",\"microcode\":\"$2\"},\"timing\":{\"tsc_khz\":2000000},\"kvm\":{\"backend\":\"vmx\"},\"mitigations\":{\"retbleed\":\"Mitigation: $3\",\"l1tf\":\"Not affected\"}}"
}
exits() { row "$1" identification ok '"exit-kernel"' "$2"; }

host=$(host_of 6.8.0-rc1-g0123456 0x1 IBRS)
document old.json "$(exits cpuid 656.5)" "$(exits out-elcr 1013)" "$(exits mmio-write-eventfd 900)" "$(exits sgdt 500)"
host=$(host_of 6.8.0-rc2-g89abcde 0x1 IBRS)
document new.json "$(exits cpuid 745.5)" "$(exits out-elcr 1013)" "$(exits mmio-write-eventfd 900)" "$(exits sgdt 500)"
compare
is "a commit's figures" 0
has "the road and the unit" '^kvm CPL 0, TSC cycles per operation:$'
has "before, after, difference, and what could have been seen" '^  cpuid +cpuid +1313 +1491 +\+13\.6 % +[0-9.]+%$'
has "the name of kvm-unit-tests" '^  out-elcr +outl_to_kernel +2026 +2026 +~ \+0\.0 % +[0-9.]+%$'
has "... on a line of its own where it is long" '^ +mmio-wildcard-eventfd:pci-mem$'
has "a case that it has not" '^  sgdt +1000 +1000 '
has "the processor" '^CPU +Some CPU \(family 6 model 85 stepping 4\)$'
has "what is alike is said once" '^microcode +0x1$'
has "what is not, twice" '^kernel +6\.8\.0-rc1-g0123456 -> 6\.8\.0-rc2-g89abcde$'
has "mitigations that are on" '^mitigations +retbleed: IBRS$'
lacks "... alone" 'l1tf'
has "the vmtoll that measured" '^vmtoll +0$'
holds "72 columns" test "$(wc -L <"$work/out")" -le 72
lacks "nothing that git drops" '^#'

host=$(host_of 6.8.0 0x1 IBRS | sed 's/"tsc_khz":2000000/"tsc_khz":null/')
document new.json "$(exits cpuid 745.5)" "$(exits out-elcr 1013)"
compare
has "without a clock of one rate: nanoseconds" '^kvm CPL 0, ns per operation:$'
has "... as measured" '^  cpuid +cpuid +656 +746 '

# Traps are no exits: that would not be what kvm-unit-tests times.
engine="trap"
document old.json "$(row cpuid identification ok '"trap"' 656)"
document new.json "$(row cpuid identification ok '"trap"' 656)"
compare
has "a trap has no name there" '^  cpuid +656 +656 '
engine=kvm

document old.json "$(row cpuid identification ok '"none"' 656)"
document new.json "$(exits cpuid 900)"
compare
has "a new crossing is told" 'cpuid, kvm CPL 0: this instruction exits now'

engine=svm unit=instructions simulated=true
document old.json "$(exits cpuid 2771)"
document new.json "$(exits cpuid 2811)"
compare
has "instructions of a lab" '^  cpuid +cpuid +2771 +2811 +\+40 +any$'
engine=kvm unit=ns simulated=false

# Nothing in a result breaks out of its line.
long=$(printf '%0300d' 0 | tr 0 x)
hostile='#\n\u001b[2J\u202e '$long' # `$(reboot)`'
host="{\"cpu\":{\"brand\":\"$hostile\"},\"system\":{\"kernel\":\"$hostile\",\"microcode\":\"$hostile\"},\"mitigations\":{\"# \u001b x\":\"$hostile\"},\"kvm\":{\"backend\":\"$hostile\"}}"
document old.json "$(exits "$hostile" 656)"
document new.json "$(exits "$hostile" 656)"
compare
is "hostile texts" 0
lacks "... begin no line with a comment" '^#'
lacks "... reach no terminal" "$(printf '\033')"
holds "... break no line" test "$(wc -L <"$work/out")" -le 72
run "$VMTOLL" compare "$work/old.json" "$work/new.json" --output "$work/message.commit"
holds "the ending chooses the format" grep -q '^SEES: ' "$work/message.commit"
finish
