#!/bin/sh
# What goes wrong around a lab: one clear line, the right status, nothing left behind.
# seconds: 1500
# beside others
. "$(dirname "$0")/tap.sh"

command -v qemu-system-x86_64 >/dev/null 2>&1 || skip_all "qemu-system-x86_64 is missing: apt-get install qemu-system-x86"
mkdir "$work/tmp" "$work/empty" "$work/bin" "$work/builtin"
printf 'kernel/arch/x86/kvm/%s.ko\n' kvm kvm-amd kvm-intel >"$work/builtin/modules.builtin"
export TMPDIR="$work/tmp"
export HOME="${HOME:-$work}" # where the cache and its logs go

clean() { # what happened
    holds "$1: nothing temporary is left" test -z "$(ls "$TMPDIR")"
    holds "$1: no process is left" test -z "$(readlink /proc/[0-9]*/cwd 2>/dev/null | grep "$work/tmp")"
}

# Stands for the emulator: does what the test needs, with the machine's files in its folder.
fake() { # shell commands
    # shellcheck disable=SC2016
    printf '#!/bin/sh\n[ "$1" = --version ] && exec echo "QEMU emulator version 0"\n%s\n' "$1" >"$work/bin/qemu-system-x86_64"
    chmod +x "$work/bin/qemu-system-x86_64"
}
with_fake() {
    run env PATH="$work/bin:$PATH" "$@"
}

# What the boot protocol of Linux wants of a bzImage for 64 bits, and no kernel behind it.
poke() { # file, offset, bytes for printf
    # shellcheck disable=SC2059
    printf "$3" | dd of="$1" bs=1 seek="$2" conv=notrunc 2>"$work/log"
}
head -c 4096 /dev/zero >"$work/kernel"
poke "$work/kernel" 497 '\001'
poke "$work/kernel" 510 '\125\252'
poke "$work/kernel" 514 'HdrS\017\002'
poke "$work/kernel" 566 '\001'

# Command line
run "$VMTOLL" lab
refuses "no lab named" 2 "missing"
run "$VMTOLL" lab smv
refuses "a misspelt lab" 2 "did you mean 'svm'"
run "$VMTOLL" lab svm --case cpuuid
refuses "a misspelt case costs no boot" 2 "did you mean 'cpuid'"
run "$VMTOLL" lab svm --kernel /boot/vmlinuz
refuses "a kernel without its modules" 2 "go together"
run "$VMTOLL" lab svm --kernel "$work/none" --modules "$work/builtin"
refuses "a kernel that is not there" 2 "cannot read the kernel"
for option in "--kernel a --modules b" "--cpl 3" "--append nosmt" "--param kvm.a=1"; do
    for lab in xen tcg; do
        # shellcheck disable=SC2086
        run "$VMTOLL" lab $lab $option
        refuses "lab $lab does not pass over $option" 2 "lab $lab: ${option%% *} .*for svm, svm-bochs and vmx"
    done
done
run "$VMTOLL" lab svm --append 'quiet; reboot'
refuses "words that a boot loader would obey" 2 "lab svm: --append: byte 6 .0x3b. is not for"
run "$VMTOLL" lab vmx --append 'rdinit=/bin/sh'
refuses "words that are the lab's own" 2 "'rdinit' is the lab's own word"
run "$VMTOLL" lab svm --param npt=0
refuses "a parameter of no module" 2 "MODULE.NAME=VALUE, not 'npt=0'"
run "$VMTOLL" lab svm --param kvm_amd.npt=0 --param kvm_intel.ept=0
refuses "a parameter of another processor's module" 2 "'kvm_intel' is no module of this lab"
for lab in svm xen tcg bochs; do
    run "$VMTOLL" lab $lab --smp 2
    refuses "more than one processor where there is one: $lab" 2 "lab $lab: --smp is for svm-bochs and vmx; QEMU"
done
run "$VMTOLL" lab vmx --smp 9
refuses "more processors than a lab has" 2 "takes 1 to 8"
for lab in svm-bochs xen tcg bochs; do
    run "$VMTOLL" lab $lab --depth 2
    refuses "a hypervisor in a hypervisor where none starts: $lab" 2 "lab $lab: --depth 2 is for svm and vmx"
done
run "$VMTOLL" lab vmx --depth 2 --profile
refuses "a profile of two hypervisors where they cannot be told apart" 2 "lab vmx: --profile with --depth 2 is for svm, whose emulator"
run "$VMTOLL" lab svm --depth 3
refuses "deeper than two" 2 "takes 1 to 2"
run "$VMTOLL" lab svm --hypervisor "$work/none"
refuses "a hypervisor where the kernel is one" 2 "lab svm: --hypervisor is for xen"
run "$VMTOLL" lab xen --hypervisor "$work/none"
refuses "a hypervisor that is not there" 2 "cannot read the hypervisor '$work/none': No such file"
run "$VMTOLL" lab inside
refuses "the inner part outside of a machine" 2 "first process"
run "$VMTOLL" lab tcg --output "$work/none/result.json"
refuses "an output folder that is not there" 3 "folder does not exist"

