#include "config.h"
#include "probes/kvm/run.h"
#include "probes/probe.h"
#include "probes/section.h"
#include "tests/unit/suite.h"

#include <errno.h>
#include <linux/kvm.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>
#if VT_HAVE_LIBSECCOMP
#include <seccomp.h>
#endif

/* A processor put together leaf by leaf. */
struct machine {
    struct vt_facts facts;
    json_t *document;
};

static void set(struct machine *m, uint32_t leaf, uint32_t eax, uint32_t ebx, uint32_t ecx, uint32_t edx)
{
    struct vt_leaf row = {.leaf = leaf, .reg = {eax, ebx, ecx, edx}};
    ck_assert_int_eq(vt_facts_add_leaf(&m->facts.processors[0], &row), 0);
    vt_facts_sort(&m->facts.processors[0]);
}

static void set_vendor(struct machine *m, uint32_t leaf, uint32_t last, const char *vendor)
{
    uint32_t w[3];
    memcpy(w, vendor, sizeof w);
    set(m, leaf, last, w[0], w[2], w[1]);
}

static void begin(struct machine *m, const char *vendor)
{
    vt_facts_init(&m->facts);
    m->document = vt_document_new();
    ck_assert_ptr_nonnull(vt_facts_add_processor(&m->facts, 0, 0));
    set_vendor(m, 0, 0x1f, vendor);
}

static void end(struct machine *m)
{
    json_decref(m->document);
    vt_facts_free(&m->facts);
}

static void begin_amd(struct machine *m, uint32_t svm_edx, uint32_t sev_eax)
{
    begin(m, "AuthenticAMD");
    set_vendor(m, 0x80000000, 0x80000021, "AuthenticAMD");
    set(m, 0x80000001, 0, 0, 1 << 2, 0);
    set(m, 0x8000000a, 1, 0x8000, 0, svm_edx);
    set(m, 0x8000001f, sev_eax, 0, 0, 0);
}

/* APM volume 3 (24594), E.4.9 and E.4.17, typed here a second time. */
static const struct {
    const char *name;
    int bit;
} svm[] =
    {
        {"np", 0},
        {"lbrv", 1},
        {"svm_lock", 2},
        {"nrips", 3},
        {"tsc_scale", 4},
        {"vmcb_clean", 5},
        {"flush_by_asid", 6},
        {"decode_assists", 7},
        {"pause_filter", 10},
        {"pause_filter_threshold", 12},
        {"avic", 13},
        {"v_vmsave_vmload", 15},
        {"vgif", 16},
        {"gmet", 17},
        {"x2avic", 18},
        {"sss", 19},
        {"spec_ctrl", 20},
        {"rogpt", 21},
        {"hmcet", 23},
        {"tlbictl", 24},
        {"vnmi", 25},
        {"ibs_virt", 26},
},
  sev[] = {{"sev", 1}, {"sev_es", 3}, {"sev_snp", 4}};

static int count_true(const json_t *object)
{
    int count = 0;
    for (void *at = json_object_iter((json_t *)object); at; at = json_object_iter_next((json_t *)object, at))
        count += json_is_true(json_object_iter_value(at));
    return count;
}

static void check_amd(uint32_t svm_edx, uint32_t sev_eax, const char *name)
{
    struct machine m;
    begin_amd(&m, svm_edx, sev_eax);
    vt_detect_amd_v(m.document, &m.facts);
    json_t *features = vt_document_get(m.document, "amd_v.features");
    ck_assert_msg(json_is_true(json_object_get(features, name)), "%s is not its bit", name);
    ck_assert_int_eq(count_true(features), 1);
    end(&m);
}

START_TEST(every_svm_bit_is_its_feature)
{
    for (size_t i = 0; i < sizeof svm / sizeof svm[0]; i++)
        check_amd(UINT32_C(1) << svm[i].bit, 0, svm[i].name);
    for (size_t i = 0; i < sizeof sev / sizeof sev[0]; i++)
        check_amd(0, UINT32_C(1) << sev[i].bit, sev[i].name);
}
END_TEST

