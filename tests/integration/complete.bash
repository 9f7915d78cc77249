# Completes each argument, a command line, with share/completion/vmtoll.bash and prints on one line what is offered.
# shellcheck shell=bash source=share/completion/vmtoll.bash
. "$COMPLETION/vmtoll.bash"

for line; do
    read -ra COMP_WORDS <<<"${line//=/ = }"
    [[ $line == *' ' ]] && COMP_WORDS+=('')
    COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
    COMPREPLY=()
    # compopt works in a completion only; there is no other output.
    _vmtoll 2>/dev/null
    echo "${COMPREPLY[*]}"
done
