#!/bin/sh
# The story at the head of the page: told with the figures of the documents shown, and with no others.
# beside others
# shellcheck source=tests/integration/tap.sh
. "$(dirname "$0")/tap.sh"
# shellcheck source=tests/integration/result.sh
. "$(dirname "$0")/result.sh"
# shellcheck source=tests/integration/story.sh
. "$(dirname "$0")/story.sh"

audit='{"verdict":{"text":"No."},"guest":"a kernel","assists":[{"name":"umip","title":"UMIP","state":"on","covers":["SGDT","STR"]}],"instructions":[{"name":"POPF","group":"robin-irvine","outcome":"silent","trials":[{"operation":"popfq","with":"IF 0","outcome":"silent","seen":"IF 1 stays","expected":"IF 0"}]},{"name":"SGDT","group":"robin-irvine","outcome":"emulated","trials":[]},{"name":"STR","group":"robin-irvine","outcome":"emulated","trials":[]}]}'

tell() { # file [option...]: the story alone, tags taken out
    file=$1
    shift
    "$VMTOLL" report "$work/$file" --format html "$@" >"$work/page" 2>"$work/err"
    status=$?
    sed -n '/<section id="story"/,/^<\/section>/p' "$work/page" >"$work/html"
    sed 's/<[^>]*>//g' "$work/html" >"$work/out"
}

story_document one.json 1084
tell one.json
holds "the page is made" test "$status" -eq 0
has "seven steps" '^7 '
lacks "... and no more" '^8 '
has "the trap's toll" 'takes 1.08 µs here'
has "the translated one" 'which lied at ring 3, takes 2.00 ns this way'
has "the call-out" 'for OUT to a device, takes 18.0 ns'
has "what lies here, counted by the audit" 'On this machine 1 sensitive'
has "... and what it answered" 'IF 1 stays'
has "real code before" 'mov cr3, rax'
has "... and after, as text" '&lt;b&gt;not markup'
lacks "... never as markup" '<b>not markup' html
has "what translating costs" '73.0 ns for each guest instruction'
has "... and how much longer code gets" 'has 2.5 times as many bytes'
has "Xen, trapped" 'takes 1569 instructions'
has "Xen, asked" 'it takes 603 instructions'
has "one instruction is one" 'and 1 instruction as a write'
has "hardware in time" 'takes 1.45 µs'
has "hardware in the lab" 'is 1176 instructions'
has "a hypervisor in a hypervisor: how many exits" 'one exit becomes 6'
has "... what that takes, and how many times as much" 'takes 13067 instructions where a guest.* takes 1176 instructions: 11.1 times'
has "... both depths side by side" 'rdmsr-kernel12521412011.36'
lacks "... and no row of depth 2 is taken for one of depth 1" 'CPUID, is 13067'
has "the same operation on each road, in time" 'On translation RDMSR takes 29.0 ns here'
has "... with the crossing itself, as the shortest there is" 'a call-out, at most 18.0 ns .that of out-kernel.'
has "... and in instructions" 'hypercall takes 423 instructions. The crossing itself is at most 275'
has "... trapped by Xen, the shortest of its faults" 'RDMSR takes 1175 instructions. The crossing itself is at most 790 instructions .that of cli.'
has "... of hardware, too" '1252 instructions on RDMSR.*at most 1176 instructions .that of cpuid.'
has "the cheapest road in time is named" 'for OUT to a device of the hypervisor.*s own: translated .18.0 ns.'
has "... and in instructions" 'for OUT to such a device, which has no hypercall: trapped by Xen .1364 instructions.'
has "... each, where several cost the same" 'for CLI: asked of Xen or hardware .1 instruction.'
has "what lies is named" '^All that did not trap here: POPF$'
has "what Linux turns into a signal, at its price" 'all the same: CPUID .7.28 µs. and INT n .8.67 µs.'
has "what UMIP closes is named" '^SGDT, STR are among the seventeen and yet not in this list'
has "... and what Linux answers in its place" '^When SGDT, STR fault, Linux here answers by itself'
has "what the pictures show stands under them" '^The guest.*s kernel runs at ring 3. Its privileged instruction faults .arrow down.'
has "kinds of operation are explained" '^How much is left to see. Take kinds of operation'
has "... counted" 'of the 8 kinds that could be measured on hardware ran without any exit'
has "... and those that exit told by class" 'by class: class 1, class 3, class 1[.] An exit to the kernel and back'
has "depths are explained" 'depth 1 is a guest, depth 2 a guest of a guest'
has "a dash is explained" 'A dash .*: no proved figure'
has "translation and hardware, where both were timed" 'RDMSR, which somebody must answer, takes 29.0 ns translated and 1.50 µs on hardware'
has "... and as others timed them, in their unit" 'reading a port 216 cycles, on hardware 15826 cycles'
has "... which is told from what was measured" '<b class="cited">216 cycles</b>' html
lacks "... never as a figure of the document" '<b class="figure">216' html
has "what a hypercall takes in time, as others timed it" 'a hypercall took 540 ns, and 460 ns where VT-x did it'
has "what ring 3 gets wrong is no price" '6.00 nssilently wrong'
lacks "no braces are left" '[{}]'
lacks "no figure is unknown" 'unknown'
lacks "nobody is sent to a lab that is there" 'add one with'

