#!/bin/sh
# The table of expected crossings in docs/MEASUREMENT.md: every case once, as the catalogue has it, with a reason.
# shellcheck source=tests/integration/tap.sh
. "$(dirname "$0")/tap.sh"
# shellcheck source=tests/integration/crossings.sh
. "$(dirname "$0")/crossings.sh"
command -v jq >/dev/null 2>&1 || skip_all "jq is missing: apt-get install jq"

run "$VMTOLL" list cases --json
is "the catalogue" 0
jq -r '.cases[] | "\(.name) \(.vmx_exits) \(.svm_exits)"' "$work/out" | sort >"$work/catalogue"
crossings_documented >"$work/table"
awk '{ print $1, $2, $4 }' "$work/table" >"$work/manual"
diff "$work/catalogue" "$work/manual" >"$work/out"
echo "table: docs/MEASUREMENT.md, 'Which instruction exits'; a case no lab has run yet: not yet observed" >"$work/err"
holds "every case stands in the table once, with what the catalogue says of both vendors" test ! -s "$work/out"
grep -c . "$work/table" >"$work/err"
awk '$6 != "explained"' "$work/table" >"$work/out"
holds "every row has its reason" test ! -s "$work/out"

# What contradicts the manuals outright could only be a mistake of the table's.
awk '($2 == "never" || $2 == "absent") && $3 != "none" && $3 != "unsupported" && $3 != "unobserved" ||
     ($4 == "never" || $4 == "absent") && $5 != "none" && $5 != "unsupported" && $5 != "unobserved" ||
     $2 == "always" && $3 == "none" || $4 == "always" && $5 == "none"' "$work/table" >"$work/out"
holds "no observation contradicts 'always' or 'never'" test ! -s "$work/out"

# A new case may wait for a lab, but never in silence.
waiting=$(awk '$3 == "unobserved" || $5 == "unobserved" { printf "%s%s", sep, $1; sep = ", " }' "$work/table")
if [ -n "$waiting" ]; then
    skip "what the labs observe of every case is entered" \
        "$(echo "$waiting" | awk -F', ' '{ print NF }') not yet observed: $waiting; run vmtoll lab svm and lab vmx with --case"
else
    pass "what the labs observe of every case is entered"
fi

# A row that waits is no licence for the others.
sed 's/^| rdpid |[^|]*|[^|]*|/| rdpid | never | not yet observed |/' "$crossings_page" >"$work/page"
echo '{"measurements": [{"case": "rdpid", "engine": "vmx", "status": "ok", "crossing": "none"},
    {"case": "cpuid", "engine": "vmx", "status": "ok", "crossing": "none"}]}' >"$work/result.json"
(
    crossings_page=$work/page
    crossings_wrong "$work/result.json" vmx
) >"$work/out" 2>"$work/err"
has "a lab's result names what to enter" '^# vmx: enter none for rdpid in docs/MEASUREMENT\.md$' err
equals "and still finds what is wrong" "$(cat "$work/out")" "cpuid none exit-kernel"

# These tables hold what differs from KVM's column of AMD-V on QEMU, and nothing else.
for other in xen bochs; do
    crossings_of_$other >"$work/$other"
    holds "the table of $other has rows" test -s "$work/$other"
    join "$work/table" "$work/$other" | awk 'NF != 9 || $5 != $7 || $7 == $8 || $9 != "explained"' >"$work/out"
    awk '{ print $1 }' "$work/$other" | uniq -d >>"$work/out"
    join -v 2 "$work/table" "$work/$other" >>"$work/out"
    holds "$other: each is of a known case, once, differs, quotes KVM's column, and has its reason" test ! -s "$work/out"
done

# The versions' table holds what newer programs decide otherwise, and nothing else.
crossings_of_versions >"$work/versions"
for lab in vmx svm svm-bochs xen-pvh; do
    crossings_expected "$lab" >"$work/expected"
    awk -v lab="$lab" '$2 == lab' "$work/versions" | join - "$work/expected" |
        awk 'NF != 8 || $5 != $8 || $5 == $6 || $4 !~ /^[0-9]+[.][0-9]+$/ || $3 !~ /^(QEMU|Bochs|Xen|Linux)$/ || $7 != "explained"'
    awk -v lab="$lab" '$2 == lab' "$work/versions" | join -v 1 - "$work/expected"
done >"$work/out"
awk '$2 != "vmx" && $2 != "svm" && $2 != "svm-bochs" && $2 != "xen-pvh"' "$work/versions" >>"$work/out"
awk '{ print $1, $2, $3 }' "$work/versions" | uniq -d >>"$work/out"
holds "each of the versions' rows is of a known case and lab, quotes what stands above, differs from it, and has its reason" test ! -s "$work/out"
as_of() { # emulator
    echo "{\"settings\": {\"emulator\": \"$1\", \"kernel\": null}, \"measurements\": [{\"case\": \"xsetbv\", \"engine\": \"svm\", \"status\": \"ok\", \"crossing\": \"exit-kernel\"}]}" >"$work/result.json"
    crossings_wrong "$work/result.json" svm
}
equals "the versions' table does not speak of what is older" "$(as_of "QEMU emulator version 7.2.22 (Debian 1:7.2)")" "xsetbv exit-kernel none"
for version in 8.2.0 10.0.13; do
    equals "it speaks of QEMU $version" "$(as_of "QEMU emulator version $version (Debian)")" ""
done

run "$VMTOLL" list cases
has "list cases shows both vendors' rules" '^cpuid .* always +control'
finish
