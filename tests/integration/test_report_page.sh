#!/bin/sh
# The pages of report and compare, read in a browser as people with all kinds of eyes and hands read them:
# contrast of every text on what is really behind it, headings, labels, keyboard, paper, no script.
# seconds: 400
# beside others
# shellcheck source=tests/integration/tap.sh
. "$(dirname "$0")/tap.sh"
# shellcheck source=tests/integration/result.sh
. "$(dirname "$0")/result.sh"
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome) || skip_all "chromium is not installed"

# shellcheck source=tests/integration/story.sh
. "$(dirname "$0")/story.sh"

# A page with everything a page can show.
samples='[90,95,97,98,99,100,100,101,102,104,109,150]'
host='{"cpu":{"brand":"A processor"},"hypervisor":{"present":true,"vendor":"Outer"},"timing":{"invariant_tsc":false}}'
audit='{"verdict":{"text":"No."},"guest":"a kernel","assists":[{"title":"UMIP","state":"on","evidence":"#GP"}],
"instructions":[{"name":"POPF","group":"robin-irvine","outcome":"silent","trials":[{"operation":"popfq","with":"IF 0","outcome":"silent","seen":"IF 1","expected":"IF 0"}]},
{"name":"HLT","group":"privileged","outcome":"traps","trials":[{"operation":"hlt","outcome":"traps","seen":"#GP","expected":"waits"}]}]}'
everything() { # what is added to each toll
    rows=
    for crossing in none inline callout trap interpreted hypercall exit-kernel exit-user future; do
        rows="$rows,$(row "case-$crossing" identification ok "\"$crossing\"" $((2000 + $1)))"
    done
    rows="$rows,$(row wbinvd tlb-cache ok '"exit-kernel"' $((800 + $1))),$(row out-kernel port-io ok '"exit-kernel"' $((1500 + $1)))"
    rows="$rows,$(row out-user port-io ok '"exit-user"' $((4000 + $1))),$(row rdmsr-user msr ok '"exit-user"' $((5000 + $1)))"
    rows="$rows,$(row hlt idle unverified '"exit-kernel"' $((900 + $1))),$(row rdpmc time failed null ''),$(row rdtsc time timeout null '')"
    echo "$rows,$(row invpcid tlb-cache unsupported null ''),$(row empty control ok '"none"' 0)"
}
plain=$(everything 0)
engine=native path=native cpl=3
native=$(everything 7)
engine=svm path=hardware cpl=0 unit=instructions simulated=true
lab=$(everything 1)
profiled() { # toll, of the handler, of what went, of what came: a row with its functions
    cell=$(row cpuid identification ok '"exit-kernel"' "$1")
    printf '%s,"profile":{"unit":"instructions","operations":1,"sum":%s,"unattributed":0,"interrupts_dropped":0,' "${cell%?}" "$1"
    printf '"functions":[{"name":"vcpu_run","module":"kvm","self":400,"inclusive":%s},{"name":"emulate","module":"kvm","self":%s,"inclusive":%s},' "$1" "$2" "$2"
    printf '{"name":"went","module":"kernel","self":%s,"inclusive":%s},{"name":"svm_vcpu_run","module":"kvm_amd","self":100,"inclusive":100},' "$3" "$3"
    printf '{"name":"guest","module":"guest","self":90,"inclusive":90},{"name":"ioctl","module":"vmtoll","self":80,"inclusive":80},{"name":"other","module":"e1000","self":%s,"inclusive":%s}],' "$4" "$4"
    printf '"stacks":[-1,0,400,0,1,%s,0,2,%s,0,3,100,-1,4,90,0,5,80,0,6,%s]}}' "$2" "$3" "$4"
}
lab="$lab,$(profiled 1370 300 300 100)"
document all.json "$(echo "$plain$native$lab" | sed 's/^,//')"
lab_later=$(profiled 1670 700 100 200)
engine=kvm unit=ns simulated=false
later=$(everything 900)
document later.json "$(echo "$later,$lab_later" | sed 's/^,//')"
"$VMTOLL" report "$work/all.json" --reference --output "$work/report.html" 2>"$work/err" || fail "a page" "none was made"
"$VMTOLL" compare "$work/all.json" "$work/later.json" --format html >"$work/compare.html" 2>"$work/err"
# A fleet of two groups: an outlier, hosts that cross otherwise, one without a figure.
mkdir "$work/fleet"
i=0
while [ $i -lt 14 ]; do
    extra=$i
    [ $i -ne 3 ] || extra=3000
    host="{\"system\":{\"hostname\":\"node$i.a-long-name.of-a-data-centre.example.internal\",\"kernel\":\"6.$((i % 2)).0-cloud-amd64\"}}"
    rows=$(everything $extra | sed 's/^,//')
    case $i in
    5 | 6) rows=$(echo "$rows" | sed 's/"exit-user"/"none"/g') ;;
    8) rows=$(echo "$rows" | sed 's/"wbinvd"/"another"/') ;;
    esac
    document "fleet/$i.json" "$rows"
    i=$((i + 1))
