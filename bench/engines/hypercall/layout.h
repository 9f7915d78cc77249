/*
 * Where in guest memory the guest and its hypervisor meet, for those who set it up
 * and those who look at what became of it.
 */
#ifndef VT_BENCH_ENGINES_HYPERCALL_LAYOUT_H
#define VT_BENCH_ENGINES_HYPERCALL_LAYOUT_H

#include "guest/abi.h"

/* KVM wants the steal-time structure on a 64-byte boundary, and nothing across a page's end. */
#define VT_PV_CLOCK       VT_GUEST_PV
#define VT_PV_STEAL       (VT_GUEST_PV + 0x40)
#define VT_PV_EOI         (VT_GUEST_PV + 0x80)
#define VT_PV_PRIORITY    (VT_GUEST_PV + 0xc0)
#define VT_PV_PAIRING     (VT_GUEST_PV + 0x100)
#define VT_PV_PEER_STEAL  (VT_GUEST_PV + 0x180) /* of the second vCPU */
#define VT_PV_CALLS       (VT_GUEST_PV + 0x1000)
#define VT_PV_SHARED_INFO (VT_GUEST_PV + 0x2000)
#define VT_PV_SIZE        0x3000

/* The interrupt whose end the guest tells by memory alone. */
#define VT_PV_PROOF_VECTOR 0xd0

/* A task priority that the guest can only know from the page. */
#define VT_PV_PROOF_PRIORITY 0x20

#endif
