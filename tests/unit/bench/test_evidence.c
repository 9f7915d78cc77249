/* Verdicts from counters as recorded on hosts of each backend. */
#include "bench/bare.h"
#include "bench/evidence.h"
#include "tests/unit/suite.h"

#include <math.h>
#include <string.h>

enum { BODY, BASELINE };

#define ITERATIONS 1000
#define BATCHES    20
#define TURNS      ((double)ITERATIONS * BATCHES)

struct count {
    enum vt_counter counter;
    double body, baseline; /* per operation */
};

static struct vt_measurement measured(const char *name, enum vt_path path, const struct count *counts)
{
    struct vt_measurement m = {.c = vt_guest_find_case(name),
                               .path = path,
                               .iterations = ITERATIONS,
                               .batches = BATCHES,
                               .status = VT_STATUS_FAILED};
    ck_assert_ptr_nonnull(m.c);
    for (; counts->counter != VT_COUNTERS; counts++) {
        vt_counters_put(&m.body_counters, counts->counter, (uint64_t)(counts->body * TURNS));
        vt_counters_put(&m.baseline_counters, counts->counter, (uint64_t)(counts->baseline * TURNS));
    }
    return m;
}

struct verdict {
    const char *name;
    enum vt_backend backend;
    enum vt_path path;
    struct count counts[6];
    enum vt_crossing crossing;
    enum vt_status status;
};

#define END                                                                                                  \
    {                                                                                                        \
        VT_COUNTERS, 0, 0                                                                                    \
    }

