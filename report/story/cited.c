#include "report/story/cited.h"
#include "report/published.h"

#include <string.h>

/* Where a figure stands: a key of the first row of a source with that operation, on that processor. */
static const struct cited {
    const char *name, *source, *operation, *cpu, *key; /* cpu NULL: of the source's own */
} cited[] = {
    {"cited_port_translated", "adams-agesen-2006", "in port 0x80", NULL, "translated"},
    {"cited_port_hardware", "adams-agesen-2006", "in port 0x80", NULL, "hardware"},
    {"cited_pte_translated", "adams-agesen-2006", "pte modification", NULL, "translated"},
    {"cited_pte_hardware", "adams-agesen-2006", "pte modification", NULL, "hardware"},
    {"cited_syscall_native", "adams-agesen-2006", "syscall", NULL, "native"},
    {"cited_syscall_translated", "adams-agesen-2006", "syscall", NULL, "translated"},
    {"cited_syscall_hardware", "adams-agesen-2006", "syscall", NULL, "hardware"},
    {"cited_call_native", "adams-agesen-2006", "call/ret", NULL, "native"},
    {"cited_call_translated", "adams-agesen-2006", "call/ret", NULL, "translated"},
    {"cited_call_hardware", "adams-agesen-2006", "call/ret", NULL, "hardware"},
    {"cited_exit_2005", "agesen-2012", "exit round trip", "Prescott (2005)", "hardware"},
    {"cited_exit_2011", "agesen-2012", "exit round trip", "Sandy Bridge (2011)", "hardware"},
    {"cited_cpuid_exit", "pvm-2023", "cpuid", NULL, "hardware"},
    {"cited_msr_exit", "pvm-2023", "msr access", NULL, "hardware"},
    {"cited_msr_trap", "pvm-2023", "msr access", NULL, "paravirtual_pvm"},
    {"cited_out_exit", "pvm-2023", "port i/o to user space", NULL, "hardware"},
    {"cited_ask_exit", "pvm-2023", "hypercall", NULL, "hardware"},
    {"cited_ask_call", "pvm-2023", "hypercall", NULL, "paravirtual_pvm"},
};
enum { CITED = sizeof cited / sizeof cited[0] };

static size_t cited_by(const char *name)
{
    size_t i = 0;
    while (i < CITED && strcmp(cited[i].name, name) != 0)
        i++;
    return i;
}

bool vt_cited_exists(const char *name)
{
    return cited_by(name) < CITED;
}

static bool is_text(const json_t *object, const char *key, const char *wanted)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text && strcmp(text, wanted) == 0;
}

static const json_t *find_number(const json_t *source, const struct cited *c)
{
    const json_t *row;
    size_t i;
    json_array_foreach(json_object_get(source, "rows"), i, row)
    {
        if (is_text(row, "operation", c->operation) && (!c->cpu || is_text(row, "cpu", c->cpu)))
            return json_object_get(row, c->key);
    }
    return NULL;
}

bool vt_cited_find(const char *name, struct vt_figure *figure)
{
    size_t i = cited_by(name);
    if (i == CITED)
        return false;
    json_t *document = vt_published_document();
    const json_t *source = vt_published_source(document, cited[i].source),
                 *number = find_number(source, &cited[i]);
    bool found = json_is_number(number), time = is_text(source, "unit", "us");
    if (found)
        *figure = (struct vt_figure){.value = json_number_value(number) * (time ? 1000 : 1),
                                     .unit = time ? VT_UNIT_NS : VT_UNITS,
                                     .cited = true};
    json_decref(document);
    return found;
}
