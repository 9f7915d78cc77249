/* What the guest calls to call the monitor, where it may run it: as Xen's hypercall page, it keeps rcx and r11. */
    .intel_syntax noprefix
    .section .guest, "ax", @progbits
    .globl vt_monitor_stub
vt_monitor_stub:
    push rcx
    push r11
    syscall
    pop r11
    pop rcx
    ret

    .section .note.GNU-stack, "", @progbits
