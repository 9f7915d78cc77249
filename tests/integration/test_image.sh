#!/bin/sh
# vmtoll image and import: an image boots, says what it measured, and that becomes a result; what is no log does not.
# beside others
. "$(dirname "$0")/tap.sh"
# shellcheck source=tests/integration/schema.sh
. "$(dirname "$0")/schema.sh"

run "$VMTOLL" image
refuses "an image without a name" 2 '^vmtoll: image: --output FILE is missing'
run "$VMTOLL" image --output "$work/image.bin"
refuses "a kind of file there is not" 2 "its ending must say: \.elf, \.efi, \.iso or \.raw"
run "$VMTOLL" image --output "$work/image.elf" --case cpuidd
refuses "a case there is not" 2 "did you mean 'cpuid'"
run "$VMTOLL" image --output "$work/image.elf" --words "$(printf '%01200d' 0)"
refuses "a command line that does not fit" 2 'an image holds 1000'
run "$VMTOLL" image --output "$work/none/image.elf"
refuses "a folder that is not there" 3 none
run "$VMTOLL" image --output "$work/image.elf" --case cpuid,cli,vm-create --words end=reset
is "an image is written" 0
holds "it is an ELF" sh -c "head -c 4 '$work/image.elf' | grep -q ELF"
holds "its words are in it" grep -aq 'case=cpuid,cli,vm-create end=reset' "$work/image.elf"
run "$VMTOLL" image --output "$work/image.efi" --case cpuid
is "and an EFI application" 0
holds "which begins as one" sh -c "head -c 2 '$work/image.efi' | grep -q MZ"
PATH=$work/nothing run "$VMTOLL" image --output "$work/image.iso"
refuses "a disc without the programs that make one" 3 'apt-get install grub-common'
run "$VMTOLL" image --output - --case cpuid
refuses "standard output has no ending" 2 ending

run "$VMTOLL" import "$work/none.log"
refuses "a log that is not there" 2 none.log
run "$VMTOLL" import "$work/image.elf"
refuses "an image in place of its log" 2 "image.elf: no lines of an image"

