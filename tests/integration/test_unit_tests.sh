#!/bin/sh
# docs/KVM-UNIT-TESTS.md and the catalogue say the same of kvm-unit-tests' rows; tests/bench/vmexit refuses in one line.
# beside others
# shellcheck source=tests/integration/tap.sh
. "$(dirname "$0")/tap.sh"
command -v jq >/dev/null 2>&1 || skip_all "jq is missing: apt-get install jq"
page=$(dirname "$0")/../../docs/KVM-UNIT-TESTS.md
script=$(dirname "$0")/../bench/vmexit

run "$VMTOLL" list cases --json
is "the catalogue" 0
jq -r '.cases[] | select(.unit_test) | "\(.unit_test) \(.name)"' "$work/out" | sort >"$work/catalogue"
holds "the catalogue has such names" test "$(wc -l <"$work/catalogue")" -gt 30

# Each name of the first cell with the name of ours at its place, or with all of ours where they are not as many.
awk -F' *[|] *' '
    /^## / { inside = /^## Their rows and ours/ }
    inside && NF == 5 && $2 != "theirs" && $2 !~ /^-/ {
        theirs = split($2, a, / *, */); ours = split($3, b, / *, */)
        for (i = 1; i <= theirs; i++)
            for (k = 1; k <= ours; k++) if (theirs != ours || i == k) print a[i], b[k]
        if ($4 == "") print "no word on", $2
    }' "$page" | sort >"$work/page"
# What only adds STI and NOP is no row of its own.
grep -v '_tpr_sti_nop ' "$work/page" | diff "$work/catalogue" - >"$work/out" 2>&1
holds "the page has every pair of the catalogue, and no other" test ! -s "$work/out"

run "$script"
is "without an image it ends with 3" 3
has "and says how it is used" 'usage: .*IMAGE' err
QEMU=no-such-qemu run "$script" image
is "without QEMU it ends with 3" 3
has "and names what is missing" 'no-such-qemu is missing' err
finish
