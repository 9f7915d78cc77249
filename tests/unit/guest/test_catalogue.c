/*
 * The catalogue against its own machine code: a body is its baseline plus exactly
 * the instructions its entry names, and neither reaches outside itself.
 */
#include "guest/catalogue.h"
#include "tests/unit/suite.h"

#include <Zydis/Zydis.h>
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { MOST_INSTRUCTIONS = 128, LOOP_ALIGNMENT = 64, MOST_OPERATIONS = 32 };

struct instruction {
    const uint8_t *address;
    ZydisDecodedInstruction decoded;
    ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
};

struct code {
    struct instruction instruction[MOST_INSTRUCTIONS];
    size_t count;
    size_t loop, end; /* [loop, end): one turn, its counter and branch included */
};

static const uint8_t *address_of(vt_case_function function)
{
    return (const uint8_t *)(uintptr_t)function;
}

static const uint8_t *target_of(const struct instruction *i)
{
    return i->address + i->decoded.length + i->operands[0].imm.value.s;
}

static bool is_branch_back(const struct instruction *i)
{
    return i->decoded.mnemonic == ZYDIS_MNEMONIC_JNZ && target_of(i) < i->address;
}

/* Decodes up to the RET and finds the loop. */
static void disassemble(const char *name, vt_case_function function, struct code *code)
{
    ZydisDecoder decoder;
    ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
    const uint8_t *at = address_of(function);
    *code = (struct code){0};
    for (;;) {
        ck_assert_msg(code->count < MOST_INSTRUCTIONS && at < vt_guest_code_end, "%s: no RET found", name);
        struct instruction *i = &code->instruction[code->count++];
        i->address = at;
        ZyanStatus status =
            ZydisDecoderDecodeFull(&decoder, at, (size_t)(vt_guest_code_end - at), &i->decoded, i->operands);
        ck_assert_msg(ZYAN_SUCCESS(status), "%s: bytes that do not decode", name);
        at += i->decoded.length;
        if (is_branch_back(i)) {
            ck_assert_msg(code->end == 0, "%s: two loops", name);
            code->end = code->count;
        }
        if (i->decoded.mnemonic == ZYDIS_MNEMONIC_RET)
            break;
    }
    ck_assert_msg(code->end > 0, "%s: no loop", name);
    while (code->loop < code->count &&
           code->instruction[code->loop].address != target_of(&code->instruction[code->end - 1]))
        code->loop++;
    ck_assert_msg(code->loop < code->end, "%s: the loop does not start at an instruction", name);
}

/* The padding before the loop depends on where it starts. */
static void drop_padding(struct code *code)
{
    while (code->loop > 0 && code->instruction[code->loop - 1].decoded.mnemonic == ZYDIS_MNEMONIC_NOP) {
        memmove(&code->instruction[code->loop - 1], &code->instruction[code->loop],
                (code->count - code->loop) * sizeof code->instruction[0]);
        code->loop--;
        code->end--;
        code->count--;
    }
}

static bool is_direct_call(const struct instruction *i)
{
    return i->decoded.mnemonic == ZYDIS_MNEMONIC_CALL &&
           i->operands[0].type == ZYDIS_OPERAND_TYPE_IMMEDIATE &&
           target_of(i) != i->address + i->decoded.length;
}

/* LEA of a place in the code: what lies behind the operation is further away in the body. */
static bool is_same_address(const struct instruction *a, const struct instruction *b)
{
    return a->decoded.mnemonic == ZYDIS_MNEMONIC_LEA && b->decoded.mnemonic == ZYDIS_MNEMONIC_LEA &&
           a->operands[0].reg.value == b->operands[0].reg.value &&
           a->operands[1].mem.base == b->operands[1].mem.base &&
           a->operands[1].mem.disp.value > b->operands[1].mem.disp.value;
}

static bool same(const struct instruction *a, const struct instruction *b)
{
    if (is_branch_back(a) && is_branch_back(b))
        return true;
    if (is_direct_call(a) && is_direct_call(b))
        return target_of(a) == target_of(b);
    if (is_same_address(a, b))
        return true;
    return a->decoded.length == b->decoded.length && memcmp(a->address, b->address, a->decoded.length) == 0;
}

