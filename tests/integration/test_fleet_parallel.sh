#!/bin/sh
# The recipe of docs/FLEET.md for GNU parallel, as it stands there, with an ssh that stays on this machine.
# shellcheck source=tests/integration/tap.sh
. "$(dirname "$0")/tap.sh"
root=$(cd "$(dirname "$0")/../.." && pwd)

command -v parallel >/dev/null 2>&1 || skip_all "parallel is missing: apt-get install parallel"
parallel --version 2>/dev/null | grep -q '^GNU parallel' || skip_all "parallel is not GNU parallel"

sed -n '/^## GNU parallel/,/^## /{ /^    parallel /,/[^\\]$/p }' "$root/docs/FLEET.md" | sed 's/--budget [0-9]*/--budget 0.3/' >"$work/recipe"
holds "docs/FLEET.md has the recipe" grep -q 'vmtoll bench .*results/{}.json' "$work/recipe"

mkdir "$work/bin" "$work/results" "$work/home"
ln -s "$VMTOLL" "$work/bin/vmtoll"
cat >"$work/bin/ssh" <<'S'
#!/bin/sh
[ "$1" = -n ] && [ "$2" != n4 ] || exit 255
shift 2
exec sh -c "$*"
S
chmod +x "$work/bin/ssh"
printf 'n1\nn2\nn3\nn4\n' >"$work/hosts"
(cd "$work" && PATH="$work/bin:$PATH" HOME="$work/home" timeout 120 sh recipe >parallel.out 2>&1)
for host in n1 n2 n3; do
    holds "a result of $host" grep -q '"schema": *"vmtoll.result/1"' "$work/results/$host.json"
done
holds "runs.log tells the host that was not reached" grep -Eq '	255	0	ssh -n n4 ' "$work/runs.log"

cd "$work" || exit 1
run "$VMTOLL" report --by cpu.brand results
is "the report of what came" 1
has "three hosts" '^3 results'
has "the missing one is named" '^vmtoll: results/n4\.json:1:1: expected a result document .*, found an empty file$' err
holds "and nothing else" test "$(wc -l <err)" -eq 1
cat results/n[123].json >all.json
run "$VMTOLL" report --by cpu.brand all.json
is "the same behind one another" 0
has "three hosts again" '^3 results'
finish
