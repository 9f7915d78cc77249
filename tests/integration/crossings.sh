# shellcheck shell=sh
# Sourced after tap.sh: the table "Which instruction exits" of docs/MEASUREMENT.md, held against what is true.
: "${work:?tap.sh comes first}"

# One line per case of the table: name, VT-x by the manual and observed, AMD-V by the manual and observed.
crossings_documented() {
    awk -F' *[|] *' '
        /^## / { inside = /^## Which instruction exits/ }
        inside && NF == 8 && $2 != "cases" && $2 !~ /^-/ {
            count = split($2, name, / *, */)
            for (i = 1; i <= count; i++) print name[i], $3, $4, $5, $6, ($7 != "" ? "explained" : "unexplained")
        }' "$(dirname "$0")/../../docs/MEASUREMENT.md" | sort
}

# The cases of a lab's result whose crossing is not that of the table: name, observed, documented.
crossings_wrong() { # result, vmx|svm
    [ "$2" = vmx ] && field=3 || field=5
    crossings_documented | awk -v field="$field" '{ print $1, $field }' >"$work/documented"
    jq -r '.measurements[] | select(.path != "paravirtual")
        | "\(.case) \(if .status == "ok" then .crossing else .status end)"' "$1" | sort >"$work/observed"
    join -a 1 "$work/observed" "$work/documented" | awk '$2 != $3'
}