static const struct verdict verdicts[] = {
    /* PVM, CPL 0: KVM's emulator runs every instruction; 1024 of them per exit. */
    {"cpuid",
     VT_BACKEND_PVM,
     VT_PATH_EMULATED,
     {{VT_EXITS, 0.0054, 0.0045}, {VT_INSN_EMULATION, 5.02, 4.02}, {VT_USER_EXITS, 0, 0}, END},
     VT_CROSSING_INTERPRETED,
     VT_STATUS_OK},
    {"out-user",
     VT_BACKEND_PVM,
     VT_PATH_EMULATED,
     {{VT_EXITS, 1.003, 0.003}, {VT_INSN_EMULATION, 3.0, 2.0}, {VT_USER_EXITS, 1, 0}, END},
     VT_CROSSING_INTERPRETED,
     VT_STATUS_OK},
    /* An interpreter that claims to be VMX stays an interpreter. */
    {"nop",
     VT_BACKEND_VMX,
     VT_PATH_HARDWARE,
     {{VT_EXITS, 0.003, 0.002}, {VT_INSN_EMULATION, 3.0, 2.0}, {VT_USER_EXITS, 0, 0}, END},
     VT_CROSSING_INTERPRETED,
     VT_STATUS_OK},
    /* PVM, CPL 3, CPUID faulting: 200811 exits for 200000. */
    {"cpuid",
     VT_BACKEND_PVM,
     VT_PATH_EMULATED,
     {{VT_EXITS, 1.0041, 0.0001}, {VT_INSN_EMULATION, 0, 0}, {VT_USER_EXITS, 0, 0}, END},
     VT_CROSSING_EXIT_KERNEL,
     VT_STATUS_OK},
    {"rdtsc",
     VT_BACKEND_PVM,
     VT_PATH_EMULATED,
     {{VT_EXITS, 0.00002, 0.00001}, {VT_USER_EXITS, 0, 0}, END},
     VT_CROSSING_NONE,
     VT_STATUS_OK},
    {"vmmcall",
     VT_BACKEND_PVM,
     VT_PATH_EMULATED,
     {{VT_EXITS, 0.0015, 0}, {VT_HYPERCALLS, 0, 0}, {VT_USER_EXITS, 0, 0}, END},
     VT_CROSSING_NONE,
     VT_STATUS_UNVERIFIED},
    /* VMX and SVM. */
    {"cpuid",
     VT_BACKEND_VMX,
     VT_PATH_HARDWARE,
     {{VT_EXITS, 1.0002, 0.0001}, {VT_INSN_EMULATION, 0, 0}, {VT_USER_EXITS, 0, 0}, END},
     VT_CROSSING_EXIT_KERNEL,
     VT_STATUS_OK},
    {"cpuid",
     VT_BACKEND_VMX,
     VT_PATH_HARDWARE,
     {{VT_EXITS, 0.0002, 0.0001}, {VT_USER_EXITS, 0, 0}, END},
     VT_CROSSING_NONE,
     VT_STATUS_UNVERIFIED},
    {"mov-from-cr0",
     VT_BACKEND_VMX,
     VT_PATH_HARDWARE,
     {{VT_EXITS, 1, 0}, {VT_USER_EXITS, 0, 0}, END},
     VT_CROSSING_EXIT_KERNEL,
     VT_STATUS_UNVERIFIED},
    {"mov-from-cr0",
     VT_BACKEND_SVM,
     VT_PATH_HARDWARE,
     {{VT_EXITS, 1, 0}, {VT_USER_EXITS, 0, 0}, END},
     VT_CROSSING_EXIT_KERNEL,
     VT_STATUS_OK},
    {"mov-from-cr0",
     VT_BACKEND_SVM,
     VT_PATH_HARDWARE,
     {{VT_EXITS, 0.0001, 0}, {VT_USER_EXITS, 0, 0}, END},
     VT_CROSSING_NONE,
     VT_STATUS_OK},
    {"vmcall",
     VT_BACKEND_VMX,
     VT_PATH_HARDWARE,
     {{VT_EXITS, 1, 0}, {VT_HYPERCALLS, 1, 0}, {VT_USER_EXITS, 0, 0}, END},
     VT_CROSSING_HYPERCALL,
     VT_STATUS_OK},
    {"out-user",
     VT_BACKEND_SVM,
     VT_PATH_HARDWARE,
     {{VT_EXITS, 1.001, 0}, {VT_IO_EXITS, 1, 0}, {VT_USER_EXITS, 1, 0}, END},
     VT_CROSSING_EXIT_USER,
     VT_STATUS_OK},
    {"out-user",
     VT_BACKEND_SVM,
     VT_PATH_HARDWARE,
     {{VT_EXITS, 1.001, 0}, {VT_IO_EXITS, 1, 0}, {VT_USER_EXITS, 0, 0}, END},
     VT_CROSSING_EXIT_KERNEL,
     VT_STATUS_UNVERIFIED},
    {"out-eventfd",
     VT_BACKEND_VMX,
     VT_PATH_HARDWARE,
     {{VT_EXITS, 1.001, 0}, {VT_USER_EXITS, 0, 0}, END},
     VT_CROSSING_EXIT_KERNEL,
     VT_STATUS_OK},
    {"out-eventfd",
     VT_BACKEND_VMX,
     VT_PATH_HARDWARE,
     {{VT_EXITS, 1.001, 0}, {VT_USER_EXITS, 1, 0}, END},
     VT_CROSSING_EXIT_USER,
     VT_STATUS_UNVERIFIED},
    /* MMIO on hardware: one instruction emulated per exit is not an interpreted loop. */
    {"mmio-write-user",
     VT_BACKEND_VMX,
     VT_PATH_HARDWARE,
     {{VT_EXITS, 1, 0}, {VT_INSN_EMULATION, 1, 0}, {VT_USER_EXITS, 1, 0}, END},
     VT_CROSSING_EXIT_USER,
     VT_STATUS_OK},
    {"mov-to-cr3",
     VT_BACKEND_VMX,
     VT_PATH_HARDWARE,
     {{VT_EXITS, 0.5, 0}, {VT_USER_EXITS, 0, 0}, END},
     VT_CROSSING_UNKNOWN,
     VT_STATUS_UNVERIFIED},
    /* SVM without NRIPS: KVM emulates to skip; as many emulations as exits interpret nothing. */
    {"hlt",
     VT_BACKEND_SVM,
     VT_PATH_HARDWARE,
     {{VT_EXITS, 3, 2}, {VT_INSN_EMULATION, 3, 2}, {VT_USER_EXITS, 0, 0}, {VT_INTERRUPTS, 1, 1}, END},
     VT_CROSSING_EXIT_KERNEL,
     VT_STATUS_OK},
    /* No binary statistics: a time without a witness. */
    {"cpuid",
     VT_BACKEND_VMX,
     VT_PATH_HARDWARE,
     {{VT_USER_EXITS, 0, 0}, END},
     VT_CROSSING_UNKNOWN,
     VT_STATUS_UNVERIFIED},
    /* Self-IPIs that were merged are not the operation the case names. */
    {"x2apic-self-ipi",
     VT_BACKEND_SVM,
     VT_PATH_HARDWARE,
     {{VT_EXITS, 2, 0}, {VT_USER_EXITS, 0, 0}, {VT_INTERRUPTS, 1, 0}, END},
     VT_CROSSING_EXIT_KERNEL,
     VT_STATUS_OK},
    {"x2apic-self-ipi",
     VT_BACKEND_PVM,
     VT_PATH_EMULATED,
     {{VT_EXITS, 0, 0}, {VT_USER_EXITS, 0, 0}, {VT_INSN_EMULATION, 3, 2}, {VT_INTERRUPTS, 0.01, 0}, END},
     VT_CROSSING_INTERPRETED,
     VT_STATUS_UNVERIFIED},
    /* An IPI to another vCPU must wait there. */
    {"x2apic-ipi",
     VT_BACKEND_SVM,
     VT_PATH_HARDWARE,
     {{VT_EXITS, 1, 0}, {VT_USER_EXITS, 0, 0}, {VT_INTERRUPTS, 1, 0}, END},
     VT_CROSSING_EXIT_KERNEL,
     VT_STATUS_OK},
    {"x2apic-ipi",
     VT_BACKEND_SVM,
     VT_PATH_HARDWARE,
     {{VT_EXITS, 1, 0}, {VT_USER_EXITS, 0, 0}, {VT_INTERRUPTS, 0.5, 0}, END},
     VT_CROSSING_EXIT_KERNEL,
     VT_STATUS_UNVERIFIED},
    /* A guest's guest that is entered is counted, and one that is refused, or goes on by itself, is not. */
    {"vmrun",
     VT_BACKEND_SVM,
     VT_PATH_HARDWARE,
     {{VT_EXITS, 2, 0}, {VT_USER_EXITS, 0, 0}, {VT_NESTED_RUN, 1, 0}, END},
     VT_CROSSING_EXIT_KERNEL,
     VT_STATUS_OK},
    {"vmrun",
     VT_BACKEND_SVM,
     VT_PATH_HARDWARE,
     {{VT_EXITS, 1, 0}, {VT_USER_EXITS, 0, 0}, {VT_NESTED_RUN, 0, 0}, END},
     VT_CROSSING_EXIT_KERNEL,
     VT_STATUS_UNVERIFIED},
    {"vmrun-refused",
     VT_BACKEND_SVM,
     VT_PATH_HARDWARE,
     {{VT_EXITS, 1, 0}, {VT_USER_EXITS, 0, 0}, {VT_NESTED_RUN, 0, 0}, END},
     VT_CROSSING_EXIT_KERNEL,
     VT_STATUS_OK},
    {"vmrun-refused",
     VT_BACKEND_SVM,
     VT_PATH_HARDWARE,
     {{VT_EXITS, 2, 0}, {VT_USER_EXITS, 0, 0}, {VT_NESTED_RUN, 1, 0}, END},
     VT_CROSSING_EXIT_KERNEL,
     VT_STATUS_UNVERIFIED},
    {"inner-cpuid",
     VT_BACKEND_SVM,
     VT_PATH_HARDWARE,
     {{VT_EXITS, 2, 0}, {VT_USER_EXITS, 0, 0}, {VT_NESTED_RUN, 1, 0}, END},
     VT_CROSSING_EXIT_KERNEL,
     VT_STATUS_UNVERIFIED},
    {"vmresume",
     VT_BACKEND_VMX,
     VT_PATH_HARDWARE,
     {{VT_EXITS, 2, 0}, {VT_USER_EXITS, 0, 0}, {VT_NESTED_RUN, 1, 0}, END},
     VT_CROSSING_EXIT_KERNEL,
     VT_STATUS_OK},
    {"vmresume",
     VT_BACKEND_VMX,
     VT_PATH_HARDWARE,
     {{VT_EXITS, 1, 0}, {VT_USER_EXITS, 0, 0}, {VT_NESTED_RUN, 0, 0}, END},
     VT_CROSSING_EXIT_KERNEL,
     VT_STATUS_UNVERIFIED},
    {"vmlaunch-refused",
     VT_BACKEND_VMX,
     VT_PATH_HARDWARE,
     {{VT_EXITS, 1, 0}, {VT_USER_EXITS, 0, 0}, {VT_NESTED_RUN, 0, 0}, END},
     VT_CROSSING_EXIT_KERNEL,
     VT_STATUS_OK},
    /* With a shadow VMCS it is none, without one it is. */
    {"vmread",
     VT_BACKEND_VMX,
     VT_PATH_HARDWARE,
     {{VT_EXITS, 0, 0}, {VT_USER_EXITS, 0, 0}, {VT_NESTED_RUN, 0, 0}, END},
     VT_CROSSING_NONE,
     VT_STATUS_OK},
    {"vmread",
     VT_BACKEND_VMX,
     VT_PATH_HARDWARE,
     {{VT_EXITS, 1, 0}, {VT_USER_EXITS, 0, 0}, {VT_NESTED_RUN, 0, 0}, END},
     VT_CROSSING_EXIT_KERNEL,
     VT_STATUS_OK},
    /* In place, and the software roads. */
    {"rdtsc",
     VT_BACKEND_UNKNOWN,
     VT_PATH_NATIVE,
     {{VT_SIGNALS, 0, 0}, {VT_HOST_EMULATIONS, 0, 0}, END},
     VT_CROSSING_NONE,
     VT_STATUS_OK},
    {"sgdt",
     VT_BACKEND_UNKNOWN,
     VT_PATH_NATIVE,
     {{VT_SIGNALS, 0, 0}, {VT_HOST_EMULATIONS, 1, 0}, END},
     VT_CROSSING_TRAP,
     VT_STATUS_OK},
    {"cli", VT_BACKEND_UNKNOWN, VT_PATH_EMULATED, {{VT_SIGNALS, 1, 0}, END}, VT_CROSSING_TRAP, VT_STATUS_OK},
    {"cli",
     VT_BACKEND_UNKNOWN,
     VT_PATH_EMULATED,
     {{VT_SIGNALS, 0.4, 0}, END},
     VT_CROSSING_UNKNOWN,
     VT_STATUS_UNVERIFIED},
    {"cli",
     VT_BACKEND_UNKNOWN,
     VT_PATH_TRANSLATED,
     {{VT_INLINE_HITS, 1, 0}, {VT_CALLOUTS, 0, 0}, END},
     VT_CROSSING_INLINE,
     VT_STATUS_OK},
    {"wbinvd",
     VT_BACKEND_UNKNOWN,
     VT_PATH_TRANSLATED,
     {{VT_INLINE_HITS, 0, 0}, {VT_CALLOUTS, 1, 0}, END},
     VT_CROSSING_CALLOUT,
     VT_STATUS_OK},
    /* Its interrupt comes elsewhere than in the baseline, which has one block more to run for it. */
    {"hlt",
     VT_BACKEND_UNKNOWN,
     VT_PATH_TRANSLATED,
     {{VT_INLINE_HITS, 1, 0}, {VT_CALLOUTS, 0, 0}, {VT_BLOCKS, 4, 5}, END},
     VT_CROSSING_INLINE,
     VT_STATUS_UNVERIFIED},
    /* The host's own calls, in whatever backend. */
    {"vm-destroy",
     VT_BACKEND_VMX,
     VT_PATH_HARDWARE,
     {{VT_SYSTEM_CALLS, 4, 0}, {VT_HONOURED, 1, 0}, END},
     VT_CROSSING_SYSTEM_CALL,
     VT_STATUS_OK},
    {"vm-create",
     VT_BACKEND_VMX,
     VT_PATH_HARDWARE,
     {{VT_SYSTEM_CALLS, 1, 0}, {VT_HONOURED, 0.5, 0}, END},
     VT_CROSSING_SYSTEM_CALL,
     VT_STATUS_UNVERIFIED},
    {"vm-create",
     VT_BACKEND_PVM,
     VT_PATH_EMULATED,
     {{VT_SYSTEM_CALLS, 0, 0}, {VT_HONOURED, 1, 0}, END},
     VT_CROSSING_UNKNOWN,
     VT_STATUS_UNVERIFIED},
};

