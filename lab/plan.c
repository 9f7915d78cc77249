#include "lab/plan.h"
#include "base/stream.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *vt_lab_plan_print(const struct vt_lab_plan *plan)
{
    char *text = NULL;
    size_t size;
    FILE *stream = vt_stream_memory(&text, &size);

    if (!stream)
        return NULL;
    fprintf(
        stream,
        "engine=%s\ncases=%s\nlevels=%s\nparameters=%s\niterations=%llu\npairs=%zu\nprofile=%d\npages=%d\n"
        "depth=%u\nstarts=%d\n",
        plan->engine, plan->cases, plan->levels, plan->parameters, (unsigned long long)plan->iterations,
        plan->pairs, plan->profile, plan->pages, plan->depth, plan->starts);
    if (plan->before)
        fprintf(stream, "before=%zu\n", plan->before);
    for (size_t i = 0; i < plan->lost_count; i++)
        fprintf(stream, "lost=%zu %s %s\n", plan->lost[i].number, vt_status_name(plan->lost[i].status),
                plan->lost[i].reason);
    if (fclose(stream) == 0)
        return text;
    free(text);
    return NULL;
}

/* "12 timeout nothing came for 30 s" */
static int take_lost(struct vt_lab_plan *plan, const char *value)
{
    static const enum vt_status statuses[] = {VT_STATUS_FAILED, VT_STATUS_TIMEOUT};
    char status[16];
    int used = 0;

    if (plan->lost_count == VT_LAB_LOST_MOST)
        return -E2BIG;
    struct vt_lost_row *lost = &plan->lost[plan->lost_count];
    if (sscanf(value, "%9zu %15s%n", &lost->number, status, &used) != 2 || lost->number == 0)
        return -EINVAL;
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++)
        if (strcmp(status, vt_status_name(statuses[i])) == 0) {
            lost->status = statuses[i];
            snprintf(lost->reason, sizeof lost->reason, "%s", value + used + (value[used] == ' '));
            plan->lost_count++;
            return 0;
        }
    return -EINVAL;
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
    if (strcmp(key, "lost") == 0)
        return take_lost(plan, value);
    char *end;
    unsigned long long number = strtoull(value, &end, 10);
    if (*value == '\0' || *end != '\0')
        return -EINVAL;
    const struct {
        const char *key;
        bool *wanted;
    } switches[] = {{"profile", &plan->profile}, {"pages", &plan->pages}, {"starts", &plan->starts}};
    for (size_t i = 0; i < sizeof switches / sizeof switches[0]; i++)
        if (strcmp(key, switches[i].key) == 0) {
            *switches[i].wanted = number != 0;
            return 0;
        }
    if (number == 0)
        return -EINVAL;
    if (strcmp(key, "depth") == 0 && number <= VT_LAB_DEPTH_MOST)
        plan->depth = (unsigned)number;
    else if (strcmp(key, "iterations") == 0)
        plan->iterations = number;
    else if (strcmp(key, "pairs") == 0)
        plan->pairs = number;
    else if (strcmp(key, "before") == 0)
        plan->before = number;
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
    if (!plan->iterations || !plan->pairs || !plan->depth || !*plan->engine)
        return vt_error_set(error, VT_EXIT_INTERNAL, EINVAL, "%s: the plan is incomplete", name);
    return 0;
}
