# Types each argument into an interactive zsh, presses Tab and prints on one line what is offered.
# Environment: COMPLETION, the folder of _vmtoll; OFFERED, a file for what is offered.
zmodload zsh/zpty
zpty -b shell zsh -f -i

say() {
    zpty -w shell "$1"
}

# The last thing every answer ends with tells that it is complete.
wait_for() { # word
    repeat 200; do
        [[ $(<$OFFERED) == *$1* ]] && return
        sleep 0.02
    done
}

: >$OFFERED
say 'PROMPT= fpath=($COMPLETION $fpath); zstyle ":completion:*" completer _complete'
say 'autoload -Uz compinit && compinit -D -u'
# compadd is where every completion ends; with -O, -A or -D it only asks.
say 'compadd() { local -a hits
    [[ " $* " == *\ -[OAD]\ * ]] || { builtin compadd -A hits "$@"; print -r -- $hits >>$OFFERED }
    builtin compadd "$@" }'
say 'finished() { print END >>$OFFERED }; zle -N finished; bindkey "^X" finished; print READY >>$OFFERED'
wait_for READY
for line; do
    : >$OFFERED
    zpty -w -n shell "$line"$'\t\x18'
    wait_for END
    zpty -w -n shell $'\x15'
    print -r -- ${$(<$OFFERED)%END}
done
zpty -d shell
