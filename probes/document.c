#include "probes/document.h"

#include <stdio.h>
#include <string.h>

json_t *vt_document_new(void)
{
    return json_pack("{s:s}", "schema", "vmtoll.probe/1");
}

/* The object that holds the path's last word; *last receives that word. */
static json_t *descend(json_t *object, const char *path, const char **last)
{
    for (const char *dot; object && (dot = strchr(path, '.')); path = dot + 1) {
        json_t *next = json_object_getn(object, path, (size_t)(dot - path));
        if (!next) {
            next = json_object();
            json_object_setn_new(object, path, (size_t)(dot - path), next);
        }
        object = next;
    }
    *last = path;
    return object;
}

static void note(json_t *document, const char *map, const char *path, const char *text)
{
    json_t *object = json_object_get(document, map);
    if (!object) {
        object = json_object();
        json_object_set_new(document, map, object);
    }
    json_object_set_new(object, path, json_string(text));
}

void vt_document_put(json_t *document, const char *path, json_t *value, const char *evidence)
{
    const char *last;
    json_t *object = descend(document, path, &last);
    json_object_set_new(object, last, value);
    if (evidence && *evidence)
        note(document, "evidence", path, evidence);
}

void vt_document_unknown(json_t *document, const char *path, const char *reason)
{
    vt_document_put(document, path, json_null(), NULL);
    note(document, "unknown", path, reason);
}

json_t *vt_document_get(const json_t *document, const char *path)
{
    const json_t *object = document;
    for (const char *dot; object && (dot = strchr(path, '.')); path = dot + 1)
        object = json_object_getn(object, path, (size_t)(dot - path));
    return json_object_get(object, path);
}

bool vt_document_is_true(const json_t *document, const char *path)
{
    return json_is_true(vt_document_get(document, path));
}

bool vt_document_is_false(const json_t *document, const char *path)
{
    return json_is_false(vt_document_get(document, path));
}

const char *vt_document_text(const json_t *document, const char *path)
{
    return json_string_value(vt_document_get(document, path));
}

const char *vt_document_reason(const json_t *document, const char *path)
{
    const char *reason = json_string_value(json_object_get(json_object_get(document, "unknown"), path));
    return reason ? reason : "";
}

const char *vt_document_path(char buffer[128], const char *section, const char *key)
{
    snprintf(buffer, 128, "%s.%s", section, key);
    return buffer;
}
