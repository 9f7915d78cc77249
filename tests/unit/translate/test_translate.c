/*
 * The translator: what it makes inline, and how it takes what goes wrong.
 *
 * beside others
 */
#include "translate/internal.h"
#include "tests/unit/suite.h"
#include "tests/unit/translate/translated.h"

#include <signal.h>
#include <string.h>
#include <time.h>

static struct translated world;

#define CODE(bytes) (bytes), sizeof(bytes) - 1

static uint64_t address(uint32_t offset)
{
    return (uintptr_t)world.window + offset;
}

static enum vt_translate_end again(void)
{
    world.vcpu->gpr[VT_RSP] = address(TRANSLATED_STACK);
    return vt_translate_call(world.translate, address(TRANSLATED_CODE), 100000);
}

START_TEST(inline_sequences_call_nobody)
{
    struct vt_translate_counts before, after;

    translated_kernel(&world);
    /* cli; sti; pushfq; popfq; mov rax, cr0; mov cr0, rax; clts; swapgs; ret */
    ck_assert_int_eq(
        translated_run(&world, CODE("\xfa\xfb\x9c\x9d\x0f\x20\xc0\x0f\x22\xc0\x0f\x06\x0f\x01\xf8\xc3"), 100),
        VT_TRANSLATE_RETURNED);
    before = vt_translate_counts(world.translate);
    ck_assert_uint_eq(before.callouts, 0);
    vt_translate_count(world.translate, true);
    ck_assert_int_eq(again(), VT_TRANSLATE_RETURNED);
    after = vt_translate_counts(world.translate);
    ck_assert_uint_eq(after.inline_hits - before.inline_hits, 8);
    ck_assert_uint_eq(after.callouts, 0);
    translated_close(&world);
}
END_TEST

START_TEST(operands_met_once_are_inline_from_then_on)
{
    translated_kernel(&world);
    ck_assert_int_eq(translated_run(&world, CODE("\xb8\x07\0\0\0\xb9\x01\0\0\0\x0f\xa2\xc3"), 100),
                     VT_TRANSLATE_RETURNED);
    ck_assert_uint_eq(world.vcpu->gpr[VT_RBX], 8);
    ck_assert_uint_eq(vt_translate_counts(world.translate).callouts, 1);
    world.vcpu->gpr[VT_RBX] = 0;
    ck_assert_int_eq(again(), VT_TRANSLATE_RETURNED);
    ck_assert_uint_eq(world.vcpu->gpr[VT_RBX], 8);
    ck_assert_uint_eq(vt_translate_counts(world.translate).callouts, 1);
    translated_close(&world);
}
END_TEST

/* mov r8d, 20; mov ecx, IA32_TIME_STAMP_COUNTER; rdmsr; dec r8d; jnz; ret: only the emulator knows that one.
 */
START_TEST(what_cannot_be_inline_is_not_tried_for_ever)
{
    translated_kernel(&world);
    ck_assert_int_eq(
        translated_run(&world, CODE("\x41\xb8\x14\0\0\0\xb9\x10\0\0\0\x0f\x32\x41\xff\xc8\x75\xf9\xc3"), 100),
        VT_TRANSLATE_RETURNED);
    ck_assert_uint_eq(vt_translate_counts(world.translate).callouts, 20);
    const struct vt_translate_site *sites = world.translate->sites.items;
    ck_assert_uint_eq(world.translate->sites.count, 1);
    ck_assert_uint_le(sites->tries, 4);
    translated_close(&world);
}
END_TEST

/* A fault is reported at the guest's instruction, with the guest's registers. */
static void expect_fault(const char *code, size_t size, uint8_t vector, uint32_t offset)
{
    world.vcpu->gpr[VT_RCX] = 0x123456789;
    world.vcpu->gpr[VT_RSP] = address(TRANSLATED_STACK);
    ck_assert_int_eq(translated_run(&world, code, size, 1000), VT_TRANSLATE_FAULT);
    ck_assert_uint_eq(world.vcpu->fault.vector, vector);
    ck_assert_uint_eq(world.vcpu->rip, address(TRANSLATED_CODE) + offset);
    ck_assert_uint_eq(world.vcpu->gpr[VT_RCX], 0x123456789);
}

