#include "monitor/translator.h"

#include "guest/abi.h"
#include "monitor/forms.h"
#include "monitor/hardware.h"
#include "monitor/msr.h"
#include "monitor/pages.h"
#include "monitor/timer.h"
#include "monitor/translator_pages.h"
#include "translate/build.h"

#include <string.h>

#define CACHE       0x40000 /* bytes of translated code */
#define BLOCKS      2048
#define POINTS      16384
#define EXITS       4096
#define SITES       2048
#define WINDOW_MOST (VT_TRANSLATOR_CODE_MOST + PAGE) /* one page behind the code holds the gate */
#define STACK       64                               /* bytes, for the way out */
#define PAGES(n)    (((n) + 4095) / 4096 * 4096)

#define MSR_EFER  0xc0000080
#define MSR_LSTAR 0xc0000082
#define EFER_SCE  UINT64_C(1)
#define EFER_NXE  UINT64_C(0x800)

extern const uint8_t vt_image_guest[], vt_image_guest_end[];
extern uint8_t vt_translator_left[];
void vt_translator_enter(uint64_t address);

/* What translated code can write to beside the guest's memory. */
struct reach {
    struct vt_translate_context context;
    uint8_t stack[STACK];
};

union vt_translator_shared {
    struct reach reach;
    uint8_t pages[PAGES(sizeof(struct reach))];
};

extern union vt_translator_shared vt_translator_shared; /* a test's guest writes to it */
union vt_translator_shared vt_translator_shared __attribute__((aligned(4096)));

static uint8_t cache[CACHE] __attribute__((aligned(4096)));
static uint32_t lookup[2][WINDOW_MOST] __attribute__((aligned(8)));
static uint8_t watched[WINDOW_MOST / PAGE], by_emulator[WINDOW_MOST / 8];
static uint8_t table_filled[BRANCHES * (WINDOW_MOST * 8 / CHUNK)];
static struct vt_translate_block blocks[BLOCKS];
static struct vt_translate_point points[POINTS];
static struct vt_translate_exit exits[EXITS];
static struct vt_translate_site sites[SITES];
static struct vt_build build;
static struct vt_environment environment;
static bool started;
static struct vt_translate translate;

static bool give(struct vt_translate *t, void *chunk, size_t size)
{
    (void)t;
    return vt_translator_pages_give((uintptr_t)chunk, size);
}

static void take(struct vt_translate *t, void *chunk, size_t size)
{
    (void)t;
    vt_translator_pages_withdraw((uintptr_t)chunk, size);
}

/* All of it is there. */
static void populate(void *memory, size_t size)
{
    (void)memory, (void)size;
}

static void clear(void *memory, size_t size)
{
    uint64_t *words = memory;

    for (size_t i = 0; i < size / 8; i++)
        words[i] = 0;
}

static void protect(struct vt_translate *t, void *page, bool writable)
{
    (void)t;
    vt_translator_pages_protect((uintptr_t)page, writable);
}

static void emit_way_in(struct vt_translate *t, struct vt_emitter *e)
{
    (void)t, (void)e;
}

static void emit_way_out(struct vt_translate *t, struct vt_emitter *e)
{
    (void)t;
    VT_EMIT(e, 0x0f, 0x05); /* SYSCALL */
}

static uint64_t flags(void)
{
    return VT_FLAG_ONE | VT_FLAG_IF;
}

static bool peek(const struct vt_translate *t, uint64_t address, uint64_t *value)
{
    (void)t;
    if (!vt_pages_is_guest(address, sizeof *value, false))
        return false;
    memcpy(value, (const void *)(uintptr_t)address, sizeof *value);
    return true;
}

/* Page tables are the monitor's to follow. */
static bool is_emulated(const struct vt_translate *t, uint64_t address)
{
    uint8_t byte;
    uint32_t error;

    return vt_pages_is_table(address) ||
           t->environment->load(t->environment->context, address, &byte, 1, &error) == VT_ACCESS_MMIO;
}

