#!/bin/sh
# vmtoll compare on runs recorded one after the other on one machine: no change is invented, a true one is found.
# beside others
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


def key(row):
    return row["case"], row["engine"], row["cpl"]


def changed(old, new):
    """What compare calls changed: how, by the row."""
    answer = subprocess.run([vmtoll, "compare", old, new, "--format", "json", "--fail-on", "never"],
                            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True, timeout=60)
    rows = json.loads(answer.stdout)["measurements"]
    return {key(row): row["change"] for row in rows
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
    for name, value in row["toll"].items():
        row["toll"][name] = [factor * v for v in value] if isinstance(value, list) else factor * value


def read(name):
    with open(name, encoding="utf-8") as stream:
        return json.load(stream)


def found(old, document, rows):
    """How many of some rows of a document compare calls slower once all of them are shifted, and how many others."""
    kept = [json.dumps(row) for row in rows]
    for row in rows:
        shift(row, 1.05)
    with open(work + "/shifted.json", "w", encoding="utf-8") as stream:
        json.dump(document, stream)
    for row, text in zip(rows, kept):
        row.update(json.loads(text))
    answer = changed(old, work + "/shifted.json")
    hits = sum(answer.get(key(row)) == "slower" for row in rows)
    return hits, len(answer) - hits


pairs = list(itertools.combinations(files, 2))
flagged = [(old, new) for old, new in pairs if changed(old, new)]
print("pairs", len(pairs), "flagged", len(flagged))

shifts = {"alone": [0, 0], "together": [0, 0]}
others = 0
for number, (old, new) in enumerate(pairs):
    after = read(new)
    known = {key(row) for row in read(old)["measurements"] if precise(row)}
    candidates = [row for row in after["measurements"] if precise(row) and key(row) in known]
    for row in candidates[number % 7::7][:2]:
        shifts["alone"][0] += 1
        shifts["alone"][1] += found(old, after, [row])[0]
    if number % 5 == 0:
        rows = candidates[number % 4::4]
        hits, more = found(old, after, rows)
        shifts["together"][0] += len(rows)
        shifts["together"][1] += hits
        others += more > 0
for name, (tried, hits) in shifts.items():
    print(name, tried, "found_" + name, hits)
print("others", others)
P
value() { # name: the figure behind it
    tr '\n' ' ' <"$work/verdict" | sed -n "s/.*\b$1 \([0-9]*\).*/\1/p"
}
pairs=$(value pairs) flagged=$(value flagged) others=$(value others)
alone=$(value alone) found_alone=$(value found_alone)
together=$(value together) found_together=$(value found_together)
echo "# $(tr '\n' ' ' <"$work/verdict")"
holds "at least 100 pairs" [ "${pairs:-0}" -ge 100 ]
holds "nothing is found in at least 95 of 100" [ $((${flagged:-999} * 100)) -le $((${pairs:-0} * 5)) ]
holds "of true shifts of 5 per cent in precise cases, nine in ten are found" \
    [ $((${found_alone:-0} * 10)) -ge $((${alone:-0} * 9)) ]
holds "of not a few" [ "${alone:-0}" -ge 50 ]
holds "a shift of every fourth case is found as well" [ $((${found_together:-0} * 10)) -ge $((${together:-0} * 9)) ]
holds "of not a few cases" [ "${together:-0}" -ge 50 ]
holds "and does not pass to the others" [ "${others:-9}" -le 1 ]
finish
