/*
 * Machines as they are met, put together from CPUID leaves, files below a root
 * folder and registers: the right answer for each, and, for each and for all dumps
 * under every state of KVM, no two answers that contradict one another.
 *
 * beside others
 */
#include "probes/dump/dump.h"
#include "probes/kvm/device.h"
#include "probes/probe.h"
#include "probes/section.h"
#include "tests/unit/probes/machine.h"
#include "tests/unit/suite.h"

#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What /dev/kvm may come to. */
static const struct kvm {
    const char *name, *backend, *cpl0, *cpl3;
    bool device, runs;
    int nested; /* -1: not known */
} kvms[] = {
    {"no device", "unknown", "unavailable", "unavailable", false, false, -1},
    {"no device in a container", "unknown", "unavailable", "unavailable", false, false, -1},
    {"no permission", "unknown", "unavailable", "unavailable", true, false, -1},
    {"pvm", "pvm", "interpreted", "deprivileged", true, true, 0},
    {"vmx", "vmx", "hardware", "hardware", true, true, 1},
    {"svm", "svm", "hardware", "hardware", true, true, 1},
    {"svm without nesting", "svm", "hardware", "hardware", true, true, 0},
    {"vmx, interpreted", "vmx", "interpreted", "interpreted", true, true, 0},
    {"svm, untold", "svm", NULL, NULL, true, true, 0},
    {"pvm, untold", "pvm", NULL, "deprivileged", true, true, 0},
    {"ring 3 only", "pvm", "unavailable", "deprivileged", true, true, 0},
};

static void put_word(json_t *document, const char *path, const char *word)
{
    if (word)
        vt_document_put(document, path, json_string(word), "counted");
    else
        vt_document_unknown(document, path, "KVM offers no counters here");
}

static void put_kvm(json_t *document, const struct kvm *kvm)
{
    const char *needed = vt_document_is_true(document, "amd_v.supported") ? "kvm_amd" : "kvm_intel";
    struct vt_kvm_scene scene = {
        .node = {.number = ENOENT},
        .module = {.registered = kvm == &kvms[1] ? VT_YES : VT_NO, .minor = 232, .state = VT_MODULE_THERE},
    };
    struct vt_obstacle obstacle = {.code = "no-permission"};
    snprintf(obstacle.reason, sizeof obstacle.reason, "/dev/kvm is for the group kvm");
    snprintf(obstacle.fix, sizeof obstacle.fix, "sudo usermod -aG kvm me");
    snprintf(scene.module.name, sizeof scene.module.name, "%s", needed);
    if (!kvm->device)
        vt_kvm_explain_open(document, &scene, ENOENT, &obstacle);
    vt_document_put(document, "kvm.device", json_boolean(kvm->device), NULL);
    vt_document_put(document, "kvm.accessible", json_boolean(kvm->runs), NULL);
    put_word(document, "kvm.backend", kvm->backend);
    vt_document_put(document, "kvm.creates_vm", json_boolean(kvm->runs), NULL);
    vt_document_put(document, "kvm.runs_guest", json_boolean(kvm->runs), NULL);
    put_word(document, "kvm.cpl0", kvm->cpl0);
    put_word(document, "kvm.cpl3", kvm->cpl3);
    vt_document_put(document, "kvm.reason", kvm->runs ? json_null() : json_string(obstacle.reason), NULL);
    vt_document_put(document, "kvm.obstacle", kvm->runs ? json_null() : json_string(obstacle.code), NULL);
    vt_document_put(document, "kvm.fix",
                    kvm->runs || !*obstacle.fix ? json_null() : json_string(obstacle.fix), NULL);
    if (kvm->nested < 0)
        vt_document_unknown(document, "kvm.nested", obstacle.reason);
    else
        vt_document_put(document, "kvm.nested", json_boolean(kvm->nested), NULL);
}

