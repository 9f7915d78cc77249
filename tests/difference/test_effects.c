/*
 * Every case of the catalogue does the same on trap, translate, kvm and below the monitor at ring 0: the same
 * bytes, from the same state, leave the same registers, flags, memory and privileged state, and devices see
 * the same. What may differ stands in one table, with the reason.
 *
 * beside others
 */
#include "base/vendor.h"
#include "tests/difference/bochs/told.h"
#include "tests/difference/effect.h"
#include "tests/difference/effect_code.h"
#include "tests/difference/effect_monitor.h"
#include "tests/unit/suite.h"
#include "vmm/backend.h"

#include <stdio.h>
#include <string.h>

EFFECT_CODE

/* Where two values need not be equal, and why. */
struct licence {
    const char *name; /* of the case */
    uint16_t engines; /* a pair with one of them */
    uint8_t when;     /* enum condition */
    uint32_t places;
    const char *reason;
};
enum condition {
    ALWAYS,
    PASSED,       /* trap: it did not fault, the processor executed it */
    OUTSIDE,      /* at CPL 3 */
    INTEL,        /* or whoever else is not AMD */
    INTEL_ON_PVM, /* both */
    ON_BOCHS,     /* one of them ran on Bochs' processor, of another vendor than this one */
    ON_PVM,       /* at CPL 3 of a KVM that runs the guest at ring 3 of the host (virt-pvm) */
};

#define R(name) (UINT32_C(1) << VT_##name)
#define QEMU                                                                                                 \
    (EFFECT_MONITOR | EFFECT_SVM | EFFECT_SVM_KVM | VMX | EFFECT_TRANSLATION | EFFECT_TRANSLATION_AGAIN)
#define VMX      (EFFECT_VMX | EFFECT_VMX_KVM)
#define ANY      (EFFECT_TRAP | EFFECT_TRANSLATE | EFFECT_KVM | QEMU)
#define FAULTING (EFFECT_TRAP | EFFECT_MONITOR)
#define SHOWS    "ring 3 is shown the host's: the hole that keeps x86 from being virtualized by traps alone"
#define HARDWARE (EFFECT_SVM | EFFECT_SVM_KVM)
#define NATIVELY "QEMU's processor, which runs it, "
#define OTHER    "the monitor runs on QEMU's processor, and processors "
#define BOCHS    "Bochs' processor "
#define CR2      "leaves another CR2 behind a nested page fault"
#define VENDOR   "the instruction of the other vendor is #UD"
#define PVM      "PVM runs ring 3 on the processor, which shows the host's"

