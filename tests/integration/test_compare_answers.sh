#!/bin/sh
# vmtoll compare has three answers: changed, unchanged within what was detectable, cannot tell. Each is counted, shown in
# every format, and a gate can ask for it.
# beside others
# shellcheck source=tests/integration/tap.sh
. "$(dirname "$0")/tap.sh"
# shellcheck source=tests/integration/result.sh
. "$(dirname "$0")/result.sh"
# shellcheck source=tests/integration/schema.sh
. "$(dirname "$0")/schema.sh"
command -v python3 >/dev/null 2>&1 || skip_all "python3 is missing, which makes the samples: apt-get install python3"

compare() { run "$VMTOLL" compare "$work/old.json" "$work/new.json" "$@"; }

# Samples around a level: seed, level, relative noise.
around() {
    python3 -c '
import random, sys
rng = random.Random(int(sys.argv[1]))
print([round(float(sys.argv[2]) * (1 + float(sys.argv[3]) * rng.gauss(0, 1)), 3) for _ in range(60)])' "$@"
}
noisy() { # case, seed, level, noise
    samples=$(around "$2" "$3" "$4")
    row "$1" identification ok '"exit-kernel"' "$3"
}
none() { row "$1" identification unsupported null ''; }

document old.json "$(noisy cpuid 1 2000 0.001)" "$(noisy rdtsc 2 2000 0.001)" "$(noisy pause 3 2000 0.9)" "$(none hlt)"
document new.json "$(noisy cpuid 4 3000 0.001)" "$(noisy rdtsc 5 2000 0.001)" "$(noisy pause 6 2000 0.9)" "$(none hlt)"
compare --json
is "a change among others" 1
fits "the comparison" comparison "$work/out"
has "each answer is counted, and what neither side measured in none" '"measured": 3'
for answer in changed unchanged unclear; do
    has "... $answer" "\"$answer\": 1"
done
compare
has "the first line has all three" '^1 of 3 measurements changed: 1 slower; 1 unchanged \(within [0-9.]+ %\); 1 cannot tell\.$'
has "why it cannot be told" '^Cannot tell: 1 too noisy'
has "each row shows what was detectable: of what is unchanged" '^rdtsc .* [0-9.]+ % .*~$'
has "... of what changed" '^cpuid .* [0-9.]+ % .*slower$'
has "... of what cannot be told" '^pause .* [0-9]+ % .*cannot tell: too noisy'
lacks "what neither side measured is not shown" '^hlt'
for format in markdown html; do
    compare --format $format
    has "... in $format" '[dD]etectable'
    has "... with its verdict in $format" 'cannot tell: too noisy'
done
if command -v script >/dev/null 2>&1; then
    run script -qec "stty cols 80; $VMTOLL compare $work/old.json $work/new.json --all" /dev/null
    sed 's/\r$//; s/\x1b\[[0-9;]*m//g' "$work/out" >"$work/screen"
    holds "80 columns suffice where the terminal has no more" test "$(wc -L <"$work/screen")" -le 80
    cp "$work/screen" "$work/out"
    has "... with what was detectable" '^rdtsc  .* [0-9.]+ %$'
else
    skip "80 columns suffice where the terminal has no more" "script is missing: apt-get install bsdutils"
fi

# The gate.
document new.json "$(noisy cpuid 4 2000 0.001)" "$(noisy rdtsc 5 2000 0.001)" "$(noisy pause 6 2000 0.9)" "$(none hlt)"
compare
is "what cannot be told is no regression" 0
compare --fail-on unclear
is "a gate that asks for certainty has a status of its own" 5
has "... and says why" '^vmtoll: compare: cannot tell of 1 of 3 measurements' err
compare --fail-on unclear --resolution 1000
is "... unless that little is asked for" 0
document new.json "$(noisy cpuid 4 3000 0.001)" "$(noisy rdtsc 5 2000 0.001)" "$(noisy pause 6 2000 0.9)" "$(none hlt)"
compare --fail-on unclear
is "a regression comes first" 1

# Nothing but noise.
document old.json "$(noisy cpuid 1 2000 0.9)" "$(noisy rdtsc 2 2000 0.9)"
document new.json "$(noisy cpuid 3 2000 0.9)" "$(noisy rdtsc 4 2000 0.9)"
for gate in regression change; do
    compare --fail-on $gate
    is "all of it noise: no success, gate $gate" 2
    has "... said first" '^Cannot tell in 2 of 2 measurements; 0 changed, 0 unchanged\.$'
done
compare --fail-on unclear
is "... with its own status" 5

# Empty results.
document old.json
document new.json
compare
is "two empty results are no success" 2
document old.json "$(none cpuid)"
document new.json "$(none cpuid)"
compare
is "nor are two that measured nothing" 2
compare --json
fits "their comparison" comparison "$work/out"

# A level that steps up half way through the new run: that may have passed, or be the change.
samples=$(around 1 2000 0.001) && document old.json "$(row cpuid identification ok '"exit-kernel"' 2000)"
samples=$(python3 -c 'import json, sys; a, b = map(json.loads, sys.argv[1:]); print(a[:25] + b[25:])' "$(around 2 2000 0.001)" "$(around 3 2600 0.001)")
document new.json "$(row cpuid identification ok '"exit-kernel"' 2600)"
compare --fail-on unclear
is "what lasted for half a run" 5

# Twelve exits and twelve cases without a crossing; what is common to a run moves each by some per cent.
cat >"$work/group.py" <<'P'
import json, random, sys
rng, factor = random.Random(int(sys.argv[1])), float(sys.argv[2])
def summary(s):
    t = sorted(s); q = lambda p: t[int(p * (len(t) - 1))]
    return {"median": q(.5), "ci95": [q(.4), q(.6)], "min": t[0], "p05": q(.05), "p25": q(.25), "p75": q(.75), "p95": q(.95), "p99": q(.99), "mad": 1}
rows = []
for number in range(24):
    exits = number % 2
    level = 2000 * (factor if exits else 1) * (1 + rng.gauss(0, .004))
    s = [level * (1 + .003 * rng.gauss(0, 1)) for _ in range(64)]
    rows.append({"case": "case-%d" % number, "class": "identification", "path": "hardware", "engine": "kvm" if exits else "native", "cpl": 0,
                 "crossing": "exit-kernel" if exits else "none", "status": "ok", "simulated": False, "unit": "ns", "iterations": 1000,
                 "batches": 64, "marked": 0, "toll": summary(s), "samples": s})
print(json.dumps({"schema": "vmtoll.result/1", "tool": {"version": "0"}, "started": "2026-11-22T15:00:00Z", "host": None, "measurements": rows}))
P
group() { # file, seed, factor of exits
    python3 "$work/group.py" "$2" "$3" >"$work/$1"
}
group old.json 1 1
group new.json 2 1.3
compare
is "a group that moved" 1
has "... as a group" 'slower, with its group$'
lacks "... does not show the p of a row, which says nothing" ' 1\.000  slower'
compare --json
fits "the comparison of a group" comparison "$work/out"

# Several runs a side.
for run in 1 2 3 4 5; do
    group "a$run.json" 1$run 1
    group "b$run.json" 2$run 1.5
done
cat "$work"/a?.json >"$work/old.json"
cat "$work"/b?.json >"$work/new.json"
compare
is "five runs against five that are half as slow again" 1
has "... are told first" '^12 of 24 measurements changed'
finish
