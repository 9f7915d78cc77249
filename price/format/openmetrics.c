#include "price/format/format.h"
#include "show/metrics.h"

#include <math.h>

/* Series of the machine as a whole. */
struct series {
    const char *name, *help;
    double value;
};

static void put_machine(const struct vt_price *price, bool first, FILE *stream)
{
    vt_metrics_label("vm", price->watch->machine, first, stream);
    vt_metrics_label("report", price->page, false, stream);
    fputs("} ", stream);
}

static void put_series(const struct vt_price *price, const struct series *series, FILE *stream)
{
    if (isnan(series->value))
        return;
    vt_metrics_head(series->name, series->help, stream);
    fputs(series->name, stream);
    put_machine(price, true, stream);
    fprintf(stream, "%.6g\n", series->value);
}

static double rate_of(const struct vt_price *price, const struct vt_price_line *line)
{
    return line->count / price->watch->seconds;
}

static double share_of(const struct vt_price *price, const struct vt_price_line *line)
{
    (void)price;
    return line->share;
}

static void put_reasons(const struct vt_price *price, const char *name, const char *help,
                        double (*value)(const struct vt_price *, const struct vt_price_line *), FILE *stream)
{
    bool headed = false;
    for (size_t i = 0; i < price->line_count; i++) {
        double of = value(price, &price->lines[i]);
        if (isnan(of))
            continue;
        if (!headed)
            vt_metrics_head(name, help, stream);
        headed = true;
        fputs(name, stream);
        vt_metrics_label("reason", price->lines[i].rule->reason, true, stream);
        put_machine(price, false, stream);
        fprintf(stream, "%.6g\n", of);
    }
}

void vt_price_print_metrics(const struct vt_price *price, FILE *stream)
{
    const struct vt_price_watch *watch = price->watch;
    const struct series all[] = {
        {"vmtoll_price_at_least_ratio", "Least share of vCPU run time spent crossing.", price->low},
        {"vmtoll_price_estimate_ratio",
         "Share of vCPU run time spent crossing, by the middle of fitting tolls.", price->middle},
        {"vmtoll_price_at_most_ratio", "Most share of vCPU run time spent crossing.", price->high},
        {"vmtoll_price_halt_polling_ratio", "Share of vCPU run time spent polling after HLT.",
         price->polling},
        {"vmtoll_price_run_seconds", "CPU time of the vCPU threads while watched.", watch->times.run / 1e9},
        {"vmtoll_price_waited_for_cpu_seconds", "Time vCPU threads waited for a CPU while watched.",
         watch->times.wait / 1e9},
        {"vmtoll_price_watched_seconds", "How long the machine was watched.", watch->seconds},
        {"vmtoll_price_forced", "1: the tolls are not this machine's.",
         price->tolls ? *price->forced != '\0' : NAN},
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        put_series(price, &all[i], stream);
    put_reasons(price, "vmtoll_price_crossings_per_second", "Crossings a second.", rate_of, stream);
    put_reasons(price, "vmtoll_price_crossings_at_least_ratio",
                "Least share of vCPU run time that crossings of a reason take.", share_of, stream);
    fputs("# EOF\n", stream);
}
