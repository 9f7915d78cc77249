#!/bin/sh
# What stops an engine under a limit: `list engines`, `bench` and `probe` say the same of it, and what helps.
. "$(dirname "$0")/tap.sh"

# Engines that the list offers, with the words behind them where it does not.
listed() { # engine
    awk -v engine="$1" '$1 == engine { found = 1; available = $3; next } found { print available == "no" ? $0 : ""; exit }
        END { if (!found) print "missing" }' "$work/list" | sed 's/^ *//'
}

# With `$limits` in force: an engine that the list offers is measured, one that it does not is refused with its words.
agree() { # name, limits, engine
    sh -c "$2"' && "$0" list engines' "$VMTOLL" >"$work/list" 2>"$work/list.err"
    listing=$?
    reason=$(listed "$3")
    run sh -c "$2"' && exec "$0" bench --engine '"$3"' --case nop,pause,sti,vmcall,vmmcall --budget 1 --quiet --output -' "$VMTOLL"
    # Where there is no room for a list, there is none for an engine; what it would take can be had.
    if [ $listing -eq 3 ]; then
        advised=$(sed -n 's/^vmtoll: list: not enough memory for an answer: .*ulimit -v \([0-9]*\), or unlimited$/\1/p' "$work/list.err")
        if [ "$status" -eq 3 ] && [ "${advised:-0}" -gt 0 ] && [ "$advised" -lt 1000000 ]; then pass "$1"; else fail "$1" "list: $(head -n 1 "$work/list.err")"; fi
        return
    fi
    case $reason in
    '') if grep -Eq '"status": *"(ok|unverified)"' "$work/out"; then pass "$1"; else fail "$1" "offered, but nothing is measured"; fi ;;
    *) if [ "$status" -eq 3 ] && grep -qF "$reason" "$work/err"; then pass "$1"; else fail "$1" "not refused with: $reason"; fi ;;
    esac
}

# Under AddressSanitizer nothing does.
starts() { sh -c "$1"' && "$0" --version' "$VMTOLL" >"$work/log" 2>&1; } # limits

for engine in native trap translate hypercall kvm; do
    for limits in 'ulimit -v 12000' 'ulimit -v 20000' 'ulimit -v 600000' 'ulimit -n 6' 'ulimit -n 12' 'prlimit --pid $$ --sigpending=0'; do
        if ! starts "$limits"; then
            skip "$engine: list and bench agree under $limits" "the limit cannot be set, or nothing starts under it"
        else
            agree "$engine: list and bench agree under $limits" "$limits" "$engine"
        fi
    done
done

# It is made of two halves, and each number leaves room for another part of them.
for files in 4 5 7 8 9 10 11 13 14; do
    if ! starts "ulimit -n $files"; then
        skip "hypercall: list and bench agree under ulimit -n $files" "nothing starts under it"
    else
        agree "hypercall: list and bench agree under ulimit -n $files" "ulimit -n $files" hypercall
    fi
done

# The advice, followed.
for limit in 20000 600000; do
    if ! starts "ulimit -v $limit"; then
        skip "ulimit -v $limit: there is an advice for the translator" "nothing starts under it"
        continue
    fi
    run sh -c 'ulimit -v '"$limit"'; exec "$0" list engines' "$VMTOLL"
    advised=$(sed -n '/no room for the translator\|translator.s code cache/s/.*ulimit -v \([0-9]*\).*/\1/p' "$work/out")
    if [ -z "$advised" ]; then
        fail "ulimit -v $limit: there is an advice for the translator" "none in the list"
    else
        run sh -c 'ulimit -v '"$advised"'; exec "$0" bench --engine translate --case nop --budget 0.5' "$VMTOLL"
        is "the advised ulimit -v $advised is enough" 0
    fi
done

group=/sys/fs/cgroup/pids
[ -d $group ] || group=/sys/fs/cgroup
group=$group/vmtoll-test-$$
confined() { sh -c 'echo $$ >"$0/cgroup.procs" && exec "$@"' "$group" "$VMTOLL" "$@"; }
if ! { mkdir "$group" 2>/dev/null && echo 1 2>/dev/null >"$group/pids.max" && confined --version >/dev/null 2>&1; }; then
    rmdir "$group" 2>/dev/null
    group=
    skip "an engine that needs a process, under pids.max of 1" "no cgroup of tasks can be made here"
else
    no_process='cannot start a process for engine native: .*pids.max is 1'
    run confined bench --engine native --case nop --budget 0.5
    refuses "an engine that needs a process, under pids.max of 1: bench names cause and remedy" 3 "$no_process"
    run confined list engines
    has "... the list too" "$no_process"
fi

if ! "$VMTOLL" probe --require kvm >/dev/null 2>&1; then
    [ -z "$group" ] || rmdir "$group"
    skip "KVM_RUN's own errors" "KVM runs no guest here"
    finish
fi

# What says why KVM runs nothing here says it in all three commands.
same_reason() { # name, expression of reason and remedy, command...
    what=$1 expression=$2
    shift 2
    run "$@" bench --engine kvm --case nop --budget 0.5
    refuses "$what: bench names cause and remedy" 3 "$expression"
    run "$@" bench --case nop --budget 1 --quiet --output -
    has "$what: so does a row of a run of everything" "$expression"
    lacks "$what: nobody says that the guest did not return" 'did not (return|come back)'
    run "$@" list engines
    has "$what: the list too" "$expression"
    run "$@" probe --json
    tr -d '\n' <"$work/out" >"$work/document"
    holds "$what: and probe" grep -Eq "\"reason\": \"[^\"]*$(echo "$expression" | sed 's/:.*//')" "$work/document"
}

# Linux 6.13 and later start a thread with the first KVM_RUN; before, nothing stands in the way.
starts_thread() { ! "$@" probe --require kvm >/dev/null 2>&1; }

if [ -n "$group" ]; then
    if starts_thread confined; then
        same_reason "pids.max of 1" 'KVM_RUN fails \(EAGAIN\).*pids.max is 1' confined
    else
        skip "pids.max of 1" "this kernel starts no thread with KVM_RUN"
    fi
else
    skip "pids.max of 1" "no cgroup of tasks can be made here"
fi
[ -z "$group" ] || rmdir "$group"

deadline() {
    chrt -d --sched-runtime 5000000 --sched-deadline 10000000 --sched-period 10000000 0 "$VMTOLL" "$@"
}
if ! deadline --version >/dev/null 2>&1; then
    skip "SCHED_DEADLINE without reset-on-fork" "chrt may not set it here"
elif starts_thread deadline; then
    same_reason "SCHED_DEADLINE without reset-on-fork" 'KVM_RUN fails \(EAGAIN\).*SCHED_DEADLINE.*reset-on-fork' deadline
else
    skip "SCHED_DEADLINE without reset-on-fork" "this kernel starts no thread with KVM_RUN"
fi
finish
