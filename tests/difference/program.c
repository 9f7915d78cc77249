#include "tests/difference/program.h"

#include <stdlib.h>
#include <string.h>

#define FUNCTIONS 6
#define CASES     4

/* Layout of the data. The first half belongs to loads and stores, the rest to counters. */
#define COUNTERS 3072

enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI };

struct writer {
    uint8_t *code;
    size_t at;
    uint64_t random;
    size_t function[FUNCTIONS]; /* where each starts, once written */
    unsigned counters;
};

/* splitmix64 (Steele, Lea, Flood, 2014) */
static uint64_t next(struct writer *w)
{
    uint64_t z = w->random += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static unsigned below(struct writer *w, unsigned limit)
{
    return (unsigned)(next(w) % limit);
}

static void put(struct writer *w, uint8_t byte)
{
    w->code[w->at++] = byte;
}

static void put_all(struct writer *w, const char *bytes, size_t size)
{
    memcpy(w->code + w->at, bytes, size);
    w->at += size;
}
#define PUT(w, bytes) put_all(w, bytes, sizeof(bytes) - 1)

static void put_32(struct writer *w, uint32_t value)
{
    memcpy(w->code + w->at, &value, sizeof value);
    w->at += sizeof value;
}

/* A 32-bit displacement to be filled in when the target is known. */
static size_t hole(struct writer *w)
{
    put_32(w, 0);
    return w->at - 4;
}

static void fill(struct writer *w, size_t at, size_t target)
{
    uint32_t value = (uint32_t)(target - (at + 4));
    memcpy(w->code + at, &value, sizeof value);
}

/* Any register but RSP and RBP. */
static unsigned reg(struct writer *w)
{
    unsigned r;
    do
        r = below(w, 16);
    while (r == RSP || r == RBP);
    return r;
}

static unsigned rex(unsigned wide, unsigned r, unsigned b)
{
    return 0x40 | wide << 3 | (r >> 3) << 2 | b >> 3;
}

/* Operand-size prefix, REX, opcode, ModRM with two registers; 8-bit forms have an even opcode. */
static void two_registers(struct writer *w, bool escape, uint8_t opcode, bool byte)
{
    unsigned a = reg(w), b = reg(w), size = below(w, 3);

    if (size == 0 && !byte)
        put(w, 0x66);
    put(w, (uint8_t)rex(size == 2, a, b));
    if (escape)
        put(w, 0x0f);
    put(w, opcode);
    put(w, (uint8_t)(0xc0 | (a & 7) << 3 | (b & 7)));
}

/* The same with memory at RBP, sometimes through GS, whose base is 0. */
static void register_and_memory(struct writer *w, bool escape, uint8_t opcode, bool byte)
{
    unsigned a = reg(w), size = below(w, 3);

    if (below(w, 4) == 0)
        put(w, 0x65);
    if (size == 0 && !byte)
        put(w, 0x66);
    put(w, (uint8_t)rex(size == 2, a, 0));
    if (escape)
        put(w, 0x0f);
    put(w, opcode);
    put(w, (uint8_t)(0x85 | (a & 7) << 3));
    put_32(w, below(w, COUNTERS - 64));
}

static void arithmetic(struct writer *w)
{
    uint8_t opcode = (uint8_t)(below(w, 8) << 3 | below(w, 4));

    if (below(w, 2) || (opcode & 7) < 2)
        two_registers(w, false, opcode, !(opcode & 1));
    else
        register_and_memory(w, false, opcode, !(opcode & 1));
}

static void store(struct writer *w)
{
    static const uint8_t opcodes[] = {0x00, 0x01, 0x11, 0x29, 0x31, 0x88, 0x89, 0x86, 0x87};
    uint8_t opcode = opcodes[below(w, sizeof opcodes)];
    register_and_memory(w, false, opcode, !(opcode & 1));
}

static void immediate(struct writer *w)
{
    unsigned r = reg(w);

    put(w, (uint8_t)rex(below(w, 2), 0, r));
    put(w, below(w, 2) ? 0x81 : 0x69);
    if (w->code[w->at - 1] == 0x69) {
        unsigned d = reg(w);
        w->code[w->at - 2] |= (uint8_t)((d >> 3) << 2);
        put(w, (uint8_t)(0xc0 | (d & 7) << 3 | (r & 7)));
    } else {
        put(w, (uint8_t)(0xc0 | below(w, 8) << 3 | (r & 7)));
    }
    put_32(w, (uint32_t)next(w));
}

/* Shifts and rotates by CL, 1 or an immediate: some counts leave flags alone, some undefined. */
static void shift(struct writer *w)
{
    static const uint8_t opcodes[] = {0xc0, 0xc1, 0xd0, 0xd1, 0xd2, 0xd3};
    uint8_t opcode = opcodes[below(w, sizeof opcodes)];
    unsigned r = reg(w), operation;

    do
        operation = below(w, 8);
    while (operation == 6);
    put(w, (uint8_t)rex(below(w, 2), 0, r));
    put(w, opcode);
    put(w, (uint8_t)(0xc0 | operation << 3 | (r & 7)));
    if (opcode < 0xd0)
        put(w, (uint8_t)next(w));
}

/* NOT, NEG, MUL, IMUL, INC, DEC */
static void unary(struct writer *w)
{
    static const uint8_t forms[][2] = {{0xf7, 2}, {0xf7, 3}, {0xf7, 4}, {0xf7, 5},
                                       {0xf6, 4}, {0xff, 0}, {0xff, 1}, {0xfe, 1}};
    const uint8_t *form = forms[below(w, 8)];
    unsigned r = reg(w);

    put(w, (uint8_t)rex(below(w, 2), 0, r));
    put(w, form[0]);
    put(w, (uint8_t)(0xc0 | form[1] << 3 | (r & 7)));
}

static void escape(struct writer *w)
{
    static const uint8_t opcodes[] = {0xa3, 0xab, 0xb3, 0xbb, 0xaf, 0xbc, 0xbd,
                                      0xa5, 0xad, 0xb1, 0xc1, 0xb6, 0xb7, 0xbe};
    uint8_t opcode = opcodes[below(w, sizeof opcodes)];
    two_registers(w, true, opcode, opcode == 0xb6 || opcode == 0xbe);
}

static void condition(struct writer *w)
{
    if (below(w, 2))
        two_registers(w, true, (uint8_t)(0x40 | below(w, 16)), false);
    else
        two_registers(w, true, (uint8_t)(0x90 | below(w, 16)), true);
}

/* AH to BH: no REX, the first eight registers, and RSP's and RBP's numbers mean something else. */
static void high_byte(struct writer *w)
{
    static const uint8_t opcodes[] = {0x00, 0x10, 0x28, 0x38, 0x88, 0x84};
    put(w, opcodes[below(w, sizeof opcodes)]);
    put(w, (uint8_t)(0xc0 | below(w, 8) << 3 | below(w, 8)));
}

static void flags(struct writer *w)
{
    static const uint8_t opcodes[] = {0x9e, 0x9f, 0xf5, 0xf8, 0xf9, 0x98, 0x99};
    put(w, opcodes[below(w, sizeof opcodes)]);
}

/* PUSHFQ, POP; or PUSH, keep the status flags alone, POPFQ. */
static void flags_image(struct writer *w)
{
    unsigned r = reg(w);

    if (below(w, 2)) {
        put(w, 0x9c);
        if (r >= 8)
            put(w, 0x41);
        put(w, (uint8_t)(0x58 | (r & 7)));
        return;
    }
    if (r >= 8)
        put(w, 0x41);
    put(w, (uint8_t)(0x50 | (r & 7)));
    PUT(w, "\x48\x81\x24\x24\xd5\x08\x00\x00"); /* and qword ptr [rsp], 0x8d5 */
    PUT(w, "\x48\x81\x0c\x24\x00\x02\x00\x00"); /* or qword ptr [rsp], 0x200 */
    put(w, 0x9d);
}

static void stack(struct writer *w)
{
    unsigned a = reg(w), b = reg(w);

    put(w, (uint8_t)(0x40 | a >> 3));
    put(w, (uint8_t)(0x50 | (a & 7)));
    put(w, (uint8_t)(0x40 | b >> 3));
    put(w, (uint8_t)(0x58 | (b & 7)));
}

static void relative(struct writer *w)
{
    unsigned r = reg(w);

    put(w, (uint8_t)rex(1, r, 0));
    put(w, below(w, 2) ? 0x8b : 0x8d); /* mov or lea, [rip + ...] */
    put(w, (uint8_t)(0x05 | (r & 7) << 3));
    put_32(w, 0 - below(w, 256));
}

static void string(struct writer *w)
{
    static const char operations[] = {'\xa4', '\xa5', '\xaa', '\xab', '\xa6', '\xae'};

    PUT(w, "\x48\x8d\xbd"); /* lea rdi, [rbp + ...] */
    put_32(w, 256 + below(w, 1024));
    PUT(w, "\x48\x8d\xb5"); /* lea rsi, [rbp + ...] */
    put_32(w, 256 + below(w, 1024));
    PUT(w, "\xb9"); /* mov ecx, ... */
    put_32(w, below(w, 24));
    bool down = below(w, 4) == 0;
    if (down)
        put(w, 0xfd);
    put(w, below(w, 2) ? 0xf3 : 0xf2);
    put(w, (uint8_t)operations[below(w, sizeof operations)]);
    if (down)
        put(w, 0xfc);
}

static void vector(struct writer *w)
{
    static const uint8_t opcodes[] = {0xef, 0xfe, 0xd4, 0x6f, 0x54, 0x57, 0xf4, 0x60, 0x70, 0x58, 0x59};
    uint8_t opcode = opcodes[below(w, sizeof opcodes)];
    unsigned a = below(w, 16), b = below(w, 16);

    if (below(w, 4) == 0) { /* movq xmm, r64 */
        unsigned r = reg(w);
        put(w, 0x66);
        put(w, (uint8_t)rex(1, a, r));
        PUT(w, "\x0f\x6e");
        put(w, (uint8_t)(0xc0 | (a & 7) << 3 | (r & 7)));
        return;
    }
    put(w, 0x66);
    put(w, (uint8_t)rex(0, a, b));
    put(w, 0x0f);
    put(w, opcode);
    put(w, (uint8_t)(0xc0 | (a & 7) << 3 | (b & 7)));
    if (opcode == 0x70)
        put(w, (uint8_t)next(w));
}

typedef void make(struct writer *w);

static void plain(struct writer *w)
{
    static make *const makes[] = {arithmetic, arithmetic, store,     immediate,  shift,       unary,
                                  escape,     condition,  high_byte, flags,      stack,       relative,
                                  string,     vector,     vector,    arithmetic, flags_image, store};
    makes[below(w, sizeof makes / sizeof makes[0])](w);
}

static void some(struct writer *w, unsigned most)
{
    for (unsigned n = below(w, most) + 1; n > 0; n--)
        plain(w);
}

static void branch(struct writer *w)
{
    if (below(w, 2)) {
        size_t at;
        put(w, (uint8_t)(0x70 | below(w, 16)));
        put(w, 0);
        at = w->at;
        plain(w);
        plain(w);
        w->code[at - 1] = (uint8_t)(w->at - at);
        return;
    }
    put(w, 0x0f);
    put(w, (uint8_t)(0x80 | below(w, 16)));
    size_t to_else = hole(w);
    some(w, 4);
    put(w, 0xe9);
    size_t to_end = hole(w);
    fill(w, to_else, w->at);
    some(w, 4);
    fill(w, to_end, w->at);
}

/* mov dword ptr [rbp + counter], n; body; dec; jnz */
static void loop(struct writer *w)
{
    uint32_t counter = COUNTERS + 8 * w->counters++;

    PUT(w, "\xc7\x85");
    put_32(w, counter);
    put_32(w, 1 + below(w, 5));
    size_t top = w->at;
    some(w, 6);
    PUT(w, "\xff\x8d");
    put_32(w, counter);
    PUT(w, "\x0f\x85");
    fill(w, hole(w), top);
}

/* LOOP, LOOPE, LOOPNE around little, and JRCXZ over little. */
static void short_loop(struct writer *w)
{
    if (below(w, 2)) {
        size_t at;
        PUT(w, "\xe3\x00");
        at = w->at;
        plain(w);
        w->code[at - 1] = (uint8_t)(w->at - at);
        return;
    }
    PUT(w, "\xb9"); /* mov ecx, ... */
    put_32(w, 1 + below(w, 4));
    size_t top = w->at;
    PUT(w, "\x48\x31\xc8"); /* xor rax, rcx */
    put(w, (uint8_t)(0xe0 | below(w, 3)));
    put(w, 0);
    w->code[w->at - 1] = (uint8_t)(top - w->at);
}

/* RAX = an index below CASES, R11 = the table's address, RAX = the entry plus the table's address. */
static size_t load_entry(struct writer *w)
{
    PUT(w, "\x83\xe0\x03\x4c\x8d\x1d"); /* and eax, 3; lea r11, [rip + ...] */
    size_t table = hole(w);
    PUT(w, "\x49\x63\x04\x83\x4c\x01\xd8"); /* movsxd rax, [r11 + rax * 4]; add rax, r11 */
    return table;
}

static void put_table(struct writer *w, const size_t *targets)
{
    size_t table = w->at;
    for (int i = 0; i < CASES; i++)
        put_32(w, (uint32_t)(targets[i] - table));
}

/* A jump table: jmp rax, or through memory. */
static void choose(struct writer *w)
{
    size_t targets[CASES], ends[CASES], table = load_entry(w);

    if (below(w, 2)) {
        PUT(w, "\xff\xe0"); /* jmp rax */
    } else {
        PUT(w, "\x48\x89\x85\xf8\x0f\x00\x00\xff\xa5\xf8\x0f\x00\x00"); /* mov [rbp + 0xff8], rax; jmp [rbp +
                                                                           0xff8] */
    }
    for (int i = 0; i < CASES; i++) {
        targets[i] = w->at;
        some(w, 3);
        put(w, 0xe9);
        ends[i] = hole(w);
    }
    fill(w, table, w->at);
    put_table(w, targets);
    for (int i = 0; i < CASES; i++)
        fill(w, ends[i], w->at);
}

/* Functions are written last to first, so that each may call those behind it and none itself. */
static void call(struct writer *w, unsigned function)
{
    if (function + 1 >= FUNCTIONS)
        return;
    size_t target = w->function[function + 1 + below(w, FUNCTIONS - function - 1)];
    switch (below(w, 4)) {
    case 0:
        PUT(w, "\x48\x8d\x05"); /* lea rax, [rip + ...]; call rax */
        fill(w, hole(w), target);
        PUT(w, "\xff\xd0");
        break;
    case 1:
        PUT(w, "\x4c\x8d\x15"); /* lea r10, [rip + ...]; push r10; call [rsp]; pop r10 */
        fill(w, hole(w), target);
        PUT(w, "\x41\x52\xff\x14\x24\x41\x5a");
        break;
    case 2: /* lea r10, [rip + target]; lea r11, [rip + back]; push r11; push r10; ret; back: */
        PUT(w, "\x4c\x8d\x15");
        fill(w, hole(w), target);
        PUT(w, "\x4c\x8d\x1d\x05\x00\x00\x00\x41\x53\x41\x52\xc3");
        break;
    default:
        put(w, 0xe8);
        fill(w, hole(w), target);
    }
}

/* sub rsp, 16 before, ret 16 after: a callee that pops; or one that looks at its return address. */
static void strange_call(struct writer *w)
{
    if (below(w, 2)) {
        PUT(w, "\x48\x83\xec\x10\xe8\x02\x00\x00\x00\xeb\x03\xc2\x10\x00");
        return;
    }
    PUT(w,
        "\xe8\x02\x00\x00\x00\xeb\x05\x48\x8b\x04\x24\xc3"); /* call 1f; jmp 2f; 1: mov rax, [rsp]; ret; 2: */
}

static void item(struct writer *w, unsigned function)
{
    switch (below(w, 10)) {
    case 0:
        branch(w);
        break;
    case 1:
        loop(w);
        break;
    case 2:
        short_loop(w);
        break;
    case 3:
        choose(w);
        break;
    case 4:
        call(w, function);
        break;
    case 5:
        strange_call(w);
        break;
    default:
        some(w, 6);
    }
}

/* The vector registers become visible at the end: movups [rbp + ...], xmm0 to xmm15. */
static void show_vectors(struct writer *w)
{
    for (unsigned i = 0; i < 16; i++) {
        put(w, (uint8_t)(0x40 | (i >> 3) << 2));
        PUT(w, "\x0f\x11");
        put(w, (uint8_t)(0x85 | (i & 7) << 3));
        put_32(w, COUNTERS + 512 + 16 * i);
    }
}

static void write_function(struct writer *w, const struct program *program, unsigned function)
{
    const unsigned each = PROGRAM_ITEMS / FUNCTIONS;

    while (w->at % (function % 2 ? 16 : 64))
        put(w, 0x90);
    w->function[function] = w->at;
    for (unsigned i = function * each; i < (function + 1) * each; i++) {
        w->random = program->seed * UINT64_C(0xd1342543de82ef95) + i;
        w->counters = i;
        if (!program->without[i] && next(w) % 4 < (function == 0 ? 3u : 1u))
            item(w, function);
    }
    if (function == 0)
        show_vectors(w);
    put(w, 0xc3);
}

size_t program_generate(const struct program *program, uint8_t code[PROGRAM_SIZE])
{
    struct writer w = {.code = code};

    memset(code, 0x90, 512); /* what RIP-relative operands reach backwards */
    PUT(&w, "\xe9");
    size_t start = hole(&w);
    w.at = 512;
    for (unsigned function = FUNCTIONS; function-- > 0;)
        write_function(&w, program, function);
    fill(&w, start, w.function[0]);
    return w.at;
}

void program_write(const struct program *program, FILE *file)
{
    fprintf(file, "seed %llu\n", (unsigned long long)program->seed);
    for (int i = 0; i < PROGRAM_ITEMS; i++)
        if (program->without[i])
            fprintf(file, "without %d\n", i);
}

bool program_read(struct program *program, FILE *file)
{
    unsigned long long seed;
    int item_number;

    if (fscanf(file, "seed %llu\n", &seed) != 1)
        return false;
    *program = (struct program){.seed = seed};
    while (fscanf(file, "without %d\n", &item_number) == 1)
        if (item_number >= 0 && item_number < PROGRAM_ITEMS)
            program->without[item_number] = true;
    return true;
}

void program_minimize(struct program *program, bool (*fails)(const struct program *program))
{
    for (int size = PROGRAM_ITEMS / 2; size > 0; size /= 2) {
        for (int first = 0; first < PROGRAM_ITEMS; first += size) {
            struct program smaller = *program;
            for (int i = first; i < first + size && i < PROGRAM_ITEMS; i++)
                smaller.without[i] = true;
            if (fails(&smaller))
                *program = smaller;
        }
    }
}
