#!/bin/sh
# A kernel before 5.14, which has no descriptor of counters: in the lab, where the program is root, debugfs proves.
# seconds: 300
# beside others
. "$(dirname "$0")/tap.sh"

command -v qemu-system-x86_64 >/dev/null 2>&1 || skip_all "qemu-system-x86_64 is missing: apt-get install qemu-system-x86"
command -v jq >/dev/null 2>&1 || skip_all "jq is missing: apt-get install jq"
keys=/usr/share/keyrings/debian-archive-keyring.gpg
[ -r $keys ] || skip_all "Debian 11's kernel comes with the keys of debian-archive-keyring"
command -v apt-get >/dev/null 2>&1 || skip_all "Debian 11's kernel comes through apt-get"

# Debian 11's, without touching what apt knows of this system.
apt="$work/apt"
mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial"
echo "deb [signed-by=$keys] http://deb.debian.org/debian bullseye main" >"$apt/sources.list"
old() {
    (cd "$apt" && timeout 200 "$@" -o Dir::Etc::SourceList="$apt/sources.list" -o Dir::Etc::SourceParts=- \
        -o Dir::State::Lists="$apt/lists" -o Dir::Cache="$apt/cache") 2>"$work/log"
}
old apt-get -q update >/dev/null || skip_all "Debian 11's package lists cannot be had"
package=$(old apt-cache depends linux-image-cloud-amd64 | sed -n 's/.*Depends: \(linux-image-5[^ ]*\)/\1/p' | head -n 1)
old apt-get -q download "${package:-nothing}" >/dev/null || skip_all "Debian 11's kernel cannot be downloaded"
dpkg -x "$apt/$package"_*.deb "$apt/root" || skip_all "its package cannot be unpacked"
rm -f "$apt/$package"_*.deb

run "$VMTOLL" lab svm --kernel "$(echo "$apt"/root/boot/vmlinuz-*)" --modules "$(echo "$apt"/root/lib/modules/*)" \
    --case 'nop,cpuid,vmmcall,out-user' --quiet --output "$work/old.json"
is "Debian 11's kernel runs the lab" 0
row() { jq -r --arg name "$1" '.measurements[] | select(.case == $name and .path == "hardware") | "\(.status) \(.crossing)"' "$work/old.json"; }
equals "nop is proved to stay" "$(row nop)" "ok none"
equals "cpuid is proved to exit" "$(row cpuid)" "ok exit-kernel"
equals "vmmcall is proved a hypercall" "$(row vmmcall)" "ok hypercall"
equals "out-user is proved to leave for user space" "$(row out-user)" "ok exit-user"
equals "ring 0 runs on AMD-V, which counters prove" \
    "$(jq -r '.host.kvm.cpl0 + " " + (.host.evidence["kvm.cpl0"] | test("insn_emulation") | tostring)' "$work/old.json")" "hardware true"
finish
