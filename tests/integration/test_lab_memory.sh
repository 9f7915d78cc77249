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

# An emulator that answers as the one of an ordinary run did, and takes hardly any memory itself: so each allocation of the
# program's is reached, also those behind the emulator, and none takes a boot.
emulator=$(command -v qemu-system-x86_64)
mkdir "$work/bin" "$work/record"
cat >"$work/bin/qemu-system-x86_64" <<F
#!/bin/sh
case " \$* " in
*" -kernel "*) ;;
*) exec "$emulator" "\$@" ;;
esac
if [ -s "$work/record/link" ]; then exec cp "$work/record/link" "$work/record/console" .; fi
for name in link console; do : >\$name && ln -f \$name "$work/record/"; done # it is ended as soon as it has said all
exec "$emulator" "\$@"
F
chmod +x "$work/bin/qemu-system-x86_64"

for lab in tcg svm; do
    run timeout 300 "$VMTOLL" lab $lab --case nop --quiet --output -
    if [ "$status" -ne 0 ]; then
        skip "lab $lab" "$(head -n 1 "$work/err")"
        continue
    fi
    "$work/lasting" <"$work/out" >"$work/expected"
    if [ $lab = tcg ]; then
        PATH=$work/bin:$PATH run timeout 300 "$VMTOLL" lab tcg --case nop --quiet --output -
        holds "a record is taken" test -s "$work/record/link" -a -e "$work/record/console"
        PATH=$work/bin:$PATH run timeout 300 "$VMTOLL" lab tcg --case nop --quiet --output -
        equals "an emulator that answers from a record" "$("$work/lasting" <"$work/out")" "$(cat "$work/expected")"
        charts=$work/bin:$PATH sweep "lab tcg, answered from a record" -r -p "$work/lasting" -f 1000 -s 200 -- lab tcg --case nop --quiet --output -
    fi
    # Each of these is a boot.
    sweep "lab $lab" -r -p "$work/lasting" -f 20 -s 12 -- lab $lab --case nop --quiet --output -
    run timeout 300 "$VMTOLL" lab $lab --case nop --quiet --output -
    is "lab $lab afterwards" 0
    equals "... leaves nothing" "$(left)" ''
done
finish
