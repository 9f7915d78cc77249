/* What is said of a bill, once, for text, markdown and html. */
#include "price/advice.h"
#include "price/format/format.h"
#include "show/quantity.h"

#include <math.h>

enum { COLUMNS = 5 };

static const struct vt_pen_column columns[COLUMNS] = {
    {"crossing", 32, false, NULL}, {"a second", 9, true, NULL},   {"each", 8, true, NULL},
    {"share", 8, true, NULL},      {"priced by", 0, false, NULL},
};

static void name_toll(const struct vt_price_line *line, char *text, size_t size)
{
    snprintf(text, size, "%s", line->count > 0 ? "no price" : "");
    if (line->toll.name)
        snprintf(text, size, line->toll.cpl == 0 ? "%s" : "%s, CPL %d", line->toll.name, line->toll.cpl);
}

static void put_line(struct vt_pen *pen, const struct vt_price *price, const struct vt_price_line *line)
{
    char rate[32] = "-", each[48] = "-", share[32], by[128];
    if (!isnan(line->count))
        snprintf(rate, sizeof rate, "%.0f", line->count / price->watch->seconds);
    if (line->toll.name)
        vt_quantity_print(line->toll.ns, VT_UNIT_NS, pen->marks->micro, each, sizeof each);
    vt_price_name_share(line->share, share, sizeof share);
    name_toll(line, by, sizeof by);
    vt_pen_row(
        pen, (const struct vt_pen_cell[COLUMNS]){
                 {.text = line->rule->title}, {.text = rate}, {.text = each}, {.text = share}, {.text = by}});
}

static void put_lines(struct vt_pen *pen, const struct vt_price *price)
{
    vt_pen_table(pen, "Crossings", columns, price->tolls ? COLUMNS : 2);
    for (size_t i = 0; i < price->line_count; i++)
        put_line(pen, price, &price->lines[i]);
    vt_pen_end_table(pen);
}

enum { TIMES = 4 };

static const struct vt_pen_column time_columns[TIMES] = {{"time", 14, false, NULL},
                                                         {"share", 9, true, NULL},
                                                         {"of", 13, false, NULL},
                                                         {"what it is", 0, false, NULL}};

static void put_share(struct vt_pen *pen, const char *time, double share, const char *of, const char *meaning)
{
    char text[32];
    vt_price_name_share(share, text, sizeof text);
    vt_pen_row(pen, (const struct vt_pen_cell[TIMES]){
                        {.text = time}, {.text = text}, {.text = of}, {.text = meaning}});
}

/* What is no crossing, and in neither bound. */
static void put_time(struct vt_pen *pen, const struct vt_price *price)
{
    const struct vt_price_times *times = &price->watch->times;
    double span = price->watch->vcpus ? price->watch->seconds * 1e9 * (double)price->watch->vcpus : NAN;
    vt_pen_heading(pen, "Beside crossing");
    vt_pen_table(pen, "Where the time went", time_columns, TIMES);
    put_share(pen, "running", times->run / span, "all its time", "on a CPU, in the guest or not");
    put_share(pen, "polling", price->polling, "run time", "halted, but keeping its CPU");
    put_share(pen, "halted", price->waiting_ns / span, "all its time", "asleep");
    put_share(pen, "without a CPU", times->wait / span, "all its time", "another had it: steal time");
    vt_pen_end_table(pen);
}

enum { INTERVALS = 6, SHOWN = 3 };

static const struct vt_pen_column interval_columns[INTERVALS] = {
    {"interval", 10, false, NULL}, {"seconds", 8, true, NULL}, {"a second", 9, true, NULL},
    {"at least", 9, true, NULL},   {"about", 9, true, NULL},   {"at most", 9, true, NULL}};

static void put_interval(struct vt_pen *pen, const char *name, const struct vt_price *part)
{
    char seconds[32], rate[32], low[32], middle[32], high[32];
    snprintf(seconds, sizeof seconds, "%.2f", part->watch->seconds);
    snprintf(rate, sizeof rate, "%.0f", vt_price_rate(part));
    vt_price_name_share(part->low, low, sizeof low);
    vt_price_name_share(part->middle, middle, sizeof middle);
    vt_price_name_share(part->high, high, sizeof high);
    vt_pen_row(pen, (const struct vt_pen_cell[INTERVALS]){{.text = name},
                                                          {.text = seconds},
                                                          {.text = rate},
                                                          {.text = low},
                                                          {.text = middle},
                                                          {.text = high}});
}

/* The one with `rank` calmer than it. */
static const struct vt_price *interval_of(const struct vt_price *price, size_t rank)
{
    for (size_t i = 0; i < price->part_count; i++) {
        size_t calmer = 0;
        double rate = vt_price_rate(&price->parts[i]);
        for (size_t k = 0; k < price->part_count; k++) {
            double other = vt_price_rate(&price->parts[k]);
            calmer += other < rate || (other == rate && k < i);
        }
        if (calmer == rank)
            return &price->parts[i];
    }
    return &price->parts[0];
}

static void put_intervals(struct vt_pen *pen, const struct vt_price *price)
{
    static const char *const names[SHOWN] = {"calmest", "middle", "busiest"};
    const size_t ranks[SHOWN] = {0, price->part_count / 2, price->part_count - 1};
    if (price->part_count < 2)
        return;
    vt_pen_heading(pen, "From interval to interval");
    vt_pen_table(pen, "Intervals", interval_columns, INTERVALS);
    for (size_t i = 0; i < SHOWN; i++)
        put_interval(pen, names[i], interval_of(price, ranks[i]));
    vt_pen_end_table(pen);
}

