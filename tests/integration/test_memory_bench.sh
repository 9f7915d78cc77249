#!/bin/sh
# Memory that runs out while something is measured: bench, ab and tour give what they give with memory, or one line
# and status 3.
# seconds: 900
# beside others
# shellcheck source=tests/integration/tap.sh
. "$(dirname "$0")/tap.sh"
# shellcheck source=tests/integration/sweep.sh
. "$(dirname "$0")/sweep.sh"

# Of a measurement what does not change from run to run: every number, how many there are in a list, what a sampler was
# stopped by, and what the settings warn of.
cat >"$work/lasting" <<'F'
#!/bin/sh
sed -E -e '/"warnings": \[/,/\]/d' -e 's/"stopped": ?"[a-z]+"/"stopped"/g' -e 's/0x[0-9a-f]+/#/g' \
    -e 's/-?[0-9]+(\.[0-9]+)?(e[-+]?[0-9]+)?/#/g' -e 's/#(, ?#)*/#/g' -e 's/\[\]/[#]/g'
F
# What a tour says itself; its measurement of a second has time for few cases.
cat >"$work/told" <<'F'
#!/bin/sh
sed -E -e '/^vmtoll: bench: /d' -e 's/[0-9.]+/#/g'
F
# Which row is compared with which, not what a second shows of it.
cat >"$work/compared" <<'F'
#!/bin/sh
grep -oE '^vmtoll: .*|"(case|engine|schema)": *"[^"]*"' || :
F
chmod +x "$work/lasting" "$work/told" "$work/compared"

measures() { "$VMTOLL" bench --engine "$1" --case "$2" --cpl "$3" --budget 0.05 --quiet --output - >/dev/null 2>"$work/err"; }

bench() { # name, engine, case, level, options of sweep...
    what=$1 engine=$2 case=$3 level=$4
    shift 4
    if measures "$engine" "$case" "$level"; then
        sweep "bench --engine $engine, $what" -r -p "$work/lasting" "$@" \
            -- bench --engine "$engine" --case "$case" --cpl "$level" --budget 0.05 --json
    else
        skip "bench --engine $engine, $what" "$(head -n 1 "$work/err")"
    fi
}
bench "one allocation" native rdtsc 3 -f 1000 -s 100
bench "no memory from there on" native rdtsc 3 -a -f 100 -s 60
for engine in trap translate kvm; do
    bench "one allocation" "$engine" cpuid 0 -f 100 -s 80
    bench "no memory from there on" "$engine" cpuid 0 -a -f 20 -s 30
done
bench "one allocation" hypercall rdtsc 3 -f 100 -s 80
sweep "bench into a file" -r -p "$work/lasting" -o x -f 0 -s 60 -- bench --engine native --case rdtsc --budget 0.05 --quiet --output x
sweep "bench of an engine that is not there" -x 2 -- bench --engine nothing
sweep "ab" -r -p "$work/compared" -f 20 -s 20 \
    -- ab --by cpu --engine native --case rdtsc --pairs 6 --budget 1.3 --json 0 0
sweep "tour" -r -t -x 1 -p "$work/told" -- tour --labs none --budget 1
finish
