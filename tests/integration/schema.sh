# shellcheck shell=sh
# Sourced by tests that hold documents against their schemas:
#
#     fits "a list of cases" list "$work/out"

: "${work:?tap.sh comes first}"
schemas=$(dirname "$0")/../../docs/schema

fits() { # name, schema, file
    if ! python3 -W ignore -c 'import jsonschema' 2>/dev/null; then
        skip "$1 fits its schema" "python3-jsonschema is missing: apt-get install python3-jsonschema"
        return
    fi
    cat >"$work/fits.py" <<'Q'
import json, sys, jsonschema
schema, document = (json.load(open(name, encoding="utf-8")) for name in sys.argv[1:])
jsonschema.Draft202012Validator.check_schema(schema)
for error in jsonschema.Draft202012Validator(schema).iter_errors(document):
    sys.exit("%s: %s" % (error.json_path, error.message))
Q
    holds "$1 fits its schema" python3 -W ignore "$work/fits.py" "$schemas/$2.schema.json" "$3"
}
