# shellcheck shell=sh
# Sourced, after tap.sh, by the tests of confinement: a program in which is tried what code that took it over would try (attempt.c).
top=$(cd "$(dirname "$0")/../.." && pwd)
attempt=${work:?}/attempt.so
compiler=$(sed -n 's/^CC = //p' "$top/config.mk" 2>/dev/null)
${compiler:-cc} -O2 -D_GNU_SOURCE -shared -fPIC -o "$attempt" "$top/tests/integration/attempt.c" 2>"$work/log" || attempt=

# Afterwards $work/attempts has a line for each. The folder lies neither beside an output nor below TMPDIR.
attempts() { # program, VARIABLE=VALUE..., command...
    rm -rf "$work/attempts" "$work/reach" && mkdir -p "$work/reach" "$work/temporary"
    for file in there other readable; do : >"$work/reach/$file"; done
    sleep 60 &
    reached=$!
    program=$1
    shift
    # A sanitizer wants to be first of what is preloaded; the order changes nothing here.
    run env ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}verify_asan_link_order=0" TMPDIR="$work/temporary" ATTEMPT_LOG="$work/attempts" ATTEMPT_FOLDER="$work/reach" ATTEMPT_PROCESS="$reached" \
        ATTEMPT_PROGRAM="$program" LD_PRELOAD="$attempt" "$@"
    kill "$reached" 2>/dev/null
    touch "$work/attempts"
}

# What came of an attempt; nothing where it was the end of the program.
came_of() { sed -n "s/^$1: //p" "$work/attempts"; } # attempt
