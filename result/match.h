/*
 * Finds in one result what another has measured as well.
 *
 *     struct vt_result_matcher after;
 *     vt_result_match_start(&after, result);
 *     while (...)
 *         const struct vt_result_row *other = vt_result_match(&after, row);
 *     vt_result_match_end(&after);
 */
#ifndef VT_RESULT_MATCH_H
#define VT_RESULT_MATCH_H

#include "result/result.h"

struct vt_result_matcher {
    const struct vt_result *result;
    const struct vt_result_row **rows; /* by what they measure */
    size_t next;                       /* behind the row found last: results list their rows in one order */
};

/* 0, or -ENOMEM. On success vt_result_match_end must follow; the result outlives it. */
int vt_result_match_start(struct vt_result_matcher *matcher, const struct vt_result *result);
void vt_result_match_end(struct vt_result_matcher *matcher);

/*
 * The row that measured the same thing on the same road in the same unit, or NULL.
 * Of several it is the next one behind that found last, so that pairs stay in order.
 */
const struct vt_result_row *vt_result_match(struct vt_result_matcher *matcher,
                                            const struct vt_result_row *row);

#endif
