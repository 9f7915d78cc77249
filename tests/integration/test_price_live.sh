#!/bin/sh
# vmtoll price --watch on a terminal, --all, --interval: on a machine of QEMU's.
# shellcheck source=tests/integration/tap.sh
. "$(dirname "$0")/tap.sh"
here=$(cd "$(dirname "$0")" && pwd)
qemu=
tidy() {
    [ -z "$qemu" ] || kill "$qemu" 2>/dev/null
    rm -rf "$work"
}
trap tidy EXIT
cd "$work" || exit 1

run "$VMTOLL" price --pid 1 --watch
refuses "without a terminal there is nothing to watch on" 2 'watch is for a terminal.*--interval'
run "$VMTOLL" price --pid 1 --watch --json
refuses "and a format is none" 2 'leave out --format'
run "$VMTOLL" price --pid 1 --seconds 2000 --interval 1
refuses "too many intervals" 2 'more than 1000 intervals'
run "$VMTOLL" price --pid 1 --all
refuses "one machine and all of them" 2 'not several'

command -v python3 >/dev/null 2>&1 || { skip "a machine that runs" "no python3 here" && finish; }
command -v qemu-system-x86_64 >/dev/null 2>&1 || { skip "a machine that runs" "no qemu-system-x86_64 here" && finish; }
# In place of the BIOS: for ever an OUT that user space answers and a CPUID.
dd if=/dev/zero of=rom bs=65536 count=1 2>/dev/null
printf '\372\346\200\017\242\353\372' | dd of=rom conv=notrunc 2>/dev/null
printf '\351\015\000' | dd of=rom bs=1 seek=65520 conv=notrunc 2>/dev/null
qemu-system-x86_64 -machine pc,accel=kvm,kernel-irqchip=on -m 32 -name live -display none -nodefaults -bios rom \
    -qmp unix:vm.sock,server=on,wait=off >qemu.log 2>&1 &
qemu=$!
tries=0 exits=0
while [ $tries -lt 50 ] && [ "$exits" -eq 0 ]; do
    run "$VMTOLL" price --qmp vm.sock --tolls none --seconds 0.1 --json
    grep -q '"per_second": [0-9]*[1-9]' out && exits=1
    tries=$((tries + 1))
    sleep 0.1
done
[ "$exits" -eq 1 ] || { skip "a machine that runs" "none runs under -accel kvm here: $(head -n 1 qemu.log) $(head -n 1 err)" && finish; }

run "$VMTOLL" price --qmp vm.sock --tolls none --seconds 1 --interval 0.2 --json
is "intervals" 0
# Each reading may come between an exit and what it was for: a difference of counters is one off, and never below 0.
holds "... add up to the whole" python3 -c '
import json
d = json.load(open("out"))
parts = d["intervals"]
assert 2 <= len(parts) <= 6 and abs(sum(p["seconds"] for p in parts) - d["seconds"]) < 0.01
for line in d["crossings"]:
    if line["count"] is not None:
        total = sum(p["per_second"][line["reason"]] * p["seconds"] for p in parts)
        assert abs(total - line["count"]) <= 1e-4 * total + 1 + len(parts), line["reason"]'
run "$VMTOLL" price --qmp vm.sock --tolls none --seconds 1 --interval 0.2
has "as text, the calmest and the busiest" '^calmest +0\.[0-9]+ +[0-9]+'

run "$VMTOLL" price --all --tolls none --seconds 0.5 --json
# From 8.1 on QEMU keeps descriptors open; before, it takes root and debugfs: then it is told why it was not read.
if [ "$status" -eq 0 ]; then
    if python3 -c 'import jsonschema' 2>/dev/null; then
        holds "all machines are a document, and each is" python3 -W ignore -c '
import json, jsonschema, sys
check = lambda name, d: jsonschema.Draft202012Validator(json.load(open(f"{sys.argv[1]}/docs/schema/{name}.schema.json"))).validate(d)
d = json.load(open("out"))
check("prices", d)
for machine in d["machines"]:
    check("price", machine)' "$here/../.."
    fi
    holds "all machines, of which one is this" grep -q "\"machine\": \"process $qemu\"" out
    run "$VMTOLL" price --all --tolls none --seconds 0.2
    has "as text, a row or a reason each" "process $qemu(: no statistics| +(-|[0-9]))"
else
    refuses "all machines, of which none may be read" 3 'none of [0-9]+ machines? could be read'
fi
run "$VMTOLL" price --qmp vm.sock --tolls none --seconds 0.2 --format openmetrics
if command -v promtool >/dev/null 2>&1; then
    holds "promtool takes the metrics" sh -c 'promtool check metrics <out'
else
    skip "promtool takes the metrics" "no promtool here"
fi

on_terminal() { run env TERM=xterm python3 "$here/terminal.py" "$@"; }
escape=$(printf '\033')
# What stands before the terminal is left, and what behind.
divide() { awk -v RS="$escape\\\\[\\\\?1049l" 'NR == 1 {print >"shown"} NR == 2 {print >"left"}' out; }

on_terminal 24 80 2.5 resize "$VMTOLL" price --qmp vm.sock --tolls none --watch --interval 0.5
is "a watch on a terminal ends with ^C, and that is no failure" 0
has "... on a screen of its own" "$escape\[\?1049h"
divide
holds "... which is left, and all is told" grep -q 'How it was found' left
equals "... where no line was longer than the screen" "$(sed "s/$escape\[[?0-9;]*[A-Za-z]//g; s/<then>/\n/g; s/·/-/g; s/\r//g" shown left | awk 'length > 80' | head -n 1)" ''
awk -v RS='<then>' 'NR == 2 {printf "%s", $0}' shown >resized
holds "... and a smaller window is filled, and no more" python3 -c '
frames = open("resized", newline="").read().split("\x1b[H")[2:]  # the first may have been on its way
assert frames and all(f.count("\n") <= 9 for f in frames), [f.count("\n") for f in frames]'

on_terminal 24 80 9 interrupt "$VMTOLL" price --qmp vm.sock --tolls none --watch --interval 0.3 --seconds 1
is "a watch of some seconds ends by itself" 0
lacks "... before anybody ends it" '<then>'
run env TERM=dumb python3 "$here/terminal.py" 24 80 9 interrupt "$VMTOLL" price --qmp vm.sock --watch
is "a terminal without a cursor" 2
has "... is told of" 'TERM is dumb'

on_terminal 24 80 1.5 $qemu "$VMTOLL" price --qmp vm.sock --tolls none --watch --interval 0.3
is "a machine that ends while it is shown" 3
has "... leaves the terminal as it was" "$escape\[\?1049l"
divide
holds "... and is told of" grep -q 'ended' left
finish
