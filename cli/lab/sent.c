#include "cli/lab/sent.h"

#include <errno.h>
#include <string.h>

/* Rows of one case: the engine's own and one for each paravirtual interface. */
#define MOST_ROWS (1 + VT_PV_INTERFACES)

static bool same(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool is_asked(const struct vt_plan *plan, const struct vt_result_row *row)
{
    for (size_t i = 0; i < plan->case_count; i++)
        if (same(plan->cases[i]->name, row->name))
            return true;
    return false;
}

static bool is_repeated(const struct vt_result *result, size_t index)
{
    const struct vt_result_row *row = &result->rows[index];
    for (size_t i = 0; i < index; i++) {
        const struct vt_result_row *other = &result->rows[i];
        if (other->cpl == row->cpl && same(other->name, row->name) && same(other->engine, row->engine) &&
            same(other->path, row->path) &&
            (!other->operation || !row->operation || same(other->operation, row->operation)))
            return true;
    }
    return false;
}

static bool has_row(const struct vt_result *result, const struct vt_case *c, int level)
{
    for (size_t i = 0; i < result->count; i++)
        if (result->rows[i].cpl == level && same(result->rows[i].name, c->name))
            return true;
    return false;
}

static const char *find_missing(const struct vt_result *result, const struct vt_plan *plan)
{
    for (size_t i = 0; i < plan->case_count; i++)
        for (int level = 0; level <= 3; level++)
            if (plan->levels >> level & 1 && !has_row(result, plan->cases[i], level))
                return plan->cases[i]->name;
    return NULL;
}

/* The machine that sent it is not trusted: each case that was asked for, and nothing twice. */
static int check_rows(const struct vt_lab *lab, const struct vt_result *result, const struct vt_plan *plan,
                      struct vt_error *error)
{
    const char *missing;

    if (result->count > plan->case_count * 2 * MOST_ROWS)
        return vt_error_set(error, VT_EXIT_ENVIRONMENT, EPROTO,
                            "lab %s: the machine sent %zu rows for %zu cases", lab->name, result->count,
                            plan->case_count);
    for (size_t i = 0; i < result->count; i++)
        if (!is_asked(plan, &result->rows[i]) || is_repeated(result, i))
            return vt_error_set(error, VT_EXIT_ENVIRONMENT, EPROTO,
                                "lab %s: the machine sent a row for %s that nobody asked for, or twice",
                                lab->name, result->rows[i].name ? result->rows[i].name : "no case");
    missing = find_missing(result, plan);
    return !missing ? 0
                    : vt_error_set(error, VT_EXIT_ENVIRONMENT, EPROTO,
                                   "lab %s: the machine says that it is done, without a row for %s",
                                   lab->name, missing);
}

/* A machine that measured in its own guest, and not in that of the machine it was to start, would be ten
 * times as fast. */
static int check_depth(const struct vt_lab *lab, const struct vt_result *result, int depth,
                       struct vt_error *error)
{
    for (size_t i = 0; i < result->count; i++)
        if (vt_result_depth(&result->rows[i]) != depth)
            return vt_error_set(error, VT_EXIT_ENVIRONMENT, EPROTO,
                                "lab %s: the machine sent a row for %s of depth %d, not %d", lab->name,
                                result->rows[i].name, vt_result_depth(&result->rows[i]), depth);
    return 0;
}

int vt_cli_check_sent(const struct vt_lab *lab, const struct vt_selection *asked, int depth,
                      const struct vt_lab_outcome *outcome, const struct vt_result *result,
                      struct vt_error *error)
{
    struct vt_plan plan = {0};
    struct vt_selection selection = {.cases = asked->cases, .levels = asked->levels ? asked->levels : "0"};

    if (!lab->module)
        return 0;
    if (!outcome->document)
        return vt_error_set(error, VT_EXIT_ENVIRONMENT, EPROTO,
                            "lab %s: the machine says that it is done, and sent no result", lab->name);
    int status = vt_select(&selection, &plan, error);
    if (status == 0)
        status = check_rows(lab, result, &plan, error);
    if (status == 0)
        status = check_depth(lab, result, depth, error);
    vt_select_release(&plan);
    return status;
}