# The emulator
run env PATH=/nonexistent "$VMTOLL" lab svm
refuses "no emulator" 3 "qemu-system-x86_64 is missing: install it with: apt-get install qemu-system-x86"
run env PATH=/nonexistent "$VMTOLL" lab vmx
refuses "no Bochs" 3 "bochs is missing"
fake 'exit 1'
run env PATH="$work/bin" "$VMTOLL" lab svm
refuses "no apt, and a kernel to find" 3 "apt-get is missing: on a system that is not Debian give --kernel"
run env PATH="$work/bin" "$VMTOLL" lab xen
refuses "no apt, and a hypervisor to find" 3 "apt-get is missing: on a system that is not Debian give .*xen: --hypervisor FILE"
rm "$work/bin/qemu-system-x86_64"

# What cannot be booted is said before anything is started.
fake 'touch ../../booted; exec sleep 60'
bad_kernel() { # what, expression, [lab]
    with_fake timeout 20 "$VMTOLL" lab "${3:-svm}" --kernel "$work/other" --modules "$work/builtin"
    refuses "$1" 2 "$2"
}
echo kernel >"$work/other"
bad_kernel "a kernel that is none" "cannot boot '.*/other': it is no kernel for x86: give a bzImage"
: >"$work/other"
bad_kernel "an empty kernel" "no kernel for x86"
cp "$work/kernel" "$work/other"
poke "$work/other" 500 '\000\001'
bad_kernel "a kernel that is cut off" "it is cut off"
cp "$work/kernel" "$work/other"
poke "$work/other" 566 '\000'
bad_kernel "a kernel for 32 bits" "for 32 bits"
cp "$(command -v sh)" "$work/other"
bad_kernel "a program as a kernel" "an ELF file without a PVH entry"
rm "$work/other"
mkdir "$work/other"
bad_kernel "a folder as a kernel" "it is a folder"
rmdir "$work/other"
mkfifo "$work/other"
bad_kernel "a pipe as a kernel" "it is a pipe"
rm "$work/other"
echo hypervisor >"$work/other"
with_fake timeout 20 "$VMTOLL" lab xen --hypervisor "$work/other"
refuses "a hypervisor that is none" 2 "cannot boot '.*/other': it is no multiboot image"
rm "$work/other"
mkfifo "$work/other"
with_fake timeout 20 "$VMTOLL" lab xen --hypervisor "$work/other"
refuses "a pipe as a hypervisor" 2 "it is a pipe"
modules() { # what, status, expression: of the folder $work/modules
    with_fake timeout 20 "$VMTOLL" lab svm --limit 10 --kernel "$work/kernel" --modules "$work/modules"
    refuses "$1" "$2" "$3"
}
mkdir "$work/modules"
modules "a folder without a KVM module" 2 "has no KVM for this lab: it holds no kvm-amd.ko"
printf '\177ELF\002 depends=kvm\n' | tr '\n ' '\000\000' >"$work/modules/kvm-amd.ko"
modules "a module whose others are missing" 2 "holds no kvm.ko, and kvm-amd.ko does not load without it"
mkfifo "$work/modules/kvm.ko"
modules "a pipe as a module" 2 "cannot read the module '.*kvm.ko': it is a pipe"
rm "$work/modules/kvm.ko"
ln -s /dev/zero "$work/modules/kvm.ko"
modules "a device as a module" 2 "it is a device"
rm "$work/modules/kvm.ko"
printf '\177ELF\002 depends=\n' | tr '\n ' '\000\000' >"$work/plain"
mkdir "$work/modules/a" "$work/modules/b"
cp "$work/plain" "$work/modules/a/kvm.ko"
(cat "$work/plain" && echo of-folder-b) >"$work/modules/b/kvm.ko"
modules "two files of one module" 2 "two files of the module kvm: '.*/a/kvm.ko' and '.*/b/kvm.ko'"
holds "nothing was started for any of them" test ! -e "$work/booted"
clean "what cannot be booted"
boots() { # what, folder: the machine gets the modules there
    # shellcheck disable=SC2016
    fake 'cp initrd "$BOOTED"; exit 1'
    rm -f "$work/initrd"
    BOOTED="$work/initrd" with_fake "$VMTOLL" lab svm --kernel "$work/kernel" --modules "$2"
    refuses "$1" 3 "ended with status 1"
    holds "$1: it is in the machine" grep -qa 'modules/00-kvm.ko' "$work/initrd"
}
echo 'b/kvm.ko:' >"$work/modules/modules.dep"
boots "modules.dep decides which of two files" "$work/modules"
holds "it is the one in modules.dep" grep -qa of-folder-b "$work/initrd"
cp "$work/plain" "$work/modules/b/kvm.ko"
rm "$work/modules/modules.dep"
boots "two copies of one file are one" "$work/modules"
ln -s modules "$work/link"
boots "a link to a folder" "$work/link"
mkdir "$work/farm" "$work/farm/sub"
ln -s "$work/modules/kvm-amd.ko" "$work/farm/kvm-amd.ko"
ln -s "$work/modules/a" "$work/farm/sub/a"
ln -s . "$work/farm/sub/loop"
boots "a folder of links" "$work/farm"
mkdir "$work/farm/tree"
(cat "$work/plain" && echo unstripped) >"$work/farm/tree/kvm.ko"
mv "$work/farm/tree" "$work/tree"
ln -s "$work/tree" "$work/farm/build"
boots "the link to what modules were built from is not followed" "$work/farm"
rm "$work/modules/a/kvm.ko" "$work/modules/b/kvm.ko"
printf 'kernel/arch/x86/kvm/kvm.ko\n' >"$work/modules/modules.builtin"
fake 'exit 1'
with_fake "$VMTOLL" lab svm --kernel "$work/kernel" --modules "$work/modules"
refuses "a module that modules.builtin names is no lack" 3 "ended with status 1"

