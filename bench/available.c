#include "bench/available.h"
#include "base/limit.h"

#include <stdio.h>
#include <string.h>

static void tell(const struct vt_error *error, char *reason, size_t size)
{
    char advice[128] = "";
    if (!strstr(error->text, "ulimit"))
        vt_limit_advice(error->number, 0, advice, sizeof advice);
    snprintf(reason, size, "%s%s%s", error->text, *advice ? ": " : "", advice);
}

bool vt_bench_available(const struct vt_engine *engine, char *reason, size_t size)
{
    static const volatile int never;
    const struct vt_engine_settings settings = {.limit_ns = 1000000000, .stop = &never};
    struct vt_error error = {0};
    void *state = NULL;

    if (!engine->available(reason, size))
        return false;
    if (engine->open(&state, &settings, &error) != 0) {
        tell(&error, reason, size);
        return false;
    }
    engine->close(state);
    return true;
}
