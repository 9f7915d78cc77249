#!/bin/sh
# Every command has a manual page that lists the options its --help lists, and no others.
# beside others
. "$(dirname "$0")/tap.sh"
pages=$(dirname "$0")/../../docs/man

options_of_help() {
    sed -n 's/^  --\([a-z-]*\).*/\1/p' "$1" | sort
}

options_of_page() {
    sed -n '/^\.SH OPTIONS/,/^\.SH [^O]/p' "$1" | grep -A 1 '^\.TP' |
        sed -n 's/\\-/-/g; s/^\.BI* --\([a-z-]*\).*/\1/p' | sort
}

run "$VMTOLL" help
for command in $(sed -n '/^commands:/,/^$/s/^  \([a-z]*\) .*/\1/p' "$work/out"); do
    [ "$command" = help ] && continue
    page=$pages/vmtoll-$command.1
    if [ ! -f "$page" ]; then
        fail "$command has a manual page" "no docs/man/vmtoll-$command.1"
        continue
    fi
    pass "$command has a manual page"
    "$VMTOLL" "$command" --help >"$work/help"
    options_of_help "$work/help" >"$work/out"
    options_of_page "$page" >"$work/err"
    holds "the page of $command lists the options of --help" diff "$work/out" "$work/err"
    holds "vmtoll.1 names $command" grep -q "^.BR vmtoll.-$command (1)" "$pages/vmtoll.1"
done

for page in "$pages"/*.1; do
    holds "$(basename "$page") has a date" grep -Eq '^\.TH [A-Z-]+ 1 20[0-9]{2}-[01][0-9]-[0-3][0-9] ' "$page"
done

if command -v mandoc >/dev/null 2>&1; then
    run mandoc -T lint "$pages"/*.1
    lacks "mandoc finds nothing to say (make format wraps long lines)" .
else
    skip "mandoc finds nothing to say" "mandoc is missing: apt-get install mandoc"
fi

# What stands in tables of the program is written out in the pages.
words() { # command, line of its --help, as an expression with one group
    "$VMTOLL" "$1" --help | sed -n "s/$2/\\1/p" | sed 's/ or /, /g' | tr -d ' ' | tr ',|' '[\n*]'
}
for command in report compare; do
    formats=$(words $command '^  --format FORMAT  *\([^;]*\);.*')
    holds "--help of $command lists formats" test "$(echo "$formats" | wc -l)" -ge 4
    for word in $formats; do
        holds "the page of $command names the format $word" grep -Eq "^\.BR? $word( |\$)" "$pages/vmtoll-$command.1"
    done
done
labs=$(words lab '^usage: vmtoll lab \[options\] \(.*\)')
holds "--help of lab lists labs" test "$(echo "$labs" | wc -l)" -ge 4
for word in $labs; do
    holds "the page of lab describes $word" grep -qx "\.B $word" "$pages/vmtoll-lab.1"
    holds "docs/LAB.md has a row of $word" grep -q "^| \`$word\` |" "$pages/../LAB.md"
done

if command -v groff >/dev/null 2>&1; then
    for page in "$pages"/*.1; do
        groff -man -Tutf8 -ww "$page" >/dev/null 2>"$work/err"
        holds "$(basename "$page") formats without a warning" test ! -s "$work/err"
    done
else
    skip "the pages format without a warning" "groff is missing: apt-get install groff"
fi

finish
