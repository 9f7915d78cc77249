/* Addresses as the manuals define them and few programs use them: translated and native. */
#include "translate/process/zydis.h"
#include "tests/unit/suite.h"
#include "tests/unit/translate/translated.h"
#include "vcpu/vcpu.h"

#include <stdlib.h>
#include <string.h>

static struct translated world;

struct form {
    const char *name;
    const char *code;
    unsigned length;
    unsigned address; /* offset of a 32-bit address to be put in, 0: none */
};

#define FORM(name, code, address)                                                                            \
    {                                                                                                        \
        name, code, sizeof(code) - 1, address                                                                \
    }
static const struct form forms[] = {
    /* Base 101b with mod 00b is no base, whatever REX.B says (Intel SDM 2A table 2-5). */
    FORM("mov eax, [abs]", "\x8b\x04\x25\0\0\0\0", 3),
    FORM("mov eax, [abs], REX.B", "\x41\x8b\x04\x25\0\0\0\0", 4),
    FORM("mov eax, [abs], 67", "\x67\x8b\x04\x25\0\0\0\0", 4),
    FORM("mov eax, [abs], 67 REX.B", "\x67\x41\x8b\x04\x25\0\0\0\0", 5),
    FORM("mov r8, [abs], 67 REX.WRXB", "\x67\x4d\x8b\x04\x25\0\0\0\0", 5),
    FORM("add [abs], ecx, 67 REX.B", "\x67\x41\x01\x0c\x25\0\0\0\0", 5),
    FORM("mov eax, gs:[abs]", "\x65\x8b\x04\x25\0\0\0\0", 4),
    FORM("mov eax, gs:[abs], REX.B", "\x65\x41\x8b\x04\x25\0\0\0\0", 5),
    FORM("mov eax, gs:[abs], 67 REX.B", "\x65\x67\x41\x8b\x04\x25\0\0\0\0", 6),
    FORM("add gs:[abs], ecx, 67 REX.B", "\x65\x67\x41\x01\x0c\x25\0\0\0\0", 6),
    FORM("movaps xmm0, [abs], 67 REX.B", "\x67\x41\x0f\x28\x04\x25\0\0\0\0", 6),
    /* A REX that other prefixes follow is none (Intel SDM 2A 2.2.1). */
    FORM("mov eax, gs:[rbp], REX.W before GS", "\x48\x65\x8b\x45\0", 0),
    FORM("mov eax, gs:[rbp], REX.B before GS", "\x41\x65\x8b\x45\0", 0),
    FORM("mov ax, [rbp], REX.WB before 66", "\x49\x66\x8b\x45\0", 0),
    FORM("mov eax, [rbp], REX.B before 67", "\x41\x67\x8b\x45\0", 0),
    FORM("add gs:[rbp], eax, REX.R before GS", "\x44\x65\x01\x45\0", 0),
    FORM("lock add gs:[rbp], eax", "\x65\xf0\x01\x45\0", 0),
    FORM("mov gs:[rbp], ah", "\x65\x88\x65\0", 0),
};
enum { FORMS = sizeof forms / sizeof forms[0] };

START_TEST(addresses_are_the_processors)
{
    for (size_t i = 0; i < FORMS; i++) {
        uint8_t code[64];
        uint32_t target;

        translated_open(&world, 0);
        target = (uint32_t)(uintptr_t)world.window + TRANSLATED_DATA + 64;
        memcpy(code, forms[i].code, forms[i].length);
        if (forms[i].address)
            memcpy(code + forms[i].address, &target, sizeof target);
        code[forms[i].length] = 0xc3;
        translated_both(&world, forms[i].name, code, forms[i].length + 1);
        translated_close(&world);
    }
}
END_TEST

START_TEST(lengths_are_the_processors)
{
    void *decoder = vt_translate_new_decoder();

    for (size_t i = 0; i < FORMS; i++) {
        uint8_t code[32] = {0};
        struct vt_insn insn;

        if (!forms[i].address)
            continue;
        memcpy(code, forms[i].code, forms[i].length);
        if (!vt_translate_decode_table(code, sizeof code, &insn))
            vt_translate_decode_slowly(decoder, code, sizeof code, &insn);
        ck_assert_msg(insn.length == forms[i].length, "%s: %u bytes instead of %u", forms[i].name,
                      insn.length, forms[i].length);
        ck_assert_msg(insn.relative == 0, "%s: not relative to RIP", forms[i].name);
    }
    free(decoder);
}
END_TEST

VT_SUITE(addresses_are_the_processors, lengths_are_the_processors)
