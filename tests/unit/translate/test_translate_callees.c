/*
 * Random programs of short functions, which the translator puts in their calls' place, native and translated:
 * branches within them, calls of one another, flags that go in and come out, returns to other places.
 */
#include "tests/unit/suite.h"
#include "tests/unit/fuzzed.h"
#include "tests/unit/translate/translated.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FUNCTIONS 6
#define TURNS     6
#define SEEDS     1500

struct writer {
    uint8_t code[4096];
    size_t at;
    uint64_t random;
    size_t function[FUNCTIONS + 1];
};

static struct translated world;

static unsigned below(struct writer *w, unsigned limit)
{
    return (unsigned)(fuzzed_random(&w->random) >> 8) % limit;
}

static void put(struct writer *w, const char *bytes, size_t size)
{
    memcpy(w->code + w->at, bytes, size);
    w->at += size;
}
#define PUT(w, bytes) put(w, bytes, sizeof(bytes) - 1)

static void put_distance(struct writer *w, size_t target)
{
    uint32_t distance = (uint32_t)(target - (w->at + 4));
    put(w, (const char *)&distance, sizeof distance);
}

static void plain(struct writer *w)
{
    static const struct {
        char bytes[5];
        uint8_t size;
    } forms[] = {
        {"\x01\xd8", 2},         /* add eax, ebx */
        {"\x11\xd1", 2},         /* adc ecx, edx */
        {"\x19\xc6", 2},         /* sbb esi, eax */
        {"\x29\xf8", 2},         /* sub eax, edi */
        {"\x31\xc3", 2},         /* xor ebx, eax */
        {"\x48\x0f\xaf\xc1", 4}, /* imul rax, rcx */
        {"\xff\xc2", 2},         /* inc edx */
        {"\x48\xd1\xc0", 3},     /* rol rax, 1 */
        {"\x48\x8d\x0c\x50", 4}, /* lea rcx, [rax + rdx * 2] */
        {"\xf8", 1},             /* clc */
        {"\xf9", 1},             /* stc */
        {"\x0f\x92\xc1", 3},     /* setb cl */
        {"\x48\x0f\x45\xd0", 4}, /* cmovne rdx, rax */
        {"\x50\x5a", 2},         /* push rax; pop rdx */
        {"\x48\x8b\x45\x10", 4}, /* mov rax, [rbp + 16] */
        {"\x48\x11\x4d\x18", 4}, /* adc [rbp + 24], rcx */
        {"\x0f\x1f\x40\x00", 4}, /* nop */
    };
    size_t i = below(w, sizeof forms / sizeof forms[0]);
    put(w, forms[i].bytes, forms[i].size);
}

/* Jcc over a few, which may hold a return. */
static void branch(struct writer *w)
{
    size_t at;

    w->code[w->at++] = (uint8_t)(0x70 | below(w, 16));
    at = w->at++;
    for (unsigned n = below(w, 3) + 1; n > 0; n--)
        plain(w);
    if (below(w, 2))
        PUT(w, "\xc3");
    w->code[at] = (uint8_t)(w->at - at - 1);
}

/* Direct, through a register that stays, or through one that is set here. */
static void call(struct writer *w, unsigned function)
{
    size_t target = w->function[function];

    switch (below(w, 4)) {
    case 0:
        PUT(w, "\x4c\x8d\x15"); /* lea r10, [rip + ...]; call r10 */
        put_distance(w, target);
        PUT(w, "\x41\xff\xd2");
        break;
    case 1:
        PUT(w, "\x41\xff\xd6\x4d\x87\xfe"); /* call r14; xchg r14, r15 */
        break;
    default:
        PUT(w, "\xe8");
        put_distance(w, target);
    }
}

/* Now and then a function returns behind the instruction it should: add qword [rsp], 3 over ADC EAX, 100. */
static void end_function(struct writer *w)
{
    if (below(w, 6) == 0)
        PUT(w, "\x73\x05\x48\x83\x04\x24\x03"); /* jnc over it */
    PUT(w, "\xc3");
}

/* Last to first; each calls those behind it. The last two call none, and R14 and R15 lead to them. */
static void write_function(struct writer *w, unsigned function)
{
    if (below(w, 2))
        w->at = (w->at + 15) & ~(size_t)15;
    w->function[function] = w->at;
    for (unsigned n = below(w, 5); n > 0; n--) {
        if (below(w, 3) == 0)
            branch(w);
        else
            plain(w);
    }
    if (function + 2 < FUNCTIONS && below(w, 2)) {
        call(w, function + 1 + below(w, FUNCTIONS - function - 1));
        PUT(w, "\x83\xd0\x64"); /* adc eax, 100 */
        plain(w);
    }
    end_function(w);
}

static void write_main(struct writer *w)
{
    size_t top;

    PUT(w, "\xc7\x45\x00"); /* mov dword ptr [rbp], TURNS */
    put(w, (const char[]){TURNS, 0, 0, 0}, 4);
    PUT(w, "\x4c\x8d\x35"); /* lea r14, [rip + ...] */
    put_distance(w, w->function[FUNCTIONS - 1]);
    PUT(w, "\x4c\x8d\x3d"); /* lea r15, [rip + ...] */
    put_distance(w, w->function[FUNCTIONS - 2]);
    top = w->at;
    for (int i = 0; i < 5; i++) {
        call(w, below(w, FUNCTIONS));
        PUT(w, "\x83\xd0\x64");
        plain(w);
    }
    PUT(w, "\xff\x4d\x00\x0f\x85"); /* dec dword ptr [rbp]; jnz top */
    put_distance(w, top);
    PUT(w, "\xc3");
}

static void write_program(struct writer *w, uint64_t seed)
{
    memset(w, 0xcc, sizeof *w);
    w->at = 5;
    w->random = seed * UINT64_C(0x9e3779b97f4a7c15);
    for (unsigned function = FUNCTIONS; function-- > 0;)
        write_function(w, function);
    size_t start = w->at, end;
    write_main(w);
    end = w->at;
    w->at = 0;
    PUT(w, "\xe9");
    put_distance(w, start);
    w->at = end;
}

static uint64_t setting(const char *name, uint64_t standard)
{
    const char *text = getenv(name);
    return text ? strtoull(text, NULL, 0) : standard;
}

START_TEST(short_functions_do_the_same_translated)
{
    uint64_t first = setting("VT_SEED", 1), seeds = setting("VT_ROUNDS", SEEDS);
    struct writer w;

    translated_open(&world, 0);
    for (uint64_t seed = first; seed < first + seeds; seed++) {
        char name[32];
        snprintf(name, sizeof name, "seed %llu", (unsigned long long)seed);
        write_program(&w, seed);
        vt_translate_flush(world.translate);
        translated_both(&world, name, w.code, w.at);
    }
    translated_close(&world);
}
END_TEST

VT_SUITE(short_functions_do_the_same_translated)
