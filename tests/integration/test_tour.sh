#!/bin/sh
# The first look: every stage is another command, and the page holds what they found.
. "$(dirname "$0")/tap.sh"

cd "$work" || exit 1
run timeout 120 "$VMTOLL" tour --labs none --budget 3 --output "a tour"
case $status in
0 | 1) pass "a tour without labs ends as its measuring does" ;;
*) fail "a tour without labs ends as its measuring does" "status $status" ;;
esac
has "it answers first" '^Can I run'
has "... counts its stages" '^3 of 3: drawing the page'
has "... says how long they take" 'to the end about [0-9]+ s'
has "... and names what it wrote" '^a tour/report.html: all roads on one page$'
for name in probe.txt result.json report.html; do
    holds "$name is there" test -s "a tour/$name"
done
holds "the page tells the story" grep -q '<section id="story" lang="en">' "a tour/report.html"
holds "no lab was started" test ! -e "a tour/lab-svm.json"

# A lab that cannot run is named and left out; the rest is done.
run timeout 120 env PATH=/nonexistent "$VMTOLL" tour --labs all --budget 2 --lang ko --output tour
has "a lab without its emulator is left out" 'left out: the paravirtual road' err
has "... and says what is missing" 'qemu-system-x86' err
holds "the page is made all the same" grep -q '<section id="story" lang="ko">' tour/report.html

# The other AMD-V stands in for the one that cannot run; where KVM runs guests on hardware neither is asked for.
if ! "$VMTOLL" probe --require kvm-hardware >"$work/out" 2>&1; then
    run timeout 120 env PATH=/nonexistent "$VMTOLL" tour --budget 2 --output instead
    has "the lab of AMD-V as it is sold comes first" 'left out: the hardware road, from an emulated AMD-V' err
    has "... and another stands in" 'left out: the hardware road, from QEMU.s AMD-V, which lacks NRIPS' err
    has "... and is counted" '^7 of 7: drawing the page'
else
    skip "the lab of AMD-V as it is sold comes first" "KVM runs guests on hardware here"
fi

run "$VMTOLL" tour --output "$work/out/below"
refuses "a folder that cannot be made" 3 'cannot make folder'
run "$VMTOLL" tour --labs some
refuses "labs nobody knows" 2 'some'
run "$VMTOLL" tour operand
refuses "an operand" 2 'operand'

# Ended before its time, it ends what it started.
timeout -s TERM 2 "$VMTOLL" tour --labs none --budget 60 --output ended >"$work/out" 2>"$work/err"
status=$?
holds "ended by a signal, it does not go on" test "$status" -ne 0
lacks "... to the page" 'drawing the page'
finish
