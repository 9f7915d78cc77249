/*
 * "Did you mean …?": the nearest known name to one that is unknown.
 *
 *     struct vt_suggestion s = {.wanted = name};
 *     for (…)
 *         vt_suggest_offer(&s, table[i].name);
 *     vt_error_set(error, VT_EXIT_USAGE, EINVAL, "unknown case '%s'%s", name, vt_suggest_text(&s));
 */
#ifndef VT_BASE_SUGGEST_H
#define VT_BASE_SUGGEST_H

#include <stddef.h>

struct vt_suggestion {
    const char *wanted;
    const char *nearest; /* points to an offered name; NULL: none is near enough */
    size_t distance;     /* of nearest */
    char text[96];
};

/*
 * Optimal string alignment distance: insertions, deletions, replacements and swaps of neighbours.
 * Capitals count as small letters, which is how most names are mistyped that are right otherwise. Texts count
 * up to their 64th character.
 */
size_t vt_suggest_distance(const char *a, const char *b);

/* Keep `candidate` if it is nearer than what was offered so far. It must outlive the suggestion. */
void vt_suggest_offer(struct vt_suggestion *suggestion, const char *candidate);

/* "; did you mean 'NAME'?" or "", to be appended to a message. Lives as long as the suggestion. */
const char *vt_suggest_text(struct vt_suggestion *suggestion);

#endif
