# shellcheck shell=sh
# Sourced after tap.sh: the table "Which instruction exits" of docs/MEASUREMENT.md, held against what is true.
: "${work:?tap.sh comes first}"
crossings_page=$(dirname "$0")/../../docs/MEASUREMENT.md

# One line per case of the table: name, VT-x by the manual and observed, AMD-V by the manual and observed.
# What a lab has yet to tell of a new case, "not yet observed", is one word here: unobserved.
crossings_documented() {
    awk -F' *[|] *' '
        /^## / { inside = /^## Which instruction exits/ }
        inside && NF == 8 && $2 != "cases" && $2 !~ /^-/ {
            count = split($2, name, / *, */)
            for (i = 4; i <= 6; i += 2) if ($i == "not yet observed") $i = "unobserved"
            for (i = 1; i <= count; i++) print name[i], $3, $4, $5, $6, ($7 != "" ? "explained" : "unexplained")
        }' "$crossings_page" | sort
}

# One line per case of a table of exceptions to KVM's column of AMD-V: name, in that column, there.
crossings_of() { # section of the page
    awk -F' *[|] *' -v section="## $1" '
        /^## / { inside = $0 == section }
        inside && NF == 6 && $2 != "cases" && $2 !~ /^-/ {
            count = split($2, name, / *, */)
            for (i = 1; i <= count; i++) print name[i], $3, $4, ($5 != "" ? "explained" : "unexplained")
        }' "$crossings_page" | sort
}
crossings_of_xen() { crossings_of "What Xen makes of AMD-V"; }
crossings_of_bochs() { crossings_of "What Bochs' AMD-V does otherwise"; }

# One line per case and lab that newer programs decide otherwise: name, lab, program, its version, before, since.
crossings_of_versions() {
    awk -F' *[|] *' '
        /^## / { inside = /^## Which version decides/ }
        inside && NF == 8 && $2 != "cases" && $2 !~ /^-/ {
            split($4, since, " ")
            count = split($2, name, / *, */)
            for (i = 1; i <= count; i++) print name[i], $3, since[1], since[2], $5, $6, ($7 != "" ? "explained" : "unexplained")
        }' "$crossings_page" | sort
}

# What a result's figures depend on: "QEMU 7.2", "Linux 6.1".
crossings_programs() { # result
    jq -r '.settings // {} | .emulator, .hypervisor, .kernel | strings' "$1" |
        sed -nE 's/^(QEMU|Bochs|Xen|Linux)[^0-9]* ([0-9]+\.[0-9]+).*/\1 \2/p'
}

# Reads name and crossing; prints them as they are under the programs of a result.
crossings_as_of() { # result, vmx|svm|xen-pvh
    crossings_programs "$1" >"$work/programs"
    crossings_of_versions >"$work/versions"
    awk -v lab="$2" -v programs="$work/programs" -v versions="$work/versions" '
        function reaches(has, wanted, a, b) {
            split(has, a, "."); split(wanted, b, ".")
            return a[1] + 0 > b[1] + 0 || (a[1] + 0 == b[1] + 0 && a[2] + 0 >= b[2] + 0)
        }
        FILENAME == programs { version[$1] = $2; next }
        FILENAME == versions { if ($2 == lab && $3 in version && reaches(version[$3], $4)) now[$1] = $6; next }
        { print $1, ($1 in now ? now[$1] : $2) }' "$work/programs" "$work/versions" -
}

# What the tables say of each case: name, crossing.
crossings_expected() { # vmx|svm|svm-bochs|xen-pvh
    case $1 in
    vmx) crossings_documented | awk '{ print $1, $3 }' ;;
    svm) crossings_documented | awk '{ print $1, $5 }' ;;
    svm-bochs | xen-pvh)
        case $1 in xen-pvh) crossings_of_xen ;; *) crossings_of_bochs ;; esac >"$work/otherwise"
        crossings_documented | join -a 1 - "$work/otherwise" | awk '{ print $1, (NF > 6 ? $8 : $5) }'
        ;;
    esac
}

# The cases of a lab's result whose crossing is not that of the table: name, observed, documented. Of a case
# that is not yet observed standard error says what to enter.
crossings_wrong() { # result, vmx|svm|svm-bochs|xen-pvh
    crossings_expected "$2" | crossings_as_of "$1" "$2" >"$work/documented"
    jq -r --arg engine "$2" '.measurements[] | select(.path != "paravirtual" and .engine == $engine)
        | "\(.case) \(if .status == "ok" then .crossing else .status end)"' "$1" | sort >"$work/observed"
    join -a 1 "$work/observed" "$work/documented" | awk -v engine="$2" '
        $3 == "unobserved" { print "# " engine ": enter " $2 " for " $1 " in docs/MEASUREMENT.md" >"/dev/stderr"; next }
        $2 != $3'
}
