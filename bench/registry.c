/* The one table of engines, in the order of the roads. */
#include "bench/engine.h"

#include <string.h>

extern const struct vt_engine vt_engine_native;
extern const struct vt_engine vt_engine_trap;
extern const struct vt_engine vt_engine_translate;
extern const struct vt_engine vt_engine_hypercall;
extern const struct vt_engine vt_engine_kvm;

static const struct vt_engine *const engines[] = {
    &vt_engine_native, &vt_engine_trap, &vt_engine_translate, &vt_engine_hypercall, &vt_engine_kvm,
};

const struct vt_engine *const *vt_bench_engines(size_t *count)
{
    *count = sizeof engines / sizeof engines[0];
    return engines;
}

const struct vt_engine *vt_bench_find_engine(const char *name)
{
    for (size_t i = 0; i < sizeof engines / sizeof engines[0]; i++)
        if (strcmp(engines[i]->name, name) == 0)
            return engines[i];
    return NULL;
}
