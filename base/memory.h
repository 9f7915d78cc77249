/*
 * Lists that grow, and memory that ran out in another process.
 */
#ifndef VT_BASE_MEMORY_H
#define VT_BASE_MEMORY_H

#include <stdbool.h>
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

/*
 * Did a process that this program forked end, by its wait status, because memory ran out? The program does so
 * with VT_EXIT_ENVIRONMENT (cli/memory.c); ld.so, where a thread's data are wanted, with a status of its own.
 */
bool vt_memory_ended(int status);

/* Asks for more than there is, so that this process ends where that one did, if a program is to. */
void vt_memory_follow(void);

#endif
