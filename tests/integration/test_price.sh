#!/bin/sh
# vmtoll price: command lines, who may not, machines of ours that run under QEMU and under bench, and that end.
# seconds: 300
# shellcheck source=tests/integration/tap.sh
. "$(dirname "$0")/tap.sh"
root=$(cd "$(dirname "$0")/../.." && pwd)
started=
tidy() {
    # shellcheck disable=SC2086
    [ -z "$started" ] || kill $started 2>/dev/null
    rm -rf "$work"
}
trap tidy EXIT
cd "$work" || exit 1

run "$VMTOLL" price
refuses "no machine is named" 2 'price: which machine'
run "$VMTOLL" price --pid 1 --qmp socket
refuses "two are" 2 'not several'
run "$VMTOLL" price --pid 0
refuses "a process that cannot be" 2 'pid'
run "$VMTOLL" price --pid 1 operand
refuses "an operand" 2 'operand'
run "$VMTOLL" price --pid 1 --format csv
refuses "a format there is not" 2 'csv'
run "$VMTOLL" price --pid 1 --tolls missing.json
refuses "tolls that are not there" 2 'missing\.json'
echo '{"schema":"vmtoll.probe/1"}' >probe.json
run "$VMTOLL" price --pid 1 --tolls probe.json
refuses "tolls that are no result" 2 'probe\.json:1'
run "$VMTOLL" price --qmp missing.sock
refuses "a socket that is not there" 3 'cannot connect to missing\.sock: No such file'
run "$VMTOLL" price --qmp /dev/null
refuses "a file that is no socket" 3 'cannot connect'
run "$VMTOLL" price --pid $$ --seconds 0.1
refuses "a process without a machine names what each source said" 3 'descriptor: process [0-9]+ keeps no .*; debugfs: '
sleep 0.01 &
gone=$!
wait $gone
run "$VMTOLL" price --pid $gone --seconds 0.1
refuses "a process that has ended" 3 'descriptor: process [0-9]+ No such process'
program=$(open_program 2>/dev/null)
if can_be_nobody && [ -n "$program" ] && [ "$(id -u)" -eq 0 ]; then
    run as_nobody "$program" price --pid $$ --seconds 0.1
    refuses "nobody may not look into root's process" 3 'does not show its descriptors'
else
    skip "nobody may not look into root's process" "only root can try"
fi

# A document and the page are what they say they are.
looks_right() { # name, document
    if python3 -c 'import jsonschema' 2>/dev/null; then
        holds "$1 is valid by its schema" python3 -W ignore -c '
import json, sys, jsonschema
jsonschema.Draft202012Validator(json.load(open(sys.argv[1]))).validate(json.load(open(sys.argv[2])))' \
            "$root/docs/schema/price.schema.json" "$2"
    else
        skip "$1 is valid by its schema" "no python3 with jsonschema here"
    fi
}

# Anything of a document, as python3 says it: true or false.
says() { # expression in d, document
    python3 -c 'import json, sys
d = json.load(open(sys.argv[2]))
c = {line["reason"]: line["count"] for line in d["crossings"]}
sys.exit(not eval(sys.argv[1]))' "$1" "$2"
}

"$VMTOLL" bench --engine kvm --cpl 0 --budget 4 --quiet --output tolls.json \
    --case 'nop,cpuid,in-user,out-user,out-eventfd,rdmsr-kernel,in-kernel,out-kernel,mmio-read-user,mmio-write-user' 2>err
if ! grep -q '"engine": *"kvm".*"status": *"ok"' tolls.json 2>/dev/null; then
    skip "machines that run" "no guest runs under /dev/kvm here: $(head -n 1 err)"
    finish
fi
command -v python3 >/dev/null 2>&1 || { skip "machines that run" "no python3 here" && finish; }

# bench's own machine, by its process: the descriptor that it keeps open.
"$VMTOLL" bench --engine kvm --budget 60 --quiet >/dev/null 2>&1 &
bench=$!
started="$started $bench"
tries=0 status=1
while [ $tries -lt 20 ] && [ $status -ne 0 ]; do # it makes its machine first, and anew after a case that ends badly
    run "$VMTOLL" price --pid $bench --tolls none --seconds 0.3 --json
    grep -q '"vcpus": 1' out || status=1 # where a second thread makes it noise for a moment
    tries=$((tries + 1))
