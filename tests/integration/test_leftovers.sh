#!/bin/sh
# A run that is ended or killed: the old file or a whole new one, and nothing left, at once or by the next run.
# beside others
# shellcheck source=tests/integration/tap.sh
. "$(dirname "$0")/tap.sh"
# shellcheck source=tests/integration/result.sh
. "$(dirname "$0")/result.sh"

document one.json "$(row cpuid identification ok '"exit-kernel"' 2000)"
folder=$work/folder
mkdir "$folder"
left() { find "$folder" -name '.vmtoll-*' | wc -l; }

# A command that is held up with its whole temporary file there, before it is renamed; afterwards $child.
stopped() { # command...
    command -v strace >/dev/null || return 1
    strace -qq -o /dev/null -e trace=fsync,rename,renameat,renameat2 -e inject=fsync:delay_enter=3000000 \
        "$@" >/dev/null 2>&1 &
    tracer=$!
    for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
        [ "$(left)" -gt 0 ] && break
        sleep 0.2
    done
    child=$(ps -o pid= --ppid "$tracer" | tr -d ' ')
    [ -n "$child" ]
}
if ! stopped "$VMTOLL" report "$work/one.json" --output "$folder/out.md" || [ "$(left)" -eq 0 ]; then
    skip "runs that are ended in the middle" "strace is missing or may not trace here"
else
    kill -9 "$child"
    wait "$tracer" 2>/dev/null
    equals "kill -9 leaves the temporary file" "$(left)" 1
    run "$VMTOLL" report "$work/one.json" --output "$folder/out.md"
    equals "the next run sweeps it" "$(left)" 0
    for signal in INT TERM HUP; do
        for command in "report $work/one.json" "compare $work/one.json $work/one.json"; do
            rm -f "$folder/out.md"
            # shellcheck disable=SC2086
            stopped env --default-signal=INT "$VMTOLL" $command --output "$folder/out.md"
            run "$VMTOLL" report "$work/one.json" --output "$folder/other.md"
            equals "${command%% *}: what is worked on is nobody else's to sweep" "$(left)" 1
            kill -$signal "$child"
            wait "$tracer" 2>/dev/null
            equals "... $signal leaves nothing" "$(left)" 0
            holds "... and no half of a file" test ! -e "$folder/out.md"
        done
    done
fi

# What is not ours stays.
echo kept >"$folder/.vmtoll-notes"
: >"$folder/.vmtoll-99999-0"
mkdir "$folder/tmp" && mkdir "$folder/tmp/vmtoll-plot-99999-abcdef" "$folder/tmp/vmtoll-plot-charts"
: >"$folder/tmp/vmtoll-plot-99999-abcdef/0.svg"
run env TMPDIR="$folder/tmp" "$VMTOLL" report "$work/one.json" --output "$folder/page.html"
holds "a file of somebody's stays" test -s "$folder/.vmtoll-notes"
holds "one of a run long gone does not" test ! -e "$folder/.vmtoll-99999-0"
if command -v gnuplot >/dev/null; then
    equals "nor does its folder" "$(ls "$folder/tmp")" vmtoll-plot-charts
else
    skip "nor does its folder" "gnuplot is missing: apt-get install gnuplot-nox"
fi

# A limit on the size of files is an error with its reason, not a death.
echo old >"$folder/small.md"
for command in "report $work/one.json --output $folder/small.md" "compare $work/one.json $work/one.json --output $folder/small.md"; do
    # shellcheck disable=SC2086
    run sh -c '{ ulimit -f 0; exec "$@"; } 2>&1 | cat >&2' sh "$VMTOLL" $command
    has "${command%% *} beyond the limit on files says so" "cannot write '.*small.md': File too large" err
    equals "... and the old file is as it was" "$(cat "$folder/small.md")" old
done
for command in 'list cases' 'probe --json'; do
    # shellcheck disable=SC2016,SC2086
    run sh -c '{ out=$1; shift; ulimit -f 1; "$@" >"$out"; echo "status $?"; } | cat' sh "$folder/list" "$VMTOLL" $command
    has "$command beyond the limit on files" '^status 3$'
done

finish