static void put_notes(struct vt_pen *pen, const struct vt_price *price)
{
    for (size_t i = 0; i < price->note_count; i++)
        vt_pen_warning(pen, "%s", price->notes[i]);
}

static const char *name_goal(const struct vt_price_advice *advice)
{
    return advice->form ? "in memory" : advice->to ? advice->to : "none";
}

static void put_advice(struct vt_pen *pen, const struct vt_price *price)
{
    if (price->advice_count == 0)
        return;
    vt_pen_heading(pen, "What would help");
    for (size_t i = 0; i < price->advice_count; i++) {
        const struct vt_price_given *given = &price->advice[i];
        char saves[32];
        vt_price_name_share(given->saves, saves, sizeof saves);
        vt_pen_item(pen, 1);
        vt_pen_say(pen, "%s", given->advice->change);
        if (!isnan(given->saves))
            vt_pen_say(pen, "; saves up to %s of run time by the tolls measured (%s -> %s)", saves,
                       given->advice->from, name_goal(given->advice));
        if (given->advice->figures)
            vt_pen_say(pen, "; in the lab, instructions on AMD-V and VT-x: %s", given->advice->figures);
        vt_pen_say(pen,
                   isnan(given->saves) && !given->advice->figures ? " (from the manual: %s)"
                                                                  : " (measured; %s)",
                   given->advice->source);
    }
    vt_pen_end(pen);
}

static void put_unpriced(struct vt_pen *pen, const struct vt_price *price)
{
    static const struct vt_pen_column heads[] = {{"counter", 34, false, NULL}, {"a second", 10, true, NULL}};
    char rate[32];
    if (price->unpriced_total == 0)
        return;
    vt_pen_heading(pen, "Other counters that rose");
    vt_pen_table(pen, "Counters without a price", heads, 2);
    for (size_t i = 0; i < price->unpriced_total; i++) {
        snprintf(rate, sizeof rate, "%.0f", price->unpriced_count[i] / price->watch->seconds);
        vt_pen_row(pen, (const struct vt_pen_cell[]){{.text = price->unpriced[i]}, {.text = rate}});
    }
    vt_pen_end_table(pen);
}

/* What telling exits apart did to the machine. */
static void put_events(struct vt_pen *pen, const struct vt_price *price)
{
    const struct vt_price_watch *watch = price->watch;
    char each[48], share[32];
    if (watch->events == 0)
        return;
    vt_quantity_print(watch->event_ns, VT_UNIT_NS, pen->marks->micro, each, sizeof each);
    vt_price_name_share(price->observing, share, sizeof share);
    vt_pen_fact(pen, "reasons");
    if (isnan(watch->event_ns))
        vt_pen_say(pen, "%d tracepoints that count on each vCPU; what they cost the guest is not known",
                   __builtin_popcount(watch->events));
    else
        vt_pen_say(pen,
                   "%d tracepoints that count on each vCPU, for reasons that occurred at first; they made "
                   "each exit %s dearer (measured here), "
                   "%s of run "
                   "time, which is in the upper bound",
                   __builtin_popcount(watch->events), each, share);
}

static void put_method(struct vt_pen *pen, const struct vt_price *price)
{
    const struct vt_price_watch *watch = price->watch;
    char took[48];
    vt_quantity_print(watch->reading_ns, VT_UNIT_NS, pen->marks->micro, took, sizeof took);
    vt_pen_heading(pen, "How it was found");
    vt_pen_fact(pen, "watched");
    vt_pen_say(pen, "%.1f s, %zu vCPU%s", watch->seconds, watch->vcpus, watch->vcpus == 1 ? "" : "s");
    vt_pen_fact(pen, "source");
    vt_pen_say(pen, "%s; a reading took %s; its cost to the guest: %s", watch->source->name, took,
               watch->source->costs);
    put_events(pen, price);
    vt_pen_fact(pen, "at least");
    vt_pen_say(pen, "%s",
               price->tolls
                   ? "KVM's counters times the least toll measured of such a crossing"
                   : "unknown without tolls (vmtoll bench --engine kvm --output FILE measures them)");
    if (price->tolls) {
        vt_pen_fact(pen, "about");
        vt_pen_say(pen,
                   "the same with the middle of all tolls of such a crossing, which may be anything between");
    }
    vt_pen_fact(pen, "at most");
    vt_pen_say(pen,
               "run time of the vCPU threads less guest time and halt polling; more by the error of sampled "
               "time, and by what at least is crossing, which the kernel may have taken for guest time");
    vt_pen_end(pen);
}

void vt_price_write(const struct vt_price *price, struct vt_pen *pen)
{
    char headline[320];
    vt_price_headline(price, headline, sizeof headline);
    vt_pen_begin(pen);
    vt_pen_tone(pen, VT_TONE_STRONG, "%s.", headline);
    vt_pen_end(pen);
    put_notes(pen, price);
    put_lines(pen, price);
    put_time(pen, price);
    put_intervals(pen, price);
    put_advice(pen, price);
    put_unpriced(pen, price);
    put_method(pen, price);
}