done
is "bench's machine has a price" 0
cp out bench.json
looks_right "its document" bench.json
holds "it comes from the descriptor" says 'd["source"]["name"] == "descriptor"' bench.json
holds "its thread is known, since there is but one" says 'd["vcpus"] == 1 and d["times"]["run_ns"] > 0' bench.json
holds "without tolls there is no lower bound" says 'd["at_least_share"] is None and d["tolls"] is None' bench.json
kill $bench
wait $bench 2>/dev/null

command -v qemu-system-x86_64 >/dev/null 2>&1 || { skip "a machine of QEMU" "no qemu-system-x86_64 here" && finish; }
# A guest in place of the BIOS: for ever three OUTs that user space answers, one CPUID, one IN of the 8259A's in the kernel.
dd if=/dev/zero of=rom bs=65536 count=1 2>/dev/null
printf '\372\346\200\346\200\346\200\017\242\344\041\353\364' | dd of=rom conv=notrunc 2>/dev/null
printf '\351\015\000' | dd of=rom bs=1 seek=65520 conv=notrunc 2>/dev/null
qemu-system-x86_64 -machine pc,accel=kvm,kernel-irqchip=on -m 32 -name 'a <guest>' -display none -nodefaults -bios rom \
    -qmp unix:vm.sock,server=on,wait=off >qemu.log 2>&1 &
qemu=$!
started="$started $qemu"
tries=0 exits=0
while [ $tries -lt 50 ] && [ "$exits" -eq 0 ]; do
    "$VMTOLL" price --qmp vm.sock --tolls none --seconds 0.1 --json >first.json 2>err
    says 'c["other-user"] and c["other-user"] > 100' first.json 2>/dev/null && exits=1
    tries=$((tries + 1))
    sleep 0.1
done
if [ "$exits" -eq 0 ]; then
    skip "a machine of QEMU" "none runs under -accel kvm here: $(head -n 1 qemu.log) $(head -n 1 err)"
    finish
fi

run "$VMTOLL" price --qmp vm.sock --tolls tolls.json --seconds 1 --json
is "a machine of QEMU" 0
cp out vm.json
looks_right "its document" vm.json
holds "it has the name QEMU gave it" says 'd["machine"] == "a <guest>" and d["source"]["name"] == "qmp"' vm.json
holds "its vCPU's thread is known" says 'd["vcpus"] == 1 and d["times"]["run_ns"] > 0' vm.json
# Three of five crossings of a turn leave the kernel; where KVM interprets, two others of six instructions cross nothing.
holds "the mix is the guest's" says \
    'abs((c["interpreted"] if "interpreted" in c else c["other-kernel"] * 1.5) / c["other-user"] - 1) < 0.1' vm.json
holds "what did not happen is not counted" says 'c["mmio-user"] == 0 and c["hlt"] == 0 and c["hypercall"] == 0' vm.json
# It does nothing but cross: all its time outside the guest is the truth, and the tolls find most of it. Those of a
# busier moment may come to a little more than all of it, which the document then says.
bounded='(0.25 < d["at_least_share"] < 1.2 and d["estimate_share"] <= d["at_most_share"] <= 1 and
    (any("Measure them again" in note for note in d["notes"]) if d["at_least_share"] > d["at_most_share"]
     else d["at_least_share"] <= d["estimate_share"]))'
holds "the truth lies between the bounds" says "$bounded" vm.json
holds "the doorbells are advised against, with what that would save" says \
    'any(a["name"] == "ioeventfd" and 0 < a["saves_share"] <= 1 and a["basis"] == "measured" for a in d["advice"])' vm.json
for format in text markdown html openmetrics; do
    run "$VMTOLL" price --qmp vm.sock --tolls tolls.json --seconds 0.2 --format $format
    is "as $format" 0
    cp out "price.$format"
done
cp price.text out
has "text answers first" '^a <guest>: ([0-9.]+ % to|at most) [0-9.]+ % of its vCPUs. run time is crossing(, about [0-9.]+ %)?[.;]'
cp price.html out
has "the page escapes names" 'a &lt;guest&gt;: '
lacks "... everywhere" 'a <guest>'
cp price.openmetrics out
has "metrics have reason and vm" '^vmtoll_price_crossings_per_second[{]reason="other-user",vm="a <guest>",report="price"[}] [0-9.e+]+$'
equals "... and end" "$(tail -n 1 price.openmetrics)" '# EOF'

