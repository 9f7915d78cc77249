#include "lab/profile/row.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

/* More pairs than a lab runs are looked at one by one only. */
#define MOST_TRIED 64

struct candidate {
    double toll;
    uint64_t interrupts;
    bool lost; /* it was not captured as a whole */
};

/* Pairs whose mean may be the toll: one, or two in the middle of an even number. */
struct choice {
    size_t pairs[2], count;
    double off; /* from the toll */
    uint64_t interrupts;
};

/* The two batches that would be pair `index` of a row that starts at batch `start`; false: they are not. */
static bool pair_at(const struct vt_capture *capture, const struct vt_profile_row *row, size_t start,
                    size_t index, struct vt_profile_pair *pair)
{
    bool swapped = row->alternates && index & 1;
    size_t first = start + 2 * index;

    if (first + 1 >= capture->batch_count)
        return false;
    pair->body = &capture->batches[first + swapped];
    pair->baseline = &capture->batches[first + !swapped];
    return pair->body->target == row->body && pair->baseline->target == row->baseline;
}

static bool fits(const struct vt_capture *capture, const struct vt_profile_row *row, size_t start)
{
    struct vt_profile_pair pair;

    for (size_t i = 0; i < row->pairs + row->skipped; i++)
        if (!pair_at(capture, row, start, i, &pair))
            return false;
    return true;
}

static struct candidate look_at(const struct vt_replay *replay, const struct vt_profile_row *row,
                                size_t start, size_t index)
{
    struct vt_profile_pair pair = {0};

    if (!pair_at(replay->capture, row, start, index, &pair))
        return (struct candidate){.lost = true};
    return (struct candidate){
        .toll = row->bodies[index] - row->baselines[index],
        .interrupts = vt_replay_interrupts(replay, pair.body) + vt_replay_interrupts(replay, pair.baseline),
        .lost = pair.body->failed || pair.baseline->failed,
    };
}

static struct choice choice_of(const struct vt_profile_row *row, const struct candidate *all, size_t one,
                               size_t other)
{
    bool lost = all[one].lost || all[other].lost;
    return (struct choice){
        .pairs = {one, other},
        .count = one == other ? 1 : 2,
        .off = lost ? INFINITY : fabs((all[one].toll + all[other].toll) / 2 - row->toll),
        .interrupts = all[one].interrupts + (one == other ? 0 : all[other].interrupts),
    };
}

/* The nearer to the toll; of those as near the one that fewer interrupts hit. */
static bool is_better(const struct choice *choice, const struct choice *than, double slack)
{
    return choice->off < than->off - slack ||
           (choice->off <= than->off + slack && choice->interrupts < than->interrupts);
}

/* Two only where no single one is the toll: a median of an odd number is one of them. */
static struct choice choose(const struct vt_profile_row *row, const struct candidate *all)
{
    struct choice best = choice_of(row, all, 0, 0);
    double slack = vt_profile_rounding(row->bodies[0]) + vt_profile_rounding(row->baselines[0]);

    for (size_t i = 1; i < row->pairs; i++) {
        struct choice one = choice_of(row, all, i, i);
        if (is_better(&one, &best, slack))
            best = one;
    }
    if (best.off <= slack + vt_profile_rounding(row->toll) || row->pairs > MOST_TRIED)
        return best;
    for (size_t i = 0; i < row->pairs; i++)
        for (size_t k = i + 1; k < row->pairs; k++) {
            struct choice two = choice_of(row, all, i, k);
            if (is_better(&two, &best, slack))
                best = two;
        }
    return best;
}

/* What the instructions that were recorded are off by, of the toll that a clock told. */
static double gap(const struct vt_profile *profile, const struct vt_profile_row *row)
{
    return fabs((double)profile->sum / (double)profile->operations - row->toll);
}

static int subtract(struct vt_profile *profile, struct vt_replay *replay, const struct vt_profile_row *row,
                    size_t start, const struct choice *choice)
{
    struct vt_profile_pair pairs[2];

    for (size_t i = 0; i < choice->count; i++)
        pair_at(replay->capture, row, start, choice->pairs[i], &pairs[i]);
    int status = vt_profile_subtract(profile, replay, pairs, choice->count);
    profile->operations = (int64_t)(row->iterations * choice->count);
    return status;
}

/*
 * Is another pair nearer to the toll by what was recorded? A hypervisor that computes the guest's clock does
 * so amid an exit: what hits it there before that is recorded with the batch that begins, and is in the clock
 * of the batch that ends. Any other clock and recording must be the same: a pair that contradicts itself is
 * no reason to look for another one.
 */
static int seek_nearer(struct vt_profile *profile, struct vt_replay *replay, const struct vt_profile_row *row,
                       size_t start, const struct candidate *all, struct choice *best)
{
    int status = 0;

    for (size_t i = 0; i < row->pairs && status == 0; i++) {
        struct choice one = choice_of(row, all, i, i);
        struct vt_profile other;
        if (i == best->pairs[0] || all[i].lost || gap(profile, row) <= vt_profile_rounding(row->toll))
            continue;
        status = subtract(&other, replay, row, start, &one);
        if (status == 0 && gap(&other, row) < gap(profile, row)) {
            vt_profile_release(profile);
            *profile = other;
            *best = one;
        } else {
            vt_profile_release(&other);
            status = status == -ENOENT ? 0 : status;
        }
    }
    return status;
}

static int make(struct vt_profile *profile, struct vt_replay *replay, const struct vt_profile_row *row,
                size_t start)
{
    struct candidate *all = calloc(row->pairs, sizeof *all);
    uint64_t interrupts = 0;

    if (!all)
        return -ENOMEM;
    for (size_t i = 0; i < row->pairs; i++) {
        all[i] = look_at(replay, row, start, i);
        interrupts += all[i].interrupts;
    }
    struct choice choice = choose(row, all);
    int status = subtract(profile, replay, row, start, &choice);
    if (status == 0 && row->computed && choice.count == 1 &&
        (status = seek_nearer(profile, replay, row, start, all, &choice)) != 0)
        vt_profile_release(profile);
    profile->interrupts_dropped = (int64_t)(interrupts - choice.interrupts);
    free(all);
    return status;
}

int vt_profile_make(struct vt_profile *profile, struct vt_replay *replay, size_t *cursor,
                    const struct vt_profile_row *row)
{
    const struct vt_capture *capture = replay->capture;
    size_t start = *cursor, batches = 2 * (row->pairs + row->skipped);

    *profile = (struct vt_profile){0};
    while (start + batches <= capture->batch_count && !fits(capture, row, start))
        start++;
    if (row->pairs == 0 || start + batches > capture->batch_count)
        return -ENOENT;
    *cursor = start + batches;
    return make(profile, replay, row, start + 2 * row->skipped);
}