START_TEST(faults_are_precise)
{
    translated_kernel(&world);
    world.vcpu->gpr[VT_RBX] = 0x1000;
    expect_fault(CODE("\x90\xfa\x48\x8b\x03\xc3"), 14, 2); /* mov rax, [rbx] */
    ck_assert_uint_eq(world.vcpu->fault.address, 0x1000);
    ck_assert_uint_eq(world.vcpu->fault.error, 0);
    expect_fault(CODE("\x90\xfa\x48\x89\x03\xc3"), 14, 2); /* mov [rbx], rax */
    ck_assert_uint_eq(world.vcpu->fault.error, 2);
    expect_fault(CODE("\x31\xd2\x31\xf6\xf7\xf6\xc3"), 0, 4); /* div esi */
    expect_fault(CODE("\xfb\x0f\x0b"), 6, 1);                 /* ud2 */
    expect_fault(CODE("\x90\xff\x23"), 14, 1);                /* jmp [rbx] */
    expect_fault(CODE("\x90\xff\x13"), 14, 1);                /* call [rbx] */
    expect_fault(CODE("\x90\x0f\x01\x03"), 14, 1);            /* sgdt [rbx] */
    world.vcpu->gpr[VT_RBX] = UINT64_C(0x8000000000000000);
    expect_fault(CODE("\x90\x48\x8b\x03\xc3"), 13, 1);
    translated_close(&world);
}
END_TEST

START_TEST(wild_branches_fault_where_they_lead)
{
    static const uint64_t targets[] = {0,
                                       1,
                                       0x1234,
                                       0x7fffffff,
                                       UINT64_C(0x7fff00000000),
                                       UINT64_C(0x8000000000000000),
                                       UINT64_C(0xffffffff81000000)};

    translated_kernel(&world);
    for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++) {
        world.vcpu->gpr[VT_RBX] = targets[i];
        world.vcpu->gpr[VT_RSP] = address(TRANSLATED_STACK);
        ck_assert_int_eq(translated_run(&world, CODE("\x90\xff\xe3"), 100), VT_TRANSLATE_FAULT); /* jmp rbx */
        ck_assert_uint_eq(world.vcpu->rip, targets[i]);
        world.vcpu->gpr[VT_RBX] = targets[i];
        world.vcpu->gpr[VT_RSP] = address(TRANSLATED_STACK);
        ck_assert_int_eq(translated_run(&world, CODE("\x53\xc3"), 100),
                         VT_TRANSLATE_FAULT); /* push rbx; ret */
        ck_assert_uint_eq(world.vcpu->rip, targets[i]);
    }
    /* A target whose entry lies in memory of the host's, and is 0. */
    static const uint64_t host_memory[1024] __attribute__((aligned(4096)));
    uint64_t table = (uint64_t)world.translate->table_distance + VT_RBX * world.translate->table_size;
    world.vcpu->gpr[VT_RBX] = ((uintptr_t)&host_memory[512] - table) / 8;
    uint64_t target = world.vcpu->gpr[VT_RBX];
    world.vcpu->gpr[VT_RSP] = address(TRANSLATED_STACK);
    ck_assert_int_eq(translated_run(&world, CODE("\x90\xff\xe3"), 100), VT_TRANSLATE_FAULT);
    ck_assert_uint_eq(world.vcpu->rip, target);
    /* An alias of a good target: the same but for the highest bits. */
    world.vcpu->gpr[VT_RBX] = address(TRANSLATED_CODE) | UINT64_C(1) << 61;
    world.vcpu->gpr[VT_RSP] = address(TRANSLATED_STACK);
    ck_assert_int_eq(translated_run(&world, CODE("\x85\xc0\xff\xe3"), 100), VT_TRANSLATE_FAULT);
    translated_close(&world);
}
END_TEST

