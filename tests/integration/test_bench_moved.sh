#!/bin/sh
# vmtoll bench: a run that something moves off its CPU, as an orchestrator that rewrites a cpuset does, notices;
# one that a CPU quota stops names the quota.
# shellcheck source=tests/integration/tap.sh
. "$(dirname "$0")/tap.sh"
command -v taskset >/dev/null || skip_all "taskset is missing: apt-get install util-linux"
command -v jq >/dev/null || skip_all "jq is missing: apt-get install jq"
result=$work/result.json
# Again and again until it ends: on a quiet machine that is soon.
move() { # CPUs
    child=$!
    while kill -0 "$child" 2>/dev/null; do
        sleep 0.2
        taskset -pc "$1" "$child" >/dev/null 2>&1
    done
    wait "$child"
}
asks() { # name, expression
    holds "$1" jq -e "$2" "$result"
}

run "$VMTOLL" bench --engine native --case nop,cpuid --budget 1 --quiet --output "$result"
asks "an undisturbed run was not moved" '.settings.moved == 0 and ([.settings.warnings[] | select(test("moved off"))] == [])'

allowed=$(sed -n 's/^Cpus_allowed_list:[^0-9]*//p' /proc/self/status)
first=${allowed%%[-,]*} last=${allowed##*[-,]}
if [ "$first" = "$last" ]; then
    skip "a run that is moved" "one CPU"
else
    "$VMTOLL" bench --engine native --budget 5 --output "$result" >"$work/out" 2>"$work/err" &
    move "$first"
    asks "a run that is moved counts the pairs" '.settings.moved > 0'
    asks "... warns" '[.settings.warnings[] | select(test("moved off the CPU"))] != []'
    asks "... marks its rows" '[.measurements[] | select(.reason // "" | test("did not run pinned"))] != []'
    asks "... and their pairs" '[.measurements[] | select(.reason // "" | test("did not run pinned")) | .marked == 0] | any | not'
    has "... and the summary says so" 'moved off the CPU'

    "$VMTOLL" bench --engine native --budget 5 --quiet --output "$result" &
    move "$allowed" # it may stay where it is: nothing keeps it there
    asks "a run that is no longer pinned counts the pairs" '.settings.moved > 0'
fi

# A group of its own with a fifth of a CPU, in whichever hierarchy there is.
group=
for place in /sys/fs/cgroup/cpu /sys/fs/cgroup/cpu,cpuacct /sys/fs/cgroup; do
    mkdir "$place/vmtoll-test-$$" 2>/dev/null || continue
    group=$place/vmtoll-test-$$
    { echo 100000 >"$group/cpu.cfs_period_us" && echo 20000 >"$group/cpu.cfs_quota_us"; } 2>/dev/null && break
    { echo '20000 100000' >"$group/cpu.max"; } 2>/dev/null && break
    rmdir "$group"
    group=
done
trap '[ -z "$group" ] || rmdir "$group" 2>/dev/null; rm -rf "$work"' EXIT
if [ -z "$group" ]; then
    skip "a run under a CPU quota" "no group with a CPU quota can be made here"
else
    run sh -c 'echo $$ >"$1/cgroup.procs" && exec "$2" bench --engine native --budget 3 --quiet --output "$3"' sh "$group" "$VMTOLL" "$result"
    is "a run under a CPU quota" 0
    asks "... counts how often that stopped it" '.settings.throttled > 2'
    asks "... names it" '[.settings.warnings[] | select(test("CPU quota"))] != []'
    asks "... and no other work" '[.settings.warnings[] | select(test("Other work|Something else used"))] == []'
fi

finish
