# Completes each argument, a command line, with share/completion/vmtoll.fish and prints on one line what is offered.
source $COMPLETION/vmtoll.fish

for line in $argv
    # A value comes with its option, a word of a list with those before it.
    echo (complete -C $line | string replace -r '\t.*' '' | string replace -r '^--[a-z-]+=' '')
end