static void decode(const struct vt_translate *t, const uint8_t *code, size_t size, struct vt_insn *insn)
{
    const struct vt_form *form = vt_forms_find(code, size);

    (void)t;
    *insn =
        form ? form->insn : (struct vt_insn){.kind = VT_INSN_SENSITIVE, .length = 1, .flags = VT_FLAGS_READ};
}

static int decode_sensitive(const uint8_t *code, size_t size, struct vt_instruction *instruction)
{
    const struct vt_form *form = vt_forms_find(code, size);

    *instruction = form ? form->instruction : (struct vt_instruction){.operation = VT_OP_NONE, .length = 1};
    return 0;
}

static const struct vt_translate_platform platform = {
    .give = give,
    .take = take,
    .populate = populate,
    .clear = clear,
    .protect = protect,
    .enter = vt_translator_enter,
    .emit_way_in = emit_way_in,
    .emit_way_out = emit_way_out,
    .flags = flags,
    .peek = peek,
    .is_emulated = is_emulated,
    .decode = decode,
    .decode_sensitive = decode_sensitive,
};

static enum vt_access store(void *context, uint64_t address, const void *value, unsigned size,
                            uint32_t *error)
{
    if (is_code(&translate, address) && is_code(&translate, address + size - 1) &&
        vt_translate_store(&translate, address, value, size))
        return VT_ACCESS_DONE;
    return vt_monitor.environment.store(context, address, value, size, error);
}

#define POOL(array)                                                                                          \
    (struct vt_translate_pool)                                                                               \
    {                                                                                                        \
        array, 0, sizeof(array) / sizeof(array)[0]                                                           \
    }

static void fill_places(struct vt_translate *t)
{
    uint64_t window = (uintptr_t)vt_image_guest, end = (uintptr_t)vt_image_guest_end;
    uint64_t size = end + PAGE - window;

    *t = (struct vt_translate){
        .platform = &platform,
        .environment = &environment,
        .context = &vt_translator_shared.reach.context,
        .window = (uint8_t *)(uintptr_t)window,
        .window_size = size,
        .tables = (uint8_t *)(uintptr_t)(VT_TRANSLATOR_TABLES + window * 8),
        .table_size = (size * 8 + CHUNK - 1) / CHUNK * CHUNK,
        .table_distance = (int64_t)VT_TRANSLATOR_TABLES,
        .table_filled = table_filled,
        .code = cache,
        .code_writable = cache,
        .code_size = sizeof cache,
        .lookup = {lookup[0], lookup[1]},
        .watched = watched,
        .by_emulator = by_emulator,
        .blocks = POOL(blocks),
        .points = POOL(points),
        .exits = POOL(exits),
        .sites = POOL(sites),
        .build = &build,
        .gate = (uint32_t)end,
        .code_end = (uint32_t)end,
    };
}

static bool has_room(const struct vt_translate *t)
{
    return (uintptr_t)t->tables + BRANCHES * t->table_size - VT_TRANSLATOR_TABLES <=
           VT_TRANSLATOR_TABLES_SIZE;
}

const char *vt_translator_open(void)
{
    static bool opened;
    static const char *reason;

    if (opened)
        return reason;
    opened = true;
    fill_places(&translate);
    if (!vt_translator_pages_open() || !has_room(&translate))
        reason = "the guest's code is more than the translator has tables for";
    return reason;
}

/* Both may come before the first run, when there is nothing to forget. */
void vt_translator_forget(void)
{
    if (started)
        vt_translate_forget(&translate);
}

void vt_translator_count(bool on)
{
    if (started)
        vt_translate_count(&translate, on);
    else
        translate.counting = on;
}

struct vt_translate_counts vt_translator_counts(void)
{
    return vt_translate_counts(&translate);
}

