# shellcheck shell=sh
# Sourced, after tap.sh, by the tests of memory that runs out: tools that refuse allocations, and their sweeps.
top=$(cd "$(dirname "$0")/../.." && pwd)

! sanitized || skip_all "sanitizers bring an allocator of their own"
compiler=$(sed -n 's/^CC = //p' "$top/config.mk" 2>/dev/null)
: "${compiler:=cc}"
refuse=${work:?}/refuse.so
if ! $compiler -O2 -D_GNU_SOURCE -shared -fPIC -o "$refuse" "$top/tests/integration/refuse.c" 2>"$work/err" ||
    ! $compiler -O2 -D_GNU_SOURCE -o "$work/sweep" "$top/tests/integration/sweep.c" 2>"$work/err"; then
    skip_all "no compiler makes the tools here: $(head -n 1 "$work/err")"
fi
mkdir "$work/runs"
charts=$PATH

sweep() { # name, options of sweep..., "--", arguments of vmtoll...
    what=$1
    shift
    options=
    while [ "$1" != -- ]; do options="$options $1" && shift; done
    shift
    # shellcheck disable=SC2086
    run env PATH="$charts" "$work/sweep" $options -l "$refuse" -w "$work/runs" "$VMTOLL" "$@"
    if [ "${status:?}" -eq 0 ]; then pass "$what"; else fail "$what" "see below"; fi
    grep 'allocations:' "$work/out"
}

# One allocation refused, and with -a all from there on.
both() { # name, options of sweep..., "--", arguments of vmtoll...
    what=$1
    shift
    sweep "$what" "$@"
    sweep "$what, no memory from there on" -a "$@"
}
