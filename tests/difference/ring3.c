#include "tests/difference/ring3.h"
#include "base/vendor.h"
#include "tests/unit/suite.h"

#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <ucontext.h>

#define HWCAP2_FSGSBASE 2

/* Known to the assembly. */
extern struct ring3_state ring3_in, ring3_out;
extern uint64_t ring3_stack, ring3_target, ring3_thread;
extern uint16_t ring3_ss;
extern uint8_t ring3_has_bases;
struct ring3_state ring3_in, ring3_out;
uint64_t ring3_stack, ring3_target, ring3_thread; /* ring3_thread: the base of FS that C needs */
uint16_t ring3_ss;                                /* and of SS, its selector */
uint8_t ring3_has_bases;

_Static_assert(offsetof(struct ring3_state, rflags) == 128, "known to the assembly");
_Static_assert(offsetof(struct ring3_state, fs_base) == 136, "known to the assembly");
_Static_assert(offsetof(struct ring3_state, gs_base) == 144, "known to the assembly");
_Static_assert(offsetof(struct ring3_state, selector) == 152, "known to the assembly");

void ring3_enter(void);
extern const uint8_t ring3_exit[];

/* clang-format off */
#define EACH_REGISTER(X)                                                                                     \
    X("rax", 0) \
    X("rcx", 8) \
    X("rdx", 16) \
    X("rbx", 24) \
    X("rbp", 40) \
    X("rsi", 48) \
    X("rdi", 56) \
    X("r8", 64) \
    X("r9", 72) \
    X("r10", 80) \
    X("r11", 88) \
    X("r12", 96) \
    X("r13", 104) \
    X("r14", 112) \
    X("r15", 120) \
    X("rsp", 32)
/* clang-format on */
#define LOAD(name, offset)     "    movq ring3_in+" #offset "(%rip), %" name "\n"
#define STORE(name, offset)    "    movq %" name ", ring3_out+" #offset "(%rip)\n"
#define SELECTOR(name, offset) "    movw %" name ", ring3_out+152+" #offset "(%rip)\n"

/* Segment registers are put back before anything uses them: SS is the caller's, the others are null here. A
 * descriptor is read only if it must be (below PVM that can be a fault its guest's kernel dies of), and flags
 * stay what they are. */
__asm__(
    ".text\n"
    "ring3_enter:\n"
    "    pushq %rbp\n    pushq %rbx\n    pushq %r12\n    pushq %r13\n    pushq %r14\n    pushq %r15\n"
    "    movq %rsp, ring3_stack(%rip)\n"
    "    pushq ring3_in+128(%rip)\n"
    "    popfq\n" EACH_REGISTER(
        LOAD) "    jmp *ring3_target(%rip)\n"
              "ring3_exit:\n" EACH_REGISTER(STORE) SELECTOR("es", 0) SELECTOR("ss", 4) SELECTOR("ds", 6)
                  SELECTOR("fs", 8) SELECTOR(
                      "gs",
                      10) "    movzwl ring3_ss(%rip), %eax\n"
                          "    movzwl ring3_out+156(%rip), %ecx\n    notl %ecx\n    leal 1(%rcx,%rax), %ecx\n"
                          "    jecxz 2f\n"
                          "    movl %eax, %ss\n2:\n"
                          "    movq ring3_stack(%rip), %rsp\n"
                          "    pushfq\n"
                          "    popq ring3_out+128(%rip)\n"
                          "    pushq $2\n"
                          "    popfq\n"
                          "    cmpb $0, ring3_has_bases(%rip)\n"
                          "    je 1f\n"
                          "    rdfsbase %rax\n"
                          "    movq %rax, ring3_out+136(%rip)\n"
                          "    rdgsbase %rax\n"
                          "    movq %rax, ring3_out+144(%rip)\n"
                          "    xorl %eax, %eax\n"
                          "    movl %eax, %ds\n    movl %eax, %es\n    movl %eax, %fs\n    movl %eax, %gs\n"
                          "    wrgsbase %rax\n"
                          "    movq ring3_thread(%rip), %rax\n"
                          "    wrfsbase %rax\n"
                          "1:  popq %r15\n    popq %r14\n    popq %r13\n    popq %r12\n    popq %rbx\n    "
                          "popq %rbp\n"
                          "    ret\n");

static uint8_t *memory;
static uint32_t stale = DIFFERENCE_ALL;
static volatile struct ring3_fault fault;
static uint64_t fault_rsp;

