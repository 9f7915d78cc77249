/*
 * Opens an engine of its own: nothing here touches one that measures.
 */
#include "bench/engines/translate/account.h"
#include "base/process/clock.h"
#include "bench/engine.h"
#include "bench/engines/machine/inside.h"
#include "translate/internal.h"
#include "translate/process/process.h"

#include <Zydis/Zydis.h>
#include <string.h>

enum { ROUNDS = 9, MOST_LOOP = 32 };

/* One of each kind: a sequence in place of the instruction, and a call to the emulator. */
static const char *const shown[] = {"cli", "popf", "out-kernel"};

extern const struct vt_engine vt_engine_translate;

struct account {
    void *state;
    struct vt_translate *t;
    ZydisDecoder decoder;
    ZydisFormatter formatter;
};

static json_t *line_of(const struct account *account, const uint8_t *code, size_t size, uint64_t address,
                       size_t *length)
{
    char text[96], bytes[3 * 15 + 1] = "";
    ZydisDecodedInstruction z;
    ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
    *length = 1;
    if (ZYAN_SUCCESS(ZydisDecoderDecodeFull(&account->decoder, code, size, &z, operands)) &&
        ZYAN_SUCCESS(ZydisFormatterFormatInstruction(
            &account->formatter, &z, operands, z.operand_count_visible, text, sizeof text, address, NULL)))
        *length = z.length;
    else
        snprintf(text, sizeof text, "(data)");
    for (size_t i = 0; i < *length; i++)
        sprintf(bytes + 3 * i, "%02x%s", code[i], i + 1 < *length ? " " : "");
    return json_pack("{s:s, s:s}", "text", text, "bytes", bytes);
}

/* Where translated code for the guest's instruction at `offset` ends: where the next one's begins. */
static uint32_t host_end(const struct vt_translate *t, uint32_t offset, size_t length)
{
    uint32_t start = t->host_of[offset], next = t->host_of[offset + length];
    return next > start ? next : start;
}

static json_t *host_lines(const struct account *account, uint32_t from, uint32_t to)
{
    json_t *lines = json_array();
    for (size_t length; from < to; from += (uint32_t)length)
        json_array_append_new(lines,
                              line_of(account, (const uint8_t *)(uintptr_t)from, to - from, from, &length));
    return lines;
}

/* The loop of a body: from the target of its last branch backward to that branch. */
static bool find_loop(const struct account *account, uint64_t start, uint64_t *from, uint64_t *to)
{
    ZydisDecodedInstruction z;
    ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
    for (uint64_t at = start; at < start + 1024; at += z.length) {
        ZyanU64 target;
        if (!ZYAN_SUCCESS(
                ZydisDecoderDecodeFull(&account->decoder, (const void *)(uintptr_t)at, 15, &z, operands)) ||
            z.meta.category == ZYDIS_CATEGORY_RET)
            return false;
        if (z.mnemonic != ZYDIS_MNEMONIC_JNZ ||
            !ZYAN_SUCCESS(ZydisCalcAbsoluteAddress(&z, &operands[0], at, &target)) || target > at ||
            target < start)
            continue;
        *from = target;
        *to = at; /* the branch itself is the loop's, not the operation's */
        return true;
    }
    return false;
}

static json_t *instruction(const struct account *account, uint64_t at, size_t *length)
{
    json_t *line = line_of(account, (const uint8_t *)(uintptr_t)at, 15, at, length);
    uint32_t offset = offset_of(account->t, at), host = account->t->host_of[offset];
    uint32_t end = host_end(account->t, offset, *length);
    bool copied = end - host == *length &&
                  memcmp((const void *)(uintptr_t)host, (const void *)(uintptr_t)at, *length) == 0;
    json_object_set_new(line, "copied", json_boolean(copied));
    json_object_set_new(line, "host", host_lines(account, host, end));
    return line;
}

static uint64_t entry_of(const struct account *account, const struct vt_case *c)
{
    return vt_translate_inside_address(account->state, (const void *)(uintptr_t)c->body);
}

static json_t *show(const struct account *account, const struct vt_case *c)
{
    struct vt_error error;
    uint64_t from, to, entry = entry_of(account, c);
    if (vt_engine_translate.prepare(account->state, c, 0, &error) != 0 ||
        !vt_translate_prepare(account->t, entry) || !find_loop(account, entry, &from, &to))
        return NULL;
    json_t *instructions = json_array();
    for (size_t length; from < to && json_array_size(instructions) < MOST_LOOP; from += length)
        json_array_append_new(instructions, instruction(account, from, &length));
    return json_pack("{s:s, s:o}", "case", c->name, "instructions", instructions);
}

static json_t *show_cases(const struct account *account)
{
    json_t *cases = json_array();
    for (size_t i = 0; i < sizeof shown / sizeof shown[0]; i++) {
        const struct vt_case *c = vt_guest_find_case(shown[i]);
        json_t *one = c ? show(account, c) : NULL;
        if (one)
            json_array_append_new(cases, one);
    }
    return cases;
}

struct cost {
    uint64_t ns, host_bytes;
    struct vt_translate_counts before, after;
};

/* All bodies, each as if it had never been seen. */
static struct cost translate_all(const struct account *account)
{
    struct cost cost = {0};
    size_t count;
    const struct vt_case *cases = vt_guest_cases(&count);
    vt_translate_flush(account->t);
    uint32_t used = account->t->used;
    cost.before = vt_translate_counts(account->t);
    uint64_t begun = vt_clock_now();
    for (size_t i = 0; i < count; i++)
        vt_translate_prepare(account->t, entry_of(account, &cases[i]));
    cost.ns = vt_clock_now() - begun;
    cost.after = vt_translate_counts(account->t);
    cost.host_bytes = account->t->used - used;
    return cost;
}

static json_int_t count_instructions(const struct vt_translate *t)
{
    json_int_t count = 0;
    for (size_t i = 0; i < (size_t)(vt_guest_code_end - vt_guest_code_start); i++)
        count += t->host_of[i] != 0;
    return count;
}

static json_t *cost_json(const struct account *account)
{
    struct cost least = translate_all(account);
    for (int i = 1; i < ROUNDS; i++) {
        struct cost cost = translate_all(account);
        least = cost.ns < least.ns ? cost : least;
    }
    return json_pack("{s:I, s:I, s:I, s:I, s:I}", "instructions", count_instructions(account->t), "blocks",
                     (json_int_t)(least.after.blocks - least.before.blocks), "guest_bytes",
                     (json_int_t)(least.after.bytes - least.before.bytes), "host_bytes",
                     (json_int_t)least.host_bytes, "ns", (json_int_t)least.ns);
}

json_t *vt_translate_account(void)
{
    static const volatile int never;
    struct account account;
    struct vt_engine_settings settings = {.limit_ns = 1000000000, .stop = &never};
    struct vt_error error;
    if (vt_engine_translate.open(&account.state, &settings, &error) != 0)
        return NULL;
    vt_translate_inside(account.state, &account.t);
    ZydisDecoderInit(&account.decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
    ZydisFormatterInit(&account.formatter, ZYDIS_FORMATTER_STYLE_INTEL);
    ZydisFormatterSetProperty(&account.formatter, ZYDIS_FORMATTER_PROP_ADDR_PADDING_ABSOLUTE,
                              ZYDIS_PADDING_DISABLED);
    json_t *cases = show_cases(&account);
    json_t *result = json_pack("{s:o, s:o}", "cases", cases, "cost", cost_json(&account));
    vt_engine_translate.close(account.state);
    return result;
}