# Unpacking is bounded, ends with --limit, and a full disk is not the module's fault.
if command -v gzip >/dev/null 2>&1; then
    rm "$work/modules/modules.builtin"
    mkdir "$work/slow"
    printf '#!/bin/sh\nexec sleep 60\n' >"$work/slow/gzip"
    chmod +x "$work/slow/gzip"
    gzip -c "$work/plain" >"$work/modules/kvm.ko.gz"
    run env PATH="$work/slow:$work/bin:$PATH" timeout 20 "$VMTOLL" lab svm --limit 2 --kernel "$work/kernel" --modules "$work/modules"
    refuses "--limit covers unpacking" 3 "no result within 2 s while unpacking"
    clean "--limit covers unpacking"
    run timeout -s TERM 2 env PATH="$work/slow:$work/bin:$PATH" "$VMTOLL" lab svm --kernel "$work/kernel" --modules "$work/modules"
    holds "^C covers unpacking" grep -q 'interrupted while unpacking' "$work/err"
    clean "^C covers unpacking"
    printf '#!/bin/sh\necho "gzip: kvm.ko: No space left on device"\nexit 1\n' >"$work/slow/gzip"
    run env PATH="$work/slow:$work/bin:$PATH" "$VMTOLL" lab svm --kernel "$work/kernel" --modules "$work/modules"
    refuses "a small TMPDIR" 3 "cannot unpack '.*kvm.ko.gz': No space left on device .see TMPDIR"
    rm "$work/modules/kvm.ko.gz"
else
    skip "unpacking" "gzip is missing: apt-get install gzip"
fi
fake 'echo "[    1.0] Kernel panic - not syncing: it is a test" >console; exec sleep 60'
with_fake "$VMTOLL" lab svm --kernel "$work/kernel" --modules "$work/builtin"
refuses "a panic" 3 "panicked while booting; it said last: .*not syncing: it is a test; full log: "
clean "a panic"
fake 'echo "@error 3 the module kvm.ko does not load: it is a test" >link; exec sleep 60'
with_fake "$VMTOLL" lab svm --limit 3 --kernel "$work/kernel" --modules "$work/builtin"
refuses "a machine that speaks and then is silent" 3 "no result within 3 s while booting"
fake 'printf "@stage loading kvm.ko\n@error 3 the module kvm.ko does not load: it is a test\n@end\n" >link; exec sleep 60'
with_fake "$VMTOLL" lab svm --kernel "$work/kernel" --modules "$work/builtin"
refuses "a module that does not load" 3 "lab svm: the module kvm.ko does not load: it is a test; full log: "
clean "a module that does not load"
fake 'printf "@result 5000\n{\"schema\"" >link'
with_fake "$VMTOLL" lab svm --kernel "$work/kernel" --modules "$work/builtin"
refuses "a result that is cut off" 3 "ended with status 0"
fake 'printf "@result 9\n{\"a\": 1}\n\n@end\n" >link; exec sleep 60'
with_fake "$VMTOLL" lab svm --kernel "$work/kernel" --modules "$work/builtin"
refuses "a result that is none" 2 "expected"
fake 'printf "@result 99999999999\n" >link; exec sleep 60'
with_fake "$VMTOLL" lab svm --kernel "$work/kernel" --modules "$work/builtin"
refuses "a size nobody believes" 4 "makes no sense"
fake 'printf "@row cpuid plain ok 0 1 1\n@end\n" >link; exec sleep 60'
with_fake "$VMTOLL" lab tcg
refuses "a row that makes no sense" 4 "makes no sense"
said() { # what, status, expression, lab with options; the machine's words are in $work/words
    what=$1 wanted=$2 expected=$3
    shift 3
    # shellcheck disable=SC2016
    fake 'cat "$WORDS" >link; exec sleep 60'
    WORDS="$work/words" with_fake timeout 60 "$VMTOLL" lab "$@"
    refuses "$what" "$wanted" "$expected"
}
row='@row cpuid plain ok 100 231 200 231 200 231 200 231 200 231 200 231 200 231 200'
echo @end >"$work/words"
said "an end without rows" 3 "says that it is done, without a row for cpuid" tcg --case cpuid
said "an end without all rows" 3 "without a row for .* and others" tcg
said "an end without a document" 3 "says that it is done, and sent no result" svm --kernel "$work/kernel" --modules "$work/builtin"
printf '%s\n' "$row" "$row" @end >"$work/words"
said "a row twice" 4 "makes no sense" tcg --case cpuid
printf '%s\n' "$row" @end >"$work/words"
said "a row that nobody asked for" 4 "makes no sense" tcg --case nop
yes "$row" | head -n 500000 >"$work/words"
said "rows without end" 4 "makes no sense" tcg --case cpuid
head -c 70000000 /dev/zero | tr '\000' x >"$work/words"
said "a line without end" 4 "makes no sense" tcg --case cpuid
document='{"schema": "vmtoll.result/1", "measurements": []}'
printf '@result %s\n%s@end\n' "${#document}" "$document" >"$work/words"
said "a document without rows" 3 "without a row for" svm --kernel "$work/kernel" --modules "$work/builtin"
document='{"schema": "vmtoll.result/1", "measurements": [{"case": "nop", "engine": "svm", "path": "hardware", "cpl": 0, "status": "ok", "toll": {"median": 1}}]}'
printf '@result %s\n%s@end\n' "${#document}" "$document" >"$work/words"
said "a row of another depth" 3 "sent a row for nop of depth 1, not 2" svm --depth 2 --case nop --kernel "$work/kernel" --modules "$work/builtin"
# A title, a cleared screen, the first of C1, a text turned round, no UTF-8.
printf '@stage \033]0;title\007\302\233 2J\342\200\256gpj\377\n' >"$work/words"
said "words that a terminal would obey" 3 "while [?]]0;title[?]{3} 2J[?]{3}gpj[?];" tcg --limit 2
printf '%s\n@row nop plain unsupported \377\033c\342\200\213why\n@end\n' "$row" >"$work/words"
# shellcheck disable=SC2016
fake 'cat "$WORDS" >link; exec sleep 60'
WORDS="$work/words" with_fake "$VMTOLL" lab tcg --case cpuid,nop --quiet --output "$work/said.json"
is "a reason of any bytes is taken" 0
holds "it is cleaned, not lost" grep -q '"[?]*c[?]*why"' "$work/said.json"
fake 'printf "\033]52;c;YQ==\007\n" >console; exit 3'
with_fake "$VMTOLL" lab tcg
refuses "a console that a terminal would obey" 3 "it said last: [?]]52;c;YQ==[?]"
fake 'head -c 20000000 /dev/zero >console; exec sleep 60'
with_fake timeout 60 "$VMTOLL" lab tcg
refuses "a console without end" 3 "wrote more than 16 MiB to its console"
fake 'printf "x\000y\nKernel panic - not syncing: behind a zero\n.\n" >console; exec sleep 60'
with_fake timeout 60 "$VMTOLL" lab svm --kernel "$work/kernel" --modules "$work/builtin"
refuses "a panic behind a zero byte" 3 "panicked while booting; it said last: .*behind a zero"
clean "words of a machine that lies"