static const struct licence licences[] = {
    {"cpuid", ANY, ALWAYS, R(RAX) | R(RBX) | R(RCX) | R(RDX), "every engine has its own virtual CPUID"},
    {"rdtsc", ANY, ALWAYS, R(RAX) | R(RDX), "time goes on"},
    {"rdtscp", ANY, ALWAYS, R(RAX) | R(RDX), "time goes on"},
    {"rdrand", ANY, ALWAYS, R(RAX), "random"},
    {"rdseed", ANY, ALWAYS, R(RAX) | EFFECT_FLAGS, "random; CF is clear when there was none"},
    {"interpreter", ANY, ALWAYS, EFFECT_FLAGS, "it ends with the sum of an address of its code"},
    {"rdpmc", FAULTING, PASSED, R(RAX) | R(RDX), SHOWS},
    {"rdtscp", FAULTING, PASSED, R(RCX), SHOWS},
    {"rdpid", FAULTING, PASSED, R(RAX), SHOWS},
    {"rdpkru", FAULTING, PASSED, R(RAX), SHOWS},
    {"wrpkru", FAULTING, PASSED, R(RAX), SHOWS},
    {"smsw", FAULTING, PASSED, R(RAX), SHOWS},
    {"sgdt", FAULTING, PASSED, EFFECT_MEMORY, SHOWS},
    {"sidt", FAULTING, PASSED, EFFECT_MEMORY, SHOWS},
    {"sldt", FAULTING, PASSED, R(RAX), SHOWS},
    {"str", FAULTING, PASSED, R(RAX), SHOWS},
    {"lar", FAULTING, PASSED, R(RAX) | EFFECT_FLAGS, SHOWS},
    {"lsl", FAULTING, PASSED, R(RAX) | EFFECT_FLAGS, SHOWS},
    {"verr", FAULTING, PASSED, EFFECT_FLAGS, SHOWS},
    {"verw", FAULTING, PASSED, EFFECT_FLAGS, SHOWS},
    {"mov-from-cs", FAULTING, PASSED, R(RAX), SHOWS},
    {"mov-to-es", FAULTING, PASSED, EFFECT_STATE, SHOWS},
    {"pushf", FAULTING, PASSED, EFFECT_STACK, SHOWS},
    {"iret", FAULTING, PASSED, EFFECT_STATE, SHOWS},
    {"popf", FAULTING, PASSED, R(RBX), SHOWS},
    {"iret", EFFECT_TRAP, ALWAYS, EFFECT_FLAGS, "the signal's return does not give RFLAGS.ID back"},
    {"syscall", EFFECT_TRAP, ALWAYS, EFFECT_FLAGS, "the signal's return does not give RFLAGS.ID back"},
    {"iret", EFFECT_KVM, OUTSIDE, EFFECT_STATE, "outside ring 0 it leaves IF alone"},
    {"lar", EFFECT_KVM, INTEL, R(RAX), "bits 19:16 are undefined (SDM 2A LAR)"},
    {"vmcall", EFFECT_KVM, OUTSIDE, R(RAX), "KVM refuses callers outside ring 0 (api.rst, KVM_HC)"},
    {"vmmcall", EFFECT_KVM, OUTSIDE, R(RAX), "KVM refuses callers outside ring 0 (api.rst, KVM_HC)"},
    {"vmmcall", EFFECT_KVM, INTEL_ON_PVM, EFFECT_END,
     "KVM answers the other vendor's instruction, which is #UD"},
    {"wrmsr-tsx-ctrl", EFFECT_KVM, ALWAYS, EFFECT_END, "some processors have it, the virtual one has not"},
    {"page-fault", EFFECT_KVM, OUTSIDE, EFFECT_MEMORY, "the error code says that it was user code"},
    {"wrmsr-fsbase", QEMU, ALWAYS, EFFECT_FLAGS, OTHER "leave another AF behind SHR, which is undefined"},
    {"xsetbv", QEMU, ALWAYS, EFFECT_FLAGS, OTHER "leave another AF behind SHR, which is undefined"},
    {"lar", HARDWARE, ALWAYS, R(RAX), "bits 19:16 are undefined (SDM 2A LAR)"},
    {"ltr", EFFECT_SVM_KVM, ALWAYS, EFFECT_STATE, NATIVELY "loads an available TSS as it lies in the table"},
    {"undefined", HARDWARE, ALWAYS, EFFECT_MEMORY, NATIVELY "pushes RF clear where a fault sets it"},
    {"divide-error", HARDWARE, ALWAYS, EFFECT_MEMORY, NATIVELY "pushes RF clear where a fault sets it"},
    {"page-fault", HARDWARE, ALWAYS, EFFECT_MEMORY, NATIVELY "pushes RF clear where a fault sets it"},
    {"rdpkru", QEMU, ALWAYS, EFFECT_END, OTHER "have protection keys"},
    {"wrpkru", QEMU, ALWAYS, EFFECT_END, OTHER "have protection keys"},
    {"undefined", EFFECT_VMX_KVM, ON_BOCHS, EFFECT_MEMORY, BOCHS "saves RF clear where a fault is an exit"},
    {"mov-to-cr2", EFFECT_SVM | EFFECT_SVM_KVM, ON_BOCHS, EFFECT_STATE, BOCHS CR2},
    {"page-fault", EFFECT_SVM | EFFECT_SVM_KVM, ON_BOCHS, EFFECT_STATE, BOCHS CR2},
    {"vmcall", ANY, ON_BOCHS, EFFECT_END, VENDOR},
    {"vmmcall", ANY, ON_BOCHS, EFFECT_END, VENDOR},
    {"pushf", EFFECT_KVM, ON_PVM, EFFECT_STACK, PVM},
    {"popf", EFFECT_KVM, ON_PVM, R(RBX), PVM},
    {"rdpid", EFFECT_KVM, ON_PVM, R(RAX), PVM},
    {"rdtscp", EFFECT_KVM, ON_PVM, R(RCX), PVM},
    {"mov-to-es", EFFECT_KVM, ON_PVM, EFFECT_STATE, PVM},
};

static bool applies(const struct licence *licence, const struct effect *one, const struct effect *other,
                    int level)
{
    if (!(licence->engines & (one->engine | other->engine)))
        return false;
    switch (licence->when) {
    case PASSED:
        return !one->crossed || !other->crossed;
    case OUTSIDE:
        return level == 3;
    case INTEL:
        return !vt_vendor_has_svm();
    case INTEL_ON_PVM:
        return !vt_vendor_has_svm() && level == 3 && vt_vmm_backend() == VT_BACKEND_PVM;
    case ON_BOCHS:
        return one->bochs || other->bochs;
    case ON_PVM:
        return level == 3 && vt_vmm_backend() == VT_BACKEND_PVM;
    default:
        return true;
    }
}

