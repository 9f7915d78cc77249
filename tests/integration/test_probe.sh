#!/bin/sh
# vmtoll probe: this machine, dumps of others, requirements, bad input.
# beside others
. "$(dirname "$0")/tap.sh"

data=$(dirname "$0")/../data/cpuid

run "$VMTOLL" probe
is "probe succeeds" 0
has "the verdict comes first" '^Can I run hardware-accelerated VMs here\?$'
has "then the processor, KVM and who is outside" '^KVM  .'
holds "it fits one screen" test "$(wc -l <"$work/out")" -le 24
holds "of 80 columns" test "$(LC_ALL=C.UTF-8 awk 'length > 80' "$work/out" | wc -l)" -eq 0
holds "nothing on standard error" test ! -s "$work/err"
lacks "no colour in a pipe" "$(printf '\033')"

run "$VMTOLL" probe --all
is "probe --all succeeds" 0
has "it has the evidence" '^Confidential computing$'
has "and the verdicts" '^Am I in a VM\?$'

run "$VMTOLL" probe --json
is "probe --json succeeds" 0
cp "$work/out" "$work/machine.json"

run "$VMTOLL" probe --json --anonymous
is "probe --anonymous succeeds" 0
cp "$work/out" "$work/anonymous.json"

run env NO_COLOR=1 "$VMTOLL" probe
lacks "no colour with NO_COLOR" "$(printf '\033')"

json() { # name, jq filter that must be true, document
    if ! command -v jq >/dev/null 2>&1; then
        skip "$1" "jq is not installed"
    elif jq -e "$2" "$3" >"$work/log" 2>&1; then
        pass "$1"
    else
        fail "$1" "not true: $2"
    fi
}

json "the schema is named" '.schema == "vmtoll.probe/1"' "$work/machine.json"
json "all sections are there" '[.cpu, .vt_x, .amd_v, .kvm, .hypervisor, .deprivileging, .timing, .verdict] | all(type == "object")' "$work/machine.json"
json "a backend has one of its names" '.kvm.backend | IN("vmx", "svm", "pvm", "unknown")' "$work/machine.json"
json "a privilege level has one of its answers" '[.kvm.cpl0 // .unknown["kvm.cpl0"], .kvm.cpl3 // .unknown["kvm.cpl3"]] | all(length > 0)' "$work/machine.json"
json "hardware is claimed only of VMX and SVM" '(.kvm.cpl0 != "hardware" and .kvm.cpl3 != "hardware") or (.kvm.backend | IN("vmx", "svm"))' "$work/machine.json"
json "kvm that runs is accessible" '(.kvm.runs_guest | not) or (.kvm.accessible and .kvm.creates_vm and (.kvm.capabilities | length > 100))' "$work/machine.json"
json "kvm that does not run has a reason" '.kvm.runs_guest or (.kvm.reason | length > 0)' "$work/machine.json"
json "the TSC rate is plausible" '.timing.tsc_khz | . > 100000 and . < 20000000' "$work/machine.json"
json "what the kernel says of the family is said" "(.cpu.family | tostring) == \"$(sed -n 's/^cpu family[^:]*: //p' /proc/cpuinfo | head -n 1)\"" "$work/machine.json"

json "the machine's name is told" "(.system.hostname == \"$(uname -n)\") or .unknown[\"system.hostname\"]" "$work/machine.json"
json "and left out on request" '.system.hostname == null and (.unknown["system.hostname"] | test("on request")) and (.evidence | has("system.hostname") | not)' "$work/anonymous.json"

