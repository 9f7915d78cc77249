#include "base/statistics.h"
#include "base/memory.h"
#include "fleet/chance.h"
#include "fleet/state.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Chance that a fleet of equal hosts has a host, a case or a class stand out: each of the three. */
static const double alarm_chance = 0.01;
/* Other work, another clock: a difference smaller than this is not worth a look, however certain. */
static const double least_difference = 0.05;
/* What no measurement repeats better than: relative, and in ns or instructions. */
static const double least_spread = 0.01, least_step = 0.1;
/* Standard deviations from which a value counts as far off. */
static const double far_off = 4;
/* A host stands out as a whole with more than this share of its cases far off, and at least so many. */
static const double far_share = 0.2;
enum { FAR_LEAST = 3 };

/* One host in one subject: a case on a road, or all cases of a class there. */
struct point {
    double z;     /* spreads from the middle of the group */
    double ratio; /* to the group's median */
    double far;   /* |z|, or 0 where the difference is too small to be told */
    unsigned int host;
    size_t subject;
};

struct subject {
    const struct vt_fleet_cell **cells;
    size_t cell_count, hosts;
};

struct judge {
    struct vt_fleet *fleet;
    const struct vt_fleet_cell **at; /* cells of groups that are large enough, by road, group and class */
    size_t cell_count;
    struct subject *subjects;
    size_t subject_count;
    struct point *points; /* of the subjects: first all of one, then those far off of all */
    size_t far_count;     /* at the start of `points` */
    size_t judged;        /* points of all subjects */
    double *work;
    bool *suspects; /* per host */
};

static double spread_about(struct judge *judge, const struct point *points, size_t count, double centre)
{
    for (size_t i = 0; i < count; i++)
        judge->work[i] = fabs(points[i].ratio - centre);
    return VT_STATISTICS_DEVIATION * vt_statistics_median(judge->work, count);
}

/* Points of one case, in the order of its values. */
static size_t measure_case(struct judge *judge, const struct vt_fleet_cell *cell, struct point *points)
{
    for (size_t i = 0; i < cell->count; i++)
        points[i].ratio = (double)cell->values[i].median;
    double spread = spread_about(judge, points, cell->count, cell->median);
    spread = fmax(spread, fmax(least_spread * fabs(cell->median), least_step));
    for (size_t i = 0; i < cell->count; i++) {
        const struct vt_fleet_value *value = &cell->values[i];
        double off = (double)value->median - cell->median, z = off / hypot(spread, (double)value->error);
        points[i] = (struct point){
            .z = z,
            .ratio = cell->median > 0 ? (double)value->median / cell->median : NAN,
            .far = fabs(off) > least_difference * fabs(cell->median) ? fabs(z) : 0,
            .host = value->host,
        };
    }
    return cell->count;
}

static int by_host(const void *a, const void *b)
{
    const struct point *x = a, *y = b;
    int order = (x->host > y->host) - (x->host < y->host);
    return order ? order : (x->ratio > y->ratio) - (x->ratio < y->ratio);
}

/* One point per host: the median of its ratios in some cases. */
static size_t bring_together(struct point *points, size_t count)
{
    size_t kept = 0;
    qsort(points, count, sizeof *points, by_host);
    for (size_t i = 0, length; i < count; i += length) {
        struct point *from = &points[i];
        for (length = 1; i + length < count && from[length].host == from->host;)
            length++;
        struct point middle = from[length / 2];
        if (length % 2 == 0)
            middle.ratio = sqrt(from[length / 2 - 1].ratio * middle.ratio);
        points[kept++] = middle;
    }
    return kept;
}

static size_t measure_cases(struct judge *judge, const struct vt_fleet_cell *const *cells, size_t count,
                            struct point *points)
{
    size_t used = 0;
    for (size_t k = 0; k < count; k++)
        for (size_t i = 0; cells[k]->median > 0 && i < cells[k]->count; i++)
            if (cells[k]->values[i].median > 0)
                points[used++] = (struct point){
                    .ratio = (double)cells[k]->values[i].median / cells[k]->median,
                    .host = cells[k]->values[i].host,
                };
    used = bring_together(points, used);
    for (size_t i = 0; i < used; i++)
        judge->work[i] = points[i].ratio;
    double centre = vt_statistics_median(judge->work, used),
           spread = fmax(spread_about(judge, points, used, centre), least_spread);
    for (size_t i = 0; i < used; i++) {
        points[i].z = (points[i].ratio - centre) / spread;
        points[i].far = fabs(points[i].ratio - centre) > least_difference ? fabs(points[i].z) : 0;
    }
    return used;
}

