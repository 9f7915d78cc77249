#include "guest/image/road.h"

#include "guest/image/image.h"

struct measured {
    uint64_t ticks[2][VT_IMAGE_PAIRS];
    uint64_t count[2][VT_ROAD_COUNTS];
    uint64_t vectors[2][32];
};

static void say_head(const struct vt_case *c, const struct vt_image_road *road, const char *status)
{
    vt_image_say("@row ");
    vt_image_say(c->name);
    vt_image_say(" ");
    vt_image_say(road->name);
    vt_image_say(" ");
    vt_image_say(status);
}

static void refuse(const struct vt_case *c, const struct vt_image_road *road, const char *reason)
{
    say_head(c, road, "unsupported ");
    vt_image_say(reason);
    vt_image_say("\n");
}

static void say_end(const struct vt_case *c, const struct vt_image_road *road,
                    const struct vt_road_batch *batch)
{
    static const char *const words[] = {[VT_ROAD_FAULT] = "fault ",
                                        [VT_ROAD_TIMEOUT] = "timeout ",
                                        [VT_ROAD_HALTED] = "halted ",
                                        [VT_ROAD_BROKEN] = "broken "};

    say_head(c, road, words[batch->end]);
    vt_image_say_number(batch->vector);
    vt_image_say("\n");
}

static uint64_t batch_length(const struct vt_case *c)
{
    return c->max_iterations && c->max_iterations < VT_IMAGE_ITERATIONS ? c->max_iterations
                                                                        : VT_IMAGE_ITERATIONS;
}

static void add(struct measured *m, int twin, int pair, const struct vt_road_batch *batch)
{
    m->ticks[twin][pair] = batch->tsc[1] - batch->tsc[0];
    for (size_t i = 0; i < VT_ROAD_COUNTS; i++)
        m->count[twin][i] += batch->count[i];
    for (size_t i = 0; i < 32; i++)
        m->vectors[twin][i] += batch->vectors[i];
}

/* The first batch of each twin is thrown away: it finds cold translations. */
static bool measure(const struct vt_case *c, const struct vt_image_road *road, struct measured *m)
{
    static struct vt_road_batch batch;

    *m = (struct measured){0};
    for (int pair = -1; pair < VT_IMAGE_PAIRS; pair++)
        for (int twin = 0; twin < 2; twin++) {
            road->batch(c, twin == 0, batch_length(c), &batch);
            if (batch.end != VT_ROAD_DONE) {
                say_end(c, road, &batch);
                return false;
            }
            if (pair >= 0)
                add(m, twin, pair, &batch);
        }
    return true;
}

static void say_count(const char *name, uint64_t body, uint64_t baseline)
{
    vt_image_say(" ");
    vt_image_say(name);
    vt_image_say(" ");
    vt_image_say_number(body);
    vt_image_say(" ");
    vt_image_say_number(baseline);
}

static void say_vectors(const struct measured *m)
{
    static const char digits[] = "0123456789";

    for (size_t i = 0; i < 32; i++)
        if (m->vectors[0][i] || m->vectors[1][i]) {
            const char name[] = {'#', digits[i / 10], digits[i % 10], 0};
            say_count(name, m->vectors[0][i], m->vectors[1][i]);
        }
}

/* ": traps 700 0 #13 700 0 bare 800 100": counters and vectors of all bodies and of all baselines; ticks of
 * so many bare crossings. */
static void say_evidence(const struct vt_image_road *road, const struct measured *m)
{
    uint64_t crossings = 0, ticks = road->bare ? road->bare(&crossings) : 0;

    vt_image_say(" :");
    for (size_t i = 0; i < VT_ROAD_COUNTS && road->counts[i]; i++)
        say_count(road->counts[i], m->count[0][i], m->count[1][i]);
    say_vectors(m);
    if (ticks)
        say_count("bare", ticks, crossings);
}

static void run(const struct vt_case *c, const struct vt_image_road *road)
{
    static struct measured m;

    if (!vt_guest_has_row(c, road->rows))
        return;
    const char *reason = road->refuse();

    if (!reason)
        reason = road->why_not(c);
    if (reason) {
        refuse(c, road, reason);
        return;
    }
    if (!measure(c, road, &m))
        return;
    say_head(c, road, "ok ");
    vt_image_say_number(batch_length(c));
    for (int pair = 0; pair < VT_IMAGE_PAIRS; pair++)
        for (int twin = 0; twin < 2; twin++) {
            vt_image_say(" ");
            vt_image_say_number(m.ticks[twin][pair]);
        }
    say_evidence(road, &m);
    vt_image_say("\n");
}

void vt_image_run_roads(const struct vt_case *c, const struct vt_image_choice *choice)
{
    size_t count;
    const struct vt_image_road *const *roads = vt_image_roads(&count);

    for (size_t i = 0; i < count; i++)
        if (vt_image_takes(choice, roads[i]->name))
            run(c, roads[i]);
}
