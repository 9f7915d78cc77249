/*
 * The emulator against this processor, for what ring 3 may execute: loads and stores
 * with their arithmetic, string instructions, and LAR, LSL, VERR and VERW on a local descriptor table.
 * Registers, flags, memory, vectors, error codes and fault addresses must be equal.
 */
#include "tests/unit/difference_compare.h"
#include "tests/unit/difference_course.h"
#include "tests/unit/suite.h"

#include <asm/ldt.h>
#include <cpuid.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#define LOCAL_ENTRIES 32

/* Known to the assembly. */
struct native_state {
    uint64_t gpr[16], rflags;
};
extern struct native_state native_in, native_out;
extern uint64_t native_stack, native_target;
struct native_state native_in, native_out;
uint64_t native_stack, native_target;

void native_run(void);
extern const uint8_t native_exit[];

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
#define LOAD(name, offset)  "    movq native_in+" #offset "(%rip), %" name "\n"
#define STORE(name, offset) "    movq %" name ", native_out+" #offset "(%rip)\n"

__asm__(".text\n"
        "native_run:\n"
        "    pushq %rbp\n    pushq %rbx\n    pushq %r12\n    pushq %r13\n    pushq %r14\n    pushq %r15\n"
        "    movq %rsp, native_stack(%rip)\n"
        "    pushq native_in+128(%rip)\n"
        "    popfq\n" EACH_REGISTER(LOAD) "    jmp *native_target(%rip)\n"
                                          "native_exit:\n" EACH_REGISTER(
                                              STORE) "    movq native_stack(%rip), %rsp\n"
                                                     "    pushfq\n"
                                                     "    popq native_out+128(%rip)\n"
                                                     "    pushq $2\n"
                                                     "    popfq\n"
                                                     "    popq %r15\n    popq %r14\n    popq %r13\n    popq "
                                                     "%r12\n    popq %rbx\n    popq %rbp\n"
                                                     "    ret\n");

static uint8_t *memory;
static uint32_t stale = DIFFERENCE_ALL;
static volatile int vector;
static volatile uint64_t error_code, fault_address;

static void on_fault(int number, siginfo_t *info, void *context)
{
    greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;

    (void)number, (void)info;
    vector = (int)registers[REG_TRAPNO];
    error_code = (uint64_t)registers[REG_ERR];
    fault_address = (uint64_t)registers[REG_CR2];
    registers[REG_RIP] = (greg_t)(uintptr_t)native_exit;
}

static bool open_native(void)
{
    static uint8_t stack[65536];
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    stack_t alternate = {.ss_sp = stack, .ss_size = sizeof stack};

    memory = mmap((void *)WORLD_MEMORY, WORLD_SIZE, PROT_READ | PROT_WRITE | PROT_EXEC,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    if (memory == MAP_FAILED)
        return false;
    sigaltstack(&alternate, NULL);
    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGBUS, &action, NULL);
    return true;
}

/* The way out: a near jump to a far one whose operand is aligned, because AC may be set. */
#define JUMP 0xffa

static void put_exit(const struct difference *d)
{
    uint8_t *at = memory + d->length;
    int32_t distance = (int32_t)(JUMP - d->length - 5);
    uint64_t target = (uintptr_t)native_exit;

    at[0] = 0xe9;
    memcpy(at + 1, &distance, 4);
    memcpy(memory + JUMP, (const uint8_t[]){0xff, 0x25, 0, 0, 0, 0}, 6); /* jmp [rip] */
    memcpy(memory + JUMP + 6, &target, 8);
}

static void run_native(const struct difference *d)
{
    difference_lay(d, memory, &stale);
    put_exit(d);
    memcpy(native_in.gpr, d->world.vcpu.gpr, sizeof native_in.gpr);
    native_in.rflags = vt_vcpu_rflags(&d->world.vcpu);
    native_target = WORLD_CODE;
    vector = -1;
    native_run();
}

static bool differs(const char *what, uint64_t ours, uint64_t theirs)
{
    return difference_value(&(struct difference_ignored){.judge = "processor"}, what, ours, theirs);
}

