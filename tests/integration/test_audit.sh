#!/bin/sh
# vmtoll audit: text and JSON, and that both say what independent tools say.
. "$(dirname "$0")/tap.sh"
root=$(cd "$(dirname "$0")/../.." && pwd)

run "$VMTOLL" audit
is "audit succeeds" 0
has "the answer comes first" '^(Yes|No|Undecided): '
has "UMIP is judged" '^UMIP +(on|off|unknown) '
has "POPF is shown to keep IF" '^popfq .* silent +IF stays 1'
has "CLI is shown to trap" '^cli +traps +#GP\(0\), SIGSEGV'
holds "no line is wider than 132 columns" awk 'length > 132 { bad = 1 } END { exit bad }' "$work/out"
holds "nothing on standard error" test ! -s "$work/err"
run "$VMTOLL" audit now
refuses "an operand" 2 "unexpected argument"

run "$VMTOLL" audit --json
is "audit --json succeeds" 0
cp "$work/out" "$work/audit.json"
if command -v jq >/dev/null 2>&1; then
    query() { # name, filter
        holds "$1" jq -e "$2" "$work/audit.json"
    }
    query "18 instructions of Robin and Irvine" '[.instructions[] | select(.group == "robin-irvine")] | length == 18'
    query "the breaking ones are those with a silent trial" \
        '.verdict.breaking == [.instructions[] | select(any(.trials[]; .outcome == "silent")) | .name]'
    query "what traps has a fault, what is silent has a value" \
        'all(.instructions[].trials[]; if .outcome == "traps" then .fault != null else .seen != null or .note != null end)'
    query "nothing unknown lacks a reason" 'all(.instructions[].trials[] | select(.outcome == "unknown"); .note != null)'
    jq -r '.instructions[].trials[] | select(.mode == "64-bit") | .bytes' "$work/audit.json" >"$work/bytes"
    jq -r '.instructions[].trials[] | select(.mode == "64-bit") | .operation | split(" ")[0]' "$work/audit.json" >"$work/names"
else
    skip "what jq can check in the document" "no jq here"
fi

if [ -s "$work/bytes" ] && command -v objdump >/dev/null 2>&1; then
    sed 's/../\\x&/g' "$work/bytes" | tr -d '\n' | xargs -0 printf '%b' >"$work/code"
    objdump -D -b binary -m i386:x86-64 -M intel "$work/code" |
        sed -n 's/^ *[0-9a-f]*:\t[0-9a-f ]*\t\([a-z0-9.]*\) *\([a-z0-9]*\).*/\1 \2/p' |
        sed 's/^rex.W retf.*/retfq/; s/^rex.W //; s/ .*//' >"$work/decoded"
    sed 's/^\(pushf\|popf\|sysret\|sysexit\)q$/\1/; s/^\(ins\|outs\)b$/\1/' "$work/names" >"$work/claimed"
    sed 's/^\(sysret\|sysexit\|pushf\|popf\)q$/\1/' "$work/decoded" >"$work/disassembled"
    holds "objdump reads the same instructions" cmp "$work/claimed" "$work/disassembled"
else
    skip "objdump reads the same instructions" "no objdump or no jq here"
fi

if python3 -c 'import jsonschema' 2>/dev/null; then
    holds "the document is valid by its schema" python3 -W ignore -c '
import json, sys, jsonschema
jsonschema.Draft202012Validator(json.load(open(sys.argv[1]))).validate(json.load(open(sys.argv[2])))' \
        "$root/docs/schema/audit.schema.json" "$work/audit.json"
else
    skip "the document is valid by its schema" "no python3 with jsonschema here"
fi

run "$VMTOLL" bench --case nop --engine native --budget 0.1 --quiet --output "$work/result.json"
run "$VMTOLL" report "$work/result.json" --output "$work/page.html"
is "a page of a result that holds an audit" 0
cp "$work/page.html" "$work/out"
has "it has the audit's section and leads there" '<a href="#audit">'
has "it says what POPF did" '<th scope="row">POPF</th>.*IF stays 1'
if command -v jq >/dev/null 2>&1; then
    holds "the result holds the audit" jq -e '.audit.schema == "vmtoll.audit/1"' "$work/result.json"
    jq '.audit.verdict.text = "<script>x" | .audit.assists = 7 | .audit.instructions[0].trials = null' \
        "$work/result.json" >"$work/hostile.json"
    run "$VMTOLL" report "$work/hostile.json" --format html
    is "an audit that is not what it should be does no harm" 0
    has "its text stays text" '&lt;script&gt;x'
    jq '.audit = "yes"' "$work/result.json" >"$work/wrong.json"
    run "$VMTOLL" report "$work/wrong.json"
    refuses "an audit that is no object" 2 "audit: expected an object or null"
    jq 'del(.audit)' "$work/result.json" >"$work/without.json"
    run "$VMTOLL" report "$work/without.json" --format html
    is "a result without an audit" 0
    lacks "its page has no such section" 'id="audit"|#audit'
else
    skip "odd audits in a result" "no jq here"
fi

run sh -c 'cd / && "$1" audit >/dev/full' sh "$VMTOLL"
refuses "standard output on a full disk" 3 "standard output"

finish