START_TEST(recorded_counters_give_their_verdict)
{
    for (size_t i = 0; i < sizeof verdicts / sizeof verdicts[0]; i++) {
        const struct verdict *v = &verdicts[i];
        struct vt_evidence_context context = {.backend = v->backend, .amd = v->backend == VT_BACKEND_SVM};
        struct vt_measurement m = measured(v->name, v->path, v->counts);
        vt_evidence_judge(&m, &context);
        ck_assert_msg(m.crossing == v->crossing && m.status == v->status,
                      "row %zu (%s): crossing %s, status %s: %s", i, v->name,
                      m.crossing ? vt_crossing_name(m.crossing) : "unknown", vt_status_name(m.status),
                      m.reason);
        ck_assert_msg(m.status == VT_STATUS_OK || m.reason[0], "row %zu (%s): no reason given", i, v->name);
    }
}
END_TEST

START_TEST(an_interpreted_loop_is_never_of_path_hardware)
{
    const struct count counts[] = {
        {VT_EXITS, 0.003, 0.002}, {VT_INSN_EMULATION, 3, 2}, {VT_USER_EXITS, 0, 0}, END};
    struct vt_measurement m = measured("nop", VT_PATH_HARDWARE, counts);
    vt_evidence_judge(&m, &(struct vt_evidence_context){.backend = VT_BACKEND_VMX});
    ck_assert_int_eq(m.path, VT_PATH_EMULATED);
}
END_TEST

