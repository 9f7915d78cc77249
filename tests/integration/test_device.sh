#!/bin/sh
# Situations around /dev/kvm, built for real: what is said of each, and that only what can help is offered.
. "$(dirname "$0")/tap.sh"

[ "$(id -u)" -eq 0 ] || skip_all "needs root to build situations"
[ -c /dev/kvm ] || skip_all "there is no /dev/kvm"
unshare -m true 2>/dev/null || skip_all "mount namespaces are not allowed here"
command -v jq >/dev/null || skip_all "jq is not installed"
program=$(open_program) || skip_all "needs setpriv and a temporary folder that is open to all"
misc=$(awk '$2 == "kvm"' /proc/misc)
[ -n "$misc" ] || skip_all "this kernel's KVM is not registered"

# A command after a set-up in a mount namespace of its own: a /dev with a device of our own, whatever mode we give it.
# Folders that the set-up needs are in $work; /proc and /sys stay unless it covers them.
cat >"$work/place" <<'EOF'
set -e
mount -t tmpfs -o mode=755 none /dev
mknod -m 666 /dev/null c 1 3
mknod -m 660 /dev/kvm c 10 232
EOF
# Runs probe there; afterwards $document is its kvm section and what it says of the container.
in_place() { # set-up, command before vmtoll...
    setup=$1
    shift
    (cat "$work/place" && printf '%s\n' "$setup" 'exec "$@"') >"$work/script"
    run unshare -m sh "$work/script" "$@" "$program" probe --json
    cp "$work/out" "$work/probe.json"
    document=$(jq -c '{device: .kvm.device, code: .kvm.obstacle, reason: .kvm.reason, fix: .kvm.fix, runs: .kvm.runs_guest,
        contained: .system.contained}' <"$work/out" 2>/dev/null)
}
said() { # name, code, expression of the reason, expression of the fix [, what must not be offered]
    : >"$work/out"
    if [ -z "$document" ] || ! echo "$document" | jq -e --arg code "$2" --arg reason "$3" --arg fix "$4" --arg never "${5:-^$}" '
        .code == $code and (.reason | test($reason)) and (.fix | tostring | test($fix)) and (.fix | tostring | test($never) | not)' >/dev/null; then
        fail "$1" "$document"
    else
        pass "$1"
    fi
}
bench_agrees() { # name: bench says what probe said in the last place
    run unshare -m sh "$work/script" "$@" "$program" bench --engine kvm --case nop --budget 0.2
    reason=$(echo "$document" | jq -r .reason)
    if grep -qF "$reason" "$work/err"; then pass "$name: bench gives the same reason"; else fail "$name: bench gives the same reason" "$reason"; fi
}
place() { # '^$' is offered never; name, set-up, code, reason, fix, never, command...
    name=$1 setup=$2 code=$3 reason=$4 fix=$5 never=$6
    shift 6
    in_place "$setup" "$@"
    said "$name" "$code" "$reason" "$fix" "$never"
    bench_agrees "$@"
}
nobody=$work/open/nobody
printf '#!/bin/sh\nexec setpriv --reuid 65534 --regid 65534 --clear-groups "$@"\n' >"$nobody"
chmod 755 "$nobody"

# Root of a system without it is offered what needs none.
sudo=
for place in /usr/bin /bin /usr/local/bin /run/wrappers/bin; do [ -x $place/sudo ] && sudo='sudo '; done

# What stands there.
place "a directory" 'rm /dev/kvm && mkdir /dev/kvm' not-kvm 'a directory' 'rmdir /dev/kvm && '"$sudo"'mknod' 'modprobe'
place "a plain file" 'rm /dev/kvm && : >/dev/kvm' not-kvm 'a plain file' 'rm /dev/kvm && '"$sudo"'mknod' 'modprobe|umount'
place "another device" 'rm /dev/kvm && mknod /dev/kvm c 1 3' not-kvm 'number is 1:3' 'rm /dev/kvm && '"$sudo"'mknod' umount
place "another device over it" 'mount --bind /dev/null /dev/kvm' not-kvm 'number is 1:3' 'umount /dev/kvm' 'rm /dev/kvm'
place "a number that nobody answers" 'rm /dev/kvm && mknod /dev/kvm c 10 254' not-kvm 'number is 10:254' 'mknod' modprobe
place "a link to nowhere" 'rm /dev/kvm && ln -s /dev/gone /dev/kvm' no-device 'link to /dev/gone' 'rm /dev/kvm && '"$sudo"'mknod' modprobe
place "a link in a circle" 'rm /dev/kvm && ln -s /dev/kvm /dev/kvm' no-device 'symbolic link' 'rm /dev/kvm' modprobe
place "nothing" 'rm /dev/kvm' no-device 'KVM loaded' 'mknod -m 660 /dev/kvm c 10 232' modprobe

