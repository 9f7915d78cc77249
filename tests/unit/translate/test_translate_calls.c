/* Calls and returns, translated and native: what a guest may do to its stack and its return addresses. */
#include "tests/unit/suite.h"
#include "tests/unit/translate/translated.h"
#include "vcpu/vcpu.h"

#include <string.h>

/* Each a function of its own, copied to where the translator can see it. RBP points to data. */
__asm__(".pushsection .rodata\n"
        ".intel_syntax noprefix\n"
        ".macro SNIPPET name\n"
        "snippet_\\name:\n"
        ".endm\n"
        ".macro ENDS name\n"
        "snippet_\\name\\()_end:\n"
        ".endm\n"

        /* The callee returns elsewhere; the flags it leaves are looked at there. */
        "SNIPPET elsewhere\n"
        "    xor eax, eax\n"
        "    call 2f\n"
        "    mov eax, 1\n"
        "    ret\n"
        "1:  setc al\n"
        "    setz ah\n"
        "    seto bl\n"
        "    ret\n"
        "2:  lea rdx, [rip + 1b]\n"
        "    mov [rsp], rdx\n"
        "    mov edx, 0x7fffffff\n"
        "    add edx, 1\n"
        "    stc\n"
        "    ret\n"
        "ENDS elsewhere\n"

        /* One call out of eight returns elsewhere. */
        "SNIPPET sometimes\n"
        "    mov ecx, 64\n"
        "    xor eax, eax\n"
        "    xor esi, esi\n"
        "1:  call 3f\n"
        "    adc eax, 1\n"
        "    dec ecx\n"
        "    jnz 1b\n"
        "    ret\n"
        "2:  adc esi, 1\n"
        "    dec ecx\n"
        "    jnz 1b\n"
        "    ret\n"
        "3:  lea rdx, [rip + 2b]\n"
        "    test cl, 7\n"
        "    jnz 4f\n"
        "    mov [rsp], rdx\n"
        "    cmp cl, 32\n"
        "4:  ret\n"
        "ENDS sometimes\n"

        "SNIPPET call_pop\n"
        "    xor esi, esi\n"
        "    call 1f\n"
        "1:  pop rax\n"
        "    lea rdx, [rip + 1b]\n"
        "    cmp rax, rdx\n"
        "    sete sil\n"
        "    sub rax, rdx\n"
        "    ret\n"
        "ENDS call_pop\n"

        /* The callee drops its own return address. */
        "SNIPPET drop\n"
        "    call 1f\n"
        "    call 1f\n"
        "    mov eax, 1\n"
        "    ret\n"
        "1:  pop rcx\n"
        "    mov eax, 2\n"
        "    ret\n"
        "ENDS drop\n"

        "SNIPPET arguments\n"
        "    push rbx\n"
        "    push r8\n"
        "    call 1f\n"
        "    stc\n"
        "    push r9\n"
        "    call 2f\n"
        "    setc dl\n"
        "    ret\n"
        "1:  mov rax, [rsp + 8]\n"
        "    add rax, [rsp + 16]\n"
        "    ret 16\n"
        "2:  xchg rax, [rsp + 8]\n"
        "    ret 8\n"
        "ENDS arguments\n"

        /* Deeper than any predictor of returns. */
        "SNIPPET deep\n"
        "    mov ecx, 5000\n"
        "    xor eax, eax\n"
        "    call 1f\n"
        "    ret\n"
        "1:  dec ecx\n"
        "    jz 2f\n"
        "    call 1b\n"
        "    lea eax, [rax + 3]\n"
        "    xor eax, ecx\n"
        "    ret\n"
        "2:  mov eax, 7\n"
        "    ret\n"
        "ENDS deep\n"

        /* Two stacks take turns, each suspended in a call. */
        "SNIPPET coroutines\n"
        "    mov r12d, 20\n"
        "    xor eax, eax\n"
        "    lea rdx, [rip + 3f]\n"
        "    lea rbx, [rbp + 0x4000]\n"
        "    mov [rbx], rdx\n"
        "1:  call 9f\n"
        "    lea eax, [rax * 2 + 1]\n"
        "    dec r12d\n"
        "    jnz 1b\n"
        "    ret\n"
        "3:  add eax, 5\n"
        "    call 9f\n"
        "    jmp 3b\n"
        "9:  xchg rsp, rbx\n"
        "    ret\n"
        "ENDS coroutines\n"

        /* Out of three calls at once. */
        "SNIPPET longjmp\n"
        "    mov edi, 10\n"
        "0:  mov r8, rsp\n"
        "    lea r9, [rip + 1f]\n"
        "    call 2f\n"
        "    mov eax, 99\n"
        "1:  add esi, eax\n"
        "    dec edi\n"
        "    jnz 0b\n"
        "    ret\n"
        "2:  call 3f\n"
        "    mov eax, 98\n"
        "    ret\n"
        "3:  mov eax, edi\n"
        "    test dil, 1\n"
        "    jz 4f\n"
        "    mov rsp, r8\n"
        "    jmp r9\n"
        "4:  ret\n"
        "ENDS longjmp\n"

        "SNIPPET loops\n"
        "    mov ecx, 9\n"
        "    call 1f\n"
        "    setz al\n"
        "    setp ah\n"
        "    ret\n"
        "1:  lea rdx, [rdx + rcx]\n"
        "    dec ecx\n"
        "    jnz 1b\n"
        "    ret\n"
        "ENDS loops\n"

        /* A jump into the middle of what has been copied, from inside and outside. */
        "SNIPPET middle\n"
        "    mov ecx, 3\n"
        "    call 1f\n"
        "    push rbx\n"
        "    lea rax, [rip + 4f]\n"
        "    push rax\n"
        "    jmp 2f\n"
        "4:  pop rcx\n"
        "    ret\n"
        "1:  add edx, 2\n"
        "2:  add edx, 3\n"
        "    cmp edx, ecx\n"
        "    jb 3f\n"
        "    inc esi\n"
        "    ret\n"
        "3:  inc edi\n"
        "    jmp 2b\n"
        "ENDS middle\n"

        /* The register of an indirect call leads to one place, then to another, then to both in turn. */
        "SNIPPET indirect\n"
        "    mov ecx, 30\n"
        "    lea r14, [rip + 2f]\n"
        "    lea r15, [rip + 3f]\n"
        "1:  stc\n"
        "    call r14\n"
        "    adc eax, 0\n"
        "    xchg r14, r15\n"
        "    mov r11, rcx\n"
        "    lea rcx, [rip + 2f]\n"
        "    call rcx\n"
        "    mov rcx, r11\n"
        "    dec ecx\n"
        "    jnz 1b\n"
        "    push r14\n"
        "    call [rsp]\n"
        "    call [rsp]\n"
        "    pop rdx\n"
        "    xor edx, edx\n"
        "    xor r14, r14\n"
        "    xor r15, r15\n"
        "    xor ecx, ecx\n"
        "    xor r11, r11\n"
        "    ret\n"
        "2:  adc eax, 1\n"
        "    ret\n"
        "3:  adc eax, 100\n"
        "    stc\n"
        "    ret\n"
        "ENDS indirect\n"

        /* A call that is followed by no code of its own: the target of the return is all there is. */
        "SNIPPET retpoline\n"
        "    lea rdx, [rip + 3f]\n"
        "    mov ecx, 5\n"
        "    jmp 2f\n"
        "0:  call 1f\n"
        "4:  pause\n"
        "    lfence\n"
        "    jmp 4b\n"
        "1:  mov [rsp], rdx\n"
        "    ret\n"
        "2:  call 0b\n"
        "    dec ecx\n"
        "    jnz 2b\n"
        "    xor edx, edx\n"
        "    ret\n"
        "3:  lea eax, [rax + rcx]\n"
        "    ret\n"
        "ENDS retpoline\n"

        /* As fib: a callee that calls itself twice. */
        "SNIPPET tree\n"
        "    mov edi, 12\n"
        "1:  cmp edi, 1\n"
        "    jbe 2f\n"
        "    push rbx\n"
        "    push rdi\n"
        "    dec edi\n"
        "    call 1b\n"
        "    mov ebx, eax\n"
        "    mov edi, [rsp]\n"
        "    sub edi, 2\n"
        "    call 1b\n"
        "    adc eax, ebx\n"
        "    pop rdi\n"
        "    pop rbx\n"
        "    ret\n"
        "2:  lea eax, [rdi + 1]\n"
        "    ret\n"
        "ENDS tree\n"
        ".att_syntax prefix\n"
        ".popsection\n");

