# Circles of files, which must not be: awk -f tools/circles.awk FILE.[ch]..., paths from the top. NAME.c and NAME.h are one.
#
# A file builds on another when it includes it, and when it uses what the other defines, whatever header declares that.
# Each of the two must lead downwards; together they need not: a table lists what includes the types of its rows.
# What two files define is an interface of theirs: who uses it does not know which of them it is. A name that a macro
# pastes together is not seen.

function node(path) {
    sub(/\.[a-z]+$/, "", path)
    return path
}

function edge(kind, from, to, why) {
    if (from == to || (kind, from, to) in reason) return
    if (!((kind, from) in below)) files[kind, ++count[kind]] = from
    below[kind, from] = below[kind, from] " " to
    reason[kind, from, to] = why
}

# What is left of a line without comments and text.
function code(line,    kept, at, mark) {
    if (in_comment) {
        if (!(at = index(line, "*/"))) return ""
        line = substr(line, at + 2)
        in_comment = 0
    }
    while (match(line, /"([^"\\]|\\.)*"|'([^'\\]|\\.)*'|\/\*|\/\//)) {
        kept = kept substr(line, 1, RSTART - 1) " "
        mark = substr(line, RSTART, 2)
        line = substr(line, RSTART + RLENGTH)
        if (mark == "//") return kept
        if (mark != "/*") continue
        if (!(at = index(line, "*/"))) {
            in_comment = 1
            return kept
        }
        line = substr(line, at + 2)
    }
    return kept line
}

function define(name, exported) {
    own[here, name] = 1
    if (!exported || name ~ /^(malloc|calloc|realloc|free)$/) return # a test may stand in for the C library
    if (!(name in home)) home[name] = here
    else if (home[name] != here) shared[name] = 1
}

# Outside of a body: of a function's head, the name; a variable is defined at once.
function head(line) {
    if (line !~ /^[a-z]/ || line ~ /^(extern|typedef|return)/) return
    exported = line !~ /^static/
    sub(/ __attribute__.*/, "", line)
    sub(/ = .*/, " =", line)
    if (match(line, /[A-Za-z_0-9]+\(/)) candidate = substr(line, RSTART, RLENGTH - 1)
    else if (line !~ /^[^=]*\{/ && match(line, /[A-Za-z_0-9]+(\[[^]]*\])*( =|;)/)) {
        line = substr(line, RSTART)
        match(line, /^[A-Za-z_0-9]+/)
        define(substr(line, 1, RLENGTH), exported)
    }
}

function use(line,    word, list, words, i) {
    words = split(line, list, /[^A-Za-z_0-9]+/)
    for (i = 1; i <= words; i++) {
        word = list[i]
        if (length(word) < 4 || (here, word) in used) continue
        used[here, word] = 1
        user[++uses] = here
        wanted[uses] = word
        place[uses] = FILENAME ":" FNR
    }
}

FNR == 1 {
    here = node(FILENAME)
    is_header = FILENAME ~ /\.h$/
    in_comment = in_body = 0
    candidate = ""
}

/^#include "/ {
    split($0, quoted, "\"")
    edge("include", here, node(quoted[2]), FILENAME ":" FNR ": includes " quoted[2])
    next
}

/^[ \t]*$/ { next }

{
    line = head_line = code($0)
    gsub(/(struct|union|enum) [A-Za-z_0-9]+/, "", line)
    if (line ~ /^\{/) {
        if (candidate != "" && !is_header) define(candidate, exported)
        in_body = 1
    } else if (line ~ /^\}/) {
        in_body = 0
        candidate = ""
    } else if (!in_body) head(head_line)
    if (!is_header || in_body) use(line)
}

# Leaves are in no circle, nor is what then becomes one.
function prune(kind,    i, file, list, targets, j, kept, again) {
    do {
        again = 0
        for (i = 1; i <= count[kind]; i++) {
            file = files[kind, i]
            targets = split(below[kind, file], list, " ")
            kept = ""
            for (j = 1; j <= targets; j++)
                if (below[kind, list[j]] != "") kept = kept " " list[j]
            if (kept != below[kind, file]) again = 1
            below[kind, file] = kept
        }
    } while (again)
}

# The shortest way from a file back to itself; "": none.
function way_back(kind, start,    queue, first, last, before, list, targets, j, file, way) {
    queue[first = last = 1] = start
    while (first <= last) {
        file = queue[first++]
        targets = split(below[kind, file], list, " ")
        for (j = 1; j <= targets; j++) {
            if (list[j] in before) continue
            before[list[j]] = file
            if (list[j] != start) queue[++last] = list[j]
            else {
                way = file = start
                do {
                    file = before[file]
                    way = file " " way
                } while (file != start)
                return way
            }
        }
    }
    return ""
}

function shortest(kind,    i, way, best, steps, least, list) {
    for (i = 1; i <= count[kind]; i++) {
        if (below[kind, files[kind, i]] == "") continue
        way = way_back(kind, files[kind, i])
        steps = split(way, list, " ")
        if (steps && (best == "" || steps < least)) {
            best = way
            least = steps
        }
    }
    return best
}

function forget(kind, from, to) {
    sub(" " to "( |$)", " ", below[kind, from])
    sub(/ +$/, "", below[kind, from])
}

function circles(kind,    way, list, steps, i) {
    for (prune(kind); (way = shortest(kind)) != ""; prune(kind)) {
        bad = 1
        steps = split(way, list, " ")
        gsub(" ", " -> ", way)
        print "circle of files: " way
        for (i = 1; i < steps; i++) {
            print "    " reason[kind, list[i], list[i + 1]]
            forget(kind, list[i], list[i + 1])
        }
    }
}

END {
    for (i = 1; i <= uses; i++) {
        name = wanted[i]
        if (name in home && !(name in shared) && !((user[i], name) in own))
            edge("use", user[i], home[name], place[i] ": uses " name " of " home[name] ".c")
    }
    circles("include")
    circles("use")
    exit bad
}
