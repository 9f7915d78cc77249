#!/bin/sh
# Memory that runs out while a lab runs: its counts, or one line and status 3; nothing is left but what the next run sweeps.
# seconds: 1200
# beside others
# shellcheck source=tests/integration/tap.sh
. "$(dirname "$0")/tap.sh"
# shellcheck source=tests/integration/sweep.sh
. "$(dirname "$0")/sweep.sh"

TMPDIR=$work/temporary
export TMPDIR
mkdir "$TMPDIR" "$work/modules" "$work/modules/a" "$work/modules/b"
left() { find "$TMPDIR" -mindepth 1 -maxdepth 1 -name 'vmtoll-*'; }
# The counts are the same in every run; when they were made is not, and what the host is like need not be.
cat >"$work/lasting" <<'F'
#!/bin/sh
sed -E -e '/"warnings": \[/,/\]/d' -e 's/0x[0-9a-f]+/#/g' -e 's/[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]*Z/when/'
F
chmod +x "$work/lasting"

# A folder of modules that has none for this lab: by then all of it was walked, and no emulator runs. The kernel is a header.
for name in x y z; do : >"$work/modules/a/$name.ko" && : >"$work/modules/b/$name.ko"; done
put() { printf %b "$2" | dd of="$work/kernel" bs=1 seek="$1" conv=notrunc status=none; }
put 510 '\0125\0252\0353\0146HdrS\06\02' && put 8191 x
run "$VMTOLL" lab svm --kernel "$work/kernel" --modules "$work/modules" --case nop
if [ "$status" -eq 2 ]; then
    has "a folder of modules is looked through" 'it holds no kvm' err
    both "a folder of modules" -x 2 -- lab svm --kernel "$work/kernel" --modules "$work/modules" --case nop
else
    skip "a folder of modules" "$(head -n 1 "$work/err")"
fi

for lab in tcg svm; do
    run timeout 300 "$VMTOLL" lab $lab --case nop --quiet --output -
    if [ "$status" -ne 0 ]; then
        skip "lab $lab" "$(head -n 1 "$work/err")"
        continue
    fi
    # What comes before the emulator costs little, what comes behind it a boot.
    if [ $lab = tcg ]; then few=1000 more=0; else few=20 more=12; fi
    sweep "lab $lab" -r -p "$work/lasting" -f $few -s $more -- lab $lab --case nop --quiet --output -
    run timeout 300 "$VMTOLL" lab $lab --case nop --quiet --output -
    is "lab $lab afterwards" 0
    equals "... leaves nothing" "$(left)" ''
done
finish