# Whose permission bits count.
place "mode 600, as nobody" 'chmod 600 /dev/kvm' no-permission 'owner only' 'chmod 660' '^$' "$nobody"
place "mode 660, outside the group" 'chgrp 1 /dev/kvm' no-permission 'not in it' 'usermod -aG (daemon|bin) nobody' '^$' "$nobody"
place "mode 640, inside the group" 'chgrp 65534 /dev/kvm && chmod 640 /dev/kvm' no-permission 'members of its group only read' \
    'chmod g[+]rw' usermod "$nobody"
place "the owner may only read" 'chown 65534 /dev/kvm && chmod 466 /dev/kvm' no-permission 'owner may only read' \
    'chmod u[+]rw' 'usermod|sudo' "$nobody"
place "a group without a name" 'groups=$(getent group 48123 || true); [ -z "$groups" ] && chgrp 48123 /dev/kvm' no-permission \
    '48123, which has no name' 'kvm' 'usermod -aG 48123' "$nobody"
place "a user without a name" 'chgrp 1 /dev/kvm' no-permission 'user 48123, who has no name' 'setpriv' usermod \
    setpriv --reuid 48123 --regid 48123 --clear-groups
place "root without CAP_DAC_OVERRIDE" 'chown 1:1 /dev/kvm' no-permission 'CAP_DAC_OVERRIDE' 'start it with CAP_DAC_OVERRIDE' 'usermod' \
    setpriv --inh-caps=-dac_override,-dac_read_search --bounding-set=-dac_override,-dac_read_search
place "a /dev that is closed" 'chmod 700 /dev' no-permission '/dev cannot be looked into' 'chmod 755 /dev' usermod "$nobody"

cat >"$work/acl.c" <<'EOF'
#include <sys/xattr.h>
/* acl(5): owner rw, user 1 rw, group none, mask rw, other none */
int main(int argc, char **argv)
{
    static const unsigned char list[] = {2, 0, 0, 0, 1, 0, 6, 0, 255, 255, 255, 255, 2, 0, 6, 0, 1, 0, 0, 0,
        4, 0, 0, 0, 255, 255, 255, 255, 16, 0, 6, 0, 255, 255, 255, 255, 32, 0, 0, 0, 255, 255, 255, 255};
    return argc != 2 || setxattr(argv[1], "system.posix_acl_access", list, sizeof list, 0) != 0;
}
EOF
if ${CC:-cc} -o "$work/open/acl" "$work/acl.c" 2>/dev/null && unshare -m sh -c "mount -t tmpfs none /mnt && : >/mnt/file && '$work/open/acl' /mnt/file"; then
    place "a list that closes the group" "chgrp 1 /dev/kvm && '$work/open/acl' /dev/kvm" no-permission 'list of /dev/kvm names neither nobody' \
        'setfacl -m u:65534:rw' usermod "$nobody"
    place "a list that closes the group, as its member" "chgrp 65534 /dev/kvm && '$work/open/acl' /dev/kvm" no-permission \
        'members of its group neither read nor write' 'setfacl -m g::rw,m::rw' 'usermod|chmod' "$nobody"
else
    skip "a list that closes the group" "no compiler, or no access control lists on tmpfs"
fi

# The mode allows it.
place "a nodev mount" 'chmod 666 /dev/kvm && mount -o remount,nodev /dev' no-permission 'nodev' 'remount,bind,dev' 'usermod|chmod'
place "a nodev mount of it alone" 'mount --bind /dev/kvm /dev/kvm && mount -o remount,bind,nodev /dev/kvm' no-permission 'nodev' \
    'remount' 'usermod|chmod'

