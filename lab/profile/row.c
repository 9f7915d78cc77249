#include "lab/profile/row.h"

#include <errno.h>
#include <math.h>

/* Documents keep six digits of what one operation takes. */
#define ROUNDED 5e-6

struct pair {
    const struct vt_capture_batch *body, *baseline;
};

/* The two batches that would be pair `index` of a row that starts at batch `start`; false: they are not. */
static bool pair_at(const struct vt_capture *capture, const struct vt_profile_row *row, size_t start,
                    size_t index, struct pair *pair)
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
    struct pair pair;

    for (size_t i = 0; i < row->pairs + row->skipped; i++)
        if (!pair_at(capture, row, start, i, &pair))
            return false;
    return true;
}

static uint64_t interrupts_of(const struct vt_replay *replay, const struct pair *pair)
{
    return vt_replay_interrupts(replay, pair->body) + vt_replay_interrupts(replay, pair->baseline);
}

/* Of pairs as near to the toll as another, the one that no interrupt hit. */
static struct pair choose(const struct vt_replay *replay, const struct vt_profile_row *row, size_t start,
                          uint64_t *dropped)
{
    struct pair best = {0};
    double least = INFINITY;
    uint64_t fewest = 0, all = 0;

    for (size_t i = 0; i < row->pairs; i++) {
        struct pair pair = {0};
        pair_at(replay->capture, row, start, i, &pair);
        double off = fabs(row->bodies[i] - row->baselines[i] - row->toll);
        uint64_t interrupts = interrupts_of(replay, &pair);
        double slack = ROUNDED * fmax(1, fabs(row->bodies[i]));
        all += interrupts;
        if (off < least - slack || (off <= least + slack && interrupts < fewest)) {
            best = pair;
            least = off;
            fewest = interrupts;
        }
    }
    *dropped = all - fewest;
    return best;
}

int vt_profile_make(struct vt_profile *profile, struct vt_replay *replay, size_t *cursor,
                    const struct vt_profile_row *row)
{
    const struct vt_capture *capture = replay->capture;
    size_t start = *cursor, batches = 2 * (row->pairs + row->skipped);
    uint64_t dropped;

    *profile = (struct vt_profile){0};
    while (start + batches <= capture->batch_count && !fits(capture, row, start))
        start++;
    if (row->pairs == 0 || start + batches > capture->batch_count)
        return -ENOENT;
    *cursor = start + batches;
    struct pair pair = choose(replay, row, start + 2 * row->skipped, &dropped);
    int status = vt_profile_subtract(profile, replay, pair.body, pair.baseline);
    profile->operations = (int64_t)row->iterations;
    profile->interrupts_dropped = (int64_t)dropped;
    return status;
}