START_TEST(an_absent_leaf_is_unknown_an_absent_extension_is_not)
{
    struct machine m;
    begin(&m, "AuthenticAMD");
    set_vendor(&m, 0x80000000, 0x80000021, "AuthenticAMD");
    set(&m, 0x80000001, 0, 0, 1 << 2, 0);
    vt_detect_amd_v(m.document, &m.facts);
    ck_assert(vt_document_is_true(m.document, "amd_v.supported"));
    ck_assert(json_is_null(vt_document_get(m.document, "amd_v.features.np")));
    ck_assert_ptr_nonnull(strstr(vt_document_reason(m.document, "amd_v.features.np"), "0x8000000a"));
    end(&m);
    begin(&m, "AuthenticAMD");
    set_vendor(&m, 0x80000000, 0x80000008, "AuthenticAMD");
    set(&m, 0x80000001, 0, 0, 0, 0);
    vt_detect_amd_v(m.document, &m.facts);
    ck_assert(vt_document_is_false(m.document, "amd_v.features.np"));
    ck_assert(vt_document_is_false(m.document, "amd_v.features.sev"));
    end(&m);
}
END_TEST

START_TEST(svm_is_not_read_into_other_vendors_bits)
{
    struct machine m;
    begin(&m, "CentaurHauls");
    set(&m, 0x80000000, 0x80000005, 0, 0, 0);
    set(&m, 0x80000001, 0, 0, 0xffffffff, 0);
    vt_detect_amd_v(m.document, &m.facts);
    ck_assert(vt_document_is_false(m.document, "amd_v.supported"));
    end(&m);
}
END_TEST

/* The MSRs that a test lets be read. */
static struct {
    uint32_t index;
    uint64_t value;
} msrs[16];
static enum vt_msr_source msr_source;

static bool read_test_msr(const struct vt_facts *facts, uint32_t index, struct vt_msr *msr)
{
    (void)facts;
    for (size_t i = 0; i < sizeof msrs / sizeof msrs[0]; i++)
        if (msrs[i].index == index && index) {
            *msr = (struct vt_msr){msrs[i].value, msr_source};
            return true;
        }
    return false;
}

static void begin_intel(struct machine *m, enum vt_msr_source source)
{
    begin(m, "GenuineIntel");
    set(m, 1, 0x906a4, 0, 1 << 5, 0);
    m->facts.live = true;
    m->facts.read_msr = read_test_msr;
    memset(msrs, 0, sizeof msrs);
    msr_source = source;
    msrs[0].index = 0x480; /* IA32_VMX_BASIC: the registers can be read */
}

/* SDM 3D, A.3.3 and A.10, typed here a second time. */
static const struct {
    const char *name;
    uint32_t msr;
    int bit;
} vmx[] = {
    {"ept", 0x48b, 33},
    {"vpid", 0x48b, 37},
    {"unrestricted_guest", 0x48b, 39},
    {"apic_register_virtualization", 0x48b, 40},
    {"virtual_interrupt_delivery", 0x48b, 41},
    {"vmfunc", 0x48b, 45},
    {"vmcs_shadowing", 0x48b, 46},
    {"pml", 0x48b, 49},
    {"xsaves", 0x48b, 52},
    {"mode_based_execute", 0x48b, 54},
    {"tsc_scaling", 0x48b, 57},
    {"ept_2mb", 0x48c, 16},
    {"ept_1gb", 0x48c, 17},
    {"ept_ad", 0x48c, 21},
    {"posted_interrupts", 0x481, 39},
    {"preemption_timer", 0x481, 38},
    {"eptp_switching", 0x491, 0},
};

START_TEST(every_vmx_bit_is_its_feature)
{
    for (size_t i = 0; i < sizeof vmx / sizeof vmx[0]; i++) {
        struct machine m;
        char path[128];
        begin_intel(&m, VT_MSR_REGISTER);
        msrs[1].index = vmx[i].msr;
        msrs[1].value = UINT64_C(1) << vmx[i].bit;
        vt_detect_vt_x(m.document, &m.facts);
        vt_document_path(path, "vt_x.features", vmx[i].name);
        ck_assert_msg(vt_document_is_true(m.document, path), "%s is not its bit", vmx[i].name);
        ck_assert_int_eq(count_true(vt_document_get(m.document, "vt_x.features")), 1);
        end(&m);
    }
}
END_TEST

