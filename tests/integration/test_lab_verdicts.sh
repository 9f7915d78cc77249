#!/bin/sh
# What a lab makes of the counters that an image sends: each crossing, and each contradiction.
# beside others
. "$(dirname "$0")/tap.sh"

command -v jq >/dev/null 2>&1 || skip_all "jq is missing: apt-get install jq"
mkdir "$work/tmp" "$work/bin"
export TMPDIR="$work/tmp"

# Stands for the emulator: an image that says one row, of seven pairs of a hundred operations.
fake() { # case, form, counters
    # shellcheck disable=SC2016
    plain=
    [ "$2" = plain ] || plain="@row $1 plain ok 100 50200 200 50200 200 50200 200 50200 200 50200 200 50200 200 50200 200"
    printf '#!/bin/sh\n[ "$1" = --version ] && exec echo "QEMU emulator version 0"\nprintf "%%s\\n" "%s" "%s" @end >link\nexec sleep 60\n' \
        "@row $1 $2 ok 100 50200 200 50200 200 50200 200 50200 200 50200 200 50200 200 50200 200$3" "$plain" >"$work/bin/qemu-system-x86_64"
    chmod +x "$work/bin/qemu-system-x86_64"
}

verdict() { # name, case, form, counters, crossing status, reason
    fake "$2" "$3" "$4"
    run env PATH="$work/bin:$PATH" "$VMTOLL" lab tcg --quiet --case "$2" --output "$work/result.json"
    got=$(jq -r '.measurements[0] | "\(.crossing) \(.status)"' "$work/result.json" 2>/dev/null)
    why=$(jq -r '.measurements[0].reason // ""' "$work/result.json" 2>/dev/null)
    if [ "$got" = "$5" ] && echo "$why" | grep -q "$6"; then
        pass "$1"
    else
        fail "$1" "got '$got', '$why'"
    fi
    rm -f "$work/result.json"
}

verdict "a trapped instruction" mov-from-cr0 plain " : exits 700 0 hypercalls 0 0 irq_exits 0 0 insn_emulation 700 0" "exit-kernel ok" "^$"
verdict "an instruction that nobody saw" sgdt plain " : exits 0 0 hypercalls 0 0 irq_exits 0 0" "none ok" "^$"
verdict "interrupts are not the instruction's" sgdt plain " : exits 90 0 hypercalls 0 0 irq_exits 90 0" "none ok" "^$"
verdict "every other one exits" sgdt plain " : exits 350 0 hypercalls 0 0 irq_exits 0 0" "null unverified" "0.50 exits per operation: neither one nor none"
verdict "what baseline and body share is not counted" sgdt plain " : exits 1400 1400 hypercalls 0 0 irq_exits 0 0" "none ok" "^$"
verdict "a form that calls" clts paravirtual " : honoured 700 0 exits 700 0 hypercalls 700 0 irq_exits 0 0" "hypercall ok" "^$"
verdict "a form that calls twice" clts paravirtual " : honoured 700 0 exits 1400 0 hypercalls 1400 0 irq_exits 0 0" "hypercall unverified" "2.00 hypercalls per operation"
verdict "a form whose handler returns by a call" x2apic-self-ipi paravirtual " : honoured 700 0 exits 1400 0 hypercalls 1400 0 irq_exits 0 0" "hypercall ok" "^$"
verdict "a form that does not call" clts paravirtual " : honoured 700 0 exits 0 0 hypercalls 0 0 irq_exits 0 0" "none unverified" "0.00 hypercalls per operation"
verdict "a form of memory that exits" sti paravirtual " : honoured 700 0 exits 700 0 hypercalls 0 0 irq_exits 0 0" "exit-kernel unverified" "where shared memory needs none"
verdict "a form without effect" clts paravirtual " : honoured 0 0 exits 700 0 hypercalls 700 0 irq_exits 0 0" "hypercall unverified" "not seen to honour it"
fake mov-from-cr0 plain " : exists 700 0"
run env PATH="$work/bin:$PATH" "$VMTOLL" lab tcg --quiet
refuses "a counter of no known name" 4 "makes no sense"
fake mov-from-cr0 plain " : exits 700"
run env PATH="$work/bin:$PATH" "$VMTOLL" lab tcg --quiet
refuses "a counter without its baseline" 4 "makes no sense"
holds "nothing temporary is left behind" test -z "$(ls "$TMPDIR")"
finish
