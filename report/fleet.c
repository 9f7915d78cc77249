#include "report/fleet.h"
#include "bench/statistics.h"
#include "guest/catalogue.h"
#include "report/arena.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

const char *const vt_fleet_fact_names[VT_FLEET_FACTS] = {
    "cpu.brand",       "system.kernel", "system.microcode", "kvm.backend",        "hypervisor.signature",
    "timing.governor", "timing.turbo",  "timing.smt",       "timing.clocksource", "mitigations.spectre_v2",
};

/* Other work, another clock: a host that differs this much in the middle of its cases is worth a look. */
static const double least_deviation = 0.05;
static const double far_ratio = 0.10;
static const double far_spreads = 5;
static const double far_share = 0.2;

struct vt_fleet_private {
    pthread_mutex_t lock;
    struct vt_arena arena;
    json_t *texts; /* every text once: its object's keys */
    json_t *index; /* key of a cell -> its number */
    const char *by;
    const char *facts[VT_FLEET_FACTS + 3]; /* wanted of a host: those above, its name, and `by` */
    size_t host_room, cell_room;
};

int vt_fleet_start(struct vt_fleet *fleet, const char *by, struct vt_error *error)
{
    *fleet = (struct vt_fleet){0};
    fleet->private = calloc(1, sizeof *fleet->private);
    if (!fleet->private)
        return vt_error_set(error, VT_EXIT_INTERNAL, ENOMEM, "not enough memory for the report");
    pthread_mutex_init(&fleet->private->lock, NULL);
    fleet->private->texts = json_object();
    fleet->private->index = json_object();
    fleet->private->by = by && strcmp(by, "kernel") == 0 ? "system.kernel" : by;
    memcpy(fleet->private->facts, vt_fleet_fact_names, sizeof vt_fleet_fact_names);
    fleet->private->facts[VT_FLEET_FACTS] = "system.hostname";
    fleet->private->facts[VT_FLEET_FACTS + 1] = fleet->private->by;
    return 0;
}

const char *const *vt_fleet_facts(const struct vt_fleet *fleet)
{
    return fleet->private->facts;
}

void vt_fleet_release(struct vt_fleet *fleet)
{
    for (size_t i = 0; i < fleet->cell_count; i++) {
        free(fleet->cells[i].values);
        free(fleet->cells[i].hosts);
    }
    free(fleet->cells);
    free(fleet->hosts);
    free(fleet->groups);
    if (fleet->private) {
        json_decref(fleet->private->texts);
        json_decref(fleet->private->index);
        vt_arena_release(&fleet->private->arena);
        pthread_mutex_destroy(&fleet->private->lock);
        free(fleet->private);
    }
    *fleet = (struct vt_fleet){0};
}

/* ---- adding */

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

static void *grow(void *list, size_t count, size_t *room, size_t size)
{
    if (count < *room)
        return list;
    size_t wanted = *room ? 2 * *room : 16;
    void *more = realloc(list, wanted * size);
    if (more)
        *room = wanted;
    return more;
}

static const char *fact_text(const struct vt_result *result, const char *path, char *text, size_t size)
{
    const char *string = vt_result_host_text(result, path);
    if (string)
        return string;
    const json_t *value = result->host;
    while (value && *path) {
        size_t length = strcspn(path, ".");
        value = json_object_getn(value, path, length);
        path += length + (path[length] == '.');
    }
    if (json_is_boolean(value))
        return json_is_true(value) ? "true" : "false";
    if (!json_is_number(value))
        return NULL;
    snprintf(text, size, "%.10g", json_number_value(value));
    return text;
}

static struct vt_fleet_host *add_host(struct vt_fleet *fleet, const struct vt_result *result)
{
    char text[512];
    struct vt_fleet_private *p = fleet->private;
    struct vt_fleet_host *hosts = grow(fleet->hosts, fleet->host_count, &p->host_room, sizeof *hosts);
    if (!hosts)
        return NULL;
    fleet->hosts = hosts;
    struct vt_fleet_host *host = &hosts[fleet->host_count++];
    const char *name = vt_result_host_text(result, "system.hostname");
    if (!name && result->line > 1)
        snprintf(text, sizeof text, "%.480s:%zu", result->file, result->line);
    *host = (struct vt_fleet_host){.name = intern(fleet, name               ? name
                                                         : result->line > 1 ? text
                                                                            : result->file)};
    for (size_t i = 0; i < VT_FLEET_FACTS; i++)
        host->facts[i] = intern(fleet, fact_text(result, vt_fleet_fact_names[i], text, sizeof text));
    const char *group = "";
    if (p->by)
        group = strcmp(p->by, "host") == 0 ? host->name : fact_text(result, p->by, text, sizeof text);
    host->group = intern(fleet, group ? group : "unknown");
    return host;
}

