#!/bin/sh
# kill -9 of a lab at any moment: the old file or a whole new one, no emulator, and nothing of it left by the next run.
# seconds: 600
# beside others
# shellcheck source=tests/integration/tap.sh
. "$(dirname "$0")/tap.sh"
# shellcheck source=tests/integration/kill.sh
. "$(dirname "$0")/kill.sh"

within() { # seconds, command...: is it true by then?
    turns=$(($1 * 10))
    shift
    while ! "$@"; do
        turns=$((turns - 1))
        [ $turns -gt 0 ] || return 1
        sleep 0.1
    done
}

# Gone, or only not yet asked about.
ended() { # process
    case $(sed 's/.*) //' "/proc/$1/stat" 2>/dev/null) in '' | Z*) ;; *) false ;; esac
}

run timeout 100 "$VMTOLL" lab tcg --case nop --quiet --output "$work/lab.json"
[ "$status" -eq 0 ] || skip_all "$(head -n 1 "$work/err")"
loads() { "$VMTOLL" report --format csv "$1"; }
kills "lab tcg" 50 lab.json loads "$VMTOLL" lab tcg --case nop --quiet --output "$killed/lab.json"

# One that does not listen, as an emulator that hangs.
emulator=$(command -v qemu-system-x86_64)
mkdir "$work/bin"
cat >"$work/bin/qemu-system-x86_64" <<F
#!/bin/sh
case " \$* " in
*" -kernel "*) ;;
*) exec "$emulator" "\$@" ;;
esac
trap '' TERM HUP INT
echo \$\$ >"$work/deaf"
while :; do sleep 1; done
F
chmod +x "$work/bin/qemu-system-x86_64"
env PATH="$work/bin:$PATH" "$VMTOLL" lab tcg --case nop --quiet --output "$work/deaf.json" >/dev/null 2>&1 &
lab=$!
within 30 test -s "$work/deaf"
kill -KILL "$lab"
wait "$lab" 2>/dev/null
deaf=$(cat "$work/deaf")
if within 10 ended "$deaf"; then
    pass "an emulator that does not listen ends with its lab"
else
    fail "an emulator that does not listen ends with its lab" "process $deaf is still there"
    kill -KILL "$deaf"
fi
finish
