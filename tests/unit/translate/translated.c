#include "tests/unit/translate/translated.h"

#include "base/process/affinity.h"
#include "tests/unit/suite.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static enum vt_access load(void *context, uint64_t address, void *value, unsigned size, uint32_t *error)
{
    struct translated *t = context;

    *error = 0;
    if (address - TRANSLATED_DEVICE < 4096)
        return VT_ACCESS_MMIO;
    return vt_translate_load(t->translate, address, value, size) ? VT_ACCESS_DONE : VT_ACCESS_FAULT;
}

static enum vt_access store(void *context, uint64_t address, const void *value, unsigned size,
                            uint32_t *error)
{
    struct translated *t = context;

    *error = 0;
    if (address - TRANSLATED_DEVICE < 4096)
        return VT_ACCESS_MMIO;
    return vt_translate_store(t->translate, address, value, size) ? VT_ACCESS_DONE : VT_ACCESS_FAULT;
}

static uint64_t mmio_read(void *context, uint64_t address, unsigned size)
{
    (void)context, (void)size;
    return address - TRANSLATED_DEVICE;
}

static void mmio_write(void *context, uint64_t address, unsigned size, uint64_t value)
{
    struct translated *t = context;

    (void)address, (void)size;
    t->device_writes++;
    t->device_value = value;
}

static uint32_t port_read(void *context, uint16_t port, unsigned size)
{
    (void)context, (void)size;
    return port;
}

static void port_write(void *context, uint16_t port, unsigned size, uint32_t value)
{
    mmio_write(context, port, size, value);
}

static enum vt_access msr_read(void *context, uint32_t index, uint64_t *value)
{
    (void)context;
    *value = index;
    return VT_ACCESS_FAULT;
}

static enum vt_access msr_write(void *context, uint32_t index, uint64_t value)
{
    (void)context, (void)index, (void)value;
    return VT_ACCESS_FAULT;
}

static uint64_t read_clock(void *context)
{
    (void)context;
    return __builtin_ia32_rdtsc();
}

static uint64_t counter(void *context, uint32_t index)
{
    (void)context;
    return index;
}

static void flush(void *context, uint64_t address)
{
    (void)context, (void)address;
}

static void write_back(void *context)
{
    (void)context;
}

static void hypercall(void *context, uint64_t gpr[16])
{
    (void)context;
    gpr[VT_RAX] = 42;
}

static void fill_environment(struct translated *t)
{
    t->environment = (struct vt_environment){
        .context = t,
        .load = load,
        .store = store,
        .mmio_read = mmio_read,
        .mmio_write = mmio_write,
        .port_read = port_read,
        .port_write = port_write,
        .msr_read = msr_read,
        .msr_write = msr_write,
        .clock = read_clock,
        .counter = counter,
        .flush = flush,
        .write_back = write_back,
        .hypercall = hypercall,
    };
}

/* Undefined results, of SHLD beyond the operand's size for one, may differ between a processor's core types.
 */
static void stay_on_one_core(void)
{
    struct vt_affinity allowed;

    if (vt_affinity_get(&allowed) == 0)
        vt_affinity_pin(vt_affinity_last(&allowed));
}

