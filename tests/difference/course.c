#include "tests/difference/course.h"

#include "config.h"
#include "tests/unit/suite.h"

#include <stdio.h>
#include <stdlib.h>

#define SLOW    (JUDGE_KVM | JUDGE_TCG)
#define UNICORN (VT_HAVE_UNICORN ? JUDGE_UNICORN : 0)
#define NATIVE  (VT_ADDRESS_SANITIZER ? 0 : JUDGE_NATIVE)
#define FAST    (UNICORN | NATIVE)
#define STATES  20000
#define SAMPLE  1000 /* from a slow judge, of a form that a fast one judges, too */
#define SAMPLE3 5000 /* from ring 3, of a form that others judge at ring 0 */
#define TURN    32

/* A form whose states a judge mostly leaves out must not take all its time, and is given up in the end. */
#define WASTE      8
#define MOST_WASTE 64

unsigned difference_promise(void)
{
    const char *text = getenv("VT_ROUNDS");

    return text ? (unsigned)strtoul(text, NULL, 0) : STATES;
}

static unsigned wanted(const struct difference_course *course, const struct form *form)
{
    unsigned promise = difference_promise(), most = promise;

    if (!(form->judges & course->judge) || (course->takes && !course->takes(form)))
        return 0;
    if (course->judge & SLOW && form->judges & FAST)
        most = SAMPLE;
    else if (course->judge & JUDGE_USER)
        most = SAMPLE3;
    return promise < most ? promise : most;
}

static bool is_hopeless(const struct difference_tally *tally)
{
    return !tally->judged && tally->refused >= 10;
}

static bool is_done(const struct difference_course *course, size_t form)
{
    const struct difference_tally *tally = &course->tallies[form];
    unsigned want = wanted(course, &difference_forms[form]);

    return tally->judged >= want || tally->rounds >= want * MOST_WASTE || is_hopeless(tally);
}

static bool is_late(struct difference_course *course)
{
    struct timespec now;

    if (!course->seconds)
        return false;
    clock_gettime(CLOCK_MONOTONIC, &now);
    course->late = now.tv_sec - course->start.tv_sec >= (time_t)course->seconds;
    return course->late;
}

/* What a form has had of the judge's time, in states judged. */
static unsigned share(const struct difference_tally *tally)
{
    unsigned least = tally->rounds / WASTE;

    return tally->judged > least ? tally->judged : least;
}

static bool choose(struct difference_course *course)
{
    size_t best = difference_form_count;

    for (size_t i = 0; i < difference_form_count; i++)
        if (!is_done(course, i) &&
            (best == difference_form_count || share(&course->tallies[i]) < share(&course->tallies[best])))
            best = i;
    if (best == difference_form_count || is_late(course))
        return false;
    course->form = best;
    course->left = TURN;
    return true;
}

void difference_course_open(struct difference_course *course, enum judge judge, const char *name,
                            bool (*takes)(const struct form *form), unsigned seconds)
{
    *course = (struct difference_course){
        .name = name,
        .judge = judge,
        .takes = takes,
        .seed = difference_seed(),
        .seconds = getenv("VT_ROUNDS") ? 0 : seconds,
    };
    clock_gettime(CLOCK_MONOTONIC, &course->start);
}

/* Every form and round has its own. */
static uint64_t seed_of(uint64_t seed, size_t form, unsigned round)
{
    uint64_t state = seed ^ (uint64_t)form << 48 ^ (uint64_t)round << 16;

    return difference_random(&state);
}

bool difference_course_next(struct difference_course *course, size_t *form, uint64_t *seed)
{
    if (!course->left && !choose(course))
        return false;
    course->left--;
    *form = course->form;
    *seed = seed_of(course->seed, course->form, course->tallies[course->form].rounds++);
    return true;
}

static bool is_given_up(const struct difference_course *course, size_t form)
{
    return course->tallies[form].judged < wanted(course, &difference_forms[form]) && is_done(course, form);
}

unsigned difference_course_given_up(const struct difference_course *course)
{
    unsigned count = 0;

    for (size_t i = 0; i < difference_form_count; i++)
        count += is_given_up(course, i);
    return count;
}

static void say_form(const struct difference_course *course, size_t form)
{
    const struct difference_tally *tally = &course->tallies[form];

    if (tally->judged)
        printf("# judged: %s: %s %u\n", difference_forms[form].name, course->name, tally->judged);
    if (tally->different || is_given_up(course, form))
        printf("# %s: %u states made, %u judged by %s, %u different, %u not done, %u not to be judged\n",
               difference_forms[form].name, tally->rounds, tally->judged, course->name, tally->different,
               tally->refused, tally->ignored);
}

unsigned difference_course_say(const struct difference_course *course)
{
    unsigned total = 0;

    for (size_t i = 0; i < difference_form_count; i++) {
        say_form(course, i);
        total += course->tallies[i].judged;
    }
    if (course->late)
        printf("# late: %s: time was over after %u s\n", course->name, course->seconds);
    printf("# %u states compared\n", total);
    return total;
}
