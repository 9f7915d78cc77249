#!/bin/sh
# What make says: one line a file, the command with V=1, nothing with -s.
# beside others
# shellcheck source=tests/integration/tap.sh
. "$(dirname "$0")/tap.sh"
cd "$(dirname "$0")/../.." || exit 1
case $work in *[[:space:]]*) skip_all "make has no names with blanks, and the temporary folder has some" ;; esac
[ -e config.mk ] || skip_all "not configured: ./configure"

build() { # folder, more of make's arguments
    folder=$work/$1
    shift
    run as_typed make B="$folder" "$@" "$folder/base/arena.c.o"
}

build plain
is "an object builds in a folder of its own" 0
has "a line says what is compiled" '^CC base/arena\.c$'
lacks "the command is not shown" '-MMD'
build long --warn-undefined-variables -j2
has "so it is with a long option, which has an s of its own" '^CC base/arena\.c$'
build loud V=1
has "V=1 shows the command" '-MMD.* base/arena\.c'
lacks "and no line beside it" '^CC '
build silent -s
is "-s builds" 0
holds "and says nothing" test ! -s "$work/out"
finish
