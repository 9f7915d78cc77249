#!/bin/sh
# Where output goes: what is replaced, what is kept, which links are followed, what a kill leaves.
. "$(dirname "$0")/tap.sh"
top=$(cd "$(dirname "$0")/../.." && pwd)
result=$work/result.json
gzip -dc "$top/tests/data/compare/run-01.json.gz" >"$result"
folder=$work/folder
mkdir "$folder"
cd "$folder" || exit 1

write() { # file
    run timeout 60 "$VMTOLL" report --format markdown --output "$1" "$result"
}
mode_of() { stat -c '%a %u:%g' "$1"; }

write new
is "a new file is written" 0
cp new "$work/wanted"

printf old >kept
chmod 640 kept
write kept
equals "a replaced file keeps its mode" "$(mode_of kept)" "640 $(id -u):$(id -g)"
holds "... and holds the report" cmp -s kept "$work/wanted"
ln -s kept link
printf old >kept
write link
holds "a link of one's own leads to the file" cmp -s kept "$work/wanted"
holds "... and stays a link" test -L link
mkdir there && ln -s there by && ln -s ../kept there/up
printf old >kept
write by/up
holds "links of folders and with .. are followed" cmp -s kept "$work/wanted"

ln -s nowhere dangling
write dangling
refuses "a link that leads nowhere" 3 'leads nowhere'
holds "... creates nothing" test ! -e nowhere
ln -s gone/file deep
write deep
refuses "a link into a folder that is not there" 3 'leads nowhere'
ln -s b a && ln -s a b
write a
refuses "links in a circle" 3 'circle'
ln -s self self
write self
refuses "a link to itself" 3 'circle'
write kept/x
refuses "a file as folder" 3 'Not a directory'
write there/
refuses "a folder" 3 'Is a directory'
write absent/
refuses "a folder that is not there" 3 'does not exist'

# What cannot be renamed over.
"$VMTOLL" report --format markdown --output /dev/stdout "$result" >"$work/out"
holds "/dev/stdout is written" cmp -s "$work/out" "$work/wanted"
printf 'first\n' >appended
"$VMTOLL" report --format markdown --output /dev/stdout "$result" >>appended
equals "/dev/stdout that appends keeps what was there" "$(head -n 1 appended)" first
"$VMTOLL" report --format markdown --output /dev/fd/7 "$result" 7>seven
holds "/dev/fd/7 is written" cmp -s seven "$work/wanted"
"$VMTOLL" report --format markdown --output /proc/self/fd/7 "$result" 7>seven
holds "/proc/self/fd/7 is written" cmp -s seven "$work/wanted"
ln -s /dev/stdout out
"$VMTOLL" report --format markdown --output out "$result" | cat >"$work/piped"
holds "a link to /dev/stdout reaches a pipe" cmp -s "$work/piped" "$work/wanted"
run "$VMTOLL" report --format markdown --output /dev/fd/7 "$result" 7<kept
refuses "a descriptor to read from" 3 'not open for writing'
run "$VMTOLL" report --format markdown --output /dev/fd/77 "$result"
refuses "a descriptor that is not open" 3 'not open for writing'
mkfifo pipe
timeout 20 cat pipe >"$work/out" &
reader=$!
timeout 20 "$VMTOLL" report --format markdown --output pipe "$result"
wait "$reader"
holds "a pipe is written" cmp -s "$work/out" "$work/wanted"
timeout 60 cat pipe >"$work/bench" &
reader=$!
timeout 60 "$VMTOLL" bench --quiet --engine native --case rdtsc --budget 0.2 --output pipe >/dev/null
wait "$reader"
holds "bench writes a pipe, which its check before did not end" grep -q '"vmtoll.result/1"' "$work/bench"
write /dev/null
is "a device is written" 0
holds "... and stays one" test -c /dev/null
holds "nothing is left behind" test -z "$(find . -name '.vmtoll*')"

if [ "$(id -u)" -eq 0 ] && can_be_nobody; then
    chmod 755 "$work"
    mkdir open && chmod 1777 open
    printf secret >own && chmod 600 own
    as_nobody ln -s "$folder/own" open/link
    write open/link
    refuses "another user's link in a sticky folder" 3 'link of another user'
    equals "... leaves root's own file as it was" "$(cat own) $(mode_of own)" "secret 600 0:0"
    ln -s open/link through
    write through
    refuses "... by way of a link of one's own too" 3 'link of another user'
    as_nobody ln -s /etc/vmtoll-planted open/new
    write open/new
    refuses "... and one that leads nowhere yet" 3 'link of another user'
    as_nobody touch open/file && chmod 666 open/file
    write open/file
    refuses "another user's file in a sticky folder" 3 'belongs to another user'
    mkdir theirs && chown 65534:65534 theirs
    as_nobody sh -c 'umask 077; echo old >theirs/file'
    write theirs/file
    is "root replaces a user's file" 0
    equals "... which stays his" "$(mode_of theirs/file)" "600 65534:65534"
    run sh -c 'umask 0; (while :; do stat -c %a theirs/.vmtoll-* 2>/dev/null; done >modes & echo $! >id)
        for i in 1 2 3 4 5; do "$1" report --format markdown --output theirs/file "$2"; done; kill "$(cat id)"' sh "$VMTOLL" "$result"
    holds "... and is never others' to read meanwhile" sh -c '! grep -qv "^600$" modes'
    program=$(open_program)
    if [ -n "$program" ]; then
        chmod 644 "$result"
        mkdir shared && chmod 777 shared && printf old >shared/file && chmod 666 shared/file
        run as_nobody "$program" report --format markdown --output shared/file "$result"
        refuses "a file whose owner cannot be kept" 3 'whose file it is'
        equals "... is as it was" "$(cat shared/file)" old
    else
        skip "a file whose owner cannot be kept" "the way to the program is closed to others"
    fi
else
    skip "another user's links and files" "needs root, which can be nobody"
fi

finish