static struct vt_fleet_cell *find_cell(struct vt_fleet *fleet, const struct vt_result_row *row,
                                       const char *group)
{
    char key[1024];
    struct vt_fleet_private *p = fleet->private;
    snprintf(key, sizeof key, "%.300s\n%.200s\n%.200s\n%.100s\n%s\n%d%d", group, row->name, row->engine,
             row->path ? row->path : "", row->unit, row->cpl, row->simulated);
    json_t *known = json_object_get(p->index, key);
    if (known)
        return &fleet->cells[json_integer_value(known)];
    struct vt_fleet_cell *cells = grow(fleet->cells, fleet->cell_count, &p->cell_room, sizeof *cells);
    if (!cells)
        return NULL;
    fleet->cells = cells;
    cells[fleet->cell_count] = (struct vt_fleet_cell){.name = intern(fleet, row->name),
                                                      .class = intern(fleet, row->class),
                                                      .engine = intern(fleet, row->engine),
                                                      .path = intern(fleet, row->path),
                                                      .unit = row->unit, /* one of two literals */
                                                      .group = group,
                                                      .cpl = row->cpl,
                                                      .simulated = row->simulated};
    json_object_set_new_nocheck(p->index, key, json_integer((json_int_t)fleet->cell_count));
    return &cells[fleet->cell_count++];
}

static int add_value(struct vt_fleet_cell *cell, double value, size_t host)
{
    size_t room = cell->room;
    float *values = grow(cell->values, cell->count, &room, sizeof *values);
    if (!values)
        return -ENOMEM;
    cell->values = values;
    unsigned int *hosts = grow(cell->hosts, cell->count, &cell->room, sizeof *hosts);
    if (!hosts)
        return -ENOMEM;
    cell->hosts = hosts;
    cell->values[cell->count] = (float)value;
    cell->hosts[cell->count++] = (unsigned int)host;
    return 0;
}

