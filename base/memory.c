#include "base/memory.h"
#include "base/error.h"

#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>

enum { LEAST = 4, LOADER_FAILED = 127 };

/* The power of two that holds `count`, at most half of what there are numbers for. */
static size_t room_of(size_t count)
{
    return count <= LEAST ? LEAST
                          : (size_t)1 << (sizeof count * CHAR_BIT - (size_t)__builtin_clzl(count - 1));
}

void *vt_memory_grow(void *list, size_t count, size_t more, size_t size)
{
    size_t wanted, bytes;
    if (__builtin_add_overflow(count, more, &wanted) || wanted > SIZE_MAX / 2 ||
        __builtin_mul_overflow(room_of(wanted), size, &bytes))
        return NULL;
    return list && room_of(wanted) == room_of(count) ? list : realloc(list, bytes);
}

bool vt_memory_ended(int status)
{
    return WIFEXITED(status) &&
           (WEXITSTATUS(status) == VT_EXIT_ENVIRONMENT || WEXITSTATUS(status) == LOADER_FAILED);
}

/* A compiler leaves out a malloc whose memory is only freed. */
void vt_memory_follow(void)
{
    volatile size_t too_much = PTRDIFF_MAX;
    void *volatile none = malloc(too_much);
    free(none);
}
