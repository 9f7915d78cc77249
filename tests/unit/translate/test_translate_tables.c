/*
 * The translator's tables of common instructions: they agree with the decoder, and leave it what is
 * sensitive.
 *
 * beside others
 */
#include "translate/internal.h"
#include "translate/process/zydis.h"
#include "tests/unit/suite.h"

#include <stdlib.h>
#include <string.h>

/* Where the tables know an instruction they must say what Zydis says. */
static void compare_decoders(const void *decoder, const uint8_t *code)
{
    struct vt_insn fast, slow;

    if (!vt_translate_decode_table(code, 16, &fast))
        return;
    vt_translate_decode_slowly(decoder, code, 16, &slow);
    ck_assert_msg(fast.length == slow.length && (fast.kind == slow.kind || fast.opcode == 0x90) &&
                      fast.relative == slow.relative &&
                      fast.branch == (fast.kind == VT_INSN_COPY || fast.kind == VT_INSN_PADDING ||
                                              fast.kind == VT_INSN_RETURN
                                          ? fast.branch
                                          : slow.branch) &&
                      (fast.flags == VT_FLAGS_READ) == (slow.flags == VT_FLAGS_READ) &&
                      (fast.extended || !slow.extended),
                  "%02x %02x %02x %02x %02x %02x: length %u and %u, kind %u and %u, flags %u and %u", code[0],
                  code[1], code[2], code[3], code[4], code[5], fast.length, slow.length, fast.kind, slow.kind,
                  fast.flags, slow.flags);
}

START_TEST(tables_agree_with_the_decoder)
{
    static const char starts[][4] = {"", "\x66", "\xf2", "\xf3", "\x0f", "\x66\x0f", "\xf2\x0f", "\xf3\x0f"};
    void *decoder = vt_translate_new_decoder();
    uint8_t code[24];

    for (size_t s = 0; s < sizeof starts / sizeof starts[0]; s++)
        for (int rex = 0x3f; rex < 0x50; rex++)
            for (int opcode = 0; opcode < 256; opcode++)
                for (int modrm = 0; modrm < 256; modrm++) {
                    size_t at = 0;
                    memset(code, 0x25, sizeof code);
                    if (starts[s][0] && starts[s][0] != 0x0f)
                        code[at++] = (uint8_t)starts[s][0];
                    if (rex >= 0x40)
                        code[at++] = (uint8_t)rex;
                    if (starts[s][0] == 0x0f || starts[s][1])
                        code[at++] = 0x0f;
                    code[at++] = (uint8_t)opcode;
                    code[at++] = (uint8_t)modrm;
                    compare_decoders(decoder, code);
                }
    free(decoder);
}
END_TEST

static bool is_in_table(const uint8_t *code)
{
    struct vt_insn insn;
    return vt_translate_decode_table(code, 16, &insn);
}

START_TEST(tables_know_no_sensitive_instruction)
{
    static const char sensitive[][17] = {
        "\xfa",     "\xfb",     "\x9c",         "\x9d",     "\xf4",     "\x0f\xa2", "\x0f\x01\xd0",
        "\x8c\xc8", "\x8e\xd8", "\x0f\x20\xc0", "\x0f\x05", "\xcd\x80", "\xcc",     "\xcf",
        "\xcb",     "\xff\x18", "\xff\x28",     "\x0f\x31", "\x0f\xa0", "\x6c",     "\x6e",
        "\xe4",     "\xec",     "\x65\x48\x8b", "\xf0\x01",
    };

    for (size_t i = 0; i < sizeof sensitive / sizeof sensitive[0]; i++)
        ck_assert_msg(!is_in_table((const uint8_t *)sensitive[i]), "number %zu", i);
}
END_TEST

VT_SUITE(tables_agree_with_the_decoder, tables_know_no_sensitive_instruction)
