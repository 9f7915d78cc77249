#include "show/escape.h"
#include "base/memory.h"
#include "fleet/state.h"
#include "show/metrics.h"
#include "base/text.h"
#include "result/path.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *const vt_fleet_fact_names[VT_FLEET_FACTS] = {
    "cpu.brand",
    "cpu.model",
    "cpu.stepping",
    "system.kernel",
    "system.microcode",
    "system.container",
    "system.cpus",
    "kvm.accessible",
    "kvm.backend",
    "kvm.cpl0",
    "kvm.cpl3",
    "kvm.nested",
    "kvm.parameters.kvm.halt_poll_ns",
    "kvm.parameters.kvm.nx_huge_pages",
    "hypervisor.signature",
    "timing.clocksource",
    "timing.governor",
    "timing.driver",
    "timing.turbo",
    "timing.smt",
    "mitigations.gather_data_sampling",
    "mitigations.indirect_target_selection",
    "mitigations.itlb_multihit",
    "mitigations.l1tf",
    "mitigations.mds",
    "mitigations.meltdown",
    "mitigations.mmio_stale_data",
    "mitigations.reg_file_data_sampling",
    "mitigations.retbleed",
    "mitigations.spec_rstack_overflow",
    "mitigations.spec_store_bypass",
    "mitigations.spectre_v2",
    "mitigations.tsa",
    "mitigations.tsx_async_abort",
    "mitigations.vmscape",
    "tool.version",
    "tool.compiler",
    "tool.flags",
    "tool.build_id",
};

int vt_fleet_start(struct vt_fleet *fleet, const char *by, struct vt_error *error)
{
    *fleet = (struct vt_fleet){0};
    struct vt_fleet_private *p = fleet->private = calloc(1, sizeof *p);
    if (!p)
        return vt_error_memory(error, "the report");
    pthread_mutex_init(&p->lock, NULL);
    p->texts = json_object();
    p->index = json_object();
    p->by = by && strcmp(by, "kernel") == 0 ? "system.kernel" : by;
    memcpy(p->facts, vt_fleet_fact_names, sizeof vt_fleet_fact_names);
    p->facts[VT_FLEET_FACTS] = "system.hostname";
    p->facts[VT_FLEET_FACTS + 1] = p->by;
    return 0;
}

const char *const *vt_fleet_facts(const struct vt_fleet *fleet)
{
    return fleet->private->facts;
}

static void release_findings(struct vt_fleet *fleet)
{
    for (size_t i = 0; i < fleet->oddity_count; i++) {
        free(fleet->oddities[i].cells);
        free(fleet->oddities[i].hosts);
    }
    for (size_t i = 0; i < fleet->split_count; i++) {
        free(fleet->splits[i].cases);
        free(fleet->splits[i].ways);
    }
    for (size_t i = 0; i < fleet->minority_count; i++)
        free(fleet->minorities[i].deviations);
    for (size_t i = 0; i < fleet->gap_count; i++) {
        free(fleet->gaps[i].cases);
        free(fleet->gaps[i].hosts);
    }
    free(fleet->mixes);
    free(fleet->gaps);
    free(fleet->minorities);
    free(fleet->splits);
    free(fleet->oddities);
}

void vt_fleet_release(struct vt_fleet *fleet)
{
    release_findings(fleet);
    for (size_t i = 0; i < fleet->cell_count; i++)
        free(fleet->cells[i].values);
    free(fleet->cells);
    free(fleet->hosts);
    free(fleet->groups);
    if (fleet->private) {
        json_decref(fleet->private->texts);
        json_decref(fleet->private->index);
        vt_arena_release(&fleet->private->arena);
        pthread_mutex_destroy(&fleet->private->lock);
        free(fleet->private->results);
        free(fleet->private);
    }
    *fleet = (struct vt_fleet){0};
}

/* The one copy of a text. Thousands of hosts have few processors and kernels among them. */
static const char *intern(struct vt_fleet *fleet, const char *text)
{
    struct vt_fleet_private *p = fleet->private;
    if (!text)
        return NULL;
    json_t *known = json_object_get(p->texts, text);
    if (known)
        return (const char *)(uintptr_t)json_integer_value(known);
    const char *copy = vt_arena_text(&p->arena, text, strlen(text));
    if (copy)
        json_object_set_new_nocheck(p->texts, copy, json_integer((json_int_t)(uintptr_t)copy));
    return copy;
}

static const char *fact_text(const struct vt_result *result, const char *path, char *text, size_t size)
{
    const struct {
        const char *path, *text;
    } tool[] = {
        {"tool.version", result->version},
        {"tool.compiler", result->compiler},
        {"tool.flags", result->flags},
        {"tool.build_id", result->build_id},
    };
    for (size_t i = 0; i < sizeof tool / sizeof tool[0]; i++)
        if (strcmp(path, tool[i].path) == 0)
            return tool[i].text;
    const json_t *value = vt_result_at(result->host, path);
    if (json_is_string(value))
        return json_string_value(value);
    if (json_is_boolean(value))
        return json_is_true(value) ? "true" : "false";
    if (!json_is_number(value))
        return NULL;
    snprintf(text, size, "%.10g", json_number_value(value));
    return text;
}

