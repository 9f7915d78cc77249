#!/bin/sh
# make dist: the same bytes of one commit everywhere; and one version in all places that name it.
# seconds: 1500
# beside others
. "$(dirname "$0")/tap.sh"
! sanitized || skip_all "what is packaged is built with flags of its own, without the sanitizer"
top=$(cd "$(dirname "$0")/../.." && pwd)
cd "$top" || exit 1

version=$("$VMTOLL" --version | cut -d' ' -f2)
equals "configure names the version" "$(sed -n 's/^version=//p' configure)" "$version"
equals "so does the Debian package" "$(sed -n '1s/.*(\(.*\)).*/\1/p' debian/changelog)" "$version"
equals "the RPM" "$(sed -n 's/^Version: *//p' packaging/vmtoll.spec)" "$version"
equals "and its changes" "$(sed -n '/^%changelog/{n;s/.* - \(.*\)-[0-9]*$/\1/p;}' packaging/vmtoll.spec)" "$version"
equals "Arch's package" "$(sed -n 's/^pkgver=//p' packaging/PKGBUILD)" "$version"
equals "the list of changes" "$(sed -n 's/^## \([0-9.]*\) .*/\1/p' CHANGELOG.md | head -n 1)" "$version"

if ! git rev-parse HEAD >/dev/null 2>&1; then
    skip "make dist" "this is no git checkout"
    finish
fi

# In clones made by others: other umask, time zone, day, settings, compiler of git's own defaults.
clone() { # name
    git clone -q --no-local "$top" "$work/$1" 2>>"$work/log"
}
(umask 022 && clone one)
(umask 077 && clone two)
holds "there are two clones" test -x "$work/two/tools/dist"
git -C "$work/two" config tar.umask 0077
git -C "$work/two" config tar.tar.gz.command 'gzip -1'
git -C "$work/two" config core.autocrlf true
printf '[core]\n\tattributesFile = %s\n' "$work/attributes" >"$work/gitconfig"
printf '*.md export-ignore\n' >"$work/attributes"
run as_typed make -s --no-print-directory -C "$work/one" dist
is "make dist succeeds" 0
equals "it names the archive" "$(cat "$work/out")" "build/vmtoll-$version.tar.gz"
sleep 1
run as_typed env TZ=Pacific/Auckland GZIP=-1 GIT_CONFIG_GLOBAL="$work/gitconfig" make -s --no-print-directory -C "$work/two" dist
is "elsewhere too" 0
one=$work/one/build/vmtoll-$version.tar.gz
two=$work/two/build/vmtoll-$version.tar.gz
holds "both are the same, byte for byte" cmp "$one" "$two"
cp "$one" "$work/first"
as_typed make -s --no-print-directory -C "$work/one" dist >/dev/null 2>&1
holds "and again" cmp "$work/first" "$one"
echo >>"$work/one/README.md"
run as_typed make -s --no-print-directory -C "$work/one" dist
has "what is not committed is not in it, which is said" 'uncommitted' err
holds "indeed" cmp "$work/first" "$one"

tar -xzf "$one" -C "$work" || fail "it unpacks" "tar failed"
git ls-tree -r --name-only HEAD | sort >"$work/expected"
(cd "$work/vmtoll-$version" && find . -type f | sed 's/^..//' | sort) >"$work/out"
holds "it has every file" cmp "$work/out" "$work/expected"

# Packages are made from it. What is judged is the packaging; the optimizer would double the time.
if ! command -v rpmbuild >/dev/null 2>&1; then
    skip "the RPM builds" "rpmbuild is missing: apt-get install rpm"
else
    # Here the libraries are Debian's.
    mkdir "$work/rpm"
    run as_typed env HOME="$work" timeout 600 rpmbuild -tb --nodeps --define "_topdir $work/rpm" --define 'debug_package %{nil}' \
        --define 'optflags -O0' --define '_tmppath %{_topdir}' "$one"
    is "the RPM builds" 0
    package=$(find "$work/rpm/RPMS" -name '*.rpm')
    rpm -qpl "$package" >"$work/out" 2>"$work/err"
    for file in /usr/bin/vmtoll /usr/share/man/man1/vmtoll-bench.1 /usr/share/doc/vmtoll/README.md /usr/share/licenses/; do
        has "with $file" "^$file"
    done
    lacks "and nothing elsewhere" '^/(etc|opt|usr/local)'
    rpm -qp --recommends --suggests "$package" >"$work/out" 2>"$work/err"
    has "it suggests what labs need" '^qemu-system-x86'
fi

if ! command -v makepkg >/dev/null 2>&1 || ! command -v bsdtar >/dev/null 2>&1; then
    skip "Arch's package builds" "makepkg is missing: apt-get install makepkg libarchive-tools"
elif ! can_be_nobody; then
    skip "Arch's package builds" "makepkg refuses root, and nobody cannot be had here"
else
    mkdir "$work/arch" && cp packaging/PKGBUILD "$one" "$work/arch"
    chmod 755 "$work" && chmod -R a+rX "$work/arch" && chown 65534 "$work/arch"
    printf "CARCH=x86_64\nCHOST=x86_64-linux-gnu\nCFLAGS=-O0\nMAKEFLAGS=-j2\nOPTIONS=(!strip !debug)\nPKGEXT=.pkg.tar\nSRCEXT=.src.tar\nDLAGENTS=()\n" >"$work/arch/conf"
    run as_typed as_nobody env HOME="$work/arch" TMPDIR="$work/arch" PACMAN=true BUILDDIR="$work/arch" PKGDEST="$work/arch" LC_ALL=C sh -c 'cd "$1" && timeout 600 makepkg --nodeps --config conf' sh "$work/arch"
    is "Arch's package builds" 0
    package=$(find "$work/arch" -name 'vmtoll-*.pkg.tar')
    bsdtar -tf "$package" >"$work/out" 2>"$work/err"
    for file in usr/bin/vmtoll usr/share/man/man1/vmtoll-bench.1 usr/share/licenses/vmtoll/LICENSE; do
        has "with $file" "^$file"
    done
fi

finish
