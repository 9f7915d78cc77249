/*
 * A boot sector that prints CPUID to the first serial port, in the form of
 * `cpuid -r`: takes a dump where no operating system runs, as in an emulator.
 */
    .code16
    .globl _start
_start:
    cli
    xorw %ax, %ax
    movw %ax, %ds
    movw %ax, %ss
    movw $0x7c00, %sp
    movw $0x3fb, %dx
    movb $3, %al            /* 8 data bits */
    outb %al, %dx
    movw $header, %si
    call print
    xorl %ebp, %ebp
    call range
    movl $1, %eax
    cpuid
    testl %ecx, %ecx
    jns 1f
    movl $0x40000000, %ebp
0:  call range
    addl $0x100, %ebp
    andl $0xffffff00, %ebp
    cmpl $0x40000200, %ebp
    jb 0b
1:  movl $0x80000000, %ebp
    call range
    movw $0xf4, %dx
    outb %al, %dx
2:  hlt
    jmp 2b

/* From ebp to what it announces; nothing when that is out of the range. */
range:
    movl %ebp, %eax
    xorl %ecx, %ecx
    cpuid
    movl %eax, %ecx
    subl %ebp, %ecx
    cmpl $0x100, %ecx
    jae 9f
    movl %eax, last
1:  xorl %edi, %edi
2:  call leaf
    incl %edi
    movw $nested, %bx
3:  movl (%bx), %eax
    testl %eax, %eax
    jz 4f
    addw $4, %bx
    cmpl %eax, %ebp
    jne 3b
    cmpl $4, %edi
    jb 2b
4:  incl %ebp
    cmpl last, %ebp
    jbe 1b
    movl last, %ebp
9:  ret

/* One line: leaf ebp, subleaf edi. */
leaf:
    movl %ebp, %eax
    movl %edi, %ecx
    cpuid
    movl %edx, regs+12
    movl %ecx, regs+8
    movl %ebx, regs+4
    movl %eax, regs
    movw $first, %si
    call print
    movl %ebp, %eax
    movb $8, %cl
    call hex
    movw $second, %si
    call print
    movl %edi, %eax
    roll $24, %eax
    movb $2, %cl
    call hex
    movw $regs, %bx
    movw $names, %si
1:  call print
    movl (%bx), %eax
    movb $8, %cl
    call hex
    addw $4, %bx
    cmpw $regs+16, %bx
    jb 1b
    movb $'\n', %al
    jmp put

/* The cl highest digits of eax. */
hex:
    roll $4, %eax
    pushl %eax
    andb $15, %al
    cmpb $10, %al
    sbbb $0x69, %al
    das
    orb $0x20, %al
    call put
    popl %eax
    decb %cl
    jnz hex
    ret

/* The text at si; si ends behind its zero. */
print:
    lodsb
    testb %al, %al
    jz 1f
    call put
    jmp print
1:  ret

put:
    movw $0x3fd, %dx
    pushw %ax
1:  inb %dx, %al
    testb $0x20, %al
    jz 1b
    popw %ax
    movw $0x3f8, %dx
    outb %al, %dx
    ret

header: .asciz "CPU 0:\n"
first:  .asciz "   0x"
second: .asciz " 0x"
names:  .asciz ": eax=0x"
        .asciz " ebx=0x"
        .asciz " ecx=0x"
        .asciz " edx=0x"
nested: .long 0x4, 0x7, 0xb, 0xd, 0x14, 0x8000001d, 0
last:   .long 0
regs:   .long 0, 0, 0, 0
    .org 510
    .word 0xaa55
