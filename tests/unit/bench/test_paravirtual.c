/* Paravirtual forms: verdicts from counters as recorded under each hypervisor, and the engine that runs them.
 */
#include "bench/engine.h"
#include "bench/evidence.h"
#include "tests/unit/suite.h"

#include <math.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ITERATIONS 1000
#define BATCHES    20
#define TURNS      ((double)ITERATIONS * BATCHES)

struct count {
    enum vt_counter counter;
    double body, baseline; /* per operation */
};

struct verdict {
    const char *what, *name;
    enum vt_pv_interface interface;
    struct count counts[6];
    enum vt_crossing crossing;
    enum vt_status status;
};

#define END                                                                                                  \
    {                                                                                                        \
        VT_COUNTERS, 0, 0                                                                                    \
    }

/* clang-format off */
static const struct verdict verdicts[] = {
    {"a call on SVM", "vmmcall", VT_PV_KVM,
     {{VT_EXITS, 1.0004, 0.0003}, {VT_HYPERCALLS, 1, 0}, {VT_USER_EXITS, 0, 0}, {VT_HONOURED, 1, 0}, END},
     VT_CROSSING_HYPERCALL, VT_STATUS_OK},
    {"a call that nothing here took", "vmmcall", VT_PV_KVM,
     {{VT_EXITS, 0.0015, 0}, {VT_HYPERCALLS, 0, 0}, {VT_USER_EXITS, 0, 0}, {VT_HONOURED, 1, 0}, END},
     VT_CROSSING_NONE, VT_STATUS_UNVERIFIED},
    {"a call that exits twice over", "pause", VT_PV_KVM,
     {{VT_EXITS, 2, 0}, {VT_HYPERCALLS, 2, 0}, {VT_USER_EXITS, 0, 0}, {VT_HONOURED, 1, 0}, END},
     VT_CROSSING_HYPERCALL, VT_STATUS_UNVERIFIED},
    {"a call that user space answers", "wrmsr-user", VT_PV_KVM,
     {{VT_EXITS, 1, 0}, {VT_HYPERCALLS, 1, 0}, {VT_USER_EXITS, 1, 0}, {VT_HONOURED, 1, 0}, END},
     VT_CROSSING_HYPERCALL, VT_STATUS_OK},
    {"a self-IPI by call, delivered", "x2apic-self-ipi", VT_PV_KVM,
     {{VT_EXITS, 2, 0}, {VT_HYPERCALLS, 1, 0}, {VT_INTERRUPTS, 1, 0}, {VT_HONOURED, 1, 0}, END},
     VT_CROSSING_HYPERCALL, VT_STATUS_OK},
    {"a self-IPI by call, merged", "x2apic-self-ipi", VT_PV_KVM,
     {{VT_EXITS, 1, 0}, {VT_HYPERCALLS, 1, 0}, {VT_INTERRUPTS, 0.3, 0}, {VT_HONOURED, 1, 0}, END},
     VT_CROSSING_HYPERCALL, VT_STATUS_UNVERIFIED},
    {"an IPI by call, waiting for its vCPU", "x2apic-ipi", VT_PV_KVM,
     {{VT_EXITS, 1, 0}, {VT_HYPERCALLS, 1, 0}, {VT_INTERRUPTS, 1, 0}, {VT_HONOURED, 1, 0}, END},
     VT_CROSSING_HYPERCALL, VT_STATUS_OK},
    {"an IPI by call that came to nobody", "x2apic-ipi", VT_PV_KVM,
     {{VT_EXITS, 1, 0}, {VT_HYPERCALLS, 1, 0}, {VT_INTERRUPTS, 0, 0}, {VT_HONOURED, 1, 0}, END},
     VT_CROSSING_HYPERCALL, VT_STATUS_UNVERIFIED},
    {"a kick that wakes a HLT, without an interrupt", "hlt", VT_PV_KVM,
     {{VT_EXITS, 2, 0}, {VT_HYPERCALLS, 1, 0}, {VT_INTERRUPTS, 0, 0}, {VT_HONOURED, 1, 0}, END},
     VT_CROSSING_HYPERCALL, VT_STATUS_OK},
    {"shared memory", "rdtsc", VT_PV_KVM,
     {{VT_EXITS, 0.0002, 0.0001}, {VT_HYPERCALLS, 0, 0}, {VT_USER_EXITS, 0, 0}, {VT_HONOURED, 1, 0}, END},
     VT_CROSSING_NONE, VT_STATUS_OK},
    {"shared memory that exits", "rdtsc", VT_PV_KVM,
     {{VT_EXITS, 1, 0}, {VT_HYPERCALLS, 0, 0}, {VT_USER_EXITS, 0, 0}, {VT_HONOURED, 1, 0}, END},
     VT_CROSSING_EXIT_KERNEL, VT_STATUS_UNVERIFIED},
    {"shared memory nobody reads", "x2apic-eoi", VT_PV_KVM,
     {{VT_EXITS, 0.0002, 0.0001}, {VT_HYPERCALLS, 0, 0}, {VT_USER_EXITS, 0, 0}, {VT_HONOURED, 0, 0}, END},
     VT_CROSSING_NONE, VT_STATUS_UNVERIFIED},
    {"shared memory, interpreted", "rdtsc", VT_PV_KVM,
     {{VT_EXITS, 0.02, 0.003}, {VT_INSN_EMULATION, 23, 2}, {VT_USER_EXITS, 0, 0}, {VT_HONOURED, 1, 0}, END},
     VT_CROSSING_INTERPRETED, VT_STATUS_OK},
    {"no exit counter", "rdtsc", VT_PV_KVM,
     {{VT_USER_EXITS, 0, 0}, {VT_HONOURED, 1, 0}, END},
     VT_CROSSING_UNKNOWN, VT_STATUS_UNVERIFIED},
    {"a dispatched system call", "vmmcall", VT_PV_PROCESS,
     {{VT_SIGNALS, 1, 0}, END},
     VT_CROSSING_TRAP, VT_STATUS_OK},
    {"a system call that the kernel took", "vmmcall", VT_PV_PROCESS,
     {{VT_SIGNALS, 0, 0}, END},
     VT_CROSSING_NONE, VT_STATUS_UNVERIFIED},
};
/* clang-format on */

