/* Ports, string instructions, device memory and addresses: the manual's corner cases. */
#include "tests/unit/vcpu/step.h"
#include "tests/unit/suite.h"

#include <string.h>

static struct emulator world, *const w = &world;

START_TEST(ports_obey_iopl_and_the_permission_map)
{
    emulator_open(w);
    emulator_go_user(w);
    *reg(VT_RDX) = 0x21;
    ck_fault(STEP(w, "\xec"), VT_EXCEPTION_GP, 0);
    /* A map that allows port 0x21 alone. */
    w->vcpu.segment[VT_TR].limit = 0x100;
    memcpy(emulator_at(w, WORLD_TSS + 102), "\x68\0", 2);
    memset(emulator_at(w, WORLD_TSS + 0x68), 0xff, 16);
    *(uint8_t *)emulator_at(w, WORLD_TSS + 0x68 + 4) = 0xfd;
    w->port_value = 0x5a;
    ck_done(STEP(w, "\xec"));
    ck_assert_uint_eq(*reg(VT_RAX), 0x5a);
    ck_fault(STEP(w, "\x66\xed"), VT_EXCEPTION_GP, 0); /* in ax, dx needs port 0x22 too */
    w->vcpu.system_flags = VT_FLAG_IOPL;
    ck_done(STEP(w, "\xed"));
    ck_assert_uint_eq(w->port_size, 4);
}
END_TEST

START_TEST(outs_repeats_in_both_directions)
{
    emulator_open(w);
    *reg(VT_RSI) = WORLD_DATA + 4;
    *reg(VT_RCX) = 3;
    *reg(VT_RDX) = 0x5e4;
    w->vcpu.rflags |= VT_FLAG_DF;
    ck_done(STEP(w, "\xf3\x66\x6f"));
    ck_assert_uint_eq(w->port_writes, 3);
    ck_assert_uint_eq(*reg(VT_RSI), WORLD_DATA - 2);
    ck_assert_uint_eq(*reg(VT_RCX), 0);
}
END_TEST

START_TEST(a_fault_in_a_repeat_leaves_the_turns_done)
{
    emulator_open(w);
    *reg(VT_RDI) = WORLD_MEMORY + WORLD_SIZE - 2;
    *reg(VT_RCX) = 5;
    ck_fault(STEP(w, "\xf3\x6c"), VT_EXCEPTION_PF, 2 & 0);
    ck_assert_uint_eq(*reg(VT_RCX), 3);
    ck_assert_uint_eq(w->port_reads, 2);
    ck_assert_uint_eq(w->vcpu.fault.address, WORLD_MEMORY + WORLD_SIZE);
}
END_TEST

START_TEST(a_long_repeat_pauses)
{
    emulator_open(w);
    *reg(VT_RDI) = WORLD_DEVICE;
    *reg(VT_RCX) = 5000;
    w->vcpu.rflags |= VT_FLAG_DF;
    *reg(VT_RDI) = WORLD_MEMORY + 0x4fff;
    *reg(VT_RDX) = 1;
    ck_assert_int_eq(STEP(w, "\xf3\x6c"), VT_STEP_AGAIN);
    ck_rip(0);
    ck_assert_uint_lt(*reg(VT_RCX), 5000);
}
END_TEST

START_TEST(device_registers_are_reached_by_every_form_of_move)
{
    emulator_open(w);
    *reg(VT_RBX) = WORLD_DEVICE + 8;
    w->device_value = 0x8899aabbccddeeff;
    ck_done(STEP(w, "\x8b\x03")); /* mov eax, [rbx] */
    ck_assert_uint_eq(*reg(VT_RAX), 0xccddeeff);
    ck_done(STEP(w, "\x8a\x23")); /* mov ah, [rbx] */
    ck_assert_uint_eq(*reg(VT_RAX), 0xccddffff);
    ck_done(STEP(w, "\x48\x0f\xbe\x03")); /* movsx rax, byte [rbx] */
    ck_assert_uint_eq(*reg(VT_RAX), ~UINT64_C(0));
    ck_done(STEP(w, "\xc7\x03\x78\x56\x34\x12"));
    ck_assert_uint_eq(w->device_value, 0x12345678);
    ck_done(STEP(w, "\x83\x0b\x01")); /* or dword [rbx], 1 */
    ck_assert_uint_eq(w->device_value, 0x12345679);
    ck_done(STEP(w, "\x48\x39\x03")); /* cmp [rbx], rax */
    ck_assert_uint_eq(w->vcpu.rflags & VT_FLAG_CF, VT_FLAG_CF);
    ck_assert_uint_eq(w->device_address, WORLD_DEVICE + 8);
}
END_TEST

START_TEST(addresses_on_the_stack_fault_as_stack)
{
    emulator_open(w);
    *reg(VT_RBP) = *reg(VT_RBX) = UINT64_C(1) << 60;
    ck_fault(STEP(w, "\x0f\x01\x45\x00"), VT_EXCEPTION_SS, 0); /* sgdt [rbp] */
    ck_fault(STEP(w, "\x0f\x01\x03"), VT_EXCEPTION_GP, 0);     /* sgdt [rbx] */
}
END_TEST

VT_SUITE(ports_obey_iopl_and_the_permission_map, outs_repeats_in_both_directions,
         a_fault_in_a_repeat_leaves_the_turns_done, a_long_repeat_pauses,
         device_registers_are_reached_by_every_form_of_move, addresses_on_the_stack_fault_as_stack)