/* `evmcs`: KVM's answer to that; -1: not known. */
static json_t *describe_offering(const struct vt_facts *facts, const struct kvm *kvm, int evmcs)
{
    json_t *document = vt_document_new();
    vt_document_put(document, "source", json_string("machine"), NULL);
    vt_detect_cpu(document, facts);
    vt_detect_hypervisor(document, facts);
    vt_detect_confidential(document, facts);
    vt_detect_vt_x(document, facts);
    vt_detect_amd_v(document, facts);
    if (kvm == &kvms[1])
        vt_document_put(document, "system.container", json_string("docker"), NULL);
    put_kvm(document, kvm);
    vt_document_put(document, "kvm.capabilities", json_object(), NULL);
    if (evmcs >= 0)
        vt_document_put(document, "kvm.capabilities.KVM_CAP_HYPERV_ENLIGHTENED_VMCS", json_integer(evmcs),
                        NULL);
    vt_detect_proven(document, facts);
    vt_detect_verdict(document, facts);
    return document;
}

static json_t *describe(const struct vt_facts *facts, const struct kvm *kvm)
{
    return describe_offering(facts, kvm, -1);
}

/* Everything that is said, one sentence a line. */
static char *all_said(const json_t *document)
{
    static const char *const paths[] = {"kvm.reason", "kvm.fix", "vt_x.reason", "amd_v.reason"};
    static char text[32768];
    const char *key;
    json_t *value, *map;
    size_t used = 0;
    *text = '\0';
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        if (vt_document_text(document, paths[i]))
            used += (size_t)snprintf(text + used, sizeof text - used, "%s\n",
                                     vt_document_text(document, paths[i]));
    json_object_foreach(vt_document_get(document, "verdict"), key, map)
    {
        const char *said = json_string_value(json_object_get(map, "text")),
                   *fix = json_string_value(json_object_get(map, "fix"));
        used += (size_t)snprintf(text + used, sizeof text - used, "%s\n%s\n", said, fix ? fix : "");
    }
    json_object_foreach(vt_document_get(document, "evidence"), key,
                        value) if (strncmp(key, "hypervisor.", 11) == 0 ||
                                   strncmp(key, "confidential.", 13) == 0) used +=
        (size_t)snprintf(text + used, sizeof text - used, "%s\n", json_string_value(value));
    ck_assert_uint_lt(used, sizeof text);
    return text;
}

/* One output under examination: what stands there, in short. */
struct said {
    const json_t *document;
    const char *text, *fix, *hardware, *obstacle, *vms, *nested, *inside;
    bool live;
};

static const char *answer_of(const json_t *document, const char *key)
{
    char path[128];
    snprintf(path, sizeof path, "verdict.%s.answer", key);
    const char *answer = vt_document_text(document, path);
    ck_assert_ptr_nonnull(answer);
    return answer;
}

