#include "lab/profile/row.h"
#include "base/memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Exits have some hundred chains; a machine that makes up more fills no document. */
#define MOST_STACKS 8192

/* The tree that was walked while it becomes a profile's; arrays by node, one allocation each. */
struct tree {
    const struct vt_walk *walk;
    int64_t *self; /* of the first `counted` nodes */
    size_t counted;
    bool *used;            /* it or what it calls has instructions */
    int32_t *first, *next; /* children, -1: none */
    int32_t *place;        /* of functions: in the profile, -1: not yet */
    int32_t *active;       /* of functions: how often on the chain at hand */
};

static void release(struct tree *tree)
{
    free(tree->self);
    free(tree->used);
    free(tree->first);
    free(tree->next);
    free(tree->place);
    free(tree->active);
}

static int allocate(struct tree *tree)
{
    size_t nodes = tree->walk->node_count, functions = tree->walk->symbols->function_count + 1;

    tree->used = calloc(nodes, sizeof *tree->used);
    tree->first = malloc(nodes * sizeof *tree->first);
    tree->next = malloc(nodes * sizeof *tree->next);
    tree->place = malloc(functions * sizeof *tree->place);
    tree->active = calloc(functions, sizeof *tree->active);
    if (!tree->used || !tree->first || !tree->next || !tree->place || !tree->active)
        return -ENOMEM;
    memset(tree->first, 0xff, nodes * sizeof *tree->first);
    memset(tree->next, 0xff, nodes * sizeof *tree->next);
    memset(tree->place, 0xff, functions * sizeof *tree->place);
    return 0;
}

static int compare_functions(const struct tree *tree, int32_t left, int32_t right)
{
    const struct vt_function *functions = tree->walk->symbols->functions;
    const struct vt_function *a = &functions[left], *b = &functions[right];
    int order = strcmp(a->module, b->module);
    return order ? order : strcmp(a->name, b->name);
}

/* Among its siblings by name, so that the order is the same whatever else was measured before. */
static void hang(struct tree *tree, int32_t node)
{
    const struct vt_node *nodes = tree->walk->nodes;
    int32_t *link = &tree->first[nodes[node].parent];

    while (*link >= 0 && compare_functions(tree, nodes[*link].function, nodes[node].function) < 0)
        link = &tree->next[*link];
    tree->next[node] = *link;
    *link = node;
}

/* Parents have lower numbers than what they call. Returns how many nodes have instructions. */
static size_t find_used(struct tree *tree)
{
    size_t used = 0;

    for (size_t i = tree->walk->node_count; i-- > 1;) {
        tree->used[i] |= tree->self[i] != 0;
        if (tree->used[i])
            tree->used[tree->walk->nodes[i].parent] = true;
        used += tree->used[i];
    }
    return used;
}

static void grow(struct tree *tree)
{
    for (size_t i = tree->walk->node_count; i-- > 1;)
        if (tree->used[i])
            hang(tree, (int32_t)i);
}

/* Who called without executing anything that differs tells nothing. */
static int32_t skip_callers(const struct tree *tree, int32_t node)
{
    while (tree->self[node] == 0 && tree->first[node] >= 0 && tree->next[tree->first[node]] < 0)
        node = tree->first[node];
    return node;
}

static int32_t place_function(struct vt_profile *profile, struct tree *tree, int32_t function)
{
    if (tree->place[function] < 0) {
        const struct vt_function *named = &tree->walk->symbols->functions[function];
        tree->place[function] = (int32_t)profile->function_count;
        profile->functions[profile->function_count++] =
            (struct vt_profile_function){.name = named->name, .module = named->module};
    }
    return tree->place[function];
}

/* Add the chain that ends in `node` and what it calls; returns all their instructions. */
static int64_t visit(struct vt_profile *profile, struct tree *tree, int32_t node, int32_t parent)
{
    int32_t function = tree->walk->nodes[node].function;
    int32_t index = place_function(profile, tree, function), at = (int32_t)profile->stack_count;
    int64_t all = tree->self[node];

    profile->stacks[profile->stack_count++] = (struct vt_profile_stack){parent, index, tree->self[node]};
    tree->active[function]++;
    for (int32_t below = tree->first[node]; below >= 0; below = tree->next[below])
        all += visit(profile, tree, below, at);
    tree->active[function]--;
    profile->functions[index].self += tree->self[node];
    if (tree->active[function] == 0)
        profile->functions[index].inclusive += all;
    return all;
}

/* The capture and its names go; the profile stays. */
static int copy_names(struct vt_profile *profile)
{
    size_t size = 1;
    for (size_t i = 0; i < profile->function_count; i++)
        size += strlen(profile->functions[i].name) + strlen(profile->functions[i].module) + 2;
    char *text = profile->texts = malloc(size);
    if (!text)
        return -ENOMEM;
    for (size_t i = 0; i < profile->function_count; i++) {
        struct vt_profile_function *function = &profile->functions[i];
        const char *name = function->name, *module = function->module;
        function->name = text;
        text = stpcpy(text, name) + 1;
        function->module = text;
        text = stpcpy(text, module) + 1;
    }
    return 0;
}

static int fill(struct vt_profile *profile, struct tree *tree)
{
    size_t nodes = find_used(tree);
    if (nodes > MOST_STACKS)
        return -ENOENT;
    grow(tree);
    *profile = (struct vt_profile){
        .stacks = calloc(nodes + 1, sizeof *profile->stacks),
        .functions = calloc(tree->walk->symbols->function_count + 1, sizeof *profile->functions),
    };
    if (!profile->stacks || !profile->functions)
        return -ENOMEM;
    for (int32_t root = tree->first[0]; root >= 0; root = tree->next[root])
        profile->sum += visit(profile, tree, skip_callers(tree, root), -1);
    for (size_t i = 0; i < profile->function_count; i++)
        if (strcmp(profile->functions[i].module, VT_PROFILE_UNKNOWN) == 0)
            profile->unattributed += profile->functions[i].self;
    return copy_names(profile);
}

/* Add what one batch counted, `sign` times. */
static int add_batch(struct tree *tree, struct vt_replay *replay, const struct vt_capture_batch *batch,
                     int64_t sign)
{
    if (!vt_replay_batch(replay, batch))
        return -ENOENT;
    size_t nodes = replay->walk.node_count;
    int64_t *more = vt_memory_grow(tree->self, tree->counted, nodes - tree->counted, sizeof *more);
    if (!more)
        return -ENOMEM;
    tree->self = more;
    memset(more + tree->counted, 0, (nodes - tree->counted) * sizeof *more);
    tree->counted = nodes;
    for (size_t i = 0; i < nodes; i++)
        more[i] += sign * replay->walk.counts[i];
    return 0;
}

int vt_profile_subtract(struct vt_profile *profile, struct vt_replay *replay,
                        const struct vt_profile_pair *pairs, size_t count)
{
    struct tree tree = {.walk = &replay->walk};
    int status = count > 0 ? 0 : -ENOENT;

    *profile = (struct vt_profile){0};
    for (size_t i = 0; status == 0 && i < count; i++) {
        status = add_batch(&tree, replay, pairs[i].body, 1);
        if (status == 0)
            status = add_batch(&tree, replay, pairs[i].baseline, -1);
    }
    if (status == 0)
        status = allocate(&tree);
    if (status == 0)
        status = fill(profile, &tree);
    release(&tree);
    if (status != 0)
        vt_profile_release(profile);
    return status;
}
