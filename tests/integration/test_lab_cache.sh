#!/bin/sh
# The cache of packages, kernels that will not do, two labs at once.
# seconds: 600
# beside others
. "$(dirname "$0")/tap.sh"

command -v qemu-system-x86_64 >/dev/null 2>&1 || skip_all "qemu-system-x86_64 is missing: apt-get install qemu-system-x86"
mkdir "$work/tmp" "$work/cache" "$work/empty"
export TMPDIR="$work/tmp"
cache=${XDG_CACHE_HOME:-$HOME/.cache}

command -v jq >/dev/null 2>&1 || skip_all "jq is missing: apt-get install jq"
run "$VMTOLL" lab svm --case nop --quiet --output "$work/result.json"
[ "$status" -eq 0 ] || skip_all "$(cat "$work/err")"
version=$(jq -r '.settings.kernel | split(" ")[1]' "$work/result.json")
package=$(find "$cache/vmtoll" -maxdepth 1 -name "linux-image-$version*")
mkdir "$work/cache/vmtoll"
cp -r "$package" "$work/cache/vmtoll/"
module=$(find "$work/cache" -name 'kvm.ko*')
kernel=$(find "$work/cache" -name 'vmlinuz*' -type f)

echo damaged >"$module"
run env XDG_CACHE_HOME="$work/cache" "$VMTOLL" lab svm --case nop --quiet
is "a damaged cache is fetched again" 0
holds "and is whole afterwards" cmp "$module" "$(find "$package" -name 'kvm.ko*')"
run "$VMTOLL" lab svm --case nop --kernel "$kernel" --modules "$work/empty"
refuses "modules without KVM" 2 "has no KVM for this lab: it holds no kvm-amd.ko"
echo kernel/arch/x86/kvm/kvm-amd.ko >"$work/empty/modules.builtin"
run "$VMTOLL" lab svm --case nop --kernel "$kernel" --modules "$work/empty"
refuses "a kernel without KVM" 3 "has no KVM for this CPU: it needs CONFIG_KVM"
rm "$work/empty/modules.builtin"
echo "not a module" >"$work/empty/kvm-amd.ko"
run "$VMTOLL" lab svm --case nop --kernel "$kernel" --modules "$work/empty"
refuses "a module that is none" 2 "is not a kernel module"
rm "$work/empty/kvm-amd.ko"
cp "$(find "$work/cache" -name 'kvm-amd.ko*')" "$work/empty/"
run "$VMTOLL" lab svm --case nop --kernel "$kernel" --modules "$work/empty"
refuses "a module whose others are missing" 2 "holds no kvm.ko, and kvm-amd.ko does not load without it"

"$VMTOLL" lab svm --case nop --quiet --output "$work/first.json" 2>"$work/first.err" &
run "$VMTOLL" lab tcg --case nop --quiet --output "$work/third.json"
is "two unlike labs at once" 0
run "$VMTOLL" lab svm --case nop --quiet --output "$work/second.json"
is "two labs at once: the second" 0
wait $!
holds "two labs at once: the first" test $? -eq 0
# A kernel in parts, its files below /usr, its modules packed, as Debian has Linux 7.2; and no sums.
debs=$work/debs
mkdir -p "$debs" "$work/bin"
part() { # name, dependencies: of what lies in $work/part
    mkdir -p "$work/part/DEBIAN"
    printf 'Package: %s\nVersion: 1\nArchitecture: amd64\nMaintainer: nobody <nobody@invalid>\nDescription: none\n' "$1" >"$work/part/DEBIAN/control"
    printf '%s\n  Depends: %s\n' "$1" "$2" >"$debs/$1.depends"
    dpkg-deb -b "$work/part" "$debs/$1_1_amd64.deb" >/dev/null
    rm -r "$work/part"
}
files=$work/part/usr/lib/modules/$version
mkdir -p "$files"
cp "$kernel" "$files/vmlinuz"
part "linux-binary-$version" "linux-base-of-another-name"
mkdir -p "$files/kernel"
for name in kvm kvm-amd irqbypass ccp; do
    find "$package" -name "$name.ko*" -exec cp {} "$files/kernel/" \;
done
find "$files/kernel" -name '*.ko' -exec xz {} +
part "linux-modules-$version" kmod
part "linux-image-$version" "kmod
 |Depends: dracut
  Depends: linux-binary-$version
  Depends: linux-modules-$version"
printf 'linux-image-cloud-amd64\n  Depends: linux-image-%s\n' "$version" >"$debs/linux-image-cloud-amd64.depends"
cat >"$work/bin/apt-cache" <<'END'
#!/bin/sh
case $1 in
depends) cat "$DEBS/$3.depends" ;;
policy) printf '%s:\n  Candidate: 1\n' "$2" ;;
esac
END
cat >"$work/bin/apt-get" <<'END'
#!/bin/sh
shift 2
for name; do cp "$DEBS/${name%=*}_1_amd64.deb" . || exit 100; done
END
chmod +x "$work/bin/apt-cache" "$work/bin/apt-get"
split() { # what
    run env DEBS="$debs" PATH="$work/bin:$PATH" XDG_CACHE_HOME="$work/split" "$VMTOLL" lab svm --case nop --quiet --output "$work/split.json"
    is "$1" 0
}
split "a kernel in several packages without sums"
holds "it is the kernel that was asked for" grep -q "$version" "$work/split.json"
part "linux-modules-$version" kmod
split "it is not fetched again while it is whole"
echo damaged >"$(find "$work/split" -name 'kvm.ko*')"
run env DEBS="$debs" PATH="$work/bin:$PATH" XDG_CACHE_HOME="$work/split" "$VMTOLL" lab svm --case nop --quiet
refuses "it is fetched again when damaged, and now has no module" 3 "has no KVM"
rm "$debs"/*.deb
mkdir -p "$work/part/usr/share/doc"
part "linux-image-$version" kmod
run env DEBS="$debs" PATH="$work/bin:$PATH" XDG_CACHE_HOME="$work/none" "$VMTOLL" lab svm --case nop --quiet
refuses "a package without a kernel" 3 "holds neither a kernel nor a hypervisor"
holds "nothing temporary is left" test -z "$(ls "$TMPDIR")"
finish