static uint32_t places_of(const struct vt_case *c, const struct effect *one, const struct effect *other,
                          int level)
{
    uint32_t places = 0;

    for (size_t i = 0; i < sizeof licences / sizeof licences[0]; i++)
        if (strcmp(licences[i].name, c->name) == 0 && applies(&licences[i], one, other, level))
            places |= licences[i].places;
    return places;
}

static volatile int stop;

struct bench {
    struct effect_code code;
    void *trap, *translate, *kvm;
    struct effect_monitor monitor;
    bool has_monitor;
    char no_kvm[256], no_monitor[256];
    unsigned compared, licensed, different, unsupported;
};

static void *open_engine(const char *name, char *reason, size_t size)
{
    static const struct vt_engine_settings settings = {.limit_ns = 1000000000, .stop = &stop};
    const struct vt_engine *engine = vt_bench_find_engine(name);
    struct vt_error error;
    void *state = NULL;

    if (engine->available(reason, size) && engine->open(&state, &settings, &error) != 0)
        snprintf(reason, size, "%.200s", error.text);
    return state;
}

static void compare(struct bench *b, const struct vt_case *c, const struct effect_setup *setup,
                    const struct effect *one, const struct effect *other, const char *when)
{
    uint32_t places = places_of(c, one, other, setup->level);
    char text[256];

    if (one->end == EFFECT_UNSUPPORTED || other->end == EFFECT_UNSUPPORTED) {
        const struct effect *which = one->end == EFFECT_UNSUPPORTED ? one : other;

        if (!setup->marked)
            printf("# %s at CPL %d: not on %s: %s\n", c->name, setup->level,
                   effect_engine_name(which->engine), which->reason);
        b->unsupported++;
        return;
    }
    b->compared++;
    b->licensed += places != 0;
    if (effect_equal(one, other, places, text, sizeof text))
        return;
    b->different++;
    printf("# %s at CPL %d, %s%s: %s (%s; %s)\n", c->name, setup->level, setup->marked ? "marked" : "plain",
           when, text, one->reason, other->reason);
}

static void compare_case(struct bench *b, const struct vt_case *c, const struct effect_setup *setup)
{
    static const enum effect_engine roads[] = {EFFECT_MONITOR, EFFECT_TRANSLATION, EFFECT_TRANSLATION_AGAIN,
                                               EFFECT_SVM, EFFECT_SVM_KVM};
    static struct effect trap, translate, again, kvm, monitor;

    effect_run_virtual(&trap, EFFECT_TRAP, b->trap, c, setup, &b->code, 0);
    effect_run_virtual(&translate, EFFECT_TRANSLATE, b->translate, c, setup, &b->code, 0);
    effect_run_virtual(&again, EFFECT_TRANSLATE, b->translate, c, setup, &b->code, 1);
    compare(b, c, setup, &translate, &again, ", second time");
    compare(b, c, setup, &trap, &translate, "");
    if (b->kvm) {
        effect_run_kvm(&kvm, b->kvm, c, setup, &b->code);
        compare(b, c, setup, &translate, &kvm, "");
    }
    if (b->has_monitor && setup->level == 0) {
        for (size_t i = 0; i < sizeof roads / sizeof roads[0]; i++) {
            effect_run_monitor(&monitor, roads[i], &b->monitor, c, setup);
            compare(b, c, setup, &translate, &monitor, "");
        }
    }
}

static void open_bench(struct bench *b)
{
    char reason[256];

    *b = (struct bench){.code = {effect_record, effect_handler}};
    ck_assert(effect_patch(&b->code));
    b->trap = open_engine("trap", reason, sizeof reason);
    ck_assert_msg(b->trap, "%s", reason);
    b->translate = open_engine("translate", reason, sizeof reason);
    if (!b->translate)
        vt_skip("%s", reason);
    b->kvm = open_engine("kvm", b->no_kvm, sizeof b->no_kvm);
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (!b->kvm)
        printf("# without kvm: %s\n", b->no_kvm);
    b->has_monitor = effect_monitor_open(&b->monitor, b->no_monitor, sizeof b->no_monitor);
    if (!b->has_monitor)
        printf("# without the monitor: %s\n", b->no_monitor);
}

static void close_bench(struct bench *b)
{
    vt_bench_find_engine("trap")->close(b->trap);
    vt_bench_find_engine("translate")->close(b->translate);
    if (b->kvm)
        vt_bench_find_engine("kvm")->close(b->kvm);
    if (b->has_monitor)
        effect_monitor_close(&b->monitor);
}

