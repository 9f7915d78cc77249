#!/bin/sh
# vmtoll lab --profile: the functions of a toll add up to it, profiling changes none, two runs say the same.
# seconds: 600
# beside others
. "$(dirname "$0")/tap.sh"

command -v qemu-system-x86_64 >/dev/null 2>&1 || skip_all "qemu-system-x86_64 is missing: apt-get install qemu-system-x86"
command -v jq >/dev/null 2>&1 || skip_all "jq is missing: apt-get install jq"
mkdir "$work/tmp"
export TMPDIR="$work/tmp"
cases=empty,nop,thousand,cpuid,vmmcall,rdmsr-kernel,out-kernel,out-user,hlt,mmio-write-user

# What no lab can do is refused before anything starts.
run "$VMTOLL" lab tcg --profile
is "a lab without a hypervisor has no functions to tell" 2
holds "and the line names those that have" grep -q 'svm, svm-bochs, vmx and xen' "$work/err"
run "$VMTOLL" lab vmx --profile --smp 2
is "nor is more than one processor followed" 2
holds "which one line says" awk 'END { exit !(NR == 1 && /one processor/ && /--smp/) }' "$work/err"

# An emulator that takes no plugins: what it is, and what to do, in one line.
mkdir "$work/bin"
cat >"$work/bin/qemu-system-x86_64" <<'END'
#!/bin/sh
case " $* " in *" --version "*) echo "QEMU emulator version 4.1.0"; exit 0 ;; esac
echo "qemu-system-x86_64: -plugin: invalid option" >&2
exit 1
END
chmod +x "$work/bin/qemu-system-x86_64"
PATH="$work/bin:$PATH" run "$VMTOLL" lab svm --profile --case cpuid --quiet
if ! grep -qE 'the package|no cache folder' "$work/err"; then
    is "an emulator without plugins cannot profile" 3
    holds "one line says which it is, and what to do" \
        awk 'END { exit !(NR == 1 && /QEMU emulator version 4\.1\.0/ && /leave out --profile/) }' "$work/err"
fi

run "$VMTOLL" lab svm --quiet --case "$cases" --output "$work/plain.json"
grep -qE 'the package|is missing|no cache folder' "$work/err" && skip_all "$(cat "$work/err")"
is "a run without profiles" 0
run "$VMTOLL" lab svm --profile --quiet --case "$cases" --output "$work/one.json"
is "one with them" 0
run "$VMTOLL" lab svm --profile --quiet --case "$cases" --output "$work/two.json"
is "and a second" 0

tolls() {
    jq -c '[.measurements[] | {case, path, toll: .toll.median, samples}]' "$1"
}
tolls "$work/plain.json" >"$work/plain"
tolls "$work/one.json" >"$work/one"
holds "profiling changes no sample of any toll" cmp -s "$work/plain" "$work/one"
jq 'del(.started)' "$work/one.json" >"$work/one"
jq 'del(.started)' "$work/two.json" >"$work/two"
holds "two runs are the same to the last byte" cmp -s "$work/one" "$work/two"
holds "every row with a toll has a profile, and is ok" jq -e \
    '[.measurements[] | select(.toll != null)] | length > 8 and all(.profile != null and .status == "ok")' "$work/one.json"
holds "sums are tolls" jq -e \
    'all(.measurements[] | select(.profile); (.profile.sum / .profile.operations - .toll.median) | fabs < 0.00001 * (. + 1))' "$work/one.json"
holds "nothing is without a function" jq -e 'all(.measurements[] | select(.profile); .profile.unattributed == 0)' "$work/one.json"
one() { # case, expression over its profile
    jq -e --arg case "$1" ".measurements[] | select(.case == \$case and .path == \"hardware\") | .profile | select($2)" "$work/one.json"
}
holds "doing nothing takes nothing" one empty '.sum == 0 and (.functions | length) == 0'
holds "a thousand instructions are the guest's" one thousand \
    '.sum == 1000 * .operations and [.functions[] | .module] == ["guest"]'
holds "cpuid is answered by kvm" one cpuid '.functions | any(.name == "kvm_emulate_cpuid" and .module == "kvm" and .self > 0)'
holds "an exit to user space is answered by this program" one out-user '[.functions[] | select(.module == "vmtoll") | .self] | add > 0'
holds "and cpuid is not" one cpuid 'all(.functions[]; .module != "vmtoll")'

# Shown, handed on, subtracted.
run "$VMTOLL" report "$work/one.json" --format folded
is "folded stacks" 0
awk '/;cpuid;/ { sum += $NF } !/^[^ ]+ [0-9]+$/ { bad = 1 } END { print sum; exit bad }' "$work/out" >"$work/sum"
holds "of the form that tools read, with the toll as their sum" \
    jq -e --slurpfile sum "$work/sum" 'first(.measurements[] | select(.case == "cpuid")) | .toll.median == $sum[0]' "$work/one.json"
run "$VMTOLL" report "$work/one.json" --output "$work/page.html"
run "$VMTOLL" report "$work/one.json" --format markdown
holds "what a processor with NRIPS saves stands there" grep -qE '^\| cpuid \|.*\| 1[0-9]{3} \|  \| 1[0-9]{3} \|$' "$work/out"
holds "the page has a flame graph of each exit" test "$(grep -c '<svg class="flame"' "$work/page.html")" -ge 7

# A handler that is a thousand instructions longer.
jq '(.measurements[] | select(.case == "cpuid" and .path == "hardware")) |= (
        (.profile.functions | map(.name) | index("kvm_emulate_cpuid")) as $f | (.profile.operations * 1000) as $more
        | .toll.median += 1000 | .profile.sum += $more | .profile.functions[$f].self += $more
        | ([range(0; .profile.stacks | length; 3) as $i | select(.profile.stacks[$i + 1] == $f) | $i][0]) as $s
        | .profile.stacks[$s + 2] += $more)' "$work/one.json" >"$work/longer.json"
run "$VMTOLL" compare "$work/one.json" "$work/longer.json" --format json
holds "the comparison names that function and no other" jq -e \
    '[.measurements[] | select((.functions | length) > 0)] | length == 1 and (.[0] | .case == "cpuid" and .difference == 1000 and [.functions[] | {name, difference}] == [{"name": "kvm_emulate_cpuid", "difference": 1000}])' "$work/out"
run "$VMTOLL" compare "$work/one.json" "$work/longer.json" --format html
holds "a flame graph shows what grew, and nothing else" awk '/class="grew" .*kvm_emulate_cpuid \(kvm\): .*, \+1000</ { grew++ } /<title>[^<]*, gone/ || /class="shrank"/ && !/figcaption/ { other++ } END { exit !(grew == 1 && !other) }' "$work/out"
run "$VMTOLL" compare "$work/one.json" "$work/longer.json"
holds "and says so" grep -qE 'kvm_emulate_cpuid +kvm .*\+1000' "$work/out"
finish
