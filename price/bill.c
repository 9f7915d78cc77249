#include "price/advice.h"
#include "price/price.h"
#include "price/reasons/rules.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static __attribute__((format(printf, 2, 3))) void note(struct vt_price *price, const char *format, ...)
{
    va_list arguments;
    if (price->note_count == VT_PRICE_NOTES)
        return;
    va_start(arguments, format);
    vsnprintf(price->notes[price->note_count++], sizeof price->notes[0], format, arguments);
    va_end(arguments);
}

static double share(const struct vt_price *price, double ns)
{
    return price->watch->times.run > 0 ? ns / price->watch->times.run : NAN;
}

static bool has_price(const struct vt_price_rule *rule, bool interprets)
{
    return rule->proof != VT_PROOF_NONE && !(rule->crossing && interprets);
}

/* Of an instruction of ring 0 that KVM interprets, nothing crosses. */
static enum vt_price_proof proof_of(const struct vt_price_rule *rule, bool interprets)
{
    return rule->ring0 && interprets ? VT_PROOF_INTERPRETED : rule->proof;
}

/* Events of another processor's are none that rules of this one lack. */
static bool has_counter(const struct vt_price *price, const struct vt_price_rule *rule)
{
    return price->watch->events == 0 || !isnan(vt_price_count_of(&price->watch->delta, rule->plus[0]));
}

static void put_line(struct vt_price *price, const struct vt_price_rule *rule, bool interprets)
{
    struct vt_price_line line = {.rule = rule,
                                 .count = vt_price_rule_count(rule, &price->watch->delta),
                                 .toll = {NULL, -1, NAN, NAN},
                                 .ns = NAN,
                                 .middle_ns = NAN};
    if ((rule->interpreting && !interprets) || !has_counter(price, rule))
        return;
    if (has_price(rule, interprets))
        line.toll = vt_price_toll_find(price->tolls, rule->cases, proof_of(rule, interprets));
    if (line.count == 0) {
        line.ns = line.middle_ns = 0;
    } else if (line.toll.name) {
        line.ns = line.count * line.toll.ns;
        line.middle_ns = line.count * line.toll.middle;
    }
    line.share = share(price, line.ns);
    price->lines[price->line_count++] = line;
}

static const struct vt_price_rule *rules_of(const struct vt_price *price, size_t *count)
{
    return price->watch->events ? vt_price_reason_rules(count) : vt_price_rules(count);
}

static void put_lines(struct vt_price *price)
{
    size_t count;
    const struct vt_price_rule *rules = rules_of(price, &count);
    bool interprets = vt_price_interprets(&price->watch->delta);
    for (size_t i = 0; i < count; i++)
        put_line(price, &rules[i], interprets);
    price->low_ns = price->middle_ns = price->tolls ? 0 : NAN;
    for (size_t i = 0; i < price->line_count; i++)
        if (!isnan(price->lines[i].ns)) {
            price->low_ns += price->lines[i].ns;
            price->middle_ns += price->lines[i].middle_ns;
        }
    price->low = share(price, price->low_ns);
    price->middle = share(price, price->middle_ns);
}

/*
 * Guest time is what ticks found, at least a hundred a second of run time: a sample, whose error is that of
 * Agresti and Coull (The American Statistician 52, 1998), which holds where all or nothing was found too; and
 * never less than the ticks at both ends.
 */
static double sampling_error(const struct vt_price_watch *watch)
{
    double tick = 1e9 / (double)sysconf(_SC_CLK_TCK), ticks = watch->times.run / tick;
    double found = fmin(1, watch->times.guest / watch->times.run), in = (ticks * found + 2) / (ticks + 4);
    double error = 2 * sqrt(ticks * in * (1 - in)) + fmax(0, ticks * (found - in));
    return tick * fmax((double)watch->vcpus, error);
}

/*
 * The kernel takes a vCPU for being in the guest until interrupts are on again after an exit (x86.c,
 * vcpu_enter_guest: guest_timing_exit_irqoff), so the switch itself counts as guest time, and what a guest
 * waits for caches that it finds cold does too. Neither is more than a least crossing takes, which holds
 * both.
 */
static double switching_ns(const struct vt_price *price)
{
    double sum = 0, each = vt_price_toll_find(price->tolls, NULL, VT_PROOF_KERNEL_EXIT).ns;
    for (size_t i = 0; i < price->line_count; i++) {
        const struct vt_price_line *line = &price->lines[i];
        if (!isnan(line->ns))
            sum += line->ns;
        else if (line->count > 0 && each > 0 && !line->rule->beside)
            sum += line->count * each;
    }
    return sum;
}

static void put_high(struct vt_price *price)
{
    const struct vt_price_times *times = &price->watch->times;
    double polling = isnan(price->polling_ns) ? 0 : price->polling_ns;
    price->high = NAN;
    if (!(times->run > 0))
        return;
    if (isnan(times->guest)) {
        note(price,
             "The source does not tell how long the vCPUs were in the guest, so there is no upper bound.");
        return;
    }
    double switching = times->guest > 0 ? switching_ns(price) : 0;
    double outside = times->run - times->guest + switching + sampling_error(price->watch) - polling;
    price->high = fmin(1, fmax(0, share(price, outside)));
    price->middle = price->middle > price->high ? price->high : price->middle;
    if (times->guest == 0)
        note(price,
             "The kernel accounts no time to this guest, so the upper bound is all the time its vCPUs ran.");
    else if (switching == 0)
        note(price, "The kernel counts the switch between guest and host as guest time: without tolls of "
                    "exits the upper "
                    "bound leaves that out.");
    if (price->low > price->high)
        note(price, "The tolls come to more than the time outside the guest: they were measured under other "
                    "conditions, on a busier machine say. Measure them again.");
}

