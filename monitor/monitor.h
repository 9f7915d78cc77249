/*
 * The monitor: a hypervisor of the classic kind inside the image. It has ring 0; the guest's kernel, which
 * is the cases and the payload's handlers, runs at ring 3, and what faults there is emulated by vcpu/.
 *
 * Owns: one guest at a time, its virtual CPU and devices, and the processor while it runs. Does not own: what
 * an instruction does (vcpu/), where the image came from and what it says (guest/image/).
 *
 * There is one, and it is static: the processor enters it through a table and brings no argument.
 */
#ifndef VT_MONITOR_MONITOR_H
#define VT_MONITOR_MONITOR_H

#ifndef __ASSEMBLER__
#include "guest/image/road.h"
#include "monitor/frame.h"
#include "vcpu/emulate/emulate.h"

/* How a run of the guest ended. */
enum vt_monitor_end {
    VT_MONITOR_RETURNED = 1,
    VT_MONITOR_FAULT,   /* of vcpu.fault: the guest's handler has no answer, or cannot be entered */
    VT_MONITOR_HALTED,  /* HLT with nothing pending */
    VT_MONITOR_TIMEOUT, /* the timer came */
    VT_MONITOR_BROKEN,  /* the monitor itself faulted: `broken` holds the vector */
};

struct vt_monitor {
    struct vt_vcpu vcpu;                /* first: the gates address its registers */
    uint64_t traps;                     /* entries from the guest since it was entered */
    uint64_t vectors[VT_MONITOR_GATES]; /* of these, by vector */
    uint64_t exits;                     /* by #VMEXIT since then */
    uint64_t calls;                     /* hypercalls since then */
    uint64_t broken;
    struct vt_environment environment;
    uint32_t port_latch; /* the 8259A mask */
    uint64_t msr_user;
    uint64_t tsc[2];     /* of the last run: before and after the batch */
    uint64_t interrupts; /* virtual interrupts the guest has taken */
    bool opened;
    const char *refusal; /* of vt_monitor_open */
};

extern struct vt_monitor vt_monitor;

/* Once: the virtual CPUID, the monitor's tables and pages. NULL, or why there can be no monitor here. */
const char *vt_monitor_open(void);

/* What the case needs that the monitor's guest has not, in words; NULL: nothing. */
const char *vt_monitor_lacks(const struct vt_case *c);

/* The state `c` starts from: registers, tables, handlers and scratch block. */
void vt_monitor_prepare(const struct vt_case *c);

/* How the guest reaches the monitor beside faults. */
enum vt_monitor_door { VT_MONITOR_SHUT, VT_MONITOR_CALLS, VT_MONITOR_EMPTY };

/* Run a twin in the prepared guest. Afterwards the image's own world is back. */
enum vt_monitor_end vt_monitor_run(vt_case_function function, uint64_t iterations, enum vt_monitor_door door);

/* The same where a crossing does nothing: #GP only moves past the instruction, of one byte, that faulted; or
 * SYSCALL is answered by SYSRET. */
enum vt_monitor_bare { VT_MONITOR_BARE_FAULT, VT_MONITOR_BARE_CALL };
enum vt_monitor_end vt_monitor_run_bare(vt_case_function function, uint64_t iterations,
                                        enum vt_monitor_bare what);

/* Before and after a run, however the guest is entered: what vt_batch is called with; and what it left. */
void vt_monitor_begin(vt_case_function function, uint64_t iterations);
enum vt_monitor_end vt_monitor_finish(enum vt_monitor_end end);

/* What answers the guest's faults, with its registers in vt_monitor.vcpu but for those of the frame. NULL:
 * the emulator, as from the start. */
typedef void vt_monitor_server(struct vt_monitor_frame *frame);
void vt_monitor_serve_by(vt_monitor_server *server);
extern vt_monitor_server *vt_monitor_server_now;

/* From wherever the guest, or the monitor for it, is: end the run. */
_Noreturn void vt_monitor_leave(enum vt_monitor_end end);

/* Where the guest returns to when it is done; never executed. */
extern const uint8_t vt_monitor_returned[];
#endif

#endif
