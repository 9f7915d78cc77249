/* Controls, events and exits of VT-x by their bits and numbers (Intel SDM 3C 25 to 28, 3D appendix C), for C
 * and the assembler. */
#ifndef VT_MONITOR_EXIT_CONTROLS_H
#define VT_MONITOR_EXIT_CONTROLS_H

/* Pin-based controls (25.6.1). */
#define VT_VMX_PIN_INTERRUPTS 0x00000001
#define VT_VMX_PIN_TIMER      0x00000040 /* the preemption timer */

/* Primary processor-based controls (25.6.2). */
#define VT_VMX_INTERRUPT_WINDOW 0x00000004
#define VT_VMX_HLT              0x00000080
#define VT_VMX_INVLPG           0x00000200
#define VT_VMX_MWAIT            0x00000400
#define VT_VMX_RDPMC            0x00000800
#define VT_VMX_RDTSC            0x00001000
#define VT_VMX_CR3_LOAD         0x00008000
#define VT_VMX_CR3_STORE        0x00010000
#define VT_VMX_CR8_LOAD         0x00080000
#define VT_VMX_CR8_STORE        0x00100000
#define VT_VMX_TPR_SHADOW       0x00200000
#define VT_VMX_MOV_DR           0x00800000
#define VT_VMX_PORTS            0x01000000
#define VT_VMX_MSR_BITMAP       0x10000000
#define VT_VMX_MONITOR          0x20000000
#define VT_VMX_PAUSE            0x40000000
#define VT_VMX_SECONDARY        0x80000000

/* Secondary ones. */
#define VT_VMX_EPT     0x00000002
#define VT_VMX_TABLES  0x00000004 /* LGDT, SGDT and their kin */
#define VT_VMX_RDTSCP  0x00000008
#define VT_VMX_X2APIC  0x00000010
#define VT_VMX_WBINVD  0x00000040
#define VT_VMX_INVPCID 0x00001000
#define VT_VMX_XSAVES  0x00100000

/* VM-exit and VM-entry controls (25.7.1, 25.8.1). */
#define VT_VMX_EXIT_SAVE_DEBUG 0x00000004
#define VT_VMX_EXIT_TO_64      0x00000200
#define VT_VMX_EXIT_SAVE_EFER  0x00100000
#define VT_VMX_EXIT_LOAD_EFER  0x00200000
#define VT_VMX_EXIT_SAVE_TIMER 0x00400000
#define VT_VMX_ENTRY_DEBUG     0x00000004
#define VT_VMX_ENTRY_TO_64     0x00000200
#define VT_VMX_ENTRY_LOAD_EFER 0x00008000

/* An event that comes with an entry, or was the exit (25.8.3, 25.9.2). */
#define VT_VMX_EVENT_VALID     0x80000000
#define VT_VMX_EVENT_ERROR     0x00000800
#define VT_VMX_EVENT_EXCEPTION 0x00000300

/* Basic exit reasons (appendix C). */
#define VT_VMX_EXIT_EXCEPTION     0
#define VT_VMX_EXIT_INTERRUPT     1
#define VT_VMX_EXIT_TRIPLE_FAULT  2
#define VT_VMX_EXIT_WINDOW        7
#define VT_VMX_EXIT_CPUID         10
#define VT_VMX_EXIT_PRIORITY      43
#define VT_VMX_EXIT_EPT_VIOLATION 48
#define VT_VMX_EXIT_EPT_WRONG     49
#define VT_VMX_EXIT_TIMER         52
#define VT_VMX_REFUSED            0x80000000 /* beside the reason: the guest's state is not one to enter */

#define VT_VMX_UNUSABLE 0x10000 /* access rights of a null segment (25.4.1) */
#define VT_VMX_BY_STI   1       /* interruptibility: one instruction more (25.4.2) */
#define VT_VMX_BY_SS    2

#define VT_EPT_WRITE_BACK 0x30 /* memory type of an entry that leads to memory (29.3.2) */

#endif
