#!/bin/sh
# vmtoll report over many machines: every format, names from outside, input that is no result, and the page in a browser.
# beside others
# shellcheck source=tests/integration/tap.sh
. "$(dirname "$0")/tap.sh"
# shellcheck source=tests/integration/result.sh
. "$(dirname "$0")/result.sh"
root=$(cd "$(dirname "$0")/../.." && pwd)

# Nine hosts where cpuid stays inside, two of another kernel where it exits, one whose counters prove nothing.
mkdir "$work/ways"
i=0
while [ $i -lt 12 ]; do
    kernel=6.1.0 status=ok crossing='"none"' toll=$((100 + i))
    case $i in
    3 | 8) kernel=5.10.0 crossing='"exit-kernel"' toll=2000 ;;
    5) status=unverified toll=900 ;;
    esac
    # shellcheck disable=SC2034
    host="{\"system\":{\"hostname\":\"node$i\",\"kernel\":\"$kernel\"}}"
    document "ways/$i.json" "$(row cpuid identification $status "$crossing" $toll)" "$(row nop control ok '"none"' 1)"
    i=$((i + 1))
done
host=null
run "$VMTOLL" report "$work/ways"
is "hosts that cross in different ways" 0
has "the answer says so" '^12 results, and no host stands out; 1 case crosses in different ways\.'
has "the hosts, and what tells them from most" '^  · node3, node8: system\.kernel is 5\.10\.0 on 2 of 2, and on 0 of 9 others$'
has "the case, their way and that of most" '^    · cpuid on kvm CPL 0: exit to the kernel on 2 hosts, no crossing on 9$'
has "so with what is unproved" '^    · cpuid on kvm CPL 0: no crossing, unverified on 1 host, no crossing on 9$'
has "the usual median is of the usual hosts" '^cpuid +106 ns .* 9  no crossing$'
has "others have a line of their own" '^cpuid +2\.00 us .* 2  exit to the kernel$'
has "and so has what is unproved" '^cpuid +900 ns .* 1  no crossing, unverified$'
run "$VMTOLL" report "$work/ways" --format markdown
has "markdown tells the hosts" '^- \*\*node3\*\*, \*\*node8\*\*: system\.kernel'
has "markdown tells the ways" '^  - cpuid on kvm CPL 0: \*\*exit to the kernel\*\* on 2 hosts, no crossing on 9$'
run "$VMTOLL" report "$work/ways" --format html
has "html tells the hosts" '<li><b>node3</b>, <b>node8</b>: system\.kernel is 5\.10\.0'
has "html tells the ways" 'cpuid on kvm CPL 0: .*<b>exit to the kernel</b> on 2 hosts, .*no crossing on 9</li>'
run "$VMTOLL" report "$work/ways" --format csv
has "csv keeps them apart" '^,cpuid,.*,2,2000,2000,2000,2000,2000,exit-kernel,ok'
run "$VMTOLL" report "$work/ways" --format openmetrics
has "openmetrics counts hosts by crossing" '^vmtoll_fleet_toll_hosts.*case="cpuid".*crossing="exit-kernel",status="ok".* 2$'
has "openmetrics counts the cases" '^vmtoll_fleet_split_cases[{]report=".*/ways"[}] 1$'
for by in "" "--by kernel"; do
    # shellcheck disable=SC2086
    run "$VMTOLL" report "$work/ways" $by --format folded
    is "functions are told of results, not of a fleet${by:+, }$by" 2
    has "... in one line${by:+, }$by" 'shown as a fleet, of which there is no folded' err
done
run "$VMTOLL" report "$work/ways" --by kernel
has "in groups of their own nothing is unusual but the doubt" '^    · cpuid on kvm CPL 0: no crossing, unverified on 1 host, no crossing on 9$'
has "with the group" '^  · node5 \(6\.1\.0\): nothing known'
lacks "and the other kernel is no finding" '^    .*exit to'