static struct vt_fleet_result *add_result(struct vt_fleet *fleet, const struct vt_result *result)
{
    char text[PATH_MAX + 24];
    struct vt_fleet_private *p = fleet->private;
    struct vt_fleet_result *to = vt_memory_append(p->results, fleet->result_count);
    if (!to)
        return NULL;
    const json_t *elapsed = json_object_get(result->settings, "elapsed_s");
    *to = (struct vt_fleet_result){
        .hostname = intern(fleet, vt_result_host_text(result, "system.hostname")),
        .started = vt_metrics_time(result->started),
        .elapsed = json_is_number(elapsed) ? json_number_value(elapsed) : NAN,
    };
    snprintf(text, sizeof text, result->line > 1 ? "%s:%zu" : "%s", result->file, result->line);
    vt_text_clean(text, strlen(text));
    to->place = intern(fleet, text);
    for (size_t i = 0; i < VT_FLEET_FACTS; i++)
        to->facts[i] = intern(fleet, fact_text(result, vt_fleet_fact_names[i], text, sizeof text));
    const char *group = "";
    if (p->by)
        group = strcmp(p->by, "host") == 0 ? (to->hostname ? to->hostname : to->place)
                                           : fact_text(result, p->by, text, sizeof text);
    to->group = intern(fleet, group ? group : "unknown");
    return to;
}

static bool is_of(const struct vt_fleet_cell *cell, const struct vt_result_row *row, const char *group)
{
    return cell->group == group && cell->cpl == row->cpl && cell->vcpus == vt_result_vcpus(row) &&
           cell->depth == vt_result_depth(row) && cell->simulated == row->simulated &&
           cell->status == row->status && vt_text_same(cell->name, row->name) &&
           vt_text_same(cell->engine, row->engine) && vt_text_same(cell->path, row->path) &&
           vt_text_same(cell->crossing, row->crossing) && cell->unit == row->unit;
}

static struct vt_fleet_cell *find_cell(struct vt_fleet *fleet, const struct vt_result_row *row,
                                       const char *group)
{
    char key[1024];
    struct vt_fleet_private *p = fleet->private;
    /* Hosts have their cases in the same order: it is most often the next one. */
    size_t guess = p->last_cell + 1 < fleet->cell_count ? p->last_cell + 1 : 0;
    if (guess < fleet->cell_count && is_of(&fleet->cells[guess], row, group))
        return &fleet->cells[p->last_cell = guess];
    snprintf(key, sizeof key, "%p\n%.200s\n%.200s\n%.100s\n%.100s\n%d %d %d%d %d %d", (const void *)group,
             row->name, row->engine, row->path ? row->path : "", row->crossing ? row->crossing : "",
             row->unit, row->cpl, row->simulated, row->status, vt_result_vcpus(row), vt_result_depth(row));
    json_t *known = json_object_get(p->index, key);
    if (known)
        return &fleet->cells[p->last_cell = (size_t)json_integer_value(known)];
    p->last_cell = fleet->cell_count;
    struct vt_fleet_cell *cell = vt_memory_append(fleet->cells, fleet->cell_count);
    if (!cell)
        return NULL;
    *cell = (struct vt_fleet_cell){.name = intern(fleet, row->name),
                                   .class = intern(fleet, row->class),
                                   .engine = intern(fleet, row->engine),
                                   .path = intern(fleet, row->path),
                                   .unit = row->unit,
                                   .group = group,
                                   .crossing = intern(fleet, row->crossing),
                                   .status = row->status,
                                   .cpl = row->cpl,
                                   .vcpus = vt_result_vcpus(row),
                                   .depth = vt_result_depth(row),
                                   .simulated = row->simulated};
    json_object_set_new_nocheck(p->index, key, json_integer((json_int_t)p->last_cell));
    return cell;
}

static int add_value(struct vt_fleet_cell *cell, const struct vt_summary *toll, size_t result)
{
    struct vt_fleet_value *value = vt_memory_append(cell->values, cell->count);
    if (!value)
        return -ENOMEM;
    /* The interval holds 95 %: 1.96 standard errors to either side. */
    double error = (toll->ci_high - toll->ci_low) / 3.92;
    *value = (struct vt_fleet_value){.host = (unsigned int)result,
                                     .median = (float)toll->median,
                                     .error = isfinite(error) ? (float)error : 0};
    return 0;
}

static int add(struct vt_fleet *fleet, const struct vt_result *result)
{
    struct vt_fleet_result *to = add_result(fleet, result);
    if (!to || !to->group || !to->place)
        return -ENOMEM;
    for (size_t i = 0; i < result->count; i++) {
        const struct vt_result_row *row = &result->rows[i];
        if (!vt_result_has_toll(row))
            continue;
        struct vt_fleet_cell *cell = find_cell(fleet, row, to->group);
        if (!cell || add_value(cell, &row->toll, fleet->result_count - 1) != 0)
            return -ENOMEM;
    }
    return 0;
}

int vt_fleet_add(struct vt_fleet *fleet, struct vt_result *result)
{
    pthread_mutex_lock(&fleet->private->lock);
    int status = add(fleet, result);
    pthread_mutex_unlock(&fleet->private->lock);
    vt_result_free(result);
    return status;
}