# A case that does not return, or ends the machine, costs that case. The machine that runs again is
# told of the cases behind it alone: 1 is nop, 2 is cpuid.
lost() { # what, status of the row, how the first machine ends
    fake "if [ -e ../../again ]; then printf '%s\n@end\n' \"\$ROW\" >link; exec sleep 60; fi
touch ../../again; printf '@stage measuring\n@case 1 2 %s\n' \"\$FIRST\" >link; $3"
    rm -f "$work/again"
    FIRST=$first ROW=$second with_fake timeout 60 "$VMTOLL" lab tcg --case cpuid,nop --limit 9 --quiet --output "$work/lost.json"
    is "$1" 1
    holds "$1: its row says so" jq -e --arg name "$first" --arg status "$2" '[.measurements[] | select(.case == $name and .status == $status and (.reason | test("started again")))] | length == 1' "$work/lost.json"
    holds "$1: the other case is measured" jq -e --arg name "$first" '[.measurements[] | select(.case != $name and .status == "ok")] | length == 1' "$work/lost.json"
}
# The same with Linux: what is lost is a row, and the plan in the machine that runs again names it.
lost_row() { # what, its status, why, how the first machine ends
    fake "if [ -e ../../again ]; then cp initrd ../../initrd; cat \"\$WORDS\" >link; exec sleep 60; fi
touch ../../again; printf '@stage measuring\\n@case 2 3 cpuid\\n' >link; $4"
    rm -f "$work/again" "$work/initrd"
    WORDS="$work/words" with_fake timeout 60 "$VMTOLL" lab svm --kernel "$work/kernel" --modules "$work/builtin" --case cpuid,nop --limit 9 --quiet --output "$work/lost.json"
    is "$1" 1
    holds "$1: the next machine is told" grep -qaE "^lost=2 $2 .*$3.*started again" "$work/initrd"
    holds "$1: the other row is there" jq -e '[.measurements[] | select(.case == "nop" and .status == "ok")] | length == 1' "$work/lost.json"
}
if command -v jq >/dev/null 2>&1; then
    first=$("$VMTOLL" list cases | awk '$1 == "cpuid" || $1 == "nop" { print $1; exit }')
    second=$(echo "$row" | sed "s/cpuid/$([ "$first" = cpuid ] && echo nop || echo cpuid)/")
    lost "a case that does not return" timeout 'exec sleep 60'
    lost "a case that ends the machine" failed 'exit 0'
    clean "a lost case"
    document='{"schema": "vmtoll.result/1", "measurements": [{"case": "nop", "engine": "svm", "path": "hardware", "cpl": 0, "status": "ok", "toll": {"median": 1}},
{"case": "cpuid", "engine": "svm", "path": "hardware", "cpl": 0, "status": "failed"}]}'
    printf '@result %s\n%s@end\n' "${#document}" "$document" >"$work/words"
    lost_row "a row of Linux that does not return" timeout "nothing came for 3 s" 'exec sleep 60'
    lost_row "a row of Linux that ends the machine" failed "ended with status 0" 'exit 0'
    lost_row "a row in which Linux panics" failed "panicked; it said last: .*it is a test" \
        'echo "[    1.0] Kernel panic - not syncing: it is a test" >console; exec sleep 60'
    # What was measured before is not asked again, and comes from the machine that ended.
    made='{"measurements": [{"case": "nop", "engine": "svm", "path": "hardware", "cpl": 0, "status": "ok", "toll": {"median": 1}}]}'
    document='{"schema": "vmtoll.result/1", "measurements": [
{"case": "nop", "engine": "svm", "path": "hardware", "cpl": 0, "status": "failed", "reason": "measured by an earlier run of the machine"},
{"case": "thousand", "engine": "svm", "path": "hardware", "cpl": 0, "status": "failed", "reason": "measured by an earlier run of the machine"},
{"case": "cpuid", "engine": "svm", "path": "hardware", "cpl": 0, "status": "failed"}]}'
    printf '@result %s\n%s@end\n' "${#document}" "$document" >"$work/words"
    # shellcheck disable=SC2016
    fake 'if [ -e ../../again ]; then cp initrd ../../initrd; cat "$WORDS" >link; exec sleep 60; fi
