#include "lab/plan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *vt_lab_plan_print(const struct vt_lab_plan *plan)
{
    char *text;
    int size = asprintf(&text, "engine=%s\ncases=%s\nlevels=%s\nparameters=%s\niterations=%llu\npairs=%zu\n",
                        plan->engine, plan->cases, plan->levels, plan->parameters,
                        (unsigned long long)plan->iterations, plan->pairs);
    return size < 0 ? NULL : text;
}

static int take(struct vt_lab_plan *plan, const char *key, const char *value)
{
    const struct {
        const char *key;
        char *text;
        size_t size;
    } texts[] = {
        {"engine", plan->engine, sizeof plan->engine},
        {"cases", plan->cases, sizeof plan->cases},
        {"levels", plan->levels, sizeof plan->levels},
        {"parameters", plan->parameters, sizeof plan->parameters},
    };

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (strcmp(key, texts[i].key) == 0)
            return snprintf(texts[i].text, texts[i].size, "%s", value) < (int)texts[i].size ? 0 : -E2BIG;
    char *end;
    unsigned long long number = strtoull(value, &end, 10);
    if (*value == '\0' || *end != '\0' || number == 0)
        return -EINVAL;
    if (strcmp(key, "iterations") == 0)
        plan->iterations = number;
    else if (strcmp(key, "pairs") == 0)
        plan->pairs = number;
    else
        return -EINVAL;
    return 0;
}

int vt_lab_plan_parse(struct vt_lab_plan *plan, const char *name, char *text, struct vt_error *error)
{
    *plan = (struct vt_lab_plan){0};
    for (char *line; (line = strsep(&text, "\n"));) {
        char *value = strchr(line, '=');
        if (*line == '\0')
            continue;
        if (value)
            *value++ = '\0';
        if (!value || take(plan, line, value) != 0)
            return vt_error_set(error, VT_EXIT_INTERNAL, EINVAL, "%s: cannot make sense of '%s'", name, line);
    }
    if (!plan->iterations || !plan->pairs || !*plan->engine)
        return vt_error_set(error, VT_EXIT_INTERNAL, EINVAL, "%s: the plan is incomplete", name);
    return 0;
}
