#!/bin/sh
# make install into a DESTDIR, and away again.
# beside others
. "$(dirname "$0")/tap.sh"
top=$(cd "$(dirname "$0")/../.." && pwd)
build=$(dirname "$VMTOLL")
build=${build#"$top/"} # make has no names with blanks; the folder of the tree may have some
cd "$top" || exit 1

run make -s --no-print-directory B="$build" DESTDIR="$work/a root" PREFIX=/opt/vmtoll install
is "make install succeeds" 0
holds "the program is installed" test -x "$work/a root/opt/vmtoll/bin/vmtoll"
run "$work/a root/opt/vmtoll/bin/vmtoll" --version
is "it runs from there" 0
holds "the manual is installed" test -f "$work/a root/opt/vmtoll/share/man/man1/vmtoll-bench.1"
holds "the schemas are installed" test -f "$work/a root/opt/vmtoll/share/doc/vmtoll/result.schema.json"
holds "so is completion for bash" test -f "$work/a root/opt/vmtoll/share/bash-completion/completions/vmtoll"
holds "for fish" test -f "$work/a root/opt/vmtoll/share/fish/vendor_completions.d/vmtoll.fish"
holds "and for zsh" test -f "$work/a root/opt/vmtoll/share/zsh/site-functions/_vmtoll"
run make -s --no-print-directory B="$build" DESTDIR="$work/a root" PREFIX=/opt/vmtoll uninstall
is "make uninstall succeeds" 0
holds "nothing is left" test -z "$(find "$work/a root" -type f)"

finish
