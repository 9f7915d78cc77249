#!/bin/sh
# vmtoll ab: two settings in turns. What is not there is not found, what is, is; a command that fails ends it in one line,
# and setting A holds in the end.
# seconds: 600
# shellcheck source=tests/integration/tap.sh
. "$(dirname "$0")/tap.sh"
# shellcheck source=tests/integration/schema.sh
. "$(dirname "$0")/schema.sh"

ab() { run timeout 300 "$VMTOLL" ab --engine native --case rdtsc,nop --cpl 3 --pairs 6 --budget 2 "$@"; }

# Settings that are alike: none changed, or a machine so busy that nothing could be told, which is said.
alike() { # name
    if [ "$status" -eq 2 ] && grep -q 'nothing could be compared' "$work/err"; then
        skip "$1" "other work on this machine disturbed every measurement"
    else
        is "$1" 0
    fi
}

# Turns, in whatever order, come in pairs, and A is made once more at the end.
: >"$work/turns"
ab "printf A >>'$work/turns'" "printf B >>'$work/turns'" --format json --save "$work/kept"
alike "two settings in turns"
fits "the comparison" comparison "$work/out"
has "it knows how many pairs there were" '"pairs": 6'
turns=$(cat "$work/turns")
holds "six of each, of every two pairs each setting begins one, and A at the end" \
    expr "x$turns" : 'x\(ABBA\|BAAB\)\(ABBA\|BAAB\)\(ABBA\|BAAB\)A$'
for side in a b; do
    holds "the results of $side are kept" test "$(wc -l <"$work/kept-$side.jsonl")" -eq 6
done
holds "... with the setting they are of" grep -q '"ab":{"setting":"B","text":"printf B' "$work/kept-b.jsonl"
run "$VMTOLL" compare "$work/kept-a.jsonl" "$work/kept-b.jsonl" --fail-on never
alike "... and can be compared again"
has "... in pairs" 'measured in 6 pairs of turns'
sed 's/"pair":3/"pair":4/' "$work/kept-b.jsonl" >"$work/mixed.jsonl"
run "$VMTOLL" compare "$work/kept-a.jsonl" "$work/mixed.jsonl" --fail-on never
lacks "... unless they are no pairs" 'pairs of turns'
for format in text markdown html commit; do
    ab true true --format $format
    alike "A against A as $format"
    has "... counts its answers" '[0-9]+ unchanged|unchanged \(|Cannot tell in [0-9]+'
done

# A change that is there: a stand-in for another build, whose rdtsc takes twice as long.
if command -v python3 >/dev/null 2>&1; then
    cat >"$work/longer.py" <<'P'
import json, sys
document = json.load(open(sys.argv[1]))
for row in document["measurements"]:
    row["samples_body"] = [b + t for b, t in zip(row["samples_body"], row["samples"])]
    row["samples"] = [2 * t for t in row["samples"]]
json.dump(document, open(sys.argv[1], "w"))
P
    cat >"$work/slower" <<P
#!/bin/sh
"$VMTOLL" "\$@" || exit
while [ "\$1" != --output ]; do shift; done
python3 "$work/longer.py" "\$2"
P
    chmod +x "$work/slower"
    run timeout 300 "$VMTOLL" ab --by program "$VMTOLL" "$work/slower" --engine native --case rdtsc --pairs 10 --budget 3 --fail-on regression
    is "a build that is twice as slow" 1
    has "... is found" '^1 of 1 measurement changed: 1 slower'
else
    skip "a build that is twice as slow" "python3 is missing: apt-get install python3"
fi

# Until a change can be seen: after 20 pairs whatever it is, not before the budget is spent where it cannot be.
resolve() { run timeout 300 "$VMTOLL" ab true true --engine trap --case mov-to-cr3 --format json "$@"; }
resolve --resolve 100 --pairs 60 --budget 12
is "until a change can be seen" 0
has "... takes no more pairs than that" '"pairs": 20'
resolve --resolve 0.01 --pairs 24 --budget 5
is "a change that cannot be seen" 0
has "... takes all pairs" '"pairs": 24'
has "... and says what may be missed" '0\.01 % is not resolved in every row: changes below [0-9.]+ % may be missed' err
has "... of a row that cannot tell then" '"unclear": 1'
resolve --resolve nothing
refuses "nothing to be seen" 2 'resolve'

# What fails.
ab true 'echo this is why >&2; exit 3'
refuses "a command that fails" 3 "setting B: 'echo this is why.*' ended with status 3: this is why"
ab "echo A >>'$work/restored'" 'echo B >>/no/such/folder/x'
refuses "... B of all" 3 "setting B: "
holds "A is made again after it" test "$(tail -n 1 "$work/restored")" = A
ab true 'kill -9 $$'
refuses "a command that is killed" 3 'was ended by signal 9'
ab true "printf '\\033[31m\\nred\\n' ; exit 1"
refuses "what it prints reaches no terminal" 3 'red'
ab true /no/such/command
refuses "a command that is not there" 3 'status 127'
ab --by cpu 0 99999
refuses "a processor that is not there" 2 "setting B: '99999' cannot be measured"
ab --by cpu 0 x
refuses "a processor that is none" 2 "setting B: 'x' cannot be measured"
ab --by program "$VMTOLL" /no/such/program
refuses "a program that is not there" 2 "setting B: '/no/such/program' cannot be measured"
ab --by program "$VMTOLL" /bin/true
refuses "a program that is no vmtoll" 2 'setting B: /bin/true wrote no result'
ab --by weather fine bad
refuses "another kind of setting" 2 "weather"
ab true
refuses "one setting" 2 'missing A B'
run "$VMTOLL" ab true true --budget 1 --pairs 40
refuses "too little time" 2 'too few for 40 pairs'
run "$VMTOLL" ab true true --case no-such-case
refuses "a case that there is not" 2 'no-such-case'
ab "echo A >>'$work/touched'" "echo B >>'$work/touched'" --output /no/such/folder/x
refuses "an output that cannot be written" 3
holds "... is refused before any command is run" test ! -e "$work/touched"

# An interrupt ends it in order: A holds, and what was measured is told.
: >"$work/turns"
"$VMTOLL" ab "printf A >>'$work/turns'" "printf B >>'$work/turns'" --engine native --case nop --pairs 400 --budget 400 >"$work/out" 2>"$work/err" </dev/null &
child=$!
for _ in $(seq 300); do
    [ "$(wc -c <"$work/turns")" -ge 7 ] && break
    sleep 0.1
done
kill -TERM $child
wait $child
status=$?
is "asked to end" 1
has "... it says so" 'interrupted: [0-9]+ of 400 pairs' err
holds "... and A was made again" expr "x$(cat "$work/turns")" : '.*A$'
finish