/* Beyond the window an entry is another register's, which leads nowhere itself. */
START_TEST(a_wild_branch_is_not_mistaken_for_another)
{
    static const struct {
        const char *code;
        size_t size;
        int64_t window; /* from which the target is this many windows away */
    } wild[] = {
        {CODE("\x90\xff\xe3"), 1},                              /* jmp rbx */
        {CODE("\x90\xff\xe3"), -1}, {CODE("\x90\xff\xe1"), 15}, /* jmp rcx: to the entries of returns */
        {CODE("\x53\xc3"), -1},                                 /* push rbx; ret */
        {CODE("\x53\xc3"), -16},
    };

    translated_kernel(&world);
    for (size_t i = 0; i < sizeof wild / sizeof wild[0]; i++) {
        uint64_t good = address(TRANSLATED_CODE),
                 target = good + (uint64_t)wild[i].window * world.translate->window_size;

        for (unsigned reg = 0; reg < VT_GPRS; reg++)
            world.vcpu->gpr[reg] = reg;
        world.vcpu->gpr[VT_RBX] = world.vcpu->gpr[VT_RCX] = target;
        if (wild[i].size == 2)
            world.vcpu->gpr[VT_RCX] = VT_RCX;
        uint64_t rcx = world.vcpu->gpr[VT_RCX];
        world.vcpu->gpr[VT_RSP] = address(TRANSLATED_STACK);
        ck_assert_int_eq(translated_run(&world, wild[i].code, wild[i].size, 100), VT_TRANSLATE_FAULT);
        ck_assert_msg(world.vcpu->rip == target, "%zu: at 0x%llx instead of 0x%llx", i,
                      (unsigned long long)world.vcpu->rip, (unsigned long long)target);
        ck_assert_uint_eq(world.vcpu->gpr[VT_RCX], rcx);
        ck_assert_uint_eq(world.vcpu->gpr[VT_RAX], 0);
    }
    translated_close(&world);
}
END_TEST

START_TEST(code_that_is_modified_is_translated_anew)
{
    translated_kernel(&world);
    /* mov byte ptr [rip + 1], 42; mov al, 0; ret: writes the immediate of what comes next */
    ck_assert_int_eq(translated_run(&world, CODE("\xc6\x05\x01\0\0\0\x2a\xb0\0\xc3"), 1000),
                     VT_TRANSLATE_RETURNED);
    ck_assert_uint_eq(world.vcpu->gpr[VT_RAX] & 0xff, 42);
    ck_assert_uint_ge(vt_translate_counts(world.translate).modifications, 1);
    /* The same through another function, called twice: call 1f; mov byte ptr [2f + 1], 7; 1: 2: mov bl, 1;
     * ret */
    ck_assert_int_eq(translated_run(&world, CODE("\xe8\x07\0\0\0\xc6\x05\x01\0\0\0\x07\xb3\x01\xc3"), 1000),
                     VT_TRANSLATE_RETURNED);
    ck_assert_uint_eq(world.vcpu->gpr[VT_RBX] & 0xff, 7);
    translated_close(&world);
}
END_TEST

START_TEST(a_store_of_the_emulator_to_code_is_noticed)
{
    translated_kernel(&world);
    /* str [rip + 1]: two bytes over the immediate of mov eax, imm32 */
    world.vcpu->segment[VT_TR].selector = 0x40;
    ck_assert_int_eq(translated_run(&world, CODE("\x0f\x00\x0d\x01\0\0\0\xb8\xff\xff\0\0\xc3"), 1000),
                     VT_TRANSLATE_RETURNED);
    ck_assert_uint_eq(world.vcpu->gpr[VT_RAX], 0x40);
    translated_close(&world);
}
END_TEST

START_TEST(accesses_of_devices_become_callouts)
{
    struct vt_translate_counts before, after;

    translated_kernel(&world);
    /* mov ecx, 8; 1: mov [rbx], ecx; mov eax, [rbx + 4]; loop 1b; ret */
    world.vcpu->gpr[VT_RBX] = TRANSLATED_DEVICE;
    ck_assert_int_eq(translated_run(&world, CODE("\xb9\x08\0\0\0\x89\x0b\x8b\x43\x04\xe2\xf9\xc3"), 1000),
                     VT_TRANSLATE_RETURNED);
    ck_assert_uint_eq(world.device_writes, 8);
    ck_assert_uint_eq(world.device_value, 1);
    ck_assert_uint_eq(world.vcpu->gpr[VT_RAX], 4);
    before = vt_translate_counts(world.translate);
    ck_assert_uint_le(before.signals, 2);
    ck_assert_int_eq(again(), VT_TRANSLATE_RETURNED);
    after = vt_translate_counts(world.translate);
    ck_assert_uint_eq(after.signals, before.signals);
    ck_assert_uint_eq(after.callouts - before.callouts, 16);
    translated_close(&world);
}
END_TEST

