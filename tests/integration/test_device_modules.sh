#!/bin/sh
# No KVM in the kernel, on a processor with AMD-V: qemu-x86_64 shows one to the program, mounts show it a kernel.
. "$(dirname "$0")/tap.sh"

! sanitized || skip_all "qemu-x86_64 does not get through what a sanitizer maps"
qemu=$(command -v qemu-x86_64 || command -v qemu-x86_64-static) || skip_all "needs qemu-x86_64 (package qemu-user)"
[ "$(id -u)" -eq 0 ] || skip_all "needs root"
unshare -m true 2>/dev/null || skip_all "mount namespaces are not allowed here"
command -v jq >/dev/null || skip_all "jq is not installed"
"$qemu" -cpu max "$VMTOLL" probe --json 2>/dev/null | jq -e .amd_v.supported >/dev/null || skip_all "$qemu shows no AMD-V here"

# Mount points that are not there are made, and gone afterwards.
made=
for folder in /lib/modules /etc/modprobe.d; do
    [ -d $folder ] || { mkdir $folder && made="$folder $made"; } || skip_all "$folder cannot be made"
done
trap 'rm -rf "$work"; for folder in $made; do rmdir "$folder"; done' EXIT
release=$(uname -r)
tree=$work/tree
# Folders of $tree lie over /lib/modules and /etc/modprobe.d, files of it over those of /proc.
cat >"$work/place" <<'EOF'
set -e
mount -t tmpfs none /dev
mknod -m 666 /dev/null c 1 3
mount --bind "$tree/modules" /lib/modules
[ -d /usr/lib/modules ] && mount --bind "$tree/modules" /usr/lib/modules
mount --bind "$tree/modprobe.d" /etc/modprobe.d
for file in misc cpuinfo cmdline; do mount --bind "$tree/$file" /proc/$file; done
[ -e "$tree/modules_disabled" ] && mount --bind "$tree/modules_disabled" /proc/sys/kernel/modules_disabled
[ -d "$tree/module" ] && mount --bind "$tree/module" /sys/module
clocks=/sys/devices/system/clocksource/clocksource0/available_clocksource
[ -e $clocks ] && mount --bind "$tree/clocks" $clocks
EOF
sudo=
for place in /usr/bin /bin /usr/local/bin /run/wrappers/bin; do [ -x $place/sudo ] && sudo='sudo '; done
begin() {
    rm -rf "$tree"
    mkdir -p "$tree/modules" "$tree/modprobe.d"
    echo '229 fuse' >"$tree/misc"
    printf 'processor\t: 0\nflags\t\t: fpu svm\n' >"$tree/cpuinfo"
    echo quiet >"$tree/cmdline"
    echo tsc >"$tree/clocks" # a guest's own would name the hypervisor
}
ours() { # the running kernel's modules, with or without KVM's
    mkdir -p "$tree/modules/$release/kernel/arch/x86/kvm" "$tree/modules/$release/kernel/fs"
    for file; do : >"$tree/modules/$release/kernel/arch/x86/kvm/$file"; done
}
says() { # name, code, reason, fix, what must not be offered
    (echo "tree='$tree'" && cat "$work/place" && echo 'exec "$@"') >"$work/script"
    run unshare -m sh "$work/script" timeout 60 "$qemu" -cpu max "$VMTOLL" probe --json
    document=$(jq -c '{code: .kvm.obstacle, reason: .kvm.reason, fix: .kvm.fix}' <"$work/out" 2>/dev/null)
    : >"$work/out"
    if [ -n "$document" ] && echo "$document" | jq -e --arg code "$2" --arg reason "$3" --arg fix "$4" --arg never "$5" '
        .code == $code and (.reason | test($reason)) and (.fix | test($fix)) and (.fix | test($never) | not)' >/dev/null; then
        pass "$1"
    else
        fail "$1" "$document"
    fi
}
# Whether the flag is proof that firmware allows it depends on the kernel; nothing here may rest on it.
begin && ours kvm-amd.ko.xz kvm.ko.xz
says "a module that is not loaded" module-not-loaded 'kvm_amd is not loaded' "^${sudo}modprobe kvm_amd\$" restart
begin && mkdir -p "$tree/modules/5.0.0-gone/kernel"
says "modules of other kernels only" modules-gone 'upgraded or removed' 'restart' modprobe
begin && ours
says "a kernel without it" kernel-without-kvm 'without kvm_amd' 'install a kernel' modprobe
begin
if [ -e /proc/modules ]; then
    says "no modules to be seen" module-not-loaded 'cannot be seen' 'built in' modprobe
else
    says "a kernel that loads none" kernel-without-kvm 'loads no modules' 'install a kernel' modprobe
fi
begin && ours kvm-amd.ko && mkdir -p "$tree/module/kvm_amd" "$tree/module/kvm"
says "loaded, and not started" not-started '/proc/misc does not list it' dmesg 'modprobe|--device'
begin && ours && mkdir -p "$tree/module/kvm_amd" && echo 'kernel/arch/x86/kvm/kvm-amd.ko' >"$tree/modules/$release/modules.builtin"
says "built in, and not started" not-started 'did not start' dmesg 'modprobe|--device'
begin && ours kvm-amd.ko && echo 'install kvm-amd /bin/false' >"$tree/modprobe.d/hardening.conf"
says "forbidden by modprobe.d" module-blocked hardening.conf "remove its install line.*then ${sudo}modprobe" '^sudo'
begin && ours kvm-amd.ko && echo 'quiet module_blacklist=kvm_amd' >"$tree/cmdline"
says "forbidden by the command line" module-blocked module_blacklist restart modprobe
if [ -e /proc/sys/kernel/modules_disabled ]; then
    begin && ours kvm-amd.ko && echo 1 >"$tree/modules_disabled"
    says "loading is over" module-blocked modules_disabled restart modprobe
else
    skip "loading is over" "this kernel loads no modules"
fi
finish