static void compare_all(int level)
{
    const struct vt_case *cases;
    struct bench b;
    size_t count;

    open_bench(&b);
    cases = vt_guest_cases(&count);
    /* PVM drops IOPL; its guest reaches ports through the permission map. */
    bool iopl3 = level == 3 && vt_vmm_backend() != VT_BACKEND_PVM;
    for (size_t i = 0; i < count; i++)
        for (int marked = 0; marked < 2; marked++)
            if (vt_guest_case_runs_at(&cases[i], level, true))
                compare_case(&b, &cases[i], &(struct effect_setup){level, iopl3, marked});
    printf("# %u pairs compared, %u of them with values that may differ, %u not possible\n", b.compared,
           b.licensed, b.unsupported);
    close_bench(&b);
    ck_assert_uint_eq(b.different, 0);
    ck_assert_uint_gt(b.compared, count);
}

/* The same on Bochs' processors, of which one has VT-x; a case that is prepared and not run is not possible
 * there. */
static void hear(void *context, const struct monitor_told *told)
{
    static struct effect translate, there;
    struct bench *b = context;
    const struct effect_setup setup = {0, false, told->marked};
    size_t count;
    const struct vt_case *c = vt_guest_cases(&count);

    ck_assert_uint_lt(told->number, count);
    c += told->number;
    effect_take_told(&there, told);
    effect_run_virtual(&translate, EFFECT_TRANSLATE, b->translate, c, &setup, &b->code, 0);
    compare(b, c, &setup, &translate, &there, " on Bochs");
}

static void compare_on_bochs(const struct vt_bochs_model *processor)
{
    struct bench b;
    const struct told_listener listener = {hear, &b};
    char reason[512];

    open_bench(&b);
    bool heard = told_boot(processor, MONITOR_CASES, &listener, reason, sizeof reason);
    close_bench(&b);
    printf("# %u pairs compared, %u of them with values that may differ, %u not possible\n", b.compared,
           b.licensed, b.unsupported);
    ck_assert_uint_eq(b.different, 0);
    if (!heard)
        vt_skip("%s", reason);
    ck_assert_uint_gt(b.compared, 0);
}

START_TEST(every_case_does_the_same_on_vt_x)
{
    compare_on_bochs(vt_bochs_intel);
}
END_TEST

START_TEST(every_case_does_the_same_on_another_amd_v)
{
    compare_on_bochs(vt_bochs_amd);
}
END_TEST

START_TEST(every_case_does_the_same_at_cpl_0)
{
    compare_all(0);
}
END_TEST

START_TEST(every_case_does_the_same_at_cpl_3)
{
    compare_all(3);
}
END_TEST

/* Each thing that is compared, changed alone. */
START_TEST(whatever_differs_is_seen)
{
    static struct effect good, bad;
    const struct effect_setup setup = {0, false, true};
    char text[256];
    struct bench b;

    open_bench(&b);
    effect_run_virtual(&good, EFFECT_TRANSLATE, b.translate, vt_guest_find_case("out-user"), &setup, &b.code,
                       0);
    ck_assert_int_eq(good.end, EFFECT_DONE);
    ck_assert_uint_eq(good.accesses, 1);
#define WRONG(change)                                                                                        \
    bad = good;                                                                                              \
    ck_assert(effect_equal(&good, &bad, 0, text, sizeof text));                                              \
    change;                                                                                                  \
    ck_assert_msg(!effect_equal(&good, &bad, 0, text, sizeof text), #change)
    WRONG(bad.after.gpr[VT_R8] ^= 1);
    WRONG(bad.after.rflags ^= VT_FLAG_CF);
    WRONG(bad.after.interrupt_flag ^= VT_FLAG_IF);
    WRONG(bad.after.cr[2]++);
    WRONG(bad.after.segment[VT_ES].rights ^= 1);
    WRONG(bad.after.gdtr.limit++);
    WRONG(bad.after.apic.sent++);
    WRONG(bad.scratch_after.buffer[4095] ^= 0x80);
    WRONG(bad.stack_delta -= 8);
    WRONG(bad.doorbells++);
    WRONG(bad.mask ^= 1);
    WRONG(bad.accesses++);
    WRONG(bad.access[0].value ^= 1);
    WRONG(bad.access[0].size = 4);
    WRONG(bad.end = EFFECT_FAULT);
    ck_assert(effect_equal(&good, &good, 0, text, sizeof text));
    close_bench(&b);
}
END_TEST

VT_SUITE(every_case_does_the_same_at_cpl_0, every_case_does_the_same_at_cpl_3,
         every_case_does_the_same_on_vt_x, every_case_does_the_same_on_another_amd_v,
         whatever_differs_is_seen)
