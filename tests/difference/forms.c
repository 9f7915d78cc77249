/* Every encoding of an emulated instruction, and who can judge it. */
#include "tests/difference/difference.h"

#define KVM (JUDGE_KVM | JUDGE_TCG)
#define PRV (KVM | JUDGE_USER) /* this processor refuses it at ring 3, or does what it may do there */
#define ALL (KVM | JUDGE_UNICORN)
#define ANY (ALL | JUDGE_USER)
#define IO  (JUDGE_KVM | JUDGE_UNICORN | JUDGE_USER) /* QEMU has no device at the ports */
#define HW  (JUDGE_KVM | JUDGE_NATIVE)               /* QEMU has no alignment check */

#define F(name, opcodes, operand, group, options, judges, ...)                                               \
    {                                                                                                        \
        name, 0, {__VA_ARGS__}, opcodes, operand, group, 0, options, judges                                  \
    }
#define P(name, prefix, opcodes, operand, group, options, judges, ...)                                       \
    {                                                                                                        \
        name, prefix, {__VA_ARGS__}, opcodes, operand, group, 0, options, judges                             \
    }

#define ALU(name, base, digit)                                                                               \
    F(name " m8, r8", 1, OPERAND_MEMORY, -1, FORM_LOCK, HW, base),                                           \
        F(name " m, r", 1, OPERAND_MEMORY, -1, FORM_SIZE | FORM_LOCK, HW, base + 1),                         \
        F(name " r8, m8", 1, OPERAND_MEMORY, -1, 0, HW, base + 2),                                           \
        F(name " r, m", 1, OPERAND_MEMORY, -1, FORM_SIZE, HW, base + 3),                                     \
        {name " m, imm8", 0, {0x83}, 1, OPERAND_MEMORY, digit, 1, FORM_SIZE | FORM_LOCK, HW},                \
    {                                                                                                        \
        name " m8, imm8", 0, {0x80}, 1, OPERAND_MEMORY, digit, 1, FORM_LOCK, HW                              \
    }

