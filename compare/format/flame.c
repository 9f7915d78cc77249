#include "compare/format/flame.h"
#include "compare/functions.h"
#include "show/flame.h"
#include "show/pen/markup.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BEFORE, AFTER, SIDES };

/* A chain of one side or of both; callers stand before what they call. */
struct node {
    int32_t parent, function; /* function: index of a match */
    double self[SIDES], all[SIDES];
    bool there[SIDES];
};

struct tree {
    const struct vt_profile *profiles[SIDES];
    struct vt_function_matches matches;
    int32_t *functions[SIDES]; /* which match a side's is */
    struct node *nodes;
    size_t count;
    int32_t *buckets; /* of nodes, by parent and function */
    size_t bucket_count;
};

static void release(struct tree *tree)
{
    vt_compare_release_matches(&tree->matches);
    free(tree->functions[BEFORE]);
    free(tree->functions[AFTER]);
    free(tree->nodes);
    free(tree->buckets);
}

static bool open_tree(struct tree *tree, const struct vt_compared *row)
{
    size_t stacks = row->before->profile->stack_count + row->after->profile->stack_count;

    *tree = (struct tree){.profiles = {row->before->profile, row->after->profile}};
    tree->bucket_count = 2 * stacks + 1;
    tree->buckets = malloc(tree->bucket_count * sizeof *tree->buckets);
    tree->nodes = calloc(stacks + 1, sizeof *tree->nodes);
    for (int side = 0; side < SIDES; side++)
        tree->functions[side] =
            calloc(tree->profiles[side]->function_count + 1, sizeof *tree->functions[side]);
    if (!tree->buckets || !tree->nodes || !tree->functions[BEFORE] || !tree->functions[AFTER] ||
        vt_compare_match_functions(row, &tree->matches) != 0)
        return false;
    memset(tree->buckets, 0xff, tree->bucket_count * sizeof *tree->buckets);
    for (size_t i = 0; i < tree->matches.count; i++) {
        const struct vt_function_match *match = &tree->matches.list[i];
        if (match->before >= 0)
            tree->functions[BEFORE][match->before] = (int32_t)i;
        if (match->after >= 0)
            tree->functions[AFTER][match->after] = (int32_t)i;
    }
    return true;
}

static int32_t child(struct tree *tree, int32_t parent, int32_t function)
{
    size_t slot =
        ((size_t)(uint32_t)parent * 2654435761u ^ (size_t)(uint32_t)function * 40503u) % tree->bucket_count;

    for (; tree->buckets[slot] >= 0; slot = (slot + 1) % tree->bucket_count) {
        const struct node *node = &tree->nodes[tree->buckets[slot]];
        if (node->parent == parent && node->function == function)
            return tree->buckets[slot];
    }
    tree->nodes[tree->count] = (struct node){.parent = parent, .function = function};
    return tree->buckets[slot] = (int32_t)tree->count++;
}

/* Of the first `known` nodes. */
static int32_t first_of(const struct tree *tree, size_t known, int32_t function)
{
    for (size_t i = 0; i < known; i++)
        if (tree->nodes[i].function == function)
            return (int32_t)i;
    return -1;
}

enum { MOST_ROOTS = 64 /* that are looked for; a profile has some */ };

/* Callers that add nothing are left out of a profile: what is lowest on one side may be higher on the other.
 */
static bool add_side(struct tree *tree, int side)
{
    const struct vt_profile *profile = tree->profiles[side];
    int32_t *places = calloc(profile->stack_count + 1, sizeof *places);
    size_t known = tree->count, roots = 0;

    for (size_t i = 0; places && i < profile->stack_count; i++) {
        const struct vt_profile_stack *stack = &profile->stacks[i];
        int32_t function = tree->functions[side][stack->function];
        places[i] = -1;
        if (stack->parent < 0 && roots++ < MOST_ROOTS)
            places[i] = first_of(tree, known, function);
        if (places[i] < 0)
            places[i] = child(tree, stack->parent < 0 ? -1 : places[stack->parent], function);
        struct node *node = &tree->nodes[places[i]];
        node->self[side] += (double)stack->self / (double)profile->operations;
        node->there[side] = true;
    }
    free(places);
    return places;
}

