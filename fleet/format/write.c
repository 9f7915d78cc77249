#include "fleet/format/format.h"
#include "fleet/format/told.h"
#include "fleet/format/words.h"
#include "show/quantity.h"

enum { COLUMNS = 7 };

static const struct vt_pen_column columns[COLUMNS] = {
    {"case", 22, false, NULL},         {"median", 10, true, NULL}, {"middle half", 22, true, NULL},
    {"least to most", 22, true, NULL}, {"hosts", 6, true, NULL},   {"crossing", 18, false, NULL},
    {"group", 0, false, NULL},
};

static void put_span(double low, double high, const struct vt_fleet_cell *cell, const char *micro, char *text,
                     size_t size)
{
    char from[32], to[32];
    vt_quantity_print(low, cell->unit, micro, from, sizeof from);
    vt_quantity_print(high, cell->unit, micro, to, sizeof to);
    snprintf(text, size, "%s to %s", from, to);
}

static void put_line(struct vt_pen *pen, const struct vt_fleet_cell *cell)
{
    const char *micro = pen->marks->micro;
    char median[32], half[80], all[80], hosts[24], crossing[96];
    vt_quantity_print(cell->median, cell->unit, micro, median, sizeof median);
    put_span(cell->p25, cell->p75, cell, micro, half, sizeof half);
    put_span(cell->low, cell->high, cell, micro, all, sizeof all);
    snprintf(hosts, sizeof hosts, "%zu", cell->count);
    vt_fleet_name_crossing(cell, crossing, sizeof crossing);
    vt_pen_row(pen, (const struct vt_pen_cell[COLUMNS]){{.text = cell->name},
                                                        {.text = median},
                                                        {.text = half},
                                                        {.text = all},
                                                        {.text = hosts},
                                                        {.text = crossing},
                                                        {.text = cell->group}});
}

static void put_tables(struct vt_pen *pen, const struct vt_fleet *fleet)
{
    char road[160];
    for (size_t i = 0; i < fleet->cell_count; i++) {
        if (vt_fleet_starts_road(fleet, i)) {
            if (i)
                vt_pen_end_table(pen);
            vt_fleet_name_road(&fleet->cells[i], road, sizeof road);
            vt_pen_heading(pen, "%s", road);
            vt_pen_table(pen, road, columns, fleet->group_count > 1 ? COLUMNS : COLUMNS - 1);
        }
        put_line(pen, &fleet->cells[i]);
    }
    if (fleet->cell_count)
        vt_pen_end_table(pen);
}

void vt_fleet_write(const struct vt_fleet *fleet, const struct vt_pen_marks *marks, FILE *stream)
{
    struct vt_pen pen = vt_pen_on(stream, marks, NULL);
    char headline[320];
    vt_fleet_headline(fleet, headline, sizeof headline);
    vt_pen_begin(&pen);
    vt_pen_tone(&pen, VT_TONE_STRONG, "%s%s", headline, vt_fleet_outliers(fleet) ? ":" : ".");
    vt_pen_end(&pen);
    vt_fleet_tell(fleet, &pen);
    put_tables(&pen, fleet);
}