# By reason, where it may: of five crossings of a turn three are OUTs and one is a CPUID. The IN is interpreted or an exit.
run "$VMTOLL" price --qmp vm.sock --tolls tolls.json --seconds 1 --reasons --json
if [ "$status" -eq 0 ]; then
    cp out reasons.json
    looks_right "its document by reason" reasons.json
    holds "by reason, the mix is the guest's" says 'abs(c["io-user"] / c["cpuid"] / 3 - 1) < 0.001 and c["io-user"] > 300' reasons.json
    holds "... and what did not happen is not counted" says 'c["mmio-user"] == 0 and c.get("msr-write", 0) == 0' reasons.json
    holds "... between the bounds" says "$bounded" reasons.json
    holds "... at a cost that is measured" says 'd["reasons"]["events"] > 3 and 0 < d["reasons"]["ns_per_exit"] < 1e5' reasons.json
    run "$VMTOLL" price --qmp vm.sock --tolls tolls.json --seconds 0.3 --reasons
    is "... as text" 0
    has "... which says what it cost" 'reasons +[0-9]+ tracepoints that count'
else
    refuses "by reason, who may not is told" 3 'exits by reason: '
fi

run "$VMTOLL" price --qmp vm.sock --seconds 0.5 --json
is "without tolls it measures them" 0
holds "... here, and finds the same" says \
    "d['tolls']['file'] is None and d['tolls']['started'] and $bounded" out
sed 's/"kernel": *"[^"]*"/"kernel": "5.4.0"/' tolls.json >other.json
run "$VMTOLL" price --qmp vm.sock --tolls other.json --seconds 0.1
refuses "tolls of another kernel" 2 "its kernel: 5\.4\.0; here: $(uname -r | sed 's/\./\\./g').*--force"
run "$VMTOLL" price --qmp vm.sock --tolls other.json --seconds 0.1 --force --json
is "... may be forced" 0
holds "... which the document says" says 'd["tolls"]["forced"] and any("forced" in n for n in d["notes"])' out

# By its process: QEMU from 8.1 on keeps descriptors open; before, root has debugfs, where the kernel is not locked down.
if unshare -m mount -t debugfs none /sys/kernel/debug 2>/dev/null; then
    # shellcheck disable=SC2016
    run unshare -m sh -c 'mount -t debugfs none /sys/kernel/debug && exec "$0" "$@"' \
        "$VMTOLL" price --pid $qemu --tolls none --seconds 0.3 --json
    if [ "$status" -eq 0 ]; then
        holds "by its process, it counts the same" says \
            'd["source"]["name"] in ("descriptor", "debugfs") and c["other-user"] > 100 and c["mmio-user"] == 0' out
    else
        refuses "by its process, a kernel that is locked down" 3 'the kernel is locked down'
    fi
else
    skip "by its process" "debugfs cannot be mounted here"
fi

# A monitor serves one at a time.
python3 -c '
import socket, sys, time
s = socket.socket(socket.AF_UNIX); s.connect("vm.sock"); s.recv(999); open("taken", "w"); time.sleep(60)' &
other=$!
started="$started $other"
while [ ! -e taken ] && kill -0 $other 2>/dev/null; do sleep 0.1; done
run "$VMTOLL" price --qmp vm.sock --seconds 0.1
refuses "a monitor that another has" 3 'vm\.sock: no answer: a monitor serves one at a time'
kill $other

# One that comes before the first reading finds nothing to say.
for delay in 3 10 30; do
    run timeout -s INT --preserve-status $delay "$VMTOLL" price --qmp vm.sock --tolls none --seconds 60 --json
    if [ "$status" -ne 130 ] || [ -s out ]; then break; fi
done
is "a watch that a signal ends" 0
holds "... says how long it was" says '0 < d["seconds"] < 60 and c["other-user"] > 0' out

(sleep 1 && kill $qemu) &
run timeout 50 "$VMTOLL" price --qmp vm.sock --seconds 60
refuses "a machine that ends while it is watched" 3 'QEMU closed its monitor: the machine has ended|no longer the machine it was: it ended'
finish
