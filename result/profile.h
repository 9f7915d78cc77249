/* The profile of a row, as a document has it: where the instructions of its toll were executed. */
#ifndef VT_RESULT_PROFILE_H
#define VT_RESULT_PROFILE_H

#include "result/result.h"

/*
 * Give `row` a copy of `profile`, or of its own accord none (NULL). A row that was `ok` and whose toll it
 * does not add up to is `unverified` from then on, and says by how much. 0 or -ENOMEM.
 */
int vt_result_set_profile(struct vt_result *result, struct vt_result_row *row,
                          const struct vt_profile *profile);

/* The row's toll less what the profile adds up to, in instructions per operation; 0 where they agree. */
double vt_result_profile_gap(const struct vt_result_row *row, const struct vt_profile *profile);

/* Does every chain lead to its root, every function to its name, and do they add up? */
bool vt_result_profile_is_sound(const struct vt_profile *profile);

/* A new reference. */
json_t *vt_result_profile_json(const struct vt_profile *profile);

#endif
