/*
 * Guest code in a virtual machine on /dev/kvm: whatever it does, the batch ends in time, with a reason where
 * not well, and the machine runs the next case. Does nothing where there is no KVM.
 *
 * Input: one byte for the privilege level and the number of turns, one for what the case says it needs, then
 * code.
 */
#include "bench/engine.h"
#include "guest/abi.h"
#include "bench/engines/kvm/machine.h"

#include <stdlib.h>
#include <string.h>

/* Of CPU time; the next case has all it may need. */
enum { ROOM = 1024, LIMIT_NS = 20000000, NEXT_LIMIT_NS = 1000000000 };

/* The guest has its own copy of the cases, and in it this gives room. */
__asm__(".pushsection vt_cases, \"ax\", @progbits\n"
        ".balign 64\n"
        "gate_code: .fill 1024, 1, 0xcc\n"
        "gate_return: ret\n"
        ".popsection\n");
void gate_code(uint64_t, struct vt_scratch *);
void gate_return(uint64_t, struct vt_scratch *);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct vt_kvm_machine machine;
static enum { UNTRIED, OPEN, MISSING } standing;

static bool is_open(void)
{
    static const volatile int never;
    const struct vt_engine_settings settings = {.limit_ns = LIMIT_NS, .stop = &never};
    struct vt_error error;

    if (standing == UNTRIED)
        standing = vt_kvm_machine_open(&machine, &settings, &error) == 0 ? OPEN : MISSING;
    return standing == OPEN;
}

static const uint32_t needs[] = {
    0, VT_NEED_HANDLERS, VT_NEED_XAPIC, VT_NEED_X2APIC | VT_NEED_INTERRUPTS, VT_NEED_DISCARD, VT_NEED_PAGING};

/* False: this KVM cannot start such a case. */
static bool start(const struct vt_case *c, int cpl)
{
    char reason[512];
    struct vt_error error = {.text = ""};

    if (!vt_kvm_machine_offers(&machine, c->needs, reason, sizeof reason))
        return false;
    machine.vm.dirty = true; /* nothing of the last one stays */
    return vt_kvm_machine_start(&machine, c, cpl, &error) == 0;
}

static void check_end(enum vt_batch_end end, const struct vt_error *error)
{
    if (end == VT_BATCH_DONE)
        return;
    if (end > VT_BATCH_BROKEN || end == VT_BATCH_INTERRUPTED || !*error->text || strchr(error->text, '\n'))
        __builtin_trap(); /* one clear line, always */
}

static void run(const struct vt_case *c, int cpl, uint64_t turns, const uint8_t *code, size_t size)
{
    uint64_t place = VT_GUEST_CASES + (uint64_t)((const uint8_t *)(uintptr_t)gate_code - vt_guest_code_start);
    struct vt_error error = {.text = ""};
    struct vt_batch batch;

    machine.settings.limit_ns = LIMIT_NS;
    if (!start(c, cpl))
        return;
    uint8_t *memory = vt_vmm_memory(&machine.vm, place, size);
    if (!memory)
        __builtin_trap();
    memcpy(memory, code, size);
    if (vt_kvm_machine_enter(&machine, &error) == 0)
        check_end(vt_kvm_machine_batch(&machine, gate_code, turns, &batch, &error), &error);
}

static void check_next(int cpl)
{
    static const struct vt_case next = {
        .name = "next", .operation = "ret", .body = gate_return, .baseline = gate_return};
    struct vt_error error = {.text = ""};
    struct vt_batch batch;

    machine.settings.limit_ns = NEXT_LIMIT_NS;
    if (vt_kvm_machine_start(&machine, &next, cpl, &error) != 0 ||
        vt_kvm_machine_enter(&machine, &error) != 0 ||
        vt_kvm_machine_batch(&machine, gate_return, 1, &batch, &error) != VT_BATCH_DONE)
        __builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 3 || size > ROOM || !is_open())
        return 0;
    const struct vt_case c = {.name = "gate",
                              .operation = "?",
                              .body = gate_code,
                              .baseline = gate_return,
                              .needs = needs[data[1] % (sizeof needs / sizeof needs[0])],
                              .skip_vector = data[1] >> 3};
    int cpl = data[0] & 1 ? 3 : 0;
    run(&c, cpl, 1 + (data[0] >> 1), data + 2, size - 2);
    check_next(cpl);
    return 0;
}
