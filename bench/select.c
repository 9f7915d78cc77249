#include "bench/select.h"
#include "base/suggest.h"

#include <ctype.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* A set of named things to choose from; `take` marks item `index`. */
struct choice {
    const char *what; /* "case": for messages */
    const char *command;
    size_t count;
    const char *(*name)(size_t index);
    bool patterns;
};

static const char *case_name(size_t index)
{
    size_t count;
    return vt_guest_cases(&count)[index].name;
}

static const char *engine_name(size_t index)
{
    size_t count;
    return vt_bench_engines(&count)[index]->name;
}

static const char *path_name(size_t index)
{
    return vt_path_name((enum vt_path)index);
}

static const char *const level_names[] = {"0", "3"};

static const char *level_name(size_t index)
{
    return level_names[index];
}

static bool matches(const struct choice *choice, const char *word, size_t index)
{
    const char *name = choice->name(index);
    return choice->patterns ? fnmatch(word, name, 0) == 0 : strcmp(word, name) == 0;
}

static bool matches_any(const struct choice *choice, const char *word)
{
    for (size_t i = 0; i < choice->count; i++)
        if (matches(choice, word, i))
            return true;
    return false;
}

static void lower(const char *word, char *text, size_t size)
{
    size_t length = strnlen(word, size - 1);
    for (size_t i = 0; i < length; i++)
        text[i] = (char)tolower((unsigned char)word[i]);
    text[length] = '\0';
}

/* All names are in small letters, patterns as well. */
static int unknown(const struct choice *choice, const char *word, struct vt_error *error)
{
    struct vt_suggestion suggestion = {.wanted = word};
    char small[64];
    lower(word, small, sizeof small);
    if (matches_any(choice, small))
        vt_suggest_offer(&suggestion, small);
    for (size_t i = 0; i < choice->count; i++)
        vt_suggest_offer(&suggestion, choice->name(i));
    return vt_error_set(error, VT_EXIT_USAGE, EINVAL, "unknown %s '%s'%s (see %s)", choice->what, word,
                        vt_suggest_text(&suggestion), choice->command);
}

static int take_word(const struct choice *choice, const char *word, bool *taken, struct vt_error *error)
{
    bool any = false;
    for (size_t i = 0; i < choice->count; i++)
        if (matches(choice, word, i))
            taken[i] = any = true;
    return any ? 0 : unknown(choice, word, error);
}

/* taken[i] becomes true for each item that a word of `list` names; all of them without a list. */
static int choose(const struct choice *choice, const char *list, bool *taken, struct vt_error *error)
{
    int status = 0;
    char *words = strdup(list ? list : "");

    if (!words)
        return vt_error_memory(error, "the selection");
    for (size_t i = 0; i < choice->count; i++)
        taken[i] = !list;
    char *rest = words;
    while (list && status == 0 && rest)
        status = take_word(choice, strsep(&rest, ","), taken, error);
    free(words);
    return status;
}

/* The chosen items as an array of pointers, each made by `item`. */
static int collect(const struct choice *choice, const char *list, const void *(*item)(size_t),
                   const void ***items, size_t *count, struct vt_error *error)
{
    bool *taken = calloc(choice->count, sizeof *taken);
    *items = calloc(choice->count, sizeof **items);
    *count = 0;
    if (!taken || !*items) {
        free(taken);
        free(*items);
        *items = NULL;
        return vt_error_memory(error, "the selection");
    }
    int status = choose(choice, list, taken, error);
    for (size_t i = 0; status == 0 && i < choice->count; i++)
        if (taken[i])
            (*items)[(*count)++] = item(i);
    free(taken);
    if (status != 0) {
        free(*items);
        *items = NULL;
    }
    return status;
}

static int collect_bits(const struct choice *choice, const char *list, uint32_t *bits, struct vt_error *error)
{
    bool taken[32] = {false};
    int status = choose(choice, list, taken, error);
    *bits = 0;
    for (size_t i = 0; status == 0 && i < choice->count; i++)
        *bits |= (uint32_t)taken[i] << i;
    return status;
}

static const void *case_item(size_t index)
{
    size_t count;
    return &vt_guest_cases(&count)[index];
}

static const void *engine_item(size_t index)
{
    size_t count;
    return vt_bench_engines(&count)[index];
}

int vt_select_cases(const char *list, const struct vt_case ***cases, size_t *count, struct vt_error *error)
{
    struct choice choice = {
        .what = "case", .command = "vmtoll list cases", .name = case_name, .patterns = true};
    vt_guest_cases(&choice.count);
    return collect(&choice, list, case_item, (const void ***)cases, count, error);
}

static int select_engines(const char *list, const struct vt_engine ***engines, size_t *count,
                          struct vt_error *error)
{
    struct choice choice = {.what = "engine", .command = "vmtoll list engines", .name = engine_name};
    vt_bench_engines(&choice.count);
    return collect(&choice, list, engine_item, (const void ***)engines, count, error);
}

static int select_paths(const char *list, uint32_t *paths, struct vt_error *error)
{
    struct choice choice = {
        .what = "path", .command = "vmtoll list paths", .name = path_name, .count = VT_PATHS};
    return collect_bits(&choice, list, paths, error);
}

static int select_levels(const char *list, uint32_t *levels, struct vt_error *error)
{
    struct choice choice = {
        .what = "privilege level", .command = "vmtoll bench --help", .name = level_name, .count = 2};
    uint32_t chosen;
    int status = collect_bits(&choice, list, &chosen, error);
    *levels = (chosen & 1) | (chosen >> 1 & 1) << 3;
    return status;
}

int vt_select(const struct vt_selection *selection, struct vt_plan *plan, struct vt_error *error)
{
    int status =
        vt_select_cases(selection->cases, (const struct vt_case ***)&plan->cases, &plan->case_count, error);
    if (status == 0)
        status = select_engines(selection->engines, (const struct vt_engine ***)&plan->engines,
                                &plan->engine_count, error);
    if (status == 0)
        status = select_paths(selection->paths, &plan->paths, error);
    if (status == 0)
        status = select_levels(selection->levels, &plan->levels, error);
    return status;
}

void vt_select_release(struct vt_plan *plan)
{
    free((void *)plan->cases);
    free((void *)plan->engines);
    plan->cases = NULL;
    plan->engines = NULL;
}