void translated_open(struct translated *t, size_t cache)
{
    struct vt_translate_settings settings = {.cache = cache, .environment = &t->environment};
    struct vt_error error;
    size_t size;

    stay_on_one_core();
    memset(t, 0, sizeof *t);
    fill_environment(t);
    if (vt_translate_create(&t->translate, &settings, &error) != 0)
        vt_skip("%s", error.text);
    t->vcpu = vt_translate_vcpu(t->translate);
    t->window = vt_translate_memory(t->translate, &size);
    t->device = mmap((void *)(uintptr_t)TRANSLATED_DEVICE, 4096, PROT_NONE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    if ((uintptr_t)t->device != TRANSLATED_DEVICE)
        abort();
}

void translated_close(struct translated *t)
{
    munmap(t->device, 4096);
    vt_translate_destroy(t->translate);
}

static uint64_t mix(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

void translated_registers(struct translated *t, uint64_t seed)
{
    for (unsigned i = 0; i < VT_GPRS; i++)
        t->vcpu->gpr[i] = mix(&seed) >> (i % 5 * 8);
    for (size_t i = TRANSLATED_DATA; i < TRANSLATED_STACK; i += 8) {
        uint64_t value = mix(&seed);
        memcpy(t->window + i, &value, sizeof value);
    }
    t->vcpu->gpr[VT_RBP] = (uintptr_t)t->window + TRANSLATED_DATA;
    t->vcpu->gpr[VT_RSP] = (uintptr_t)t->window + TRANSLATED_STACK;
    vt_vcpu_set_rflags(t->vcpu, (mix(&seed) & VT_FLAGS_STATUS) | VT_FLAG_IF);
}

enum vt_translate_end translated_run(struct translated *t, const void *code, size_t size, uint64_t exits)
{
    vt_translate_forget(t->translate);
    vt_translate_reset_vectors(t->translate);
    memcpy(t->window + TRANSLATED_CODE, code, size);
    return vt_translate_call(t->translate, (uintptr_t)t->window + TRANSLATED_CODE, exits);
}

static void keep_memory(const struct translated *t, struct outcome *outcome)
{
    memcpy(outcome->memory, t->window + TRANSLATED_DATA, sizeof outcome->memory);
}

void translated_outcome(const struct translated *t, struct outcome *outcome)
{
    memcpy(outcome->gpr, t->vcpu->gpr, sizeof outcome->gpr);
    outcome->flags = t->vcpu->rflags & VT_FLAGS_STATUS;
    keep_memory(t, outcome);
}

/* Registers on the way in and out of native code: in memory that needs no register to reach. */
struct native_state {
    uint64_t gpr[16], flags, target, host_stack;
};
extern struct native_state native_state;
struct native_state native_state;
void native_enter(void);
extern const uint8_t native_back[];

#define EACH(insn_a, insn_b)                                                                                 \
    insn_a "rax" insn_b("0") insn_a "rcx" insn_b("8") insn_a "rdx" insn_b("16") insn_a "rbx" insn_b("24")    \
        insn_a "rsp" insn_b("32") insn_a "rbp" insn_b("40") insn_a "rsi" insn_b("48") insn_a                 \
        "rdi" insn_b("56") insn_a "r8" insn_b("64") insn_a "r9" insn_b("72") insn_a "r10" insn_b("80")       \
            insn_a "r11" insn_b("88") insn_a "r12" insn_b("96") insn_a "r13" insn_b("104") insn_a            \
        "r14" insn_b("112") insn_a "r15" insn_b("120")
#define FROM(offset)       ", [rip + native_state + " offset "]\n"
#define STORE(reg, offset) "mov [rip + native_state + " offset "], " reg "\n"

__asm__(".intel_syntax noprefix\n"
        ".text\n"
        ".globl native_enter, native_back\n"
        "native_enter:\n"
        "push rbx\npush rbp\npush r12\npush r13\npush r14\npush r15\n"
        "mov [rip + native_state + 144], rsp\n"
        "push qword ptr [rip + native_state + 128]\n"
        "popfq\n" EACH(
            "mov ",
            FROM) "jmp [rip + native_state + 136]\n"
                  "native_back:\n" STORE("rax", "0") STORE("rcx", "8") STORE("rdx", "16") STORE("rbx", "24")
                      STORE("rsp", "32") STORE("rbp", "40") STORE("rsi", "48") STORE("rdi", "56")
                          STORE("r8", "64") STORE("r9", "72") STORE("r10", "80") STORE("r11", "88")
                              STORE("r12", "96") STORE("r13", "104") STORE("r14", "112")
                                  STORE("r15", "120") "mov rsp, [rip + native_state + 144]\n"
                                                      "pushfq\n"
                                                      "pop qword ptr [rip + native_state + 128]\n"
                                                      "cld\n"
                                                      "pop r15\npop r14\npop r13\npop r12\npop rbp\npop rbx\n"
                                                      "ret\n"
                                                      ".att_syntax\n");

/* The vector registers start as the translator's do: zero. */
static void clear_vectors(void)
{
    __asm__ volatile(
        "pxor %%xmm0, %%xmm0; pxor %%xmm1, %%xmm1; pxor %%xmm2, %%xmm2; pxor %%xmm3, %%xmm3;"
        "pxor %%xmm4, %%xmm4; pxor %%xmm5, %%xmm5; pxor %%xmm6, %%xmm6; pxor %%xmm7, %%xmm7;"
        "pxor %%xmm8, %%xmm8; pxor %%xmm9, %%xmm9; pxor %%xmm10, %%xmm10; pxor %%xmm11, %%xmm11;"
        "pxor %%xmm12, %%xmm12; pxor %%xmm13, %%xmm13; pxor %%xmm14, %%xmm14; pxor %%xmm15, %%xmm15"
        :
        :
        : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11",
          "xmm12", "xmm13", "xmm14", "xmm15");
}

void translated_native(struct translated *t, struct outcome *outcome)
{
    uint64_t back = (uintptr_t)native_back, *slot = (void *)(t->window + TRANSLATED_STACK - 8);

    vt_translate_flush(t->translate);
    mprotect(t->window + TRANSLATED_CODE, TRANSLATED_DATA, PROT_READ | PROT_WRITE | PROT_EXEC);
    *slot = back;
    memcpy(native_state.gpr, t->vcpu->gpr, sizeof native_state.gpr);
    native_state.gpr[VT_RSP] -= 8;
    native_state.flags = (t->vcpu->rflags & VT_FLAGS_STATUS) | 0x202;
    native_state.target = (uintptr_t)t->window + TRANSLATED_CODE;
    clear_vectors();
    native_enter();
    mprotect(t->window + TRANSLATED_CODE, TRANSLATED_DATA, PROT_READ | PROT_WRITE);
    memcpy(outcome->gpr, native_state.gpr, sizeof outcome->gpr);
    outcome->flags = native_state.flags & VT_FLAGS_STATUS;
    keep_memory(t, outcome);
}

static void compare(const char *name, const struct outcome *native, const struct outcome *translated)
{
    for (int i = 0; i < VT_GPRS; i++)
        ck_assert_msg(native->gpr[i] == translated->gpr[i], "%s: register %d is 0x%llx instead of 0x%llx",
                      name, i, (unsigned long long)translated->gpr[i], (unsigned long long)native->gpr[i]);
    ck_assert_msg(native->flags == translated->flags, "%s: flags 0x%llx instead of 0x%llx", name,
                  (unsigned long long)translated->flags, (unsigned long long)native->flags);
    ck_assert_msg(memcmp(native->memory, translated->memory, sizeof native->memory) == 0,
                  "%s: memory differs", name);
}

void translated_both(struct translated *t, const char *name, const void *code, size_t size)
{
    static struct outcome native, translated;

    memcpy(t->window + TRANSLATED_CODE, code, size);
    translated_registers(t, 7);
    translated_native(t, &native);
    for (int i = 0; i < 2; i++) {
        translated_registers(t, 7);
        enum vt_translate_end end =
            vt_translate_call(t->translate, (uintptr_t)t->window + TRANSLATED_CODE, 100000);
        ck_assert_msg(end == VT_TRANSLATE_RETURNED, "%s: ended %d at 0x%llx", name, end,
                      (unsigned long long)t->vcpu->rip);
        translated_outcome(t, &translated);
        compare(name, &native, &translated);
    }
}

void translated_kernel(struct translated *t)
{
    static const struct vt_cpuid_leaf rows[] = {
        {0, 0, {7, 1, 2, 3}, 1, 0},
        {1, 0, {0x12345, 0x67, 0xfffa3203, 0xbfebfbff}, 1, 0},
        {7, 0, {1, 1, 1u << 22, 5}, 0, 0},
        {7, 1, {9, 8, 7, 6}, 0, 0},
        {0x80000001, 0, {0, 0, 0, 1u << 27 | 1u << 29 | 1u << 11}, 1, 0},
    };

    translated_open(t, 0);
    memcpy(t->vcpu->cpuid, rows, sizeof rows);
    t->vcpu->cpuid_count = sizeof rows / sizeof rows[0];
    vt_vcpu_apply_cpuid(t->vcpu);
    vt_vcpu_reset(t->vcpu);
    t->vcpu->cr[4] |= VT_CR4_FSGSBASE & t->vcpu->limits.cr4;
    translated_registers(t, 1);
}