static void on_fault(int number, siginfo_t *info, void *context)
{
    greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;

    (void)number, (void)info;
    fault.vector = (int)registers[REG_TRAPNO];
    fault.error = (uint64_t)registers[REG_ERR];
    fault.address = (uint64_t)registers[REG_CR2];
    fault_rsp = (uint64_t)registers[REG_RSP];
    registers[REG_RIP] = (greg_t)(uintptr_t)ring3_exit;
    /* A hypervisor that makes the kernel's IRET may refuse a stack pointer that is not canonical. */
    registers[REG_RSP] = (greg_t)ring3_stack;
}

static bool map_world(void)
{
    static const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGTRAP};
    static uint8_t stack[65536];
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    stack_t alternate = {.ss_sp = stack, .ss_size = sizeof stack};

    memory = mmap((void *)WORLD_MEMORY, WORLD_SIZE, PROT_READ | PROT_WRITE | PROT_EXEC,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    if (memory == MAP_FAILED)
        return false;
    sigaltstack(&alternate, NULL);
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
        sigaction(signals[i], &action, NULL);
    __asm__ volatile("movw %%ss, %0" : "=r"(ring3_ss));
    ring3_has_bases = (getauxval(AT_HWCAP2) & HWCAP2_FSGSBASE) != 0;
    if (ring3_has_bases)
        __asm__ volatile("rdfsbase %0" : "=r"(ring3_thread));
    return true;
}

/* Does the kernel use addresses of 57 bits? */
static bool has_la57(void)
{
    uint64_t above = UINT64_C(1) << 47;
    void *page = mmap((void *)(above << 1), 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (page == MAP_FAILED)
        return false;
    munmap(page, 4096);
    return (uint64_t)(uintptr_t)page >= above;
}

void ring3_open(struct emulator *base)
{
    emulator_open(base);
    if (VT_ADDRESS_SANITIZER)
        vt_skip("AddressSanitizer maps the addresses that must fault");
    if (!map_world())
        vt_skip("the world's addresses are taken in this process");
    base->vcpu.limits.vendor = vt_vendor_has_svm() ? VT_VENDOR_AMD : VT_VENDOR_INTEL;
    if (has_la57())
        base->vcpu.cr[4] |= VT_CR4_LA57;
}

bool ring3_has_segments(void)
{
    return ring3_has_bases;
}

bool ring3_null_clears_base(void)
{
    uint64_t base = WORLD_DATA;

    __asm__ volatile("wrgsbase %0; mov %1, %%gs; rdgsbase %0; wrgsbase %2"
                     : "+r"(base)
                     : "r"(0), "r"(UINT64_C(0)));
    return base == 0;
}

uint64_t ring3_thread_base(void)
{
    return ring3_thread;
}

/* The way out: a near jump to a far one whose operand is aligned, because AC may be set. */
#define JUMP   0xffa
#define TARGET (RING3_TARGET - WORLD_CODE)

static void put_way(size_t at)
{
    int32_t distance = (int32_t)(JUMP - at - 5);

    memory[at] = 0xe9;
    memcpy(memory + at + 1, &distance, 4);
}

static void put_exit(const struct difference *d)
{
    uint64_t target = (uintptr_t)ring3_exit;

    put_way(d->length);
    put_way(TARGET);
    memcpy(memory + JUMP, (const uint8_t[]){0xff, 0x25, 0, 0, 0, 0}, 6); /* jmp [rip] */
    memcpy(memory + JUMP + 6, &target, 8);
}

static void restore(const struct difference *d, size_t at, size_t size)
{
    for (size_t i = at; i < at + size; i++)
        memory[i] = d->world.memory[i];
}

/* The code as it was before the exit was laid behind it. */
static void take_exit(const struct difference *d)
{
    restore(d, d->length, 5);
    restore(d, TARGET, 5);
    restore(d, JUMP, 14);
}

const struct ring3_state *ring3_run(const struct difference *d, struct ring3_fault *caught)
{
    difference_lay(d, memory, &stale);
    put_exit(d);
    memcpy(ring3_in.gpr, d->world.vcpu.gpr, sizeof ring3_in.gpr);
    ring3_in.rflags = vt_vcpu_rflags(&d->world.vcpu);
    ring3_target = WORLD_CODE;
    fault.vector = -1;
    ring3_enter();
    if (fault.vector >= 0)
        ring3_out.gpr[VT_RSP] = fault_rsp;
    *caught = (struct ring3_fault){fault.vector, fault.error, fault.address};
    return &ring3_out;
}

long ring3_memory(const struct difference *d, uint8_t *theirs)
{
    long at;

    take_exit(d);
    at = difference_memory(d, memory, &stale);
    if (at >= 0)
        *theirs = memory[at];
    return at;
}

void ring3_forget(void)
{
    stale = DIFFERENCE_ALL;
}
