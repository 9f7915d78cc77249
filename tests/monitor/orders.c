#include "tests/monitor/orders.h"

#include "guest/image/place.h"
#include "guest/image/road.h"
#include "monitor/assist.h"
#include "monitor/call.h"
#include "monitor/exit/svm.h"
#include "monitor/exit/vmx.h"
#include "monitor/hardware.h"
#include "monitor/translator.h"
#include "tests/difference/effect_code.h"

#include <string.h>

_Static_assert(sizeof(struct monitor_control) < MONITOR_MEMORY - MONITOR_CONTROL,
               "it lies in the machine's memory");

static struct monitor_control *const control = (struct monitor_control *)MONITOR_CONTROL;
static struct vt_scratch *const scratch = (struct vt_scratch *)VT_GUEST_SCRATCH;
static struct vt_environment below;

extern uint8_t vt_translator_shared[];
extern const char *const __start_bad_names[], *const __stop_bad_names[];
extern const vt_case_function __start_bad_code[];

static void note(enum monitor_device device, bool write, unsigned size, uint64_t where, uint64_t value)
{
    if (control->accesses < MONITOR_ACCESSES)
        control->access[control->accesses] = (struct monitor_access){
            device, write, size, (uint32_t)where, size < 8 ? value & ((UINT64_C(1) << 8 * size) - 1) : value};
    control->accesses++;
}

static uint32_t port_read(void *context, uint16_t port, unsigned size)
{
    if (port != VT_PORT_USER)
        return below.port_read(context, port, size);
    note(MONITOR_IS_PORT, false, size, port, MONITOR_PORT);
    return MONITOR_PORT;
}

static void port_write(void *context, uint16_t port, unsigned size, uint32_t value)
{
    if (port == VT_PORT_USER)
        note(MONITOR_IS_PORT, true, size, port, value);
    below.port_write(context, port, size, value);
}

static bool is_user_page(uint64_t address)
{
    return address - VT_GUEST_MMIO < 0x3000;
}

static uint64_t mmio_read(void *context, uint64_t address, unsigned size)
{
    if (!is_user_page(address))
        return below.mmio_read(context, address, size);
    note(MONITOR_IS_MMIO, false, size, address - VT_GUEST_MMIO, MONITOR_MMIO);
    return MONITOR_MMIO;
}

static void mmio_write(void *context, uint64_t address, unsigned size, uint64_t value)
{
    if (is_user_page(address))
        note(MONITOR_IS_MMIO, true, size, address - VT_GUEST_MMIO, value);
    below.mmio_write(context, address, size, value);
}

static enum vt_access msr_read(void *context, uint32_t index, uint64_t *value)
{
    enum vt_access result = below.msr_read(context, index, value);

    if (result == VT_ACCESS_DONE)
        note(MONITOR_IS_MSR, false, 8, index, *value = MONITOR_MSR);
    return result;
}

static enum vt_access msr_write(void *context, uint32_t index, uint64_t value)
{
    enum vt_access result = below.msr_write(context, index, value);

    if (result == VT_ACCESS_DONE)
        note(MONITOR_IS_MSR, true, 8, index, value);
    return result;
}

void monitor_tap(void)
{
    below = vt_monitor.environment;
    vt_monitor.environment.port_read = port_read;
    vt_monitor.environment.port_write = port_write;
    vt_monitor.environment.mmio_read = mmio_read;
    vt_monitor.environment.mmio_write = mmio_write;
    vt_monitor.environment.msr_read = msr_read;
    vt_monitor.environment.msr_write = msr_write;
}

uint64_t vt_image_base; /* it runs where it is linked */

/* This image has no world of its own to go back to; it takes what the guest left. */
void vt_image_restore(void)
{
    control->scratch = *scratch;
}

static void redirect(uint8_t vector)
{
    uint64_t *gate = (uint64_t *)(uintptr_t)(VT_GUEST_IDT + 16 * vector), handler = (uintptr_t)effect_handler;

    gate[0] = (gate[0] & UINT64_C(0x0000ffffffff0000)) | (handler & 0xffff) | (handler >> 16 & 0xffff) << 48;
    gate[1] = handler >> 32;
}

static const struct vt_case *ordered_case(void)
{
    size_t count;
    const struct vt_case *cases = vt_guest_cases(&count);

    return &cases[control->number < count ? control->number : 0];
}

static void finish(enum vt_monitor_end end)
{
    control->end = end;
    control->vector = end == VT_MONITOR_BROKEN ? vt_monitor.broken : vt_monitor.vcpu.fault.vector;
    control->traps = vt_monitor.traps + vt_monitor.exits;
    control->vcpu = vt_monitor.vcpu;
    control->mask = vt_monitor.port_latch;
}

static void refuse(const char *reason)
{
    size_t i = 0;

    for (; reason && reason[i] && i < sizeof control->refusal - 1; i++)
        control->refusal[i] = reason[i];
    control->refusal[i] = '\0';
}