/* 0 where its event is closed. */
static double counted(const struct vt_price_counts *delta, const char *name)
{
    double value = vt_price_count_of(delta, name);
    return isnan(value) ? 0 : value;
}

/* On hardware each exit passes the events; where KVM interprets, what it did itself. */
static void put_observing(struct vt_price *price)
{
    const struct vt_price_counts *delta = &price->watch->delta;
    double passed = counted(delta, "exit_all");
    if (vt_price_interprets(delta))
        passed =
            counted(delta, "exit_cpuid") + counted(delta, "exit_msr_read") + counted(delta, "exit_msr_write");
    price->observing = price->watch->events ? share(price, passed * price->watch->event_ns) : NAN;
}

static void put_times(struct vt_price *price)
{
    const struct vt_price_counts *delta = &price->watch->delta;
    price->polling_ns =
        vt_price_count_of(delta, "halt_poll_success_ns") + vt_price_count_of(delta, "halt_poll_fail_ns");
    price->waiting_ns = vt_price_count_of(delta, "halt_wait_ns");
    price->polling = share(price, price->polling_ns);
    price->waited = share(price, price->watch->times.wait);
    if (isnan(price->watch->times.run))
        note(price, "Which threads run the vCPUs is unknown (they are in another PID namespace, end, or "
                    "cannot be told "
                    "from others, as QEMU's without -name NAME,debug-threads=on), so shares of their time "
                    "are not known.");
    else if (price->watch->times.run == 0)
        note(price, "Its vCPUs did not run at all in this time.");
}

/* With reasons, what KVM's own counters tell of the same exits is no news. */
static bool is_known(const struct vt_price *price, const char *counter)
{
    size_t plain, reasons;
    const struct vt_price_rule *list = vt_price_rules(&plain), *more = vt_price_reason_rules(&reasons);
    return vt_price_rules_know(list, plain, counter) ||
           (price->watch->events && vt_price_rules_know(more, reasons, counter));
}

static void put_unpriced(struct vt_price *price)
{
    const struct vt_price_counts *delta = &price->watch->delta;
    for (size_t i = 0; i < delta->count; i++) {
        const struct vt_price_count *c = &delta->list[i];
        if (!(c->value > 0) || is_known(price, c->name))
            continue;
        if (price->unpriced_total == VT_PRICE_UNPRICED)
            break;
        price->unpriced[price->unpriced_total] = c->name;
        price->unpriced_count[price->unpriced_total++] = c->value;
    }
}

static int check_tolls(struct vt_price *price, const json_t *host, bool force, struct vt_error *error)
{
    if (!price->tolls || vt_price_tolls_fit(price->tolls, host, price->forced, sizeof price->forced))
        return 0;
    if (!force)
        return vt_price_tolls_check(price->tolls, host, error);
    note(price, "The tolls were not measured on this machine as it is, and were forced: %s.", price->forced);
    return 0;
}

static int check_nesting(struct vt_price *price, bool force, struct vt_error *error)
{
    if (!price->watch->nested)
        return 0;
    if (price->tolls && !force)
        return vt_error_set(
            error, VT_EXIT_NO, ENOTSUP,
            "%s runs guests of its own, whose exits cost a multiple of any toll measured here: leave "
            "out --tolls for counts and the upper bound (--force prices them all the same, and says so)",
            price->watch->machine);
    note(price,
         "This machine runs guests of its own: their exits cost a multiple of the tolls measured here%s.",
         price->tolls ? ", and were forced into these figures" : "");
    return 0;
}

/* It was counted and could have had a price, but the tolls have no row for it. */
static bool lacks_toll(const struct vt_price_line *line, bool interprets)
{
    return has_price(line->rule, interprets) && line->count > 0 && !line->toll.name;
}

static void note_gaps(struct vt_price *price)
{
    bool interprets = vt_price_interprets(&price->watch->delta), lacks = false;
    for (size_t i = 0; price->tolls && i < price->line_count; i++)
        lacks |= lacks_toll(&price->lines[i], interprets);
    if (lacks)
        note(price,
             "Lines without a price have no row in the tolls that proves such a crossing; the lower bound "
             "leaves them out.");
    if (interprets)
        note(price,
             "KVM interprets this guest's ring 0. Its other exits in the kernel lie between two interpreted "
             "instructions, cross nothing, and have no price of their own.");
}

int vt_price_make(struct vt_price *price, const struct vt_price_watch *watch, const struct vt_result *tolls,
                  const json_t *host, bool force, struct vt_error *error)
{
    *price = (struct vt_price){.watch = watch, .tolls = tolls};
    int status = check_tolls(price, host, force, error);
    if (status == 0)
        status = check_nesting(price, force, error);
    if (status != 0)
        return status;
    put_times(price);
    put_observing(price);
    put_lines(price);
    put_high(price);
    put_unpriced(price);
    note_gaps(price);
    vt_price_advise(price);
    return 0;
}