/* The emulator pauses a long one to let the clock be looked at. */
START_TEST(a_long_string_instruction_comes_to_its_end)
{
    translated_kernel(&world);
    world.vcpu->gpr[VT_RSI] = address(TRANSLATED_DATA);
    /* mov ecx, 10000; rep outsb; ret */
    ck_assert_int_eq(translated_run(&world, CODE("\xb9\x10\x27\0\0\xf3\x6e\xc3"), 1000),
                     VT_TRANSLATE_RETURNED);
    ck_assert_uint_eq(world.device_writes, 10000);
    ck_assert_uint_eq(world.vcpu->gpr[VT_RCX], 0);
    translated_close(&world);
}
END_TEST

/*
 * A kernel that goes to its program and is called by it, 20 times. What either runs is translated once, and
 * what is sensitive is not the same for both: each is shown its own CS.
 *
 *     0: mov r8d, 20; 6: lea rcx, [22]; 13: mov r11d, 2; 19: sysretq; 22: call 35; 27: syscall
 *     29: dec r8d; 32: jnz 6; 34: ret; 35: inc rax; 38: mov ebx, cs; 40: ret
 */
START_TEST(a_kernel_and_its_programs_are_translated_apart)
{
    static const char code[] = "\x41\xb8\x14\0\0\0\x48\x8d\x0d\x09\0\0\0\x41\xbb\x02\0\0\0\x48\x0f\x07"
                               "\xe8\x08\0\0\0\x0f\x05\x41\xff\xc8\x75\xe4\xc3\x48\xff\xc0\x8c\xcb\xc3";
    struct vt_translate_counts before, after;

    translated_kernel(&world);
    world.vcpu->efer |= VT_EFER_SCE;
    world.vcpu->msr[VT_MSR_STAR] = UINT64_C(0x23) << 48 | UINT64_C(8) << 32;
    world.vcpu->msr[VT_MSR_LSTAR] = address(TRANSLATED_CODE) + 29;
    world.vcpu->gpr[VT_RAX] = 0;
    ck_assert_int_eq(translated_run(&world, code, sizeof code - 1, 1000), VT_TRANSLATE_RETURNED);
    ck_assert_uint_eq(world.vcpu->gpr[VT_RAX], 20);
    ck_assert_uint_eq(world.vcpu->gpr[VT_RBX], 0x33);
    ck_assert_uint_eq(world.vcpu->cpl, 0);
    before = vt_translate_counts(world.translate);
    ck_assert_int_eq(again(), VT_TRANSLATE_RETURNED);
    after = vt_translate_counts(world.translate);
    ck_assert_uint_eq(after.flushes, before.flushes);
    ck_assert_uint_eq(after.blocks, before.blocks);
    ck_assert_uint_eq(after.callouts - before.callouts, 60);
    /* The kernel's MOV from CS is inline, and so is its own. */
    world.vcpu->rip = 0;
    world.vcpu->gpr[VT_RBX] = 0;
    ck_assert_int_eq(vt_translate_call(world.translate, address(TRANSLATED_CODE) + 35, 100),
                     VT_TRANSLATE_RETURNED);
    ck_assert_uint_eq(world.vcpu->gpr[VT_RBX], 8);
    ck_assert_uint_eq(vt_translate_counts(world.translate).callouts, after.callouts);
    translated_close(&world);
}
END_TEST

