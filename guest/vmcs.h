/*
 * Names of a VMCS's fields by their encodings (Intel SDM 3D appendix B), for C and the assembler. Those of
 * guest segments and selectors follow one another by 2, in the order ES, CS, SS, DS, FS, GS, LDTR, TR.
 */
#ifndef VT_GUEST_VMCS_H
#define VT_GUEST_VMCS_H

#define VT_VMCS_VPID               0x0000
#define VT_VMCS_GUEST_SELECTOR     0x0800 /* of ES */
#define VT_VMCS_HOST_ES            0x0c00
#define VT_VMCS_HOST_CS            0x0c02
#define VT_VMCS_HOST_SS            0x0c04
#define VT_VMCS_HOST_DS            0x0c06
#define VT_VMCS_HOST_FS            0x0c08
#define VT_VMCS_HOST_GS            0x0c0a
#define VT_VMCS_HOST_TR            0x0c0c
#define VT_VMCS_MSR_BITMAP         0x2004
#define VT_VMCS_TSC_OFFSET         0x2010
#define VT_VMCS_VIRTUAL_APIC       0x2012
#define VT_VMCS_EPT_POINTER        0x201a
#define VT_VMCS_PHYSICAL_ADDRESS   0x2400
#define VT_VMCS_LINK               0x2800
#define VT_VMCS_GUEST_DEBUGCTL     0x2802
#define VT_VMCS_GUEST_PAT          0x2804
#define VT_VMCS_GUEST_EFER         0x2806
#define VT_VMCS_HOST_PAT           0x2c00
#define VT_VMCS_HOST_EFER          0x2c02
#define VT_VMCS_PIN_CONTROLS       0x4000
#define VT_VMCS_PROCESSOR_CONTROLS 0x4002
#define VT_VMCS_EXCEPTIONS         0x4004
#define VT_VMCS_FAULT_MASK         0x4006
#define VT_VMCS_FAULT_MATCH        0x4008
#define VT_VMCS_CR3_TARGETS        0x400a
#define VT_VMCS_EXIT_CONTROLS      0x400c
#define VT_VMCS_EXIT_MSRS_STORED   0x400e
#define VT_VMCS_EXIT_MSRS_LOADED   0x4010
#define VT_VMCS_ENTRY_CONTROLS     0x4012
#define VT_VMCS_ENTRY_MSRS_LOADED  0x4014
#define VT_VMCS_ENTRY_EVENT        0x4016
#define VT_VMCS_ENTRY_ERROR        0x4018
#define VT_VMCS_ENTRY_LENGTH       0x401a
#define VT_VMCS_TPR_THRESHOLD      0x401c
#define VT_VMCS_SECONDARY_CONTROLS 0x401e
#define VT_VMCS_INSTRUCTION_ERROR  0x4400
#define VT_VMCS_EXIT_REASON        0x4402
#define VT_VMCS_EXIT_EVENT         0x4404
#define VT_VMCS_EXIT_ERROR         0x4406
#define VT_VMCS_IDT_VECTORING      0x4408
#define VT_VMCS_INSTRUCTION_LENGTH 0x440c
#define VT_VMCS_GUEST_LIMIT        0x4800 /* of ES */
#define VT_VMCS_GUEST_GDTR_LIMIT   0x4810
#define VT_VMCS_GUEST_IDTR_LIMIT   0x4812
#define VT_VMCS_GUEST_RIGHTS       0x4814 /* of ES */
#define VT_VMCS_INTERRUPTIBILITY   0x4824
#define VT_VMCS_ACTIVITY           0x4826
#define VT_VMCS_GUEST_SYSENTER_CS  0x482a
#define VT_VMCS_TIMER              0x482e /* until a preemption */
#define VT_VMCS_HOST_SYSENTER_CS   0x4c00
#define VT_VMCS_CR0_MASK           0x6000
#define VT_VMCS_CR4_MASK           0x6002
#define VT_VMCS_CR0_SHADOW         0x6004
#define VT_VMCS_CR4_SHADOW         0x6006
#define VT_VMCS_QUALIFICATION      0x6400
#define VT_VMCS_GUEST_CR0          0x6800
#define VT_VMCS_GUEST_CR3          0x6802
#define VT_VMCS_GUEST_CR4          0x6804
#define VT_VMCS_GUEST_BASE         0x6806 /* of ES */
#define VT_VMCS_GUEST_GDTR_BASE    0x6816
#define VT_VMCS_GUEST_IDTR_BASE    0x6818
#define VT_VMCS_GUEST_DR7          0x681a
#define VT_VMCS_GUEST_RSP          0x681c
#define VT_VMCS_GUEST_RIP          0x681e
#define VT_VMCS_GUEST_RFLAGS       0x6820
#define VT_VMCS_PENDING_DEBUG      0x6822
#define VT_VMCS_GUEST_SYSENTER_ESP 0x6824
#define VT_VMCS_GUEST_SYSENTER_EIP 0x6826
#define VT_VMCS_HOST_CR0           0x6c00
#define VT_VMCS_HOST_CR3           0x6c02
#define VT_VMCS_HOST_CR4           0x6c04
#define VT_VMCS_HOST_FS_BASE       0x6c06
#define VT_VMCS_HOST_GS_BASE       0x6c08
#define VT_VMCS_HOST_TR_BASE       0x6c0a
#define VT_VMCS_HOST_GDTR_BASE     0x6c0c
#define VT_VMCS_HOST_IDTR_BASE     0x6c0e
#define VT_VMCS_HOST_SYSENTER_ESP  0x6c10
#define VT_VMCS_HOST_SYSENTER_EIP  0x6c12
#define VT_VMCS_HOST_RSP           0x6c14
#define VT_VMCS_HOST_RIP           0x6c16

#endif
