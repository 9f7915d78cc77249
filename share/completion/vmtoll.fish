# fish completion for vmtoll. Whatever is offered comes from the program's own help and lists, so it is never stale.

# "name<tab>summary" of every command.
function __vmtoll_commands
    vmtoll help 2>/dev/null | sed -n '/^commands:/,/^$/s/^  \([a-z][a-z-]*\)  */\1\t/p'
end

# One option a line: its name, its argument or "-", and its help.
function __vmtoll_options # command
    vmtoll $argv[1] --help 2>/dev/null | awk '
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
end

# What usage names after the options.
function __vmtoll_operands # command
    vmtoll $argv[1] --help 2>/dev/null | sed -n '1s/.*\[options\] *//p'
end

function __vmtoll_list # subject
    vmtoll list $argv[1] 2>/dev/null | sed -n '1!s/^\([^ ][^ ]*\).*/\1/p'
end

function __vmtoll_is # command
    set -l words (commandline -opc)
    test "$words[2]" = $argv[1]
end

function __vmtoll_begins
    test (count (commandline -opc)) -eq 1
end

# How the value of an option is completed, as arguments of complete; nothing: it is free.
function __vmtoll_value # argument, help
    if set -l subject (string match -gr 'vmtoll list ([a-z]+)' -- $argv[2])
        printf '%s\n' -xa "(__fish_complete_list , '__vmtoll_list $subject')"
    else if string match -q '*,*' -- $argv[1]
        printf '%s\n' -xa "(__fish_complete_list , 'printf %s\\\\n "(string replace -a , ' ' -- $argv[1])"')"
    else if string match -q '*|*' -- $argv[1]
        printf '%s\n' -xa (string replace -a '|' ' ' -- $argv[1])
    else if test $argv[1] = DIR
        printf '%s\n' -xa '(__fish_complete_directories)'
    else if contains -- $argv[1] FILE BZIMAGE
        printf '%s\n' -rF
    else if set -l words (string match -gr '^([a-z]+(?:, [a-z]+)* or [a-z]+)(?:[,;].*)?$' -- $argv[2])
        printf '%s\n' -xa (string replace -a , '' -- $words | string replace ' or ' ' ')
    else
        printf '%s\n' -x
    end
end

function __vmtoll_define # command
    set -l when "__vmtoll_is $argv[1]"
    __vmtoll_options $argv[1] | while read -l -d \t name argument help
        set -l value
        test $argument = -; or set value (__vmtoll_value $argument $help)
        complete -c vmtoll -n $when -l (string sub -s 3 -- $name) -d $help $value
    end
    set -l operands (__vmtoll_operands $argv[1])
    if string match -q '*COMMAND*' -- $operands
        complete -c vmtoll -n $when -a '(__vmtoll_commands)'
    else if string match -qr 'FILE|OLD' -- $operands
        complete -c vmtoll -n $when -F
    else if string match -qr '^[a-z]' -- $operands
        complete -c vmtoll -n $when -a (string replace -a '|' ' ' -- $operands)
    end
end

complete -c vmtoll -f
complete -c vmtoll -n __vmtoll_begins -a '(__vmtoll_commands)'
complete -c vmtoll -n __vmtoll_begins -l help -d 'show the overview'
complete -c vmtoll -n __vmtoll_begins -l version -d 'show the version'
for command in (__vmtoll_commands | string replace -r '\t.*' '')
    __vmtoll_define $command
end