cat >"$work/landlock.c" <<'EOF'
#include <linux/landlock.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
/* argv[1]: 0 forbids to open devices for writing, 1 only ioctl on them */
int main(int argc, char **argv)
{
    unsigned long long right = argv[1][0] == '0' ? LANDLOCK_ACCESS_FS_WRITE_FILE : 1ull << 15;
    struct landlock_ruleset_attr rules = {.handled_access_fs = right};
    int fd = (int)syscall(SYS_landlock_create_ruleset, &rules, sizeof rules, 0);
    (void)argc;
    if (fd < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || syscall(SYS_landlock_restrict_self, fd, 0))
        return 77;
    execvp(argv[2], argv + 2);
    return 76;
}
EOF
if ${CC:-cc} -o "$work/open/landlock" "$work/landlock.c" 2>/dev/null && "$work/open/landlock" 0 true; then
    place "Landlock forbids to open it" 'chmod 666 /dev/kvm' no-permission 'although its mode allows it.*Landlock' 'sandbox' \
        'usermod|--device' "$work/open/landlock" 0
    if "$work/open/landlock" 1 true; then
        place "Landlock forbids its ioctls" 'chmod 666 /dev/kvm' no-permission 'opens, but .*Landlock' 'ioctl' 'usermod|mknod|--device' \
            "$work/open/landlock" 1
    else
        skip "Landlock forbids its ioctls" "Linux 6.10 brings that"
    fi
else
    skip "Landlock" "no compiler, or this kernel has it not"
fi

group=/sys/fs/cgroup/devices/vmtoll-test-$$
cat >"$work/open/enter" <<'EOF'
#!/bin/sh
echo $$ >"$0.group/cgroup.procs" && exec "$@"
EOF
chmod 755 "$work/open/enter"
if mkdir "$group" 2>/dev/null && echo 'c 10:232 rw' >"$group/devices.deny" && ln -s "$group" "$work/open/enter.group"; then
    place "a device cgroup" 'chmod 600 /dev/kvm' no-permission 'device rules of this cgroup' 'DeviceAllow' 'usermod|chmod' "$work/open/enter"
else
    skip "a device cgroup" "no cgroup of devices (version 1) can be made here"
fi
rmdir "$group" 2>/dev/null

# User namespaces. `--map-root-user` leaves all ids but one unmapped, as a rootless container without subordinate ids does.
if setpriv --reuid 65534 --regid 65534 --clear-groups unshare -U -r true 2>/dev/null; then
    place "root of a user namespace" 'chgrp 1 /dev/kvm' no-permission 'user namespace' 'keep-groups' 'usermod|sudo' \
        "$nobody" unshare -U -r
    place "root of a user namespace, mode 600" 'chmod 600 /dev/kvm' no-permission 'owner only' 'on the host' 'usermod' \
        "$nobody" unshare -U -r
    place "a user namespace without the device" 'rm /dev/kvm' no-device 'KVM loaded' 'from outside' 'mknod|modprobe' \
        "$nobody" unshare -U -r
    place "a group that a user namespace keeps" 'chgrp 1 /dev/kvm' no-permission 'although|user namespace' . 'usermod|sudo' \
        setpriv --reuid 65534 --regid 65534 --groups 2 unshare -U -r
else
    skip "user namespaces" "not allowed here"
fi

# Inside and outside of containers. A cgroup of Docker's name is what tells one that has no cgroup namespace.
if [ -e /.dockerenv ] || { : >/.dockerenv; left=1; } 2>/dev/null; then
    in_place 'rm /dev/kvm'
    case $(cat /proc/self/cgroup) in
    *docker*|*kubepods*|*libpod*|*lxc*) skip "a file that was left is no container" "this is one" ;;
    *)
        if [ "$(stat -Lc %i /proc/self/ns/pid)" = 4026531836 ]; then
            said "a file that was left is no container" no-device 'file system|chroot' mknod
            equals "which probe says" "$(echo "$document" | jq .contained)" false
        else
            skip "a file that was left is no container" "this is a PID namespace of its own"
        fi ;;
    esac
    [ -n "${left:-}" ] && rm -f /.dockerenv
