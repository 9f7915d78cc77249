#include "price/advice.h"
#include "price/format/format.h"
#include "result/save.h"

#include <math.h>

static json_t *text_or_null(const char *text)
{
    return text && *text ? json_string(text) : json_null();
}

static json_t *toll_json(const struct vt_price_toll *toll)
{
    if (!toll->name)
        return json_null();
    return json_pack("{s:s, s:i, s:o}", "case", toll->name, "cpl", toll->cpl, "ns",
                     vt_result_number(toll->ns));
}

static json_t *line_json(const struct vt_price *price, const struct vt_price_line *line)
{
    json_t *object = json_object();
    json_object_set_new(object, "reason", json_string(line->rule->reason));
    json_object_set_new(object, "title", json_string(line->rule->title));
    json_object_set_new(object, "count", vt_result_number(line->count));
    json_object_set_new(object, "per_second", vt_result_number(line->count / price->watch->seconds));
    json_object_set_new(object, "toll", toll_json(&line->toll));
    json_object_set_new(object, "at_least_ns", vt_result_number(line->ns));
    json_object_set_new(object, "at_least_share", vt_result_number(line->share));
    json_object_set_new(object, "estimate_ns", vt_result_number(line->middle_ns));
    json_object_set_new(object, "note", text_or_null(line->rule->note));
    return object;
}

static json_t *lines_json(const struct vt_price *price)
{
    json_t *array = json_array();
    for (size_t i = 0; i < price->line_count; i++)
        json_array_append_new(array, line_json(price, &price->lines[i]));
    return array;
}

static json_t *counters_json(const struct vt_price *price)
{
    json_t *object = json_object();
    for (size_t i = 0; i < price->unpriced_total; i++)
        json_object_set_new(object, price->unpriced[i], vt_result_number(price->unpriced_count[i]));
    return object;
}

static json_t *advice_json(const struct vt_price *price)
{
    json_t *array = json_array();
    for (size_t i = 0; i < price->advice_count; i++) {
        const struct vt_price_given *given = &price->advice[i];
        bool measured = !isnan(given->saves) || given->advice->figures;
        json_array_append_new(
            array, json_pack("{s:s, s:o, s:s, s:o, s:o, s:s, s:s}", "name", given->advice->name, "reason",
                             text_or_null(given->reason), "change", given->advice->change, "saves_share",
                             vt_result_number(given->saves), "figures", text_or_null(given->advice->figures),
                             "basis", measured ? "measured" : "manual", "source", given->advice->source));
    }
    return array;
}

static json_t *notes_json(const struct vt_price *price)
{
    json_t *array = json_array();
    for (size_t i = 0; i < price->note_count; i++)
        json_array_append_new(array, json_string(price->notes[i]));
    return array;
}

static json_t *times_json(const struct vt_price *price)
{
    const struct vt_price_times *times = &price->watch->times;
    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "run_ns", vt_result_number(times->run), "guest_ns",
                     vt_result_number(times->guest), "waited_for_cpu_ns", vt_result_number(times->wait),
                     "halt_polling_ns", vt_result_number(price->polling_ns), "halted_ns",
                     vt_result_number(price->waiting_ns));
}

static json_t *source_json(const struct vt_price_watch *watch)
{
    return json_pack("{s:s, s:s, s:s, s:o, s:o}", "name", watch->source->name, "needs", watch->source->needs,
                     "costs", watch->source->costs, "reading_ns", vt_result_number(watch->reading_ns),
                     "tried_before", text_or_null(watch->untried));
}

static json_t *reasons_json(const struct vt_price *price)
{
    if (price->watch->events == 0)
        return json_null();
    return json_pack("{s:i, s:o, s:o}", "events", __builtin_popcount(price->watch->events), "ns_per_exit",
                     vt_result_number(price->watch->event_ns), "share", vt_result_number(price->observing));
}

static json_t *tolls_json(const struct vt_price *price)
{
    if (!price->tolls)
        return json_null();
    return json_pack("{s:o, s:o, s:b, s:o}", "file", text_or_null(price->tolls->file), "started",
                     text_or_null(price->tolls->started), "forced", *price->forced != '\0', "differs",
                     text_or_null(price->forced));
}

/* Of intervals, from the first. */
static json_t *intervals_json(const struct vt_price *price)
{
    json_t *array = json_array();
    for (size_t i = 0; i < price->part_count; i++) {
        const struct vt_price *part = &price->parts[i];
        json_t *rates = json_object();
        for (size_t k = 0; k < part->line_count; k++)
            json_object_set_new(rates, part->lines[k].rule->reason,
                                vt_result_number(part->lines[k].count / part->watch->seconds));
        json_array_append_new(array, json_pack("{s:o, s:o, s:o, s:o, s:o}", "seconds",
                                               vt_result_number(part->watch->seconds), "at_least_share",
                                               vt_result_number(part->low), "estimate_share",
                                               vt_result_number(part->middle), "at_most_share",
                                               vt_result_number(part->high), "per_second", rates));
    }
    return array;
}

json_t *vt_price_document(const struct vt_price *price)
{
    const struct vt_price_watch *watch = price->watch;
    json_t *document = json_object();
    json_object_set_new(document, "schema", json_string("vmtoll.price/1"));
    json_object_set_new(document, "machine", text_or_null(watch->machine));
    json_object_set_new(document, "seconds", vt_result_number(watch->seconds));
    json_object_set_new(document, "vcpus",
                        watch->vcpus ? json_integer((json_int_t)watch->vcpus) : json_null());
    json_object_set_new(document, "nested", json_boolean(watch->nested));
    json_object_set_new(document, "source", source_json(watch));
    json_object_set_new(document, "reasons", reasons_json(price));
    json_object_set_new(document, "tolls", tolls_json(price));
    json_object_set_new(document, "at_least_share", vt_result_number(price->low));
    json_object_set_new(document, "at_least_ns", vt_result_number(price->low_ns));
    json_object_set_new(document, "estimate_share", vt_result_number(price->middle));
    json_object_set_new(document, "estimate_ns", vt_result_number(price->middle_ns));
    json_object_set_new(document, "at_most_share", vt_result_number(price->high));
    json_object_set_new(document, "times", times_json(price));
    json_object_set_new(document, "crossings", lines_json(price));
    json_object_set_new(document, "intervals", intervals_json(price));
    json_object_set_new(document, "unpriced", counters_json(price));
    json_object_set_new(document, "advice", advice_json(price));
    json_object_set_new(document, "notes", notes_json(price));
    return document;
}

void vt_price_print_json(const struct vt_price *price, FILE *stream)
{
    json_t *document = vt_price_document(price);
    json_dumpf(document, stream, JSON_INDENT(1) | JSON_REAL_PRECISION(15));
    putc('\n', stream);
    json_decref(document);
}
