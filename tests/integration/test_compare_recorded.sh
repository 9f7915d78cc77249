#!/bin/sh
# vmtoll compare on runs recorded one after the other on one machine: no change is invented, a true one is found.
# shellcheck source=tests/integration/tap.sh
. "$(dirname "$0")/tap.sh"
data=$(dirname "$0")/../data/compare
command -v python3 >/dev/null 2>&1 || skip_all "python3 is missing, which shifts the recorded cases: apt-get install python3"

for run in "$data"/run-*.json.gz; do
    name=$(basename "$run" .gz)
    gzip -dc "$run" >"$work/$name"
done

python3 - "$VMTOLL" "$work" >"$work/verdict" <<'P'
import glob
import itertools
import json
import subprocess
import sys

vmtoll, work = sys.argv[1:]
files = sorted(glob.glob(work + "/run-*.json"))


def changed(old, new):
    """Keys of the rows that compare calls changed."""
    answer = subprocess.run([vmtoll, "compare", old, new, "--format", "json", "--fail-on", "never"],
                            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True, timeout=60)
    rows = json.loads(answer.stdout)["measurements"]
    return {(row["case"], row["engine"], row["cpl"]): row["change"] for row in rows
            if row["change"] not in ("same", "unclear")}


def precise(row):
    """What bench itself calls precise: an interval within 1 % and pairs enough for it."""
    low, high = row["toll"]["ci95"]
    return row["toll"]["median"] > 0 and (high - low) / 2 <= 0.01 * row["toll"]["median"] and row["batches"] > 100


def shift(row, factor):
    """The body takes so much longer that the toll is `factor` times what it was."""
    added = [(factor - 1) * toll for toll in row["samples"]]
    row["samples"] = [toll + more for toll, more in zip(row["samples"], added)]
    row["samples_body"] = [body + more for body, more in zip(row["samples_body"], added)]
    for key, value in row["toll"].items():
        row["toll"][key] = [factor * v for v in value] if isinstance(value, list) else factor * value


pairs = list(itertools.combinations(files, 2))
flagged = [(old, new) for old, new in pairs if changed(old, new)]
print("pairs", len(pairs), "flagged", len(flagged))

tried = found = 0
for number, (old, new) in enumerate(pairs):
    with open(old) as a, open(new) as b:
        before, after = json.load(a), json.load(b)
    known = {(r["case"], r["engine"], r["cpl"]): r for r in before["measurements"] if precise(r)}
    candidates = [r for r in after["measurements"] if precise(r) and (r["case"], r["engine"], r["cpl"]) in known]
    for row in candidates[number % 3::3][:4]:
        kept = json.dumps(row)
        shift(row, 1.05)
        with open(work + "/shifted.json", "w") as stream:
            json.dump(after, stream)
        tried += 1
        found += changed(old, work + "/shifted.json").get((row["case"], row["engine"], row["cpl"])) == "slower"
        row.update(json.loads(kept))
print("shifts", tried, "found", found)
P
value() { # name: the figure behind it
    tr '\n' ' ' <"$work/verdict" | sed -n "s/.*$1 \([0-9]*\).*/\1/p"
}
pairs=$(value pairs) flagged=$(value flagged) shifts=$(value shifts) found=$(value found)
echo "# $(tr '\n' ' ' <"$work/verdict")"
holds "at least 100 pairs" [ "${pairs:-0}" -ge 100 ]
holds "nothing is found in at least 95 of 100" [ $((${flagged:-999} * 100)) -le $((${pairs:-0} * 5)) ]
holds "of true shifts of 5 per cent in precise cases, nine in ten are found" [ $((${found:-0} * 10)) -ge $((${shifts:-0} * 9)) ]
holds "of not a few" [ "${shifts:-0}" -ge 20 ]
finish
