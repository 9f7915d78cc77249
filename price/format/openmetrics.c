#include "price/format/format.h"
#include "show/metrics.h"

#include <math.h>

/* Series of a machine as a whole. */
static double at_least(const struct vt_price *price)
{
    return price->low;
}

static double estimate(const struct vt_price *price)
{
    return price->middle;
}

static double at_most(const struct vt_price *price)
{
    return price->high;
}

static double polling(const struct vt_price *price)
{
    return price->polling;
}

static double observing(const struct vt_price *price)
{
    return price->observing;
}

static double run(const struct vt_price *price)
{
    return price->watch->times.run / 1e9;
}

static double waited(const struct vt_price *price)
{
    return price->watch->times.wait / 1e9;
}

static double watched(const struct vt_price *price)
{
    return price->watch->seconds;
}

static double forced(const struct vt_price *price)
{
    return price->tolls ? *price->forced != '\0' : NAN;
}

static double nested(const struct vt_price *price)
{
    return price->watch->nested;
}

static const struct {
    const char *name, *help;
    double (*value)(const struct vt_price *price);
} machines[] = {
    {"vmtoll_price_at_least_ratio", "Least share of vCPU run time spent crossing.", at_least},
    {"vmtoll_price_estimate_ratio", "Share of vCPU run time spent crossing, by the middle of fitting tolls.",
     estimate},
    {"vmtoll_price_at_most_ratio", "Most share of vCPU run time spent crossing.", at_most},
    {"vmtoll_price_halt_polling_ratio", "Share of vCPU run time spent polling after HLT.", polling},
    {"vmtoll_price_reasons_ratio", "Share of vCPU run time that counting by reason took.", observing},
    {"vmtoll_price_run_seconds", "CPU time of the vCPU threads while watched.", run},
    {"vmtoll_price_waited_for_cpu_seconds", "Time vCPU threads waited for a CPU while watched.", waited},
    {"vmtoll_price_watched_seconds", "How long the machine was watched.", watched},
    {"vmtoll_price_forced", "1: the tolls are not this machine's.", forced},
    {"vmtoll_price_nested", "1: it runs guests of its own.", nested},
};

static double rate_of(const struct vt_price *price, const struct vt_price_line *line)
{
    return line->count / price->watch->seconds;
}

static double share_of(const struct vt_price *price, const struct vt_price_line *line)
{
    (void)price;
    return line->share;
}

/* Series of a machine and a reason. */
static const struct {
    const char *name, *help;
    double (*value)(const struct vt_price *price, const struct vt_price_line *line);
} reasons[] = {
    {"vmtoll_price_crossings_per_second", "Crossings a second.", rate_of},
    {"vmtoll_price_crossings_at_least_ratio", "Least share of vCPU run time that crossings of a reason take.",
     share_of},
};

/* `line` is NULL for a machine as a whole. True: there was something to put. */
static bool put(const struct vt_price *price, const struct vt_price_line *line, const char *name,
                const char *help, double value, bool headed, FILE *stream)
{
    if (isnan(value))
        return headed;
    if (!headed)
        vt_metrics_head(name, help, stream);
    fputs(name, stream);
    if (line)
        vt_metrics_label("reason", line->rule->reason, true, stream);
    vt_metrics_label("vm", price->watch->machine, !line, stream);
    vt_metrics_label("report", price->page, false, stream);
    fprintf(stream, "} %.6g\n", value);
    return true;
}

static void put_machines(const struct vt_price *bills, size_t count, size_t series, FILE *stream)
{
    bool headed = false;
    for (size_t i = 0; i < count; i++)
        headed = put(&bills[i], NULL, machines[series].name, machines[series].help,
                     machines[series].value(&bills[i]), headed, stream);
}

static void put_reasons(const struct vt_price *bills, size_t count, size_t series, FILE *stream)
{
    bool headed = false;
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < bills[i].line_count; k++)
            headed = put(&bills[i], &bills[i].lines[k], reasons[series].name, reasons[series].help,
                         reasons[series].value(&bills[i], &bills[i].lines[k]), headed, stream);
}

void vt_price_print_metrics(const struct vt_price *bills, size_t count, FILE *stream)
{
    for (size_t i = 0; i < sizeof machines / sizeof machines[0]; i++)
        put_machines(bills, count, i, stream);
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
        put_reasons(bills, count, i, stream);
    fputs("# EOF\n", stream);
}
