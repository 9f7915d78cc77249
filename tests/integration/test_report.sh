#!/bin/sh
# vmtoll report: formats, several files, bad files, and the page in a browser.
# beside others
# shellcheck source=tests/integration/tap.sh
. "$(dirname "$0")/tap.sh"
root=$(cd "$(dirname "$0")/../.." && pwd)

# A real result, small and quick; native works everywhere.
"$VMTOLL" bench --engine native --case 'empty,nop,rd*,cpuid,sgdt,mov-to-cr3' --budget 0.6 --quiet --output "$work/a.json" 2>"$work/err"
[ -s "$work/a.json" ] || skip_all "vmtoll bench gave no result: $(head -n 1 "$work/err")"

run "$VMTOLL" report "$work/a.json"
is "text is the default" 0
has "text: the case stands in its class" '^  nop  '
has "text: the column is named" 'native CPL 3'
has "text: a reason stands once, as a note" '^  . \[[0-9]+\] .*privileged'
lacks "text: no colour in a file" "$(printf '\033')"
lacks "text: no blanks at the end of a line" ' $'

for format in markdown csv json html; do
    run "$VMTOLL" report "$work/a.json" --format "$format"
    is "$format is printed" 0
    has "$format holds the case" 'rdtsc'
done

"$VMTOLL" report "$work/a.json" --format json >"$work/again.json"
holds "json is the document as it was" cmp "$work/a.json" "$work/again.json"

run "$VMTOLL" report "$work/a.json" --output "$work/r.md"
is "the extension chooses the format" 0
holds "markdown by extension" grep -q '^| case | unit' "$work/r.md"

"$VMTOLL" report - <"$work/a.json" >"$work/out" 2>"$work/err"
status=$?
is "- is standard input" 0

run "$VMTOLL" report "$work/a.json" --reference
has "published figures are marked as such" '^Published figures: .*never part of'
run "$VMTOLL" report "$work/a.json"
lacks "and not shown unasked" 'Published figures'

# Several results
cp "$work/a.json" "$work/b.json"
run "$VMTOLL" report "$work/a.json" "$work/b.json"
is "two results side by side" 0
has "two results: columns tell their files apart" 'a\.json.*b\.json'
"$VMTOLL" report "$work/a.json" "$work/b.json" --format json >"$work/both.jsonl"
holds "two results are two lines of JSON" test "$(wc -l <"$work/both.jsonl")" -eq 2
run "$VMTOLL" report "$work/both.jsonl"
is "JSON Lines are read" 0
sed 's/"unit":"ns"/"unit":"instructions"/g; s/"simulated":false/"simulated":true/g' "$work/a.json" >"$work/lab.json"
run "$VMTOLL" report "$work/a.json" "$work/lab.json"
has "time and instructions stand in columns of their own" 'native, instructions, simulated'
has "simulated columns are explained" 'Simulated columns count instructions'

# How many operations can be set side by side on all roads.
(
    # shellcheck source=tests/integration/result.sh
    . "$(dirname "$0")/result.sh"
    rows=
    for path in native emulated translated hardware; do
        engine=$path
        rows="$rows${rows:+,}$(row cli flags ok '"trap"' 10),$(row sti flags ok '"trap"' 10),$(row hlt idle unverified '"trap"' 10)"
    done
    path=paravirtual engine=hypercall
    document four.json "$rows,$(row hlt idle ok '"hypercall"' 5)"
    document five.json "$rows,$(row cli flags ok '"none"' 1),$(row hlt idle ok '"hypercall"' 5)"
)
run "$VMTOLL" report "$work/four.json"
lacks "an operation that one road lacks, or did not prove, is not said to have all" 'proved figure on all'
run "$VMTOLL" report "$work/five.json" --format markdown
has "one that all have is counted" '1 operation has a proved figure on all 5 roads .native 2, emulated 2, translated 2, paravirtual 2, hardware 2.'

# Many results: a fleet
mkdir "$work/fleet"
i=0
while [ $i -lt 12 ]; do
    sed 's/"hostname": [^,]*,/"hostname": "node'$i'",/' "$work/a.json" >"$work/fleet/$i.json"
    i=$((i + 1))