START_TEST(host_interrupts_are_not_exits_of_the_operation)
{
    const struct count counts[] = {{VT_EXITS, 1.05, 0}, {VT_IRQ_EXITS, 0.05, 0}, {VT_USER_EXITS, 0, 0}, END};
    struct vt_measurement m = measured("cpuid", VT_PATH_HARDWARE, counts);
    vt_evidence_judge(&m, &(struct vt_evidence_context){.backend = VT_BACKEND_VMX});
    ck_assert_double_eq_tol(m.exits_per_op, 1, 1e-9);
}
END_TEST

START_TEST(a_guest_is_told_of_the_hypervisor_below)
{
    const struct count counts[] = {{VT_SIGNALS, 0, 0}, END};
    struct vt_measurement m = measured("cpuid", VT_PATH_NATIVE, counts);
    vt_evidence_judge(&m, &(struct vt_evidence_context){.inside = true});
    ck_assert_ptr_nonnull(strstr(m.reason, "itself a guest"));
    m = measured("nop", VT_PATH_NATIVE, counts);
    vt_evidence_judge(&m, &(struct vt_evidence_context){.inside = true});
    ck_assert_str_eq(m.reason, "");
    m = measured("cpuid", VT_PATH_NATIVE, counts);
    vt_evidence_judge(&m, &(struct vt_evidence_context){.inside = false});
    ck_assert_str_eq(m.reason, "");
}
END_TEST

