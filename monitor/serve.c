/* What a fault of the guest's comes to. */
#include "guest/abi.h"
#include "monitor/decoded.h"
#include "monitor/monitor.h"
#include "monitor/timer.h"
#include "monitor/pages.h"
#include "monitor/msr.h"

#define REPEATS                                                                                              \
    16 /* times that a repeated string instruction goes on here before the timer gets its chance */

/* What few faults come to: whose registers would be put away for all of them, were it built in. */
#define APART __attribute__((noinline))

#define MSR_FS 0xc0000100
#define MSR_GS 0xc0000101

void vt_monitor_own_fault(const struct vt_monitor_frame *frame);

static bool is_device(uint64_t address)
{
    return address - VT_GUEST_MMIO < 0x3000 || address - VT_GUEST_XAPIC < 0x1000;
}

/* The exception as the guest's own: at the virtual privilege level, which need not be ring 3. */
static APART enum vt_step reflect(const struct vt_monitor_frame *frame, uint64_t address)
{
    struct vt_vcpu *vcpu = &vt_monitor.vcpu;

    if (frame->vector == VT_EXCEPTION_PF)
        return vt_vcpu_raise_page_fault(
            vcpu, address, vcpu->cpl == 3 ? (uint32_t)frame->error : (uint32_t)frame->error & ~UINT32_C(4));
    vt_vcpu_raise_error(vcpu, (uint8_t)frame->vector, (uint32_t)frame->error);
    if (frame->vector == VT_EXCEPTION_DB) {
        vcpu->fault.event = VT_EVENT_TRAP;
        vcpu->dr[6] |= UINT64_C(1) << 14;
    }
    return VT_STEP_FAULT;
}

/* RDFSBASE and its kin change the bases without a fault: they are the processor's until somebody asks. */
static bool uses_bases(const struct vt_instruction *instruction)
{
    switch (instruction->operation) {
    case VT_OP_RDMSR:
    case VT_OP_WRMSR:
    case VT_OP_SWAPGS:
    case VT_OP_MOV_TO_SEGMENT:
    case VT_OP_POP_SEGMENT:
    case VT_OP_LFS:
    case VT_OP_LGS:
    case VT_OP_RDFSBASE:
    case VT_OP_RDGSBASE:
    case VT_OP_WRFSBASE:
    case VT_OP_WRGSBASE:
        return true;
    default:
        return instruction->segment == VT_FS || instruction->segment == VT_GS;
    }
}

static enum vt_step execute(const struct vt_instruction *instruction)
{
    return vt_vcpu_execute(&vt_monitor.vcpu, &vt_monitor.environment, instruction);
}

/* A repeated string instruction, which is where it was. */
static APART enum vt_step go_on(void)
{
    const struct vt_instruction *instruction = vt_decoded_find(vt_monitor.vcpu.rip);
    enum vt_step step = VT_STEP_AGAIN;

    for (unsigned i = 1; i < REPEATS && step == VT_STEP_AGAIN; i++)
        step = execute(instruction);
    return step == VT_STEP_AGAIN ? VT_STEP_DONE : step;
}

static APART enum vt_step execute_with_bases(const struct vt_instruction *instruction)
{
    struct vt_segment *segment = vt_monitor.vcpu.segment;
    uint64_t fs = segment[VT_FS].base = vt_msr_read(MSR_FS);
    uint64_t gs = segment[VT_GS].base = vt_msr_read(MSR_GS);
    enum vt_step step = execute(instruction);

    if (step == VT_STEP_AGAIN)
        step = go_on();
    if (segment[VT_FS].base != fs)
        vt_msr_write(MSR_FS, segment[VT_FS].base);
    if (segment[VT_GS].base != gs)
        vt_msr_write(MSR_GS, segment[VT_GS].base);
    return step;
}

static inline enum vt_step emulate(const struct vt_monitor_frame *frame, uint64_t address)
{
    const struct vt_instruction *instruction = vt_decoded_find(frame->rip);

    if (!instruction)
        return reflect(frame, address);
    if (uses_bases(instruction))
        return execute_with_bases(instruction);
    enum vt_step step = execute(instruction);
    return step == VT_STEP_AGAIN ? go_on() : step;
}

static uint64_t read_cr2(void)
{
    uint64_t value;

    __asm__ volatile("mov %%cr2, %0" : "=r"(value));
    return value;
}

static APART enum vt_step serve_page_fault(const struct vt_monitor_frame *frame)
{
    uint64_t address = read_cr2();

    if (frame->rip == (uintptr_t)vt_monitor_returned)
        vt_monitor_leave(VT_MONITOR_RETURNED);
    if (is_device(address) || vt_pages_is_table(address))
        return emulate(frame, address);
    return reflect(frame, address);
}

static enum vt_step answer(const struct vt_monitor_frame *frame)
{
    switch (frame->vector) {
    case VT_EXCEPTION_GP:
    case VT_EXCEPTION_UD:
        return emulate(frame, 0);
    case VT_EXCEPTION_PF:
        return serve_page_fault(frame);
    case VT_MONITOR_TIMER:
        vt_timer_end();
        vt_monitor_leave(VT_MONITOR_TIMEOUT);
    default:
        return frame->vector < 32 ? reflect(frame, 0) : VT_STEP_DONE;
    }
}

/*
 * A pending interrupt is taken now. The shadow of STI is kept where it matters, before HLT: that one traps,
 * and the interrupt is looked at again. No innocuous instruction can tell.
 */
static APART enum vt_step interrupt(void)
{
    struct vt_vcpu *vcpu = &vt_monitor.vcpu;
    const struct vt_instruction *next = vcpu->shadow ? vt_decoded_find(vcpu->rip) : NULL;
    bool taken;

    if (next && next->operation == VT_OP_HLT)
        return VT_STEP_DONE;
    vcpu->shadow = 0;
    enum vt_step step = vt_vcpu_interrupt(vcpu, &vt_monitor.environment, &taken);
    vt_monitor.interrupts += taken;
    return step;
}

static void serve(struct vt_monitor_frame *frame)
{
    struct vt_vcpu *vcpu = &vt_monitor.vcpu;

    vt_monitor.traps++;
    vt_monitor.vectors[frame->vector]++;
    vcpu->rip = frame->rip;
    vcpu->gpr[VT_RSP] = frame->rsp;
    vcpu->rflags = (frame->rflags & VT_FLAGS_USER) | VT_FLAG_ONE;
    enum vt_step step = answer(frame);
    if (step == VT_STEP_FAULT)
        step = vt_vcpu_deliver(vcpu, &vt_monitor.environment);
    if (step == VT_STEP_DONE && vcpu->apic.pending && vcpu->interrupt_flag)
        step = interrupt();
    if (step != VT_STEP_DONE)
        vt_monitor_leave(step == VT_STEP_HALT ? VT_MONITOR_HALTED : VT_MONITOR_FAULT);
    /* What comes next clears RF at its end (Intel SDM 3B 18.3.1.1), whether it is seen here or not. */
    vcpu->system_flags &= ~VT_FLAG_RF;
    frame->rip = vcpu->rip;
    frame->rsp = vcpu->gpr[VT_RSP];
    frame->rflags = vcpu->rflags | VT_FLAG_IF;
}

vt_monitor_server *vt_monitor_server_now = serve;

void vt_monitor_serve_by(vt_monitor_server *server)
{
    vt_monitor_server_now = server ? server : serve;
}

void vt_monitor_own_fault(const struct vt_monitor_frame *frame)
{
    vt_monitor.broken = frame->vector;
    vt_monitor_leave(VT_MONITOR_BROKEN);
}
