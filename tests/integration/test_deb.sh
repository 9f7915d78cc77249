#!/bin/sh
# The Debian package: built, judged by lintian, unpacked and run from there.
# seconds: 600
# beside others
. "$(dirname "$0")/tap.sh"
! sanitized || skip_all "what is packaged is built with flags of its own, without the sanitizer"
top=$(cd "$(dirname "$0")/../.." && pwd)
cd "$top" || exit 1
for tool in dpkg-buildpackage dh lintian fakeroot; do
    command -v "$tool" >/dev/null 2>&1 ||
        skip_all "no $tool here; install it with: apt-get install debhelper lintian dpkg-dev fakeroot"
done
unmet=$(dpkg-checkbuilddeps 2>&1) || skip_all "$unmet"
[ "$(dpkg --print-architecture)" = amd64 ] || skip_all "the package is for amd64"

# What is judged here is the packaging; the optimizer would double the time.
mkdir "$work/tmp"
run env TMPDIR="$work/tmp" DEB_BUILD_OPTIONS=noopt tools/deb "$work/deb"
is "the package builds" 0
package=$(cat "$work/out")
holds "it is named after version and architecture" test -f "$work/deb/vmtoll_$("$VMTOLL" --version | cut -d' ' -f2)_amd64.deb"
[ -f "$package" ] || finish
holds "it is all that was left behind" test "$(ls "$work/deb")" = "$(basename "$package")"

run lintian --allow-root --fail-on error,warning "$package"
is "lintian accepts it" 0
lacks "lintian has no errors or warnings" '^[EW]:'

root=$work/root
holds "it unpacks" dpkg-deb -x "$package" "$root"
for command in $("$VMTOLL" help | sed -n '/^commands:/,/^$/s/^  \([a-z]*\) .*/\1/p'); do
    [ "$command" = help ] || holds "with the manual of $command" gzip -t "$root/usr/share/man/man1/vmtoll-$command.1.gz"
done
for file in man/man1/vmtoll.1.gz bash-completion/completions/vmtoll zsh/vendor-completions/_vmtoll \
    doc/vmtoll/copyright doc/vmtoll/changelog.gz doc/vmtoll/README.md fish/vendor_completions.d/vmtoll.fish; do
    holds "with $file" test -s "$root/usr/share/$file"
done
run find "$root" -type f ! -path "$root/usr/bin/*" ! -path "$root/usr/share/*"
lacks "with nothing outside usr/bin and usr/share" .
run grep -rlF -e "$top" -e "$work" "$root"
lacks "naming no folder it was built in" .
# What a lab may tell to install
run dpkg-deb -f "$package" Recommends Suggests
for wanted in $(sed -n 's/^ *lab) optional="$optional \(.*\)" ;;.*/\1/p' tools/deps); do
    [ "$wanted" = jq ] || has "it names $wanted, which labs need" "[ ,]$wanted(,|$)" # jq is for the tests
done
run dpkg-deb -f "$package" Depends
has "depending on the libraries it needs" 'libc6.*libjansson4.*libzydis'
run "$root/usr/bin/vmtoll" list cases --json
is "the unpacked program runs" 0
cp "$work/out" "$work/cases"
holds "it has every case" sh -c '"$VMTOLL" list cases --json | cmp -s - "$1"' sh "$work/cases"

finish
