/*
 * What the engine trap adds to a fault: its privileged cases against the barest
 * handler there is, one that steps over the instruction and does nothing else.
 */
#include "bench/engine.h"
#include "guest/abi.h"
#include "tests/bench/versus.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <ucontext.h>

#define ROUNDS     60
#define ITERATIONS 40
#define MAX_CASES  128

static volatile int stop;

static void skip(int number, siginfo_t *info, void *context)
{
    (void)number, (void)info;
    ((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP] += 1;
}

/* Cycles of one fault and return, loop included: an HLT, which is one byte long and privileged. */
static double bare(void)
{
    uint64_t start = __builtin_ia32_rdtsc();

    for (int i = 0; i < ITERATIONS; i++)
        __asm__ volatile("hlt" : : : "memory");
    return (double)(__builtin_ia32_rdtsc() - start) / ITERATIONS;
}

static double measure_bare(void)
{
    struct sigaction action = {.sa_sigaction = skip, .sa_flags = SA_SIGINFO}, previous;
    double cycles;

    sigaction(SIGSEGV, &action, &previous);
    cycles = bare();
    sigaction(SIGSEGV, &previous, NULL);
    return cycles;
}

static bool run(const struct vt_engine *engine, void *state, enum vt_twin twin, double *cycles)
{
    struct vt_error error;
    struct vt_batch batch;

    if (engine->batch(state, twin, ITERATIONS, &batch, &error) != VT_BATCH_DONE)
        return false;
    *cycles = (double)batch.cycles / ITERATIONS;
    return true;
}

/* Cycles of one operation, or a negative number where the case cannot run. */
static double measure_case(const struct vt_engine *engine, void *state, const struct vt_case *c)
{
    double body, baseline;
    struct vt_error error;
    char reason[256];

    if (!engine->supports(state, c, 0, reason, sizeof reason) || engine->prepare(state, c, 0, &error) != 0 ||
        !run(engine, state, VT_BODY, &body) || !run(engine, state, VT_BASELINE, &baseline))
        return -1;
    return body - baseline;
}

static bool is_privileged(const struct vt_case *c)
{
    return c->sensitivity == VT_PRIVILEGED || c->sensitivity == VT_IO_PRIVILEGED;
}

/* Per round the bare fault and then every privileged case once; the cases' figures in the catalogue's order.
 */
static size_t measure_round(const struct vt_engine *engine, void *state, double *figures)
{
    size_t count, used = 0;
    const struct vt_case *cases = vt_guest_cases(&count);

    for (size_t i = 0; i < count && used < MAX_CASES; i++) {
        double cycles = is_privileged(&cases[i]) ? measure_case(engine, state, &cases[i]) : -1;
        if (cycles > 0)
            figures[used++] = cycles;
    }
    return used;
}

static int compare(const struct vt_engine *engine, void *state)
{
    static double ours[ROUNDS], theirs[ROUNDS], figures[MAX_CASES];
    size_t used = 0;

    for (size_t round = 0; round < ROUNDS; round++) {
        double before = measure_bare();

        used = measure_round(engine, state, figures);
        if (used == 0) {
            puts("no privileged case runs on engine trap");
            return 3;
        }
        ours[round] = vt_versus_median(figures, used);
        theirs[round] = (before + measure_bare()) / 2;
    }
    printf("median over %zu privileged cases\n", used);
    return vt_versus_report("trap, a privileged case against a bare fault and return", "cycles", ours, theirs,
                            ROUNDS, 1.15);
}

int main(void)
{
    const struct vt_engine *engine = vt_bench_find_engine("trap");
    struct vt_engine_settings settings = {.limit_ns = 1000000000, .stop = &stop};
    struct vt_error error;
    void *state;
    int status;

    if (engine->open(&state, &settings, &error) != 0) {
        puts(error.text);
        return 3;
    }
    status = compare(engine, state);
    engine->close(state);
    return status;
}
