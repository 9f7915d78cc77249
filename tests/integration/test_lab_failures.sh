#!/bin/sh
# What goes wrong around a lab: one clear line, the right status, nothing left behind.
. "$(dirname "$0")/tap.sh"

command -v qemu-system-x86_64 >/dev/null 2>&1 || skip_all "qemu-system-x86_64 is missing: apt-get install qemu-system-x86"
mkdir "$work/tmp" "$work/empty" "$work/bin"
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

# Command line
run "$VMTOLL" lab
refuses "no lab named" 2 "missing"
run "$VMTOLL" lab smv
refuses "a misspelt lab" 2 "did you mean 'svm'"
run "$VMTOLL" lab svm --case cpuuid
refuses "a misspelt case costs no boot" 2 "did you mean 'cpuid'"
run "$VMTOLL" lab svm --kernel /boot/vmlinuz
refuses "a kernel without its modules" 2 "go together"
run "$VMTOLL" lab svm --kernel "$work/none" --modules "$work/empty"
refuses "a kernel that is not there" 2 "cannot read the kernel"
for option in "--kernel a --modules b" "--cpl 3"; do
    for lab in xen tcg; do
        # shellcheck disable=SC2086
        run "$VMTOLL" lab $lab $option
        refuses "lab $lab does not pass over $option" 2 "lab $lab: ${option%% *} .*for svm and vmx"
    done
done
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
echo kernel >"$work/kernel"
run "$VMTOLL" lab svm --kernel "$work/kernel" --modules "$work/empty"
refuses "a kernel that is none" 3 "ended with status .* full log: "
clean "a kernel that is none"
run "$VMTOLL" lab xen --hypervisor "$work/kernel"
refuses "a hypervisor that is none" 3 "ended with status .* full log: "
clean "a hypervisor that is none"
fake 'echo "[    1.0] Kernel panic - not syncing: it is a test" >console; exec sleep 60'
with_fake "$VMTOLL" lab svm --kernel "$work/kernel" --modules "$work/empty"
refuses "a panic" 3 "panicked while booting; it said last: .*not syncing: it is a test; full log: "
clean "a panic"
fake 'echo "@error 3 the module kvm.ko does not load: it is a test" >link; exec sleep 60'
with_fake "$VMTOLL" lab svm --limit 3 --kernel "$work/kernel" --modules "$work/empty"
refuses "a machine that speaks and then is silent" 3 "no result within 3 s while booting"
fake 'printf "@stage loading kvm.ko\n@error 3 the module kvm.ko does not load: it is a test\n@end\n" >link; exec sleep 60'
with_fake "$VMTOLL" lab svm --kernel "$work/kernel" --modules "$work/empty"
refuses "a module that does not load" 3 "lab svm: the module kvm.ko does not load: it is a test; full log: "
clean "a module that does not load"
fake 'printf "@result 5000\n{\"schema\"" >link'
with_fake "$VMTOLL" lab svm --kernel "$work/kernel" --modules "$work/empty"
refuses "a result that is cut off" 3 "ended with status 0"
fake 'printf "@result 9\n{\"a\": 1}\n\n@end\n" >link; exec sleep 60'
with_fake "$VMTOLL" lab svm --kernel "$work/kernel" --modules "$work/empty"
refuses "a result that is none" 2 "expected"
fake 'printf "@result 99999999999\n" >link; exec sleep 60'
with_fake "$VMTOLL" lab svm --kernel "$work/kernel" --modules "$work/empty"
refuses "a size nobody believes" 4 "makes no sense"
fake 'printf "@row cpuid plain ok 0 1 1\n@end\n" >link; exec sleep 60'
with_fake "$VMTOLL" lab tcg
refuses "a row that makes no sense" 4 "makes no sense"
clean "words that make no sense"

