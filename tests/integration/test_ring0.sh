#!/bin/sh
# The monitor where it has no business: KVM without hardware interprets ring 0, and a monitor there would have the
# interpreter's price. It refuses itself, says why, and the rest runs.
# beside others
. "$(dirname "$0")/tap.sh"

image=$(dirname "$VMTOLL")/guest/image-pvh.elf
command -v qemu-system-x86_64 >/dev/null 2>&1 || skip_all "qemu-system-x86_64 is missing: apt-get install qemu-system-x86"
command -v jq >/dev/null 2>&1 || skip_all "jq is missing: apt-get install jq"
[ -r "$image" ] || skip_all "the image is not beside the program"
[ "$("$VMTOLL" probe --json | jq -r '.kvm.cpl0')" = interpreted ] || skip_all "no KVM here that interprets ring 0"

qemu-system-x86_64 -nodefaults -no-user-config -no-reboot -display none -monitor none -M microvm -cpu qemu64 \
    -accel kvm -m 64 -chardev "file,id=link,path=$work/link" -device isa-debugcon,iobase=0x5f0,chardev=link \
    -kernel "$image" -append cases=a >"$work/qemu" 2>&1 &
machine=$!
for _ in $(seq 300); do
    grep -q '^@end' "$work/link" 2>/dev/null && break
    kill -0 "$machine" 2>/dev/null || break
    sleep 0.1
done
kill "$machine" 2>/dev/null
wait "$machine" 2>/dev/null
cp "$work/link" "$work/out"
cp "$work/qemu" "$work/err"
has "the image runs to its end" '^@end'
has "ring 0 itself is measured" '^@row cpuid plain ok'
has "the monitor refuses itself, with the reason" '^@row cpuid monitor-trap unsupported ring 0 is interpreted here'
has "on every road of its" '^@row cpuid monitor-translate unsupported ring 0 is interpreted here'
has "to the last" '^@row cpuid monitor-svm unsupported ring 0 is interpreted here'
lacks "and gives no figure" 'monitor-[a-z-]* ok'
finish
