#include "show/escape.h"
#include "fleet/format/format.h"

void vt_fleet_print_csv(const struct vt_fleet *fleet, FILE *stream)
{
    fputs("group,case,class,engine,path,unit,cpl,simulated,hosts,median,p25,p75,min,max,crossing,status,"
          "vcpus\r\n",
          stream);
    for (size_t i = 0; i < fleet->cell_count; i++) {
        const struct vt_fleet_cell *c = &fleet->cells[i];
        const char *const texts[] = {c->group, c->name, c->class, c->engine, c->path, vt_unit_name(c->unit)};
        for (size_t k = 0; k < sizeof texts / sizeof texts[0]; k++) {
            vt_escape_csv(texts[k], stream);
            putc(',', stream);
        }
        if (c->cpl >= 0)
            fprintf(stream, "%d", c->cpl);
        fprintf(stream, ",%s,%zu,%.6g,%.6g,%.6g,%.6g,%.6g,", c->simulated ? "true" : "false", c->count,
                c->median, c->p25, c->p75, c->low, c->high);
        vt_escape_csv(c->crossing, stream);
        fprintf(stream, ",%s,%d\r\n", vt_status_name(c->status), c->vcpus);
    }
}