story_document two.json 2222
tell two.json
has "another document, another figure" 'takes 2.22 µs here'
lacks "... and not the one before" '1.08 µs'

# A machine without VT-x or AMD-V has a price of it all the same, which is not its own.
sed 's/"path":"hardware","engine":"kvm"/"path":"hardware","engine":"other"/g' "$work/one.json" >"$work/without.json"
tell without.json
has "without hardware: what an exit took elsewhere" 'no clock of this result tells. Others .* CPUID took 540 ns, an access to an MSR 870 ns'
has "... beside the others where one crossing is priced" '^On hardware no exit was timed here. On the machine of step 6 .* 870 ns'
has "... and why the two lists do not meet" 'no clock here has seen hardware, and the lab has no translator. But RDMSR.* 29.0 ns translated here'
lacks "... and nothing that says both were timed" 'Both were timed here'

# A processor without CPUID faulting lies there, too.
sed 's/"case":"cpuid","class":"class","path":"emulated","engine":"trap","cpl":0,"crossing":"trap"/"case":"cpuid","class":"class","path":"emulated","engine":"trap","cpl":0,"crossing":"none"/' "$work/one.json" >"$work/unfaulting.json"
tell unfaulting.json
has "without CPUID faulting INT n alone is signalled" '^One of the silent ones of step 3 faults on the first road .* INT n .8.67 µs.'
lacks "... and CPUID is not said to be" 'CPUID .7.28 µs. and INT n'

# Both vendors at both depths: all that is told of a guest's guest is of the one whose sequence was measured.
on vmx hardware 0 instructions true
deeper=$(row cpuid class ok '"exit-kernel"' 988),$(row cpuid class ok '"exit-kernel"' 55555 | sed 's/"cpl":/"depth":2,"outer_exits":44,"cpl":/')
on kvm hardware 0 ns false
sed "s|\"measurements\":\[|&$deeper,|" "$work/one.json" >"$work/vendors.json"
tell vendors.json
has "depths of two vendors: those of one" 'takes 13067 instructions where a guest.* takes 1176 instructions'
lacks "... and none of the other" '55555'

# UMIP that is off closes nothing.
sed 's/"outcome":"emulated"/"outcome":"silent"/g' "$work/one.json" >"$work/open.json"
tell open.json
has "what UMIP would close" '^SGDT, STR would fault at ring 3 with UMIP'
lacks "... and does not" 'yet not in this list'

# The comparison of 2006: where the monitor was measured, beside the figures of then.
lacks "no comparison of 2006 without the monitor" 'comparison of 2006'
on monitor-trap emulated 0 instructions true
# shellcheck disable=SC2154 # told by story.sh
document classic.json "$(
    row page-fault exception ok '"trap"' 2638
    echo ,
    row write-pte memory ok '"trap"' 407
    echo ,
    row call-ret compute ok '"none"' 2
)"
on kvm hardware 0 ns false
tell classic.json
has "the comparison of 2006 with the monitor" 'comparison of 2006, made again'
has "... a row of now beside one of then" 'page faultpage-fault26381093392711242'
has "... by the case that it is today" 'pte modificationwrite-pte407139112733'
has "... what nobody must answer, too" 'call/retcall-ret2115111'
has "... and none where nothing was measured" 'divide by zerodivide-error–88932231014'
tell classic.json --lang ko
has "... in Korean, too" '2006년의 비교를 다시'

