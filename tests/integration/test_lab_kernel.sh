#!/bin/sh
# Somebody's own kernel: a build tree, packed modules, modules of another kernel.
# seconds: 600
# beside others
. "$(dirname "$0")/tap.sh"

command -v qemu-system-x86_64 >/dev/null 2>&1 || skip_all "qemu-system-x86_64 is missing: apt-get install qemu-system-x86"
command -v jq >/dev/null 2>&1 || skip_all "jq is missing: apt-get install jq"
for program in xz zstd gzip; do
    command -v "$program" >/dev/null 2>&1 || skip_all "$program is missing: apt-get install xz-utils zstd gzip"
done
mkdir "$work/tmp"
export TMPDIR="$work/tmp"
cache=${XDG_CACHE_HOME:-$HOME/.cache}

run "$VMTOLL" lab svm --case nop,cpuid,thousand --quiet --output "$work/debian.json"
[ "$status" -eq 0 ] || skip_all "$(cat "$work/err")"
version=$(jq -r '.settings.kernel | split(" ")[1]' "$work/debian.json")
package=$(find "$cache/vmtoll" -maxdepth 1 -name "linux-image-$version*" | head -n 1)

# A kernel's build tree, after the build.
tree=$work/linux
mkdir -p "$tree/arch/x86/boot" "$tree/arch/x86/kvm" "$tree/virt/lib" "$tree/drivers/crypto/ccp"
find "$package" -type f -name 'vmlinuz*' -exec cp {} "$tree/arch/x86/boot/bzImage" \;
place() { # module, folder
    find "$package" -name "$1*" -exec cp {} "$tree/$2/" \;
}
place kvm.ko arch/x86/kvm
place kvm-amd.ko arch/x86/kvm
place irqbypass.ko virt/lib
place ccp.ko drivers/crypto/ccp
find "$tree" -name '*.ko.xz' -exec xz -d {} + # Debian has them packed since Linux 6.12
echo "not a module" >"$tree/arch/x86/kvm/kvm-amd.ko.cmd"
tree_runs() { # what
    run "$VMTOLL" lab svm --kernel "$tree/arch/x86/boot/bzImage" --modules "$tree" --case nop,cpuid,thousand --quiet --output "$work/own.json"
    is "$1" 0
    run "$VMTOLL" compare "$work/debian.json" "$work/own.json" --fail-on change
    is "$1: it counts the same" 0
}
tree_runs "a build tree"
xz "$tree/arch/x86/kvm/kvm.ko"
zstd -q --rm "$tree/arch/x86/kvm/kvm-amd.ko"
gzip "$tree/virt/lib/irqbypass.ko"
tree_runs "packed modules"

own() {
    run "$VMTOLL" lab svm --kernel "$tree/arch/x86/boot/bzImage" --modules "$tree" --case nop --quiet
}
cp "$tree/arch/x86/kvm/kvm.ko.xz" "$work/kvm.ko.xz"
head -c 5000 "$work/kvm.ko.xz" >"$tree/arch/x86/kvm/kvm.ko.xz"
own
refuses "a packed module that is cut off" 2 "cannot unpack '.*kvm.ko.xz': "
# Unsigned, as what one builds oneself usually is: with its signature in place it would be refused for that.
changed() { # sed script
    xz -dc "$work/kvm.ko.xz" | sed "s/~Module signature appended~/~module signature appended~/; s/\(vermagic=[^ ]*\) SMP/\1 SMQ/; $1" | xz -c >"$tree/arch/x86/kvm/kvm.ko.xz"
}
# Debian 13's versions have a plus in them.
literal() { # text: as a regular expression
    echo "$1" | sed 's/[.+]/\\&/g'
}
# As long as before, or it would be no ELF file any more.
other="9${version#?}"
changed "s/vermagic=$version/vermagic=$other/"
own
refuses "a module of another kernel" 3 "lab svm: the module kvm.ko does not load: it was built for $(literal "$other") and this is $(literal "$version") \(the kernel says: .*magic.*\); full log: "
changed ""
own
refuses "a module of another configuration" 3 "kvm.ko does not load: it was built for another configuration of $(literal "$version")"
holds "nothing temporary is left" test -z "$(ls "$TMPDIR")"
finish
