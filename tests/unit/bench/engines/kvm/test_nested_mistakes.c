/*
 * A guest that is a hypervisor and gets something wrong is told what, in a status, and the machine after it
 * works. Where KVM here offers its guests neither AMD-V nor VT-x, this program boots itself in a lab that has
 * it, and the lab says when it has waited long enough.
 *
 * seconds: 1800
 * beside others
 */
#include "bench/engines/kvm/machine.h"
#include "guest/svm.h"
#include "guest/vmcs.h"
#include "guest/vmx.h"
#include "lab/inside.h"
#include "lab/labs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *page(const struct vt_kvm_machine *machine, uint64_t offset)
{
    return vt_vmm_memory(&machine->vm, VT_GUEST_NESTED + offset, 0x1000);
}

static void nothing(const struct vt_kvm_machine *machine)
{
    (void)machine;
}

/* ---- VT-x. ---- */

static void set_field(const struct vt_kvm_machine *machine, uint64_t encoding, uint64_t value)
{
    struct vt_vmx_field *field = page(machine, VT_NESTED_FIELDS);

    while (field->encoding != VT_VMX_FIELDS_END && field->encoding != encoding)
        field++;
    if (field->encoding == encoding)
        field->value = value;
}

static void no_feature(const struct vt_kvm_machine *machine)
{
    vt_vmm_set_msr(machine->vm.vcpu, VT_VMX_FEATURE_CONTROL_MSR, 0);
}

static void other_revision_of_vmxon(const struct vt_kvm_machine *machine)
{
    *(uint32_t *)page(machine, VT_NESTED_SAVE) ^= 1;
}

static void other_revision(const struct vt_kvm_machine *machine)
{
    *(uint32_t *)page(machine, VT_NESTED_INNER) ^= 1;
}

static void no_such_field(const struct vt_kvm_machine *machine)
{
    ((struct vt_vmx_field *)page(machine, VT_NESTED_FIELDS))->encoding = 0x6ffe;
}

static void bad_controls(const struct vt_kvm_machine *machine)
{
    set_field(machine, VT_VMCS_PIN_CONTROLS, 0);
}

static void bad_host(const struct vt_kvm_machine *machine)
{
    set_field(machine, VT_VMCS_HOST_TR, 0);
}

static void bad_guest(const struct vt_kvm_machine *machine)
{
    set_field(machine, VT_VMCS_LINK, 0x10);
}

static void no_code(const struct vt_kvm_machine *machine)
{
    set_field(machine, VT_VMCS_GUEST_RIP, VT_GUEST_ABSENT);
}

/* ---- AMD-V. ---- */

static struct vt_vmcb *block(const struct vt_kvm_machine *machine)
{
    return page(machine, VT_NESTED_INNER);
}

static void no_svme(const struct vt_kvm_machine *machine)
{
    block(machine)->efer &= ~VT_SVM_EFER_SVME;
}

static void no_asid(const struct vt_kvm_machine *machine)
{
    block(machine)->asid = 0;
}

static void no_intercept(const struct vt_kvm_machine *machine)
{
    block(machine)->intercepts[4] &= ~1u;
}

static void bad_cr0(const struct vt_kvm_machine *machine)
{
    block(machine)->cr0 = UINT64_C(1) << 29; /* NW without CD */
}

static void no_nested_code(const struct vt_kvm_machine *machine)
{
    block(machine)->nested_cr3 = VT_GUEST_NESTED + VT_NESTED_APIC; /* an empty table */
}

struct mistake {
    void (*spoil)(const struct vt_kvm_machine *machine);
    const char *name, *told; /* NULL: nothing is wrong */
};

static const struct kind {
    const char *vendor, *name; /* of the case */
    int (*lab)(const struct vt_lab_request *request, struct vt_lab_outcome *outcome, struct vt_error *error);
    struct mistake mistakes[9];
} kinds[] = {
    {"AMD-V",
     "vmrun",
     vt_lab_run_svm,
     {{nothing, "all is well", NULL},
      {no_asid, "ASID 0", "exit code 0xffffffffffffffff (INVALID)"},
      {no_svme, "EFER.SVME 0", "(INVALID)"},
      {no_intercept, "VMRUN not intercepted", "(INVALID)"},
      {bad_cr0, "CR0 with NW alone", "(INVALID)"},
      {no_nested_code, "empty nested page tables", "exit code 0x400 (NPF)"},
      {nothing, "all is well again", NULL}}},
    {"VT-x",
     "vmresume",
     vt_lab_run_vmx,
     {{nothing, "all is well", NULL},
      {no_feature, "IA32_FEATURE_CONTROL 0", "unexpected #GP"},
      {other_revision_of_vmxon, "VMXON region of another revision",
       "VMXON fails in the guest, and there is no"},
      {other_revision, "VMCS of another revision", "VMPTRLD fails in the guest, and there is no VMCS"},
      {no_such_field, "a field there is not", "VMWRITE of field 0x6ffe fails in the guest: error 12"},
      {bad_controls, "pin-based controls 0",
       "VMLAUNCH fails in the guest: error 7 (entry with invalid control"},
      {bad_host, "host TR 0", "VMLAUNCH fails in the guest: error 8 (entry with invalid host-state"},
      {bad_guest, "a link pointer", "exit reason 0x80000021 (entry with invalid guest state)"},
      {no_code, "RIP where nothing is", "unexpected #PF"}}},
};
enum { KINDS = sizeof kinds / sizeof kinds[0], MISTAKES = 9 };