START_TEST(a_register_that_nothing_announces_has_no_features)
{
    struct machine m;
    begin_intel(&m, VT_MSR_REGISTER);
    msrs[1].index = 0x482; /* no secondary controls: neither 0x48b nor 0x48c exist */
    vt_detect_vt_x(m.document, &m.facts);
    ck_assert(vt_document_is_false(m.document, "vt_x.features.ept"));
    ck_assert(vt_document_is_false(m.document, "vt_x.features.ept_1gb"));
    end(&m);
}
END_TEST

START_TEST(what_kvm_leaves_out_is_unknown)
{
    struct machine m;
    begin_intel(&m, VT_MSR_KVM);
    msrs[1].index = 0x48b;
    msrs[1].value = UINT64_C(1) << 33;
    vt_detect_vt_x(m.document, &m.facts);
    ck_assert(vt_document_is_true(m.document, "vt_x.features.ept"));
    ck_assert(json_is_null(vt_document_get(m.document, "vt_x.features.vmcs_shadowing")));
    ck_assert(*vt_document_reason(m.document, "vt_x.features.vmcs_shadowing"));
    end(&m);
}
END_TEST

START_TEST(the_kernels_flags_tell_without_registers)
{
    struct machine m;
    begin_intel(&m, VT_MSR_KVM);
    m.facts.flags = strdup("fpu vmx sse");
    m.facts.vmx_flags = strdup(" vnmi ept ept_ad vpid");
    vt_detect_vt_x(m.document, &m.facts);
    ck_assert(vt_document_is_true(m.document, "vt_x.enabled"));
    ck_assert(vt_document_is_true(m.document, "vt_x.features.ept"));
    ck_assert(vt_document_is_false(m.document, "vt_x.features.pml"));
    ck_assert(vt_document_is_false(m.document, "vt_x.features.ept_1gb"));
    ck_assert(json_is_null(vt_document_get(m.document, "vt_x.features.ept_2mb"))); /* no flag for it */
    end(&m);
}
END_TEST

START_TEST(firmware_switches_vt_x_off)
{
    static const struct {
        uint64_t control;
        bool enabled;
    } rows[] = {{0, true}, {1, false}, {5, true}, {3, false}, {4, true}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct machine m;
        begin_intel(&m, VT_MSR_REGISTER);
        msrs[1].index = 0x3a;
        msrs[1].value = rows[i].control;
        vt_detect_vt_x(m.document, &m.facts);
        ck_assert_int_eq(vt_document_is_true(m.document, "vt_x.enabled"), rows[i].enabled);
        end(&m);
    }
    struct machine m;
    begin_intel(&m, VT_MSR_KVM);
    m.facts.flags = strdup("fpu sse"); /* the kernel cleared vmx, and nobody else could have */
    m.facts.surroundings.release = strdup("6.1.0");
    m.facts.surroundings.kvm_intel = VT_YES;
    vt_document_put(m.document, "hypervisor.present", json_false(), NULL);
    vt_detect_vt_x(m.document, &m.facts);
    ck_assert(vt_document_is_false(m.document, "vt_x.enabled"));
    ck_assert_ptr_nonnull(strstr(vt_document_text(m.document, "vt_x.reason"), "firmware"));
    end(&m);
}
END_TEST

static struct vt_trial counted(bool ran, uint64_t instructions, uint64_t emulated)
{
    struct vt_trial trial = {.ran = ran, .instructions = instructions, .slowdown = NAN};
    vt_counters_put(&trial.counters, VT_INSN_EMULATION, emulated);
    return trial;
}

