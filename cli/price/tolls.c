#include "cli/price/tolls.h"
#include "bench/available.h"
#include "bench/runner.h"
#include "bench/select.h"
#include "cli/measured.h"
#include "price/rules.h"
#include "result/document.h"

#define BUDGET 4.0 /* seconds */

static int document(struct vt_result **tolls, const struct vt_selection *selection, const struct vt_run *run,
                    const json_t *host, const char *started, struct vt_error *error)
{
    struct vt_document made = {
        .started = started,
        .host = (json_t *)(uintptr_t)host,
        .settings = vt_result_settings(selection, BUDGET, run),
        .measurements = run->measurements,
        .count = run->count,
        .interrupted = run->interrupted,
    };
    *tolls = vt_result_make(&made, error);
    json_decref(made.settings);
    return *tolls ? 0 : -error->number;
}

static int measure(struct vt_result **tolls, const struct vt_selection *selection, struct vt_plan *plan,
                   const json_t *host, struct vt_error *error)
{
    struct vt_run run;
    struct vt_cli_moment started = vt_cli_now();
    plan->budget = BUDGET;
    plan->cpu = -1;
    plan->stop = vt_cli_stop(true);
    int status = vt_bench_run(&run, plan, error);
    if (status == 0) {
        status = document(tolls, selection, &run, host, started.text, error);
        vt_run_release(&run);
    }
    return status;
}

int vt_cli_measure_tolls(struct vt_result **tolls, const json_t *host, char *why, size_t size,
                         struct vt_error *error)
{
    const struct vt_selection selection = {.engines = "kvm", .cases = vt_price_cases};
    struct vt_plan plan = {0};
    *tolls = NULL;
    int status = vt_select(&selection, &plan, error);
    if (status == 0 && vt_bench_available(plan.engines[0], why, size))
        status = measure(tolls, &selection, &plan, host, error);
    vt_select_release(&plan);
    return status;
}
