# shellcheck shell=sh
# Sourced by tests that need results no machine at hand would give:
#
#     document r.json "$(row cpuid identification ok '"exit-kernel"' 2000)" ...
#
# writes $work/r.json. engine, path, cpl, unit, simulated, host, audit and samples may be set before.

: "${work:?tap.sh comes first}"
engine=kvm path=hardware cpl=0 unit=ns simulated=false host=null audit=null
samples='[]'

summary() { # median
    echo "{\"median\":$1,\"ci95\":[$1,$1],\"min\":$1,\"p05\":$1,\"p25\":$1,\"p75\":$1,\"p95\":$1,\"p99\":$1,\"mad\":0}"
}

row() { # case, class, status, crossing, median [, reason]
    toll=null
    [ -z "$5" ] || toll=$(summary "$5")
    printf '{"case":"%s","class":"%s","path":"%s","engine":"%s","cpl":%s,"crossing":%s,"status":"%s",' "$1" "$2" "$path" "$engine" "$cpl" "$4" "$3"
    printf '"reason":"%s","simulated":%s,"unit":"%s","iterations":1000,"batches":50,"toll":%s,"toll_cycles":null,' "${6:-as it is}" "$simulated" "$unit" "$toll"
    printf '"exits_per_op":1,"evidence":{},"samples":%s}' "$samples"
}

document() { # file, row...
    file=$1
    shift
    rows=$1
    [ $# -eq 0 ] || shift
    for more in "$@"; do rows="$rows,$more"; done
    printf '{"schema":"vmtoll.result/1","tool":{"version":"0"},"started":"2026-11-22T15:00:00Z","host":%s,"audit":%s,"settings":null,"measurements":[%s]}\n' "$host" "$audit" "$rows" >"$work/$file"
}