#define SNIPPETS(row)                                                                                        \
    row(elsewhere) row(sometimes) row(call_pop) row(drop) row(arguments) row(deep) row(coroutines)           \
        row(longjmp) row(loops) row(middle) row(indirect) row(retpoline) row(tree)
#define DECLARE(name) extern const uint8_t snippet_##name[], snippet_##name##_end[];
SNIPPETS(DECLARE)

static const struct {
    const char *name;
    const uint8_t *code, *end;
} snippets[] = {
#define ROW(name) {#name, snippet_##name, snippet_##name##_end},
    SNIPPETS(ROW)};
enum { SNIPPET_COUNT = sizeof snippets / sizeof snippets[0] };

static struct translated world;

static uint64_t address(uint32_t offset)
{
    return (uintptr_t)world.window + offset;
}

START_TEST(returns_go_where_the_stack_says)
{
    for (size_t i = 0; i < SNIPPET_COUNT; i++) {
        translated_open(&world, 0);
        translated_both(&world, snippets[i].name, snippets[i].code,
                        (size_t)(snippets[i].end - snippets[i].code));
        translated_close(&world);
    }
}
END_TEST

/* What has been resolved once is found by generated code from then on. */
START_TEST(calls_and_returns_stay_in_the_cache)
{
    for (size_t i = 0; i < SNIPPET_COUNT; i++) {
        struct vt_translate_counts before, after;
        size_t size = (size_t)(snippets[i].end - snippets[i].code);

        translated_open(&world, 0);
        memcpy(world.window + TRANSLATED_CODE, snippets[i].code, size);
        for (int run = 0; run < 3; run++) {
            before = vt_translate_counts(world.translate);
            translated_registers(&world, 7);
            ck_assert_int_eq(vt_translate_call(world.translate, address(TRANSLATED_CODE), 100000),
                             VT_TRANSLATE_RETURNED);
        }
        after = vt_translate_counts(world.translate);
        ck_assert_msg(after.chain_misses == before.chain_misses, "%s: chain misses", snippets[i].name);
        /* The return to the engine is one. */
        ck_assert_msg(after.lookup_misses - before.lookup_misses <= 1, "%s: lookup misses", snippets[i].name);
        translated_close(&world);
    }
}
END_TEST