static bool faults_differ(const struct vt_fault *fault, enum vt_step step)
{
    if (differs("vector", step == VT_STEP_FAULT ? fault->vector : (uint64_t)-1, (uint64_t)(int64_t)vector))
        return true;
    if (step != VT_STEP_FAULT)
        return false;
    /* The kernel reports every fault on its own half as a protection fault (arch/x86/mm/fault.c). */
    if (fault->vector == VT_EXCEPTION_PF && fault->address >> 47)
        error_code &= ~UINT64_C(1);
    return differs("error code", fault->error, error_code) ||
           (fault->vector == VT_EXCEPTION_PF && differs("address", fault->address, fault_address));
}

/* The code as it was before the exit was laid behind it. */
static void take_exit(const struct difference *d)
{
    memcpy(memory + d->length, d->world.memory + d->length, 5);
    memcpy(memory + JUMP, d->world.memory + JUMP, 14);
}

static bool memory_differs(const struct difference *d)
{
    long at;

    take_exit(d);
    at = difference_memory(d, memory, &stale);
    return at >= 0 && differs("memory", d->world.memory[at], memory[at]);
}

static bool outcome_differs(const struct difference *d, enum vt_step step)
{
    const struct vt_vcpu *vcpu = &d->world.vcpu;

    if (faults_differ(&vcpu->fault, step))
        return true;
    for (unsigned i = 0; i < 16; i++) {
        uint64_t seen = i == d->instruction.reg ? ~difference_undefined(d) : UINT64_MAX;

        if (differs("register", vcpu->gpr[i] & seen, native_out.gpr[i] & seen))
            return true;
    }
    return differs("rflags", vt_vcpu_rflags(vcpu), native_out.rflags & ~VT_FLAG_RF) || memory_differs(d);
}

static struct emulator base;

/* What ring 3 of this process is: interrupts on, IOPL 0, alignment checks as AC says, bases 0. */
static void adopt_process(struct vt_vcpu *vcpu)
{
    vcpu->interrupt_flag = VT_FLAG_IF;
    vcpu->system_flags = 0;
    vcpu->rflags &= ~(VT_FLAG_NT | VT_FLAG_TF);
    vcpu->segment[VT_GS].base = 0;
    vcpu->cpl = 3;
}

static bool uses_fs(const struct difference *d)
{
    for (size_t i = 0; i < d->length && i < 4; i++)
        if (d->code[i] == 0x64)
            return true;
    return false;
}

/* LAR, LSL, VERR and VERW. */
static bool asks_of_selector(const struct form *form)
{
    return form->opcode[0] == 0x0f && form->opcode[1] <= 3;
}

static bool asks_of_nothing(const struct form *form)
{
    return !asks_of_selector(form);
}

static void give_selector(struct difference *d, uint16_t selector)
{
    const struct vt_instruction *i = &d->instruction;
    uint64_t address = vt_vcpu_linear_address(&d->world.vcpu, i);

    if (!(i->flags & VT_INSN_MEMORY))
        d->world.vcpu.gpr[i->rm] = selector;
    else if (address >= WORLD_DATA && address < WORLD_MEMORY + WORLD_SIZE - 2)
        memcpy(emulator_at(&d->world, address), &selector, 2);
}

/* Descriptors of every kind the kernel lets a process have. */
static bool fill_ldt(uint64_t *random)
{
    for (unsigned i = 0; i < LOCAL_ENTRIES; i++) {
        struct user_desc entry = {.entry_number = i};

        *random = *random * 6364136223846793005 + 1442695040888963407;
        entry.base_addr = *random >> 32;
        entry.limit = *random >> 40 & 0xfffff;
        entry.seg_32bit = *random >> 20;
        entry.contents = *random >> 33;
        entry.read_exec_only = *random >> 35;
        entry.limit_in_pages = *random >> 36;
        entry.seg_not_present = entry.contents == 3 ? 1 : *random >> 37;
        entry.useable = *random >> 38;
        if (syscall(SYS_modify_ldt, 0x11, &entry, sizeof entry) != 0)
            return false;
    }
    return syscall(SYS_modify_ldt, 0, emulator_at(&base, WORLD_LDT), LOCAL_ENTRIES * 8) == LOCAL_ENTRIES * 8;
}

