#include "result/path.h"

#include <string.h>

const json_t *vt_result_at(const json_t *document, const char *path)
{
    while (document && *path) {
        const json_t *whole = json_object_get(document, path);
        if (whole)
            return whole;
        size_t length = strcspn(path, ".");
        document = json_object_getn(document, path, length);
        path += length + (path[length] == '.');
    }
    return document;
}
