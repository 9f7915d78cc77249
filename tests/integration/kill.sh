# shellcheck shell=sh
# Sourced, after tap.sh, by the tests that kill commands at any moment: `kills NAME TURNS FILE NEW COMMAND...`.
# FILE, in $killed, is what COMMAND writes; `NEW file` succeeds where it is what a run that was left alone writes. Afterwards it
# is checked that FILE was the old one or a whole new one each time, and that one ordinary run leaves nothing of those killed.
killed=${work:?}/killed
mkdir "$killed" "$killed/temporary"

left() { find "$killed" -mindepth 1 ! -path "$killed/temporary" ! -path "$file"; }
alive() { grep -lsz "^TMPDIR=$killed/temporary$" /proc/[0-9]*/environ; }
now() { date +%s%N; }

# In seconds, up to what the ordinary run took and a tenth more.
moment() { # turn, nanoseconds
    awk -v turn="$1" -v most="$2" 'BEGIN { srand(turn * 7919 + '"$$"'); printf "%.4f", rand() * 1.1 * most / 1e9 }'
}

kills() {
    subject=$1 turns=$2 file=$killed/$3 new=$4
    shift 4
    old=0 whole=0 torn=0 turn=0 struck=0
    from=$(now)
    run env TMPDIR="$killed/temporary" "$@"
    took=$(($(now) - from))
    holds "$subject: an ordinary run ends well" "$new" "$file"
    while [ "$turn" -lt "$turns" ]; do
        turn=$((turn + 1))
        echo old >"$file"
        env TMPDIR="$killed/temporary" "$@" >/dev/null 2>&1 &
        victim=$!
        sleep "$(moment "$turn" "$took")"
        kill -9 "$victim" 2>/dev/null
        wait "$victim" 2>/dev/null
        [ $? -ne 137 ] || struck=$((struck + 1))
        if [ "$(cat "$file")" = old ]; then
            old=$((old + 1))
        elif "$new" "$file" >/dev/null 2>&1; then
            whole=$((whole + 1))
        else
            torn=$((torn + 1)) && cp "$file" "$work/torn"
        fi
    done
    equals "$subject: $turns times killed, no file is torn" "$torn" 0
    echo "# $subject: killed at work $struck times; the old file $old times, a new one $whole times; $(left | wc -l) names to sweep"
    # With next to none the moments were ill chosen, and nothing was seen.
    holds "... and it was at work in many of them" test "$struck" -ge $((turns / 5))
    run env TMPDIR="$killed/temporary" "$@"
    holds "... an ordinary run afterwards ends well" "$new" "$file"
    equals "... and leaves nothing" "$(left)" ''
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        [ -n "$(alive)" ] || break
        sleep 0.5
    done
    equals "... and no program" "$(alive)" ''
    rm -f "$file"
}
