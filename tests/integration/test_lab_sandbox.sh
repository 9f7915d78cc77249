#!/bin/sh
# How the lab starts an emulator: a stand-in says what it was given, and of what it was relieved.
# beside others
# shellcheck source=tests/integration/tap.sh
. "$(dirname "$0")/tap.sh"
# shellcheck source=tests/integration/attempt.sh
. "$(dirname "$0")/attempt.sh"
mkdir "$work/bin" "$work/tmp" "$work/cache"
cat >"$work/bin/qemu-system-x86_64" <<STANDIN
#!/bin/sh
[ "\$1" != --version ] || { echo 'QEMU emulator version 0.0'; exit; }
if [ -e "$work/old" ]; then
    case "\$*" in *-sandbox*) echo "qemu-system-x86_64: There is no option group 'sandbox'" >&2; exit 1 ;; esac
fi
echo "\$*" >"$work/given"
grep -E '^(NoNewPrivs|CapEff):' /proc/self/status >"$work/privileges"
cat /proc/self/limits >"$work/limits"
echo stands in
exit 1
STANDIN
chmod +x "$work/bin/qemu-system-x86_64"
start() {
    run env PATH="$work/bin:$PATH" TMPDIR="$work/tmp" XDG_CACHE_HOME="$work/cache" timeout 60 "$VMTOLL" lab tcg --case nop --quiet
}

start
refuses "an emulator that ends is told" 3 'stands in'
holds "QEMU is sandboxed" \
    grep -q -e '^-sandbox on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny ' "$work/given"
holds "it gains no privileges" grep -Eq '^NoNewPrivs:[[:space:]]*1' "$work/privileges"
if [ "$(id -u)" -eq 0 ]; then
    holds "it has none of root's" grep -Eq '^CapEff:[[:space:]]*0*$' "$work/privileges"
fi
holds "its memory is limited" grep -Eq '^Max address space +[0-9]' "$work/limits"
holds "its files are limited" grep -Eq '^Max file size +[0-9]' "$work/limits"
holds "it leaves no core" grep -Eq '^Max core file size +0' "$work/limits"

: >"$work/old"
rm -f "$work/given"
start
refuses "one without a sandbox is started all the same" 3 'stands in'
holds "... without being asked for it" sh -c '! grep -q sandbox "$1"' sh "$work/given"

if command -v qemu-system-x86_64 >/dev/null 2>&1; then
    run timeout 120 "$VMTOLL" lab tcg --case nop --quiet --output "$work/result.json"
    is "QEMU works with what is left to it" 0
    # Its filter ends it, and nothing stands behind the attempt; a newer QEMU refuses with EPERM.
    for one in fork execute; do
        if [ -z "$attempt" ]; then
            skip "code in QEMU tries to $one" "no compiler makes the tool here: $(head -n 1 "$work/log")"
            continue
        fi
        attempts qemu-system-x86_64 ATTEMPT_ONLY=$one qemu-system-x86_64 --version
        equals "code in QEMU can $one where there is no sandbox" "$(came_of $one)" "done"
        attempts qemu-system-x86_64 ATTEMPT_ONLY=$one ATTEMPT_ARGUMENT=-sandbox timeout 120 "$VMTOLL" lab tcg --case nop --quiet --output -
        is "it tries to $one in a lab" 0
        came=$(cat "$work/attempts")
        [ "$came" != "$one: EPERM" ] || came="$one: "
        equals "... and that is its end, or refused" "$came" "$one: "
    done
else
    skip "QEMU works with what is left to it" "qemu-system-x86_64 is missing: apt-get install qemu-system-x86"
fi
finish
