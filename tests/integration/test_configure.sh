#!/bin/sh
# What packaging hands to ./configure: folders that are honoured, options that mean nothing here, flags that are refused.
# beside others
. "$(dirname "$0")/tap.sh"
top=$(cd "$(dirname "$0")/../.." && pwd)
build=$(cd "$(dirname "$VMTOLL")" && pwd)
mkdir "$work/elsewhere"
cd "$work/elsewhere" || exit 1
unset CC CFLAGS CPPFLAGS LDFLAGS PKG_CONFIG

configure() {
    rm -f config.mk config.h
    run "$top/configure" --without-tests "$@"
}

# A variable of config.mk as make sees it.
value() { # variable [, assignments for make...]
    name=$1
    shift
    printf 'include config.mk\nshow:\n\t$(info $(%s))@:\n' "$name" >show.mk
    as_typed make -s --no-print-directory -f show.mk "$@" show 2>&1
}

# dh_auto_configure
# shellcheck disable=SC2016
configure --build=x86_64-linux-gnu --prefix=/usr '--includedir=${prefix}/include' '--mandir=${prefix}/share/man' \
    '--infodir=${prefix}/share/info' --sysconfdir=/etc --localstatedir=/var --disable-option-checking \
    --disable-silent-rules '--libdir=${prefix}/lib/x86_64-linux-gnu' --runstatedir=/run --disable-maintainer-mode \
    --disable-dependency-tracking
is "what dh_auto_configure passes" 0
holds "what is ignored fits one line" test "$(wc -l <"$work/err")" -eq 1
has "which names it" '^configure: ignored.*--sysconfdir=/etc' err
lacks "and not what the caller asked not to hear of" 'silent-rules' err
equals "manual pages" "$(value mandir)" /usr/share/man
equals "documents" "$(value docdir)" /usr/share/doc/vmtoll
equals "the program" "$(value bindir)" /usr/bin
equals "make's prefix moves them" "$(value mandir prefix=/opt)" /opt/share/man
equals "so does PREFIX" "$(value mandir PREFIX=/opt)" /opt/share/man
holds "configuring again is told the same" sh -c 'echo "$1" | grep -qF "$2"' sh "$(value CONFIGURED_WITH)" "'--mandir=\${prefix}/share/man'"

# RPM's %configure
configure --host=x86_64-redhat-linux-gnu --build=x86_64-redhat-linux-gnu --program-prefix= --disable-dependency-tracking \
    --prefix=/usr --exec-prefix=/usr --bindir=/usr/bin --sbindir=/usr/sbin --sysconfdir=/etc --datadir=/usr/share \
    --includedir=/usr/include --libdir=/usr/lib64 --libexecdir=/usr/libexec --localstatedir=/var \
    --sharedstatedir=/var/lib --mandir=/usr/share/man --infodir=/usr/share/info
is "what RPM passes" 0
holds "it is one line as well" test "$(wc -l <"$work/err")" -eq 1

configure --prefix /opt/v --exec-prefix=/opt/e --datarootdir=/opt/d --docdir=/opt/doc --with-zsh-completion-dir=/opt/z
is "a folder as a word of its own" 0
holds "silent where nothing is ignored" test ! -s "$work/err"
equals "exec-prefix" "$(value bindir)" /opt/e/bin
equals "datarootdir" "$(value mandir)" /opt/d/man
equals "docdir" "$(value docdir)" /opt/doc
equals "completion" "$(value zsh_completion_dir) $(value bash_completion_dir)" "/opt/z /opt/d/bash-completion/completions"

# The environment speaks once, and is remembered.
run env CFLAGS='-O1 -g' CPPFLAGS=-DTRIED "$top/configure" --without-tests
equals "flags of the environment" "$(value CFLAGS) $(value CPPFLAGS)" "-O1 -g -DTRIED"
eval "again() { configure $(value CONFIGURED_WITH); }"
again
equals "are there when make configures again" "$(value CFLAGS) $(value CPPFLAGS)" "-O1 -g -DTRIED"

configure
equals "warnings are no errors" "$(value WERROR)" ""
configure --enable-werror
equals "unless asked for" "$(value WERROR)" -Werror
holds "which continuous integration does" grep -q -- --enable-werror "$top/.ci/run"

refuses_with() { # what is expected, options...
    expected=$1
    shift
    configure "$@"
    is "$* is refused" 2
    has "$* is named" "$expected" err
    holds "$* leaves nothing" test ! -e config.mk
}
refuses_with "unknown option '--no-such-option'" --no-such-option
refuses_with "unknown option '--enable-nothing'" --enable-option-checking=fatal --enable-nothing
refuses_with "absolute" --bindir=bin
refuses_with "missing value" --prefix
refuses_with "'#'" '--mandir=/a#b'
# shellcheck disable=SC2016
refuses_with "without quoting marks" '--mandir=$(shell id)'
refuses_with "x86-64" --host=aarch64-linux-gnu
refuses_with "does not take these" CFLAGS=-no-such-flag
for flags in -Ofast -ffast-math "-O2 -ffinite-math-only"; do
    refuses_with "NaN" CFLAGS="$flags"
done
refuses_with "arithmetic" LDFLAGS=-ffast-math
# It has a name for NaN alone, and no macro that says so.
if command -v clang >/dev/null 2>&1; then
    for flags in -fno-honor-nans "-O2 -ffp-model=fast" "-O2 -fno-honor-nans -fno-honor-infinities"; do
        refuses_with "NaN" CC=clang CFLAGS="$flags -O2"
    done
    refuses_with "NaN" CC="clang -fno-honor-nans" CFLAGS=-O2
else
    skip "clang's own names for it are refused" "clang is missing: apt-get install clang"
fi
configure CFLAGS="-O3 -fno-math-errno"
is "-O3 is not" 0

# Nor does it help to pass them to make.
if [ -f "$top/config.mk" ]; then
    cd "$top" || exit 1
    run as_typed make -s --no-print-directory B="$work/fast" CFLAGS=-Ofast "$work/fast/base/provenance.c.o"
    holds "make refuses -Ofast" test "$status" -ne 0
    has "and says why" 'NaN' err
    for flags in "-O1 -ffile-prefix-map=$work=." "-O0 -DA='\"a\"'"; do
        as_typed make -s --no-print-directory B="$work/other" CFLAGS="$flags" "$work/other/base/provenance.c.o" >"$work/err" 2>&1
        grep -aoE -e '-O(1|0 -D)[ -~]*' "$work/other/base/provenance.c.o" | head -n 1 >>"$work/flags"
    done
    as_typed make -s --no-print-directory B="$work/other" CC="gcc -O3 -pipe" CFLAGS=-g HARDEN_CFLAGS= "$work/other/base/provenance.c.o" >"$work/err" 2>&1
    grep -aoE -e '-O3 -pipe[ -~]*' "$work/other/base/provenance.c.o" | head -n 1 >>"$work/flags"
    equals "objects of other flags are made anew and know them, the compiler's among them" "$(tr '\n' '|' <"$work/flags")" "-O1|-O0 -DA='\"a\"'|-O3 -pipe -g|"
    run make -s --no-print-directory B="${build#"$top/"}" DESTDIR="$work/root" bindir=/b mandir=/m docdir=/d install
    is "make install takes folders" 0
    holds "the program is there" test -x "$work/root/b/vmtoll"
    holds "so is the manual" test -f "$work/root/m/man1/vmtoll.1"
    holds "so are the documents" test -f "$work/root/d/README.md"
else
    skip "make refuses -Ofast" "the tree is not configured"
fi

finish