/* The side with the longer chains first, for the other's to be found in them. */
static int longer_side(const struct tree *tree)
{
    const struct vt_profile *after = tree->profiles[AFTER];
    if (tree->profiles[BEFORE]->stack_count == 0)
        return AFTER;
    int32_t lowest = tree->functions[BEFORE][tree->profiles[BEFORE]->stacks[0].function];
    for (size_t i = 0; i < after->stack_count; i++)
        if (after->stacks[i].parent >= 0 && tree->functions[AFTER][after->stacks[i].function] == lowest)
            return AFTER;
    return BEFORE;
}

static void add_up(struct tree *tree)
{
    for (size_t i = tree->count; i-- > 0;)
        for (int side = 0; side < SIDES; side++) {
            struct node *node = &tree->nodes[i];
            node->all[side] += node->self[side];
            if (node->parent >= 0)
                tree->nodes[node->parent].all[side] += node->all[side];
        }
}

static const struct vt_profile_function *function_of(const struct tree *tree, const struct node *node)
{
    const struct vt_function_match *match = &tree->matches.list[node->function];
    return match->after >= 0 ? &tree->profiles[AFTER]->functions[match->after]
                             : &tree->profiles[BEFORE]->functions[match->before];
}

static double grown(const double counts[SIDES])
{
    double difference = counts[AFTER] - counts[BEFORE];
    return fabs(difference) < 1e-9 * fmax(1, fabs(counts[AFTER])) ? 0 : difference;
}

static void put_title(const void *context, size_t index, FILE *stream)
{
    const struct tree *tree = context;
    const struct node *node = &tree->nodes[index];
    const struct vt_profile_function *function = function_of(tree, node);

    vt_markup(stream, "%s (%s)%s: %.10g instructions", function->name, function->module,
              node->there[BEFORE] ? node->there[AFTER] ? "" : ", gone" : ", new", node->all[AFTER]);
    if (grown(node->all) != 0)
        fprintf(stream, ", %+.10g", grown(node->all));
    if (grown(node->self) != 0)
        fprintf(stream, "; itself %.10g, %+.10g", node->self[AFTER], grown(node->self));
}

static double width_of(const struct node *node)
{
    return fmax(0, fmax(node->self[BEFORE], node->self[AFTER]));
}

/* "+108 kvm_lapic_update_cr8_intercept": not by colour alone. */
static char *name_of(const struct tree *tree, const struct node *node)
{
    char *name = NULL;
    double difference = grown(node->self);
    const char *function = function_of(tree, node)->name;
    int size =
        difference != 0 ? asprintf(&name, "%+.4g %s", difference, function) : asprintf(&name, "%s", function);
    return size >= 0 ? name : NULL;
}

static void draw(const struct tree *tree, FILE *stream)
{
    struct vt_flame_frame *frames = calloc(tree->count + 1, sizeof *frames);
    struct vt_flame flame = {
        .frames = frames,
        .count = tree->count,
        .label =
            "Flame graph of the difference: callers below what they call; the table holds the same functions",
        .title = put_title,
        .context = tree,
    };
    bool whole = frames != NULL;

    for (size_t i = 0; whole && i < tree->count; i++) {
        const struct node *node = &tree->nodes[i];
        double difference = grown(node->self);
        frames[i] = (struct vt_flame_frame){node->parent, name_of(tree, node),
                                            difference > 0   ? "grew"
                                            : difference < 0 ? "shrank"
                                                             : "same",
                                            width_of(node)};
        whole = frames[i].name;
    }
    if (whole)
        vt_flame_draw(&flame, stream);
    for (size_t i = 0; frames && i < tree->count; i++)
        free((char *)frames[i].name);
    free(frames);
}

static bool add_sides(struct tree *tree, int first)
{
    bool added = add_side(tree, first);

    if (added)
        added = add_side(tree, !first);
    return added;
}

void vt_compare_flame(const struct vt_compared *row, FILE *stream)
{
    struct tree tree;

    if (open_tree(&tree, row) && add_sides(&tree, longer_side(&tree))) {
        add_up(&tree);
        draw(&tree, stream);
    }
    release(&tree);
}
