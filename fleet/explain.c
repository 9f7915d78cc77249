#include "show/escape.h"
#include "fleet/format/format.h"
#include "fleet/state.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *known(const char *fact)
{
    return fact ? fact : "unknown";
}

/* Hosts on either side of a question, by index. */
enum side { NEITHER, ODD, OTHER };

static unsigned char *new_sides(const struct vt_fleet *fleet)
{
    return calloc(fleet->host_count + 1, sizeof(unsigned char));
}

static unsigned char *sides_of_group(const struct vt_fleet *fleet, const char *group)
{
    unsigned char *sides = new_sides(fleet);
    for (size_t i = 0; sides && i < fleet->host_count; i++)
        sides[i] = fleet->hosts[i].group == group ? OTHER : NEITHER;
    return sides;
}

static size_t count_side(const struct vt_fleet *fleet, const unsigned char *sides, enum side side)
{
    size_t count = 0;
    for (size_t i = 0; i < fleet->host_count; i++)
        count += sides[i] == side;
    return count;
}

static size_t count_having(const struct vt_fleet *fleet, const unsigned char *sides, enum side side,
                           size_t fact, const char *value)
{
    size_t have = 0;
    for (size_t i = 0; i < fleet->host_count; i++)
        have += sides[i] == side && fleet->hosts[i].facts[fact] == value;
    return have;
}

/* The value most of a side have, and how many do; if more than half have one, it is that. */
static const char *common_fact(const struct vt_fleet *fleet, const unsigned char *sides, enum side side,
                               size_t fact, size_t *have)
{
    const char *best = NULL;
    size_t votes = 0;
    /* Boyer and Moore's majority vote finds it if there is one; then it is counted. */
    for (size_t i = 0; i < fleet->host_count; i++) {
        if (sides[i] != side)
            continue;
        if (votes == 0)
            best = fleet->hosts[i].facts[fact];
        votes += fleet->hosts[i].facts[fact] == best ? 1 : (size_t)-1;
    }
    *have = count_having(fleet, sides, side, fact, best);
    return best;
}

void vt_fleet_explain(const struct vt_fleet *fleet, const struct vt_fleet_host *host, char *text, size_t size)
{
    unsigned char *sides = sides_of_group(fleet, host->group);
    size_t members = sides ? count_side(fleet, sides, OTHER) : 0, have;
    text[0] = '\0';
    for (size_t i = 0; members && i < VT_FLEET_FACTS; i++) {
        const char *usual = common_fact(fleet, sides, OTHER, i, &have);
        if (2 * have <= members || host->facts[i] == usual)
            continue;
        vt_text_append(text, size, "%s%s is %.80s (", *text ? "; " : "", vt_fleet_fact_names[i],
                       known(host->facts[i]));
        if (usual)
            vt_text_append(text, size, "%zu %% have %.80s)", 100 * have / members, usual);
        else
            vt_text_append(text, size, "unknown on %zu %%)", 100 * have / members);
    }
    vt_text_clean(text, strlen(text)); /* a fact may have been cut in the middle of a character */
    free(sides);
}

/* Most of them have it, hardly any other has: chance puts single hosts on either side. */
static bool tells_apart(size_t have, size_t odd, size_t others_have, size_t others)
{
    return 5 * have >= 3 * odd && 10 * others_have <= others;
}

static void explain_sides(const struct vt_fleet *fleet, const unsigned char *sides, char *text, size_t size)
{
    size_t odd = count_side(fleet, sides, ODD), others = count_side(fleet, sides, OTHER), have;
    for (size_t fact = 0; fact < VT_FLEET_FACTS; fact++) {
        const char *value = common_fact(fleet, sides, ODD, fact, &have);
        size_t others_have = count_having(fleet, sides, OTHER, fact, value);
        if (!tells_apart(have, odd, others_have, others))
            continue;
        vt_text_append(text, size, "%s%s is %.80s on %zu of %zu, and on %zu of %zu others", *text ? "; " : "",
                       vt_fleet_fact_names[fact], known(value), have, odd, others_have, others);
    }
    vt_text_clean(text, strlen(text));
}

void vt_fleet_explain_oddity(const struct vt_fleet *fleet, const struct vt_fleet_oddity *oddity, char *text,
                             size_t size)
{
    unsigned char *sides = sides_of_group(fleet, fleet->hosts[oddity->hosts[0].host].group);
    text[0] = '\0';
    for (size_t i = 0; sides && i < oddity->host_count; i++)
        sides[oddity->hosts[i].host] = ODD;
    if (sides)
        explain_sides(fleet, sides, text, size);
    free(sides);
}

static void place(unsigned char *sides, const struct vt_fleet_cell *cell, enum side side)
{
    for (size_t i = 0; i < cell->count; i++)
        sides[cell->values[i].host] = (unsigned char)side;
}

static bool are_all(const unsigned char *sides, const struct vt_fleet_cell *cell, enum side side)
{
    for (size_t i = 0; i < cell->count; i++)
        if (sides[cell->values[i].host] != (unsigned char)side)
            return false;
    return true;
}

void vt_fleet_explain_way(const struct vt_fleet *fleet, const struct vt_fleet_split *split, size_t way,
                          char *text, size_t size)
{
    unsigned char *sides = new_sides(fleet);
    text[0] = '\0';
    if (!sides)
        return;
    place(sides, split->ways[0], OTHER);
    if (are_all(sides, split->ways[way], OTHER)) {
        vt_text_append(text, size, "in other results they cross as most do");
    } else {
        place(sides, split->ways[way], ODD);
        explain_sides(fleet, sides, text, size);
    }
    free(sides);
}

void vt_fleet_explain_gap(const struct vt_fleet *fleet, const struct vt_fleet_gap *gap, char *text,
                          size_t size)
{
    unsigned char *sides = sides_of_group(fleet, fleet->hosts[gap->hosts[0]].group);
    text[0] = '\0';
    for (size_t i = 0; sides && i < gap->host_count; i++)
        sides[gap->hosts[i]] = ODD;
    if (sides)
        explain_sides(fleet, sides, text, size);
    free(sides);
}
