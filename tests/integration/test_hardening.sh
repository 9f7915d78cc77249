#!/bin/sh
# What make install installs is built with the usual hardening.
# beside others
. "$(dirname "$0")/tap.sh"
top=$(cd "$(dirname "$0")/../.." && pwd)
command -v readelf >/dev/null 2>&1 || skip_all "readelf is missing: apt-get install binutils"
cd "$top" || exit 1
flags=$(dirname "$VMTOLL")/base/flags.inc
! grep -Eq -e '-fsanitize|--coverage|-O0' "$flags" || skip_all "this build has flags of its own: $(head -n 1 "$flags")"
cp configure "$work/"
unset CC CFLAGS CPPFLAGS LDFLAGS
(cd "$work" && ./configure --quiet --without-tests) || skip_all "configure does not succeed here"
flags=$(sed -n 's/^HARDEN_CFLAGS = //p' "$work/config.mk")
for flag in -fstack-protector-strong -fPIE -D_FORTIFY_SOURCE=2; do
    case " $flags " in *" $flag "*) pass "configure asks for $flag" ;; *) fail "configure asks for $flag" "it asks for $flags" ;; esac
done
(cd "$work" && ./configure --quiet --without-tests --disable-hardening)
equals "and not for any when told so" "$(sed -n 's/^HARDEN_[A-Z]* =//p' "$work/config.mk" | tr -d '\n')" ""
(cd "$work" && ./configure --quiet --without-tests CFLAGS=-O0)
lacks_fortify() { ! grep -q FORTIFY "$work/config.mk"; }
holds "_FORTIFY_SOURCE is left out where nothing is optimized" lacks_fortify

build=$(dirname "$VMTOLL")
run make -s --no-print-directory B="${build#"$top/"}" DESTDIR="$work/root" PREFIX=/usr install
is "make install succeeds" 0
program=$work/root/usr/bin/vmtoll
readelf -W --file-header --program-headers --dynamic --dyn-syms "$program" >"$work/elf" 2>&1
elf() { holds "$1" grep -Eq -e "$2" "$work/elf"; } # name, expression
elf "it is position-independent" 'Type: +DYN'
elf "... a program, not a library" 'FLAGS_1.*PIE'
elf "its relocated data is made read-only" 'GNU_RELRO'
elf "... all of it, before it starts" 'BIND_NOW'
elf "its stack is protected" '__stack_chk_fail'
elf "its buffers are checked" '__(printf|snprintf|vsnprintf|memcpy|fprintf)_chk'
elf "its stack is not executable" 'GNU_STACK.* RW '
no_text_relocations() { ! grep -q TEXTREL "$work/elf"; }
holds "its code is not relocated" no_text_relocations
finish
