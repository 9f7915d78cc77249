#!/bin/sh
# What vmtoll says of a dump is what the independent program `cpuid` says of it.
# VMTOLL_DUMPS=FOLDER adds the dumps (cpuid -r text) of a folder.
# beside others
. "$(dirname "$0")/tap.sh"

data=$(dirname "$0")/../data/cpuid
command -v cpuid >/dev/null 2>&1 || skip_all "the program cpuid is not installed"
command -v jq >/dev/null 2>&1 || skip_all "jq is not installed"

# Section of cpuid's output (as its start), its words, the key of the probe document.
cat >"$work/table" <<'EOF'
feature information (1/ecx)|VMX: virtual machine extensions|vt_x.supported
feature information (1/ecx)|hypervisor guest status|hypervisor.present
feature information (1/edx)|TSC: time stamp counter|deprivileging.tsd
extended feature flags (7)|UMIP: user-mode instruction prevention|deprivileging.umip
AMD feature flags (0x80000001/ecx)|SVM: secure virtual machine|amd_v.supported
Advanced Power Management Features (0x80000007/edx)|TscInvariant|timing.invariant_tsc
SVM Secure Virtual Machine (0x8000000a/edx)|nested paging|amd_v.features.np
SVM Secure Virtual Machine (0x8000000a/edx)|LBR virtualization|amd_v.features.lbrv
SVM Secure Virtual Machine (0x8000000a/edx)|SVM lock|amd_v.features.svm_lock
SVM Secure Virtual Machine (0x8000000a/edx)|NRIP save|amd_v.features.nrips
SVM Secure Virtual Machine (0x8000000a/edx)|MSR based TSC rate control|amd_v.features.tsc_scale
SVM Secure Virtual Machine (0x8000000a/edx)|VMCB clean bits support|amd_v.features.vmcb_clean
SVM Secure Virtual Machine (0x8000000a/edx)|flush by ASID|amd_v.features.flush_by_asid
SVM Secure Virtual Machine (0x8000000a/edx)|decode assists|amd_v.features.decode_assists
SVM Secure Virtual Machine (0x8000000a/edx)|pause intercept filter|amd_v.features.pause_filter
SVM Secure Virtual Machine (0x8000000a/edx)|pause filter threshold|amd_v.features.pause_filter_threshold
SVM Secure Virtual Machine (0x8000000a/edx)|AVIC: AMD virtual interrupt controller|amd_v.features.avic
SVM Secure Virtual Machine (0x8000000a/edx)|virtualized VMLOAD/VMSAVE|amd_v.features.v_vmsave_vmload
SVM Secure Virtual Machine (0x8000000a/edx)|virtualized global interrupt flag (GIF)|amd_v.features.vgif
SVM Secure Virtual Machine (0x8000000a/edx)|GMET: guest mode execute trap|amd_v.features.gmet
SVM Secure Virtual Machine (0x8000000a/edx)|X2AVIC: virtualized X2APIC|amd_v.features.x2avic
SVM Secure Virtual Machine (0x8000000a/edx)|supervisor shadow stack|amd_v.features.sss
SVM Secure Virtual Machine (0x8000000a/edx)|guest Spec_ctl support|amd_v.features.spec_ctrl
SVM Secure Virtual Machine (0x8000000a/edx)|ROGPT: read-only guest page table|amd_v.features.rogpt
SVM Secure Virtual Machine (0x8000000a/edx)|host MCE override|amd_v.features.hmcet
SVM Secure Virtual Machine (0x8000000a/edx)|INVLPGB/TLBSYNC hyperv interc enable|amd_v.features.tlbictl
SVM Secure Virtual Machine (0x8000000a/edx)|VNMI: NMI virtualization|amd_v.features.vnmi
SVM Secure Virtual Machine (0x8000000a/edx)|IBS virtualization|amd_v.features.ibs_virt
AMD Secure Encryption (0x8000001f)|SME: secure memory encryption support|amd_v.features.sme
AMD Secure Encryption (0x8000001f)|SEV: secure encrypted virtualize support|amd_v.features.sev
AMD Secure Encryption (0x8000001f)|SEV-ES: SEV encrypted state support|amd_v.features.sev_es
AMD Secure Encryption (0x8000001f)|SEV-SNP: SEV secure nested paging|amd_v.features.sev_snp
EOF

# "key value" of the first processor, as cpuid decodes it
expected() { # dump
    cpuid -f "$1" 2>/dev/null | awk -F'|' -v table="$work/table" '
        BEGIN { while ((getline line < table) > 0) { split(line, f, "|"); section[++n] = f[1]; words[n] = f[2]; key[n] = f[3] } }
        /^CPU/ && seen++ { exit }
        /^   [^ ]/ { current = substr($0, 4); basic = index(current, "version information (1/eax)") == 1 }
        {
            equals = index($0, " = ")
            if (!equals) next
            label = substr($0, 1, equals - 1); value = substr($0, equals + 3)
            gsub(/^ +| +$/, "", label)
            for (i = 1; i <= n; i++)
                if (label == words[i] && index(current, section[i]) == 1) print key[i], value
            if (basic && label == "(family synth)") { sub(/.*\(/, "", value); sub(/\).*/, "", value); print "cpu.family", value }
            if (basic && label == "(model synth)") { sub(/.*\(/, "", value); sub(/\).*/, "", value); print "cpu.model", value }
            if (label == "vendor_id") { gsub(/"/, "", value); print "cpu.vendor", value }
        }' | sort -u
}

# The same keys, as vmtoll has them
actual() { # probe document, keys
    jq -r --rawfile keys "$2" '. as $d | $keys | split("\n")[] | select(. != "") | . as $k |
        "\($k) \($d | getpath($k | split(".")))"' "$1"
}

check_dump() { # dump
    name=$(basename "$1")
    run "$VMTOLL" probe --json --from-cpuid "$1"
    if [ "$status" -ne 0 ]; then
        fail "$name is decoded" "ended with status $status"
        return
    fi
    expected "$1" >"$work/expected"
    cut -d' ' -f1 "$work/expected" >"$work/keys"
    actual "$work/out" "$work/keys" >"$work/actual"
    if [ "$(wc -l <"$work/expected")" -lt 6 ]; then
        fail "$name: as cpuid says" "cpuid tells too little of it"
    elif diff "$work/expected" "$work/actual" >"$work/out"; then
        pass "$name: as cpuid says"
    else
        fail "$name: as cpuid says" "< cpuid, > vmtoll"
    fi
}

for dump in "$data"/*.txt ${VMTOLL_DUMPS:+"$VMTOLL_DUMPS"/*.txt}; do
    # cpuid reads registers that the first VIA processors leave undefined.
    case $dump in */composed-via-samuel.txt) continue ;; esac
    check_dump "$dump"
done

finish