static int judge_hosts(struct judge *judge)
{
    struct vt_fleet *fleet = judge->fleet;
    const struct vt_fleet_cell **cells = calloc(fleet->cell_count + 1, sizeof *cells);
    size_t used = 0;
    if (!cells)
        return -ENOMEM;
    for (size_t i = 0; i < fleet->cell_count; i++)
        if (fleet->cells[i].count >= 3 && fleet->cells[i].status == VT_STATUS_OK)
            cells[used++] = &fleet->cells[i];
    size_t count = measure_cases(judge, cells, used, judge->points);
    double critical = count ? vt_fleet_critical(count, alarm_chance) : 0;
    for (size_t i = 0; i < count; i++) {
        struct vt_fleet_host *host = &fleet->hosts[judge->points[i].host];
        host->deviation = log(judge->points[i].ratio);
        host->outlier = count >= VT_FLEET_LEAST &&
                        (judge->points[i].far > critical ||
                         (host->far >= FAR_LEAST && (double)host->far > far_share * (double)host->measured));
    }
    free(cells);
    return 0;
}

static void count_far(struct judge *judge)
{
    for (size_t k = 0; k < judge->cell_count; k++) {
        size_t count = measure_case(judge, judge->at[k], judge->points);
        for (size_t i = 0; i < count; i++)
            judge->fleet->hosts[judge->points[i].host].far += judge->points[i].far > far_off;
    }
}

static int by_distance(const void *a, const void *b)
{
    const struct point *x = a, *y = b;
    int order = (fabs(x->z) < fabs(y->z)) - (fabs(x->z) > fabs(y->z));
    order = order ? order : (x->subject > y->subject) - (x->subject < y->subject);
    return order ? order : (x->host > y->host) - (x->host < y->host);
}

/* Points far off of all subjects, the farthest first. Hosts that stand out as a whole are told already. */
static void measure_subjects(struct judge *judge)
{
    judge->far_count = judge->judged = 0;
    for (size_t s = 0; s < judge->subject_count; s++) {
        struct subject *subject = &judge->subjects[s];
        struct point *points = judge->points + judge->far_count;
        size_t count = subject->cell_count == 1
                           ? measure_case(judge, subject->cells[0], points)
                           : measure_cases(judge, subject->cells, subject->cell_count, points);
        subject->hosts = count;
        judge->judged += count;
        for (size_t i = 0; i < count; i++) {
            if (fabs(points[i].z) <= far_off || judge->fleet->hosts[points[i].host].outlier)
                continue;
            judge->points[judge->far_count] = points[i];
            judge->points[judge->far_count++].subject = s;
        }
    }
    qsort(judge->points, judge->far_count, sizeof *judge->points, by_distance);
}

/*
 * The first `count` of the suspects are off together by the last one's distance or
 * more: would chance do that? How often it goes so far is seen in the other
 * subjects, on the other hosts: measurements on shared machines have heavier tails
 * than any formula knows.
 */
static double chance_of(struct judge *judge, const struct point *const *suspects, size_t count)
{
    size_t subject = suspects[0]->subject, beyond = 0, others = judge->judged;
    double z = fabs(suspects[count - 1]->z), largest = far_off;
    for (size_t i = 0; i < count; i++)
        judge->suspects[suspects[i]->host] = true;
    for (size_t i = 0; i < judge->far_count; i++) {
        const struct point *p = &judge->points[i];
        if (p->subject == subject || judge->suspects[p->host])
            continue;
        largest = fmax(largest, fabs(p->z));
        if (fabs(p->z) < z)
            break;
        beyond++;
    }
    for (size_t i = 0; i < count; i++)
        judge->suspects[suspects[i]->host] = false;
    size_t hosts = judge->subjects[subject].hosts;
    others -= hosts;
    double rate = vt_fleet_rate(z, beyond, others, largest);
    return 2 * vt_fleet_at_least(count, hosts, rate) * (double)judge->subject_count; /* slower or faster */
}

/* How many of the suspects, the farthest first, chance cannot explain. */
static size_t convict(struct judge *judge, const struct point *const *suspects, size_t count)
{
    while (count && chance_of(judge, suspects, count) > alarm_chance)
        count /= 2;
    return count;
}

static bool is_told(const struct vt_fleet *fleet, const struct subject *subject, unsigned int host)
{
    for (size_t o = 0; o < fleet->oddity_count; o++)
        for (size_t i = 0; i < fleet->oddities[o].host_count; i++)
            for (size_t k = 0; fleet->oddities[o].hosts[i].host == host && k < subject->cell_count; k++)
                if (fleet->oddities[o].cells[0] == subject->cells[k])
                    return true;
    return false;
}

static struct vt_fleet_oddity *new_oddity(struct judge *judge, const struct subject *subject, size_t hosts)
{
    struct vt_fleet *fleet = judge->fleet;
    struct vt_fleet_oddity *oddity = vt_memory_append(fleet->oddities, fleet->oddity_count);
    if (!oddity)
        return NULL;
    *oddity = (struct vt_fleet_oddity){
        .hosts = calloc(hosts, sizeof *oddity->hosts),
        .cells = calloc(subject->cell_count, sizeof *oddity->cells),
        .cell_count = subject->cell_count,
        .whole_class = subject->cell_count > 1,
        .members = subject->hosts,
    };
    if (!oddity->hosts || !oddity->cells)
        return NULL;
    memcpy(oddity->cells, subject->cells, subject->cell_count * sizeof *oddity->cells);
    return oddity;
}