START_TEST(bases_of_fs_and_gs_are_virtual)
{
    uint64_t value = 0x1122334455667788;

    translated_kernel(&world);
    memcpy(world.window + TRANSLATED_DATA + 0x100, &value, 8);
    world.vcpu->segment[VT_GS].base = address(TRANSLATED_DATA);
    world.vcpu->segment[VT_FS].base = address(TRANSLATED_DATA) + 0x80;
    /* mov rax, gs:[0x100]; mov rcx, 0x80; mov rdx, fs:[rcx]; add gs:[rcx + 0x80], rcx; ret */
    ck_assert_int_eq(
        translated_run(&world,
                       CODE("\x65\x48\x8b\x04\x25\0\x01\0\0\x48\xc7\xc1\x80\0\0\0\x64\x48\x8b\x11"
                            "\x65\x48\x01\x89\x80\0\0\0\xc3"),
                       1000),
        VT_TRANSLATE_RETURNED);
    ck_assert_uint_eq(world.vcpu->gpr[VT_RAX], value);
    ck_assert_uint_eq(world.vcpu->gpr[VT_RDX], value);
    memcpy(&value, world.window + TRANSLATED_DATA + 0x100, 8);
    ck_assert_uint_eq(value, 0x1122334455667808);
    translated_close(&world);
}
END_TEST

START_TEST(memory_that_is_not_code_is_no_code)
{
    translated_kernel(&world);
    ck_assert(!vt_translate_prepare(world.translate, 0x1000));
    ck_assert_int_eq(vt_translate_call(world.translate, 0x1000, 10), VT_TRANSLATE_FAULT);
    ck_assert_uint_eq(world.vcpu->fault.vector, 14);
    world.vcpu->gpr[VT_RSP] = 0x1000;
    ck_assert_int_eq(vt_translate_call(world.translate, address(TRANSLATED_CODE), 10), VT_TRANSLATE_FAULT);
    ck_assert_uint_eq(world.vcpu->fault.vector, 12);
    translated_close(&world);
}
END_TEST

static void on_alarm(int number, siginfo_t *info, void *context)
{
    (void)number, (void)info;
    vt_translate_stop(world.translate, context);
}

START_TEST(an_endless_loop_can_be_stopped)
{
    struct sigaction action = {.sa_sigaction = on_alarm, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN};
    struct itimerspec limit = {.it_value = {.tv_nsec = 20000000}, .it_interval = {.tv_nsec = 5000000}};
    timer_t timer;

    translated_kernel(&world);
    sigaction(SIGRTMIN, &action, NULL);
    timer_create(CLOCK_MONOTONIC, &event, &timer);
    timer_settime(timer, 0, &limit, NULL);
    ck_assert_int_eq(translated_run(&world, CODE("\xeb\xfe"), 0), VT_TRANSLATE_STOPPED);
    timer_delete(timer);
    ck_assert_uint_eq(world.vcpu->rip, address(TRANSLATED_CODE));
    world.vcpu->gpr[VT_RSP] = address(TRANSLATED_STACK);
    ck_assert_int_eq(translated_run(&world, CODE("\xc3"), 0), VT_TRANSLATE_RETURNED);
    translated_close(&world);
}
END_TEST

START_TEST(translators_live_side_by_side)
{
    struct vt_translate *other;
    struct vt_translate_settings settings = {.environment = &world.environment};
    struct vt_error error;

    if (VT_ADDRESS_SANITIZER)
        vt_skip("AddressSanitizer leaves no room for the tables of a second translator");
    translated_kernel(&world);
    ck_assert_int_eq(vt_translate_create(&other, &settings, &error), 0);
    ck_assert_int_eq(translated_run(&world, CODE("\xb8\x05\0\0\0\xc3"), 0), VT_TRANSLATE_RETURNED);
    ck_assert_uint_eq(world.vcpu->gpr[VT_RAX], 5);
    vt_translate_destroy(other);
    translated_close(&world);
}
END_TEST

VT_SUITE(inline_sequences_call_nobody, operands_met_once_are_inline_from_then_on,
         what_cannot_be_inline_is_not_tried_for_ever, faults_are_precise, wild_branches_fault_where_they_lead,
         a_wild_branch_is_not_mistaken_for_another, code_that_is_modified_is_translated_anew,
         a_store_of_the_emulator_to_code_is_noticed, accesses_of_devices_become_callouts,
         a_long_string_instruction_comes_to_its_end, a_kernel_and_its_programs_are_translated_apart,
         bases_of_fs_and_gs_are_virtual, memory_that_is_not_code_is_no_code, an_endless_loop_can_be_stopped,
         translators_live_side_by_side)