if command -v qemu-system-x86_64 >/dev/null 2>&1 && command -v jq >/dev/null 2>&1; then
    boot() { # argument...
        timeout 60 qemu-system-x86_64 -m 64 -nodefaults -no-user-config -display none -no-reboot -accel tcg -kernel "$work/image.elf" "$@"
    }
    # shellcheck disable=SC2317
    row() {
        jq -e ".measurements[] | select($1)" "$work/result.json"
    }

    run boot -M q35 -cpu max -debugcon "file:$work/said"
    is "the image boots under PVH and ends as it was told" 0
    run "$VMTOLL" import "$work/said" --quiet --output "$work/result.json"
    is "its log is taken in" 0
    fits "the result" result "$work/result.json"
    of() { # engine: the cases it has rows of
        jq -r --arg engine "$1" '[.measurements[] | select(.engine == $engine) | .case] | join(" ")' "$work/result.json"
    }
    equals "the cases that were asked for, and the controls" "$(of bare)" "empty nop thousand cpuid cli vm-create"
    equals "once more below the image's own monitor" "$(of monitor-trap)" "$(of bare)"
    holds "which counts its traps" row '.case == "cli" and .engine == "monitor-trap" and .status == "ok" and .crossing == "trap" and .evidence.traps == 1'
    holds "and exits of its guests" row '.case == "cpuid" and .engine == "monitor-svm" and .status == "ok" and .crossing == "exit-kernel" and .evidence.exits == 1'
    holds "and takes a trap apart" row '.case == "cli" and .engine == "monitor-trap" and .breakdown.bare.median > 0 and .breakdown.bare.median < .toll.median'
    holds "a road that there is not is named with its reason" jq -e '.settings.roads_refused | test("^monitor-vmx: the processor has no VT-x")' "$work/result.json"
    holds "their engine is bare" row '.case == "cpuid" and .engine == "bare" and .cpl == 0 and .status == "ok" and .toll.median > 0'
    holds "what it may not do it says" row '.case == "vm-create" and .status == "unsupported"'
    holds "a thousand instructions take longer than one" test "$(jq '[.measurements[] | select(.engine == "bare") | {key: .case, value: .toll.median}] | from_entries | .thousand > .nop' "$work/result.json")" = true
    holds "the hypervisor is named by its signature" jq -e '.settings.hypervisor == "QEMU'"'"'s TCG (\"TCGTCGTCGTCG\")"' "$work/result.json"
    holds "inferred crossings say so" row '.case == "cpuid" and .crossing == "none" and (.reason | startswith("inferred: "))'
    holds "and so does the document" jq -e '.settings.warnings | any(test("not counted"))' "$work/result.json"
    holds "whose times are no processor's" jq -e '.settings.warnings | any(test("emulator, QEMU.s TCG"))' "$work/result.json"
    holds "two clocks at least agree" test "$(jq -r '.settings.clock_sources_khz' "$work/result.json" | tr ',' '\n' | wc -l)" -ge 2
    holds "the host is described from its leaves" jq -e '.host.cpu.brand | startswith("QEMU")' "$work/result.json"
    run "$VMTOLL" report "$work/result.json"
    is "report shows it" 0
    has "with its column" 'bare CPL 0'

    run boot -M q35 -cpu max -append 'case=nop end=reset' -serial "file:$work/serial"
    is "what the boot loader says goes before" 0
    run sh -c '"$0" import - --json <"$1"' "$VMTOLL" "$work/serial"
    is "a serial line is taken in from standard input" 0
    holds "with the cases of that command line" test "$(jq -r '[.measurements[] | select(.engine == "bare") | .case] | join(" ")' "$work/out")" = "empty nop thousand"

    run boot -M q35 -cpu max -append 'case=cli road=none end=reset' -debugcon "file:$work/none"
    run "$VMTOLL" import "$work/none" --quiet --output "$work/none.json"
    equals "the monitor is left out where no road is asked for" \
        "$(jq -r '[.measurements[].engine] + [.settings.roads, .settings.roads_refused] | unique | map(tostring) | join(" ")' "$work/none.json")" "null bare"
    run boot -M q35 -cpu max -append 'case=cli road=monitor-trap,monitor-c* road=monitor-vmx end=reset' -debugcon "file:$work/some"
    run "$VMTOLL" import "$work/some" --quiet --output "$work/some.json"
    equals "the roads that were asked for are those that are opened" \
        "$(jq -r '.settings | .roads + "; " + .roads_refused' "$work/some.json")" \
        "monitor-trap, monitor-call; monitor-vmx: the processor has no VT-x"

    # 128 cycles of the clock an instruction, as where a KVM without VT-x or AMD-V interprets ring 0.
    run boot -M q35 -cpu max -icount shift=7 -append 'case=cli end=reset' -debugcon "file:$work/interpreted"
    run "$VMTOLL" import "$work/interpreted" --quiet --output "$work/interpreted.json"
    equals "where ring 0 is interpreted the monitor refuses itself, and the rest runs" \
        "$(jq -r '[.measurements[] | .case + " " + .engine + " " + .status] | join(", ")' "$work/interpreted.json")" \
        "empty bare ok, nop bare ok, thousand bare ok, cli bare ok"
    holds "with that reason for each road" jq -e '.settings.roads_refused | split("; ") | length == 8 and all(test("ring 0 is interpreted here"))' "$work/interpreted.json"

    run boot -m 16 -M q35 -cpu max -debugcon "file:$work/small"
    equals "too little memory is one line" "$(cat "$work/small")" \
        "vmtoll: the firmware grants no 12 MiB of memory in one piece below 4 GiB: nothing was measured"

    refused=$("$VMTOLL" list cases --json | jq -r '[.cases[] | select(.bare == "refused") | .name] | join(",")')
    run boot -M q35 -cpu max -append "case=$refused road=none end=reset" -debugcon "file:$work/refused"
    run "$VMTOLL" import "$work/refused" --quiet --output "$work/refused.json"
    equals "what the catalogue refuses is not run" "$(jq -r '[.measurements[3:][] | select(.status == "unsupported") | .case] | join(",")' "$work/refused.json")" \
        "$refused"

    sed '/@case 5 /,$d' "$work/said" >"$work/cut"
    run "$VMTOLL" import "$work/cut" --quiet --output "$work/cut.json"
    is "a log that stops between two cases is taken in" 0
    holds "and marked" jq -e .interrupted "$work/cut.json"
    sed '/@row cpuid/,$d' "$work/said" >"$work/cut"
    run "$VMTOLL" import "$work/cut" --quiet --output "$work/cut.json"
    is "one that stops within a case is a failure of that case" 1
    holds "which is named" jq -e '.measurements[-1] | .case == "cpuid" and .status == "timeout"' "$work/cut.json"
    sed '/@row cli monitor-translate/,$d' "$work/said" >"$work/cut"
    run "$VMTOLL" import "$work/cut" --quiet --output "$work/cut.json"
    is "and so is one that stops on a road" 1
    holds "which is named with its case" jq -e '.measurements[-1] | .case == "cli" and .engine == "monitor-translate" and .status == "timeout"' "$work/cut.json"
    sed 's/@row cpuid ok \([0-9]*\)/@row cpuid ok 1\1/' "$work/said" >"$work/cut"
    run "$VMTOLL" import "$work/cut"
    refuses "a figure that was changed" 2 'cut:[0-9]*: a damaged line'
    cat "$work/said" "$work/said" >"$work/cut"
    run "$VMTOLL" import "$work/cut"
    refuses "two runs in one file" 2 'cut:[0-9]*: '
    sed '/@case 4 /d' "$work/said" >"$work/cut"
    run "$VMTOLL" import "$work/cut"
    refuses "a line that is missing" 2 'cut:[0-9]*: '
else
    skip "the image boots" "qemu-system-x86_64 or jq is missing: apt-get install qemu-system-x86 jq"
fi
finish
