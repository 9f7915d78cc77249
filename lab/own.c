#include "lab/own.h"

#include <link.h>

struct walk {
    vt_lab_own_sink sink;
    void *context;
};

/* The program itself has an empty name, the vDSO one without a slash; the loader is among the libraries. */
static int visit(struct dl_phdr_info *info, size_t size, void *context)
{
    struct walk *walk = context;
    (void)size;
    return info->dlpi_name && info->dlpi_name[0] == '/' ? walk->sink(walk->context, info->dlpi_name) : 0;
}

int vt_lab_own_libraries(vt_lab_own_sink sink, void *context)
{
    struct walk walk = {sink, context};
    return dl_iterate_phdr(visit, &walk);
}
