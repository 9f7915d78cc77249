/*
 * Compute kernels: no sensitive instruction, so that what an engine costs here is
 * what it costs everywhere else. One operation is one call of the kernel.
 *
 * A kernel keeps r10, r11, rbp and r12-r15 and works on the scratch buffer alone.
 * Tables hold distances instead of addresses: the code is free of relocations.
 */
#include "guest/cases/case.h"

    .set TURNS, 512          /* of the arithmetic loop */
    .set STEPS, 512          /* of the pointer chase */
    .set NODES, 64           /* of its ring, one per cache line */
    .set STRIDE, 37          /* odd: visits every node, and no two neighbours in a row */
    .set DEPTH, 12           /* fib(12): 465 calls */
    .set ELEMENTS, 128       /* to be sorted, 8 bytes each */
    .set COPIED, 2048        /* bytes of memcpy ... */
    .set COPIES, 16          /* ... and how often */

    .section vt_cases, "ax", @progbits

/* Shifts, products and sums that depend on each other, as a hash does. */
    .p2align 6
    .type arithmetic, @function
arithmetic:
    mov ecx, TURNS
    mov rax, r10
    mov edx, 0x9e3779b1
    .p2align 6
1:
    imul rax, rdx
    lea rbx, [rax + rcx]
    shr rax, 29
    xor rax, rbx
    add r8, rax
    dec rcx
    jnz 1b
    ret
    .size arithmetic, . - arithmetic

/* Lays the ring: node n points to node (n + STRIDE) mod NODES. */
    .type lay_ring, @function
lay_ring:
    lea rdi, [r11 + S_BUFFER]
    xor ecx, ecx
1:
    mov eax, ecx
    add eax, STRIDE
    and eax, NODES - 1
    mov edx, ecx
    shl eax, 6
    shl edx, 6
    add rax, rdi
    mov [rdi + rdx], rax
    inc ecx
    cmp ecx, NODES
    jb 1b
    ret
    .size lay_ring, . - lay_ring

    .p2align 6
    .type chase, @function
chase:
    lea rax, [r11 + S_BUFFER]
    mov ecx, STEPS
    .p2align 6
1:
    mov rax, [rax]
    dec ecx
    jnz 1b
    ret
    .size chase, . - chase

/* eax = fib(edi), by definition. */
    .p2align 6
    .type fib, @function
fib:
    cmp edi, 1
    jbe 1f
    push rbp
    push rbx
    mov ebx, edi
    lea edi, [rbx - 1]
    call fib
    mov ebp, eax
    lea edi, [rbx - 2]
    call fib
    add eax, ebp
    pop rbx
    pop rbp
    ret
1:
    mov eax, edi
    ret
    .size fib, . - fib

    .p2align 6
    .type recursion, @function
recursion:
    mov edi, DEPTH
    call fib
    ret
    .size recursion, . - recursion

/* eax = -1, 0 or 1 as *rdi is below, equal to or above *rsi: qsort's contract. */
    .p2align 6
    .type compare, @function
compare:
    mov rax, [rdi]
    mov rdx, [rsi]
    cmp rax, rdx
    seta al
    setb dl
    movzx eax, al
    movzx edx, dl
    sub eax, edx
    ret
    .size compare, . - compare

/* Heap order from index rbx down, the heap being r12 elements at r13, r14 the comparison. */
    .p2align 6
    .type sift, @function
sift:
1:
    lea r15, [rbx + rbx + 1]
    cmp r15, r12
    jae 4f
    lea rcx, [r15 + 1]
    cmp rcx, r12
    jae 2f
    lea rdi, [r13 + r15 * 8]
    lea rsi, [rdi + 8]
    call r14
    test eax, eax
    jns 2f
    inc r15
2:
    lea rdi, [r13 + rbx * 8]
    lea rsi, [r13 + r15 * 8]
    call r14
    test eax, eax
    jns 4f
    mov rax, [rdi]
    mov rdx, [rsi]
    mov [rdi], rdx
    mov [rsi], rax
    mov rbx, r15
    jmp 1b
4:
    ret
    .size sift, . - sift

/* Heap sort of ELEMENTS numbers in the same disorder each time. */
    .p2align 6
    .type sort, @function
sort:
    push r12
    push r13
    push r14
    push r15
    lea r13, [r11 + S_BUFFER]
    lea r14, [rip + compare]
    mov eax, 12345
    xor ecx, ecx
1:
    imul eax, eax, 1103515245
    add eax, 12345
    mov edx, eax
    shr edx, 8
    mov [r13 + rcx * 8], rdx
    inc ecx
    cmp ecx, ELEMENTS
    jb 1b
    mov r12d, ELEMENTS
    mov r8d, ELEMENTS / 2
