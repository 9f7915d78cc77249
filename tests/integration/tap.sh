# shellcheck shell=sh
# Sourced by the integration tests. Each drives the program in $VMTOLL and prints TAP:
#
#     . "$(dirname "$0")/tap.sh"
#     run "$VMTOLL" list cases
#     is "cases are listed" 0
#     has "cpuid is one of them" '^cpuid '
#     run "$VMTOLL" list caes
#     refuses "a misspelt subject" 2 "did you mean 'cases'"
#     finish

: "${VMTOLL:=$PWD/build/vmtoll}"
tests=0
failures=0
work=$(mktemp -d) || { echo "Bail out! no temporary folder"; exit 1; }
# Stand-ins and copies of the program are run from there: where that is forbidden, beside the program.
printf '#!/bin/sh\n' >"$work/out" && chmod +x "$work/out"
"$work/out" 2>/dev/null || { rm -rf "$work" && work=$(mktemp -d "$(dirname "$VMTOLL")/test.XXXXXX"); } ||
    { echo "Bail out! no folder that programs may be run from"; exit 1; }
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

# Runs a command: afterwards $status, and its output in $work/out and $work/err.
run() {
    "$@" >"$work/out" 2>"$work/err" </dev/null
    status=$?
}

pass() { # name
    tests=$((tests + 1))
    echo "ok $tests - $1"
}

# A command as a person types it: what a `make NAME=VALUE` around the tests hands down is not for other builds. For the one under
# test it is: that would be made anew.
as_typed() { (unset MAKEFLAGS MFLAGS MAKELEVEL B CC CFLAGS HARDEN_CFLAGS HARDEN_LDFLAGS V && "$@"); }

fail() { # name, why
    tests=$((tests + 1))
    failures=$((failures + 1))
    echo "not ok $tests - $1"
    echo "# $2"
    for stream in out err; do
        [ -s "$work/$stream" ] && sed "s/^/# $stream: /" "$work/$stream" | head -n 20
    done
}

skip() { # name, reason
    tests=$((tests + 1))
    echo "ok $tests - $1 # SKIP $2"
}

skip_all() { # reason
    echo "1..0 # SKIP $1"
    exit 0
}

# Is the program under test built with a sanitizer?
sanitized() { grep -q -e -fsanitize "$(dirname "$VMTOLL")/base/flags.inc" 2>/dev/null; }

# Labs are left out as a whole, and counted.
case ${LAB:-1}:${0##*/} in
0:test_lab_*) skip_all "labs are left out: LAB=0" ;;
esac

# The command succeeds.
holds() { # name, command...
    what=$1
    shift
    if "$@" >"$work/log" 2>&1; then pass "$what"; else fail "$what" "failed: $* $(head -n 3 "$work/log" | tr '\n' ' ')"; fi
}

# Two texts are the same.
equals() { # name, got, wanted
    if [ "$2" = "$3" ]; then pass "$1"; else fail "$1" "got '$2', not '$3'"; fi
}

# The last run ended with this status.
is() { # name, status
    if [ "$status" -eq "$2" ]; then pass "$1"; else fail "$1" "ended with status $status, not $2"; fi
}

# Its output (or, with a third argument, that stream) matches an extended regular expression.
has() { # name, expression [, out|err]
    if grep -Eq -e "$2" "$work/${3:-out}"; then pass "$1"; else fail "$1" "no match for: $2"; fi
}

lacks() { # name, expression [, out|err]
    if grep -Eq -e "$2" "$work/${3:-out}"; then fail "$1" "unexpected match for: $2"; else pass "$1"; fi
}

# The last run ended with this status, nothing on standard output, and one line on
# standard error that starts with "vmtoll: " and matches the expression.
refuses() { # name, status [, expression]
    if [ "$status" -ne "$2" ]; then
        fail "$1" "ended with status $status, not $2"
    elif [ -s "$work/out" ]; then
        fail "$1" "wrote to standard output"
    elif [ "$(wc -l <"$work/err")" -ne 1 ] || ! grep -q '^vmtoll: ' "$work/err"; then
        fail "$1" "standard error is not one line that starts with 'vmtoll: '"
    elif ! grep -Eq -e "${3:-.}" "$work/err"; then
        fail "$1" "standard error does not match: $3"
    else
        pass "$1"
    fi
}

# A command with an empty /dev but for its null device: `if can_hide_devices; then run without_devices ...`
without_devices() {
    # shellcheck disable=SC2016
    unshare -m sh -c 'mount -t tmpfs none /dev && mknod -m 666 /dev/null c 1 3 && exec "$0" "$@"' "$@"
}
can_hide_devices() { without_devices true >/dev/null 2>&1; } # root of a container may mount, but not mknod

# A command as nobody, in no group: `if can_be_nobody; then run as_nobody ...`
as_nobody() { setpriv --reuid 65534 --regid 65534 --clear-groups "$@"; }
can_be_nobody() { as_nobody true >/dev/null 2>&1; }

# A folder that everybody may enter, with the program in it; nothing where the way there is closed.
open_program() {
    mkdir -p "$work/open" && chmod 755 "$work" "$work/open" && cp "$VMTOLL" "$work/open/vmtoll" &&
        chmod 755 "$work/open/vmtoll" && as_nobody "$work/open/vmtoll" --version >/dev/null 2>&1 &&
        echo "$work/open/vmtoll"
}

finish() {
    echo "1..$tests"
    [ "$failures" -eq 0 ]
    exit
}