run "$VMTOLL" report "$work/ways" --by system.kernle
is "a key that nobody has" 0
has "is told, with the one that was meant" "^vmtoll: report: no result tells 'system\.kernle', so all are one group; did you mean 'system\.kernel'\?$" err
run "$VMTOLL" report "$work/ways" --by timing.governor
has "a key that is unknown everywhere has no other" "tells 'timing\.governor', so all are one group$" err

# A host without figures that most have
document ways/4.json "$(row nop control ok '"none"' 1)" "$(row cpuid identification unsupported null '')"
run "$VMTOLL" report "$work/ways"
has "a host without a figure is named" '^  .*4\.json \(1 of 12 hosts\): cpuid on kvm CPL 0, hardware; system\.kernel is unknown on 1 of 1, and on 0 of 11 others$'
run "$VMTOLL" report "$work/ways" --format json
if command -v jq >/dev/null 2>&1; then
    holds "json: the ways of the case" jq -e '.crossings[0] | .cases == ["cpuid"] and (.ways | length) == 3 and .ways[0].names == null
        and .ways[1].names == ["node3", "node8"] and .ways[1].crossing == "exit-kernel" and .ways[1].hosts == 2
        and .ways[2].status == "unverified"' "$work/out"
    holds "json: the gap" jq -e '.gaps[0] | .cases == [{"case": "cpuid", "engine": "kvm", "cpl": 0}] and .of == 12' "$work/out"
else
    skip "json: the ways of the case" "jq is not installed"
fi

# The schema: of findings of every kind, and of a fleet with neither host names nor findings
schema() { # what, document
    if ! python3 -c 'import jsonschema' 2>/dev/null; then
        skip "$1 fits its schema" "python3-jsonschema is not installed"
        return
    fi
    holds "$1 fits its schema" python3 -W ignore -c '
import json, sys, jsonschema
def closed(node):
    if isinstance(node, dict):
        if "properties" in node:
            node["additionalProperties"] = False
        for value in node.values():
            closed(value)
    elif isinstance(node, list):
        for value in node:
            closed(value)
schema, document = (json.load(open(name)) for name in sys.argv[1:])
jsonschema.Draft202012Validator.check_schema(schema)
closed(schema)
jsonschema.Draft202012Validator(schema).validate(document)' "$root/docs/schema/fleet.schema.json" "$2"
}
cp "$work/out" "$work/ways.json"
schema "a fleet of different crossings" "$work/ways.json"

# Two kinds of hosts
mkdir "$work/kinds"
i=0
while [ $i -lt 13 ]; do
    brand=A toll=100
    [ $((i % 2)) -eq 0 ] || brand=B toll=150
    # shellcheck disable=SC2034
    host="{\"system\":{\"hostname\":\"node$i\"},\"cpu\":{\"brand\":\"$brand\"}}"
    document "kinds/$i.json" "$(row cpuid identification ok '"none"' $toll.$i)"
    i=$((i + 1))
done
run "$VMTOLL" report "$work/kinds"
has "two kinds of hosts: the answer" '^13 results; hosts differ by cpu\.brand\.$'
has "half a fleet is no exception, and what makes the kinds" \
    '^6 of 13 hosts cost otherwise than the rest, too many to be exceptions\. Hosts differ by cpu\.brand, which explains 100 % .*: --by cpu\.brand judges'
run "$VMTOLL" report "$work/kinds" --by cpu.brand
has "each by itself" '^13 results in 2 groups, and no host stands out\.$'
run "$VMTOLL" report "$work/kinds" --format html
has "html says so" '<p>6 of 13 hosts .*--by cpu\.brand judges'
run "$VMTOLL" report "$work/kinds" --format json
cp "$work/out" "$work/kinds.json"
schema "a fleet of two kinds" "$work/kinds.json"

