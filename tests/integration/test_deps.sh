#!/bin/sh
# tools/deps with stand-ins for dpkg, apt-get and sudo; and what configure asks for.
. "$(dirname "$0")/tap.sh"
top=$(cd "$(dirname "$0")/../.." && pwd)

bin=$work/bin
mkdir -p "$bin"
stand_in() { # name, script
    printf '#!/bin/sh\n%s\n' "$2" >"$bin/$1"
    chmod +x "$bin/$1"
}
deps() { # variables...
    : >"$work/calls"
    # shellcheck disable=SC2086
    run env -i PATH="$bin:/usr/bin:/bin" INSTALLED="$installed" CALLS="$work/calls" "$@" "$top/tools/deps" ${purposes:-report}
}

# shellcheck disable=SC2016
{
    stand_in dpkg-query 'shift 3; for p; do case " $INSTALLED " in *" $p "*) echo "installed $p" ;; esac; done'
    stand_in apt-get 'echo "apt-get $*" >>"$CALLS"; case $* in *install*"${UNKNOWN:-nothing}"*) exit 100 ;; *install*) [ -z "${FAIL:-}" ] || { echo "E: broken"; exit 100; } ;; *update*) exit 0 ;; esac'
    stand_in apt-cache 'echo "Package files:"; [ -n "${NO_LISTS:-}" ] || echo " 500 http://deb.debian.org/debian trixie/main amd64 Packages"'
    stand_in sudo 'echo "sudo" >>"$CALLS"; exec "$@"'
    stand_in id 'echo "${USERID:-0}"'
}
# The stand-in for env must not lose our own apt-get.
everything=$(sed -n 's/^required="\(.*\)"/\1/p' "$top/tools/deps")

installed="$everything gnuplot-nox"
deps
is "all there: succeeds" 0
holds "all there: says nothing" test ! -s "$work/err"
holds "all there: calls nothing" test ! -s "$work/calls"

installed="gcc make"
deps NO_DEPS=1
is "NO_DEPS: succeeds, configure decides" 0
has "NO_DEPS: names what is missing" 'missing: .*libjansson-dev.*gnuplot-nox' err
lacks "NO_DEPS: does not name what is there" 'gcc' err
holds "NO_DEPS: calls nothing" test ! -s "$work/calls"

deps
is "root: succeeds" 0
holds "root: installs what is missing" grep -q 'install.* libjansson-dev' "$work/calls"
holds "root: does not install what is there" sh -c '! grep -q " gcc " "$1"' sh "$work/calls"
holds "root: without sudo" sh -c '! grep -q sudo "$1"' sh "$work/calls"

deps USERID=1000
holds "another user: through sudo" grep -q sudo "$work/calls"
holds "another user: installs" grep -q 'apt-get.* install' "$work/calls"

deps FAIL=1 # apt-get refuses all together when it does not know one
holds "nothing can be installed: each is tried by itself" grep -q 'install-recommends gnuplot-nox$' "$work/calls"
is "nothing can be installed: succeeds, configure decides" 0
holds "nothing can be installed: the package lists were updated" grep -q 'apt-get.* update' "$work/calls"
has "nothing can be installed: says so" 'could not install: .*libjansson-dev' err
real() { grep 'apt-get.* install' "$work/calls" | grep -vc -- ' -s '; }
holds "nothing can be installed: the mirror is not asked for each" test "$(real)" -le 4

deps UNKNOWN=gnuplot-nox
holds "a package that is not there: the others are installed" \
    sh -c 'grep -v -- " -s " "$1" | grep "install .*libjansson-dev" | grep -qv gnuplot' sh "$work/calls"
has "a package that is not there: it is named" 'could not install: .*gnuplot-nox' err

# An image in which all is installed, and apt's lists are not there (rm -rf /var/lib/apt/lists/*).
installed="$everything gnuplot-nox $(sed -n 's/^    lab) optional="$optional \(.*\)" ;;.*/\1/p' "$top/tools/deps")"
purposes='report lab'
deps
holds "all there, and apt knows packages: calls nothing" test ! -s "$work/calls"
deps NO_LISTS=1
holds "a lab whose kernel apt does not know: the lists are updated" grep -q 'apt-get.* update' "$work/calls"
holds "and nothing is installed" test "$(real)" -eq 0
deps NO_LISTS=1 NO_DEPS=1
has "NO_DEPS: says what is missing" 'missing: what apt knows' err
holds "NO_DEPS: updates nothing" test ! -s "$work/calls"
purposes=report
deps NO_LISTS=1
holds "without labs nobody needs them" test ! -s "$work/calls"
installed="gcc make"

# What make check tests, labs included, unless they are left out.
checked() { (cd "$top" && make -n check "$@") | sed -n 's,^ *tools/deps ,,p'; }
equals "make check installs what the labs need" "$(checked | tr -s ' ')" "report check lab"
equals "make check LAB=0 does not" "$(checked LAB=0 | sed 's/ *$//')" "report check"
holds "LAB=0 counts a lab as skipped, with the reason" sh -c 'LAB=0 sh "$1/tests/integration/test_lab_svm.sh" | grep -q "^1..0 # SKIP labs are left out: LAB=0"' sh "$top"

run "$top/tools/deps" coffee
is "an unknown purpose" 2

# What configure may ask for must be what deps installs.
asked_for() {
    grep -v '^ *#' "$top/configure" | grep -oE '(lacks|package) ("[^"]*"|[A-Za-z0-9-]+) [a-z][a-z0-9-]+' | awk '{ print $NF }'
}
holds "configure's packages are found in its text" test "$(asked_for | wc -l)" -ge 9
for package in $(asked_for); do
    case " $everything " in
    *" $package "*) pass "deps installs $package" ;;
    *) fail "deps installs $package" "configure asks for $package, tools/deps does not install it" ;;
    esac
done

mkdir "$work/elsewhere"
cd "$work/elsewhere" || exit 1
run "$top/configure" --help
is "configure --help succeeds" 0
has "configure --help lists --prefix" '^ *--prefix'
run "$top/configure" --no-such-option
is "configure refuses an unknown option" 2
has "configure names it" "unknown option '--no-such-option'" err
run env CC=no-such-compiler "$top/configure"
is "configure without a compiler" 3
has "configure names the package of a compiler" 'apt-get install gcc' err
run env PKG_CONFIG_LIBDIR=/nonexistent "$top/configure"
is "configure without libraries" 3
has "configure names the package of each library" 'missing jansson: install it with: apt-get install libjansson-dev' err
holds "configure leaves nothing when it fails" test ! -e config.mk
run "$top/configure" --prefix=/opt/x CFLAGS="-O1 -g"
is "configure succeeds where all is there" 0
has "configure says what it found" '^configured: .*prefix /opt/x'
holds "configure remembers its arguments" grep -q "CONFIGURED_WITH = '--prefix=/opt/x' 'CFLAGS=-O1 -g'" config.mk

# A compiler that warns of something new must not end the build of who installs this.
for entry in "$top"/*; do
    case ${entry##*/} in config.* | build* | out) ;; *) ln -s "$entry" . ;; esac
done
echo 'int odd(void); int odd(void) { int unused; return 0; }' >odd.c
run as_typed make -s build/odd.c.o
is "a warning is no error" 0
has "a warning is shown" 'unused variable' err
run "$top/configure" --enable-werror
is "configure takes --enable-werror" 0
run as_typed make -s build/odd.c.o
is "a warning is an error with --enable-werror" 2
holds "continuous integration asks for it" grep -q -- '^\./configure .*--enable-werror' "$top/.ci/run"

finish