# The keys of a document are those of its JSON schema.
keys() { # document
    jq --slurpfile schema "$(dirname "$0")/../../docs/schema/probe.schema.json" '
        def check($s; $at):
            if type == "object" and ($s | has("properties")) then
                (. as $o | ($s.required // [])[] | select(in($o) | not) | "\($at).\(.) is missing"),
                (to_entries[] | . as $e | if $s.properties | has($e.key)
                    then $e.value | check($s.properties[$e.key]; "\($at).\($e.key)")
                    elif $s.additionalProperties == false then "\($at).\($e.key) is not in the schema" else empty end)
            else
                (type as $t | (if . == null then "null" elif $t == "number" then "integer" else $t end) as $n
                 | ($s.type | if type == "array" then . else [.] end) as $types
                 | if ($types[0] == null) or ($types | index($n)) then empty else "\($at) is \($n)" end)
            end;
        [check($schema[0]; "")] | if . == [] then true else ., false end' "$1"
}

schema() { # name, document
    if ! command -v jq >/dev/null 2>&1; then
        skip "$1" "jq is not installed"
    elif keys "$2" >"$work/log" 2>&1 && grep -qx true "$work/log"; then
        pass "$1"
    else
        cp "$work/log" "$work/out"
        fail "$1" "it differs from docs/schema/probe.schema.json"
    fi
}

schema "the machine's document follows its schema" "$work/machine.json"

for dump in "$data"/*.txt "$data"/*.raw; do
    run "$VMTOLL" probe --json --from-cpuid "$dump"
    is "$(basename "$dump") is decoded" 0
    schema "$(basename "$dump") gives a document of the schema" "$work/out"
done

forms=$(dirname "$0")/../data/dumps
"$VMTOLL" probe --json --from-cpuid "$forms/reference.txt" >"$work/reference.json"
json "the reference of all forms is decoded" '.cpu.family == 6 and .cpu.model == 85 and .cpu.stepping == 7 and .vt_x.supported and .dump.processors == 2' "$work/reference.json"
for form in "$forms"/*.*; do
    run "$VMTOLL" probe --json --from-cpuid "$form"
    is "$(basename "$form") is decoded" 0
    schema "$(basename "$form") gives a document of the schema" "$work/out"
    grep -v '"form": ' "$work/out" >"$work/form.json"
    grep -v '"form": ' "$work/reference.json" | diff - "$work/form.json" >"$work/out"
    holds "$(basename "$form") says what the reference says" test ! -s "$work/out"
done

# libcpuid's raw format, passed on
"$VMTOLL" probe --json --from-cpuid "$data/cloud-guest-kvm.raw" >"$work/a"
{ printf 'He wrote:\n'; sed 's/^/> > /' "$data/cloud-guest-kvm.raw"; printf '> > \n> Thanks.\n'; } >"$work/quoted"
{ printf '\377\376'; sed 's/$/\r/' "$data/cloud-guest-kvm.raw" | iconv -f ASCII -t UTF-16LE; } >"$work/wide"
{ printf '```\n'; cat "$data/cloud-guest-kvm.raw"; printf '```\n'; } | gzip >"$work/packed"
for passed in quoted wide packed; do
    "$VMTOLL" probe --json --from-cpuid "$work/$passed" >"$work/b" 2>&1
    holds "libcpuid's raw format, $passed" cmp "$work/a" "$work/b"
done

# Leaves that the processor does not announce
sed 's/0x80000000 0x00: eax=0x80000004/0x80000000 0x00: eax=0x80000003/' "$forms/reference.txt" >"$work/above"
"$VMTOLL" probe --json --from-cpuid "$work/above" >"$work/dump.json"
json "leaves above the announced maximum are not taken as announced" '.cpu.brand == null' "$work/dump.json"
json "and noted with their line" '.dump.notes == ["line 13: leaf 0x80000004 above 0x80000003, the last one that line 9 announces: taken as not announced"]' "$work/dump.json"
run "$VMTOLL" probe --from-cpuid "$work/above"
is "the text is printed too" 0
has "with the note" '^  note +line 13: leaf 0x80000004 above'

guest() { # dump, vendor, signature, features that must be named
    "$VMTOLL" probe --json --from-cpuid "$data/$1" >"$work/dump.json"
    json "$1: the hypervisor is $2" ".hypervisor.present and .hypervisor.vendor == \"$2\" and .hypervisor.signature == \"$3\"" "$work/dump.json"
    json "$1: its features have names" "$4 - .hypervisor.features == []" "$work/dump.json"
}

guest cloud-guest-kvm.txt KVM KVMKVMKVM '["KVM:steal_time"]'
guest composed-guest-hyper-v.txt Hyper-V "Microsoft Hv" '["Hyper-V:reference_tsc"]'
sed 's/0x4000000a 0x00: eax=0x00000000/0x4000000a 0x00: eax=0x000e0101/' "$data/composed-guest-hyper-v.txt" >"$work/nesting.txt"
"$VMTOLL" probe --json --from-cpuid "$work/nesting.txt" >"$work/dump.json"
json "Hyper-V's offers to a guest that is a hypervisor" '.hypervisor.enlightened_vmcs == 1 and (["Hyper-V:direct_flush", "Hyper-V:flush_guest_physical", "Hyper-V:enlightened_msr_bitmap"] - .hypervisor.features == [])' "$work/dump.json"
"$VMTOLL" probe --json --from-cpuid "$data/composed-guest-hyper-v.txt" >"$work/dump.json"
json "and where there are none" '.hypervisor.enlightened_vmcs == 0 and ([.hypervisor.features[] | select(test("flush_guest|direct_flush|enlightened_msr"))] == [])' "$work/dump.json"
guest composed-guest-xen.txt Xen XenVMMXenVMM '["Xen:host_tsc_reliable"]'
guest composed-guest-vmware.txt VMware VMwareVMware '[]'
guest composed-guest-virtualbox.txt VirtualBox VBoxVBoxVBox '[]'
guest composed-guest-kvm-behind-hyper-v.txt KVM KVMKVMKVM '["KVM:steal_time", "Hyper-V:vp_index"]'
guest composed-guest-xen-behind-hyper-v.txt Xen XenVMMXenVMM '["Hyper-V:vp_index"]'
guest qemu-tcg-max.txt "QEMU TCG" TCGTCGTCGTCG '[]'
guest composed-guest-kvm-renamed.txt KVM KVMKVMKVM '["KVM:steal_time", "Hyper-V:vp_index"]'
guest composed-root-hyper-v.txt Hyper-V "Microsoft Hv" '["Hyper-V:create_partitions"]'
json "the host's own system is no guest" '.hypervisor.control_domain and ([.verdict[] | .text, .fix // ""] | join("\n") | test("used by Hyper-V.*root partition, the host.s own system") and (test("guest of|does not pass|passes neither") | not))' "$work/dump.json"
guest composed-service-vm-acrn.txt ACRN ACRNACRNACRN '[]'
json "nor is ACRN's" '.hypervisor.control_domain and (.verdict.obstacle.text | test("used by ACRN"))' "$work/dump.json"
guest composed-guest-tdx-paravisor.txt Hyper-V "Microsoft Hv" '["Hyper-V:isolation"]'
json "a trust domain behind a paravisor" '.confidential.tdx_guest and .confidential.paravisor and .confidential.guest == "tdx" and (.verdict.hardware_vms.fix | test("nested") | not)' "$work/dump.json"
guest composed-guest-snp-paravisor.txt Hyper-V "Microsoft Hv" '["Hyper-V:isolation"]'
json "an SNP guest behind one" '.confidential.sev_guest and .confidential.paravisor and .confidential.guest == "sev-snp" and .confidential.tdx_guest == false' "$work/dump.json"
run "$VMTOLL" probe --from-cpuid "$data/bochs-amd-ryzen.txt" --require bare-metal
is "a dump that announces no hypervisor proves no bare metal" 1
has "it says so" '^bare-metal: unknown, because CPUID 0x1 ECX\[31\] = 0, and a hypervisor that does not announce itself'

"$VMTOLL" probe --json --from-cpuid "$data/bochs-intel-core-2.txt" >"$work/dump.json"
json "VT-x is known from CPUID, its features are not" '.vt_x.supported and .vt_x.features.ept == null and .unknown["vt_x.features.ept"] and .vt_x.reason' "$work/dump.json"
json "what needs the machine is null" '[.kvm.device, .kvm.cpl0, .timing.governor, .system.kernel] | all(. == null)' "$work/dump.json"
"$VMTOLL" probe --json --from-cpuid "$data/composed-intel-hybrid.txt" >"$work/dump.json"
json "core types of a hybrid processor are told apart" '.cpu.core_types | map([.type, (.cpus | length)]) == [["core", 2], ["atom", 2]]' "$work/dump.json"
"$VMTOLL" probe --json --from-cpuid "$data/composed-via-samuel.txt" >"$work/dump.json"
json "undefined registers are not read" '(.hypervisor.present or .amd_v.supported or .vt_x.supported) | not' "$work/dump.json"
"$VMTOLL" probe --json --from-cpuid "$data/qemu-kvm-haswell.txt" >"$work/dump.json"
json "the hypervisor's leaf gives the TSC rate" '.timing.tsc_khz == 2596140' "$work/dump.json"
"$VMTOLL" probe --json --from-cpuid "$data/bochs-intel-tiger-lake.txt" >"$work/dump.json"
json "crystal and ratio give the TSC rate" '.timing.tsc_khz == 2419200' "$work/dump.json"

"$VMTOLL" probe --json --from-cpuid "$data/cloud-guest-kvm.txt" | grep -v '"hypervisor\|KVM' >"$work/a"
run "$VMTOLL" probe --from-cpuid - <"$data/cloud-guest-kvm.txt"
refuses "standard input that is empty" 2 "'standard input', line 1"

bad() { # name, expression
    run "$VMTOLL" probe --from-cpuid "$work/bad"
    refuses "$1" 2 "$2"
}

: >"$work/bad"; bad "an empty file" "line 1"
head -c 2000 /bin/sh >"$work/bad"; bad "a binary file" "line [0-9]+: binary"
for bytes in 3 100 1000 4444; do
    head -c "$bytes" "$data/bochs-amd-ryzen.txt" >"$work/bad"
    bad "a dump of $bytes bytes" "line [0-9]+: "
done
for lines in 1 2 10 31 40 55; do
    head -n "$lines" "$data/bochs-amd-ryzen.txt" >"$work/bad"
    bad "a dump of $lines lines" "line $lines: cut off"
done
cat "$data/bochs-amd-ryzen.txt" "$data/bochs-amd-ryzen.txt" >"$work/bad"; bad "two dumps in one" "twice"
sed 's/^CPU 0:$//' "$data/bochs-amd-ryzen.txt" | cat - "$data/bochs-amd-fx.txt" | sed 's/^CPU 0:$//' >"$work/bad"
bad "two dumps without headings" "contradicts line"
tr -d '\n' <"$data/bochs-amd-ryzen.txt" >"$work/bad"; bad "a line that never ends" "line 1: the line is longer"
# What people take for a dump: the answer says what it is and what to do.
if command -v cpuid >/dev/null 2>&1; then
    cpuid -f "$data/bochs-amd-ryzen.txt" >"$work/bad" 2>/dev/null; bad "what cpuid decoded" "line [0-9]+: what cpuid decoded.*cpuid -r >FILE"
fi
if [ -r /proc/cpuinfo ]; then
    cp /proc/cpuinfo "$work/bad"; bad "/proc/cpuinfo" "line [0-9]+: /proc/cpuinfo, which has no registers.*cpuid -r >FILE"
fi
cp "$work/machine.json" "$work/bad"; bad "a document of vmtoll" "line [0-9]+: a document of vmtoll"
printf 'version https://git-lfs.github.com/spec/v1\noid sha256:0\n' >"$work/bad"; bad "a pointer of Git LFS" "line 1: .*git lfs pull"
printf '00:00:01.6 Raw Standard CPUID Leaves\n00:00:01.6 Gst: 00000000/0000  00000016 756e6547 6c65746e 49656e69\n' >"$work/bad"
bad "VirtualBox's log" "line 1: VirtualBox's log.*cpuid -r >FILE"
printf '{\n"cpuid_modifiers": [\n{ "leaf": "0x0", "subleaf": "0x0", "flags": 0 }]}\n' >"$work/bad"
bad "a template of Firecracker" "line 2: a CPU template of Firecracker.*cpuid -r >FILE"
printf '(\265/\375x' >"$work/bad"; bad "a file packed by zstd" "line 1: .*zstd -dc"
gzip -c "$data/bochs-amd-ryzen.txt" | head -c 300 >"$work/bad"; bad "a packed file that is cut off" "line 1: compressed, and .* damaged or cut off"
head -c 40000000 /dev/zero | gzip >"$work/bad"; bad "a packed file without end" "line 1: compressed, and larger"
gzip -c "$data/cloud-guest-kvm.txt" >"$work/dump.gz"
"$VMTOLL" probe --json --from-cpuid - <"$work/dump.gz" >"$work/dump.json"
json "a packed dump through standard input" '.dump.form == "cpuid -r"' "$work/dump.json"
run "$VMTOLL" probe --from-cpuid "$work/none"
refuses "a missing file" 2 "No such file"
run "$VMTOLL" probe --from-cpuid "$work"
refuses "a folder" 2 "Is a directory"
run "$VMTOLL" probe --from-cpuid /dev/zero
refuses "a file without end" 2 "larger than"

run "$VMTOLL" probe --from-cpuid "$data/bochs-amd-ryzen.txt" --require amd-v,npt
is "requirements that are met" 0
has "each is answered with its evidence" '^npt: yes: CPUID 0x8000000a EDX'
run "$VMTOLL" probe --from-cpuid "$data/bochs-amd-ryzen.txt" --require amd-v,avic
is "a requirement that is not met" 1
has "it is named" '^avic: no: '
run "$VMTOLL" probe --from-cpuid "$data/bochs-intel-core-2.txt" --require ept
is "a requirement that cannot be known" 1
has "the reason is given" '^ept: unknown, because '
run "$VMTOLL" probe --from-cpuid "$data/bochs-amd-ryzen.txt" --json --require npt
is "requirements in JSON" 0
cp "$work/out" "$work/dump.json"
json "are part of the document" '.required.npt.answer == "yes"' "$work/dump.json"
run "$VMTOLL" probe --require kvm-hardwar
refuses "a misspelt capability" 2 "did you mean 'kvm-hardware'"
run "$VMTOLL" probe --require vt-x,
refuses "an empty capability" 2 "unknown capability ''"

# Without a name service, other rights, or a device.
if can_be_nobody && [ -e /dev/kvm ] && program=$(open_program); then
    run as_nobody "$program" probe --json
    is "probe works without rights" 0
    if as_nobody test -w /dev/kvm; then
        skip "no permission is told from no device" "/dev/kvm is open to all here"
    else
        cp "$work/out" "$work/dump.json"
        json "no permission is told from no device" '.kvm.device and (.kvm.accessible | not) and .kvm.obstacle == "no-permission" and (.kvm.fix | length > 0)' "$work/dump.json"
    fi
else
    skip "probe works without rights" "needs root, setpriv, /dev/kvm, and a temporary folder that is open to all"
fi
if [ -e /dev/kvm ] && unshare -m sh -c 'mount -t tmpfs none /dev' 2>/dev/null; then
    run unshare -m sh -c 'mount -t tmpfs none /dev && exec "$0" probe --json' "$VMTOLL"
    is "probe works without /dev/kvm" 0
    cp "$work/out" "$work/dump.json"
    json "a missing device is told, with a fix" '(.kvm.device | not) and .kvm.cpl0 == "unavailable" and (.kvm.reason | length > 0) and (.kvm.obstacle | length > 0)' "$work/dump.json"
    run unshare -m sh -c 'mount --bind /dev/null /dev/kvm && exec "$0" probe --json' "$VMTOLL"
    is "probe works where /dev/kvm is something else" 0
    cp "$work/out" "$work/dump.json"
    json "which is told" '.kvm.api_version == null and .kvm.creates_vm == false and .kvm.obstacle == "not-kvm"' "$work/dump.json"
else
    skip "probe works without /dev/kvm" "mount namespaces are not allowed here"
fi

# What the kernel says of the outside, put in the place of what it says here.
stage=$work/stage
mkdir -p "$stage/sys/hypervisor/properties" "$stage/sys/class/dmi/id"
staged() { # command...
    # shellcheck disable=SC2016
    unshare -m sh -c 'mount --rbind "$0/sys" /sys && { [ ! -e "$0/cpuinfo" ] || mount --bind "$0/cpuinfo" /proc/cpuinfo; } &&
        { [ ! -e "$0/osrelease" ] || mount --bind "$0/osrelease" /proc/sys/kernel/osrelease; } && exec "$@"' "$stage" "$@"
}
printf 'innotek GmbH\n' >"$stage/sys/class/dmi/id/sys_vendor"
printf 'VirtualBox\n' >"$stage/sys/class/dmi/id/product_name"
if staged true 2>/dev/null; then
    run staged "$VMTOLL" probe --json
    is "probe works with another /sys" 0
    cp "$work/out" "$work/dump.json"
    json "DMI reaches the document" '.hypervisor.present and .hypervisor.bare_metal == false and .system.machine == "innotek GmbH VirtualBox"' "$work/dump.json"
    json "KVM's signature with that DMI is VirtualBox's" '(.hypervisor.signature != "KVMKVMKVM") or .hypervisor.vendor == "VirtualBox"' "$work/dump.json"
    printf 'xen\n' >"$stage/sys/hypervisor/type"
    printf '00002f05\n' >"$stage/sys/hypervisor/properties/features"
    run staged "$VMTOLL" probe --json
    cp "$work/out" "$work/dump.json"
    json "the kernel's word does too" '.hypervisor.kernel_type == "xen" and .verdict.inside_vm.answer == "yes"' "$work/dump.json"
    json "this is Xen's dom0, whatever CPUID names further outside" '.hypervisor.vendor == "Xen" and .hypervisor.control_domain and (.verdict.inside_vm.text | test("under Xen, in its dom0: the host.s own system"))' "$work/dump.json"
    run staged "$VMTOLL" probe --require hypervisor
    is "--require hypervisor is met" 0
    run staged "$VMTOLL" probe --require bare-metal
    is "--require bare-metal is not" 1
    if jq -e '.vt_x.supported or .amd_v.supported' "$work/machine.json" >/dev/null 2>&1; then
        printf 'flags\t\t: fpu hypervisor\n' >"$stage/cpuinfo"
        run staged "$VMTOLL" probe
        lacks "no firmware is blamed with a hypervisor outside" 'firmware switched'
    else
        skip "no firmware is blamed with a hypervisor outside" "CPUID shows neither VT-x nor AMD-V here"
    fi
else
    skip "probe works with another /sys" "mount namespaces are not allowed here"
fi

finish
