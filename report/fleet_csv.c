#include "report/fleet_format.h"

#include <string.h>

static void put_field(const char *text, FILE *stream)
{
    bool quoted = text && strpbrk(text, ",\"\r\n");
    for (fputs(quoted ? "\"" : "", stream); text && *text; text++) {
        if (*text == '"')
            putc('"', stream);
        putc(*text, stream);
    }
    fputs(quoted ? "\"," : ",", stream);
}

void vt_fleet_print_csv(const struct vt_fleet *fleet, FILE *stream)
{
    fputs("group,case,class,engine,path,unit,cpl,simulated,hosts,median,p25,p75,min,max\r\n", stream);
    for (size_t i = 0; i < fleet->cell_count; i++) {
        const struct vt_fleet_cell *c = &fleet->cells[i];
        const char *const texts[] = {c->group, c->name, c->class, c->engine, c->path, c->unit};
        for (size_t k = 0; k < sizeof texts / sizeof texts[0]; k++)
            put_field(texts[k], stream);
        if (c->cpl >= 0)
            fprintf(stream, "%d", c->cpl);
        fprintf(stream, ",%s,%zu,%.6g,%.6g,%.6g,%.6g,%.6g\r\n", c->simulated ? "true" : "false", c->count,
                c->median, c->p25, c->p75, c->low, c->high);
    }
}
