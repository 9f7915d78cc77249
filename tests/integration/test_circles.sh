#!/bin/sh
# What tools/lint says of circles of files, on trees made for it.
# beside others
. "$(dirname "$0")/tap.sh"
top=$(cd "$(dirname "$0")/../.." && pwd)

# The files of a tree that is in order, with all that looks like a circle and is none.
plant() {
    rm -rf "$work/tree"
    mkdir -p "$work/tree/base" "$work/tree/bench"
    cd "$work/tree" || exit 1
    cat >base/low.h <<'END'
struct low_size {
    int size;
};
/* Every part declares itself here. */
int low_size(
    const struct low_size *size);
int high_total(int first,
               int second);
static inline int low_double(int value)
{
    return 2 * value;
}
END
    cat >base/low.c <<'END'
/* Not a use: high_total(1, 2). */
#include "base/low.h"
// Nor is this: high_total(1, 2)
static const char text[] = "high_total(\"1\", 2) /* ";
static int counted(int value);
static int counted(int value)
{
    return value + text[0];
}
int low_size(
    const struct low_size *size)
{
    struct high_total { int unused; } unused = {0};
    return counted(size->size + unused.unused);
}
END
    cat >bench/high.c <<'END'
#include "base/low.h"
static int counted(int value)
{
    return value;
}
int high_total(int first, int second)
{
    struct low_size size = {first};
    return counted(low_size(&size) + second);
}
END
    # Either of two files does what a third wants done: it knows neither.
    cat >base/one.c <<'END'
int either_do(void);
int wanted_by_both(int value);
int either_do(void)
{
    return wanted_by_both(1);
}
END
    sed 's/(1)/(2)/' base/one.c >base/other.c
    cat >base/wanted.c <<'END'
int wanted_by_both(int value)
{
    return value > 1 ? either_do() : 0;
}
END
    # A table lists what includes the type of its rows.
    printf '#include "bench/row.h"\nextern const struct row rows[];\n' >bench/table.h
    printf 'struct row {\n    int (*run)(void);\n};\nint run_it(void);\n' >bench/row.h
    printf '#include "bench/table.h"\nconst struct row rows[] = {{run_it}};\n' >bench/table.c
    printf '#include "bench/row.h"\nint run_it(void)\n{\n    return 0;\n}\n' >bench/row.c
}
judge() {
    # shellcheck disable=SC2046
    run awk -f "$top/tools/circles.awk" $(find base bench -name '*.[ch]' | sort)
}
says() { # name, lines
    equals "$1" "$(cat "$work/out")" "$2"
}

plant
judge
is "a tree in order: succeeds" 0
says "a tree in order: says nothing" ""

plant
printf '#include "base/second.h"\n' >base/first.c
printf '#include "base/first.h"\n' >base/second.h
printf 'struct first;\n' >base/first.h
judge
is "A.c includes what includes A.h: fails" 1
says "A.c includes what includes A.h: the circle and its includes" \
    'circle of files: base/first -> base/second -> base/first
    base/first.c:1: includes base/second.h
    base/second.h:1: includes base/first.h'

plant
sed -i 's/^    return counted(size/    size += high_total(1, 2);\n&/' base/low.c
judge
is "two files that call one another, declared in one header: fails" 1
says "two files that call one another: the circle and its uses" \
    'circle of files: base/low -> bench/high -> base/low
    base/low.c:14: uses high_total of bench/high.c
    bench/high.c:9: uses low_size of base/low.c'

plant
sed -i 's/^    return 2/    return high_total(value, 0) + 2/' base/low.h
judge
is "a function in a header calls what calls the header's file: fails" 1
says "a function in a header: its line" \
    'circle of files: base/low -> bench/high -> base/low
    base/low.h:11: uses high_total of bench/high.c
    bench/high.c:9: uses low_size of base/low.c'

plant
cat >base/first.c <<'END'
const int first_table[2] = {1, 2};
int first_do(void)
{
    return second_do();
}
END
printf 'int second_do(void)\n{\n    return third_do();\n}\n' >base/second.c
printf 'int third_do(void)\n{\n    return first_table[1];\n}\n' >base/third.c
printf 'static int (*const way)(void) = fifth_do;\nint fourth_do(void)\n{\n    return way();\n}\n' >base/fourth.c
printf 'int fifth_do(void)\n{\n    return fourth_do();\n}\n' >base/fifth.c
judge
is "two circles: fails" 1
says "two circles: both are told, the shorter first; a variable and a pointer are uses" \
    'circle of files: base/fifth -> base/fourth -> base/fifth
    base/fifth.c:3: uses fourth_do of base/fourth.c
    base/fourth.c:1: uses fifth_do of base/fifth.c
circle of files: base/first -> base/second -> base/third -> base/first
    base/first.c:4: uses second_do of base/second.c
    base/second.c:3: uses third_do of base/third.c
    base/third.c:3: uses first_table of base/first.c'

# The whole of tools/lint, on the same trees: the programs that it calls find nothing.
if ! command -v git >/dev/null 2>&1; then
    skip "lint" "no git"
    finish
fi
mkdir "$work/bin"
for name in clang-format shellcheck cppcheck clang-tidy cc; do
    printf '#!/bin/sh\n' >"$work/bin/$name"
    chmod +x "$work/bin/$name"
done
lint() {
    cp -R "$top/tools" . && mkdir -p docs && cp "$top/docs/ARCHITECTURE.md" docs/ && git init -q . && git add base bench &&
        PATH=$work/bin:$PATH run sh tools/lint cc ""
}

plant
lint
is "lint, a tree in order: succeeds" 0
has "lint, a tree in order: clean" '^lint: clean$'

plant
sed -i 's/^    return counted(size/    size += high_total(1, 2);\n&/' base/low.c
lint
is "lint, a circle: fails" 1
has "lint, a circle: told" '^circle of files: base/low -> bench/high -> base/low$'
lacks "lint, a circle: not clean" '^lint: clean$'

plant
sed -i '1i #include "bench/row.h"' base/low.c
lint
is "lint, a reversed layer: fails" 1
has "lint, a reversed layer: told" '^base/low\.c:1: base must not include bench$'

finish
