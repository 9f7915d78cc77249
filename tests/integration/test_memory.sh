#!/bin/sh
# Memory that runs out is an error, never an answer: with any allocation refused, a command gives the answer that it
# gives with memory, or one line and status 3.
# seconds: 900
# beside others
# shellcheck source=tests/integration/tap.sh
. "$(dirname "$0")/tap.sh"
# shellcheck source=tests/integration/result.sh
. "$(dirname "$0")/result.sh"
# shellcheck source=tests/integration/sweep.sh
. "$(dirname "$0")/sweep.sh"

sweep "version" -- --version
sweep "help" -- help
sweep "report --help" -- report --help
both "list cases" -- list cases
both "list cases --json" -s 300 -- list cases --json
both "list paths" -- list paths

dump=$top/tests/data/dumps/cpuid.txt.xz
for format in '' --all --json; do
    # shellcheck disable=SC2086
    both "probe --from-cpuid $format" -s 100 -- probe --from-cpuid "$dump" $format
done
sweep "probe --from-cpuid of gzip" -f 100 -- probe --from-cpuid "$top/tests/data/dumps/cpuid.txt.gz"
sweep "probe --from-cpuid --require" -x 1 -f 300 -- probe --from-cpuid "$dump" --require vt-x,kvm,amd-v --json

said=$top/tests/data/image/kvm.log
both "import --json" -s 200 -- import --json "$said"
sweep "import as text" -f 60 -s 200 -- import "$said"
sweep "import into a file" -f 60 -s 200 -o x -- import --quiet --output x "$said"
sweep "image" -o x.elf -- image --output x.elf --case cpuid

# A small document is swept wholly, a real one here and there.
samples='[1999,2000,2001]'
document small.json "$(row cpuid identification ok '"exit-kernel"' 2000)" "$(row rdtsc timing ok '"none"' 20)" \
    "$(row hlt control unsupported null '' 'not here')"
document other.json "$(row cpuid identification ok '"exit-kernel"' 4000)" "$(row rdtsc timing ok '"none"' 20)" \
    "$(row hlt control unsupported null '' 'not here')"
gzip -dc "$top/tests/data/compare/run-01.json.gz" >"$work/run1.json"
gzip -dc "$top/tests/data/compare/run-02.json.gz" >"$work/run2.json"
mkdir "$work/many"
for i in 1 2 3 4 5 6 7 8 9 10; do
    host="{\"system\":{\"hostname\":\"h$i\",\"kernel\":\"6.$((i % 3))\"}}"
    document "many/$i.json" "$(row cpuid identification ok '"exit-kernel"' $((2000 + i)))" "$(row rdtsc timing ok '"none"' 2$i)"
done

# Charts are drawn by another program, where it is: a path without it first.
charts=$work/none
for format in text markdown csv json html openmetrics; do
    both "report --format $format" -s 60 -- report --format "$format" "$work/small.json"
    sweep "report --format $format of a whole run" -f 0 -s 40 -- report --format "$format" "$work/run1.json"
    sweep "report --format $format of a fleet" -f 400 -s 100 -- report --format "$format" "$work/many"
    sweep "report --format $format into a file" -f 0 -s 60 -o x -- report --format "$format" --output x "$work/small.json"
done
for format in text markdown json html; do
    both "compare --format $format" -s 60 -- compare --fail-on never --format "$format" "$work/small.json" "$work/other.json"
    sweep "compare --format $format of whole runs" -f 0 -s 40 -- compare --fail-on never --format "$format" "$work/run1.json" "$work/run2.json"
done
charts=$PATH
sweep "report --reference" -f 0 -s 200 -- report --reference "$work/run1.json"
sweep "a fleet by a key" -f 0 -s 100 -- report --by kernel "$work/many"
sweep "compare with status 1" -x 1 -f 0 -s 100 -- compare "$work/small.json" "$work/other.json"
printf '%s\n' "$work/many/1.json" "$work/many/2.json" >"$work/names"
sweep "a list of files" -f 200 -s 50 -- report --list "$work/names"
echo '{' >"$work/many/bad.json"
sweep "a fleet with a bad file" -x 1 -e -f 0 -s 200 -- report "$work/many"
if command -v gnuplot >/dev/null 2>&1; then
    sweep "a page with charts" -r -f 0 -s 20 -- report --format html "$work/run1.json"
else
    skip "a page with charts" "gnuplot is missing: apt-get install gnuplot-nox"
fi

# What is read from this machine differs from run to run in its numbers. Name services fail in ways of their own at
# few of the allocations: each is refused once.
sweep "probe" -r -n -f 4000 -- probe
for format in --all --json; do
    sweep "probe $format" -r -n -f 30 -s 70 -- probe $format
done
sweep "list engines" -r -n -f 20 -s 20 -- list engines
sweep "list capabilities" -r -n -f 20 -s 40 -- list capabilities
sweep "audit" -r -n -f 0 -s 20 -- audit
sweep "audit --json" -r -n -f 0 -s 40 -- audit --json

# A machine that a stand-in for QEMU tells of: each counter by how it rose, without what this process took.
if command -v python3 >/dev/null 2>&1; then
    python3 -c '
import socketserver, sys
lines = open(sys.argv[1], "rb").readlines()
class Monitor(socketserver.StreamRequestHandler):
    def handle(self):
        self.wfile.write(lines[0])
        for answer in lines[1:]:
            if not self.rfile.readline():
                return
            self.wfile.write(answer)
class Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads, request_queue_size = True, 64
    def handle_error(self, *_):
        pass
Server(sys.argv[2], Monitor).serve_forever()' "$top/tests/data/price/qemu-10.0.qmp" "$work/vm.sock" &
    monitor=$!
    trap 'kill $monitor; rm -rf "$work"' EXIT
    while [ ! -S "$work/vm.sock" ] && kill -0 $monitor; do sleep 0.1; done
    printf '#!/bin/sh\ngrep -E \047"(schema|name|reason|title|machine|exit|count)": |vmtoll\047 || :\n' >"$work/counted"
    # A rate is over the time that was watched, and no two watches are equally long.
    printf '#!/bin/sh\nsed -E \047/^#/!s/ [^ ]+$/ #/\047\n' >"$work/named"
    chmod +x "$work/counted" "$work/named"
    sweep "price" -r -p "$work/counted" -f 40 -s 40 -- price --qmp "$work/vm.sock" --tolls none --seconds 0.1 --json
    sweep "price as metrics" -r -p "$work/named" -f 0 -s 20 -- price --qmp "$work/vm.sock" --tolls none --seconds 0.1 --format openmetrics
else
    skip "price" "no python3 here"
fi
finish