done
host=null
"$VMTOLL" report "$work/fleet" --by system.kernel --output "$work/fleet.html" 2>"$work/err"
story_document story.json 1084
# Every road there is: the widest table that the story has.
on monitor-trap emulated 0 instructions true
more=$(row rdmsr-kernel msr ok '"trap"' 349),$(row popf flags ok '"none"' 1)
on xen-pv emulated 3 instructions true
more="$more,$(row popf flags ok '"none"' 1)"
on kvm emulated 0 ns false
more="$more,$(row rdmsr-kernel msr ok '"interpreted"' 641)"
sed -i "s|\"measurements\":\[|&$more,|" "$work/story.json"
"$VMTOLL" report "$work/story.json" --output "$work/story.html" 2>"$work/err"
PATH=/nonexistent "$VMTOLL" report "$work/all.json" --output "$work/plain.html" 2>"$work/err"

cat >"$work/look.js" <<'J'
(function () {
  "use strict";
  var told = [], all = function (s) { return Array.from(document.querySelectorAll(s)); };
  all("details").forEach(function (d) { d.open = true; });

  // WCAG 2.1: relative luminance and contrast ratio
  function parse(text) {
    var n = (text.match(/[\d.]+/g) || []).map(Number);
    return { r: n[0], g: n[1], b: n[2], a: n.length > 3 ? n[3] : 1 };
  }
  function over(top, below) {
    var mix = function (k) { return top[k] * top.a + below[k] * (1 - top.a); };
    return { r: mix("r"), g: mix("g"), b: mix("b"), a: 1 };
  }
  function luminance(c) {
    var f = [c.r, c.g, c.b].map(function (v) { v /= 255; return v <= 0.03928 ? v / 12.92 : Math.pow((v + 0.055) / 1.055, 2.4); });
    return 0.2126 * f[0] + 0.7152 * f[1] + 0.0722 * f[2];
  }
  function behind(node) {
    var layers = [];
    for (; node; node = node.parentElement) {
      var colour = parse(getComputedStyle(node).backgroundColor);
      if (colour.a > 0) layers.push(colour);
      if (colour.a === 1) break;
    }
    var base = layers.length && layers[layers.length - 1].a === 1 ? layers.pop() : { r: 255, g: 255, b: 255, a: 1 };
    return layers.reduceRight(function (below, top) { return over(top, below); }, base);
  }
  function ratio(a, b) {
    var x = luminance(a), y = luminance(b);
    return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
  }
  function hex(c) { return "#" + [c.r, c.g, c.b].map(function (v) { return Math.round(v).toString(16).padStart(2, "0"); }).join(""); }
  var worst = { ratio: 99 }, counted = 0;
  // What is written on a frame of a flame graph.
  function frame(node) {
    var text = node.closest(".flame text");
    return text ? parse(getComputedStyle(text.previousElementSibling).fill) : null;
  }
  function weigh(node, text, colour) {
    var back = frame(node) || behind(node), front = over(colour, back), r = ratio(front, back);
    counted++;
    if (r < worst.ratio) worst = { ratio: r, what: text.trim().slice(0, 30) + " (" + node.tagName.toLowerCase() + "." + node.getAttribute("class") + ") " + hex(front) + " on " + hex(back) };
  }
  var walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), node;
  while ((node = walker.nextNode())) {
    var parent = node.parentElement;
    if (!node.data.trim() || parent.closest("script,style,title") || !parent.getClientRects().length) continue;
    var style = getComputedStyle(parent), svg = parent.closest("svg text");
    if (style.visibility === "hidden") continue;
    weigh(parent, node.data, parse(svg ? style.fill : style.color));
  }
  all("input[placeholder]").forEach(function (i) { weigh(i, i.placeholder, parse(getComputedStyle(i, "::placeholder").color)); });
  all("li").forEach(function (li) { var c = getComputedStyle(li, "::marker").color; if (c && getComputedStyle(li).display === "list-item") weigh(li, "marker", parse(c)); });
  told.push("scheme=" + (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"));
  told.push("texts=" + (counted > 100));
  told.push("contrast=" + (worst.ratio >= 4.5) + " [" + worst.ratio.toFixed(2) + ":1 " + worst.what + "]");

  // What is drawn, and bounds of what is used, stands out from the page at 3:1 (WCAG 1.4.11).
  var faint = "";
  all(".chart use, .chart polygon, .chart path, .keymark *").forEach(function (e) {
    if (!e.getClientRects().length) return;
    var style = getComputedStyle(e), colour = e.tagName === "use" ? style.color : e.tagName === "polygon" || e.closest(".keymark") ? style.fill : style.stroke;
    if (e.closest(".keymark")) colour = style.color;
    if (!/^rgb/.test(colour) || hex(parse(colour)) === hex(parse(getComputedStyle(document.documentElement).getPropertyValue("--grid").replace(/#(..)(..)(..)/, function (m, r, g, b) { return "rgb(" + [r, g, b].map(function (v) { return parseInt(v, 16); }) + ")"; })))) return;
    var r = ratio(parse(colour), behind(e));
    if (r < 3) faint = e.tagName + " " + colour + " " + r.toFixed(2);
  });
  told.push("drawn=" + (faint || "clear"));
  var kinds = all(".flame g").map(function (g) { return g.getAttribute("class"); });
  told.push("frames=" + kinds.filter(function (k, i) { return kinds.indexOf(k) === i; }).sort().join(","));
  told.push("unframed=" + (all(".flame g[tabindex]").filter(function (g) { return !g.querySelector("title").textContent; }).length || "none"));

  function names(test, list) {
    var bad = list.filter(function (e) { return !test(e); });
    return bad.length ? bad[0].outerHTML.slice(0, 90).replace(/\s+/g, " ") : "yes";
  }
  function name(e) {
    var label = e.labels && e.labels.length ? e.labels[0].textContent : "";
    return (e.getAttribute("aria-label") || label || e.textContent || "").trim();
  }
  var focusable = all("a[href],button,input,select,summary,[tabindex]");
  told.push("named=" + names(name, focusable));
  told.push("focused=" + names(function (e) { e.focus(); return document.activeElement === e; }, focusable.filter(function (e) { return e.getClientRects().length; })));
  // Asked of the style, not of the moment: a page that is not in front may not be given a visible focus.
  var rings = Array.from(document.styleSheets[0].cssRules).filter(function (r) { return /:focus-visible/.test(r.selectorText || "") && /outline: .*solid|stroke-width:/.test(r.cssText); })
    .map(function (r) { return r.selectorText; }).join(",").split(",").filter(function (s) { return /:focus-visible/.test(s); })
    .map(function (s) { return s.replace(/:focus-visible/, "").replace(/ *\.flame g rect$/, ".flame g").trim(); });
  told.push("outlined=" + names(function (e) { return rings.some(function (r) { return e.matches(r); }); }, focusable));
  told.push("pictures=" + names(function (s) { return s.closest("[aria-hidden=true]") || (/^(img|group)$/.test(s.getAttribute("role")) && s.getAttribute("aria-label").length > 20); }, all("svg")));
  told.push("heads=" + names(function (t) { return /^(col|row|rowgroup|colgroup)$/.test(t.getAttribute("scope")); }, all("th")));
  told.push("tables=" + names(function (t) { return t.tHead && (t.caption || t.closest("[aria-label]")); }, all("table")));
  told.push("scrolled=" + names(function (s) { return s.tabIndex === 0 && s.getAttribute("role") === "region" && s.getAttribute("aria-label"); }, all(".scroll")));
  var regions = all("[role=region]").map(function (e) { return e.getAttribute("aria-label"); });
  told.push("regions=" + names(function (e) { return regions.filter(function (n) { return n === e.getAttribute("aria-label"); }).length === 1; }, all("[role=region]")));
  var levels = all("h1,h2,h3,h4,h5,h6").map(function (h) { return Number(h.tagName[1]); });
  told.push("headings=" + (levels[0] === 1 && levels.filter(function (l) { return l === 1; }).length === 1 && levels.every(function (l, i) { return !i || l - levels[i - 1] <= 1; }) || levels.join("")));
  var ids = all("[id]").map(function (e) { return e.id; });
  told.push("ids=" + names(function (e) { return ids.indexOf(e.id) === ids.lastIndexOf(e.id); }, all("[id]")));
  told.push("links=" + names(function (a) { return document.getElementById(a.getAttribute("href").slice(1)); }, all("a[href^='#']")));
  told.push("lists=" + names(function (l) { return Array.from(l.children).every(function (c) { return c.tagName === "LI"; }); }, all("ul,ol")));
  told.push("landmarks=" + (document.documentElement.lang === "en" && document.title.length > 10 && all("main").length === 1 && all("body > header").length === 1));
  told.push("wide=" + (document.documentElement.scrollWidth <= window.innerWidth));
  var roads = document.querySelector("table.roads");
  told.push("roads=" + (!roads || roads.scrollWidth <= roads.parentElement.clientWidth || roads.scrollWidth + " of " + roads.parentElement.clientWidth));
  told.push("kept=" + names(function (h) { return getComputedStyle(h).position === "sticky"; }, all("#tolls th[scope=row], table.roads th[scope=row]")));
  var cut = all("p,li,dd,dt,h1,h2,h3,figcaption,label").filter(function (e) { return e.getClientRects().length && !e.closest(".scroll,nav,.quiet,.skip") && e.getBoundingClientRect().right > window.innerWidth + 1; });
  told.push("cut=" + (cut.length ? cut[0].outerHTML.slice(0, 80) : "nothing"));
  var outside = all("body *").filter(function (e) { return e.getClientRects().length && !e.closest(".scroll,nav,svg,.skip") && e.getBoundingClientRect().right > window.innerWidth + 1; });
  if (outside.length) told.push("outside=" + outside[0].outerHTML.slice(0, 120));
  told.push("requests=" + performance.getEntriesByType("resource").length);
  document.head.textContent = "";
  document.body.textContent = told.join("\n");
})();
J
browse() { # file, width, option...
    file=$1
    width=$2
    shift 2
    timeout 60 "$browser" --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --user-data-dir="$work/profile" \
        --enable-logging=stderr --window-size="$width,900" "$@" "file://$work/$file" 2>"$work/err" >"$work/out"
    status=$?
}
for page in report story compare plain fleet; do
    { cat "$work/$page.html"; echo '<script>'; cat "$work/look.js"; echo '</script>'; } >"$work/looked-$page.html"
done
# The policy of a page without script forbids the one that looks at it.
sed -i "s/default-src 'none'; style-src/default-src 'none'; script-src 'unsafe-inline'; style-src/" "$work/looked-compare.html"
browse report.html 1280 --dump-dom
[ "$status" -eq 0 ] || skip_all "chromium does not start here"

look() { # page, light|dark, width
    scheme=
    [ "$2" = light ] || scheme=--blink-settings=preferredColorScheme=0
    browse "looked-$1.html" "$3" --dump-dom ${scheme:+$scheme}
    has "$1, $2, $3: the scheme asked for" "scheme=$2"
    has "$1, $2, $3: texts were found" 'texts=true'
    has "$1, $2, $3: contrast of at least 4.5:1" '^contrast=true'
    has "$1, $2, $3: marks stand out" '^drawn=clear'
    has "$1, $2, $3: nothing sticks out" '^wide=true'
    has "$1, $2, $3: nothing is cut" '^cut=nothing'
}
browse looked-story.html 1280 --dump-dom
has "the story's table of all roads fits a desk's screen" '^roads=true'
for page in report story compare plain fleet; do
    look "$page" light 1280
    look "$page" dark 1280
    for check in kept named focused outlined pictures heads tables scrolled regions ids links lists; do
        has "$page: $check" "^$check=yes"
    done
    has "$page: headings in order" '^headings=true'
    has "$page: language, title, landmarks" '^landmarks=true'
    has "$page: no request leaves the file" '^requests=0'
    lacks "$page: no message on the console" 'CONSOLE' err
done
look report light 1280
has "the report's flame graph has a colour for each who executes" '^frames=f1,f2,f3,f4,f5,f6$'
has "each of its frames has a title" '^unframed=none'
look compare dark 1280
has "the difference's tells what grew, shrank, and what is as it was" '^frames=grew,same,shrank$'
look report light 390
look report dark 1920
look story light 390
look compare dark 390
look fleet light 390

for section in '<h3>Hosts that cross cases otherwise than most' 'Hosts without figures' 'Hosts that stand out'; do
    holds "the fleet looked at: $section" grep -q "$section" "$work/fleet.html"
done

# Without script: what the file itself says
cp "$work/report.html" "$work/out"
has "without script: every row is there" '<th scope="row">case-hypercall'
has "without script: no control that would do nothing" '<div id="controls"></div>'
lacks "without script: no dead button" '<button'

# On paper
browse report.html 1280 --print-to-pdf="$work/page.pdf" --no-pdf-header-footer
holds "it prints" test -s "$work/page.pdf"
if command -v pdftotext >/dev/null 2>&1; then
    pdftotext -layout "$work/page.pdf" "$work/out"
    has "on paper: the table" 'case-hypercall'
    has "on paper: folded parts are open, the counters" 'Counted per operation'
    lacks "on paper: nothing to click" 'Find a case'
    # What a lecturer hands out: the story, on sheets of its own.
    browse story.html 1280 --print-to-pdf="$work/story.pdf" --no-pdf-header-footer
    pdftotext "$work/story.pdf" - | tr '\f' '\002' | awk -v RS='\002' '
        /How a guest.s kernel lives without ring 0/ { first = NR; head = substr($0, 1, 20) }
        /In one sentence:/ { last = NR }
        /What the numbers say/ { after = NR }
        END { print "begins with: " head; print "sheets: " last - first + 1; print "left: " after - last }' >"$work/out"
    has "on paper: the story begins a sheet" '^begins with: How a guest'
    has "... takes six at the most" '^sheets: [1-6]$'
    has "... which hold nothing else" '^left: 1$'
else
    skip "what is on paper" "pdftotext is missing: apt-get install poppler-utils"
fi
finish
