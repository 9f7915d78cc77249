/* What the compiler and the catalogue expect of a C library. */
#include <stddef.h>
#include <string.h>

/* NOLINTBEGIN(readability-inconsistent-declaration-parameter-name): glibc names them otherwise. */

void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
    void *start = to;
    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
    return start;
}

void *memset(void *to, int value, size_t size)
{
    void *start = to;
    __asm__ volatile("rep stosb" : "+D"(to), "+c"(size) : "a"(value) : "memory");
    return start;
}

int strcmp(const char *a, const char *b)
{
    while (*a && *a == *b) {
        a++;
        b++;
    }
    return (unsigned char)*a - (unsigned char)*b;
}

/* NOLINTEND(readability-inconsistent-declaration-parameter-name) */