/* Counters as read on hosts of each backend. */
START_TEST(counters_decide_what_runs_a_guest)
{
    struct vt_trial interpreted = counted(true, 2003, 2003), direct = counted(true, 2003, 1);
    struct vt_trial dead = counted(false, 2003, 0);
    ck_assert_int_eq(vt_kvm_judge(&interpreted, VT_BACKEND_PVM), VT_INTERPRETED);
    ck_assert_int_eq(vt_kvm_judge(&interpreted, VT_BACKEND_VMX), VT_INTERPRETED);
    ck_assert_int_eq(vt_kvm_judge(&interpreted, VT_BACKEND_UNKNOWN), VT_INTERPRETED);
    ck_assert_int_eq(vt_kvm_judge(&direct, VT_BACKEND_PVM), VT_DEPRIVILEGED);
    ck_assert_int_eq(vt_kvm_judge(&direct, VT_BACKEND_SVM), VT_HARDWARE);
    ck_assert_int_eq(vt_kvm_judge(&direct, VT_BACKEND_UNKNOWN), VT_UNDECIDED);
    ck_assert_int_eq(vt_kvm_judge(&dead, VT_BACKEND_VMX), VT_UNAVAILABLE);
}
END_TEST

/* As slow as the same loop here, much slower, between, not to be compared. */
START_TEST(without_counters_a_loop_here_is_the_measure)
{
    static const struct {
        double slowdown;
        enum vt_execution pvm, svm;
    } rows[] = {{0.4, VT_DEPRIVILEGED, VT_HARDWARE}, {1.0, VT_DEPRIVILEGED, VT_HARDWARE},
                {3.0, VT_DEPRIVILEGED, VT_HARDWARE}, {20, VT_UNDECIDED, VT_UNDECIDED},
                {600, VT_INTERPRETED, VT_UNDECIDED}, {NAN, VT_UNDECIDED, VT_UNDECIDED}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct vt_trial trial = {.ran = true, .instructions = 2003, .slowdown = rows[i].slowdown};
        char why[512];
        ck_assert_int_eq(vt_kvm_judge(&trial, VT_BACKEND_PVM), rows[i].pvm);
        ck_assert_int_eq(vt_kvm_judge(&trial, VT_BACKEND_SVM), rows[i].svm);
        ck_assert_int_eq(vt_kvm_judge(&trial, VT_BACKEND_VMX), rows[i].svm);
        vt_kvm_tell(&trial, VT_BACKEND_SVM, why, sizeof why);
        ck_assert_ptr_nonnull(strstr(why, "no counters"));
    }
}
END_TEST

/* A kernel may count exits and not what it interprets: neither is said of it that it counts nothing. */
START_TEST(what_is_counted_is_told_apart_from_what_is_not)
{
    struct vt_trial trial = {.ran = true, .instructions = 2003, .slowdown = 600};
    char why[512];

    vt_counters_put(&trial.counters, VT_EXITS, 3);
    ck_assert_int_eq(vt_kvm_judge(&trial, VT_BACKEND_PVM), VT_INTERPRETED);
    vt_kvm_tell(&trial, VT_BACKEND_PVM, why, sizeof why);
    ck_assert_ptr_null(strstr(why, "no counters"));
    ck_assert_ptr_nonnull(strstr(why, "insn_emulation"));
    ck_assert_ptr_nonnull(strstr(why, "600.0 times"));
    trial.slowdown = NAN;
    vt_kvm_tell(&trial, VT_BACKEND_SVM, why, sizeof why);
    ck_assert_ptr_nonnull(strstr(why, "insn_emulation"));
    /* It counts what it interprets, and not exits. */
    trial = counted(true, 2003, 2003);
    vt_kvm_tell(&trial, VT_BACKEND_PVM, why, sizeof why);
    ck_assert_ptr_null(strstr(why, "no counters"));
    ck_assert_ptr_nonnull(strstr(why, "2003 interpreted"));
    ck_assert_ptr_null(strstr(why, "exits"));
}
END_TEST

#if VT_HAVE_LIBSECCOMP
/* Linux before 5.14 has no KVM_GET_STATS_FD: the time has to tell, on a busy machine as on a quiet one. */
static bool refuse_counters(void)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    bool loaded = filter &&
                  seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOTTY), SCMP_SYS(ioctl), 1,
                                   SCMP_A1_32(SCMP_CMP_EQ, KVM_GET_STATS_FD)) == 0 &&
                  seccomp_load(filter) == 0;
    seccomp_release(filter);
    return loaded;
}