START_TEST(native_has_no_exits_to_count)
{
    const struct count counts[] = {{VT_SIGNALS, 0, 0}, END};
    struct vt_measurement m = measured("cpuid", VT_PATH_NATIVE, counts);
    vt_evidence_judge(&m, &(struct vt_evidence_context){.inside = true});
    ck_assert(isnan(m.exits_per_op));
}
END_TEST

START_TEST(a_proved_trap_is_taken_apart)
{
    static double body[] = {110, 120, 130, 140, 150, 160}, baseline[] = {10, 10, 10, 10, 10, 10};
    static double bare[] = {40, 40, 40, 40, 40, 40};
    struct count counts[] = {{VT_SIGNALS, 2, 0}, END};
    struct vt_measurement m = measured("cli", VT_PATH_EMULATED, counts);
    m.batches = sizeof body / sizeof body[0];
    m.body = body;
    m.baseline = baseline;
    m.bare = bare;
    m.status = VT_STATUS_OK;
    m.crossing = VT_CROSSING_TRAP;
    double crossings = vt_measurement_per_operation(&m, VT_SIGNALS);
    vt_bare_split(&m);
    ck_assert_uint_eq(m.parts_known, 1u << VT_PART_BARE | 1u << VT_PART_EMULATION);
    ck_assert_double_eq_tol(m.parts[VT_PART_BARE].median, 40 * crossings, 1e-9);
    ck_assert_double_eq_tol(m.parts[VT_PART_EMULATION].median, 125 - 40 * crossings, 1e-9);

    m.parts_known = 0;
    m.crossing = VT_CROSSING_NONE;
    vt_bare_split(&m);
    ck_assert_uint_eq(m.parts_known, 0);
    m.crossing = VT_CROSSING_TRAP;
    m.status = VT_STATUS_UNVERIFIED;
    vt_bare_split(&m);
    ck_assert_uint_eq(m.parts_known, 0);
}
END_TEST