static struct vt_measurement measured(const struct verdict *v)
{
    struct vt_measurement m = {.c = vt_guest_find_case(v->name),
                               .path = VT_PATH_PARAVIRTUAL,
                               .iterations = ITERATIONS,
                               .batches = BATCHES,
                               .status = VT_STATUS_FAILED};
    ck_assert_ptr_nonnull(m.c);
    m.form = vt_guest_pv_form(m.c, v->interface);
    ck_assert_ptr_nonnull(m.form);
    for (const struct count *count = v->counts; count->counter != VT_COUNTERS; count++) {
        vt_counters_put(&m.body_counters, count->counter, (uint64_t)(count->body * TURNS));
        vt_counters_put(&m.baseline_counters, count->counter, (uint64_t)(count->baseline * TURNS));
    }
    return m;
}

START_TEST(recorded_counters_give_their_verdict)
{
    for (size_t i = 0; i < sizeof verdicts / sizeof verdicts[0]; i++) {
        const struct verdict *v = &verdicts[i];
        struct vt_measurement m = measured(v);
        vt_evidence_judge(&m, &(struct vt_evidence_context){.backend = VT_BACKEND_SVM, .amd = true});
        ck_assert_msg(m.crossing == v->crossing && m.status == v->status, "%s: crossing %s, status %s: %s",
                      v->what, m.crossing ? vt_crossing_name(m.crossing) : "unknown",
                      vt_status_name(m.status), m.reason);
        ck_assert_msg(m.path == VT_PATH_PARAVIRTUAL, "%s: its path changed", v->what);
        ck_assert_msg(m.status == VT_STATUS_OK || m.reason[0], "%s: no reason given", v->what);
    }
}
END_TEST

static volatile int stop;

struct fixture {
    const struct vt_engine *engine;
    const struct vt_case *c;
    void *state;
    struct vt_error error;
};

/* Opens the engine and prepares the case, or skips with the engine's reason. */
static void prepare(struct fixture *f, const char *name, int cpl)
{
    struct vt_engine_settings settings = {.limit_ns = 50000000, .stop = &stop};
    char reason[512] = "";

    *f = (struct fixture){.engine = vt_bench_find_engine("hypercall"), .c = vt_guest_find_case(name)};
    if (!f->engine->available(reason, sizeof reason))
        vt_skip("%s", reason);
    ck_assert_msg(f->engine->open(&f->state, &settings, &f->error) == 0, "%s", f->error.text);
    if (!f->engine->supports(f->state, f->c, cpl, reason, sizeof reason))
        vt_skip("%s", reason);
    ck_assert_msg(f->engine->prepare(f->state, f->c, cpl, &f->error) == 0, "%s", f->error.text);
}

static uint64_t count(struct fixture *f, enum vt_twin twin, uint64_t iterations, enum vt_counter counter)
{
    struct vt_batch batch = {0};
    ck_assert_msg(f->engine->batch(f->state, twin, iterations, &batch, &f->error) == VT_BATCH_DONE, "%s",
                  f->error.text);
    ck_assert(vt_counters_has(&batch.counters, counter));
    return batch.counters.value[counter];
}