static int add(struct vt_fleet *fleet, const struct vt_result *result)
{
    struct vt_fleet_host *host = add_host(fleet, result);
    if (!host)
        return -ENOMEM;
    for (size_t i = 0; i < result->count; i++) {
        const struct vt_result_row *row = &result->rows[i];
        if (row->status != VT_STATUS_OK || !vt_result_has_toll(row))
            continue;
        struct vt_fleet_cell *cell = find_cell(fleet, row, host->group);
        if (!cell || add_value(cell, row->toll.median, (size_t)(host - fleet->hosts)) != 0)
            return -ENOMEM;
        host->measured++;
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

/* ---- summarizing */

static int compare_floats(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median_of(double *values, size_t count)
{
    qsort(values, count, sizeof *values, compare_doubles);
    return count ? vt_statistics_quantile(values, count, 0.5) : 0;
}

static void summarize(struct vt_fleet_cell *cell, double *work)
{
    for (size_t i = 0; i < cell->count; i++)
        work[i] = (double)cell->values[i];
    cell->median = median_of(work, cell->count);
    cell->low = work[0];
    cell->high = work[cell->count - 1];
    cell->p25 = vt_statistics_quantile(work, cell->count, 0.25);
    cell->p75 = vt_statistics_quantile(work, cell->count, 0.75);
}

/* What each host's cases say: log ratios to the group, host by host. */
struct deviations {
    double **ratios; /* per host */
    size_t *counts;
};

static void note_deviations(struct vt_fleet *fleet, const struct vt_fleet_cell *cell, struct deviations *d)
{
    /* The spread of the middle half, as the standard deviation of a normal that has it. */
    double spread = fmax((cell->p75 - cell->p25) / 1.349 / cell->median, 0.01);
    if (!(cell->median > 0) || cell->count < 3)
        return;
    for (size_t i = 0; i < cell->count; i++) {
        double ratio = (double)cell->values[i] / cell->median;
        if (!(ratio > 0))
            continue;
        size_t host = cell->hosts[i];
        d->ratios[host][d->counts[host]++] = log(ratio);
        fleet->hosts[host].far += fabs(ratio - 1) > fmax(far_ratio, far_spreads * spread);
    }
}

static void judge_hosts(struct vt_fleet *fleet, struct deviations *d, double *work)
{
    for (size_t i = 0; i < fleet->host_count; i++) {
        fleet->hosts[i].deviation = median_of(d->ratios[i], d->counts[i]);
        work[i] = fabs(fleet->hosts[i].deviation);
    }
    double usual = 1.4826 * median_of(work, fleet->host_count);
    for (size_t i = 0; i < fleet->host_count; i++) {
        struct vt_fleet_host *host = &fleet->hosts[i];
        host->outlier = fabs(host->deviation) > fmax(least_deviation, far_spreads * usual) ||
                        (double)host->far > far_share * (double)host->measured;
    }
}

static int find_outliers(struct vt_fleet *fleet)
{
    struct deviations d = {calloc(fleet->host_count + 1, sizeof *d.ratios),
                           calloc(fleet->host_count + 1, sizeof *d.counts)};
    double *work = calloc(fleet->host_count + 1, sizeof *work);
    int status = d.ratios && d.counts && work ? 0 : -ENOMEM;
    for (size_t i = 0; i < fleet->host_count && status == 0; i++) {
        d.ratios[i] = calloc(fleet->hosts[i].measured + 1, sizeof **d.ratios);
        status = d.ratios[i] ? 0 : -ENOMEM;
    }
    if (status == 0) {
        for (size_t i = 0; i < fleet->cell_count; i++)
            note_deviations(fleet, &fleet->cells[i], &d);
        judge_hosts(fleet, &d, work);
    }
    for (size_t i = 0; d.ratios && i < fleet->host_count; i++)
        free(d.ratios[i]);
    free(d.ratios);
    free(d.counts);
    free(work);
    return status;
}

static size_t position_of(const struct vt_fleet_cell *cell)
{
    size_t count;
    const struct vt_case *cases = vt_guest_cases(&count), *c = vt_guest_find_case(cell->name);
    return c ? (size_t)(c - cases) : count;
}

static int compare_cells(const void *a, const void *b)
{
    const struct vt_fleet_cell *x = a, *y = b;
    int order = strcmp(x->engine, y->engine);
    order = order ? order : x->cpl - y->cpl;
    order = order ? order : (int)x->simulated - (int)y->simulated;
    order = order ? order : strcmp(x->path ? x->path : "", y->path ? y->path : "");
    order = order ? order : strcmp(x->unit, y->unit);
    size_t p = position_of(x), q = position_of(y);
    if (order == 0 && p != q)
        order = p < q ? -1 : 1;
    order = order ? order : strcmp(x->name, y->name);
    return order ? order : strcmp(x->group, y->group);
}

static int collect_groups(struct vt_fleet *fleet)
{
    fleet->groups = calloc(fleet->host_count + 1, sizeof *fleet->groups);
    if (!fleet->groups)
        return -ENOMEM;
    for (size_t i = 0; i < fleet->host_count; i++) {
        size_t k = 0;
        while (k < fleet->group_count && fleet->groups[k] != fleet->hosts[i].group)
            k++; /* interned: the same text is the same pointer */
        if (k == fleet->group_count)
            fleet->groups[fleet->group_count++] = fleet->hosts[i].group;
    }
    return 0;
}

int vt_fleet_finish(struct vt_fleet *fleet, struct vt_error *error)
{
    double *work = malloc((fleet->host_count + 1) * sizeof *work);
    int status = work ? 0 : -ENOMEM;
    for (size_t i = 0; i < fleet->cell_count && status == 0; i++) {
        struct vt_fleet_cell *cell = &fleet->cells[i];
        double *room =
            cell->count > fleet->host_count ? realloc(work, (cell->count + 1) * sizeof *work) : work;
        if (!room) {
            status = -ENOMEM;
            break;
        }
        work = room;
        summarize(cell, work);
    }
    free(work);
    status = status ? status : find_outliers(fleet);
    status = status ? status : collect_groups(fleet);
    if (status)
        return vt_error_set(error, VT_EXIT_INTERNAL, ENOMEM, "not enough memory for the report");
    for (size_t i = 0; i < fleet->cell_count; i++)
        qsort(fleet->cells[i].values, fleet->cells[i].count, sizeof(float), compare_floats);
    if (fleet->cell_count)
        qsort(fleet->cells, fleet->cell_count, sizeof *fleet->cells, compare_cells);
    return 0;
}

/* ---- explaining */

/* The value most hosts of the group have, and how many. */
static const char *usual_fact(const struct vt_fleet *fleet, const char *group, size_t fact, size_t *share)
{
    const char *best = NULL;
    size_t votes = 0, most = 0, members = 0;
    /* Boyer and Moore's majority vote finds it if there is one; then it is counted. */
    for (size_t i = 0; i < fleet->host_count; i++) {
        if (fleet->hosts[i].group != group)
            continue;
        members++;
        if (votes == 0)
            best = fleet->hosts[i].facts[fact];
        votes += fleet->hosts[i].facts[fact] == best ? 1 : (size_t)-1;
    }
    for (size_t i = 0; i < fleet->host_count; i++)
        most += fleet->hosts[i].group == group && fleet->hosts[i].facts[fact] == best;
    *share = members ? 100 * most / members : 0;
    return 2 * most > members ? best : NULL;
}

void vt_fleet_explain(const struct vt_fleet *fleet, const struct vt_fleet_host *host, char *text, size_t size)
{
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < VT_FLEET_FACTS && used < size; i++) {
        size_t share;
        const char *usual = usual_fact(fleet, host->group, i, &share);
        if (!usual || !host->facts[i] || host->facts[i] == usual)
            continue;
        used += (size_t)snprintf(text + used, size - used, "%s%s is %.80s (%zu %% have %.80s)",
                                 used ? "; " : "", vt_fleet_fact_names[i], host->facts[i], share, usual);
    }
}
