/*
 * Lists that grow.
 */
#ifndef VT_BASE_MEMORY_H
#define VT_BASE_MEMORY_H

#include <stddef.h>

/*
 * The list, moved perhaps, with room for `more` items of `size` bytes behind the `count` it holds. NULL:
 * there is no memory, and the list is as it was. What room it has follows from `count`, which keeps no book
 * of it: a list that grows here starts here, with NULL and 0.
 */
void *vt_memory_grow(void *list, size_t count, size_t more, size_t size);

/* Where the next item of a list goes, which `list` and `count` (both variables) then hold; NULL: as above. */
#define vt_memory_append(list, count)                                                                        \
    ({                                                                                                       \
        __typeof__(list) vt_grown = vt_memory_grow(list, count, 1, sizeof *vt_grown);                        \
        (list) = vt_grown ? vt_grown : (list);                                                               \
        vt_grown ? &vt_grown[(count)++] : NULL;                                                              \
    })

#endif