static bool are(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

static bool is_true(const struct said *s, const char *path)
{
    return vt_document_is_true(s->document, path);
}

static bool is_false(const struct said *s, const char *path)
{
    return vt_document_is_false(s->document, path);
}

static bool says(const struct said *s, const char *words)
{
    return strstr(s->text, words);
}

static bool has_text(const struct said *s, const char *path)
{
    return vt_document_text(s->document, path);
}

static bool met(const struct said *s, const char *capability)
{
    char why[512];
    return vt_probes_require(s->document, capability, why, sizeof why) == VT_REQUIREMENT_MET;
}

static bool encrypted(const struct said *s)
{
    return is_true(s, "confidential.sev_guest") || is_true(s, "confidential.tdx_guest");
}

static bool is_kind(const struct said *s, const char *start)
{
    const char *kind = vt_document_text(s->document, "confidential.guest");
    return kind && strncmp(kind, start, strlen(start)) == 0;
}

static bool outside_is_possible(const struct said *s)
{
    return s->live && !is_false(s, "hypervisor.present");
}

static bool blames_firmware_alone(const struct said *s)
{
    for (const char *at = s->text; (at = strstr(at, "firmware")); at++) {
        const char *end = strchr(at, '\n'), *other = strstr(at, "a hypervisor");
        if (strncmp(at, "firmware set-up", 15) != 0 && strncmp(at, "firmware and its", 16) != 0 &&
            (!other || other > end))
            return true;
    }
    return false;
}

static bool fix_is_for_guests(const struct said *s)
{
    return strstr(s->fix, "nested virtualization on") || strstr(s->fix, "for this guest");
}

/* The way to KVM is barred, and behind it there is no extension either. */
static bool is_barred_without(const struct said *s)
{
    const char *code = vt_document_text(s->document, "kvm.obstacle");
    return s->live && code && (are(code, "no-device") || are(code, "no-permission")) &&
           is_false(s, "vt_x.supported") && is_false(s, "amd_v.supported");
}

static bool runs(const struct said *s)
{
    return is_true(s, "kvm.runs_guest");
}

#define HW(is)   are(s->hardware, is)
#define IF(a, b) (!(a) || (b))

/* Pairs of answers of which the first forbids the other, each as what must hold. */
#define RULES(X)                                                                                             \
    X(IF(is_true(s, "hypervisor.present"), are(s->inside, "yes")))                                           \
    X(IF(are(s->inside, "yes"), is_true(s, "hypervisor.present")))                                           \
    X(IF(are(s->inside, "no"), is_false(s, "hypervisor.present") && is_true(s, "hypervisor.bare_metal")))    \
    X(IF(has_text(s, "hypervisor.vendor"), is_true(s, "hypervisor.present")))                                \
    X(IF(has_text(s, "hypervisor.signature"), is_true(s, "hypervisor.present")))                             \
    X(IF(is_true(s, "hypervisor.present"), is_false(s, "hypervisor.bare_metal")))                            \
    X(IF(is_true(s, "hypervisor.control_domain"), is_true(s, "hypervisor.present")))                         \
    X(IF(is_true(s, "hypervisor.present"), !says(s, "there is no hypervisor")))                              \
    X(IF(is_true(s, "hypervisor.present"),                                                                   \
         !says(s, "processor lacks") && !says(s, "this processor has neither")))                             \
    X(IF(is_true(s, "hypervisor.present"), !says(s, "names a hypervisor")))                                  \
    X(IF(!is_true(s, "hypervisor.present"), !says(s, "hypervisor outside")))                                 \
    X(met(s, "hypervisor") == is_true(s, "hypervisor.present"))                                              \
    X(met(s, "bare-metal") == is_true(s, "hypervisor.bare_metal"))                                           \
    X(IF(outside_is_possible(s), !blames_firmware_alone(s)))                                                 \
    X(IF(is_true(s, "hypervisor.present"), !says(s, "set-up")))                                              \
    X(IF(is_true(s, "hypervisor.control_domain"), !says(s, "guest of") && !says(s, "this guest") &&          \
                                                      !says(s, "this is a guest") && !fix_is_for_guests(s))) \
    X(IF(encrypted(s), !strstr(s->fix, "nested") && !strstr(s->fix, "modprobe")))                            \
    X(is_kind(s, "tdx") == is_true(s, "confidential.tdx_guest"))                                             \
    X(is_kind(s, "sev") == is_true(s, "confidential.sev_guest"))                                             \
    X(IF(is_kind(s, "none"),                                                                                 \
         is_false(s, "confidential.sev_guest") && is_false(s, "confidential.tdx_guest")))                    \
    X(!(is_true(s, "confidential.sev_guest") && is_true(s, "confidential.tdx_guest")))                       \
    X(IF(encrypted(s), is_true(s, "hypervisor.present")))                                                    \
    X(!(encrypted(s) && is_true(s, "confidential.tdx_host")))                                                \
    X(IF(is_true(s, "confidential.paravisor"),                                                               \
         !are(vt_document_text(s->document, "confidential.guest"), "none")))                                 \
    X(HW("yes") == are(s->obstacle, "no"))                                                                   \
    X(HW("no") == are(s->obstacle, "yes"))                                                                   \
    X(IF(HW("yes"), are(s->vms, "yes")))                                                                     \
    X(IF(HW("yes"), runs(s) && met(s, "kvm-hardware")))                                                      \
    X(met(s, "kvm-hardware") == HW("yes"))                                                                   \
    X(IF(HW("yes"), is_true(s, "vt_x.enabled") || is_true(s, "amd_v.enabled")))                              \
    X(IF(HW("yes"), !*s->fix || are(s->nested, "no")))                                                       \
    X(IF(runs(s), are(s->vms, "yes")))                                                                       \
    X(IF(are(s->vms, "yes"), runs(s) || is_true(s, "hypervisor.control_domain")))                            \
    X(IF(are(s->nested, "yes"), runs(s)))                                                                    \
    X(IF(runs(s), !has_text(s, "kvm.reason") && !has_text(s, "kvm.fix")))                                    \
    X(IF(strstr(s->fix, "modprobe"), !is_false(s, "vt_x.enabled") || !is_false(s, "amd_v.enabled")))         \
    X(IF(strstr(s->fix, "modprobe kvm_intel"),                                                               \
         is_true(s, "vt_x.supported") && !is_false(s, "vt_x.enabled")))                                      \
    X(IF(strstr(s->fix, "modprobe kvm_amd"),                                                                 \
         is_true(s, "amd_v.supported") && !is_false(s, "amd_v.enabled")))                                    \
    X(IF(strstr(s->fix, "firmware set-up"), !is_true(s, "vt_x.enabled") && !is_true(s, "amd_v.enabled")))    \
    X(IF(has_text(s, "kvm.fix"), strstr(s->fix, vt_document_text(s->document, "kvm.fix"))))                  \
    X(IF(is_barred_without(s), HW("no") && says(s, "guests would run without VT-x and AMD-V")))              \
    X(IF(!is_barred_without(s), !says(s, "guests would run without VT-x and AMD-V")))                        \
    X(IF(is_true(s, "vt_x.enabled"), is_true(s, "vt_x.supported") && !has_text(s, "vt_x.reason")))           \
    X(IF(is_true(s, "amd_v.enabled"), is_true(s, "amd_v.supported") && !has_text(s, "amd_v.reason")))        \
    X(IF(s->live &&met(s, "vt-x"), is_true(s, "vt_x.enabled")))                                              \
    X(IF(s->live &&met(s, "amd-v"), is_true(s, "amd_v.enabled")))                                            \
    X(IF(is_false(s, "vt_x.enabled"), !met(s, "vt-x")))                                                      \
    X(IF(is_false(s, "amd_v.enabled"), !met(s, "amd-v")))

static char *fixes(const json_t *document)
{
    static char text[2048];
    const char *one = vt_document_text(document, "verdict.hardware_vms.fix"),
               *two = vt_document_text(document, "verdict.nested.fix"),
               *three = vt_document_text(document, "verdict.obstacle.fix");
    ck_assert_msg((!one && !three) || (one && three && strcmp(one, three) == 0), "two fixes: '%s' and '%s'",
                  one, three);
    snprintf(text, sizeof text, "%s%s", one ? one : "", two ? two : "");
    return text;
}

static void check_screen(const json_t *document, const char *name)
{
    char *text;
    size_t size, lines = 0;
    FILE *stream = open_memstream(&text, &size);
    vt_probes_render_brief(document, stream, false, 80);
    fclose(stream);
    for (const char *line = text, *end; (end = strchr(line, '\n')); line = end + 1) {
        lines++;
        ck_assert_msg(end - line <= 80, "%s: a line is %ld wide: %.*s", name, (long)(end - line),
                      (int)(end - line), line);
    }
    ck_assert_msg(lines <= 24, "%s: %zu lines do not fit the screen:\n%s", name, lines, text);
    free(text);
}

static void check(const json_t *document, const char *name)
{
    const struct said said =
                          {
                              .document = document,
                              .text = all_said(document),
                              .fix = fixes(document),
                              .hardware = answer_of(document, "hardware_vms"),
                              .obstacle = answer_of(document, "obstacle"),
                              .vms = answer_of(document, "vms"),
                              .nested = answer_of(document, "nested"),
                              .inside = answer_of(document, "inside_vm"),
                              .live = are(vt_document_text(document, "source"), "machine"),
                          },
                      *s = &said;
#define CHECK(rule) ck_assert_msg(rule, "%s: not so: %s\n%s", name, #rule, s->text);
    RULES(CHECK)
    check_screen(document, name);
}

/* KVM that runs on VT-x or AMD-V without there being one is nobody's machine. */
static bool can_be(const json_t *document, const struct kvm *kvm)
{
    const bool hardware = are(kvm->backend, "vmx") || are(kvm->backend, "svm");
    const char *section = are(kvm->backend, "vmx") ? "vt_x" : "amd_v";
    char path[128];
    return !hardware || (vt_document_is_true(document, vt_document_path(path, section, "supported")) &&
                         !vt_document_is_false(document, vt_document_path(path, section, "enabled")));
}

static void check_under_every_kvm(const struct vt_facts *facts, const char *name)
{
    for (size_t k = 0; k < sizeof kvms / sizeof kvms[0]; k++) {
        char title[256];
        json_t *document = describe(facts, &kvms[0]);
        const bool possible = can_be(document, &kvms[k]);
        json_decref(document);
        if (!possible)
            continue;
        snprintf(title, sizeof title, "%s; KVM: %s", name, kvms[k].name);
        document = describe(facts, &kvms[k]);
        check(document, title);
        json_decref(document);
    }
}

static void expect(const json_t *document, const char *name, const char *path, const char *wanted)
{
    if (!wanted)
        return;
    char *got = json_dumps(vt_document_get(document, path), JSON_ENCODE_ANY);
    ck_assert_msg(got && strcmp(got, wanted) == 0, "%s: %s is %s, not %s\n%s", name, path, got, wanted,
                  all_said(document));
    free(got);
}

START_TEST(every_machine_gets_its_answer)
{
    for (size_t i = 0; i < vt_test_machine_count; i++) {
        const struct vt_test_machine *m = &vt_test_machines[i];
        struct vt_facts facts;
        vt_test_machine_build(&facts, m);
        json_t *document = describe(&facts, &kvms[0]);
        expect(document, m->name, "hypervisor.present", m->present);
        expect(document, m->name, "hypervisor.vendor", m->who);
        expect(document, m->name, "hypervisor.control_domain", m->own);
        expect(document, m->name, "hypervisor.bare_metal", m->bare);
        expect(document, m->name, are(m->vendor, "GenuineIntel") ? "vt_x.enabled" : "amd_v.enabled",
               m->enabled);
        expect(document, m->name, "confidential.guest", m->kind);
        const char *said = all_said(document);
        ck_assert_msg(!m->says || strstr(said, m->says), "%s: nothing says '%s':\n%s", m->name, m->says,
                      said);
        ck_assert_msg(!m->never || !strstr(said, m->never), "%s: says '%s':\n%s", m->name, m->never, said);
        json_decref(document);
        vt_facts_free(&facts);
    }
}
END_TEST

START_TEST(no_machine_contradicts_itself)
{
    for (size_t i = 0; i < vt_test_machine_count; i++) {
        struct vt_facts facts;
        vt_test_machine_build(&facts, &vt_test_machines[i]);
        check_under_every_kvm(&facts, vt_test_machines[i].name);
        vt_facts_free(&facts);
    }
}
END_TEST

/* Each dump as it is, and as if it were this machine, with and without DMI, and under Xen. */
static void check_dump(const char *path)
{
    static const char *const types[] = {NULL, "xen"};
    struct vt_error error;
    struct vt_facts facts;
    json_t *document = vt_probes_dump(path, &error);
    ck_assert_msg(document, "%s: %s", path, error.text);
    check(document, path);
    json_decref(document);
    for (int i = 0; i < 4; i++) {
        ck_assert_int_eq(vt_dump_load(&facts, path, &error), 0);
        facts.live = true;
        vt_test_machine_no_registers(&facts);
        facts.flags = strdup("fpu");
        facts.surroundings.release = strdup("6.8.0");
        if (types[i / 2])
            facts.surroundings.hypervisor_type = strdup(types[i / 2]);
        if (i % 2)
            facts.surroundings.dmi[VT_DMI_VENDOR] = strdup("Dell Inc.");
        check_under_every_kvm(&facts, path);
        vt_facts_free(&facts);
    }
}

START_TEST(no_dump_contradicts_itself)
{
    glob_t dumps;
    ck_assert_int_eq(glob("tests/data/cpuid/*.[tr][xa][tw]", 0, NULL, &dumps), 0);
    ck_assert_uint_gt(dumps.gl_pathc, 20);
    for (size_t i = 0; i < dumps.gl_pathc; i++)
        check_dump(dumps.gl_pathv[i]);
    globfree(&dumps);
}
END_TEST

/* Hosts of trust domains: a flag that old kernels do not know, the register that all processors with it have.
 */
START_TEST(a_host_of_trust_domains_is_not_denied_for_want_of_a_flag)
{
    static const struct {
        int traits;
        const char *vendor, *flags, *answer;
    } rows[] = {
        {EXTENSION | TME, "GenuineIntel", "vmx", "null"},
        {EXTENSION | TME, "GenuineIntel", "vmx tdx_host_platform", "true"},
        {EXTENSION, "GenuineIntel", "vmx", "false"},
        {TME, "GenuineIntel", "sse", "false"},
        {EXTENSION, "AuthenticAMD", "svm", "false"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct vt_test_machine m = {
            .name = "host",
            .vendor = rows[i].vendor,
            .traits = rows[i].traits,
            .files = {{"/sys/class/dmi/id/sys_vendor", "Dell Inc."}, {"/proc/sys/kernel/osrelease", "6.1.0"}},
            .control = NO_MSR,
            .sev_status = NO_MSR,
        };
        struct vt_facts facts;
        vt_test_machine_build(&facts, &m);
        facts.flags = strdup(rows[i].flags);
        json_t *document = describe(&facts, &kvms[0]);
        expect(document, rows[i].flags, "confidential.tdx_host", rows[i].answer);
        json_decref(document);
        vt_facts_free(&facts);
    }
}
END_TEST

static const struct kvm *find_kvm(const char *name)
{
    size_t k = 0;

    while (!are(kvms[k].name, name))
        k++;
    return &kvms[k];
}

static void set_leaf(struct vt_facts *facts, uint32_t leaf, uint32_t eax)
{
    struct vt_processor *processor = &facts->processors[facts->subject];

    for (size_t i = 0; i < processor->count; i++)
        if (processor->leaves[i].leaf == leaf)
            processor->leaves[i].reg[VT_EAX] = eax;
}

/* A processor of 2011 has nested paging, and none of what spares a guest's hypervisor its exits. */
START_TEST(what_nesting_costs_is_told_by_the_processor)
{
    static const char *const said[] = {"KVM offers AMD-V to its guests; its guests may use nested paging",
                                       "each VMLOAD and VMSAVE of theirs is an exit",
                                       "each CLGI and STGI of theirs is an exit"};
    struct vt_error error;
    struct vt_facts facts;

    ck_assert_int_eq(vt_dump_load(&facts, "tests/data/cpuid/bochs-amd-fx.txt", &error), 0);
    facts.live = true;
    json_t *document = describe(&facts, find_kvm("svm"));
    const char *text = vt_document_text(document, "verdict.nested.text");
    for (size_t i = 0; i < sizeof said / sizeof said[0]; i++)
        ck_assert_msg(text && strstr(text, said[i]), "no '%s' in: %s", said[i], text ? text : "nothing");
    ck_assert_ptr_null(strstr(text, "VMREAD"));
    json_decref(document);
    vt_facts_free(&facts);
}
END_TEST

/* What KVM has for its guests, and what a hypervisor outside has for KVM, are two. */
START_TEST(an_enlightened_vmcs_is_told_of_kvm_and_of_who_is_outside)
{
    static const char theirs[] = "those that know Hyper-V's interface may have an enlightened VMCS",
                      own[] = "the hypervisor outside spares KVM itself the exits of VMREAD and VMWRITE";
    static const struct {
        uint32_t last, nesting; /* what CPUID 0x40000000 and 0x4000000a say in EAX */
        int offered;            /* by KVM; -1: not told */
        json_int_t version;     /* -1: none in the document */
        bool says_theirs, says_none, says_own;
    } rows[] = {
        {0x4000000b, 0x000e0101, 1, 1, true, false, true},
        {0x4000000b, 0x00000201, 0, 2, false, true, true},
        {0x4000000b, 0, 0, 0, false, true, false},
        {0x40000009, 0x000e0101, -1, -1, false, false, false},
    };
    struct vt_error error;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct vt_facts facts;
        ck_assert_int_eq(vt_dump_load(&facts, "tests/data/cpuid/composed-guest-hyper-v.txt", &error), 0);
        facts.live = true;
        set_leaf(&facts, 0x40000000, rows[i].last);
        set_leaf(&facts, 0x4000000a, rows[i].nesting);
        json_t *document = describe_offering(&facts, find_kvm("vmx"), rows[i].offered);
        const json_t *version = vt_document_get(document, "hypervisor.enlightened_vmcs");
        const char *text = vt_document_text(document, "verdict.nested.text");
        ck_assert_int_eq(version ? json_integer_value(version) : -1, rows[i].version);
        ck_assert_msg(!strstr(text, theirs) == !rows[i].says_theirs, "row %zu: %s", i, text);
        ck_assert_msg(!strstr(text, "they have no enlightened VMCS") == !rows[i].says_none, "row %zu: %s", i,
                      text);
        ck_assert_msg(!strstr(text, own) == !rows[i].says_own, "row %zu: %s", i, text);
        json_decref(document);
        vt_facts_free(&facts);
    }
}
END_TEST

/* Each has its figure in docs/LAB.md: what is there need not exit, what is not is an exit. */
START_TEST(each_feature_that_spares_exits_is_told_both_ways)
{
    static const struct {
        const char *kvm, *feature, *with, *without;
    } rows[] = {
        {"svm", "amd_v.features.np", "may use nested paging", "must keep shadow page tables"},
        {"svm", "amd_v.features.v_vmsave_vmload", "VMLOAD and VMSAVE of theirs need not exit",
         "each VMLOAD and VMSAVE of theirs is an exit"},
        {"svm", "amd_v.features.vgif", "CLGI and STGI of theirs need not exit",
         "each CLGI and STGI of theirs is an exit"},
        {"vmx", "vt_x.features.ept", "may use nested paging", "must keep shadow page tables"},
        {"vmx", "vt_x.features.vmcs_shadowing", "VMREAD and VMWRITE of theirs need not exit",
         "each VMREAD and VMWRITE of theirs is an exit"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        for (int has = 0; has < 2; has++) {
            json_t *document = vt_document_new();
            vt_document_put(document, "source", json_string("machine"), NULL);
            put_kvm(document, find_kvm(rows[i].kvm));
            vt_document_put(document, rows[i].feature, json_boolean(has), NULL);
            vt_detect_verdict(document, NULL);
            const char *text = vt_document_text(document, "verdict.nested.text");
            ck_assert_msg(text && strstr(text, has ? rows[i].with : rows[i].without), "%s %d: %s",
                          rows[i].feature, has, text);
            ck_assert_msg(!strstr(text, has ? rows[i].without : rows[i].with), "%s", text);
            json_decref(document);
        }
}
END_TEST

VT_SUITE(an_enlightened_vmcs_is_told_of_kvm_and_of_who_is_outside,
         each_feature_that_spares_exits_is_told_both_ways, what_nesting_costs_is_told_by_the_processor,
         every_machine_gets_its_answer, no_machine_contradicts_itself, no_dump_contradicts_itself,
         a_host_of_trust_domains_is_not_denied_for_want_of_a_flag)
