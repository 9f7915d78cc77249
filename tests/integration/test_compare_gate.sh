#!/bin/sh
# vmtoll compare as a gate: what its first line counts, what it says of unlike machines, and that nothing is no yes.
# shellcheck source=tests/integration/tap.sh
. "$(dirname "$0")/tap.sh"
# shellcheck source=tests/integration/result.sh
. "$(dirname "$0")/result.sh"

good() { row "$1" identification ok '"exit-kernel"' 2000; }
none() { row "$1" identification "${2:-unsupported}" null ''; }
compare() { run "$VMTOLL" compare "$work/old.json" "$work/new.json" "$@"; }

document old.json "$(good cpuid)" "$(good rdtsc)" "$(none pause)" "$(none hlt)"
document new.json "$(good cpuid)" "$(good rdtsc)" "$(none pause)" "$(none hlt)"
compare
is "nothing changed" 0
has "only what both measured is counted" '^Nothing changed beyond chance: 2 of 2 measurements unchanged \(within [0-9.]+ %\); 0 cannot tell\.$'
compare --json
has "the document says how many were measured on both sides" '"measured": 2'

document new.json "$(good cpuid)" "$(none rdtsc failed)" "$(none pause)" "$(none hlt)"
compare
is "no longer measured is a regression" 1
has "it is counted apart" '^Nothing changed beyond chance: 1 of 1 measurement unchanged .*; 0 cannot tell; 1'

document old.json "$(none cpuid)" "$(none rdtsc failed)"
document new.json "$(none cpuid)" "$(none rdtsc failed)"
for format in text markdown html json; do
    compare --format $format
    is "nothing measured on either side, as $format: the gate stays shut" 2
    has "... and the headline says why" 'Nothing could be compared: no measurement was made on both sides'
    has "... and so does standard error" '^vmtoll: compare: nothing could be compared' err
done
compare --fail-on change
is "... for any change as well" 2
compare --fail-on never
is "... but where the verdict is not asked for" 0

document old.json "$(row nop control ok '"none"' 0)"
document new.json "$(row nop control ok '"none"' 0)"
compare
is "controls alone" 2
has "... for which no quiet helps" '^vmtoll: compare: nothing could be compared: measure cases that cost something' err

document old.json "$(none cpuid)"
document new.json "$(good cpuid)"
compare
has "measured only now" '^Nothing could be compared: .*; 1 measured on one side only\.$'
is "... is not a comparison" 2

document old.json "$(row cpuid identification unverified '"exit-kernel"' 2000)"
document new.json "$(row cpuid identification unverified '"exit-kernel"' 2000)"
compare
is "unverified on both sides" 2
has "... cannot tell" '^Cannot tell in 1 of 1 measurement'

# Unlike hosts and clocks.
facts() { # file, host name, clock source, kHz
    host="{\"system\":{\"hostname\":\"$2\"},\"timing\":{\"clocksource\":\"$3\",\"tsc_khz\":$4}}"
    document "$1" "$(good cpuid)"
}
facts old.json alpha tsc 2400000
facts new.json beta tsc 2400000
compare
has "another host" 'host name was "alpha" and is "beta"' err
facts new.json alpha hpet 2400000
compare
has "another clock source" 'clock source was "tsc" and is "hpet"' err
facts new.json alpha tsc 2600000
compare
has "another TSC frequency" 'ran at 2400.000 MHz and runs at 2600.000 MHz' err
facts new.json alpha tsc 2400100
compare
holds "the same within what a measurement errs by" test ! -s "$work/err"
sed 's/"settings":null/"settings":{"tsc_khz":2300000}/' "$work/new.json" >"$work/new2.json"
mv "$work/new2.json" "$work/new.json"
compare
has "what was measured counts before what was told" 'runs at 2300.000 MHz' err

finish
