/* What the kernel gathers of writes to a device: batches that are alike cost alike. */
#include "bench/engine.h"
#include "guest/catalogue.h"
#include "tests/unit/suite.h"

static volatile int stop;

START_TEST(a_batch_that_fits_the_ring_asks_nobody)
{
    const struct vt_engine_settings settings = {.limit_ns = 400000000, .stop = &stop};
    const struct vt_engine *engine = vt_bench_find_engine("kvm");
    const struct vt_case *c = vt_guest_find_case("mmio-write-coalesced");
    char reason[512] = "";
    struct vt_error error;
    void *state;

    if (!engine->available(reason, sizeof reason))
        vt_skip("%s", reason);
    int status = engine->open(&state, &settings, &error);
    if (status != 0 && error.exit == VT_EXIT_ENVIRONMENT)
        vt_skip("%s", error.text);
    ck_assert_msg(status == 0, "%s", error.text);
    if (!engine->supports(state, c, 0, reason, sizeof reason))
        vt_skip("%s", reason);
    ck_assert_int_eq(engine->prepare(state, c, 0, &error), 0);
    for (int i = 0; i < 20; i++) {
        struct vt_batch batch = {0};
        ck_assert_int_eq(engine->batch(state, VT_BODY, 100, &batch, &error), VT_BATCH_DONE);
        ck_assert_msg(batch.counters.value[VT_USER_EXITS] == 0, "batch %d asked %llu times", i,
                      (unsigned long long)batch.counters.value[VT_USER_EXITS]);
    }
    engine->close(state);
}
END_TEST

VT_SUITE(a_batch_that_fits_the_ring_asks_nobody)