else
    skip "a file that was left is no container" "the root directory is read-only"
fi
for hierarchy in /sys/fs/cgroup/pids /sys/fs/cgroup/unified /sys/fs/cgroup; do
    [ -e "$hierarchy/cgroup.procs" ] && break
done
id=$(printf '%064d' 7)
parent=$hierarchy/docker
[ -d "$parent" ] && parent=$hierarchy/vmtoll-docker-$$
if mkdir -p "$parent/$id" 2>/dev/null && rm -f "$work/open/enter.group" && ln -s "$parent/$id" "$work/open/enter.group" &&
    "$work/open/enter" true 2>/dev/null; then
    place "a container without the device" 'rm /dev/kvm' no-device 'docker container has no /dev/kvm' '--device /dev/kvm' mknod "$work/open/enter"
    equals "a container is one" "$(echo "$document" | jq .contained)" true
    place "a group without a name in a container" 'chgrp 48123 /dev/kvm' no-permission 48123 '--group-add 48123' 'usermod|sudo' \
        "$work/open/enter" "$nobody"
    place "a group with a name in a container" 'chgrp 1 /dev/kvm' no-permission 'not in it' '--group-add 1$' 'usermod|sudo' \
        "$work/open/enter" "$nobody"
    place "a directory in a container" 'rm /dev/kvm && mkdir /dev/kvm' not-kvm 'a directory' 'look on the host' 'rmdir|mknod' "$work/open/enter"
else
    skip "a container by its cgroup" "no cgroup can be made here"
fi
rmdir "$parent/$id" "$parent" 2>/dev/null

# A root directory of its own that is no container.
folder=$work/root
mkdir -p "$folder" && cat >"$work/chrooted" <<'EOF'
cd "$folder" && mkdir -p bin usr lib lib64 proc sys dev tmp open etc && : >.dockerenv
for name in bin usr lib lib64 etc proc sys tmp; do [ -d /$name ] && mount --rbind /$name $name; done
mount --bind "$work/open" open
EOF
in_place "folder='$folder' work='$work'; $(cat "$work/chrooted")" chroot "$folder" sh -c 'exec /open/vmtoll probe --json; "$@"' sh
# In a PID namespace that somebody made for these tests, whether this is a container is not known: then both are offered.
never=--device
[ "$(echo "$document" | jq .contained)" != null ] || never='^$'
said "a chroot without the device" no-device 'chroot' 'mknod|mount' "$never"
equals "a chroot is no container" "$(echo "$document" | jq .contained)" "$([ "$(stat -Lc %i /proc/self/ns/pid)" = 4026531836 ] && echo false || echo null)"

# Folders in /sys/module say nothing of what has started.
grep -v ' kvm$' /proc/misc >"$work/misc"
built_in="mount -t tmpfs none /sys/module; mkdir /sys/module/kvm /sys/module/kvm_intel /sys/module/kvm_amd"
in_place "$built_in; mount --bind '$work/misc' /proc/misc; rm /dev/kvm"
said "built in and not started is not loaded" "$(echo "$document" | jq -r '.code | select(. != "no-device")')" . . 'mknod|--device'
equals "nor is it a backend" "$(jq -r .kvm.backend <"$work/probe.json")" unknown
if "$VMTOLL" probe --json | jq -e '.kvm.backend == "pvm"' >/dev/null; then
    in_place "$built_in /sys/module/kvm_pvm"
    equals "what the processor cannot have started is not the backend" "$(jq -r .kvm.backend <"$work/probe.json")" pvm
else
    skip "what the processor cannot have started is not the backend" "KVM is not on kvm_pvm here"
fi

# What the kernel does not tell.
in_place 'mount -t tmpfs none /proc; rm /dev/kvm'
said "without /proc nobody says that KVM is missing or loaded" \
    "$(echo "$document" | jq -r .code)" 'cannot be seen|VT-x|switched' . 'mknod'
in_place 'mount -t tmpfs none /sys'
equals "a backend that is not seen is not guessed" "$(jq -c '[.kvm.backend, .kvm.cpl3]' <"$work/probe.json")" '["unknown",null]'
finish