touch ../../again; printf "@stage measuring\n@measured %s\n%s@case 2 3 cpuid\n" "${#MADE}" "$MADE" >link; exit 7'
    rm -f "$work/again" "$work/initrd"
    MADE="$made" WORDS="$work/words" with_fake timeout 60 "$VMTOLL" lab svm --kernel "$work/kernel" --modules "$work/builtin" --case cpuid,nop,thousand --limit 9 --quiet --output "$work/lost.json"
    is "rows that were measured before the machine ended" 1
    holds "they are not asked again" grep -qa '^before=2$' "$work/initrd"
    equals "they are kept" "$(jq -c '[.measurements[] | [.case, .status, .toll.median]]' "$work/lost.json")" \
        '[["nop","ok",1],["thousand","failed",null],["cpuid","failed",null]]'
    # shellcheck disable=SC2016
    fake 'echo run >>../../runs; printf "@stage measuring\n@case 2 3 cpuid\n" >link; exit 7'
    with_fake timeout 60 "$VMTOLL" lab svm --kernel "$work/kernel" --modules "$work/builtin" --case cpuid,nop
    refuses "a row that ends the machine even where it is left out" 3 "ended with status 7 while measuring cpuid .2 of 3."
    equals "it is not tried for ever" "$(wc -l <"$work/runs")" 2
    # shellcheck disable=SC2016
    fake 'echo run >>../../runs; printf "@stage measuring\n@case %s 99 cpuid\n" "$(wc -l <../../runs)" >link; exit 7'
    rm "$work/runs"
    with_fake timeout 60 "$VMTOLL" lab svm --kernel "$work/kernel" --modules "$work/builtin" --case cpuid,nop
    refuses "a machine that ends in every row" 3 "ended with status 7 while measuring cpuid .17 of 99."
    clean "a row of Linux"
else
    skip "a lost case" "jq is missing: apt-get install jq"
fi
# nohup(1) has SIGHUP ignored, and it stays so.
fake 'sleep 3; exit 7'
(trap '' HUP; exec env PATH="$work/bin:$PATH" "$VMTOLL" lab tcg) >"$work/out" 2>"$work/err" &
sleep 1
kill -HUP $!
wait $!
status=$?
refuses "SIGHUP under nohup ends nothing" 3 "ended with status 7"
clean "words that make no sense"

# Interruption
# Until the emulator is there, and a second more for what it wrote to be read.
reached() {
    while [ ! -e "$work/reached" ] && kill -0 "$1" 2>/dev/null; do sleep 0.1; done
    rm -f "$work/reached"
    sleep 1
}
fake 'touch ../../reached; exec sleep 60'
env PATH="$work/bin:$PATH" "$VMTOLL" lab svm --kernel "$work/kernel" --modules "$work/builtin" >"$work/out" 2>"$work/err" &
reached $!
kill -TERM $!
wait $!
status=$?
refuses "interrupted" 1 "interrupted while booting"
clean "interrupted"
fake 'printf "@stage measuring\n@case 3 9 cpuid\n" >link; touch ../../reached; exec sleep 60'
env PATH="$work/bin:$PATH" "$VMTOLL" lab svm --kernel "$work/kernel" --modules "$work/builtin" >"$work/out" 2>"$work/err" &
reached $!
kill -INT $!
kill -TERM $!
wait $!
status=$?
refuses "interrupted while measuring" 1 "interrupted while measuring"
clean "interrupted while measuring"

