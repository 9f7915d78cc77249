#!/bin/sh
# Every form of an emulated instruction was judged on as many states as CONTRIBUTING.md promises, in the run
# this test is a part of. A judge that was late or missing is told, and no failure.
. "$(dirname "$0")/tap.sh"
top=$(cd "$(dirname "$0")/../.." && pwd)

run "$top/tests/judges" "$(dirname "$VMTOLL")"
[ "$status" -ne 3 ] || skip_all "$(cat "$work/err")"
name="every form is judged often enough"
short=$(grep -c '^short of' "$work/out")
if grep -q '^hindered: ' "$work/out"; then
    skip "$name" "$short are not: $(sed -n 's/^short of/of/p' "$work/out" | head -n 3 | tr '\n' ';') $(sed -n \
        's/^hindered: //p' "$work/out" | tr '\n' ';')"
else
    is "$name" 0
fi

# The same with logs made up.
mkdir -p "$work/build/tests/logs"
log=$work/build/tests/logs/test_difference_x.log
printf '# promised: 10\n# form: lar\n# form: ltr\n# judged: lar: QEMU 7\n# judged: lar: KVM 3\n' >"$log"
run "$top/tests/judges" "$work/build"
is "a form without a state is short" 1
has "... and named" '^short of 10 states: ltr: 0$'
lacks "... alone" '^short.*lar'
echo '# judged: ltr: QEMU 10' >>"$log"
run "$top/tests/judges" "$work/build"
is "no form is short" 0
has "... and that is said" '^10 states or more of each$'
printf '# late: QEMU: time was over after 5 s\n# form: str\n' >>"$log"
run "$top/tests/judges" "$work/build"
has "what stood in the way is said" '^hindered: QEMU: time was over after 5 s$'
finish
