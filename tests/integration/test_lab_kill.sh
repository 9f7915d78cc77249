#!/bin/sh
# kill -9 of a lab at any moment: the old file or a whole new one, no emulator, and nothing of it left by the next run.
# seconds: 600
# beside others
# shellcheck source=tests/integration/tap.sh
. "$(dirname "$0")/tap.sh"
# shellcheck source=tests/integration/kill.sh
. "$(dirname "$0")/kill.sh"

run timeout 100 "$VMTOLL" lab tcg --case nop --quiet --output "$work/lab.json"
[ "$status" -eq 0 ] || skip_all "$(head -n 1 "$work/err")"
loads() { "$VMTOLL" report --format csv "$1"; }
kills "lab tcg" 50 lab.json loads "$VMTOLL" lab tcg --case nop --quiet --output "$killed/lab.json"
finish
