#include "ab/ab.h"
#include "base/memory.h"
#include "lab/fetch/workspace.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/random.h>

enum { TURN_MS = 20, PAIRS_BEFORE = 20, PAIRS_BETWEEN = 10 };

struct trial {
    const struct vt_ab_plan *plan;
    struct vt_ab_runs *runs;
    struct vt_ab_turn turn;
    bool touched; /* setting B was made, as far as it came */
};

static bool toss_a_coin(void)
{
    unsigned char byte = 0;
    return getrandom(&byte, 1, 0) == 1 && (byte & 1);
}

static void settle(const struct vt_ab_plan *plan)
{
    for (double left = plan->settle * 1000; left > 0 && !(plan->stop && *plan->stop); left -= TURN_MS)
        poll(NULL, 0, left < TURN_MS ? (int)left + 1 : TURN_MS);
}

/* What a reader of the document must know of it. */
static void note(struct vt_result *result, const struct vt_ab_setting *setting, size_t pair, bool first)
{
    if (!result->settings)
        result->settings = json_object();
    json_object_set_new(result->settings, "ab",
                        json_pack("{s:s%, s:s, s:I, s:b}", "setting", &setting->name, (size_t)1, "text",
                                  setting->text, "pair", (json_int_t)pair + 1, "first", first));
}

static int take_turn(struct trial *trial, int side, bool first, struct vt_result **result,
                     struct vt_error *error)
{
    const struct vt_ab_plan *plan = trial->plan;
    const struct vt_ab_setting *setting = &plan->settings[side];
    trial->touched |= side == 1;
    int status = vt_ab_apply(setting, plan->stop, error);
    if (status != 0)
        return status;
    if (setting->kind == VT_AB_COMMAND)
        settle(plan);
    status = vt_ab_measure(setting, &trial->turn, plan->stop, result, error);
    if (status == 0)
        note(*result, setting, trial->runs->count, first);
    return status;
}

static int take_pair(struct trial *trial, int first, struct vt_error *error)
{
    struct vt_result *results[2] = {NULL, NULL};
    struct vt_ab_runs *runs = trial->runs;
    int status = 0;
    for (int turn = 0; turn < 2 && status == 0; turn++) {
        int side = turn == 0 ? first : 1 - first;
        status = take_turn(trial, side, turn == 0, &results[side], error);
    }
    if (status != 0) {
        vt_result_free(results[0]);
        vt_result_free(results[1]);
        return status;
    }
    for (int side = 0; side < 2; side++)
        runs->runs[side][runs->count] = results[side];
    runs->count++;
    return 0;
}

/* Asked seldom, for each question is another chance to end too early. */
static bool is_enough(const struct trial *trial)
{
    const struct vt_ab_plan *plan = trial->plan;
    size_t count = trial->runs->count;
    return plan->enough && count >= PAIRS_BEFORE && count % PAIRS_BETWEEN == 0 &&
           plan->enough(plan->context, trial->runs);
}

/* Of two pairs that follow one another the second begins with what the first ended with. */
static int take_pairs(struct trial *trial, struct vt_error *error)
{
    const struct vt_ab_plan *plan = trial->plan;
    int status = 0, first = 0;
    for (size_t pair = 0; pair < plan->pairs && status == 0 && !is_enough(trial); pair++) {
        if (plan->progress)
            plan->progress(plan->context, pair, plan->pairs);
        first = pair % 2 ? 1 - first : toss_a_coin();
        status = take_pair(trial, first, error);
    }
    trial->runs->interrupted = status == -EINTR;
    return status == -EINTR && trial->runs->count ? 0 : status;
}

static int open_runs(struct vt_ab_runs *runs, size_t pairs, struct vt_error *error)
{
    *runs =
        (struct vt_ab_runs){.runs = {calloc(pairs, sizeof **runs->runs), calloc(pairs, sizeof **runs->runs)}};
    return runs->runs[0] && runs->runs[1] ? 0 : vt_error_memory(error, "the runs");
}

int vt_ab_run(struct vt_ab_runs *runs, const struct vt_ab_plan *plan, struct vt_error *restored,
              struct vt_error *error)
{
    struct vt_workspace workspace = {0};
    struct trial trial = {.plan = plan, .runs = runs, .turn = {plan->selection, plan->turn, NULL}};
    char *file = NULL;
    *restored = (struct vt_error){0};
    int status = open_runs(runs, plan->pairs, error);
    if (status != 0)
        return status;
    status = vt_workspace_open(&workspace, error);
    if (status != 0)
        return status;
    trial.turn.file = file = vt_workspace_path(workspace.folder, "turn.json");
    status = file ? take_pairs(&trial, error) : vt_error_memory(error, "a name");
    /* Asked to stop or not: the machine is left as A makes it. */
    if (trial.touched)
        vt_ab_apply(&plan->settings[0], NULL, restored);
    free(file);
    vt_workspace_close(&workspace);
    return status;
}

void vt_ab_release(struct vt_ab_runs *runs)
{
    for (int side = 0; side < 2; side++) {
        for (size_t i = 0; i < runs->count && runs->runs[side]; i++)
            vt_result_free(runs->runs[side][i]);
        free(runs->runs[side]);
    }
    *runs = (struct vt_ab_runs){0};
}