/* The suspects of one subject, one direction. */
static int judge_subject(struct judge *judge, size_t s, bool slower, const struct point **suspects)
{
    size_t count = 0;
    for (size_t i = 0; i < judge->far_count; i++) {
        const struct point *p = &judge->points[i];
        if (p->subject == s && p->far > far_off && (p->z > 0) == slower &&
            !is_told(judge->fleet, &judge->subjects[s], p->host))
            suspects[count++] = p;
    }
    /* More than that are not the exception: another group. */
    if (count > judge->subjects[s].hosts / 3)
        return 0;
    count = convict(judge, suspects, count);
    if (count == 0)
        return 0;
    struct vt_fleet_oddity *oddity = new_oddity(judge, &judge->subjects[s], count);
    if (!oddity)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++)
        oddity->hosts[oddity->host_count++] = (struct vt_fleet_odd){suspects[i]->host, suspects[i]->ratio};
    return 0;
}

static int judge_subjects(struct judge *judge)
{
    const struct point **suspects = calloc(judge->fleet->host_count + 1, sizeof *suspects);
    int status = suspects ? 0 : -ENOMEM;
    measure_subjects(judge);
    for (size_t s = 0; s < judge->subject_count && status == 0 && judge->far_count; s++) {
        status = judge_subject(judge, s, true, suspects);
        status = status ? status : judge_subject(judge, s, false, suspects);
    }
    free(suspects);
    return status;
}

static int judge_cases(struct judge *judge)
{
    for (size_t i = 0; i < judge->cell_count; i++)
        judge->subjects[i] = (struct subject){.cells = &judge->at[i], .cell_count = 1};
    judge->subject_count = judge->cell_count;
    return judge_subjects(judge);
}

/* Texts are interned. */
static bool shares_class(const struct vt_fleet_cell *x, const struct vt_fleet_cell *y)
{
    return x->engine == y->engine && x->cpl == y->cpl && x->vcpus == y->vcpus && x->depth == y->depth &&
           x->simulated == y->simulated && x->path == y->path && x->unit == y->unit && x->group == y->group &&
           x->class == y->class;
}

static int judge_classes(struct judge *judge)
{
    judge->subject_count = 0;
    for (size_t i = 0, length; i < judge->cell_count; i += length) {
        for (length = 1; i + length < judge->cell_count && shares_class(judge->at[i], judge->at[i + length]);)
            length++;
        if (length > 1)
            judge->subjects[judge->subject_count++] = (struct subject){&judge->at[i], length, 0};
    }
    return judge_subjects(judge);
}

static int by_class(const void *a, const void *b)
{
    const struct vt_fleet_cell *x = *(const struct vt_fleet_cell *const *)a,
                               *y = *(const struct vt_fleet_cell *const *)b;
    int order = vt_fleet_compare_roads(x, y);
    order = order ? order : strcmp(x->group, y->group);
    order = order ? order : strcmp(x->class ? x->class : "", y->class ? y->class : "");
    return order ? order : (x > y) - (x < y);
}

static int prepare(struct judge *judge)
{
    struct vt_fleet *fleet = judge->fleet;
    size_t values = 0;
    judge->at = calloc(fleet->cell_count + 1, sizeof *judge->at);
    if (!judge->at)
        return -ENOMEM;
    for (size_t i = 0; i < fleet->cell_count; i++) {
        values += fleet->cells[i].count;
        if (fleet->cells[i].count >= VT_FLEET_LEAST && fleet->cells[i].status == VT_STATUS_OK)
            judge->at[judge->cell_count++] = &fleet->cells[i];
    }
    if (judge->cell_count)
        qsort(judge->at, judge->cell_count, sizeof *judge->at, by_class);
    judge->subjects = calloc(judge->cell_count + 1, sizeof *judge->subjects);
    judge->points = calloc(values + 1, sizeof *judge->points);
    judge->work = calloc(fleet->host_count + 1, sizeof *judge->work);
    judge->suspects = calloc(fleet->host_count + 1, sizeof *judge->suspects);
    return judge->subjects && judge->points && judge->work && judge->suspects ? 0 : -ENOMEM;
}

int vt_fleet_judge(struct vt_fleet *fleet)
{
    struct judge judge = {.fleet = fleet};
    int status = prepare(&judge);
    if (status == 0)
        count_far(&judge);
    status = status ? status : judge_hosts(&judge);
    status = status ? status : judge_cases(&judge);
    status = status ? status : judge_classes(&judge);
    free(judge.suspects);
    free(judge.work);
    free(judge.points);
    free(judge.subjects);
    free(judge.at);
    return status;
}
