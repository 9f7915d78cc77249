#!/bin/sh
# make static: one file, run where there is nothing else, and on an old kernel.
# seconds: 400
# beside others
. "$(dirname "$0")/tap.sh"
top=$(cd "$(dirname "$0")/../.." && pwd)
build=$(dirname "$VMTOLL")
build=${build#"$top/"} # make has no names with blanks; the folder of the tree may have some
cd "$top" || exit 1
! sanitized || skip_all "a sanitizer cannot be linked statically"

if ! timeout 300 make -s --no-print-directory B="$build" static >"$work/made" 2>"$work/err" </dev/null; then
    # Not every distribution has archives, and Zydis' source comes from a mirror.
    grep -q '^tools/archives: no static archive' "$work/err" && skip_all "$(grep -m 1 '^tools/archives: no' "$work/err")"
    fail "make static succeeds" "$(tail -n 3 "$work/err")"
    finish
fi
pass "make static succeeds"
program=$(cat "$work/made")
case $program in /*) ;; *) program=$top/$program ;; esac

# Name services are loaded from the machine it runs on, of whatever version.
nm "$program" >"$work/names" 2>/dev/null
holds "its names are known" grep -q ' main$' "$work/names"
holds "it loads no name services" sh -c '! grep -q -e __nss_lookup -e __nss_module_load "$1"' sh "$work/names"

mkdir "$work/root"
cp "$program" "$work/root/vmtoll"
if chroot "$work/root" /vmtoll --version >/dev/null 2>&1; then
    alone() { run timeout 60 chroot "$work/root" "$@"; }
elif unshare -r chroot "$work/root" /vmtoll --version >/dev/null 2>&1; then
    alone() { run timeout 60 unshare -r chroot "$work/root" "$@"; }
else
    # An error of the file itself would show here as well.
    run "$work/root/vmtoll" --version
    is "it runs" 0
    skip "it runs in an empty folder" "neither chroot nor a user namespace is allowed here"
    finish
fi

alone /vmtoll --version
equals "in an empty folder it is the version of the other" "$(cat "$work/out")" "$("$VMTOLL" --version)"
alone /vmtoll list cases --json
cp "$work/out" "$work/cases"
"$VMTOLL" list cases --json >"$work/expected"
holds "it has every case" cmp "$work/cases" "$work/expected"
alone /vmtoll probe --json
is "it probes" 0
has "and finds the processor" '"brand": "[^"]'
alone /vmtoll bench --engine native,trap,translate --case cpuid,rdtsc,popf --budget 2 --output /result.json
is "it measures" 0
has "and shows it" '^ *cpuid '
holds "nothing else is needed" test "$(ls "$work/root")" = "result.json
vmtoll"
run "$VMTOLL" report "$work/root/result.json"
is "its document is read by the other" 0
alone /vmtoll report /result.json --output /report.html
is "it makes a page" 0
holds "which says why it has no charts" grep -q 'charts are missing' "$work/root/report.html"
# What was measured just now may be too disturbed to be compared; whether it is, both must find the same.
run "$VMTOLL" compare "$work/root/result.json" "$work/root/result.json"
expected=$status
cp "$work/out" "$work/compared"
alone /vmtoll compare /result.json /result.json
is "it compares with the status of the other" "$expected"
holds "and says the same" cmp "$work/compared" "$work/out"
has "of all that was measured" 'of [1-9][0-9]* measurements'
alone /vmtoll lab svm
refuses "a lab says what it lacks" 3 'qemu'

# Kernels from 4.18 on
compiler=$(sed -n 's/^CC = //p' config.mk)
# shellcheck disable=SC2086
if ! $compiler -o "$work/old_kernel" tests/integration/old_kernel.c 2>"$work/err"; then
    skip "it runs with the system calls of Linux 4.18" "no compiler: $(head -n 1 "$work/err")"
elif ! "$work/old_kernel" true 2>"$work/err"; then
    skip "it runs with the system calls of Linux 4.18" "no seccomp filter here: $(head -n 1 "$work/err")"
else
    run timeout 60 "$work/old_kernel" "$program" bench --engine native,trap,translate --case cpuid,rdtsc --budget 2 \
        --output "$work/old.json"
    is "it measures with the system calls of Linux 4.18" 0
    run "$work/old_kernel" "$program" probe
    is "and probes" 0
    run "$work/old_kernel" "$program" report "$work/old.json" --format markdown
    is "and reports" 0
    run "$work/old_kernel" "$program" audit
    holds "and audits" test "$status" -le 1
fi

finish