# shellcheck disable=SC2034
host='{"system":{"hostname":"node","kernel":"6.1.0"}}' engine=native path=native cpl=3
document a.json "$(row empty control ok null 0)" "$(row nop control ok '"none"' 0.5)" "$(row rdtsc time ok '"none"' 8.2)" \
    "$(row rdpid time ok '"none"' 4.1)" "$(row cpuid identification ok '"none"' 3500)" \
    "$(row sgdt descriptor-table ok '"trap"' 800)" "$(row page-fault exception ok '"trap"' 1300)"

# Twelve hosts. One costs more in everything, runs another kernel, and has a name that is markup everywhere.
mkdir "$work/fleet"
i=0
while [ $i -lt 12 ]; do
    sed "s/node/node$i/" "$work/a.json" >"$work/fleet/$i.json"
    i=$((i + 1))
done
python3 - "$work/fleet/7.json" 2>/dev/null <<'P'
import json, sys
document = json.load(open(sys.argv[1]))
document["host"]["system"] = {"kernel": "5.4|<b>|\"\\`x`", "hostname": "<script>document.title=1</script>\"\\|`*\nx"}
for row in document["measurements"]:
    if row["toll"]:
        row["toll"] = {k: [x * 1.5 for x in v] if isinstance(v, list) else v and v * 1.5 for k, v in row["toll"].items()}
json.dump(document, open(sys.argv[1], "w"))
P
altered=$?

for format in text markdown csv json html openmetrics; do
    run "$VMTOLL" report "$work/fleet" --format $format
    is "a fleet as $format" 0
    has "$format holds the case" 'cpuid'
    cp "$work/out" "$work/fleet.$format"
done
if [ "$altered" -eq 0 ]; then
    cp "$work/fleet.html" "$work/out"
    has "html: the name is text" '&lt;script&gt;document\.title=1&lt;/script&gt;&quot;'
    lacks "html: and no markup" '<script>document'
    cp "$work/fleet.markdown" "$work/out"
    has "markdown: the host stands out" '\+50\.0 %'
    lacks "markdown: its name is no markup" '<script>|<b>'
    cp "$work/fleet.openmetrics" "$work/out"
    has "openmetrics: quotes and backslashes are escaped" 'host="<script>document\.title=1</script>\\"\\\\[|]`[*][?]x"'
    cp "$work/fleet.json" "$work/out"
    has "json: the outlier" '"ratio": 1\.5'
    schema "a fleet with an outlier" "$work/fleet.json"
else
    skip "names from outside" "python3 is missing"
fi
run "$VMTOLL" report "$work/fleet" --by kernel --output "$work/groups.html"
is "a page of groups" 0
holds "its groups have a table" grep -q '<section id="groups">' "$work/groups.html"

if command -v promtool >/dev/null 2>&1; then
    # shellcheck disable=SC2016
    holds "promtool accepts a fleet" sh -c 'promtool check metrics <"$1"' - "$work/fleet.openmetrics"
    "$VMTOLL" report "$work/a.json" "$work/a.json" "$work/fleet/7.json" --format openmetrics >"$work/same.prom"
    # shellcheck disable=SC2016
    holds "promtool accepts one host twice" sh -c 'promtool check metrics <"$1"' - "$work/same.prom"
else
    skip "promtool accepts a fleet" "promtool is missing: apt-get install prometheus"
fi

# Input that is no result: named in one line, and nothing else happens
mkdir "$work/mixed" "$work/mixed/folder.json"
cp "$work/fleet/1.json" "$work/fleet/2.json" "$work/mixed"
mkfifo "$work/mixed/pipe.json"
head -c 1000 "$work/fleet/1.json" >"$work/mixed/cut.json"
printf '{"schema":"vmtoll.result/1","\0":1}' >"$work/mixed/nul.json"
printf '{"schema":"vmtoll.result/1","x":"\377\376"}' >"$work/mixed/latin.json"
truncate -s 1G "$work/mixed/sparse.json"
ln -s nowhere "$work/mixed/broken.json"
run timeout 20 "$VMTOLL" report --by kernel "$work/mixed"
is "bad files among good ones: status 1" 1
has "the good ones are reported" '^2 results'
for name in cut nul latin sparse broken; do
    has "$name.json is named" "mixed/$name\.json" err
