/*
 * Code that modifies itself, translated, against the same code run by the processor: registers, flags, memory
 * and the code itself are the same in the end.
 *
 * A program is a row of slots of 32 bytes. What a slot may be overwritten with is again an instruction of the
 * table: whatever the input, nothing but the window is written to, and every loop ends. Input: where the code
 * lies, whether the callees lie apart, turns of the loops, the seed of the registers, then three bytes a
 * slot.
 */
#include "tests/unit/translate/translated.h"

#include <stdlib.h>
#include <string.h>

enum {
    SLOT = 32,
    MOST_SLOTS = 40,
    CALLEES = 4,
    PADS = 3,    /* that a jump at the end lands on */
    CONTENT = 8, /* bytes that are overwritten together; the last is a constant of its own */
    HEAD = 4,
    BASE = 3 * 4096,
    MOST_CODE = 8 * 4096,
    MOST_EXITS = 1000000
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct translated world;

/* Instructions of at most CONTENT bytes, the last of them any constant. RBP is the data's, RCX the patches'.
 */
static const struct template
{
    uint8_t length, bytes[CONTENT - 1];
}
templates[] = {
    {4, {0x48, 0x83, 0xc0}},       /* add rax, imm8 */
    {4, {0x48, 0x83, 0xf0}},       /* xor rax, imm8 */
    {4, {0x48, 0x6b, 0xc0}},       /* imul rax, rax, imm8 */
    {4, {0x48, 0xc1, 0xc0}},       /* rol rax, imm8 */
    {3, {0x83, 0xd2}},             /* adc edx, imm8 */
    {5, {0x48, 0x8d, 0x5c, 0x18}}, /* lea rbx, [rax + rbx + disp8] */
    {5, {0x48, 0x0f, 0xba, 0xe0}}, /* bt rax, imm8 */
    {3, {0x88, 0x45}},             /* mov [rbp + disp8], al */
    {3, {0x8a, 0x55}},             /* mov dl, [rbp + disp8] */
};
enum { TEMPLATES = sizeof templates / sizeof templates[0], JUMP = TEMPLATES, RETURN, CONTENTS };

enum kind { PLAIN, PLAIN_TOO, PATCH, PATCH_TOO, PATCH_CONSTANT, LOOP, CALL, CALL_INDIRECT, KINDS };

struct program {
    uint8_t code[MOST_CODE]; /* from the start of the window */
    size_t count;
    uint32_t slots, callees; /* where the first lies */
    bool patchable[MOST_SLOTS + CALLEES];
};

static uint32_t slot_at(const struct program *program, size_t slot)
{
    return slot < program->count ? program->slots + (uint32_t)slot * SLOT
                                 : program->callees + (uint32_t)(slot - program->count) * SLOT;
}

/* Whichever it is, its last byte may be overwritten alone: it is a constant, or never reached. */
static void fill_content(uint8_t content[CONTENT], unsigned which, uint8_t constant)
{
    memset(content, 0x90, CONTENT);
    which %= CONTENTS;
    if (which == RETURN) {
        content[0] = 0xc3;
    } else if (which == JUMP) {
        content[0] = 0xeb;
        content[1] = (uint8_t)((1 + constant % PADS) * SLOT - 2);
    } else {
        const struct template *template = &templates[which];
        memcpy(content + CONTENT - template->length, template->bytes, template->length - 1u);
        content[CONTENT - 1] = constant;
    }
}

/* `bytes` and then the distance from `behind` bytes after the field to `target`. Returns where it ends. */
static uint32_t emit(struct program *program, uint32_t at, const char *bytes, size_t size, uint32_t target,
                     uint32_t behind)
{
    uint32_t distance = target - (at + (uint32_t)size + 4 + behind);
    memcpy(program->code + at, bytes, size);
    memcpy(program->code + at + size, &distance, sizeof distance);
    return at + (uint32_t)size + 4;
}

static void lay_patch(struct program *program, uint32_t at, uint32_t target, uint8_t which)
{
    program->code[at] = 0x48; /* mov rcx, content */
    program->code[at + 1] = 0xb9;
    fill_content(program->code + at + 2, which, which);
    emit(program, at + 2 + CONTENT, "\x48\x89\x0d", 3, target, 0); /* mov [target], rcx */
}

static void lay_loop(struct program *program, uint32_t at, uint32_t target)
{
    static const uint8_t count[] = {0x41, 0x83, 0xef, 0x01, 0x78, 0x05}; /* sub r15d, 1; js behind the jump */
    memcpy(program->code + at, count, sizeof count);
    emit(program, at + sizeof count, "\xe9", 1, target, 0);
}

/* The slot that `choice` means, if it may be overwritten; else the nearest before. */
static uint32_t choose(const struct program *program, uint8_t choice)
{
    size_t slot = choice % (program->count + CALLEES);
    while (slot > 0 && !program->patchable[slot])
        slot--;
    return slot_at(program, program->patchable[slot] ? slot : program->count);
}

static void lay_slot(struct program *program, size_t slot, const uint8_t from[3])
{
    uint32_t at = slot_at(program, slot), callee = slot_at(program, program->count + from[1] % CALLEES);

    switch ((enum kind)(from[0] % KINDS)) {
    case PATCH:
    case PATCH_TOO:
        lay_patch(program, at, choose(program, from[1]), from[2]);
        break;
    case PATCH_CONSTANT: /* mov byte [constant], imm8 */
        at = emit(program, at, "\xc6\x05", 2, choose(program, from[1]) + CONTENT - 1, 1);
        program->code[at] = from[2];
        break;
    case LOOP:
        lay_loop(program, at, slot_at(program, from[1] % (slot + 1)));
        break;
    case CALL:
        emit(program, at, "\xe8", 1, callee, 0);
        break;
    case CALL_INDIRECT: /* lea rcx, [callee]; call rcx */
        at = emit(program, at, "\x48\x8d\x0d", 3, callee, 0);
        memcpy(program->code + at, "\xff\xd1", 2);
        break;
    default:
        fill_content(program->code + at, from[1], from[2]);
    }
}

static void lay_program(struct program *program, const uint8_t *data, size_t size)
{
    memset(program->code, 0x90, sizeof program->code);
    program->count = (size - HEAD) / 3 < MOST_SLOTS ? (size - HEAD) / 3 : MOST_SLOTS;
    program->slots = BASE - data[0] % MOST_SLOTS * SLOT;
    program->callees = BASE + (data[1] & 1 ? 2 * 4096 : MOST_SLOTS * SLOT + PADS * SLOT);
    for (size_t i = 0; i < program->count; i++)
        program->patchable[i] = data[HEAD + 3 * i] % KINDS < PATCH;
    for (size_t i = 0; i < CALLEES; i++)
        program->patchable[program->count + i] = true;
    emit(program, 0, "\xe9", 1, program->slots, 0);
    for (size_t i = 0; i < program->count; i++)
        lay_slot(program, i, data + HEAD + 3 * i);
    for (size_t i = 0; i < PADS; i++) {
        program->code[program->slots + (program->count + i) * SLOT] = 0xc3;
        program->code[program->callees + (CALLEES + i) * SLOT] = 0xc3;
    }
    for (size_t i = 0; i < CALLEES; i++) {
        fill_content(program->code + program->callees + i * SLOT, data[1] >> i, data[3]);
        program->code[program->callees + i * SLOT + CONTENT] = 0xc3;
    }
}

static void begin(const uint8_t *data)
{
    translated_registers(&world, data[3]);
    world.vcpu->gpr[VT_RBP] += 128; /* as far down as a displacement reaches: all it reads is laid anew */
    world.vcpu->gpr[VT_R15] = data[2] % 16;
}

/* As a guest would load it, word by word where it changed: what was translated from there is noticed. */
static void load(const struct program *program)
{
    uint8_t *start = world.window + TRANSLATED_CODE;

    for (size_t i = 0; i < MOST_CODE; i += 8)
        if (memcmp(start + i, program->code + i, 8) != 0 &&
            !vt_translate_store(world.translate, (uintptr_t)start + i, program->code + i, 8))
            abort();
}

static void compare(const struct outcome *one, const struct outcome *other, const uint8_t *code)
{
    for (unsigned i = 0; i < VT_GPRS; i++)
        if (one->gpr[i] != other->gpr[i])
            __builtin_trap();
    if (one->flags != other->flags || memcmp(one->memory, other->memory, sizeof one->memory) != 0 ||
        memcmp(code, world.window + TRANSLATED_CODE, MOST_CODE) != 0)
        __builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct program program;
    static struct outcome native, translated;
    static uint8_t code[MOST_CODE];

    if (size < HEAD + 3)
        return 0;
    if (!world.translate)
        translated_open(&world, 512 << 10);
    lay_program(&program, data, size);
    vt_translate_flush(world.translate);
    load(&program);
    begin(data);
    translated_native(&world, &native);
    memcpy(code, world.window + TRANSLATED_CODE, MOST_CODE);
    for (int i = 0; i < 2; i++) {
        load(&program);
        begin(data);
        if (vt_translate_call(world.translate, (uintptr_t)world.window + TRANSLATED_CODE, MOST_EXITS) !=
            VT_TRANSLATE_RETURNED)
            __builtin_trap();
        translated_outcome(&world, &translated);
        compare(&native, &translated, code);
    }
    return 0;
}
