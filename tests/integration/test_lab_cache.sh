#!/bin/sh
# The cache of packages, kernels that will not do, two labs at once.
# seconds: 600
. "$(dirname "$0")/tap.sh"

command -v qemu-system-x86_64 >/dev/null 2>&1 || skip_all "qemu-system-x86_64 is missing: apt-get install qemu-system-x86"
mkdir "$work/tmp" "$work/cache" "$work/empty"
export TMPDIR="$work/tmp"
cache=${XDG_CACHE_HOME:-$HOME/.cache}

run "$VMTOLL" lab svm --case nop --quiet
[ "$status" -eq 0 ] || skip_all "$(cat "$work/err")"
cp -r "$cache/vmtoll" "$work/cache/"
module=$(find "$work/cache" -name kvm.ko)
kernel=$(find "$work/cache" -name 'vmlinuz-*')

echo damaged >"$module"
run env XDG_CACHE_HOME="$work/cache" "$VMTOLL" lab svm --case nop --quiet
is "a damaged cache is fetched again" 0
holds "and is whole afterwards" cmp "$module" "$(find "$cache/vmtoll" -name kvm.ko)"
run "$VMTOLL" lab svm --case nop --kernel "$kernel" --modules "$work/empty"
refuses "a kernel without KVM" 3 "has no KVM for this CPU: it needs CONFIG_KVM"
echo "not a module" >"$work/empty/kvm-amd.ko"
run "$VMTOLL" lab svm --case nop --kernel "$kernel" --modules "$work/empty"
refuses "a module that is none" 2 "is not a kernel module"
cp "$(find "$work/cache" -name kvm-amd.ko)" "$work/empty/"
run "$VMTOLL" lab svm --case nop --kernel "$kernel" --modules "$work/empty"
refuses "a module whose others are missing" 3 "kvm-amd.ko does not load"

"$VMTOLL" lab svm --case nop --quiet --output "$work/first.json" 2>"$work/first.err" &
run "$VMTOLL" lab tcg --case nop --quiet --output "$work/third.json"
is "two unlike labs at once" 0
run "$VMTOLL" lab svm --case nop --quiet --output "$work/second.json"
is "two labs at once: the second" 0
wait $!
holds "two labs at once: the first" test $? -eq 0
holds "nothing temporary is left" test -z "$(ls "$TMPDIR")"
finish