# ^C typed at a terminal, while the emulators really run.
await() { # command...
    turns=300
    while ! "$@" >/dev/null 2>&1; do
        turns=$((turns - 1))
        [ "$turns" -gt 0 ] || return 1
        sleep 0.1
    done
}
within_machine() { # command that succeeds in the machine's folder
    for machine in "$TMPDIR"/*; do
        (cd "$machine" && eval "$1") && return
    done
}
press() { # lab with options
    rm -f "$work/keyboard"
    mkfifo "$work/keyboard"
    SHELL=/bin/sh script -qec "cd '$work' && exec '$VMTOLL' lab $* >'$work/out' 2>'$work/err'" /dev/null <"$work/keyboard" >/dev/null 2>&1 &
    exec 3>"$work/keyboard"
    await within_machine "$moment" || echo "# $interruption: it never came to that"
    display=$(tail -qn 1 "$TMPDIR"/*/screen 2>/dev/null)
    (trap '' PIPE; printf '\003' >&3) 2>/dev/null
    exec 3>&-
    wait $!
    status=$?
}
interrupt() { # when, its words in the message, shell commands that find out, lab with options
    interruption="^C $1"
    words=$2
    moment=$3
    shift 3
    if ! command -v script >/dev/null 2>&1; then
        skip "$interruption" "script is missing: apt-get install bsdutils"
        return
    fi
    tries=0
    while press "$@" && [ "$status" -eq 0 ] && [ $tries -lt 5 ]; do # the machine was faster than the key
        tries=$((tries + 1))
    done
    if grep -q 'is missing: install it' "$work/err"; then
        skip "$interruption" "$(cat "$work/err")"
        return
    fi
    refuses "$interruption" 1 "interrupted while $words"
    clean "$interruption"
    [ -z "$display" ] || holds "$interruption: no socket of an X server is left" test ! -e "/tmp/.X11-unix/X$display"
}
interrupt "while tcg measures" measuring "grep -q '^@case' link" tcg
printf '#!/bin/sh\nexec sleep 60\n' >"$work/bin/grub-mkimage"
chmod +x "$work/bin/grub-mkimage"
path=$PATH PATH=$work/bin:$PATH
interrupt "while a boot disc is made" "making a boot disc" "test -e disc/initrd" vmx --kernel kernel --modules builtin
PATH=$path
rm "$work/bin/grub-mkimage"
interrupt "while Bochs boots" booting "test -e bochs.log" vmx --kernel kernel --modules builtin

# No guest of KVM's enters on every model of every Bochs.
# shellcheck disable=SC2016
printf '#!/bin/sh\n[ "$1" = --help ] && exec echo "      Bochs x86 Emulator $BOCHS"\ncp bochsrc "$KEPT"\nexit 1\n' >"$work/bin/bochs"
chmod +x "$work/bin/bochs"
for bochs in 2.7:corei7_skylake_x 3.0:broadwell_ult 3.1:broadwell_ult; do
    BOCHS=${bochs%:*} KEPT="$work/bochsrc" with_fake timeout 40 "$VMTOLL" lab vmx --kernel "$work/kernel" --modules "$work/builtin"
    if grep -q 'is missing: install it' "$work/err"; then
        skip "the model for Bochs ${bochs%:*}" "$(cat "$work/err")"
    else
        holds "the model for Bochs ${bochs%:*}" grep -q "^cpu: model=${bochs#*:}, " "$work/bochsrc"
    fi
done