done
holds "one line each" test "$(wc -l <"$work/err")" -eq 5
lacks "a pipe in a folder is left alone" 'pipe|folder' err
for input in /dev/zero /dev/urandom "$work/mixed/sparse.json"; do
    run timeout 20 "$VMTOLL" report "$input"
    refuses "$input" 2 "$input:1:"
done
: >"$work/unreadable.json"
chmod 000 "$work/unreadable.json"
if [ "$(id -u)" -ne 0 ]; then
    run "$VMTOLL" report "$work/unreadable.json"
    refuses "a file that may not be read" 2 'Permission denied'
fi

# Files as other systems leave them
mkdir "$work/odd"
{ printf '\357\273\277'; cat "$work/a.json"; } >"$work/odd/mark.json"
sed 's/,/,\r\n/g; s/node/node2/' "$work/a.json" >"$work/odd/returns.json"
run "$VMTOLL" report --by kernel "$work/odd"
is "a byte order mark and carriage returns" 0
has "both are read" '^2 results'
gzip -c "$work/a.json" >"$work/a.json.gz"
run "$VMTOLL" report "$work/a.json.gz"
refuses "a compressed file" 2 'compressed by gzip: unpack it first'
printf '\377\376{\0' >"$work/wide.json"
run "$VMTOLL" compare "$work/a.json" "$work/wide.json"
refuses "text in UTF-16" 2 'UTF-16: convert it first'

# Names with everything in them, in a list
mkdir "$work/named"
bytes=$(printf '\377\376')
line='with a
line end'
escape=$(printf '\033[31mred')
for name in "$bytes" "$line" "$escape" '-leading' 'a b'; do
    sed 's/"hostname":"node",//' "$work/a.json" >"$work/named/$name.json"
    echo '{' >"$work/named/bad $name.json"
done
find "$work/named" -name '*.json' -print0 >"$work/list"
run "$VMTOLL" report --by host --format json --list "$work/list"
is "a list of names each ended by NUL" 1
holds "one line for each bad file" test "$(wc -l <"$work/err")" -eq 5
lacks "and no escape sequence" "$(printf '\033')" err
if command -v jq >/dev/null 2>&1; then
    holds "all others are read, and named in UTF-8" jq -e '.results == 5 and ([.measurements[].group] | unique | length) == 5
        and any(.measurements[].group; endswith("/??.json")) and any(.measurements[].group; endswith("/with a?line end.json"))' "$work/out"
else
    skip "all others are read" "jq is not installed"
fi
mkdir -p "$work/closed/folder"
cp "$work/a.json" "$work/closed"
chmod 000 "$work/closed/folder"
if [ "$(id -u)" -ne 0 ]; then
    run "$VMTOLL" report --by kernel "$work/closed"
    is "a folder that may not be looked into" 1
    has "is named" "closed/folder': Permission denied" err
    has "the others are reported" '^1 result'
fi
chmod 755 "$work/closed/folder"

# A document that never ends costs neither memory nor time
endless() { # what is repeated, what comes first
    printf '%s' "$2"
    yes "$1" | tr -d '\n'
}
mkdir "$work/kept"
limit='prlimit --as=400000000'
if ! command -v prlimit >/dev/null 2>&1 || grep -q __asan_init "$VMTOLL"; then
    limit= # the sanitizer's own memory is beyond any limit
