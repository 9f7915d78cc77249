#include "bench/available.h"
#include "base/process/limit.h"
#include "bench/apart.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

/* What a run holds beside its engine: samples, the document. */
#define BESIDE (UINT64_C(4) << 20)

static void tell(const struct vt_error *error, char *reason, size_t size)
{
    char advice[128] = "";
    if (!strstr(error->text, "ulimit"))
        vt_limit_advice(error->number, 0, advice, sizeof advice);
    snprintf(reason, size, "%s%s%s", error->text, *advice ? ": " : "", advice);
}

/* As a run opens it, and closed again. */
static int try_opening(const struct vt_engine *engine, struct vt_error *error)
{
    static const volatile int never;
    const struct vt_engine_settings settings = {.limit_ns = 1000000000, .stop = &never};
    struct vt_apart *apart = NULL;
    void *state = NULL;
    int status = engine->own ? vt_apart_open(&apart, engine, &settings, error)
                             : engine->open(&state, &settings, error);

    if (status == 0 && engine->own)
        vt_apart_close(apart);
    else if (status == 0)
        engine->close(state);
    return status;
}

/* Where address space is limited, what fits alone need not fit beside what is measured. */
static int try_beside(const struct vt_engine *engine, struct vt_error *error)
{
    void *beside = mmap(NULL, BESIDE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (beside == MAP_FAILED)
        return vt_error_set(error, VT_EXIT_ENVIRONMENT, errno, "no room for a run beside engine %s: %s",
                            engine->name, strerror(errno));
    int status = try_opening(engine, error);
    munmap(beside, BESIDE);
    return status;
}

bool vt_bench_available(const struct vt_engine *engine, char *reason, size_t size)
{
    struct vt_error error = {0};

    if (!engine->available(reason, size))
        return false;
    if (try_beside(engine, &error) == 0)
        return true;
    tell(&error, reason, size);
    return false;
}
