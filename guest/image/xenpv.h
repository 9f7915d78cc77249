/*
 * The image as a PV domain of Xen, between its parts: entry and stubs (xenpv.S), the
 * machine and its cases (xenpv.c), what each paravirtual form is seen to do (xenproof.c).
 */
#ifndef VT_GUEST_IMAGE_XENPV_H
#define VT_GUEST_IMAGE_XENPV_H

#include "guest/abi.h"
#include "guest/catalogue.h"
#include "guest/image/witness.h"

#include <stdbool.h>
#include <stdint.h>

/* xen/include/public: xen.h, physdev.h, event_channel.h, vcpu.h */
enum {
    XEN_SET_TRAP_TABLE = 0,
    XEN_SET_GDT = 2,
    XEN_STACK_SWITCH = 3,
    XEN_SET_CALLBACKS = 4,
    XEN_FPU_TASKSWITCH = 5,
    XEN_SET_DEBUGREG = 8,
    XEN_GET_DEBUGREG = 9,
    XEN_UPDATE_VA_MAPPING = 14,
    XEN_VERSION = 17,
    XEN_UPDATE_VA_MAPPING_OTHERDOMAIN = 22,
    XEN_VCPU_OP = 24,
    XEN_MMUEXT_OP = 26,
    XEN_EVENT_CHANNEL_OP = 32,
    XEN_PHYSDEV_OP = 33,
};
enum { XEN_INVLPG_LOCAL = 7, XEN_FLUSH_CACHE = 12, XEN_SET_LDT = 13, XEN_NEW_USER_BASEPTR = 15 };
enum { XEN_EVENT_SEND = 4, XEN_EVENT_BIND_IPI = 7 };
enum { XEN_GET_RUNSTATE = 4, XEN_STOP_PERIODIC_TIMER = 7 };
enum { XEN_SET_IOPL = 6 };
#define XEN_PERM         (-1)
#define XEN_FLUSH_NONE   0
#define XEN_FLUSH_INVLPG 2
#define XEN_DOMID_SELF   0x7ff0
#define XEN_DOMID_XEN    0x7ff2

#define XEN_PAGE_ALL  7 /* present, writable, user */
#define XEN_PAGE_READ 5
#define XEN_KERNEL_CS 0xe033
#define XEN_KERNEL_DS 0xe02b

/* An entry of the domain's own GDT, or of its LDT, as a selector; both have a limit that tells them. */
#define XEN_OWN_GDT_SELECTOR 0x43
#define XEN_OWN_LDT_SELECTOR 0x0f
#define XEN_OWN_GDT_LIMIT    0x1234
#define XEN_OWN_LDT_LIMIT    0x4321

/* As far as it is used: the first virtual CPU's part of struct shared_info. */
struct xen_vcpu_info {
    uint8_t evtchn_upcall_pending, evtchn_upcall_mask;
    uint64_t evtchn_pending_sel;
    uint64_t cr2, pad;
    uint8_t time[32];
};

struct xen_mmu_update {
    uint64_t entry, value;
};

struct xen_runstate {
    uint64_t state, entered, time[4]; /* nanoseconds; state 0: running */
};

/* What lies where the assembler put it. */
void vt_image_hypercall(void);
extern const uint8_t vt_image_traps[], vt_image_other_trap[];
extern const uint8_t vt_image_callback[];
extern struct xen_vcpu_info vt_image_shared;
extern struct vt_mailbox vt_image_mailbox;
extern volatile uint64_t vt_image_events; /* upcalls taken */
extern volatile uint64_t vt_image_others; /* traps taken through vt_image_other_trap */
extern volatile uint64_t vt_image_frame;  /* where Xen put the frame of the last exception nobody expected */

/* Go to CPL 3 as a process does, and fault there: comes back through vt_image_mailbox.recover. */
void vt_image_fault_as_process(void);

/* The domain's own pages; four behind each other whose entries change, and two that they may lead to. */
struct xen_pages {
    uint8_t gdt[4096], ldt[4096], choice[2][4096], plain[4096];
    uint8_t window[4][4096] __attribute__((aligned(16384)));
};

struct xen_domain {
    struct vt_scratch scratch;
    uint64_t root; /* machine frame of the page tables */
    uint64_t gdt_frame;
    uint64_t *entries;                   /* of the window's first page; read-only here */
    uint64_t choice[2];                  /* what an entry holds that leads to either page */
    struct xen_mmu_update updates[2][4]; /* the window's entries, all to either page */
    uint32_t port;                       /* of the event the domain sends itself */
    struct xen_runstate runstate;
};

extern struct xen_domain vt_image_domain;
extern struct xen_pages vt_image_pages;

/*
 * Run the form once and look at what it did. A form without a proof: false.
 */
bool vt_image_prove(const struct vt_case *c, const struct vt_pv_form *form);

/* One struct mmuext_op. */
uint64_t vt_image_mmuext(uint64_t command, uint64_t first, uint64_t second);

#endif