done
python3 - "$work/fleet/7.json" 2>/dev/null <<'P'
import json, sys
document = json.load(open(sys.argv[1]))
document["host"]["system"]["kernel"] = "5.4.0-slow"
for row in document["measurements"]:
    if row["toll"]:
        row["toll"] = {k: [x * 1.5 for x in v] if isinstance(v, list) else v * 1.5 for k, v in row["toll"].items()}
json.dump(document, open(sys.argv[1], "w"))
P
altered=$?
run "$VMTOLL" report "$work/fleet"
is "a folder of results" 0
has "a fleet is counted" '^12 results'
if [ "$altered" -eq 0 ]; then
    has "the host that stands out is named and explained" 'node7: .*\+50.*system.kernel is 5\.4\.0-slow'
else
    skip "the host that stands out is named and explained" "python3 is missing"
fi
ls "$work"/fleet/*.json >"$work/names"
run "$VMTOLL" report --list "$work/names" --by kernel --format csv
is "a list of files, grouped" 0
has "csv names the group" '^group,case,'
run "$VMTOLL" report "$work/fleet" --format json
has "json names the schema" 'vmtoll\.fleet/1'
echo '{' >"$work/fleet/bad.json"
run "$VMTOLL" report "$work/fleet"
is "a bad file among many: status 1" 1
has "it is named" 'bad\.json' err
has "the others are reported" '^12 results'
rm "$work/fleet/bad.json"
cat "$work"/fleet/[0-9]*.json >"$work/all.jsonl"
run "$VMTOLL" report "$work/all.jsonl"
has "many results in one file are a fleet as well" '^12 results'
cat "$work/both.jsonl" "$work/both.jsonl" "$work/both.jsonl" "$work/both.jsonl" "$work/both.jsonl" >"$work/lines.jsonl"
sed -i '4s/.\{300\}$//; 7s/^/{"schema"/' "$work/lines.jsonl"
run "$VMTOLL" report --by kernel "$work/lines.jsonl"
is "bad lines among good ones: status 1" 1
has "each is named" 'lines\.jsonl:[45]:[0-9]+: .*going on at line 5' err
has "each is named, the second too" 'lines\.jsonl:7:[0-9]+: .*going on at line 8' err
has "the others are reported" '^8 results'
"$VMTOLL" report --by kernel - <"$work/lines.jsonl" 2>/dev/null | head -n 1 >"$work/out"
has "the same from standard input" '^8 results'
mkdir "$work/links" && ln -s "$work/a.json" "$work/links/a.json" && ln -s "$work/b.json" "$work/links/b.json"
run "$VMTOLL" report --by kernel "$work/links"
has "links to files are followed" '^2 results'

# node_exporter's textfile collector
run "$VMTOLL" report "$work/a.json" "$work/b.json" --format openmetrics
is "openmetrics" 0
if command -v promtool >/dev/null 2>&1; then
    # shellcheck disable=SC2016
    holds "promtool accepts it" sh -c 'promtool check metrics <"$1"' - "$work/out"
else
    skip "promtool accepts it" "promtool is missing: apt-get install prometheus"
fi

# What is wrong is said in one line
echo '{"schema":"vmtoll.result/1","measurements":[{"case":"x"' >"$work/cut.json"
run "$VMTOLL" report "$work/cut.json"
refuses "a file that was cut off" 2 "cut\.json:[0-9]+:[0-9]+: .*cut off"
run "$VMTOLL" report "$work/a.json" "$work/cut.json"
is "a bad file among good ones: status 1" 1
has "the bad file is named" 'cut\.json' err
has "the good one is reported" 'rdtsc'
run "$VMTOLL" report "$work/missing.json"
refuses "a missing file" 2 "missing\.json.*No such file"
mkdir "$work/nothing"
run "$VMTOLL" report "$work/nothing"
refuses "a folder without results" 2 'holds no file named'
run "$VMTOLL" report
refuses "no file" 2
run "$VMTOLL" report "$work/a.json" --format htlm
refuses "an unknown format" 2 "html"
run "$VMTOLL" report "$work/a.json" --output "$work/none/r.html"
refuses "output into a missing folder" 3 'none'
run "$VMTOLL" report "$work/a.json" --output /dev/full
refuses "output to a full disk" 3
head -c 3000000 /dev/zero | tr '\0' '[' >"$work/deep.json"
run "$VMTOLL" report "$work/deep.json"
refuses "a deeply nested file" 2
head -c 40000000 /dev/zero | tr '\0' ' ' >"$work/blank.json"
run "$VMTOLL" report "$work/blank.json"
refuses "a file of blanks" 2

# Without gnuplot the page says so; nothing else on PATH is needed
mkdir "$work/empty"
PATH="$work/empty" "$VMTOLL" report "$work/a.json" --output "$work/plain.html" 2>"$work/err"
status=$?
is "a page without gnuplot" 0
holds "it says what is missing" grep -q 'gnuplot is not installed (apt-get install gnuplot-nox)' "$work/plain.html"

# The schema
if python3 -c 'import jsonschema' 2>/dev/null; then
    holds "a result fits its schema" python3 - "$root/docs/schema/result.schema.json" "$work/a.json" <<'P'
import json, sys, jsonschema
schema, document = (json.load(open(name)) for name in sys.argv[1:])
jsonschema.Draft202012Validator.check_schema(schema)
jsonschema.Draft202012Validator(schema).validate(document)
P
else
    skip "a result fits its schema" "python3-jsonschema is not installed"
fi

# The page in a browser
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome)
if [ -z "$browser" ]; then
    skip "the page in a browser" "chromium is not installed"
    finish
fi
sed 's/"host": null/"host": {"cpu":{"brand":"<script>document.title=\\"broken\\"<\/script>"}}/; s/"brand": "[^"]*"/"brand": "<script>document.title=1<\/script>"/' \
    "$work/a.json" >"$work/hostile.json"
"$VMTOLL" report "$work/hostile.json" --output "$work/page.html"

# What a reader does, done by a script at the end of a copy of the page; the answers become the title.
cat >"$work/act.html" <<'H'
<script>
(function () {
  var table = document.getElementById("tolls"), told = [];
  function visible() { return Array.from(table.querySelectorAll("tbody tr:not(.class)")).filter(function (r) { return r.offsetParent; }); }
  function values() { return visible().map(function (r) { return parseFloat(r.cells[2].dataset.v); }).filter(isFinite); }
  function ordered(v) { return v.every(function (x, i) { return i === 0 || v[i - 1] <= x; }); }
  var all = visible().length, button = table.tHead.querySelectorAll("button")[1];
  button.click();
  told.push("sorted=" + (ordered(values()) && button.parentNode.getAttribute("aria-sort") === "ascending"));
  button.click();
  told.push("reversed=" + ordered(values().reverse()));
  button.click();
  told.push("restored=" + (table.querySelectorAll("tr.class").length > 1 && visible().length === all));
  var search = document.querySelector("#controls input");
  search.value = "cpuid"; search.dispatchEvent(new Event("input"));
  told.push("filtered=" + (visible().length === 1));
  search.value = ""; search.dispatchEvent(new Event("input"));
  told.push("charts=" + Array.from(document.querySelectorAll("svg[role=img]")).every(function (s) { return s.getAttribute("aria-label"); }));
  told.push("scripts=" + document.scripts.length);
  told.push("requests=" + performance.getEntriesByType("resource").length);
  told.push("wide=" + (document.documentElement.scrollWidth <= window.innerWidth));
  document.body.innerHTML = "<pre id=told>" + told.join(" ") + "</pre>";
})();
</script>
H
cat "$work/page.html" "$work/act.html" >"$work/acted.html"
browse() { # width, option...
    width=$1
    shift
    timeout 60 "$browser" --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --user-data-dir="$work/profile" \
        --enable-logging=stderr --window-size="$width,900" "$@" 2>"$work/err" >"$work/out"
    status=$?
}
browse 1280 --dump-dom "file://$work/page.html"
if [ "$status" -ne 0 ]; then
    skip "the page in a browser" "chromium does not start here"
    finish
fi
lacks "no message on the console" 'CONSOLE' err
browse 1280 --dump-dom "file://$work/acted.html"
has "a column sorts" 'sorted=true'
has "and in reverse" 'reversed=true'
has "and back" 'restored=true'
has "the table filters" 'filtered=true'
has "every chart has a text alternative" 'charts=true'
has "a brand with a script in it stays text" 'scripts=2'
has "no request leaves the file" 'requests=0'
has "nothing sticks out at desktop width" 'wide=true'
browse 390 --dump-dom "file://$work/acted.html"
has "nothing sticks out at phone width" 'wide=true'
lacks "no message on the console when acting" 'CONSOLE' err
finish