/* Each instruction of an entry's operation text, separated by ';'. */
static size_t split_operation(const char *operation, char parts[MOST_OPERATIONS][64])
{
    char text[512];
    size_t count = 0;
    snprintf(text, sizeof text, "%s", operation);
    for (char *rest = text, *part; (part = strsep(&rest, ";"));) {
        part += strspn(part, " ");
        if (isdigit((unsigned char)*part)) /* a local label */
            part += strspn(part, "0123456789: ");
        if (*part && count < MOST_OPERATIONS)
            snprintf(parts[count++], sizeof parts[0], "%s", part);
    }
    return count;
}

static void drop(char *text, const char *word)
{
    for (char *found; (found = strstr(text, word));)
        memmove(found, found + strlen(word), strlen(found + strlen(word)) + 1);
}

/* Text without what assemblers write differently: spaces, operand sizes, the default segment. */
static void normalize(char *text)
{
    static const char *const dropped[] = {"qword ptr", "dword ptr", "word ptr", "byte ptr",
                                          "ptr",       "ds:",       " "};
    for (char *c = text; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    for (size_t i = 0; i < sizeof dropped / sizeof dropped[0]; i++)
        drop(text, dropped[i]);
}

/* Zydis writes SYSRET without the size of its operand. */
static void drop_operand_size(const struct instruction *i, char *text)
{
    if (i->decoded.mnemonic == ZYDIS_MNEMONIC_SYSRET && i->decoded.operand_width == 64)
        drop(text, "q");
}

/* Symbols and negative numbers look different in the code, a branch has its target, and of LAR with REX.W
 * Zydis 4.0 prints "rax, rcx", 4.1 "eax, ecx": the mnemonic decides. */
static bool has_unlike_operands(const struct instruction *i, const char *text)
{
    return i->decoded.meta.branch_type != ZYDIS_BRANCH_TYPE_NONE ||
           i->decoded.mnemonic == ZYDIS_MNEMONIC_LAR || strpbrk(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ-");
}

static void check_text(const char *name, const struct instruction *i, char *wanted)
{
    ZydisFormatter formatter;
    ZydisFormatterInit(&formatter, ZYDIS_FORMATTER_STYLE_INTEL);
    char actual[128];
    ZydisFormatterFormatInstruction(&formatter, &i->decoded, i->operands, i->decoded.operand_count_visible,
                                    actual, sizeof actual, ZYDIS_RUNTIME_ADDRESS_NONE, NULL);
    if (has_unlike_operands(i, wanted)) {
        actual[strcspn(actual, " ")] = '\0';
        wanted[strcspn(wanted, " ")] = '\0';
    }
    normalize(actual);
    normalize(wanted);
    drop_operand_size(i, wanted);
    ck_assert_msg(strcmp(actual, wanted) == 0, "%s: its entry says '%s', its code does '%s'", name, wanted,
                  actual);
}

static void check_twins(const char *name, const char *operation, vt_case_function body,
                        vt_case_function baseline)
{
    static struct code full, bare;
    disassemble(name, body, &full);
    disassemble(name, baseline, &bare);
    drop_padding(&full);
    drop_padding(&bare);
    char parts[MOST_OPERATIONS][64];
    size_t operations = split_operation(operation, parts);
    ck_assert_msg(full.count == bare.count + operations,
                  "%s: %zu instructions more than its baseline, not %zu", name, full.count - bare.count,
                  operations);
    ck_assert_msg(full.loop == bare.loop, "%s: different set-up", name);
    size_t first = 0;
    while (first < bare.count && same(&full.instruction[first], &bare.instruction[first]))
        first++;
    for (size_t i = first; i < bare.count; i++)
        ck_assert_msg(same(&full.instruction[i + operations], &bare.instruction[i]),
                      "%s: the twins differ by more than the operation", name);
    ck_assert_msg(operations == 0 || (first >= full.loop && first + operations < full.end),
                  "%s: the operation is outside the loop", name);
    for (size_t i = 0; i < operations; i++)
        check_text(name, &full.instruction[first + i], parts[i]);
}

START_TEST(names_are_unique_and_typable)
{
    size_t count;
    const struct vt_case *cases = vt_guest_cases(&count);
    ck_assert_uint_ge(count, 40);
    for (size_t i = 0; i < count; i++) {
        const char *name = cases[i].name;
        ck_assert_msg(strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(name) && *name, "'%s'",
                      name);
        ck_assert_ptr_eq(vt_guest_find_case(name), &cases[i]);
    }
    ck_assert_ptr_null(vt_guest_find_case("no-such-case"));
    ck_assert_ptr_null(vt_guest_find_case(""));
}
END_TEST

START_TEST(entries_are_complete)
{
    size_t count;
    const struct vt_case *cases = vt_guest_cases(&count);
    for (size_t i = 0; i < count; i++) {
        const struct vt_case *c = &cases[i];
        ck_assert_msg(c->summary && *c->summary && c->summary[strlen(c->summary) - 1] != '.', "%s", c->name);
        ck_assert_msg(c->operation && (*c->operation || strcmp(c->name, "empty") == 0), "%s: no operation",
                      c->name);
        ck_assert_msg(strstr(c->reference, "Intel SDM") || strstr(c->reference, "AMD APM") ||
                          c->class == VT_CLASS_LIFECYCLE || c->class == VT_CLASS_CONTROL ||
                          c->class == VT_CLASS_COMPUTE,
                      "%s: no manual named", c->name);
        ck_assert_msg(vt_guest_class_name(c->class) != NULL, "%s: no class", c->name);
        ck_assert_msg(c->body && c->baseline && c->body != c->baseline, "%s: no twin", c->name);
    }
}
END_TEST

START_TEST(classes_are_contiguous)
{
    size_t count;
    const struct vt_case *cases = vt_guest_cases(&count);
    bool left[VT_CLASSES] = {false};
    for (size_t i = 1; i < count; i++) {
        if (cases[i].class == cases[i - 1].class)
            continue;
        left[cases[i - 1].class] = true;
        ck_assert_msg(!left[cases[i].class], "%s: its class is listed in two places", cases[i].name);
    }
}
END_TEST

START_TEST(provoked_exceptions_have_handlers)
{
    size_t count;
    const struct vt_case *cases = vt_guest_cases(&count);
    for (size_t i = 0; i < count; i++)
        if (cases[i].skip_vector || cases[i].skip_length)
            ck_assert_msg(cases[i].needs & VT_NEED_HANDLERS, "%s", cases[i].name);
}
END_TEST

START_TEST(privilege_decides_where_a_case_runs)
{
    const struct vt_case *hlt = vt_guest_find_case("hlt"), *out = vt_guest_find_case("out-user"),
                         *cpuid = vt_guest_find_case("cpuid");
    ck_assert(vt_guest_case_runs_at(hlt, 0, false) && !vt_guest_case_runs_at(hlt, 3, true));
    ck_assert(vt_guest_case_runs_at(out, 3, true) && !vt_guest_case_runs_at(out, 3, false));
    ck_assert(vt_guest_case_runs_at(cpuid, 3, false) && vt_guest_case_runs_at(cpuid, 0, false));
}
END_TEST

/* What a case asks for decides what an image on a machine nobody knows does with it. */
START_TEST(no_case_runs_where_it_may_do_harm)
{
    const uint32_t kvm = VT_NEED_EVENTFD | VT_NEED_COALESCED | VT_NEED_MSR_FILTER | VT_NEED_DISCARD |
                         VT_NEED_ANY_LENGTH,
                   others = VT_NEED_PEER | VT_NEED_PARTNER | VT_NEED_HOST | VT_NEED_HYPERVISOR,
                   interrupts = VT_NEED_XAPIC | VT_NEED_X2APIC | VT_NEED_INTERRUPTS;
    size_t count;
    const struct vt_case *cases = vt_guest_cases(&count);

    for (size_t i = 0; i < count; i++) {
        const struct vt_case *c = &cases[i];
        bool refused = c->bare == VT_BARE_REFUSED, user = c->handler == VT_BY_USER;
        ck_assert_msg(!(c->needs & (kvm | others)) || refused, "%s needs what is not there", c->name);
        ck_assert_msg(!(c->needs & interrupts) || refused || c->bare == VT_BARE_QUIET, "%s: of interrupts",
                      c->name);
        ck_assert_msg(!(user && c->needs & VT_NEED_PORTS) || c->bare == VT_BARE_PORT, "%s: of ports",
                      c->name);
        ck_assert_msg(!(c->needs & VT_NEED_MMIO) || refused || c->bare == VT_BARE_ADDRESS, "%s: of devices",
                      c->name);
        ck_assert_msg(!(c->needs & VT_NEED_TABLES) || c->bare == VT_BARE_RESTORED, "%s: of tables", c->name);
        ck_assert_msg(!(c->needs & VT_NEED_USER) || c->bare == VT_BARE_RESTORED, "%s: of programs", c->name);
        ck_assert_msg(c->class != VT_CLASS_HYPERCALL || c->bare == VT_BARE_GUARDED, "%s: of hypercalls",
                      c->name);
        ck_assert_ptr_nonnull(vt_guest_bare_name(c->bare));
    }
    ck_assert_int_eq(vt_guest_find_case("sti")->bare, VT_BARE_QUIET);
    ck_assert_int_eq(vt_guest_find_case("invd")->bare, VT_BARE_REFUSED);
    ck_assert_int_eq(vt_guest_find_case("out-kernel")->bare, VT_BARE_RESTORED);
}
END_TEST

START_TEST(bodies_are_their_baselines_plus_the_operation)
{
    size_t count;
    const struct vt_case *cases = vt_guest_cases(&count);
    for (size_t i = 0; i < count; i++)
        check_twins(cases[i].name, cases[i].needs & VT_NEED_HOST ? "" : cases[i].operation, cases[i].body,
                    cases[i].baseline);
}
END_TEST

static void check_placement(const char *name, vt_case_function function)
{
    static struct code code;
    const uint8_t *start = address_of(function);
    ck_assert_msg(start >= vt_guest_code_start && start < vt_guest_code_end, "%s: outside vt_cases", name);
    ck_assert_msg((uintptr_t)start % LOOP_ALIGNMENT == 0, "%s: not aligned", name);
    disassemble(name, function, &code);
    ck_assert_msg((uintptr_t)code.instruction[code.loop].address % LOOP_ALIGNMENT == 0,
                  "%s: loop not aligned", name);
    for (size_t i = 0; i < code.count; i++) {
        const struct instruction *at = &code.instruction[i];
        if (!(at->decoded.attributes & ZYDIS_ATTRIB_IS_RELATIVE))
            continue;
        ck_assert_msg(at->operands[0].type == ZYDIS_OPERAND_TYPE_IMMEDIATE, "%s: RIP-relative data", name);
        ck_assert_msg(target_of(at) >= vt_guest_code_start && target_of(at) < vt_guest_code_end,
                      "%s: a branch leaves the code that is copied along", name);
    }
}

START_TEST(paravirtual_forms_are_complete)
{
    size_t count, forms = 0;
    const struct vt_case *cases = vt_guest_cases(&count);
    for (size_t i = 0; i < count; i++)
        for (int interface = 0; interface < VT_PV_INTERFACES; interface++) {
            const struct vt_pv_form *form = vt_guest_pv_form(&cases[i], interface);
            if (!form)
                continue;
            const char *name = cases[i].name;
            forms++;
            ck_assert_msg(form->operation[0] && form->reference[0] && form->code[0], "%s: incomplete", name);
            ck_assert_msg(strlen(form->operation) <= 72, "%s: too long for a row of a report", name);
            ck_assert_msg(form->needs != 0, "%s: a form that needs no hypervisor", name);
            ck_assert_msg(!form->calls || form->needs & VT_PV_NEED_CALL, "%s: calls without a call", name);
            check_twins(name, form->code, form->body, form->baseline);
        }
    ck_assert_uint_ge(forms, 12);
    ck_assert_ptr_null(vt_guest_pv_form(vt_guest_find_case("empty"), VT_PV_KVM));
    ck_assert_ptr_nonnull(vt_guest_pv_form(vt_guest_find_case("rdtsc"), VT_PV_KVM));
}
END_TEST

START_TEST(code_is_aligned_and_reaches_nothing_outside)
{
    size_t count;
    const struct vt_case *cases = vt_guest_cases(&count);
    for (size_t i = 0; i < count; i++) {
        check_placement(cases[i].name, cases[i].body);
        check_placement(cases[i].name, cases[i].baseline);
        for (int interface = 0; interface < VT_PV_INTERFACES; interface++) {
            const struct vt_pv_form *form = vt_guest_pv_form(&cases[i], interface);
            if (!form)
                continue;
            check_placement(cases[i].name, form->body);
            check_placement(cases[i].name, form->baseline);
        }
    }
}
END_TEST

VT_SUITE(names_are_unique_and_typable, entries_are_complete, classes_are_contiguous,
         provoked_exceptions_have_handlers, privilege_decides_where_a_case_runs,
         no_case_runs_where_it_may_do_harm, bodies_are_their_baselines_plus_the_operation,
         paravirtual_forms_are_complete, code_is_aligned_and_reaches_nothing_outside)