/* A fault of translated code, or the end of its time. */
static void serve(struct vt_monitor_frame *frame)
{
    uint64_t *gpr = vt_monitor.vcpu.gpr, address;

    vt_monitor.traps++;
    vt_monitor.vectors[frame->vector]++;
    gpr[VT_RSP] = frame->rsp;
    __asm__ volatile("mov %%cr2, %0" : "=r"(address));
    struct vt_translate_machine machine = {
        gpr, frame->rip, frame->rflags, (uint8_t)frame->vector, (uint32_t)frame->error, address};

    if (frame->vector == VT_MONITOR_TIMER) {
        vt_timer_end();
        vt_translate_interrupt(&translate, &machine);
        vt_timer_again(); /* should it not have been in code of the guest's */
    } else if (frame->vector < 32 && !vt_translate_take(&translate, &machine)) {
        vt_monitor.broken = frame->vector;
        vt_monitor_leave(VT_MONITOR_BROKEN);
    }
    frame->rip = machine.rip;
    frame->rflags = machine.flags | VT_FLAG_IF;
}

/* The gate in place of where the guest returns to otherwise: it has an entry in each table. */
static void lead_back(void)
{
    struct vt_mailbox *mailbox = (struct vt_mailbox *)VT_GUEST_MAILBOX;
    uint64_t *top = (uint64_t *)(uintptr_t)vt_monitor.vcpu.gpr[VT_RSP];

    *top = mailbox->recover = translate.gate;
}

static void begin(void)
{
    vt_msr_write(MSR_LSTAR, (uintptr_t)vt_translator_left);
    vt_msr_write(MSR_EFER, vt_msr_read(MSR_EFER) | EFER_SCE | (vt_pages_no_execute() ? EFER_NXE : 0));
    vt_translator_pages_take(&vt_translator_shared, sizeof vt_translator_shared, cache, sizeof cache);
    if (!started)
        vt_translate_start(&translate);
    started = true;
    for (uint32_t page = 0; page < translate.window_size / PAGE; page++)
        if (watched[page])
            vt_translator_pages_protect((uintptr_t)translate.window + (uint64_t)page * PAGE, false);
    environment = vt_monitor.environment;
    environment.context = &translate.context->vcpu;
    environment.store = store;
    translate.context->vcpu = vt_monitor.vcpu;
    translate.context->vcpu.rip = (uintptr_t)vt_batch;
    lead_back();
    translate.context->host_stack = (uintptr_t)(vt_translator_shared.reach.stack + STACK);
    vt_translate_reset_vectors(&translate);
}

static enum vt_monitor_end end_of(enum vt_translate_end end)
{
    switch (end) {
    case VT_TRANSLATE_RETURNED:
        return VT_MONITOR_RETURNED;
    case VT_TRANSLATE_HALTED:
        return VT_MONITOR_HALTED;
    case VT_TRANSLATE_STOPPED:
        return VT_MONITOR_TIMEOUT;
    case VT_TRANSLATE_UNHANDLED:
        translate.context->vcpu.fault.vector = VT_EXCEPTION_UD;
        return VT_MONITOR_FAULT;
    default:
        return VT_MONITOR_FAULT;
    }
}

static enum vt_monitor_end inside(void *context)
{
    (void)context;
    begin();
    vt_monitor_serve_by(serve);
    return end_of(vt_translate_run(&translate, 0));
}

enum vt_monitor_end vt_translator_run(vt_case_function function, uint64_t iterations)
{
    uint64_t interrupts = translate.counts.interrupts;

    vt_monitor_begin(function, iterations);
    enum vt_monitor_end end = vt_hardware_run_inside(inside, NULL);
    vt_monitor_serve_by(NULL);
    vt_monitor.vcpu = translate.context->vcpu;
    vt_monitor.interrupts = translate.counts.interrupts - interrupts;
    if (vt_translator_pages_leave() || end == VT_MONITOR_BROKEN)
        vt_translator_forget();
    return vt_monitor_finish(end);
}
