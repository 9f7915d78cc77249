#!/bin/sh
# vmtoll bench: what it measures, how it proves it, how it ends.
. "$(dirname "$0")/tap.sh"

# One column of the rows of a result that match case, engine and CPL, from the CSV report.
field() { # file, column, case, engine, cpl
    "$VMTOLL" report "$1" --format csv | awk -F, -v column="$2" -v name="$3" -v engine="$4" -v cpl="$5" '
        { sub(/\r$/, "") }
        FNR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
        $at["case"] == name && $at["engine"] == engine && $at["cpl"] == cpl { print $at[column] }'
}

between() { # name, value, low, high
    if awk -v v="$2" -v l="$3" -v h="$4" 'BEGIN { exit !(v != "" && v >= l && v <= h) }'; then
        pass "$1"
    else
        fail "$1" "'$2' is not within $3 and $4"
    fi
}

result=$work/result.json

# The text is about the figures; what stops virtualization here is vmtoll probe's, and in the document.
run "$VMTOLL" bench --case nop --engine native --budget 0.2
lacks "bench does not repeat probe" '(Can I run VMs at all|Does anything stop me|Can guests run VMs|Am I in a VM)'

# Bad command lines.
run "$VMTOLL" bench --case cpiud
refuses "a misspelt case" 2 "did you mean 'cpuid'"
run "$VMTOLL" bench --case 'nothing-*'
refuses "a pattern that matches nothing" 2 "unknown case 'nothing-\*'"
run "$VMTOLL" bench --case CPUID
refuses "a case in capitals" 2 "did you mean 'cpuid'"
run "$VMTOLL" bench --case 'Mov-*'
refuses "a pattern in capitals" 2 "did you mean 'mov-\*'"
run "$VMTOLL" bench --engine TRANSLATE
refuses "an engine in capitals" 2 "did you mean 'translate'"
run "$VMTOLL" bench --case ''
refuses "an empty case" 2 "empty word"
run "$VMTOLL" bench --engine kvn
refuses "a misspelt engine" 2 "did you mean 'kvm'"
run "$VMTOLL" bench --path nativ
refuses "a misspelt path" 2 "did you mean 'native'"
run "$VMTOLL" bench --cpl 1
refuses "a level that is not measured" 2 "unknown privilege level '1'"
for budget in 0 -1 nan inf 1e99 abc ''; do
    run "$VMTOLL" bench --budget "$budget"
    refuses "budget '$budget'" 2 "budget"
done
for cpu in 100000 -1 x 4294967296; do
    run "$VMTOLL" bench --cpu "$cpu"
    refuses "CPU '$cpu'" 2 "[Cc][Pp][Uu]"
done
run "$VMTOLL" bench surplus
refuses "a stray operand" 2 "surplus"