# shellcheck disable=SC2154 # told by story.sh
on monitor-vmx-kvm hardware 0 instructions true
document classic.json "$(row write-pte memory ok '"none"' 1)"
tell classic.json
has "the comparison of 2006 has a column for VT-x" 'operationsmall monitor on VT-xnative'
on kvm hardware 0 ns false

# The cheapest road is the document's, not the text's.
sed 's/"median":1364,/"median":9364,/' "$work/one.json" >"$work/dear.json"
tell dear.json
has "where another road is cheapest, that one is named" 'no hypercall: hardware .2340 instructions.'

# A sentence whose figure is not there is not told; another may stand for it.
document bare.json "$(row cpuid identification ok '"exit-kernel"' 1500)"
tell bare.json
has "without a lab: where to get one" 'add one with vmtoll lab xen'
lacks "without a trap: no toll of one" 'Loading CR3 this way takes'
lacks "without an account of the translator: no code" 'before and after:'
has "without figures the story is told all the same" 'as if it were a program'

# Unproved figures are not told.
story_document doubtful.json 1084
sed -i 's/"crossing":"trap","status":"ok"/"crossing":"trap","status":"unverified"/g' "$work/doubtful.json"
tell doubtful.json
lacks "an unverified toll is not told" 'this way takes'

# A crossing that is another than the sentence speaks of is not told: under shadow paging CR3 exits.
story_document shadow.json 1084
sed -i 's/"engine":"svm","cpl":0,"crossing":"none"/"engine":"svm","cpl":0,"crossing":"exit-kernel"/g' "$work/shadow.json"
tell shadow.json
lacks "a load of CR3 that exits is not called free" 'load CR3: no exit'

tell one.json --lang ko
holds "in Korean" grep -q 'lang="ko"' "$work/html"
has "... with the same figures" '1.08 µs'
has "... seven steps" '^7 '
"$VMTOLL" report "$work/one.json" --lang xx >"$work/out" 2>"$work/err"
holds "an unknown language is misuse" test $? -eq 2

# Every number of the story is the document's: where each one in the document changes, each one told does.
if command -v python3 >/dev/null 2>&1; then
    cat >"$work/numbers.py" <<'P'
import json, re, sys
def change(value, key=""):
    """Every figure the story may take, times three and more: so that none can look the same by chance."""
    if isinstance(value, dict): # what lies deeper twice: a ratio must not stay either
        changed = {k: change(v, k) for k, v in value.items()}
        return {k: change(v, k) for k, v in changed.items()} if value.get("depth") == 2 else changed
    if isinstance(value, list):
        return [change(v, key) for v in value]
    if isinstance(value, (int, float)) and not isinstance(value, bool) and key not in ("cpl", "depth", "iterations", "batches", "instructions", "guest_bytes"):
        return value * 3 + 1
    return value
def told(file):
    page = open(file).read()
    story = page[page.index('<section id="story"'):]
    story = story[:story.index("</section>")]
    figures = re.findall(r'<b class="figure">([^<]*)', story)
    bars = [text for text in re.findall(r"</i> ([^<]*)", story)]
    cells = re.findall(r'<td class="number">(?:<span[^>]*>.</span> )?(?:<b>)?([^<]*)', story)
    pictures = re.findall(r"<text[^>]*>([^<]*[0-9] [^<]*s)</text>", story)
    return [figures, bars, [c for c in cells if c != "–"], pictures]
if sys.argv[1] == "complete":
    document = json.load(open(sys.argv[2]))
    rows = document["measurements"]
    trap = next(row for row in rows if row["engine"] == "trap" and row["case"] == "mov-to-cr3")
    trap["breakdown"] = {"bare": dict(trap["toll"], median=1050), "emulation": dict(trap["toll"], median=34)}
    trapped = next(row for row in rows if row["engine"] == "trap" and row["case"] == "rdmsr-kernel")
    trapped["breakdown"] = dict(trap["breakdown"], bare=dict(trap["toll"], median=1010))
    for row in trap, trapped:
        rows.append(dict(row, engine="monitor-trap", unit="instructions", simulated=True,
                         toll=dict(row["toll"], median=3000), breakdown={"bare": dict(row["toll"], median=5)}))
    for case in "mov-to-cr3", "rdmsr-kernel", "nop":
        rows.append(dict(trap, case=case, engine="kvm", path="emulated", crossing="interpreted", breakdown={}, toll=dict(trap["toll"], median=276)))
    json.dump(document, open(sys.argv[2], "w"))
