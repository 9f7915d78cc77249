#include "report/format.h"
#include "result/save.h"

#include <errno.h>

/* One result is a document as it was; several are JSON Lines, one document per line. */
int vt_report_json(const struct vt_report *report, FILE *stream, struct vt_error *error)
{
    const struct vt_table *table = report->table;
    for (size_t i = 0; i < table->result_count; i++)
        if (vt_result_print(table->results[i], table->result_count > 1, stream) == -ENOMEM)
            return vt_error_memory(error, "the report");
    return 0;
}