static void prepare(const struct vt_case *c)
{
    const char *lack = vt_monitor_lacks(c);

    refuse(lack);
    if (lack)
        return;
    vt_monitor_prepare(c);
    control->body = (uintptr_t)c->body;
    control->vcpu = vt_monitor.vcpu;
    control->scratch = *scratch;
}

static void begin(void)
{
    vt_monitor.vcpu = control->vcpu;
    *scratch = control->scratch;
    vt_monitor.port_latch = (uint32_t)control->mask;
    control->accesses = 0;
    if (control->redirected)
        redirect((uint8_t)(control->redirected - 1));
}

static const char *open_road(enum monitor_road road)
{
    switch (road) {
    case MONITOR_BY_SVM:
    case MONITOR_BY_SVM_AS_KVM:
        return vt_svm_open();
    case MONITOR_BY_VMX:
    case MONITOR_BY_VMX_AS_KVM:
        return vt_vmx_open();
    case MONITOR_BY_TRANSLATION:
    case MONITOR_BY_TRANSLATION_AGAIN:
        return vt_translator_open();
    default:
        return NULL;
    }
}

static enum vt_monitor_end go(enum monitor_road road, vt_case_function function)
{
    switch (road) {
    case MONITOR_BY_SVM:
        return vt_svm_run(function, 1, VT_SVM_ALL);
    case MONITOR_BY_SVM_AS_KVM:
        return vt_svm_run(function, 1, VT_SVM_AS_KVM);
    case MONITOR_BY_VMX:
        return vt_vmx_run(function, 1, VT_VMX_ALL);
    case MONITOR_BY_VMX_AS_KVM:
        return vt_vmx_run(function, 1, VT_VMX_AS_KVM);
    case MONITOR_BY_TRANSLATION:
    case MONITOR_BY_TRANSLATION_AGAIN:
        return vt_translator_run(function, 1);
    default:
        return vt_monitor_run(function, 1, VT_MONITOR_SHUT);
    }
}

static bool can_go(enum monitor_road road)
{
    const char *reason = open_road(road);

    refuse(reason);
    return !reason;
}

/* A run that leaves nothing behind but translations. */
static void learn(const struct vt_case *c)
{
    static struct vt_vcpu vcpu;
    static struct vt_scratch block;

    vcpu = control->vcpu;
    block = control->scratch;
    begin();
    vt_translator_run(c->body, 1);
    vt_monitor_prepare(c);
    control->vcpu = vcpu;
    control->scratch = block;
}

/* With what makes the case fault, so that the emulator answers wherever it can be asked. */
static void assist(const struct vt_case *c)
{
    static struct vt_scratch block;

    block = control->scratch; /* which each look at the processor overwrites */
    if (control->road == MONITOR_BY_FAULT && !vt_assist_lacks(c->trapped_by))
        vt_assist_set(c->trapped_by, true);
    control->scratch = block;
    vt_hardware_take();
}

static void run(const struct vt_case *c)
{
    if (!can_go(control->road))
        return;
    assist(c);
    if (control->road == MONITOR_BY_TRANSLATION_AGAIN)
        learn(c);
    else
        vt_translator_forget();
    begin();
    finish(go(control->road, c->body));
    vt_assist_set(c->trapped_by, false);
}

static void call(const struct vt_case *c)
{
    vt_monitor.vcpu = control->vcpu;
    *scratch = control->scratch;
    vt_call_prepare(c);
    finish(vt_monitor_run(vt_guest_pv_form(c, VT_PV_XEN)->body, 1, VT_MONITOR_CALLS));
    control->traps = vt_monitor.calls;
}

static void run_bad(void)
{
    const uint64_t place = (uintptr_t)vt_translator_shared;

    if (!can_go(control->road))
        return;
    vt_monitor_prepare(vt_guest_find_case("nop"));
    memcpy(scratch->buffer, &place, sizeof place);
    vt_translator_forget();
    finish(go(control->road, __start_bad_code[control->number]));
}

bool monitor_patch(void)
{
    size_t count;
    const struct vt_case *cases = vt_guest_cases(&count);

    for (size_t i = 0; i < count; i++)
        if (!effect_patch_body((uint8_t *)(uintptr_t)cases[i].body, vt_guest_code_end, effect_record))
            return false;
    return true;
}

void monitor_name_bad(void)
{
    size_t count = (size_t)(__stop_bad_names - __start_bad_names);

    control->bad_count = count < MONITOR_BAD_MOST ? count : MONITOR_BAD_MOST;
    for (size_t i = 0; i < control->bad_count; i++)
        for (size_t k = 0; __start_bad_names[i][k] && k < sizeof control->names[0] - 1; k++)
            control->names[i][k] = __start_bad_names[i][k];
}

void monitor_do(void)
{
    if (control->order == MONITOR_PREPARE)
        prepare(ordered_case());
    else if (control->order == MONITOR_RUN)
        run(ordered_case());
    else if (control->order == MONITOR_CALL)
        call(ordered_case());
    else
        run_bad();
}