elif sys.argv[1] == "change":
    document = json.load(open(sys.argv[2]))
    document["measurements"] = change(document["measurements"])
    document["translation"]["cost"] = change(document["translation"]["cost"])
    for name in ("SGDT", "SIDT"):
        document["audit"]["instructions"].append(dict(document["audit"]["instructions"][0], name=name))
    kinds = [row for row in document["measurements"] if row["case"] == "cpuid" and row["path"] == "hardware"]
    frees = [row for row in document["measurements"] if row["case"] == "cli" and row["path"] == "hardware"]
    for row in kinds + frees:
        for i in range(3):
            document["measurements"].append(dict(row, case="another-%s-%d" % (row["case"], i)))
    json.dump(document, open(sys.argv[3], "w"))
else:
    same, count = [], 0
    for before, after in zip(told(sys.argv[2]), told(sys.argv[3])):
        if len(before) != len(after):
            same.append("%d became %d" % (len(before), len(after)))
        same += [b for b, a in zip(before, after) if a == b]
        count += len(before)
    print("stay the same:", same)
    print("figures:", count)
    print("kinds:", sum(1 for part in told(sys.argv[2]) if part))
P
    story_document before.json 1084
    python3 "$work/numbers.py" complete "$work/before.json" 2>"$work/err"
    python3 "$work/numbers.py" change "$work/before.json" "$work/after.json" 2>"$work/err"
    for language in en ko; do
        "$VMTOLL" report "$work/before.json" --lang "$language" --output "$work/before.html" 2>"$work/err"
        "$VMTOLL" report "$work/after.json" --lang "$language" --output "$work/after.html" 2>"$work/err"
        python3 "$work/numbers.py" compare "$work/before.html" "$work/after.html" >"$work/out" 2>"$work/err"
        has "$language: no figure stays when all of the document change" '^stay the same: \[\]'
        has "$language: ... of sentences, bars, cells and pictures" '^kinds: 4'
        has "$language: ... and they are many" '^figures: (1[0-9]|[6-9])[0-9]'
    done
    # None is left out for want of a row: as many figures are told as the text has braces.
    texts=$(dirname "$0")/../../report/story
    for language in en ko; do
        "$VMTOLL" report "$work/before.json" --lang "$language" --output "$work/before.html" 2>"$work/err"
        asked=$(grep '^[.]\(p\|intro\|roads\) ' "$texts/$language.txt" | grep -o '{[a-z0-9_]*}' | wc -l)
        told=$(sed -n '/<section id="story"/,/^<\/section>/p' "$work/before.html" | grep -o '<b class="\(figure\|name\|cited\)">' | wc -l)
        echo "$asked asked for, $told told" >"$work/out"
        holds "$language: each figure that the text names is told" test "$asked" -gt 30 -a "$asked" -eq "$told"
    done
else
    skip "every number of the story is the document's" "python3 is missing"
fi

# Each letter below the table of roads has its name, in every language.
for language in en ko; do
    "$VMTOLL" report "$work/one.json" --lang "$language" --output "$work/letters.html" 2>"$work/err"
    sed -n '/class="caption letters"/p' "$work/letters.html" >"$work/out"
    has "$language: letters are explained" 'm-exit-user">U</span> [^ <]'
    lacks "$language: ... all of them" 'm-[a-z-]*">[^<]*</span> *</span>'
    lacks "$language: ... and none that the table has not" 'm-system-call'
done

# The headline: roads over the same operations.
"$VMTOLL" report "$work/one.json" >"$work/out" 2>"$work/err"
has "the headline names roads" 'costs 1.07 [^ ]*s trapped and emulated, 2.00 ns'

# What bench itself says of the translator.
timeout 60 "$VMTOLL" bench --case nop --engine translate --budget 1 --quiet --output "$work/own.json" >"$work/out" 2>"$work/err"
if grep -q '"cost"' "$work/own.json"; then
    has "the account of the translator shows the guest's code" '"text": *"cli"' own.json
    has "... and counts what it translated" '"guest_bytes": *[1-9]' own.json
else
    skip "the account of the translator" "it does not work here"
fi
finish
