#include "lab/rows.h"
#include "bench/runner.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* Those of all documents that are whole; NULL: there is no memory. */
static json_t *load_rows(const char *rows, size_t size)
{
    json_t *all = json_array(), *document;
    json_error_t error = {0};

    for (size_t at = 0; all && at < size; at += (size_t)error.position) {
        document = json_loadb(rows + at, size - at, JSON_DISABLE_EOF_CHECK, &error);
        if (!document)
            break;
        json_array_extend(all, json_object_get(document, "measurements"));
        json_decref(document);
    }
    return all;
}

static bool is_same(const json_t *a, const json_t *b)
{
    static const char *const keys[] = {"case", "path", "engine", "cpl", "operation"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        const json_t *one = json_object_get(a, keys[i]), *other = json_object_get(b, keys[i]);
        if (one != other && !json_equal(one, other))
            return false;
    }
    return true;
}

static bool was_made(const json_t *row)
{
    const char *reason = json_string_value(json_object_get(row, "reason"));
    return reason && strcmp(reason, VT_MADE_BEFORE) == 0;
}

static void put_back(json_t *measurements, const json_t *made)
{
    size_t i, k;
    json_t *row, *candidate;

    json_array_foreach(measurements, i, row)
    {
        if (!was_made(row))
            continue;
        json_array_foreach(made, k, candidate)
        {
            if (!is_same(row, candidate))
                continue;
            json_array_set(measurements, i, candidate);
            break;
        }
    }
}

int vt_lab_rows_put_back(char **document, size_t *size, const char *rows, size_t rows_size)
{
    json_t *whole = *document ? json_loadb(*document, *size, 0, NULL) : NULL;
    if (!whole)
        return 0;
    json_t *made = load_rows(rows, rows_size);
    char *text = NULL;
    if (made) {
        put_back(json_object_get(whole, "measurements"), made);
        text = json_dumps(whole, JSON_COMPACT);
    }
    json_decref(made);
    json_decref(whole);
    if (!text)
        return -ENOMEM;
    free(*document);
    *document = text;
    *size = strlen(text);
    return 0;
}
