#include "tests/unit/result/loaded.h"
#include "result/load/load.h"

#include <string.h>

static int keep(struct vt_result *result, void *context)
{
    struct vt_result **place = context;
    vt_result_free(*place);
    *place = result;
    return 0;
}

int vt_test_load(const char *text, struct vt_result **result, struct vt_error *error)
{
    static const struct vt_load_options options = {.samples = true};
    *result = NULL;
    return vt_result_load_memory("x.json", text, strlen(text), &options, keep, result, error);
}