# A CPU outside the affinity mask.
allowed=$(sed -n 's/^Cpus_allowed_list:[^0-9]*//p' /proc/self/status)
first=${allowed%%[-,]*} last=${allowed##*[-,]}
if command -v taskset >/dev/null && [ "$first" != "$last" ]; then
    run taskset -c "$first" "$VMTOLL" bench --engine native --case empty --budget 0.1 --cpu "$last"
    refuses "a CPU outside the affinity mask" 2 "CPU $last"
else
    skip "a CPU outside the affinity mask" "one CPU, or no taskset"
fi

# Outputs that cannot be written are found before time is spent.
run "$VMTOLL" bench --engine native --case empty --budget 0.1 --output "$work/missing/result.json"
refuses "a missing folder" 3 "missing"
run "$VMTOLL" bench --engine native --case empty --budget 0.1 --quiet --output /dev/full
refuses "a full disk" 3 "/dev/full"
run sh -c '"$1" bench --engine native --case empty --budget 0.1 >/dev/full' sh "$VMTOLL"
is "a full standard output" 3

# Engine native needs nothing but a CPU.
run "$VMTOLL" bench --engine native --case 'empty,nop,rdtsc,cpuid' --budget 2 --output "$result"
is "native ends well" 0
has "the summary shows the case" '^ *rdtsc '
holds "nothing on standard error without a terminal" test ! -s "$work/err"
between "native empty costs at most a cycle" "$(field "$result" median_cycles empty native 3)" -1 1
between "native nop costs at most a cycle" "$(field "$result" median_cycles nop native 3)" -1 1
equals "native rdtsc crosses nothing" "$(field "$result" crossing rdtsc native 3)" none
equals "native is of path native" "$(field "$result" path rdtsc native 3)" native
run "$VMTOLL" bench --engine native --case hlt --cpl 3 --budget 0.5 --output "$result"
is "a case that cannot run is all that was asked for" 3
equals "and is unsupported" "$(field "$result" status hlt native 3)" unsupported
run "$VMTOLL" bench --engine native --case hlt,nop --cpl 3 --budget 0.5 --quiet
is "beside one that can, it is no failure" 0
run "$VMTOLL" bench --engine native --cpl 0 --budget 0.5
refuses "an engine without the level asked for" 3 "no engine"
# The same layout in every run, once the program has started itself again; where it may not, it says so.
if setarch -R true 2>/dev/null; then
    run "$VMTOLL" bench --engine native --case empty --budget 0.2 --quiet --output -
    has "the layout is the same in every run" '"fixed_layout": true'
    run env VMTOLL_STARTED_AGAIN=1 "$VMTOLL" bench --engine native --case empty --budget 0.2 --quiet --output -
    has "a second start that changed nothing is the last" '"fixed_layout": false'
else
    skip "the layout is the same in every run" "personality(2) may not be called here"
fi

run "$VMTOLL" bench --engine native --case empty --budget 0.2 --quiet --output -
is "the document goes to standard output" 0
has "and is a document" '"schema": *"vmtoll.result/1"'
if command -v readelf >/dev/null 2>&1; then
    id=$(readelf -n "$VMTOLL" 2>/dev/null | sed -n 's/.*Build ID: //p')
    has "which names the build that measured" "\"build_id\": *\"$id\""
else
    skip "it names the build that measured" "readelf is missing: apt-get install binutils"
fi

# An interrupt leaves a complete document that says so, within a second.
started=$(date +%s)
"$VMTOLL" bench --budget 300 --quiet --output "$result" >"$work/out" 2>"$work/err" &
child=$!
sleep 1
kill -INT "$child"
wait "$child"
status=$?
is "an interrupted run ends with status 1" 1
between "soon after the interrupt" "$(($(date +%s) - started))" 0 4
holds "its document is marked" grep -q '"interrupted": *true' "$result"
run "$VMTOLL" report "$result"
is "and can be reported" 0

# A terminal that closes is an interrupt; under nohup it is none.
hang_up() {
    "$VMTOLL" bench --budget "$1" --quiet --output "$result" &
    child=$!
    sleep 1
    kill -HUP "$child"
    wait "$child"
}
run hang_up 300
is "a closed terminal ends a run in order" 1
holds "its document is marked" grep -q '"interrupted": *true' "$result"
trap '' HUP
run hang_up 3
holds "under nohup the run goes on" grep -q '"interrupted": *false' "$result"
trap 'exit 1' HUP

# Without the device, or without permission for it.
cases='cpuid,nop'
if can_hide_devices; then
    run without_devices "$VMTOLL" bench --case "$cases" --budget 1 --output "$result"
    is "without /dev/kvm the other engines run" 0
    equals "and kvm's cases are unsupported" "$(field "$result" status cpuid kvm 0)" unsupported
    equals "while native is measured" "$(field "$result" status nop native 3)" ok
    has "the reason names the device" '/dev/kvm'
    run without_devices "$VMTOLL" bench --engine kvm --case "$cases" --budget 1
    refuses "asked for by name, kvm's absence is an error" 3 '/dev/kvm'
    reason=$(without_devices "$VMTOLL" probe --json | sed -n 's/^ *"reason": "\(.*kvm.*\)",*$/\1/p' | head -n 1)
    holds "with probe's reason" grep -qF "${reason:-nothing that probe says}" "$work/err"
else
    skip "without /dev/kvm" "needs root, mount namespaces and mknod"
fi
if can_be_nobody && [ -c /dev/kvm ] && ! as_nobody test -w /dev/kvm && program=$(open_program); then
    run as_nobody "$program" bench --engine kvm --case cpuid --budget 1
    refuses "no permission says what to do" 3 '/dev/kvm .*mode'
    reason=$(as_nobody "$program" probe --json | sed -n 's/^ *"reason": "\(.*kvm.*\)",*$/\1/p' | head -n 1)
    holds "with probe's reason" grep -qF "${reason:-nothing that probe says}" "$work/err"
else
    skip "no permission" "needs root, a /dev/kvm that is not open to all, and a temporary folder that is"
fi

if ! "$VMTOLL" probe --require kvm >/dev/null 2>&1; then
    skip "everything about engine kvm" "KVM runs no guest here (vmtoll probe says why)"
    finish
fi

"$VMTOLL" probe --json >"$work/probe.json"
if ! grep -Eq '"KVM_CAP_BINARY_STATS_FD": *[1-9]' "$work/probe.json"; then
    run "$VMTOLL" bench --engine kvm --case 'out-kernel' --cpl 3 --budget 1 --output "$result"
    equals "without counters nothing is claimed" "$(field "$result" status out-kernel kvm 3)" unverified
    skip "what counters prove" "this kernel does not count (KVM_GET_STATS_FD, Linux 5.14)"
    finish
fi
run "$VMTOLL" bench --engine kvm --case 'empty,nop,cpuid,rdtsc,out-user,out-kernel' --budget 4 --output "$result"
is "kvm ends well" 0
per_op() { # counter, case, cpl
    tr '\n' ' ' <"$result" | sed 's/{ *"case"/\n{"case"/g' | grep "^{\"case\": *\"$2\"" | grep "\"cpl\": *$3" |
        sed -n "s/.*\"evidence\": *{[^}]*\"$1\": *\([-0-9.e]*\).*/\1/p"
}
between "out-user leaves to user space once per operation" "$(per_op user_exits out-user 3)" 1 1.02
equals "which is its crossing" "$(field "$result" crossing out-user kvm 3)" exit-user
between "with one exit per operation" "$(field "$result" exits_per_op out-user kvm 3)" 1 1.02
equals "out-kernel stays in the kernel" "$(field "$result" crossing out-kernel kvm 3)" exit-kernel
between "kvm empty at CPL 3 costs at most a cycle" "$(field "$result" median_cycles empty kvm 3)" -1 1
between "kvm nop at CPL 3 costs at most a cycle" "$(field "$result" median_cycles nop kvm 3)" -1 1
if grep -q '"cpl0": *"interpreted"' "$work/probe.json"; then
    for name in empty nop cpuid rdtsc out-user out-kernel; do
        equals "$name at CPL 0 is interpreted" "$(field "$result" crossing $name kvm 0)" interpreted
        equals "$name at CPL 0 is emulated" "$(field "$result" path $name kvm 0)" emulated
    done
    between "nop at CPL 0 is one emulated instruction" "$(per_op insn_emulation nop 0)" 0.99 1.01
else
    skip "the interpreted CPL 0" "this KVM does not interpret CPL 0"
fi

# Unverified is never ok; every measured row has its evidence.
run "$VMTOLL" bench --budget 8 --quiet --output "$result"
holds "the whole catalogue ends well or with what failed" test "$status" -le 1
equals "no measurement broke" "$("$VMTOLL" report "$result" --format csv | awk -F, '
    FNR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
    $at["status"] == "failed" { n++ } END { print n + 0 }')" 0
equals "every figure has a crossing or is marked" "$("$VMTOLL" report "$result" --format csv | awk -F, '
    FNR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
    $at["status"] == "ok" && $at["crossing"] == "" { n++ } END { print n + 0 }')" 0

# Budget and progress.
run "$VMTOLL" bench --quiet --budget 5 --output "$result"
took=$(sed -n 's/.*"elapsed_s": *\([0-9.]*\).*/\1/p' "$result" | head -1)
between "the budget holds, with a fifth to spare" "$took" 0.1 6
if command -v script >/dev/null; then
    script -qec "$VMTOLL bench --quiet --budget 1 --engine native" "$work/typescript" >/dev/null
    holds "a terminal sees progress and the time left" grep -q 's left' "$work/typescript"
else
    skip "progress on a terminal" "no script(1)"
fi
finish
