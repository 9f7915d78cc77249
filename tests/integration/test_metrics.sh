#!/bin/sh
# OpenMetrics: pages about one host lie in one folder and are scraped together, as node_exporter's textfile collector does.
# beside others
. "$(dirname "$0")/tap.sh"
. "$(dirname "$0")/result.sh"

# shellcheck disable=SC2034
host='{"cpu":{"brand":"Some \"CPU\""},"system":{"hostname":"one","kernel":"6.1.0"}}'
for result in old:1000:10 new:1010:11; do
    IFS=: read -r name cpuid rdtsc <<EOF
$result
EOF
    document "$name.json" "$(row cpuid identification ok '"exit-kernel"' "$cpuid")" "$(row rdtsc time ok '"none"' "$rdtsc")" \
        "$(unit=instructions && row cpuid identification ok '"exit-kernel"' "$rdtsc")"
done
# What a page may not tell by: a host's name that is another's file, the first part of deep folders.
host=null
document nameless.json "$(row cpuid identification ok '"exit-kernel"' 12)"
host='{"system":{"hostname":"nameless.json"}}'
document namesake.json "$(row cpuid identification ok '"exit-kernel"' 13)"
mkdir "$work/pages"
cd "$work" || exit 1
deep=$(printf '%0200d/%0200d/%0200d' 1 2 3)
mkdir -p "$deep/one" "$deep/two"
cp nameless.json "$deep/one/r.json"
sed 's/"median":12/"median":14/' nameless.json >"$deep/two/r.json"

page() { # name, arguments of report...
    name=$1
    shift
    run "$VMTOLL" report "$@" --output "pages/$name.prom"
    is "a page: $name" 0
}
page old old.json
page new new.json
page both old.json new.json
page fleet old.json new.json --by kernel
page brands old.json new.json --by cpu.brand
for name in old new; do
    "$VMTOLL" report $name.json --format openmetrics >"pages/out-$name.prom"
    "$VMTOLL" report $name.json --by kernel --format openmetrics >"pages/out-fleet-$name.prom"
done
page names nameless.json namesake.json
page deep "$deep/one/r.json" "$deep/two/r.json"
page deep-fleet "$deep/one/r.json" "$deep/two/r.json" --by host
equals "which are two groups" "$(grep -c '^vmtoll_fleet_toll_hosts' pages/deep-fleet.prom)" 2
cp nameless.json "$(printf 'byte-\377.json')"
"$VMTOLL" report byte-*.json --format openmetrics >pages/byte.prom
for folder in one two; do
    "$VMTOLL" report "$deep/$folder/r.json" --format openmetrics >"pages/out-$folder.prom"
done
cp pages/old.prom before
page old new.json
sed 's/ [^ ]*$//' before >before.series
sed 's/ [^ ]*$//' pages/old.prom >out
holds "the next result of a host has the same series" cmp before.series out

series() { # pages...
    sed -n '/^#/d; s/ [^ ]*$//p' "$@" | sort
}
series pages/*.prom >expected
holds "there are series" test "$(wc -l <expected)" -gt 40
uniq -d expected >out
holds "no two pages have one in common" test ! -s out
grep -v '{.*="..*"' expected >out
holds "each is UTF-8" iconv -f UTF-8 -t UTF-8 expected
holds "each has a label" test ! -s out
holds "and a host or a fleet's name" test "$(grep -c 'report="..*"' expected)" -eq "$(wc -l <expected)"

if command -v promtool >/dev/null 2>&1; then
    for file in pages/*.prom; do
        promtool check metrics <"$file" >out 2>&1
        holds "promtool accepts $file" test ! -s out
    done
else
    skip "promtool accepts the pages" "promtool is missing: apt-get install prometheus"
fi

# A port that is free is one that another program may have taken by then: three tries.
scrape() {
    for try in 1 2 3; do
        port=$((20000 + ($$ + try * 7919) % 40000))
        prometheus-node-exporter --web.listen-address="127.0.0.1:$port" --collector.disable-defaults \
            --web.disable-exporter-metrics --collector.textfile --collector.textfile.directory=pages 2>log &
        exporter=$!
        wait=0
        while [ $wait -lt 50 ] && kill -0 $exporter 2>/dev/null; do
            curl -s -o scraped -w '%{http_code}' --noproxy '*' "http://127.0.0.1:$port/metrics" >code 2>/dev/null && break
            sleep 0.1
            wait=$((wait + 1))
        done
        kill $exporter 2>/dev/null && { wait $exporter; return 0; }
    done 2>/dev/null
    return 1
}

# node_exporter sorts the labels of a series.
by_label() { # a series per line
    awk '{
        name = $0; sub(/\{.*/, "", name)
        text = $0; sub(/^[^{]*\{/, "", text); sub(/\}$/, "", text)
        count = 0
        while (match(text, /^[a-z_]+="([^"\\]|\\.)*",?/)) {
            label[++count] = substr(text, 1, RLENGTH); sub(/,$/, "", label[count])
            text = substr(text, RLENGTH + 1)
        }
        for (i = 2; i <= count; i++)
            for (j = i; j > 1 && label[j] < label[j - 1]; j--) { t = label[j]; label[j] = label[j - 1]; label[j - 1] = t }
        for (i = 1; i <= count; i++) if (label[i] !~ /=""$/) name = name "," label[i]
        print name
    }' "$1" | sort
}

if ! command -v prometheus-node-exporter >/dev/null 2>&1 || ! command -v curl >/dev/null 2>&1; then
    skip "node_exporter serves them" "prometheus-node-exporter or curl is missing: apt-get install prometheus-node-exporter curl"
elif ! scrape; then
    fail "node_exporter serves them" "it did not start: $(tail -n 1 log)"
else
    equals "node_exporter serves them" "$(cat code)" 200
    grep -E '^node_textfile_scrape_error' scraped >out
    has "without an error" '^node_textfile_scrape_error 0$'
    grep -E 'level=(error|warn)' log | grep -v 'running as root user' >out
    lacks "and without a complaint" .
    grep '^vmtoll_' scraped >served.prom
    by_label expected >wanted
    series served.prom >served
    by_label served >out
    holds "every series and no other" cmp wanted out
fi

finish
