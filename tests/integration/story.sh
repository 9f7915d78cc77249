# shellcheck shell=sh
# Sourced behind result.sh by tests that need what the story tells of:
#
#     story_document r.json 1084      every road of the story; the number is the toll of the trapped mov-to-cr3

: "${work:?result.sh comes first}"

# shellcheck disable=SC2034 # row takes them
on() { # engine, path, CPL, unit, simulated
    engine=$1 path=$2 cpl=$3 unit=$4 simulated=$5
}

story_rows() { # toll of the trapped mov-to-cr3
    on trap emulated 0 ns false
    told=$(row mov-to-cr3 control-register ok '"trap"' "$1")
    for name in mov-from-cr0 cli out-kernel rdmsr-kernel; do told="$told,$(row "$name" class ok '"trap"' 1070)"; done
    told="$told,$(row popf flags ok '"none"' 6),$(row cpuid class ok '"trap"' 7280),$(row int-n class ok '"trap"' 8670)"
    on translate translated 0 ns false
    for name in mov-to-cr3 mov-from-cr0 cli popf; do told="$told,$(row "$name" class ok '"inline"' 2)"; done
    told="$told,$(row out-kernel port-io ok '"callout"' 18),$(row rdmsr-kernel msr ok '"callout"' 29)"
    on kvm hardware 0 ns false
    for name in mov-to-cr3 mov-from-cr0 cli popf; do told="$told,$(row "$name" class ok '"none"' 3)"; done
    told="$told,$(row cpuid class ok '"exit-kernel"' 1450),$(row out-kernel class ok '"exit-kernel"' 1900),$(row rdmsr-kernel msr ok '"exit-kernel"' 1500),$(row out-user class ok '"exit-user"' 4100)"
    on xen-pv emulated 3 instructions true
    told="$told,$(row mov-to-cr3 class ok '"exit-kernel"' 1569),$(row cli class ok '"exit-kernel"' 790),$(row cpuid class ok '"none"' 1),$(row rdmsr-kernel msr ok '"exit-kernel"' 1175),$(row out-kernel port-io ok '"exit-kernel"' 1364)"
    on xen-pv paravirtual 0 instructions true
    told="$told,$(row mov-to-cr3 class ok '"hypercall"' 603),$(row cli class ok '"none"' 1),$(row rdmsr-kernel msr ok '"hypercall"' 423),$(row vmcall hypercall ok '"hypercall"' 275)"
    on svm hardware 0 instructions true
    told="$told,$(row mov-to-cr3 class ok '"none"' 1),$(row cli class ok '"none"' 1),$(row cpuid class ok '"exit-kernel"' 1176),$(row rdmsr-kernel msr ok '"exit-kernel"' 1252),$(row out-kernel port-io ok '"exit-kernel"' 2340),$(row out-user class ok '"exit-user"' 3106)"
    told="$told,$(row write-pte memory ok '"none"' 1)"
    told="$told,$(row vmrun-as-kvm class ok '"exit-kernel"' 26310)"
    for deep in 'cpuid 13067 exit-kernel 6' 'rdmsr-kernel 14120 exit-kernel 6' 'vmrun-as-kvm 194378 exit-kernel 36'; do
        # shellcheck disable=SC2086
        set -- "$1" $deep
        told="$told,$(row "$2" class ok "\"$4\"" "$3" | sed "s/\"cpl\":/\"depth\":2,\"outer_exits\":$5,\"cpl\":/")"
    done
    on kvm hardware 0 ns false
    echo "$told"
}

account='{"cases":[{"case":"mov-to-cr3","instructions":[{"text":"mov cr3, rax","bytes":"0f 22 d8","copied":false,"host":[{"text":"mov [0x1000], rcx","bytes":"48 89"},{"text":"<b>not markup</b>","bytes":"90"}]},{"text":"dec r10","bytes":"49 ff ca","copied":true,"host":[{"text":"dec r10","bytes":"49 ff ca"}]}]}],"cost":{"instructions":100,"blocks":3,"guest_bytes":400,"host_bytes":1000,"ns":7300}}'

story_document() { # file, toll
    document "$1" "$(story_rows "$2")"
    sed -i "s|\"settings\":null|\"settings\":null,\"translation\":$account|" "$work/$1"
}
