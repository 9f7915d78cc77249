#!/bin/sh
# Links of the documents lead somewhere, in the tree and where make install puts them.
# beside others
. "$(dirname "$0")/tap.sh"
top=$(cd "$(dirname "$0")/../.." && pwd)
cd "$top" || exit 1

# "target" of each link, one a line, outside of code.
links_of() { # file
    awk '/^ *```/ { code = !code } !code && !/^    / { gsub(/`[^`]*`/, ""); print }' "$1" |
        grep -oE '\]\([^) ]+\)' | sed 's/^](//; s/)$//'
}

# As GitHub makes them of headings.
anchors_of() { # file
    sed -n 's/^##* //p' "$1" | tr '[:upper:]' '[:lower:]' | sed 's/[^a-z0-9 _-]//g; s/ /-/g'
}

broken() { # files...
    for file; do
        for link in $(links_of "$file"); do
            case $link in [a-z]*:*) continue ;; esac
            target=$file
            [ "${link%%#*}" = "" ] || target=$(dirname "$file")/${link%%#*}
            case $link in *#*) anchor=${link#*#} ;; *) anchor= ;; esac
            if [ ! -e "$target" ]; then
                echo "$file: $link: not there"
            elif [ -n "$anchor" ] && ! anchors_of "$target" | grep -qxF -e "$anchor"; then
                echo "$file: $link: no such heading"
            fi
        done
    done
}

# The test itself
printf '# A heading: of it\n[a](b.md) [c](#a-heading-of-it) [d](#none) [e](https://x.invalid) `[f](g)`\n    [h](i)\n' >"$work/a.md"
broken "$work/a.md" >"$work/out"
equals "what is broken is found, and no more" "$(cut -d: -f2- "$work/out" | tr '\n' '|')" ' b.md: not there| #none: no such heading|'

find . -name '*.md' -not -path './build*' -not -path './out/*' -not -path './.git/*' | while IFS= read -r file; do
    broken "$file"
done >"$work/out"
holds "no link of the tree is broken" test ! -s "$work/out"

build=$(dirname "$VMTOLL")
run make -s --no-print-directory B="${build#"$top/"}" DESTDIR="$work/root" PREFIX=/usr install
is "make install succeeds" 0
doc=$work/root/usr/share/doc/vmtoll
broken "$doc"/*.md >"$work/out"
holds "no link of what is installed is broken" test ! -s "$work/out"
holds "there are links" test "$(for file in "$doc"/*.md; do links_of "$file"; done | wc -l)" -ge 5
holds "a link to what is not installed is text" grep -q '^[^[]*CONTRIBUTING.md walks' "$doc/README.md"

# References of the manual pages
for reference in $(sed -n 's/\\-/-/g; s/^\.BR \(vmtoll[a-z-]*\) (1).*/\1/p' docs/man/*.1 | sort -u); do
    holds "the manual refers to $reference, which is installed" test -f "$work/root/usr/share/man/man1/$reference.1"
done

finish