2:
    dec r8
    mov rbx, r8
    call sift
    test r8, r8
    jnz 2b
3:
    dec r12
    mov rax, [r13]
    mov rdx, [r13 + r12 * 8]
    mov [r13], rdx
    mov [r13 + r12 * 8], rax
    xor ebx, ebx
    call sift
    cmp r12, 1
    ja 3b
    mov rax, [r13]
    mov rdx, [r13 + 8 * (ELEMENTS - 1)]
    pop r15
    pop r14
    pop r13
    pop r12
    ret
    .size sort, . - sort

/*
 * A computed-goto interpreter of a stack machine: rsi fetches, rbx is the table of
 * distances, rdi the operand stack (growing up, top at [rdi - 8]). The program sums
 * n * n + 3 - n for n from COUNT down to 1.
 */
.macro NEXT
    movzx edx, byte ptr [rsi]
    inc rsi
    movsxd rdx, [rbx + rdx * 4]
    add rdx, rbx
    jmp rdx
.endm

    .set COUNT, 48
    .set OP_PUSH, 0
    .set OP_LOAD, 1
    .set OP_STORE, 2
    .set OP_ADD, 3
    .set OP_SUBTRACT, 4
    .set OP_MULTIPLY, 5
    .set OP_DUPLICATE, 6
    .set OP_BRANCH, 7
    .set OP_END, 8

    .p2align 6
    .type interpreter, @function
interpreter:
    lea rbx, [rip + handlers]
    lea rsi, [rip + program]
    lea r9, [r11 + S_BUFFER]
    lea rdi, [r9 + 64]
    NEXT
op_push:
    movzx eax, byte ptr [rsi]
    inc rsi
    mov [rdi], rax
    add rdi, 8
    NEXT
op_load:
    movzx eax, byte ptr [rsi]
    inc rsi
    mov rax, [r9 + rax * 8]
    mov [rdi], rax
    add rdi, 8
    NEXT
op_store:
    movzx eax, byte ptr [rsi]
    inc rsi
    sub rdi, 8
    mov rcx, [rdi]
    mov [r9 + rax * 8], rcx
    NEXT
op_add:
    sub rdi, 8
    mov rax, [rdi]
    add [rdi - 8], rax
    NEXT
op_subtract:
    sub rdi, 8
    mov rax, [rdi]
    sub [rdi - 8], rax
    NEXT
op_multiply:
    sub rdi, 8
    mov rax, [rdi - 8]
    imul rax, [rdi]
    mov [rdi - 8], rax
    NEXT
op_duplicate:
    mov rax, [rdi - 8]
    mov [rdi], rax
    add rdi, 8
    NEXT
/* Pops; unless it was 0, goes to a place in the program. */
op_branch:
    movzx eax, byte ptr [rsi]
    inc rsi
    sub rdi, 8
    cmp qword ptr [rdi], 0
    je 1f
    lea rsi, [rip + program]
    add rsi, rax
1:
    NEXT
op_end:
    mov rax, [r9 + 8]
    ret
    .p2align 2
handlers:
    .long op_push - handlers, op_load - handlers, op_store - handlers, op_add - handlers
    .long op_subtract - handlers, op_multiply - handlers, op_duplicate - handlers
    .long op_branch - handlers, op_end - handlers
program:
    .byte OP_PUSH, COUNT, OP_STORE, 0, OP_PUSH, 0, OP_STORE, 1
again:
    .byte OP_LOAD, 0, OP_DUPLICATE, OP_MULTIPLY, OP_PUSH, 3, OP_ADD, OP_LOAD, 0, OP_SUBTRACT
    .byte OP_LOAD, 1, OP_ADD, OP_STORE, 1
    .byte OP_LOAD, 0, OP_PUSH, 1, OP_SUBTRACT, OP_DUPLICATE, OP_STORE, 0, OP_BRANCH, again - program
    .byte OP_END
    .size interpreter, . - interpreter

    .p2align 6
    .type copy, @function
copy:
    mov edx, COPIES
1:
    lea rsi, [r11 + S_BUFFER]
    lea rdi, [rsi + COPIED]
    mov ecx, COPIED / 8
    rep movsq
    dec edx
    jnz 1b
    ret
    .size copy, . - copy

/* The least that can be called. */
    .p2align 6
    .type nothing, @function
nothing:
    ret
    .size nothing, . - nothing

CASE arithmetic, "call arithmetic"
CASE pointer_chase, "call chase", setup="call lay_ring"
CASE call_ret, "call nothing"
CASE recursion, "call recursion"
CASE sort, "call sort"
CASE interpreter, "call interpreter"
CASE memcpy, "call copy"
