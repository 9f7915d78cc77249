#!/bin/sh
# The command line as a whole: help, version, list, bad options, exit statuses.
# shellcheck source=tests/integration/tap.sh
. "$(dirname "$0")/tap.sh"
# shellcheck source=tests/integration/schema.sh
. "$(dirname "$0")/schema.sh"

run "$VMTOLL" --version
is "--version succeeds" 0
has "--version names the program and its version" '^vmtoll [0-9]+\.[0-9]+\.[0-9]+$'

run "$VMTOLL" --help
is "--help succeeds" 0
cp "$work/out" "$work/overview"
run "$VMTOLL" help
holds "help says what --help says" cmp "$work/overview" "$work/out"

for command in $(sed -n '/^commands:/,/^$/s/^  \([a-z]*\) .*/\1/p' "$work/overview"); do
    run "$VMTOLL" "$command" --help
    is "$command --help succeeds" 0
    has "$command --help starts with its usage" "^usage: vmtoll $command( |\$)"
    holds "$command --help prints nothing to standard error" test ! -s "$work/err"
    cp "$work/out" "$work/help"
    run "$VMTOLL" help "$command"
    holds "help $command says what $command --help says" cmp "$work/help" "$work/out"
    run "$VMTOLL" "$command" --no-such-option
    refuses "$command refuses an unknown option" 2 "unknown option '--no-such-option'"
    run "$VMTOLL" "$command" -Z
    refuses "$command refuses an unknown letter" 2 "unknown option '-Z'"
    run "$VMTOLL" "$command" --hlep
    refuses "$command suggests the nearest option" 2 "did you mean '--help'"
done

run "$VMTOLL"
is "without a command it helps" 0
holds "... with the overview" cmp "$work/overview" "$work/out"
run "$VMTOLL" -V
has "-V is --version" '^vmtoll [0-9.]+$'
run "$VMTOLL" -h
holds "-h is --help" cmp "$work/overview" "$work/out"
run "$VMTOLL" lsit
refuses "a misspelt command" 2 "did you mean 'list'"
run "$VMTOLL" --versoin
refuses "a misspelt option before the command" 2 "did you mean '--version'"
run "$VMTOLL" "$(printf 'a\033[31mb\nc')"
refuses "control characters do not reach the terminal" 2 "a\?\[31mb\?c"
run "$VMTOLL" help lsit
refuses "help of a misspelt command" 2 "did you mean 'list'"

for subject in cases engines paths capabilities; do
    run "$VMTOLL" list "$subject"
    is "list $subject succeeds" 0
    run "$VMTOLL" list --json "$subject"
    is "list --json $subject succeeds" 0
    has "list --json $subject names its schema" '"schema": "vmtoll.list/1"'
    has "list --json $subject has an entry" '"name": "[a-z]'
    fits "list --json $subject" list "$work/out"
done
run "$VMTOLL" list cases
has "cpuid is among the cases" '^cpuid +identification +sensitive'
holds "the table has at least 40 cases" test "$(wc -l <"$work/out")" -gt 40
"$VMTOLL" list --help >"$work/help"
run "$VMTOLL" list
is "list alone helps" 0
holds "... with its help" cmp "$work/help" "$work/out"
run "$VMTOLL" list --json
refuses "list of nothing, with an option" 2 "missing"
run "$VMTOLL" list case
refuses "list of something misspelt" 2 "did you mean 'cases'"
run "$VMTOLL" list CASES
refuses "list of something in capitals" 2 "did you mean 'cases'"
run "$VMTOLL" list cases paths
refuses "list of two things" 2 "unexpected argument 'paths'"
run "$VMTOLL" list cases --json=yes
refuses "a value for a flag" 2 "takes no value"

run sh -c '"$1" list cases >/dev/full' sh "$VMTOLL"
refuses "standard output on a full disk" 3 "No space left"
run sh -c '"$1" list cases >&-' sh "$VMTOLL"
refuses "standard output closed" 3 "standard output"
finish
