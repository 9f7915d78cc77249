#!/bin/sh
# vmtoll bench in a script: what was not measured is said by a line and by the status, whoever ended it.
# shellcheck source=tests/integration/tap.sh
. "$(dirname "$0")/tap.sh"
result=$work/result.json

# 'hlt' needs a machine of its own, which engine native has not.
run "$VMTOLL" bench --engine native --case hlt --budget 0.2 --quiet
refuses "nothing of what was asked for" 3 'nothing was measured: .*native CPL 3 hlt: needs a machine'
run "$VMTOLL" bench --engine native --case hlt --budget 0.2 --output "$result"
is "... with a summary as well" 3
has "... says so on standard error" 'nothing was measured' err
holds "... and leaves a document" test -s "$result"
run "$VMTOLL" bench --engine native --case hlt,nop --budget 0.2 --quiet
is "part of what was asked for" 0
holds "... is no fault" test ! -s "$work/err"

# The budget ends before most cases had their turn.
run "$VMTOLL" bench --engine native,translate --budget 0.05 --quiet
if [ "$status" -eq 0 ]; then
    skip "a budget that is too small" "this machine measured everything in 0.05 s"
else
    refuses "a budget that is too small" 1 'failed or did not return \(.*budget'
fi

# A signal ends it in order: with a document, a line and a status.
end_by() { # signal, option...
    signal=$1
    shift
    rm -f "$result"
    "$VMTOLL" bench --engine native,translate --budget 60 --output "$result" "$@" >"$work/out" 2>"$work/err" &
    child=$!
    sleep 1.5
    kill -"$signal" "$child"
    wait "$child"
    status=$?
}
# A shell without job control starts its children with SIGINT ignored; bench takes it all the same.
for signal in INT TERM HUP; do
    end_by "$signal" --quiet
    refuses "$signal under --quiet" 1 'bench: interrupted: [0-9]+ of [0-9]+ measurements were not made'
    holds "... leaves a document that says so" grep -q '"interrupted": *true' "$result"
    end_by "$signal"
    is "$signal" 1
    holds "... needs no line beside the summary" test ! -s "$work/err"
done
(
    trap '' HUP
    "$VMTOLL" bench --engine native --case nop,empty --budget 3 --quiet --output "$result" 2>"$work/err" &
    child=$!
    sleep 1
    kill -HUP "$child"
    wait "$child"
    echo $? >"$work/status"
)
equals "under nohup SIGHUP stays ignored" "$(cat "$work/status")" 0
lacks "... and the result is whole" '"interrupted": *true' result.json

finish