fi
memory() { # name, repeated, first
    # shellcheck disable=SC2086
    endless "$2" "$3" 2>/dev/null | {
        $limit timeout 30 "$VMTOLL" report - >/dev/null 2>"$work/kept/err"
        echo $? >"$work/kept/status"
    }
    # shellcheck disable=SC2016
    run sh -c 'cat "$1/err" >&2; exit "$(cat "$1/status")"' - "$work/kept"
    refuses "$1" 2 'standard input:'
}
start='{"schema":"vmtoll.result/1",'
memory "an endless text" 'xxxxxxxxxxxxxxxx' "$start\"started\":\"x"
memory "an endless number" '1234567890123456' "$start\"x\":1"
memory "an endless list of samples" ',12345678' "$start\"measurements\":[{\"case\":\"c\",\"engine\":\"e\",\"status\":\"ok\",\"samples\":[1"
memory "endless measurements" ',{"case":"c","engine":"e","status":"ok"}' "$start\"measurements\":[{\"case\":\"c\",\"engine\":\"e\",\"status\":\"ok\"}"
memory "an endless key" 'kkkkkkkkkkkkkkkk' "$start\"k"
memory "endless nesting" '{"a":' "$start\"x\":"
memory "endless host facts" ',"a":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]' "$start\"host\":{\"x\":[[1]"

# Runs without end, of one machine and of many: as many are taken as a comparison can use
[ -z "$limit" ] || limit='prlimit --as=1000000000'
endless_runs() { # what is repeated between the documents' ends
    # shellcheck disable=SC2086
    yes "$1" 2>/dev/null | {
        $limit timeout 60 "$VMTOLL" compare "$work/a.json" - >/dev/null 2>"$work/kept/err"
        echo $? >"$work/kept/status"
    }
    # shellcheck disable=SC2016
    run sh -c 'cat "$1/err" >&2; exit "$(cat "$1/status")"' - "$work/kept"
}
endless_runs "$(cat "$work/a.json")"
refuses "endless runs to compare" 2 'holds more than can be compared at once'
endless_runs "$(cat "$work/a.json" "$work/fleet/1.json")"
refuses "endless runs of two machines to compare" 2 'runs of different machines \(system\.hostname'

# The page in a browser
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome)
if [ -z "$browser" ]; then
    skip "the page of a fleet in a browser" "chromium is not installed"
    finish
fi
cat >"$work/act.html" <<'H'
<script>
(function () {
  var table = document.getElementById("tolls"), told = [];
  function visible() { return Array.from(table.querySelectorAll("tbody tr:not(.class)")).filter(function (r) { return r.offsetParent; }); }
  function values() { return visible().map(function (r) { return parseFloat(r.cells[2].dataset.v); }); }
  table.tHead.querySelectorAll("button")[1].click();
  told.push("sorted=" + values().every(function (x, i, v) { return i === 0 || v[i - 1] <= x; }));
  var search = document.querySelector("#controls input");
  search.value = "cpuid"; search.dispatchEvent(new Event("input"));
  told.push("filtered=" + (visible().length === 1));
  told.push("labels=" + Array.from(document.querySelectorAll("svg.strip")).every(function (s) { return s.getAttribute("aria-label"); }));
  told.push("scripts=" + document.scripts.length);
  told.push("requests=" + performance.getEntriesByType("resource").length);
  told.push("wide=" + (document.documentElement.scrollWidth <= window.innerWidth));
  document.body.innerHTML = "<pre id=told>" + told.join(" ") + "</pre>";
})();
</script>
H
cat "$work/fleet.html" "$work/act.html" >"$work/acted.html"
for width in 1280 390; do
    timeout 60 "$browser" --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --user-data-dir="$work/profile" \
        --enable-logging=stderr --window-size=$width,900 --dump-dom "file://$work/acted.html" 2>"$work/err" >"$work/out"
    if ! grep -q 'id="told"' "$work/out"; then
        skip "the page of a fleet at $width pixels" "chromium does not start here"
        continue
    fi
    for answer in sorted=true filtered=true labels=true scripts=2 requests=0 wide=true; do
        has "at $width pixels: $answer" "$answer"
    done
    lacks "at $width pixels: no message on the console" 'CONSOLE' err
done
finish
