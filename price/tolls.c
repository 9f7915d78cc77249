#include "price/tolls.h"
#include "base/statistics.h"
#include "base/text.h"
#include "result/load/load.h"

#include <errno.h>
#include <math.h>
#include <string.h>

static double evidence(const struct vt_result_row *row, const char *name)
{
    for (size_t i = 0; i < row->evidence_count; i++)
        if (strcmp(row->evidence[i].name, name) == 0)
            return row->evidence[i].per_operation;
    return NAN;
}

/* Ticks of the host end a few batches with an exit more. */
static bool is_about(double value, double wanted)
{
    return fabs(value - wanted) < 0.05;
}

static bool proves(const struct vt_result_row *row, enum vt_price_proof proof)
{
    double exits = evidence(row, "exits"), user = evidence(row, "user_exits");
    switch (proof) {
    case VT_PROOF_USER_EXIT:
        return is_about(exits, 1) && is_about(user, 1);
    case VT_PROOF_KERNEL_EXIT:
        return is_about(exits, 1) && is_about(user, 0) && is_about(evidence(row, "halt_exits"), 0) &&
               is_about(evidence(row, "pf_taken"), 0);
    case VT_PROOF_INTERPRETED:
        return is_about(exits, 0) && is_about(evidence(row, "insn_emulation"), 1);
    default:
        return false;
    }
}

static bool lists(const char *cases, const char *name)
{
    size_t length = strlen(name);
    for (const char *at = cases; at && (at = strstr(at, name)); at++)
        if ((at == cases || at[-1] == ',') && (at[length] == ',' || at[length] == '\0'))
            return true;
    return cases == NULL;
}

static bool counts(const struct vt_result_row *row, const char *engine)
{
    return row->status == VT_STATUS_OK && row->unit == VT_UNIT_NS && !row->simulated && row->name &&
           row->engine && strcmp(row->engine, engine) == 0 && row->toll.median > 0;
}

/* What nineteen of twenty pairs were above. Of a result that does not tell, the lower end of the median's
 * interval. */
static double least(const struct vt_summary *toll)
{
    if (toll->p05 > 0)
        return toll->p05;
    return toll->ci_low > 0 ? toll->ci_low : toll->median;
}

/* More rows of one proof than any catalogue has are not looked at. */
enum { MOST_ROWS = 512 };

struct vt_price_toll vt_price_toll_find(const struct vt_result *tolls, const char *cases,
                                        enum vt_price_proof proof)
{
    struct vt_price_toll found = {NULL, -1, NAN, NAN};
    double medians[MOST_ROWS];
    size_t count = 0;
    for (size_t i = 0; tolls && i < tolls->count && count < MOST_ROWS; i++) {
        const struct vt_result_row *row = &tolls->rows[i];
        if (!counts(row, "kvm") || !lists(cases, row->name) || !proves(row, proof))
            continue;
        medians[count++] = row->toll.median;
        if (!found.name || least(&row->toll) < found.ns)
            found = (struct vt_price_toll){row->name, row->cpl, least(&row->toll), NAN};
    }
    if (count > 0)
        found.middle = vt_statistics_median(medians, count);
    return found;
}

struct vt_price_toll vt_price_toll_find_form(const struct vt_result *tolls, const char *name)
{
    for (size_t i = 0; tolls && i < tolls->count; i++) {
        const struct vt_result_row *row = &tolls->rows[i];
        if (counts(row, "hypercall") && strcmp(row->name, name) == 0 && is_about(evidence(row, "exits"), 0))
            return (struct vt_price_toll){row->name, row->cpl, least(&row->toll), row->toll.median};
    }
    return (struct vt_price_toll){NULL, -1, NAN, NAN};
}

/* What must be alike, and what it is called. */
static const struct {
    const char *section, *key, *word;
} alike[] = {
    {"system", "kernel", "kernel"},        {"system", "microcode", "microcode"},
    {"cpu", "brand", "processor"},         {"cpu", "family", "processor's family"},
    {"cpu", "model", "processor's model"}, {"cpu", "stepping", "processor's stepping"},
    {"kvm", "backend", "KVM backend"},     {"mitigations", NULL, "mitigations"},
};

static const json_t *fact(const json_t *host, size_t i)
{
    const json_t *section = json_object_get(host, alike[i].section);
    return alike[i].key ? json_object_get(section, alike[i].key) : section;
}

static void name_value(const json_t *value, char *text, size_t size)
{
    const char *string = json_string_value(value);
    if (string)
        snprintf(text, size, "%.80s", string);
    else if (json_is_number(value))
        snprintf(text, size, "%.0f", json_number_value(value));
    else
        snprintf(text, size, json_is_object(value) ? "others" : "unknown");
}

static bool is_same(const json_t *a, const json_t *b)
{
    if (json_is_number(a) && json_is_number(b))
        return json_number_value(a) == json_number_value(b);
    return json_equal((json_t *)(uintptr_t)a, (json_t *)(uintptr_t)b) || (!a && json_is_null(b)) ||
           (!b && json_is_null(a)) || (!a && !b);
}

/* The first weakness that is held at bay otherwise. */
static void name_mitigation(const json_t *there, const json_t *here, char *text, size_t size)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)here, key, value)
    {
        if (!is_same(json_object_get(there, key), value)) {
            vt_text_append(text, size, " (%s)", key);
            return;
        }
    }
}

bool vt_price_tolls_fit(const struct vt_result *tolls, const json_t *host, char *why, size_t size)
{
    *why = '\0';
    for (size_t i = 0; i < sizeof alike / sizeof alike[0]; i++) {
        const json_t *there = fact(tolls->host, i), *here = fact(host, i);
        char values[2][96];
        if (is_same(there, here))
            continue;
        if (json_is_object(there) && json_is_object(here)) {
            snprintf(why, size, "its %s are others", alike[i].word);
            name_mitigation(there, here, why, size);
        } else {
            name_value(there, values[0], sizeof values[0]);
            name_value(here, values[1], sizeof values[1]);
            snprintf(why, size, "its %s: %s; here: %s", alike[i].word, values[0], values[1]);
        }
        return false;
    }
    return true;
}

int vt_price_tolls_check(const struct vt_result *tolls, const json_t *host, struct vt_error *error)
{
    char why[256];
    if (vt_price_tolls_fit(tolls, host, why, sizeof why))
        return 0;
    return vt_error_set(
        error, VT_EXIT_USAGE, EINVAL,
        "the tolls of %s were not measured on this machine as it is: %s: measure them again with vmtoll "
        "bench --output FILE (--force takes them all the same, and says so)",
        tolls->file ? tolls->file : "this result", why);
}

static int keep(struct vt_result *result, void *context)
{
    *(struct vt_result **)context = result;
    return 1;
}

int vt_price_tolls_load(const char *path, struct vt_result **tolls, struct vt_error *error)
{
    int status = vt_result_load(path, &(struct vt_load_options){0}, keep, tolls, error);
    return status == 1 ? 0 : status;
}
