#include "audit/prepare.h"
#include "audit/descriptor.h"
#include "audit/guest_view.h"

#include <string.h>

static const uint64_t flags_without_if = 0x2; /* bit 1 is always set */

static void select(struct vt_audit_run *run, uint16_t selector)
{
    run->frame.in[VT_FRAME_RCX] = selector;
    run->stack[VT_AUDIT_STACK_TOP] = selector;
}

void vt_audit_select_guest_code(const struct vt_audit_arena *arena, struct vt_audit_run *run)
{
    (void)arena;
    select(run, VT_VIEW_CODE);
}

void vt_audit_select_guest_data(const struct vt_audit_arena *arena, struct vt_audit_run *run)
{
    (void)arena;
    select(run, VT_VIEW_DATA);
}

void vt_audit_select_host_data(const struct vt_audit_arena *arena, struct vt_audit_run *run)
{
    (void)arena;
    select(run, vt_audit_stack_selector());
}

static void jump(struct vt_audit_run *run, uint32_t offset, uint16_t selector)
{
    struct vt_audit_pointer pointer = {offset, selector, 0};
    memcpy(run->memory, &pointer, sizeof pointer);
    run->stack[VT_AUDIT_STACK_TOP] = offset;
    run->stack[VT_AUDIT_STACK_TOP + 1] = selector;
    run->frame.in[VT_FRAME_RCX] = selector;
}

void vt_audit_jump_guest_code(const struct vt_audit_arena *arena, struct vt_audit_run *run)
{
    jump(run, vt_audit_arena_address(arena, vt_audit_leave), VT_VIEW_CODE);
}

void vt_audit_jump_host_code(const struct vt_audit_arena *arena, struct vt_audit_run *run)
{
    jump(run, vt_audit_arena_address(arena, vt_audit_leave), arena->code_selector);
}

void vt_audit_jump_guest_code32(const struct vt_audit_arena *arena, struct vt_audit_run *run)
{
    jump(run, vt_audit_arena_address(arena, vt_audit_leave32), VT_VIEW_CODE);
}

void vt_audit_jump_host_code32(const struct vt_audit_arena *arena, struct vt_audit_run *run)
{
    jump(run, vt_audit_arena_address(arena, vt_audit_leave32), arena->code32_selector);
}

void vt_audit_stack_flags(const struct vt_audit_arena *arena, struct vt_audit_run *run)
{
    (void)arena;
    run->stack[VT_AUDIT_STACK_TOP] = flags_without_if;
}

/* RIP, CS, RFLAGS, RSP, SS: Intel SDM 3A 6.14.3 */
void vt_audit_stack_iret(const struct vt_audit_arena *arena, struct vt_audit_run *run)
{
    uint64_t *top = &run->stack[VT_AUDIT_STACK_TOP];
    top[0] = vt_audit_arena_address(arena, vt_audit_leave);
    top[1] = arena->code_selector;
    top[2] = flags_without_if;
    top[3] = (uintptr_t)top;
    top[4] = vt_audit_stack_selector();
}