/* What came of a mistake, in a line. */
static void try(struct vt_kvm_machine *machine, const struct vt_case *c, const struct mistake *mistake,
                char *text, size_t size)
{
    struct vt_error error = {.text = "done"};
    struct vt_batch batch;

    if (vt_kvm_machine_start(machine, c, 0, &error) == 0) {
        mistake->spoil(machine);
        if (vt_kvm_machine_enter(machine, &error) == 0)
            vt_kvm_machine_batch(machine, c->body, 10, &batch, &error);
    }
    snprintf(text, size, "%.*s", (int)size - 1, error.text);
}

/* A line for each mistake; what they need is not there: none, and the reason. */
static bool try_all(const struct kind *kind, FILE *out, char *reason, size_t size)
{
    static volatile int stop;
    static struct vt_kvm_machine machine;
    const struct vt_engine_settings settings = {.limit_ns = 20000000000, .stop = &stop};
    const struct vt_case *c = vt_guest_find_case(kind->name);
    struct vt_error error;

    if (vt_kvm_machine_open(&machine, &settings, &error) != 0) {
        snprintf(reason, size, "%s", error.text);
        return false;
    }
    bool offered = vt_kvm_machine_offers(&machine, c->needs, reason, size);
    for (size_t i = 0; offered && i < MISTAKES && kind->mistakes[i].spoil; i++) {
        char text[400];
        try(&machine, c, &kind->mistakes[i], text, sizeof text);
        fprintf(out, "%s\n", text);
    }
    vt_kvm_machine_close(&machine);
    return offered;
}

static int number, failed;

static void report(const struct kind *kind, char *lines)
{
    for (size_t i = 0; i < MISTAKES && kind->mistakes[i].spoil; i++) {
        const struct mistake *mistake = &kind->mistakes[i];
        const char *line = strsep(&lines, "\n");
        bool holds =
            line && (mistake->told ? strstr(line, mistake->told) != NULL : strcmp(line, "done") == 0);
        failed += !holds;
        printf("%s %d - %s: %s\n", holds ? "ok" : "not ok", ++number, kind->vendor, mistake->name);
        printf("# %s\n", line ? line : "nothing came");
    }
}

/* What a lab needs is not here: that is no fault of what is tested. A sanitizer makes it many times slower.
 */
static bool is_excused(const struct vt_error *error)
{
    static const char *const words[] = {
        "the package",      "is missing", "no cache folder", "halted with interrupts off",
#ifdef __SANITIZE_ADDRESS__
        "no result within",
#endif
    };

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (error->exit == VT_EXIT_ENVIRONMENT && strstr(error->text, words[i]))
            return true;
    return false;
}

static void run_in_lab(const struct kind *kind)
{
    static const volatile int never;
    const struct vt_lab_request request = {
        .cases = kind->name, .levels = "0", .stop = vt_lab_stop_after(&never, 0)};
    struct vt_lab_outcome outcome = {0};
    struct vt_error error = {0};
    const char *labs = getenv("LAB");

    if (labs && strcmp(labs, "0") == 0) {
        printf("ok %d - %s # SKIP labs are left out: LAB=0\n", ++number, kind->vendor);
    } else if (kind->lab(&request, &outcome, &error) == 0) {
        char *lines = strndup(outcome.document, outcome.size);
        report(kind, lines);
        free(lines);
    } else {
        bool skipped = is_excused(&error);
        failed += !skipped;
        printf("%s %d - %s%s%s\n", skipped ? "ok" : "not ok", ++number, kind->vendor,
               skipped ? " # SKIP " : "\n# ", error.text);
    }
    vt_lab_release(&outcome);
}

static void run_outside(const struct kind *kind)
{
    char *lines = NULL, reason[sizeof((struct vt_error *)0)->text] = "";
    size_t size;
    FILE *out = open_memstream(&lines, &size);
    bool here = try_all(kind, out, reason, sizeof reason);

    fclose(out);
    if (here) {
        report(kind, lines);
    } else {
        printf("# in a lab: %s\n", reason);
        fflush(stdout);
        run_in_lab(kind);
    }
    free(lines);
}

/* The plan names the case. */
static int run_inside(struct vt_error *error)
{
    struct vt_lab_plan plan = {0};
    char *lines = NULL, reason[sizeof((struct vt_error *)0)->text] = "no such case";
    size_t size;
    bool done = false;

    if (vt_lab_inside_prepare(&plan, error) != 0)
        return -1;
    vt_lab_inside_say("@stage measuring");
    FILE *out = open_memstream(&lines, &size);
    for (size_t i = 0; i < KINDS; i++)
        if (strcmp(plan.cases, kinds[i].name) == 0)
            done = try_all(&kinds[i], out, reason, sizeof reason);
    fclose(out);
    if (!done)
        return vt_error_set(error, VT_EXIT_INTERNAL, 0, "%s", reason);
    vt_lab_inside_send(lines, strlen(lines));
    return 0;
}

int main(void)
{
    struct vt_error error = {.exit = VT_EXIT_INTERNAL, .text = "the machine did not answer"};

    if (vt_lab_inside())
        vt_lab_inside_end(run_inside(&error) == 0 ? NULL : &error);
    for (size_t i = 0; i < KINDS; i++)
        run_outside(&kinds[i]);
    printf("1..%d\n", number);
    return failed != 0;
}
