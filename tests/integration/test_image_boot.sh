#!/bin/sh
# The discs of vmtoll image: BIOS and UEFI start them, all rows arrive, and UEFI's result lies on the volume it came from.
# beside others
. "$(dirname "$0")/tap.sh"

for tool in qemu-system-x86_64:qemu-system-x86 grub-mkimage:grub-common xorriso:xorriso mcopy:mtools jq:jq; do
    command -v "${tool%:*}" >/dev/null 2>&1 || skip_all "${tool%:*} is missing: apt-get install ${tool#*:}"
done
[ -f /usr/lib/grub/i386-pc/boot_hybrid.img ] || skip_all "GRUB for BIOS is missing: apt-get install grub-pc-bin"
[ "${LAB:-1}" = 0 ] && skip_all "emulators are left out: LAB=0"
export MTOOLS_SKIP_CHECK=1

# Freed of addresses, since firmware loads it anywhere.
build=$(dirname "$VMTOLL")
run sh -c 'readelf -rW "$1"/boot/guest/boot/*.c.o "$1"/boot/guest/*.c.o "$1"/boot/guest/image/*.c.o' sh "$build"
is "the loaders' objects can be read" 0
lacks "no word of the loaders is an address" 'R_X86_64_(64|32|32S) '

run "$VMTOLL" image --output "$work/one.iso" --case cpuid,in-user,x2apic-read --words end=reset
is "a disc is made" 0
run "$VMTOLL" image --output "$work/two.raw" --case cpuid,in-user,x2apic-read --words end=reset
is "and a disk" 0
holds "of the same bytes, whenever it is made" cmp "$work/one.iso" "$work/two.raw"

boot() { # argument...
    timeout 100 qemu-system-x86_64 -M q35 -cpu max -m 128 -nodefaults -no-user-config -display none -no-reboot -accel tcg "$@"
}
rows() { # log
    "$VMTOLL" import "$1" --json | jq -r '.settings.firmware, (.measurements[] | select(.engine == "bare") | .case + " " + .status),
        ([.measurements[] | select(.engine != "bare") | .engine + " " + .status] | group_by(.) | .[] | .[0] + " \(length)")' | tr '\n' ',' |
        sed 's/x2apic-read [a-z]*/x2apic-read/'
}
expected="empty ok,nop ok,thousand ok,cpuid ok,in-user ok,x2apic-read,monitor-svm ok 6,monitor-svm-kvm ok 6,monitor-translate ok 6,monitor-trap ok 6,monitor-trap-assist unsupported 1,"

if [ -f "$build/tests/boot/demanding.elf" ]; then
    run boot -kernel "$build/tests/boot/demanding.elf" -append "case=lgdt,ltr,out-kernel,mov-to-cr4,undefined,rdmsr-user" -debugcon "file:$work/demanding"
    is "firmware that has switched everything on starts it" 0
    equals "and has its machine back as it was" "$(tail -n 1 "$work/demanding")" "given back"
    sed -i '$d' "$work/demanding"
    holds "with all rows" test "$("$VMTOLL" import "$work/demanding" --json | jq '[.measurements[] | select(.engine == "bare" and .status == "ok")] | length')" = 8
    holds "and with those of the monitor's roads" test "$("$VMTOLL" import "$work/demanding" --json | jq '[.measurements[] | select(.engine == "monitor-trap" and .status == "ok")] | length')" -ge 8
else
    skip "firmware that has switched everything on starts it" "tests/boot/demanding.elf is not built: make tests"
fi

run boot -cdrom "$work/one.iso" -debugcon "file:$work/bios" -vga std -serial none
is "BIOS starts the disc, GRUB the image" 0
equals "and all rows arrive" "$(rows "$work/bios")" "multiboot2,$expected"

firmware=
for file in /usr/share/OVMF/OVMF_CODE_4M.fd /usr/share/OVMF/OVMF_CODE.fd; do
    [ -f "$file" ] && firmware=${firmware:-$file}
done
if [ -n "$firmware" ]; then
    cp "$(echo "$firmware" | sed s/CODE/VARS/)" "$work/vars"
    run boot -drive "if=pflash,format=raw,readonly=on,file=$firmware" -drive "if=pflash,format=raw,file=$work/vars" \
        -drive "format=raw,file=$work/two.raw" -serial "file:$work/serial"
    is "UEFI starts the disk, and has the machine back to reset it" 0
    equals "all rows arrive by serial line, among firmware's own words" "$(rows "$work/serial")" "efi,$expected"
    first=$(od -An -tu4 -j 470 -N 4 "$work/two.raw" | tr -d ' ') # of the second partition: 0x1be + 16 + 8
    run mcopy -i "$work/two.raw@@$((first * 512))" ::/vmtoll-1.log "$work/file"
    is "and lie on the volume it came from" 0
    equals "line for line" "$(rows "$work/file")" "efi,$expected"
    holds "nothing else of the disk was written to" cmp -n $((first * 512)) "$work/one.iso" "$work/two.raw"
else
    skip "UEFI starts the disk" "OVMF is missing: apt-get install ovmf"
fi
finish
