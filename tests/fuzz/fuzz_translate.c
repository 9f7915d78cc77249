/*
 * The translator on arbitrary code: whatever the bytes are, translating them harms nobody, and running them
 * ends in a return, a guest's fault or a stop. `make fuzz` builds it.
 *
 * Guest and host share an address space, so that code is run only when no byte offset of it decodes to an
 * instruction that writes memory other than by RSP and RBP, which it must not move at will; everything else
 * is translated from every offset and not run.
 */
#include "tests/unit/translate/translated.h"

#include <Zydis/Zydis.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MOST_CODE 1024
#define LIMIT_NS  3000000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct translated world;
static timer_t timer;
static ZydisDecoder decoder;

static void on_expiry(int number, siginfo_t *info, void *context)
{
    (void)number, (void)info;
    vt_translate_stop(world.translate, context);
}

static void open_world(void)
{
    struct sigaction action = {.sa_sigaction = on_expiry, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN};

    translated_open(&world, 512 << 10);
    ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
    sigaction(SIGRTMIN, &action, NULL);
    timer_create(CLOCK_MONOTONIC, &event, &timer);
}

static bool is_frame(ZydisRegister reg)
{
    return reg == ZYDIS_REGISTER_RSP || reg == ZYDIS_REGISTER_RBP;
}

static bool is_tame(const ZydisDecodedOperand *operand)
{
    bool writes = operand->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE;
    bool implied = operand->visibility == ZYDIS_OPERAND_VISIBILITY_HIDDEN;

    if (operand->type == ZYDIS_OPERAND_TYPE_REGISTER && writes) {
        ZydisRegister whole =
            ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, operand->reg.value);
        return whole != ZYDIS_REGISTER_RBP && (whole != ZYDIS_REGISTER_RSP || implied);
    }
    if (operand->type == ZYDIS_OPERAND_TYPE_MEMORY && writes)
        return is_frame(operand->mem.base) && operand->mem.index == ZYDIS_REGISTER_NONE &&
               operand->mem.segment != ZYDIS_REGISTER_FS && operand->mem.segment != ZYDIS_REGISTER_GS &&
               operand->mem.disp.value >= -4096 && operand->mem.disp.value < 4096;
    return true;
}

static bool is_tame_at(const uint8_t *code, size_t size)
{
    ZydisDecodedInstruction z;
    ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];

    if (ZYAN_FAILED(ZydisDecoderDecodeFull(&decoder, code, size, &z, operands)))
        return true;
    if (z.mnemonic == ZYDIS_MNEMONIC_LEAVE || z.mnemonic == ZYDIS_MNEMONIC_ENTER ||
        z.mnemonic == ZYDIS_MNEMONIC_IRETQ)
        return false;
    for (int i = 0; i < z.operand_count; i++)
        if (!is_tame(&operands[i]))
            return false;
    return true;
}

static bool is_tame_code(const uint8_t *code, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (!is_tame_at(code + i, size - i))
            return false;
    return true;
}

static void run(void)
{
    struct itimerspec limit = {.it_value = {.tv_nsec = LIMIT_NS}, .it_interval = {.tv_nsec = LIMIT_NS}},
                      none = {0};

    timer_settime(timer, 0, &limit, NULL);
    enum vt_translate_end end =
        vt_translate_call(world.translate, (uintptr_t)world.window + TRANSLATED_CODE, 2000);
    timer_settime(timer, 0, &none, NULL);
    if (end > VT_TRANSLATE_FULL || world.vcpu->cpl > 3)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *code;

    if (size == 0 || size > MOST_CODE)
        return 0;
    if (!world.translate)
        open_world();
    vt_translate_forget(world.translate);
    vt_vcpu_reset(world.vcpu);
    translated_registers(&world, size);
    code = world.window + TRANSLATED_CODE;
    memset(code, 0xcc, MOST_CODE + 16);
    memcpy(code, data, size);
    if (is_tame_code(data, size))
        run();
    for (size_t i = 0; i < size; i++)
        vt_translate_prepare(world.translate, (uintptr_t)code + i);
    return 0;
}
