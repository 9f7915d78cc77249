#!/bin/sh
# The emulator must be able to run inside a ring-0 image: compiled as the payload is, it asks for no library.
# beside others
# shellcheck source=tests/integration/tap.sh
. "$(dirname "$0")/tap.sh"

root=$(dirname "$0")/../..
build=$(dirname "$VMTOLL")
cc=$(sed -n 's/^CC = //p' "$root/config.mk" 2>/dev/null)
flags="-std=gnu11 -O2 -ffreestanding -fno-pic -fno-pie -mno-red-zone -mgeneral-regs-only -mcmodel=small
    -fno-stack-protector -fcf-protection=none"

compile_all() {
    for source in "$root"/vcpu/*.c "$root"/vcpu/*/*.c; do
        name=$(basename "$source" .c)
        [ "$name" = decode ] && continue # the one file that needs the decoder
        # shellcheck disable=SC2086
        ${cc:-cc} $flags -I"$root" -I"$build" -c -o "$work/$name.o" "$source" || return 1
    done
    ld -r -o "$work/emulator" "$work"/*.o
}

run compile_all
is "vcpu/ compiles with the flags of the payload" 0
run nm -u "$work/emulator"
lacks "nothing is missing when its objects are linked" 'U '
run nm "$work/emulator"
lacks "it has no mutable state of its own" ' [bBdDC] '
finish