static bool fails(const struct difference *before)
{
    static struct difference d;

    d = *before;
    d.world.environment.context = &d.world;
    d.world.touched = DIFFERENCE_ALL;
    adopt_process(&d.world.vcpu);
    run_native(&d);
    return outcome_differs(&d, difference_emulate(&d));
}

static bool make(struct difference *d, size_t form, uint64_t seed)
{
    if (!difference_make(d, &base, &difference_forms[form], LEVEL_USER, seed) || uses_fs(d))
        return false;
    if (asks_of_selector(d->form))
        give_selector(d, (uint16_t)((seed >> 16) % (LOCAL_ENTRIES + 2) << 3 | 7));
    adopt_process(&d->world.vcpu);
    return true;
}

static void compare(struct difference *d, size_t form, struct difference_tally *tally)
{
    enum vt_step step;

    run_native(d);
    step = difference_emulate(d);
    if (step == VT_STEP_AGAIN)
        return;
    tally->judged++;
    if (outcome_differs(d, step) && tally->different++ < 3) {
        printf("# %s: %s\n", difference_describe(d), difference_verdict());
        make(d, form, d->seed);
        difference_keep(d, &base, fails);
    }
}

/* Every form this judge knows that is taken. Returns how many states differ. */
static unsigned compare_forms(bool (*takes)(const struct form *form), unsigned *total)
{
    static struct difference d;
    static struct difference_course course;
    unsigned different = 0, round = 0;
    uint64_t seed, random;
    size_t form;

    difference_course_open(&course, JUDGE_NATIVE, "processor", takes, 0);
    random = course.seed;
    while (difference_course_next(&course, &form, &seed)) {
        if (takes == asks_of_selector && round++ % 64 == 0) {
            ck_assert(fill_ldt(&random));
            d.world.touched = stale = DIFFERENCE_ALL;
        }
        if (make(&d, form, seed))
            compare(&d, form, &course.tallies[form]);
    }
    for (size_t i = 0; i < difference_form_count; i++)
        different += course.tallies[i].different;
    *total += difference_course_say(&course);
    ck_assert_uint_eq(difference_course_given_up(&course), 0);
    return different;
}

static void open_base(void)
{
    unsigned eax, ebx = 0, ecx, edx;

    emulator_open(&base);
    __get_cpuid(0, &eax, &ebx, &ecx, &edx);
    base.vcpu.limits.vendor = ebx == signature_AMD_ebx || ebx == 0x6f677948 ? VT_VENDOR_AMD : VT_VENDOR_INTEL;
    if (VT_ADDRESS_SANITIZER)
        vt_skip("AddressSanitizer maps the addresses that must fault");
    if (!open_native())
        vt_skip("the world's addresses are taken in this process");
}

START_TEST(loads_stores_and_arithmetic_agree_with_the_processor)
{
    unsigned total = 0, different;

    open_base();
    different = compare_forms(asks_of_nothing, &total);
    different += difference_replay(&base, JUDGE_NATIVE, fails, &total);
    ck_assert_uint_eq(different, 0);
    ck_assert_uint_gt(total, 1000);
}
END_TEST

START_TEST(questions_about_selectors_agree_with_the_processor)
{
    uint64_t random = 1;
    unsigned total = 0, different;

    open_base();
    if (!fill_ldt(&random))
        vt_skip("modify_ldt is not available here");
    different = compare_forms(asks_of_selector, &total);
    ck_assert_uint_eq(different, 0);
    ck_assert_uint_gt(total, 1000);
}
END_TEST

VT_SUITE(loads_stores_and_arithmetic_agree_with_the_processor,
         questions_about_selectors_agree_with_the_processor)
