#include "translate/build.h"
#include "translate/process/parts.h"
#include "translate/process/zydis.h"

#include "vcpu/decode.h"
#include "vcpu/raise.h"

#include <stdlib.h>

/* What the C ABI preserves (System V AMD64 ABI 3.2.1). */
static const enum vt_gpr preserved[] = {VT_RBX, VT_RBP, VT_R12, VT_R13, VT_R14, VT_R15};
#define PRESERVED (sizeof preserved / sizeof preserved[0])

static void push(struct vt_emitter *e, enum vt_gpr reg)
{
    if (reg >= 8)
        vt_emit_8(e, 0x41);
    vt_emit_8(e, (uint8_t)(0x50 | (reg & 7)));
}

static void pop(struct vt_emitter *e, enum vt_gpr reg)
{
    if (reg >= 8)
        vt_emit_8(e, 0x41);
    vt_emit_8(e, (uint8_t)(0x58 | (reg & 7)));
}

/* A function to C. */
static void emit_way_in(struct vt_translate *t, struct vt_emitter *e)
{
    for (size_t i = 0; i < PRESERVED; i++)
        push(e, preserved[i]);
    vt_emit_store(e, VT_RSP, AT(t, host_stack));
}

static void emit_way_out(struct vt_translate *t, struct vt_emitter *e)
{
    (void)t;
    for (size_t i = PRESERVED; i-- > 0;)
        pop(e, preserved[i]);
    vt_emit_8(e, 0xc3);
}

static uint64_t flags(void)
{
    uint64_t value;
    __asm__ volatile("pushfq\n\tpopq %0" : "=r"(value));
    return value;
}

static bool is_emulated(const struct vt_translate *t, uint64_t address)
{
    uint8_t byte;
    uint32_t error;

    return t->environment->load(t->environment->context, address, &byte, 1, &error) == VT_ACCESS_MMIO;
}

static void decode(const struct vt_translate *t, const uint8_t *code, size_t size, struct vt_insn *insn)
{
    vt_translate_decode_slowly(((const struct vt_translate_process *)t)->decoder, code, size, insn);
}

static const struct vt_translate_platform platform = {
    .give = vt_process_give,
    .take = vt_process_take,
    .populate = vt_process_populate,
    .clear = vt_process_clear,
    .protect = vt_process_protect,
    .emit_way_in = emit_way_in,
    .emit_way_out = emit_way_out,
    .flags = flags,
    .peek = vt_process_peek,
    .is_emulated = is_emulated,
    .decode = decode,
    .decode_sensitive = vt_vcpu_decode,
};

static int fill(struct vt_translate_process *process, const struct vt_translate_settings *settings,
                struct vt_error *error)
{
    struct vt_translate *t = &process->t;
    int status = vt_process_map(process, settings, error);

    if (status != 0)
        return status;
    process->decoder = vt_translate_new_decoder();
    t->build = malloc(sizeof(struct vt_build));
    process->signal_stack = malloc(VT_SIGNAL_STACK);
    if (!process->decoder || !t->build || !process->signal_stack)
        return vt_error_memory(error, "the translator");
    return 0;
}

int vt_translate_create(struct vt_translate **out, const struct vt_translate_settings *settings,
                        struct vt_error *error)
{
    struct vt_translate_process *process = calloc(1, sizeof *process);

    if (!process)
        return vt_error_memory(error, "the translator");
    process->memfd = -1;
    process->fix_fault = settings->fix_fault;
    process->t.platform = &platform;
    process->t.environment = settings->environment;
    int status = fill(process, settings, error);
    if (status != 0) {
        vt_translate_destroy(&process->t);
        return status;
    }
    vt_translate_start(&process->t);
    *out = &process->t;
    return 0;
}

void vt_translate_destroy(struct vt_translate *t)
{
    if (!t)
        return;
    struct vt_translate_process *process = vt_process_of(t);

    vt_process_unmap(process);
    free(process->decoder);
    free(t->build);
    free(process->signal_stack);
    free(process);
}

uint8_t *vt_translate_memory(struct vt_translate *t, size_t *size)
{
    *size = t->window_size - PAGE; /* the gate's page is not for the guest */
    return t->window;
}

/* Control words of the host's floating point, which the C ABI preserves. */
struct host_control {
    uint32_t mxcsr;
    uint16_t x87;
};

static struct host_control keep_control(void)
{
    struct host_control control;
    __asm__ volatile("stmxcsr %0\n\tfnstcw %1" : "=m"(control.mxcsr), "=m"(control.x87));
    return control;
}

static void put_back_control(const struct vt_translate *t, const struct host_control *control)
{
    if (t->context->vectors)
        __asm__ volatile("fninit\n\tldmxcsr %0\n\tfldcw %1" : : "m"(control->mxcsr), "m"(control->x87));
}

/* The frame of the call: a return address that ends the run. False: the stack is not in the window. */
static bool push_gate(struct vt_translate *t)
{
    struct vt_vcpu *vcpu = &t->context->vcpu;
    uint64_t slot = vcpu->gpr[VT_RSP] - 8, gate = t->gate;

    if (!in_window(t, slot) || !in_window(t, slot + 7) || t->watched[offset_of(t, slot) / PAGE])
        return false;
    vcpu->gpr[VT_RSP] = slot;
    memcpy((void *)(uintptr_t)slot, &gate, sizeof gate);
    return true;
}

enum vt_translate_end vt_translate_call(struct vt_translate *t, uint64_t function, uint64_t exits)
{
    struct host_control control = keep_control();

    t->context->vcpu.rip = function;
    if (!push_gate(t)) {
        vt_vcpu_raise_error(&t->context->vcpu, VT_EXCEPTION_SS, 0);
        return VT_TRANSLATE_FAULT;
    }
    vt_process_catch(vt_process_of(t));
    enum vt_translate_end end = vt_translate_run(t, exits);
    vt_process_release();
    put_back_control(t, &control);
    return end;
}

void vt_translate_own(const struct vt_translate *t, const void *parts[VT_TRANSLATE_OWN])
{
    const struct vt_translate_process *process = (const struct vt_translate_process *)t;
    const void *const all[VT_TRANSLATE_OWN] = {
        t, t->build, process->decoder, process->signal_stack, t->watched, t->by_emulator, t->table_filled};

    memcpy(parts, all, sizeof all);
}