/* Two processes for each CPU that this one may run on, gone with it. */
static void load_processors(void)
{
    for (long i = 2 * sysconf(_SC_NPROCESSORS_ONLN); i > 0; i--)
        if (fork() == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            for (;;)
                ;
        }
}

START_TEST(without_counters_time_gives_the_same_answer)
{
    enum { RUNS = 12 };
    int decided = 0;
    struct vt_trials trials;
    vt_kvm_try(&trials);
    if (!trials.cpl0.ran || !trials.cpl3.ran)
        vt_skip("no guest runs here: %s", trials.cpl0.obstacle.reason);
    if (!vt_counters_has(&trials.cpl0.counters, VT_INSN_EMULATION))
        vt_skip("this kernel does not count: there is nothing to hold the time against");
    if (!refuse_counters())
        vt_skip("no seccomp filter can be set here");
    enum vt_execution cpl0 = vt_kvm_judge(&trials.cpl0, vt_vmm_backend()),
                      cpl3 = vt_kvm_judge(&trials.cpl3, vt_vmm_backend());
    for (int i = 0; i < RUNS; i++) {
        if (i == RUNS / 2)
            load_processors();
        vt_kvm_try(&trials);
        ck_assert_uint_eq(trials.cpl0.counters.known, 0);
        enum vt_execution timed0 = vt_kvm_judge(&trials.cpl0, vt_vmm_backend()),
                          timed3 = vt_kvm_judge(&trials.cpl3, vt_vmm_backend());
        ck_assert_msg(timed0 == cpl0 || timed0 == VT_UNDECIDED, "CPL 0, run %d: slowdown %f", i,
                      trials.cpl0.slowdown);
        ck_assert_msg(timed3 == cpl3 || timed3 == VT_UNDECIDED, "CPL 3, run %d: slowdown %f", i,
                      trials.cpl3.slowdown);
        decided += timed0 == cpl0 && timed3 == cpl3;
    }
    ck_assert_int_gt(decided, 0);
}
END_TEST
#else
START_TEST(without_counters_time_gives_the_same_answer)
{
    vt_skip("built without libseccomp");
}
END_TEST
#endif

static void check_hypervisor(const char *first, const char *second, const char *vendor)
{
    struct machine m;
    begin(&m, "GenuineIntel");
    set(&m, 1, 0, 0, UINT32_C(1) << 31, 0);
    struct vt_leaf leaf = {.leaf = 0x40000000, .reg = {0x40000001, 0, 0, 0}};
    memcpy(&leaf.reg[VT_EBX], first, 12);
    vt_facts_add_leaf(&m.facts.processors[0], &leaf);
    if (second) {
        leaf.leaf = 0x40000100;
        memcpy(&leaf.reg[VT_EBX], second, 12);
        vt_facts_add_leaf(&m.facts.processors[0], &leaf);
    }
    vt_facts_sort(&m.facts.processors[0]);
    vt_detect_hypervisor(m.document, &m.facts);
    ck_assert_str_eq(vt_document_text(m.document, "hypervisor.vendor"), vendor);
    ck_assert_uint_eq(json_array_size(vt_document_get(m.document, "hypervisor.layers")), second ? 2 : 1);
    end(&m);
}

START_TEST(hypervisors_are_named_behind_interfaces)
{
    check_hypervisor("KVMKVMKVM\0\0\0", NULL, "KVM");
    check_hypervisor("Microsoft Hv", NULL, "Hyper-V");
    check_hypervisor("Microsoft Hv", "KVMKVMKVM\0\0\0", "KVM");
    check_hypervisor("Microsoft Hv", "XenVMMXenVMM", "Xen");
    check_hypervisor("VMwareVMware", NULL, "VMware");
    check_hypervisor("VBoxVBoxVBox", NULL, "VirtualBox");
    check_hypervisor("NobodysKnown", NULL, "NobodysKnown");
}
END_TEST

START_TEST(without_the_bit_there_is_no_hypervisor)
{
    struct machine m;
    begin(&m, "GenuineIntel");
    set(&m, 1, 0, 0, 0, 0);
    set(&m, 0x40000000, 0x40000001, 0x4b4d564b, 0x564b4d56, 0x4d);
    vt_detect_hypervisor(m.document, &m.facts);
    ck_assert(vt_document_is_false(m.document, "hypervisor.present"));
    ck_assert(json_is_null(vt_document_get(m.document, "hypervisor.vendor")));
    end(&m);
}
END_TEST