# Bochs 3.0 begins in its debugger when it is told, and earlier ones do not know the word.
printf '#!/bin/sh\necho 99\nexec sleep 60\n' >"$work/bin/Xvfb"
chmod +x "$work/bin/Xvfb"
# shellcheck disable=SC2016
printf '#!/bin/sh\n[ "$1" = --help ] && exec echo "Usage: bochs [flags]  -q  quick start  $KNOWN  start"\necho "$*" >"$KEPT"\nexit 1\n' >"$work/bin/bochs"
chmod +x "$work/bin/bochs"
for bochs in '-debugger --profile' '-debugger' '-dbglog --profile' '-debuggery --profile'; do
    want='-rc debugger$'
    [ "$bochs" = '-debugger --profile' ] && want='-rc debugger -debugger$'
    # shellcheck disable=SC2086
    KNOWN=${bochs%% *} KEPT="$work/called" with_fake timeout 40 "$VMTOLL" lab vmx ${bochs#"${bochs%% *}"} \
        --kernel "$work/kernel" --modules "$work/builtin"
    if grep -q 'is missing: install it' "$work/err"; then
        skip "a Bochs that knows $bochs" "$(cat "$work/err")"
    else
        holds "a Bochs that knows ${bochs%% *}, ${bochs#"${bochs%% *}"}: called with $want" grep -qE -- "$want" "$work/called"
    fi
    rm -f "$work/called"
done
rm "$work/bin/Xvfb"

# Bochs waits at its screen when it has panicked.
# shellcheck disable=SC2016
printf '#!/bin/sh\n[ "$1" = --help ] && exit\necho "00p[MEM0  ] >>PANIC<< ROM: it is a test" >bochs.log\nexec sleep 60\n' >"$work/bin/bochs"
chmod +x "$work/bin/bochs"
with_fake timeout 40 "$VMTOLL" lab vmx --kernel "$work/kernel" --modules "$work/builtin"
if grep -q 'is missing: install it' "$work/err"; then
    skip "Bochs itself panics" "$(cat "$work/err")"
else
    refuses "Bochs itself panics" 3 "the emulator itself panicked while booting; it said last: ROM: it is a test; full log: "
    clean "Bochs itself panics"
fi
# shellcheck disable=SC2016
printf '#!/bin/sh\n[ "$1" = --help ] && exit\necho "01269086853w[CPU0  ] [CPU0] HLT instruction with IF=0!" >bochs.log\nexec sleep 60\n' >"$work/bin/bochs"
with_fake timeout 40 "$VMTOLL" lab vmx --kernel "$work/kernel" --modules "$work/builtin"
rm "$work/bin/bochs"
if grep -q 'is missing: install it' "$work/err"; then
    skip "a machine that halts for good" "$(cat "$work/err")"
else
    refuses "a machine that halts for good" 3 "the machine halted with interrupts off while booting"
    clean "a machine that halts for good"
    # shellcheck disable=SC2016
    printf '#!/bin/sh\n[ "$1" = --help ] && exec echo "      Bochs x86 Emulator 3.1"\necho "01269086853w[CPU0  ] [CPU0] HLT instruction with IF=0!" >bochs.log\nexec sleep 60\n' >"$work/bin/bochs"
    chmod +x "$work/bin/bochs"
    with_fake timeout 40 "$VMTOLL" lab vmx --kernel "$work/kernel" --modules "$work/builtin"
    rm "$work/bin/bochs"
    refuses "a Bochs that divides wrongly" 3 "install Bochs 3.0, docs/LAB.md tells how.* while booting"
fi

# Kernels that earlier runs have left in the cache, with a module of which one instruction is another now: as
# a developer's own would be that fails, and without the signature that it would break.
package=$(find "${XDG_CACHE_HOME:-$HOME/.cache}/vmtoll" -maxdepth 1 -name 'linux-image-*' 2>/dev/null | head -n 1)
kernel=$(find "$package" -type f -name 'vmlinuz*' 2>/dev/null | head -n 1)
copy_modules() {
    rm -rf "$work/broken"
    mkdir "$work/broken"
    find "$package" \( -name 'kvm.ko*' -o -name 'irqbypass.ko*' -o -name 'kvm-amd.ko*' -o -name 'kvm-intel.ko*' -o -name 'ccp.ko*' \) -exec cp {} "$work/broken/" \;
    find "$work/broken" -name '*.xz' -exec xz -d {} + # Debian has them packed since Linux 6.12
}
break_module() { # file, section, function, bytes for printf in place of its first instruction but for ftrace's
    section=$(readelf -SW "$1" | awk -v name="$2" '{ for (i = 1; i < NF; i++) if ($i == name) print "0x" $(i + 3) }')
    behind=$(objdump -d -j "$2" --disassemble="$3" "$1" | awk '/call +/ { getline; sub(":", "", $1); print "0x" $1; exit }')
    poke "$1" $((section + behind)) "$4"
    LC_ALL=C sed -i 's/~Module signature appended~/~module signature appended~/' "$1"
}
undefined='\017\013' # UD2
itself='\353\376'    # JMP to itself
lost_case() { # what, bytes, status of the row, expression [, lab, its limit]
    copy_modules
    rm -f "$work/lost.json" # of the case before
    break_module "$work/broken/kvm.ko" .text kvm_emulate_wbinvd "$2"
    run "$VMTOLL" lab "${5:-svm}" --limit "${6:-300}" --kernel "$kernel" --modules "$work/broken" --case nop,wbinvd,cpuid --quiet --output "$work/lost.json"
    if grep -q 'is missing: install it\|divides wrongly' "$work/err"; then
        skip "$1" "$(cat "$work/err")"
        return
    fi
    is "$1" 1
    holds "$1: its row says so" jq -e --arg status "$3" --arg why "$4" '.measurements[] | select(.case == "wbinvd" and .path == "hardware") | select(.status == $status and (.reason | test($why)))' "$work/lost.json"
    equals "$1: the others are measured" "$(jq -r '[.measurements[] | select(.path == "hardware" and .status == "ok") | .case] | sort | join(" ")' "$work/lost.json")" "cpuid nop"
    clean "$1"
}
if [ -n "$package" ] && [ -n "$kernel" ] && command -v objdump >/dev/null 2>&1; then
    copy_modules
    break_module "$work/broken/kvm-amd.ko" .init.text init_module "$undefined"
    run "$VMTOLL" lab svm --kernel "$kernel" --modules "$work/broken"
    refuses "a guest that panics" 3 "the kernel panicked while loading kvm-amd.ko; it said last: (Oops: )?invalid opcode: .* RIP: [^|]*kvm_amd.* Kernel panic - not syncing: Fatal exception; full log: /"
    log=$(sed -n 's/.*full log: //p' "$work/err")
    holds "a guest that panics: the full log has all the kernel said" grep -q 'Call Trace' "$log"
    clean "a guest that panics"
    interrupt "while a kernel boots" booting "test -e link" svm --kernel "$kernel" --modules "$work/broken"
    if command -v jq >/dev/null 2>&1; then
        lost_case "a kernel that dies in one case" "$undefined" failed "kernel panicked; .*invalid opcode.*kvm_emulate_wbinvd.*not syncing: Fatal exception; .*started again"
        lost_case "a kernel that dies in one case of vmx" "$undefined" failed "kernel panicked; .*invalid opcode.*kvm_emulate_wbinvd.*not syncing: Fatal exception; .*started again" vmx 800
        lost_case "a kernel that hangs in one case" "$itself" timeout "nothing came for 50 s.*started again"
    else
        skip "a kernel that dies in one case" "jq is missing: apt-get install jq"
        skip "a kernel that hangs in one case" "jq is missing: apt-get install jq"
    fi
else
    skip "a guest that panics" "no kernel in the cache: vmtoll lab svm fetches one"
fi

# apt speaks the user's language, unless it is told that a program listens.
# shellcheck disable=SC2016
printf '#!/bin/sh\n[ "$LC_ALL" = C ] || { echo "  Haengt ab von: linux-image-0-cloud"; exit; }\n[ "$1" = depends ] && echo "  Depends: linux-image-0-cloud" || echo "  Candidate: (none)"\n' >"$work/bin/apt-cache"
chmod +x "$work/bin/apt-cache"
run env LC_ALL=de_DE.UTF-8 XDG_CACHE_HOME="$work/cache" PATH="$work/bin:$PATH" "$VMTOLL" lab svm --case nop
refuses "apt in another language is understood" 3 "look up the package linux-image-0-cloud"

# Interrupted while fetching: the cache is no worse for it.
for program in apt-cache apt-get; do
    printf '#!/bin/sh\n[ "$1" = depends ] && exec echo "  Depends: linux-image-0-cloud"\n[ "$1" = policy ] && exec echo "  Candidate: 0"\nexec sleep 60\n' >"$work/bin/$program"
    chmod +x "$work/bin/$program"
done
env XDG_CACHE_HOME="$work/cache" PATH="$work/bin:$PATH" "$VMTOLL" lab svm --case nop >"$work/out" 2>"$work/err" &
sleep 1
kill -TERM $!
wait $!
status=$?
refuses "interrupted while fetching" 1 "interrupted while fetching linux-image-0-cloud"
clean "interrupted while fetching"
run env XDG_CACHE_HOME="$work/cache" PATH="$work/bin:$PATH" timeout 20 "$VMTOLL" lab svm --case nop --limit 2
refuses "--limit covers downloading" 3 "no result within 2 s while fetching linux-image-0-cloud"
printf '#!/bin/sh\nexec sleep 60\n' >"$work/bin/apt-cache"
run env XDG_CACHE_HOME="$work/cache" PATH="$work/bin:$PATH" timeout 20 "$VMTOLL" lab svm --case nop --limit 2
refuses "--limit covers looking up" 3 "no result within 2 s while fetching linux-image-cloud-amd64"
holds "interrupted while fetching: nothing but the lock is in the cache" test "$(ls "$work/cache/vmtoll")" = lock
holds "interrupted while fetching: apt-get is gone" test -z "$(readlink /proc/[0-9]*/cwd 2>/dev/null | grep "$work/cache")"
rm "$work/bin/apt-cache" "$work/bin/apt-get"

# A full disk, as a limit on the size of files
run sh -c 'trap "" XFSZ; ulimit -f 64; exec "$@"' sh "$VMTOLL" lab svm --kernel "$work/kernel" --modules "$work/builtin"
refuses "no room for the machine's files" 3 "cannot write"
clean "no room for the machine's files"
run "$VMTOLL" lab tcg --case nop --quiet --output /dev/full
refuses "no room for the result" 3 "No space left"
mkdir "$work/small"
if mount -t tmpfs -o size=1m tmpfs "$work/small" 2>/dev/null; then
    trap 'umount "$work/small"; rm -rf "$work"' EXIT
    run env TMPDIR="$work/small" "$VMTOLL" lab svm --kernel "$work/kernel" --modules "$work/builtin"
    refuses "a full disk before it starts" 3 "cannot write '$work/small/.*No space left"
    fake 'head -c 4000000 /dev/zero >console; exec sleep 60'
    run env TMPDIR="$work/small" PATH="$work/bin:$PATH" "$VMTOLL" lab tcg --limit 30
    refuses "a disk that fills up meanwhile" 3 "lab tcg: no space left on the disk of '$work/small/.*while booting"
    holds "a full disk: nothing temporary is left" test -z "$(ls "$work/small")"
else
    skip "a full disk before it starts" "no tmpfs can be mounted here"
    skip "a disk that fills up meanwhile" "no tmpfs can be mounted here"
fi

# The package cache
run env XDG_CACHE_HOME=/proc/none "$VMTOLL" lab svm --case nop
refuses "a cache that cannot be made" 3 "cache folder '/proc/none/vmtoll'"
finish
