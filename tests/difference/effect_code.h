/*
 * Code beside the cases that writes down what one turn left behind, for engines in this process and for
 * images.
 *
 * The recorder is called in place of a loop's end, with R11 the scratch block and RBP the stack a turn began
 * with; it changes flags and one word below the stack pointer. The handler notes the frame it finds in the
 * buffer, which starts with the bytes to skip and the size of the error code.
 */
#ifndef VT_TESTS_DIFFERENCE_EFFECT_CODE_H
#define VT_TESTS_DIFFERENCE_EFFECT_CODE_H

#include "guest/abi.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

_Static_assert(offsetof(struct vt_scratch, sink) == 0xf8, "known to the assembly");
_Static_assert(offsetof(struct vt_scratch, buffer) == 0x140, "known to the assembly");
_Static_assert(offsetof(struct vt_scratch, hypercall) == 0x1140, "known to the assembly");

/* Stands once in a program. */
#define EFFECT_CODE                                                                                          \
    __asm__(".pushsection vt_cases, \"ax\", @progbits\n"                                                     \
            "    .globl effect_record, effect_handler\n"                                                     \
            "effect_record:\n"                                                                               \
            "    mov %rax, 0xf8(%r11)\n"                                                                     \
            "    pushfq\n"                                                                                   \
            "    popq 0x128(%r11)\n"                                                                         \
            "    mov %rdi, 0x1140(%r11)\n"                                                                   \
            "    mov %rsi, 0x1148(%r11)\n"                                                                   \
            "    mov %rbp, 0x1158(%r11)\n"                                                                   \
            "    mov %r10, 0x1160(%r11)\n"                                                                   \
            "    lea 8(%rsp), %rax\n"                                                                        \
            "    sub %rbp, %rax\n"                                                                           \
            "    mov %rax, 0x130(%r11)\n"                                                                    \
            "    jns 1f\n"                                                                                   \
            "    mov 8(%rsp), %rax\n"                                                                        \
            "    mov %rax, 0x1150(%r11)\n"                                                                   \
            "1:  mov 0xf8(%r11), %rax\n"                                                                     \
            "    ret\n"                                                                                      \
            "effect_handler:\n"                                                                              \
            "    mov %rax, 0x150(%r11)\n"                                                                    \
            "    mov 0x148(%r11), %rax\n"                                                                    \
            "    test %rax, %rax\n"                                                                          \
            "    jz 1f\n"                                                                                    \
            "    pop %rax\n"                                                                                 \
            "    mov %rax, 0x158(%r11)\n"                                                                    \
            "1:  mov (%rsp), %rax\n"                                                                         \
            "    mov %rax, 0x160(%r11)\n"                                                                    \
            "    mov 8(%rsp), %rax\n"                                                                        \
            "    mov %rax, 0x168(%r11)\n"                                                                    \
            "    mov 16(%rsp), %rax\n"                                                                       \
            "    mov %rax, 0x170(%r11)\n"                                                                    \
            "    mov 24(%rsp), %rax\n"                                                                       \
            "    mov %rax, 0x178(%r11)\n"                                                                    \
            "    mov 32(%rsp), %rax\n"                                                                       \
            "    mov %rax, 0x180(%r11)\n"                                                                    \
            "    mov 0x140(%r11), %rax\n"                                                                    \
            "    add %rax, (%rsp)\n"                                                                         \
            "    mov 0x150(%r11), %rax\n"                                                                    \
            "    iretq\n"                                                                                    \
            ".popsection\n");

extern const uint8_t effect_record[], effect_handler[];

static inline bool effect_are_equal(const uint8_t *a, const uint8_t *b, size_t size)
{
    while (size && *a == *b)
        a++, b++, size--;
    return size == 0;
}

/* The end of a body: DEC R10, a short or near JNZ, and the first store to the sink. */
static inline uint8_t *effect_find_end(uint8_t *at, const uint8_t *end, size_t *room)
{
    static const uint8_t store[] = {0x49, 0x89, 0x83, offsetof(struct vt_scratch, sink), 0, 0, 0};
    static const uint8_t count[] = {0x49, 0xff, 0xca};

    for (; at + sizeof store + 9 <= end; at++) {
        *room = at[3] == 0x75 ? 5 : 9;
        if (effect_are_equal(at, count, sizeof count) && effect_are_equal(at + *room, store, sizeof store))
            return at;
    }
    return NULL;
}

/* Let the body call the recorder at its end. */
static inline bool effect_patch_body(uint8_t *body, const uint8_t *end, const uint8_t *record)
{
    size_t room;
    uint8_t *at = effect_find_end(body, end, &room);

    if (!at)
        return false;
    int32_t distance = (int32_t)(record - (at + 5));
    __builtin_memset(at, 0x90, room);
    at[0] = 0xe8;
    __builtin_memcpy(at + 1, &distance, sizeof distance);
    return true;
}

#endif