static void dispatches_every_call(const char *name)
{
    struct fixture f;
    struct sigaction before, after;

    sigaction(SIGSYS, NULL, &before);
    prepare(&f, name, 3);
    ck_assert_int_eq(f.engine->form(f.state, f.c, 3)->calls, true);
    ck_assert_uint_eq(count(&f, VT_BODY, 137, VT_SIGNALS), 137);
    ck_assert_uint_eq(count(&f, VT_BASELINE, 137, VT_SIGNALS), 0);
    f.engine->close(f.state);
    sigaction(SIGSYS, NULL, &after);
    ck_assert_ptr_eq((void *)before.sa_handler, (void *)after.sa_handler);
}

START_TEST(a_system_call_is_dispatched_once_per_operation)
{
    dispatches_every_call("vmcall");
    dispatches_every_call("vmmcall");
}
END_TEST

START_TEST(system_calls_of_this_process_pass_afterwards)
{
    struct fixture f;
    prepare(&f, "vmcall", 3);
    ck_assert_uint_eq(count(&f, VT_BODY, 3, VT_SIGNALS), 3);
    ck_assert_int_eq(syscall(SYS_getpid), getpid());
    ck_assert_int_eq(syscall(0x7ffffff0), -1);
    f.engine->close(f.state);
}
END_TEST

START_TEST(a_call_that_never_ends_is_ended)
{
    struct fixture f;
    struct vt_batch batch;
    prepare(&f, "vmcall", 3);
    ck_assert_int_eq(f.engine->batch(f.state, VT_BODY, UINT64_C(1) << 40, &batch, &f.error),
                     VT_BATCH_TIMEOUT);
    ck_assert_ptr_nonnull(strstr(f.error.text, "50 ms"));
    ck_assert_uint_eq(count(&f, VT_BODY, 5, VT_SIGNALS), 5);
    f.engine->close(f.state);
}
END_TEST

static void is_honoured(const char *name, int cpl)
{
    struct fixture f;
    prepare(&f, name, cpl);
    ck_assert_msg(count(&f, VT_BODY, 11, VT_HONOURED) == 11, "%s at CPL %d: not honoured", name, cpl);
    ck_assert_uint_eq(count(&f, VT_BASELINE, 11, VT_HONOURED), 0);
    f.engine->close(f.state);
}

START_TEST(kvm_keeps_its_clock_page)
{
    is_honoured("rdtsc", 0);
    is_honoured("rdtsc", 3);
}
END_TEST

START_TEST(kvm_keeps_its_steal_time_page)
{
    is_honoured("rdmsr-kernel", 0);
    is_honoured("rdmsr-kernel", 3);
}
END_TEST

START_TEST(kvm_keeps_the_task_priority_in_step)
{
    is_honoured("xapic-read", 0);
    is_honoured("xapic-read", 3);
}
END_TEST

START_TEST(kvm_takes_a_flush_left_for_another_vcpu)
{
    is_honoured("invlpg", 0);
    is_honoured("invlpg", 3);
}
END_TEST

START_TEST(a_machine_that_had_a_second_vcpu_serves_again)
{
    struct fixture f;
    prepare(&f, "invlpg", 3);
    for (int i = 0; i < 3; i++) {
        f.c = vt_guest_find_case(i % 2 ? "rdtsc" : "invlpg");
        ck_assert_msg(f.engine->prepare(f.state, f.c, 3, &f.error) == 0, "%s", f.error.text);
        ck_assert_uint_eq(count(&f, VT_BODY, 7, VT_HONOURED), 7);
    }
    f.engine->close(f.state);
}
END_TEST

START_TEST(a_case_without_a_form_says_so)
{
    struct fixture f;
    char reason[512] = "";
    prepare(&f, "vmcall", 3);
    ck_assert(!f.engine->supports(f.state, vt_guest_find_case("cpuid"), 0, reason, sizeof reason));
    ck_assert_str_eq(reason, "has no paravirtual form");
    ck_assert_ptr_null(f.engine->form(f.state, vt_guest_find_case("cpuid"), 0));
    f.engine->close(f.state);
}
END_TEST

VT_SUITE(recorded_counters_give_their_verdict, a_system_call_is_dispatched_once_per_operation,
         system_calls_of_this_process_pass_afterwards, a_call_that_never_ends_is_ended,
         kvm_keeps_its_clock_page, kvm_keeps_its_steal_time_page, kvm_keeps_the_task_priority_in_step,
         kvm_takes_a_flush_left_for_another_vcpu, a_machine_that_had_a_second_vcpu_serves_again,
         a_case_without_a_form_says_so)
