/* What is said of many machines: which pays most, and which could not be read. */
#include "price/format/format.h"

#include <math.h>

enum { COLUMNS = 6 };

static const struct vt_pen_column columns[COLUMNS] = {
    {"machine", 20, false, NULL}, {"at least", 8, true, NULL}, {"about", 8, true, NULL},
    {"at most", 8, true, NULL},   {"a second", 9, true, NULL}, {"most of it", 0, false, NULL},
};

static void put_machine(struct vt_pen *pen, const struct vt_price *price)
{
    char low[32], middle[32], high[32], rate[32] = "-";
    const struct vt_price_line *dearest = vt_price_dearest(price);
    vt_price_name_share(price->low, low, sizeof low);
    vt_price_name_share(price->middle, middle, sizeof middle);
    vt_price_name_share(price->high, high, sizeof high);
    if (!isnan(vt_price_rate(price)))
        snprintf(rate, sizeof rate, "%.0f", vt_price_rate(price));
    vt_pen_row(pen,
               (const struct vt_pen_cell[COLUMNS]){{.text = price->watch->machine},
                                                   {.text = low},
                                                   {.text = middle},
                                                   {.text = high},
                                                   {.text = rate},
                                                   {.text = dearest ? dearest->rule->title : "",
                                                    .note = price->watch->nested ? "runs guests" : NULL}});
}

static void put_unread(struct vt_pen *pen, const struct vt_price_bills *all)
{
    if (all->unread_count == 0)
        return;
    vt_pen_heading(pen, "Not read");
    for (size_t i = 0; i < all->unread_count; i++) {
        vt_pen_item(pen, 1);
        vt_pen_say(pen, "%s: %s", all->unread[i].machine, all->unread[i].why);
    }
    vt_pen_end(pen);
}

void vt_price_write_all(const struct vt_price_bills *all, struct vt_pen *pen)
{
    vt_pen_begin(pen);
    vt_pen_tone(pen, VT_TONE_STRONG, "%zu machine%s; shares of their vCPUs' run time that is crossing.",
                all->count, all->count == 1 ? "" : "s");
    vt_pen_end(pen);
    vt_pen_table(pen, "Machines", columns, COLUMNS);
    for (size_t i = 0; i < all->count; i++)
        put_machine(pen, &all->list[i]);
    vt_pen_end_table(pen);
    put_unread(pen, all);
}

void vt_price_print_all_json(const struct vt_price_bills *all, FILE *stream)
{
    json_t *machines = json_array(), *unread = json_array();
    for (size_t i = 0; i < all->count; i++)
        json_array_append_new(machines, vt_price_document(&all->list[i]));
    for (size_t i = 0; i < all->unread_count; i++)
        json_array_append_new(
            unread, json_pack("{s:s, s:s}", "machine", all->unread[i].machine, "why", all->unread[i].why));
    json_t *document =
        json_pack("{s:s, s:o, s:o}", "schema", "vmtoll.prices/1", "machines", machines, "unread", unread);
    json_dumpf(document, stream, JSON_INDENT(1) | JSON_REAL_PRECISION(15));
    putc('\n', stream);
    json_decref(document);
}