/* A row of two vCPUs of which one stood still is one of a single vCPU. */
START_TEST(the_other_vcpus_must_have_been_at_it)
{
    const struct count busy[] = {{VT_EXITS, 1, 0}, {VT_USER_EXITS, 0, 0}, {VT_BESIDE, 0.8, 0.8}, END};
    const struct count idle[] = {{VT_EXITS, 1, 0}, {VT_USER_EXITS, 0, 0}, {VT_BESIDE, 0.01, 0.8}, END};
    const struct vt_evidence_context context = {.backend = VT_BACKEND_VMX};
    struct vt_measurement m = measured("cpuid", VT_PATH_HARDWARE, busy);

    m.vcpus = 2;
    vt_evidence_judge(&m, &context);
    ck_assert_int_eq(m.status, VT_STATUS_OK);
    m = measured("cpuid", VT_PATH_HARDWARE, idle);
    m.vcpus = 2;
    vt_evidence_judge(&m, &context);
    ck_assert_int_eq(m.status, VT_STATUS_UNVERIFIED);
    ck_assert_ptr_nonnull(strstr(m.reason, "did not run beside it"));
}
END_TEST

VT_SUITE(the_other_vcpus_must_have_been_at_it, recorded_counters_give_their_verdict,
         an_interpreted_loop_is_never_of_path_hardware, host_interrupts_are_not_exits_of_the_operation,
         a_guest_is_told_of_the_hypervisor_below, native_has_no_exits_to_count, a_proved_trap_is_taken_apart)