const struct form difference_forms[] = {
    F("cpuid", 2, OPERAND_NONE, -1, 0, KVM, 0x0f, 0xa2),
    P("rdpid", 0xf3, 2, OPERAND_REGISTER, 7, 0, JUDGE_TCG, 0x0f, 0xc7),
    F("invd", 2, OPERAND_NONE, -1, 0, JUDGE_TCG | JUDGE_USER, 0x0f, 0x08),
    F("clac", 3, OPERAND_NONE, -1, 0, JUDGE_TCG | JUDGE_USER, 0x0f, 0x01, 0xca),
    F("stac", 3, OPERAND_NONE, -1, 0, JUDGE_TCG | JUDGE_USER, 0x0f, 0x01, 0xcb),
    F("clts", 2, OPERAND_NONE, -1, 0, ANY, 0x0f, 0x06),
    F("mov r, cr", 2, OPERAND_REGISTER, -1, 0, ANY, 0x0f, 0x20),
    F("mov cr, r", 2, OPERAND_REGISTER, -1, 0, PRV, 0x0f, 0x22),
    F("mov r, dr", 2, OPERAND_REGISTER, -1, 0, ANY, 0x0f, 0x21),
    F("mov dr, r", 2, OPERAND_REGISTER, -1, 0, PRV, 0x0f, 0x23),
    F("lmsw", 2, OPERAND_EITHER, 6, 0, ANY, 0x0f, 0x01),
    F("smsw", 2, OPERAND_EITHER, 4, FORM_SIZE, ALL, 0x0f, 0x01),
    F("sgdt", 2, OPERAND_MEMORY, 0, 0, ALL, 0x0f, 0x01),
    F("sidt", 2, OPERAND_MEMORY, 1, 0, ALL, 0x0f, 0x01),
    F("lgdt", 2, OPERAND_MEMORY, 2, 0, PRV, 0x0f, 0x01),
    F("lidt", 2, OPERAND_MEMORY, 3, 0, PRV, 0x0f, 0x01),
    F("sldt", 2, OPERAND_EITHER, 0, FORM_SIZE, ALL, 0x0f, 0x00),
    F("str", 2, OPERAND_EITHER, 1, FORM_SIZE, ALL, 0x0f, 0x00),
    F("lldt", 2, OPERAND_EITHER, 2, 0, PRV, 0x0f, 0x00),
    F("ltr", 2, OPERAND_EITHER, 3, 0, PRV, 0x0f, 0x00),
    F("verr", 2, OPERAND_EITHER, 4, 0, ALL | JUDGE_NATIVE, 0x0f, 0x00),
    F("verw", 2, OPERAND_EITHER, 5, 0, ALL | JUDGE_NATIVE, 0x0f, 0x00),
    F("lar", 2, OPERAND_EITHER, -1, FORM_SIZE, ALL | JUDGE_NATIVE, 0x0f, 0x02),
    F("lsl", 2, OPERAND_EITHER, -1, FORM_SIZE, ALL | JUDGE_NATIVE, 0x0f, 0x03),
    F("mov r, sreg", 1, OPERAND_EITHER, -1, FORM_SIZE, PRV, 0x8c),
    F("mov sreg, r", 1, OPERAND_EITHER, -1, FORM_SIZE, PRV, 0x8e),
    F("push fs", 2, OPERAND_NONE, -1, FORM_SIZE, PRV, 0x0f, 0xa0),
    F("push gs", 2, OPERAND_NONE, -1, FORM_SIZE, PRV, 0x0f, 0xa8),
    F("pop fs", 2, OPERAND_NONE, -1, FORM_SIZE, PRV, 0x0f, 0xa1),
    F("pop gs", 2, OPERAND_NONE, -1, FORM_SIZE, PRV, 0x0f, 0xa9),
    F("lss", 2, OPERAND_MEMORY, -1, FORM_SIZE, PRV, 0x0f, 0xb2),
    F("lfs", 2, OPERAND_MEMORY, -1, FORM_SIZE, PRV, 0x0f, 0xb4),
    F("lgs", 2, OPERAND_MEMORY, -1, FORM_SIZE, PRV, 0x0f, 0xb5),
    F("swapgs", 3, OPERAND_NONE, -1, 0, PRV, 0x0f, 0x01, 0xf8),
    P("rdfsbase", 0xf3, 2, OPERAND_REGISTER, 0, FORM_SIZE, PRV, 0x0f, 0xae),
    P("rdgsbase", 0xf3, 2, OPERAND_REGISTER, 1, FORM_SIZE, PRV, 0x0f, 0xae),
    P("wrfsbase", 0xf3, 2, OPERAND_REGISTER, 2, FORM_SIZE, PRV, 0x0f, 0xae),
    P("wrgsbase", 0xf3, 2, OPERAND_REGISTER, 3, FORM_SIZE, PRV, 0x0f, 0xae),
    F("pushf", 1, OPERAND_NONE, -1, FORM_SIZE, ANY, 0x9c),
    F("popf", 1, OPERAND_NONE, -1, FORM_SIZE, ANY, 0x9d),
    F("cli", 1, OPERAND_NONE, -1, 0, ANY, 0xfa),
    F("sti", 1, OPERAND_NONE, -1, 0, ANY, 0xfb),
    F("rdmsr", 2, OPERAND_NONE, -1, 0, PRV, 0x0f, 0x32),
    F("wrmsr", 2, OPERAND_NONE, -1, 0, PRV, 0x0f, 0x30),
    F("xgetbv", 3, OPERAND_NONE, -1, 0, PRV, 0x0f, 0x01, 0xd0),
    F("xsetbv", 3, OPERAND_NONE, -1, 0, PRV, 0x0f, 0x01, 0xd1),
    F("rdpkru", 3, OPERAND_NONE, -1, 0, JUDGE_TCG, 0x0f, 0x01, 0xee),
    F("wrpkru", 3, OPERAND_NONE, -1, 0, JUDGE_TCG, 0x0f, 0x01, 0xef),
    F("invlpg", 2, OPERAND_MEMORY, 7, 0, ANY, 0x0f, 0x01),
    P("invpcid", 0x66, 3, OPERAND_MEMORY, -1, 0, KVM, 0x0f, 0x38, 0x82),
    F("wbinvd", 2, OPERAND_NONE, -1, 0, ANY, 0x0f, 0x09),
    F("in al, dx", 1, OPERAND_NONE, -1, 0, IO, 0xec),
    F("in eax, dx", 1, OPERAND_NONE, -1, FORM_SIZE, IO, 0xed),
    F("out dx, al", 1, OPERAND_NONE, -1, 0, IO, 0xee),
    F("out dx, eax", 1, OPERAND_NONE, -1, FORM_SIZE, IO, 0xef),
    {"in al, imm8", 0, {0xe4}, 1, OPERAND_NONE, -1, 1, 0, IO},
    {"in eax, imm8", 0, {0xe5}, 1, OPERAND_NONE, -1, 1, FORM_SIZE, IO},
    {"out imm8, al", 0, {0xe6}, 1, OPERAND_NONE, -1, 1, 0, IO},
    {"out imm8, eax", 0, {0xe7}, 1, OPERAND_NONE, -1, 1, FORM_SIZE, IO},
    F("insb", 1, OPERAND_NONE, -1, FORM_REP, IO, 0x6c),
    F("insd", 1, OPERAND_NONE, -1, FORM_REP | FORM_SIZE, IO, 0x6d),
    F("outsb", 1, OPERAND_NONE, -1, FORM_REP, IO, 0x6e),
    F("outsd", 1, OPERAND_NONE, -1, FORM_REP | FORM_SIZE, IO, 0x6f),
    F("hlt", 1, OPERAND_NONE, -1, 0, ANY, 0xf4),
    P("pause", 0xf3, 1, OPERAND_NONE, -1, 0, ALL, 0x90),
    {"int n", 0, {0xcd}, 1, OPERAND_NONE, -1, 1, 0, PRV},
    F("int3", 1, OPERAND_NONE, -1, 0, KVM, 0xcc),
    F("ud2", 2, OPERAND_NONE, -1, 0, PRV, 0x0f, 0x0b),
    F("iret", 1, OPERAND_NONE, -1, FORM_SIZE, PRV, 0xcf),
    F("call far", 1, OPERAND_MEMORY, 3, FORM_SIZE, PRV, 0xff),
    F("jmp far", 1, OPERAND_MEMORY, 5, FORM_SIZE, PRV, 0xff),
    F("ret far", 1, OPERAND_NONE, -1, FORM_SIZE, PRV, 0xcb),
    {"ret far imm", 0, {0xca}, 1, OPERAND_NONE, -1, 2, FORM_SIZE, PRV},
    F("syscall", 2, OPERAND_NONE, -1, 0, KVM, 0x0f, 0x05),
    F("sysretq", 2, OPERAND_NONE, -1, FORM_SIZE, PRV, 0x0f, 0x07),
    F("mov m8, r8", 1, OPERAND_MEMORY, -1, 0, HW, 0x88),
    F("mov m, r", 1, OPERAND_MEMORY, -1, FORM_SIZE, HW, 0x89),
    F("mov r8, m8", 1, OPERAND_MEMORY, -1, 0, HW, 0x8a),
    F("mov r, m", 1, OPERAND_MEMORY, -1, FORM_SIZE, HW, 0x8b),
    {"mov m8, imm8", 0, {0xc6}, 1, OPERAND_MEMORY, 0, 1, 0, HW},
    F("movzx r, m8", 2, OPERAND_MEMORY, -1, FORM_SIZE, HW, 0x0f, 0xb6),
    F("movzx r, m16", 2, OPERAND_MEMORY, -1, FORM_SIZE, HW, 0x0f, 0xb7),
    F("movsx r, m8", 2, OPERAND_MEMORY, -1, FORM_SIZE, HW, 0x0f, 0xbe),
    F("movsx r, m16", 2, OPERAND_MEMORY, -1, FORM_SIZE, HW, 0x0f, 0xbf),
    F("movsxd r, m32", 1, OPERAND_MEMORY, -1, FORM_SIZE, HW, 0x63),
    F("xchg m8, r8", 1, OPERAND_MEMORY, -1, FORM_LOCK, HW, 0x86),
    F("xchg m, r", 1, OPERAND_MEMORY, -1, FORM_SIZE | FORM_LOCK, HW, 0x87),
    F("test m8, r8", 1, OPERAND_MEMORY, -1, 0, HW, 0x84),
    F("test m, r", 1, OPERAND_MEMORY, -1, FORM_SIZE, HW, 0x85),
    F("stosb", 1, OPERAND_NONE, -1, FORM_REP, HW, 0xaa),
    F("stosd", 1, OPERAND_NONE, -1, FORM_REP | FORM_SIZE, HW, 0xab),
    F("lodsb", 1, OPERAND_NONE, -1, FORM_REP, HW, 0xac),
    F("lodsd", 1, OPERAND_NONE, -1, FORM_REP | FORM_SIZE, HW, 0xad),
    F("movsb", 1, OPERAND_NONE, -1, FORM_REP, HW, 0xa4),
    F("movsd", 1, OPERAND_NONE, -1, FORM_REP | FORM_SIZE, HW, 0xa5),
    ALU("add", 0x00, 0),
    ALU("or", 0x08, 1),
    ALU("adc", 0x10, 2),
    ALU("sbb", 0x18, 3),
    ALU("and", 0x20, 4),
    ALU("sub", 0x28, 5),
    ALU("xor", 0x30, 6),
    ALU("cmp", 0x38, 7),
};
const size_t difference_form_count = sizeof difference_forms / sizeof difference_forms[0];
_Static_assert(sizeof difference_forms / sizeof difference_forms[0] <= DIFFERENCE_FORMS, "room for all");
