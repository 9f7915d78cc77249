/* What was captured as one thing many times counts as if each time had been captured by itself. */
#include "base/error.h"
#include "lab/profile/replay.h"
#include "tests/unit/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char symbols_text[] = "ffff0000 T enter\n"
                                   "ffff0100 T handle_exit\t[kvm]\n"
                                   "ffff0200 t decode\t[kvm]\n"
                                   "ffff0300 T asm_sysvec_timer\n";

/*
 * An exit that is answered, one that a timer hits, and one whose handler jumps where it was not called from:
 * behind that the next one begins with another stack.
 */
static const char recorded[] = "r\n"
                               "i 2001 1 0\n"     /* 1: the guest's */
                               "i ffff0005 5 2\n" /* 2: calls */
                               "i ffff0100 1 0\n"
                               "i ffff0101 1 3\n" /* 4: returns */
                               "i ffff000a 2 1\n" /* 5: jumps to 6 */
                               "i ffff0000 1 0\n"
                               "i ffff0001 3 6\n" /* 7: VMRUN */
                               "i ffff0300 1 0\n" /* 8: the timer's */
                               "i ffff0301 1 5\n"
                               "i ffff0200 1 1\n" /* 10: a jump */
                               "s 1:1 2:1 3:2 5:1 6:2\n"
                               "s 1:1 2:1 3:1 8:2 4:1 5:1 6:2\n"
                               "s 1:1 2:1 3:1 10:1 6:2\n";

struct counted {
    struct vt_capture capture;
    struct vt_symbols symbols;
    struct vt_replay replay;
};

static void count(struct counted *counted, const char *batch)
{
    struct vt_error error;
    char text[8192];

    ck_assert_int_lt(snprintf(text, sizeof text, "%s%s", recorded, batch), (int)sizeof text);
    ck_assert_int_eq(vt_capture_read(&counted->capture, text, &error), 0);
    ck_assert_int_eq(vt_symbols_read(&counted->symbols, strdup(symbols_text)), 0);
    ck_assert_int_eq(
        vt_replay_open(&counted->replay, &counted->capture, &counted->symbols, VT_REPLAY_VIRTUALIZED), 0);
    ck_assert(vt_replay_batch(&counted->replay, &counted->capture.batches[0]));
}

static void release(struct counted *counted)
{
    vt_replay_release(&counted->replay);
    vt_symbols_release(&counted->symbols);
    vt_capture_release(&counted->capture);
}

static int64_t total(const struct vt_walk *walk)
{
    int64_t sum = 0;
    for (size_t i = 0; i < walk->node_count; i++)
        sum += walk->counts[i];
    return sum;
}

/* `count` times leg `leg`, as one or one by one. */
static size_t print_legs(char *text, const char *leg, int count, bool as_one)
{
    size_t length = 0;

    if (as_one)
        return (size_t)sprintf(text, " %s:%d", leg, count);
    for (int i = 0; i < count; i++)
        length += (size_t)sprintf(text + length, " %s:1", leg);
    return length;
}

static void print_batch(char *text, int times, bool as_one)
{
    static const char *const legs[] = {"3:0", "2:1", "2:2", "2:0", "0:0"};

    text += sprintf(text, "b 2000 0");
    for (size_t i = 0; i < sizeof legs / sizeof legs[0]; i++)
        text += print_legs(text, legs[i], times, as_one);
    sprintf(text, " 2:-1:1\n");
}

static void ck_same(const struct vt_walk *one, const struct vt_walk *other)
{
    ck_assert_uint_eq(one->node_count, other->node_count);
    ck_assert_uint_eq(one->interrupts, other->interrupts);
    for (size_t i = 0; i < one->node_count; i++) {
        ck_assert_int_eq(one->nodes[i].parent, other->nodes[i].parent);
        ck_assert_int_eq(one->nodes[i].function, other->nodes[i].function);
        ck_assert_int_eq(one->counts[i], other->counts[i]);
    }
}

START_TEST(a_leg_taken_often_counts_as_often)
{
    static const int times[] = {1, 2, 3, 4, 50};

    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        struct counted one, other;
        char text[4096];
        print_batch(text, times[i], true);
        count(&one, text);
        print_batch(text, times[i], false);
        count(&other, text);
        ck_same(&one.replay.walk, &other.replay.walk);
        /* The guest's and the hypervisor's, but for the instruction that each exit stopped. */
        ck_assert_int_eq(total(&one.replay.walk),
                         times[i] * ((3 + 6) + (2 + 8) + (2 + 5) + (2 + 6) + (0 + 6) - 5) + 2);
        release(&one);
        release(&other);
    }
}
END_TEST

/* A hypervisor that calls and never returns has a stack that grows: nothing of it is taken for steady. */
START_TEST(a_stack_that_grows_is_walked_through)
{
    struct counted one;
    char text[64];

    sprintf(text, "b 2000 0 2:2:40 2:-1:1\n");
    count(&one, text);
    ck_assert_uint_gt(one.replay.walk.places[0].depth, 40);
    ck_assert_int_eq(total(&one.replay.walk), 40 * (2 - 1 + 5) + 2);
    release(&one);
}
END_TEST

VT_SUITE(a_leg_taken_often_counts_as_often, a_stack_that_grows_is_walked_through)
