# shellcheck shell=bash
# bash completion for vmtoll. Whatever is offered comes from the program's own help and lists, so it is never stale.

_vmtoll_commands() { # program
    "$1" help 2>/dev/null | sed -n '/^commands:/,/^$/s/^  \([a-z][a-z-]*\) .*/\1/p'
}

# One option a line: its name, its argument or "-", and its help.
_vmtoll_options() { # program, command
    "$1" "$2" --help 2>/dev/null | awk '
        function show() { if (name != "") print name "\t" argument "\t" help; name = "" }
        /^options:/ { inside = 1; next }
        !inside { next }
        /^$/ { exit }
        /^  --/ {
            show(); name = $1; argument = "-"; help = substr($0, 3)
            sub(/^[^ ]+/, "", help)
            if (help ~ /^ [^ ]/) { argument = $2; sub(/^ [^ ]+/, "", help) }
            sub(/^ +/, "", help); next
        }
        { sub(/^ +/, ""); help = help " " $0 }
        END { show() }'
}

# What usage names after the options.
_vmtoll_operands() { # program, command
    "$1" "$2" --help 2>/dev/null | sed -n '1s/.*\[options\] *//p'
}

_vmtoll_list() { # program, subject
    "$1" list "$2" 2>/dev/null | sed -n '1!s/^\([^ ][^ ]*\).*/\1/p'
}

_vmtoll_offer() { # words...
    local word
    while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -W "$*" -- "$cur")
}

# The word after the last comma is completed, the ones before it stay.
_vmtoll_offer_more() { # words...
    local before='' i
    if [[ $cur == *,* ]]; then
        before=${cur%,*},
        cur=${cur##*,}
    fi
    _vmtoll_offer "$@"
    for i in "${!COMPREPLY[@]}"; do COMPREPLY[i]=$before${COMPREPLY[i]}; done
    compopt -o nospace 2>/dev/null
}

_vmtoll_offer_files() { # -f or -d
    local name
    while IFS= read -r name; do COMPREPLY+=("$name"); done < <(compgen "$1" -- "$cur")
    compopt -o filenames 2>/dev/null
}

_vmtoll_value() { # program, argument, help
    local choices='^([a-z]+(, [a-z]+)* or [a-z]+)([,;].*)?$' subject='vmtoll list ([a-z]+)'
    if [[ $3 =~ $subject ]]; then
        _vmtoll_offer_more "$(_vmtoll_list "$1" "${BASH_REMATCH[1]}")"
    elif [[ $2 == *,* ]]; then
        _vmtoll_offer_more "${2//,/ }"
    elif [[ $2 == *'|'* ]]; then
        _vmtoll_offer "${2//|/ }"
    elif [[ $2 == DIR ]]; then
        _vmtoll_offer_files -d
    elif [[ $2 == FILE || $2 == BZIMAGE ]]; then
        _vmtoll_offer_files -f
    elif [[ $3 =~ $choices ]]; then
        local words=${BASH_REMATCH[1]//,/}
        _vmtoll_offer "${words/ or / }"
    fi
}

_vmtoll_operand() { # program, command
    local operands
    operands=$(_vmtoll_operands "$1" "$2")
    case $operands in
    *COMMAND*) _vmtoll_offer "$(_vmtoll_commands "$1")" ;;
    *FILE* | *OLD*) _vmtoll_offer_files -f ;;
    [a-z]*) _vmtoll_offer "${operands//|/ }" ;;
    esac
}

_vmtoll() {
    local program=${COMP_WORDS[0]/#\~/$HOME} cur=${COMP_WORDS[COMP_CWORD]} before=$((COMP_CWORD - 1))
    local command=${COMP_WORDS[1]} name argument help names=''
    COMPREPLY=()
    if [[ $COMP_CWORD -eq 1 ]]; then
        _vmtoll_offer "$(_vmtoll_commands "$program")" --help --version
        return
    fi
    # bash takes --option=value apart at the sign.
    [[ $cur == '=' ]] && cur='' && before=$COMP_CWORD
    [[ ${COMP_WORDS[before]} == '=' ]] && before=$((before - 1))
    while IFS=$'\t' read -r name argument help; do
        names+=" $name"
        if [[ ${COMP_WORDS[before]} == "$name" && $argument != - ]]; then
            _vmtoll_value "$program" "$argument" "$help"
            return
        fi
    done < <(_vmtoll_options "$program" "$command")
    if [[ $cur == -* ]]; then
        _vmtoll_offer "$names"
    else
        _vmtoll_operand "$program" "$command"
    fi
}

complete -F _vmtoll vmtoll
