#!/bin/sh
# Completion offers exactly what the program's help and lists name, in bash, zsh and fish.
# beside others
. "$(dirname "$0")/tap.sh"
here=$(cd "$(dirname "$0")" && pwd)
COMPLETION=$(cd "$here/../../share/completion" && pwd)
OFFERED=$work/offered
PATH=$(dirname "$VMTOLL"):$PATH
export COMPLETION OFFERED PATH
mkdir "$work/files" && touch "$work/files/one.json" "$work/files/two.json"
cd "$work" || exit 1

sorted() {
    tr ' ' '\n' | sed '/^$/d' | sort | tr '\n' ' '
}

options_of() { # command
    vmtoll "$1" --help | grep -o '^  --[a-z-]*' | sorted
}

names_of() { # subject
    vmtoll list "$1" --json | sed -n 's/^      "name": "\(.*\)",*$/\1/p' | sorted
}

# Lines typed, one of them a command line, and what must be offered for it.
commands=$(vmtoll help | sed -n '/^commands:/,/^$/s/^  \([a-z]*\) .*/\1/p')
expect() { # line, words
    echo "$1" >>"$work/lines"
    echo "$2" | sorted >>"$work/expected"
    echo >>"$work/expected"
}
expect 'vmtoll ' "$commands --help --version"
for command in $commands; do
    expect "vmtoll $command --" "$(options_of "$command")"
done
expect 'vmtoll help ' "$commands"
expect 'vmtoll list ' "cases engines paths capabilities"
expect 'vmtoll bench --case ' "$(names_of cases)"
expect 'vmtoll bench --engine ' "$(names_of engines)"
expect 'vmtoll bench --path ' "$(names_of paths)"
expect 'vmtoll probe --require ' "$(names_of capabilities)"
expect 'vmtoll bench --cpl ' "0 3"
expect 'vmtoll bench --case=cpui' "cpuid"
expect 'vmtoll bench --budget ' ""
expect "vmtoll bench --output files/o" one.json
expect "vmtoll report files/t" two.json
expect "vmtoll list --output x cas" "cases"

# Only names of files are offered with or without their folder.
offers() { # shell, its command...
    shell=$1
    shift
    : >"$work/offers"
    while IFS= read -r line; do set -- "$@" "$line"; done <"$work/lines"
    "$@" </dev/null 2>"$work/err" | while IFS= read -r line; do
        printf '%s\n' "$line" | sed "s|files/||g" | sorted
        echo
    done >"$work/offers"
    number=0
    while IFS= read -r line; do
        number=$((number + 1))
        wanted=$(sed -n "${number}p" "$work/expected")
        # fish offers options once their hyphen is typed.
        case $shell/$line in fish/*' ') wanted=$(echo "$wanted" | tr ' ' '\n' | sed '/^--/d' | sorted) ;; esac
        found=$(sed -n "${number}p" "$work/offers")
        if [ "$wanted" = "$found" ]; then
            pass "$shell: $line"
        else
            fail "$shell: $line" "offered: $found; wanted: $wanted"
        fi
    done <"$work/lines"
}

for shell in bash zsh fish; do
    if ! command -v "$shell" >/dev/null 2>&1; then
        skip "$shell" "no $shell here; install it with: apt-get install $shell"
        continue
    fi
    case $shell in
    bash) offers bash bash "$here/complete.bash" ;;
    zsh) offers zsh timeout 60 zsh -f "$here/complete.zsh" ;;
    fish) offers fish timeout 60 fish --no-config "$here/complete.fish" ;;
    esac
done

# Every format offered is one report accepts: the file's absence is then the only complaint.
for format in $(bash "$here/complete.bash" 'vmtoll report --format ' 2>/dev/null); do
    run vmtoll report --format "$format" "$work/missing.json"
    lacks "report accepts the format $format, which is offered" 'unknown' err
done

finish
