#!/bin/sh
# kill -9 at any moment: the old file or a whole new one, and nothing of it left by the next run.
# seconds: 600
# beside others
# shellcheck source=tests/integration/tap.sh
. "$(dirname "$0")/tap.sh"
# shellcheck source=tests/integration/kill.sh
. "$(dirname "$0")/kill.sh"
top=$(cd "$(dirname "$0")/../.." && pwd)
result=$work/result.json
gzip -dc "$top/tests/data/compare/run-01.json.gz" >"$result"
gzip -dc "$top/tests/data/compare/run-02.json.gz" >"$work/other.json"

wanted() { cmp "$1" "$work/wanted"; }
loads() { "$VMTOLL" report --format csv "$1"; }

"$VMTOLL" report --format html --output "$work/wanted" "$result"
kills "report, a page" 50 page.html wanted "$VMTOLL" report --format html --output "$killed/page.html" "$result"
"$VMTOLL" compare --fail-on never --format markdown --output "$work/wanted" "$result" "$work/other.json"
kills "compare" 50 change.md wanted "$VMTOLL" compare --fail-on never --format markdown --output "$killed/change.md" "$result" "$work/other.json"
kills "bench" 50 bench.json loads "$VMTOLL" bench --quiet --engine native --case rdtsc --budget 0.05 --output "$killed/bench.json"
finish