static enum vt_requirement require(const json_t *document, const char *name)
{
    char why[512];
    enum vt_requirement result = vt_probes_require(document, name, why, sizeof why);
    ck_assert(*why);
    return result;
}

START_TEST(requirements_read_the_document)
{
    json_t *d = vt_document_new();
    vt_document_put(d, "vt_x.supported", json_true(), "evidence");
    vt_document_unknown(d, "vt_x.enabled", "reason");
    vt_document_unknown(d, "vt_x.features.ept", "reason");
    vt_document_put(d, "amd_v.features.np", json_true(), "evidence");
    vt_document_put(d, "amd_v.features.svm_lock", json_false(), "evidence");
    vt_document_put(d, "kvm.cpl0", json_string("interpreted"), "evidence");
    ck_assert_int_eq(require(d, "vt-x"), VT_REQUIREMENT_MET);
    ck_assert_int_eq(require(d, "ept"), VT_REQUIREMENT_UNKNOWN);
    ck_assert_int_eq(require(d, "npt"), VT_REQUIREMENT_MET);
    ck_assert_int_eq(require(d, "svm-lock"), VT_REQUIREMENT_UNMET);
    ck_assert_int_eq(require(d, "kvm-hardware"), VT_REQUIREMENT_UNMET);
    ck_assert_int_eq(require(d, "kvm"), VT_REQUIREMENT_UNKNOWN);
    vt_document_put(d, "vt_x.enabled", json_false(), "evidence");
    ck_assert_int_eq(require(d, "vt-x"), VT_REQUIREMENT_UNMET);
    json_decref(d);
}
END_TEST

START_TEST(capabilities_have_unique_names)
{
    struct vt_capability a, b;
    for (size_t i = 0; vt_probes_capability(i, &a); i++)
        for (size_t j = i + 1; vt_probes_capability(j, &b); j++)
            ck_assert_str_ne(a.name, b.name);
}
END_TEST

/* Whatever a value's state, a null of the document says why. */
static void check_reasons(const json_t *document, json_t *object, const char *prefix)
{
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value)
    {
        char path[128];
        snprintf(path, sizeof path, "%s%s%s", prefix, *prefix ? "." : "", key);
        if (json_is_object(value))
            check_reasons(document, value, path);
        else if (json_is_null(value) && strcmp(key, "reason") != 0 && strcmp(key, "fix") != 0 &&
                 strcmp(key, "obstacle") != 0)
            ck_assert_msg(*vt_document_reason(document, path), "%s is null without a reason", path);
    }
}

START_TEST(every_null_has_its_reason)
{
    static const char text[] =
        "CPU 0:\n"
        "   0x00000000 0x00: eax=0x00000000 ebx=0x756e6547 ecx=0x6c65746e edx=0x49656e69\n";
    struct vt_error error;
    json_t *dump = vt_probes_dump_text("dump", text, strlen(text), &error),
           *machine = vt_probes_machine(&error);
    ck_assert_ptr_nonnull(dump);
    ck_assert_ptr_nonnull(machine);
    check_reasons(dump, dump, "");
    check_reasons(machine, machine, "");
    json_decref(dump);
    json_decref(machine);
}
END_TEST

VT_SUITE(every_svm_bit_is_its_feature, an_absent_leaf_is_unknown_an_absent_extension_is_not,
         svm_is_not_read_into_other_vendors_bits, every_vmx_bit_is_its_feature,
         a_register_that_nothing_announces_has_no_features, what_kvm_leaves_out_is_unknown,
         the_kernels_flags_tell_without_registers, firmware_switches_vt_x_off,
         counters_decide_what_runs_a_guest, without_counters_a_loop_here_is_the_measure,
         what_is_counted_is_told_apart_from_what_is_not, without_counters_time_gives_the_same_answer,
         hypervisors_are_named_behind_interfaces, without_the_bit_there_is_no_hypervisor,
         requirements_read_the_document, capabilities_have_unique_names, every_null_has_its_reason)
