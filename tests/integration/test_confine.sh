#!/bin/sh
# Commands that read what strangers wrote run confined, and so do the programs they start.
# beside others
# shellcheck source=tests/integration/tap.sh
. "$(dirname "$0")/tap.sh"
# shellcheck source=tests/integration/attempt.sh
. "$(dirname "$0")/attempt.sh"
result=$work/result.json
gzip -dc "$top/tests/data/compare/run-01.json.gz" >"$result"
mkfifo "$work/pipe"

# What the kernel says of a command that waits for its input; its children go on one line.
status_of() { # command..., which reads $work/pipe
    "$@" >"$work/said" 2>"$work/err" </dev/null &
    reader=$!
    # Once the pipe is open, the command has come to reading.
    timeout 30 sh -c 'exec 9>"$1" && grep -E "^(Seccomp|NoNewPrivs|CapEff|CapBnd):" "/proc/$2/status"' sh "$work/pipe" "$reader" \
        >"$work/out" 2>&1 || kill "$reader" 2>/dev/null
    wait "$reader"
    status=$?
}

! sanitized || skip_all "sanitizers need what is forbidden"
grep -q 'VT_HAVE_SECCOMP 1' "$top/config.h" || skip_all "built without seccomp"
grep -q '^Seccomp:' /proc/self/status || skip_all "this kernel has no seccomp"

confined() { # name, command...
    what=$1
    shift
    status_of "$@"
    has "$what is under a filter" '^Seccomp:[[:space:]]*2'
    has "$what gains no privileges" '^NoNewPrivs:[[:space:]]*1'
    [ "$(id -u)" -ne 0 ] || has "$what as root has the capabilities of files at most" '^CapEff:[[:space:]]*0*[01]?[0-9a-f]$'
}
confined report "$VMTOLL" report "$work/pipe"
confined "report --format html" "$VMTOLL" report --format html "$work/pipe"
confined compare "$VMTOLL" compare "$work/pipe" "$result"
confined "probe --from-cpuid" "$VMTOLL" probe --from-cpuid "$work/pipe"

# Attempts that succeed in a command that reads nothing of strangers' are refused in those that do.
calls='socket,local socket,fork,clone,trace,signal,link,make a pipe,execute'
writes='open to write,truncate,create,make a folder,rename,unlink'
came_to() { # what, attempts
    (IFS=, && for one in $2; do [ "$(came_of "$one")" != "$1" ] || printf '%s,' "$one"; done)
}
if [ -z "$attempt" ]; then
    skip "attempts are refused" "no compiler makes the tool here: $(head -n 1 "$work/log")"
else
    attempts vmtoll "$VMTOLL" list paths
    calls=$(came_to "done" "$calls") writes=$(came_to "done" "$writes")
    case $calls$writes in
    *socket,*fork,*execute,*'open to write,'*create,*) pass "attempts succeed where nothing is confined" ;;
    *) fail "attempts succeed where nothing is confined" "$(tr '\n' ' ' <"$work/attempts")" ;;
    esac
    landlock=$(came_of landlock)
    mkdir "$work/pages"
    for command in "report --format csv $result" "report --output $work/pages/page.html $result" \
        "compare --fail-on never $result $result" "probe --from-cpuid $top/tests/data/dumps/cpuid.txt.xz"; do
        # shellcheck disable=SC2086
        attempts vmtoll "$VMTOLL" $command
        what=$(echo "$command" | cut -d' ' -f 1,2)
        is "$what, with attempts at its end" 0
        equals "... which may read" "$(came_of read)" "done"
        equals "... starts, reaches and signals nobody" "$(came_to ENOSYS "$calls")" "$calls"
        if [ "$landlock" = "done" ]; then
            equals "... writes nowhere else" "$(came_to EACCES "$writes")" "$writes"
        else
            skip "... writes nowhere else" "this kernel has no Landlock, or one before Linux 5.19"
        fi
    done
fi

# The same answers as ever, of all formats.
for format in text markdown csv json html openmetrics; do
    run "$VMTOLL" report --format "$format" "$result"
    is "report --format $format works" 0
done
run "$VMTOLL" report --output "$work/page.html" "$result"
if command -v gnuplot >/dev/null 2>&1; then
    holds "a page has its charts" grep -q '<svg' "$work/page.html"
    run "$VMTOLL" report --plots "$work/plots" "$result"
    is "charts are drawn into a new folder" 0
    run "$VMTOLL" report --plots "$work/plots" "$result"
    is "... and into one that is there" 0
    # A stand-in says how it was started.
    mkdir "$work/bin"
    cat >"$work/bin/gnuplot" <<'G'
#!/bin/sh
{ grep -E '^(NoNewPrivs|CapEff|CapBnd):' /proc/self/status; cat /proc/self/limits; } >"$SEEN"
exit 1
G
    sed -i "s,\$SEEN,$work/seen," "$work/bin/gnuplot"
    chmod +x "$work/bin/gnuplot"
    run env PATH="$work/bin:$PATH" "$VMTOLL" report --plots "$work/none" "$result"
    cp "$work/seen" "$work/out"
    has "gnuplot gains no privileges" '^NoNewPrivs:[[:space:]]*1'
    [ "$(id -u)" -ne 0 ] || has "... and has none of root's" '^CapEff:[[:space:]]*0*$'
    has "... its memory is limited" '^Max address space +[0-9]'
    has "... and its files" '^Max file size +[0-9]'
    has "... and its time" '^Max cpu time +[0-9]'
    has "... and it leaves no core" '^Max core file size +0'
    holds "nothing of it is left" test -z "$(find "$work" -name '.vmtoll*')"
else
    skip "charts under confinement" "gnuplot is missing: apt-get install gnuplot-nox"
fi

# Where confinement cannot be had, things work all the same.
if command -v unshare >/dev/null 2>&1 && unshare --user true 2>/dev/null; then
    run unshare --user "$VMTOLL" report --format csv "$result"
    is "report without any privilege works" 0
else
    skip "report without any privilege works" "no user namespace can be made here"
fi
run setpriv --no-new-privs "$VMTOLL" report --format csv "$result"
is "report that gains no privileges anyhow works" 0

finish