/* call 1f; nop; ret; 1: code */
static void fault_in_callee(const char *code, size_t size, uint8_t vector, uint32_t offset)
{
    uint8_t bytes[64] = {0xe8, 2, 0, 0, 0, 0x90, 0xc3};

    memcpy(bytes + 7, code, size);
    translated_registers(&world, 1);
    world.vcpu->gpr[VT_RCX] = 0x123456789;
    world.vcpu->gpr[VT_RBX] = 0x1000;
    ck_assert_int_eq(translated_run(&world, bytes, size + 7, 1000), VT_TRANSLATE_FAULT);
    ck_assert_uint_eq(world.vcpu->fault.vector, vector);
    ck_assert_uint_eq(world.vcpu->rip, address(TRANSLATED_CODE) + 7 + offset);
    ck_assert_uint_eq(world.vcpu->gpr[VT_RCX], 0x123456789);
}
#define FAULT_IN_CALLEE(code, vector, offset) fault_in_callee(code, sizeof(code) - 1, vector, offset)

START_TEST(faults_in_a_callee_are_the_callees)
{
    translated_open(&world, 0);
    FAULT_IN_CALLEE("\x90\x48\x8b\x03\xc3", 14, 1); /* mov rax, [rbx] */
    ck_assert_uint_eq(world.vcpu->gpr[VT_RSP], address(TRANSLATED_STACK) - 16);
    FAULT_IN_CALLEE("\x31\xd2\xf7\xf2\xc3", 0, 2);  /* div edx */
    FAULT_IN_CALLEE("\x48\x89\xdc\x90\xc3", 14, 4); /* mov rsp, rbx; ret */
    ck_assert_uint_eq(world.vcpu->gpr[VT_RSP], 0x1000);
    ck_assert_uint_eq(world.vcpu->fault.address, 0x1000);
    ck_assert_uint_eq(world.vcpu->fault.error, 0);
    translated_close(&world);
}
END_TEST

/* mov bl, 1 is written over after it has been copied to its caller. */
START_TEST(a_callee_that_is_modified_is_translated_anew)
{
    static const uint8_t code[] = {0xe8, 0x0f, 0,    0,    0,                /* call 1f */
                                   0x00, 0xd8, 0xc6, 0x05, 0x07, 0, 0, 0, 7, /* add al, bl; mov [1f + 1], 7 */
                                   0xe8, 0x01, 0,    0,    0,                /* call 1f */
                                   0xc3, 0xb3, 0x01, 0xc3};                  /* ret; 1: mov bl, 1; ret */

    translated_open(&world, 0);
    for (int run = 0; run < 2; run++) {
        translated_registers(&world, 1);
        ck_assert_int_eq(translated_run(&world, code, sizeof code, 1000), VT_TRANSLATE_RETURNED);
        ck_assert_uint_eq(world.vcpu->gpr[VT_RBX] & 0xff, 7);
    }
    ck_assert_uint_ge(vt_translate_counts(world.translate).modifications, 2);
    translated_close(&world);
}
END_TEST

VT_SUITE(returns_go_where_the_stack_says, calls_and_returns_stay_in_the_cache,
         faults_in_a_callee_are_the_callees, a_callee_that_is_modified_is_translated_anew)