# Interruption
fake 'exec sleep 60'
env PATH="$work/bin:$PATH" "$VMTOLL" lab svm --kernel "$work/kernel" --modules "$work/empty" >"$work/out" 2>"$work/err" &
sleep 1
kill -TERM $!
wait $!
status=$?
refuses "interrupted" 1 "interrupted while booting"
clean "interrupted"
fake 'printf "@stage measuring\n@case 3 9 cpuid\n" >link; exec sleep 60'
env PATH="$work/bin:$PATH" "$VMTOLL" lab svm --kernel "$work/kernel" --modules "$work/empty" >"$work/out" 2>"$work/err" &
sleep 1
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
interrupt() { # when, its words in the message, shell commands that find out, lab with options
    interruption="^C $1"
    words=$2
    moment=$3
    shift 3
    if ! command -v script >/dev/null 2>&1; then
        skip "$interruption" "script is missing: apt-get install bsdutils"
        return
    fi
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
interrupt "while a boot disc is made" "making a boot disc" "test -e disc/initrd" vmx --kernel kernel --modules empty
PATH=$path
rm "$work/bin/grub-mkimage"
interrupt "while Bochs boots" booting "test -e bochs.log" vmx --kernel kernel --modules empty

# Bochs waits at its screen when it has panicked.
# shellcheck disable=SC2016
printf '#!/bin/sh\n[ "$1" = --help ] && exit\necho "00p[MEM0  ] >>PANIC<< ROM: it is a test" >bochs.log\nexec sleep 60\n' >"$work/bin/bochs"
chmod +x "$work/bin/bochs"
with_fake timeout 40 "$VMTOLL" lab vmx --kernel "$work/kernel" --modules "$work/empty"
rm "$work/bin/bochs"
if grep -q 'is missing: install it' "$work/err"; then
    skip "Bochs itself panics" "$(cat "$work/err")"
else
    refuses "Bochs itself panics" 3 "the emulator itself panicked while booting; it said last: ROM: it is a test; full log: "
    clean "Bochs itself panics"
fi

# Kernels that earlier runs have left in the cache, with a module whose first instruction is UD2 now: as a
# developer's own would be that fails, and without the signature that it would break.
package=$(find "${XDG_CACHE_HOME:-$HOME/.cache}/vmtoll" -maxdepth 1 -name 'linux-image-*' 2>/dev/null | head -n 1)
kernel=$(find "$package" -name 'vmlinuz-*' 2>/dev/null | head -n 1)
break_module() { # file
    section=$(readelf -SW "$1" | awk '{ for (i = 1; i < NF; i++) if ($i == ".init.text") print "0x" $(i + 3) }')
    behind=$(objdump -d -j .init.text --disassemble=init_module "$1" | awk '/call +/ { getline; sub(":", "", $1); print "0x" $1; exit }')
    printf '\017\013' | dd of="$1" bs=1 seek=$((section + behind)) conv=notrunc 2>"$work/log"
    LC_ALL=C sed -i 's/~Module signature appended~/~module signature appended~/' "$1"
}
if [ -n "$package" ] && [ -n "$kernel" ] && command -v objdump >/dev/null 2>&1; then
    mkdir "$work/broken"
    find "$package" \( -name kvm.ko -o -name irqbypass.ko -o -name kvm-amd.ko \) -exec cp {} "$work/broken/" \;
    break_module "$work/broken/kvm-amd.ko"
    run "$VMTOLL" lab svm --kernel "$kernel" --modules "$work/broken"
    refuses "a guest that panics" 3 "the kernel panicked while loading kvm-amd.ko; it said last: invalid opcode: .* RIP: [^|]*kvm_amd.* Kernel panic - not syncing: Attempted to kill init.*; full log: /"
    log=$(sed -n 's/.*full log: //p' "$work/err")
    holds "a guest that panics: the full log has all the kernel said" grep -q 'Call Trace' "$log"
    clean "a guest that panics"
    interrupt "while a kernel boots" booting "test -e link" svm --kernel "$kernel" --modules "$work/broken"
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
holds "interrupted while fetching: nothing but the lock is in the cache" test "$(ls "$work/cache/vmtoll")" = lock
holds "interrupted while fetching: apt-get is gone" test -z "$(readlink /proc/[0-9]*/cwd 2>/dev/null | grep "$work/cache")"
rm "$work/bin/apt-cache" "$work/bin/apt-get"

# A full disk, as a limit on the size of files
run sh -c 'trap "" XFSZ; ulimit -f 64; exec "$@"' sh "$VMTOLL" lab svm --kernel "$work/kernel" --modules "$work/empty"
refuses "no room for the machine's files" 3 "cannot write"
clean "no room for the machine's files"
run "$VMTOLL" lab tcg --case nop --quiet --output /dev/full
refuses "no room for the result" 3 "No space left"
mkdir "$work/small"
if mount -t tmpfs -o size=1m tmpfs "$work/small" 2>/dev/null; then
    trap 'umount "$work/small"; rm -rf "$work"' EXIT
    run env TMPDIR="$work/small" "$VMTOLL" lab svm --kernel "$work/kernel" --modules "$work/empty"
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
