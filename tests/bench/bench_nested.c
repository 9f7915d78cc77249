/*
 * What KVM's way around an entry of a guest's guest is made of, on VT-x: the case vmresume-no-ept as it is,
 * and with one thing more that its hypervisor asks of the processor, or that its machine has, each in turn.
 * In instructions: this program boots itself in lab vmx. Prints each with its difference; nothing is judged.
 *
 * usage: bench_nested [WORDS [PARAMETERS [PATTERN]]]: as vmtoll lab's --append and --param, and which of them
 */
#include "bench/engines/kvm/machine.h"
#include "guest/vmcs.h"
#include "guest/vmx.h"
#include "lab/inside.h"
#include "lab/labs.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#define ROUNDS     5
#define ITERATIONS 100
#define CHANGES    8
#define LEAVES     256

/* Bits of a field of the VMCS that is made, which is added where it has none. */
struct change {
    uint64_t encoding, set, clear;
};

#define PIN(bits)                                                                                            \
    {                                                                                                        \
        VT_VMCS_PIN_CONTROLS, bits, 0                                                                        \
    }
#define PROCESSOR(bits)                                                                                      \
    {                                                                                                        \
        VT_VMCS_PROCESSOR_CONTROLS, bits, 0                                                                  \
    }
#define SECONDARY(bits)                                                                                      \
    PROCESSOR(UINT32_C(1) << 31),                                                                            \
    {                                                                                                        \
        VT_VMCS_SECONDARY_CONTROLS, bits, 0                                                                  \
    }
#define EXIT(bits)                                                                                           \
    {                                                                                                        \
        VT_VMCS_EXIT_CONTROLS, bits, 0                                                                       \
    }
#define ENTRY(bits)                                                                                          \
    {                                                                                                        \
        VT_VMCS_ENTRY_CONTROLS, bits, 0                                                                      \
    }

#define PAT            UINT64_C(0x0007040600070406)
#define LONG_MODE_EFER UINT64_C(0x500)
#define OSXSAVE        (UINT64_C(1) << 18)

/* Controls: Intel SDM 3C 25.6 to 25.8; those that are always 1 where the capability MSRs are not the TRUE
 * ones, A.2. */
struct variant {
    const char *name;
    struct change changes[CHANGES];
    void (*offer)(struct kvm_cpuid2 *cpuid); /* what its machine's CPUID holds else, or NULL */
};

static void drop_hypervisor_leaves(struct kvm_cpuid2 *cpuid)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < cpuid->nent; i++)
        if (cpuid->entries[i].function >> 28 != 4)
            cpuid->entries[kept++] = cpuid->entries[i];
    cpuid->nent = kept;
}

/* Leaves that nothing asks for, in front of the others. */
static void add_leaves(struct kvm_cpuid2 *cpuid)
{
    enum { MORE = 20 };

    memmove(cpuid->entries + MORE, cpuid->entries, cpuid->nent * sizeof cpuid->entries[0]);
    for (uint32_t i = 0; i < MORE; i++)
        cpuid->entries[i] = (struct kvm_cpuid_entry2){.function = 0x50000000 + i};
    cpuid->nent += MORE;
}

static const struct variant variants[] = {
    {"as it is", {{0}}, NULL},
    {"external interrupts exit", {PIN(1 << 0)}, NULL},
    {"NMIs exit", {PIN(1 << 3)}, NULL},
    {"virtual NMIs", {PIN(1 << 3 | 1 << 5)}, NULL},
    {"preemption timer", {PIN(1 << 6), {VT_VMCS_TIMER, UINT32_MAX, 0}}, NULL},
    {"TSC offset", {PROCESSOR(1 << 3), {VT_VMCS_TSC_OFFSET, 0, 0}}, NULL},
    {"HLT exits", {PROCESSOR(1 << 7)}, NULL},
    {"CR3 exits", {PROCESSOR(1 << 15 | 1 << 16)}, NULL},
    {"CR8 exits", {PROCESSOR(1 << 19 | 1 << 20)}, NULL},
    {"TPR shadow",
     {PROCESSOR(1 << 21),
      {VT_VMCS_VIRTUAL_APIC, VT_GUEST_NESTED + VT_NESTED_APIC, 0},
      {VT_VMCS_TPR_THRESHOLD, 0, 0}},
     NULL},
    {"ports exit", {PROCESSOR(1 << 24)}, NULL},
    {"MSR bitmap", {PROCESSOR(1 << 28), {VT_VMCS_MSR_BITMAP, VT_GUEST_NESTED + VT_NESTED_BITMAP, 0}}, NULL},
    {"secondary controls", {SECONDARY(0)}, NULL},
    {"RDTSCP", {SECONDARY(1 << 3)}, NULL},
    {"VPID", {SECONDARY(1 << 5), {VT_VMCS_VPID, VT_NESTED_ASID, 0}}, NULL},
    {"INVPCID", {SECONDARY(1 << 12)}, NULL},
    {"EPT", {SECONDARY(1 << 1), {VT_VMCS_EPT_POINTER, VT_GUEST_NESTED + VT_NESTED_TABLES + 0x1e, 0}}, NULL},
    {"EPT, unrestricted guest",
     {SECONDARY(1 << 1 | 1 << 7), {VT_VMCS_EPT_POINTER, VT_GUEST_NESTED + VT_NESTED_TABLES + 0x1e, 0}},
     NULL},
    {"debug controls saved", {EXIT(1 << 2)}, NULL},
    {"debug controls loaded", {ENTRY(1 << 2)}, NULL},
    {"PAT loaded at entries", {ENTRY(1 << 14), {VT_VMCS_GUEST_PAT, PAT, 0}}, NULL},
    {"PAT saved at exits", {EXIT(1 << 18)}, NULL},
    {"PAT loaded at exits", {EXIT(1 << 19), {VT_VMCS_HOST_PAT, PAT, 0}}, NULL},
    {"EFER loaded at entries", {ENTRY(1 << 15), {VT_VMCS_GUEST_EFER, LONG_MODE_EFER, 0}}, NULL},
    {"EFER saved at exits", {EXIT(1 << 20)}, NULL},
    {"EFER loaded at exits", {EXIT(1 << 21), {VT_VMCS_HOST_EFER, LONG_MODE_EFER, 0}}, NULL},
    {"interrupts acknowledged", {EXIT(1 << 15)}, NULL},
    {"#DB, #UD, #AC, #MC exit", {{VT_VMCS_EXCEPTIONS, 0x60042, 0}}, NULL},
    {"CR0's and CR4's masks",
     {{VT_VMCS_CR0_MASK, ~UINT64_C(8), 0}, {VT_VMCS_CR4_MASK, ~UINT64_C(0x1078e), 0}},
     NULL},
    {"interrupts on in the guest's guest", {{VT_VMCS_GUEST_RFLAGS, 0x200, 0}}, NULL},
    {"CR4.OSXSAVE in the guest's guest turned", {{VT_VMCS_GUEST_CR4, 0, OSXSAVE}}, NULL},
    {"a debug register on", {{VT_VMCS_GUEST_DR7, 0x401, 0}}, NULL},
    {"controls of the plain capability MSRs",
     {PIN(0x16), PROCESSOR(0x0401e172), EXIT(0x36dff), ENTRY(0x11ff)},
     NULL},
    {"the same, EFER both ways",
     {PIN(0x16),
      PROCESSOR(0x0401e172),
      EXIT(0x36dff | 1 << 21),
      ENTRY(0x11ff | 1 << 15),
      {VT_VMCS_GUEST_EFER, LONG_MODE_EFER, 0},
      {VT_VMCS_HOST_EFER, LONG_MODE_EFER, 0}},
     NULL},
    {"the same, EFER both ways, secondary controls",
     {PIN(0x16),
      PROCESSOR(0x8401e172),
      EXIT(0x36dff | 1 << 21),
      ENTRY(0x11ff | 1 << 15),
      {VT_VMCS_GUEST_EFER, LONG_MODE_EFER, 0},
      {VT_VMCS_HOST_EFER, LONG_MODE_EFER, 0},
      {VT_VMCS_SECONDARY_CONTROLS, 0, 0}},
     NULL},
    {"20 leaves of CPUID more", {{0}}, add_leaves},
    {"no leaves of CPUID that are KVM's", {{0}}, drop_hypervisor_leaves},
};
enum { VARIANTS = sizeof variants / sizeof variants[0] };

static void change(const struct vt_kvm_machine *machine, const struct change *change)
{
    struct vt_vmx_field *field = vt_vmm_memory(&machine->vm, VT_GUEST_NESTED + VT_NESTED_FIELDS, 0x1000);

    while (field->encoding != VT_VMX_FIELDS_END && field->encoding != change->encoding)
        field++;
    if (field->encoding == VT_VMX_FIELDS_END) {
        field[0] = (struct vt_vmx_field){change->encoding, 0};
        field[1].encoding = VT_VMX_FIELDS_END;
    }
    field->value = (field->value | change->set) & ~change->clear;
}

static int set_cpuid(const struct vt_kvm_machine *machine, void (*offer)(struct kvm_cpuid2 *cpuid))
{
    struct kvm_cpuid2 *cpuid = calloc(1, sizeof *cpuid + LEAVES * sizeof cpuid->entries[0]);
    int status = -1;

    if (!cpuid)
        return -1;
    cpuid->nent = LEAVES - 32;
    if (ioctl(machine->vm.system, KVM_GET_SUPPORTED_CPUID, cpuid) == 0) {
        offer(cpuid);
        status = ioctl(machine->vm.vcpu, KVM_SET_CPUID2, cpuid);
    }
    free(cpuid);
    return status;
}

/* The fewest instructions of a batch. */
static int shortest(struct vt_kvm_machine *machine, vt_case_function function, uint64_t *cycles,
                    struct vt_error *error)
{
    *cycles = UINT64_MAX;
    for (int i = 0; i < ROUNDS; i++) {
        struct vt_batch batch;
        if (vt_kvm_machine_batch(machine, function, ITERATIONS, &batch, error) != VT_BATCH_DONE)
            return -1;
        *cycles = batch.cycles < *cycles ? batch.cycles : *cycles;
    }
    return 0;
}

static int measure(struct vt_kvm_machine *machine, const struct vt_case *c, const struct variant *variant,
                   double *toll, struct vt_error *error)
{
    uint64_t body, baseline;

    if (variant->offer && set_cpuid(machine, variant->offer) != 0)
        return vt_error_set(error, VT_EXIT_INTERNAL, errno, "KVM_SET_CPUID2: %s", strerror(errno));
    if (vt_kvm_machine_start(machine, c, 0, error) != 0)
        return -1;
    for (size_t i = 0; i < CHANGES && variant->changes[i].encoding | variant->changes[i].set; i++)
        change(machine, &variant->changes[i]);
    if (vt_kvm_machine_enter(machine, error) != 0 || shortest(machine, c->body, &body, error) != 0 ||
        shortest(machine, c->baseline, &baseline, error) != 0)
        return -1;
    *toll = (double)(int64_t)(body - baseline) / ITERATIONS;
    return 0;
}

static void tell(FILE *out, const char *name, const struct variant *variant, double *before)
{
    static volatile int stop;
    static struct vt_kvm_machine machine;
    const struct vt_engine_settings settings = {.limit_ns = 20000000000, .stop = &stop};
    struct vt_error error;
    double toll = 0;

    int status = vt_kvm_machine_open(&machine, &settings, &error);
    if (status == 0) {
        status = measure(&machine, vt_guest_find_case(name), variant, &toll, &error);
        vt_kvm_machine_close(&machine);
    }
    if (status != 0) {
        fprintf(out, "%-44s %s\n", variant->name, error.text);
        return;
    }
    *before = variant == variants ? toll : *before;
    fprintf(out, "%-44s %10.2f %+9.2f\n", variant->name, toll, toll - *before);
}

static int run_inside(struct vt_error *error)
{
    static const char *const plain[] = {"vmread",  "vmwrite", "vmptrld", "vmptrst",
                                        "vmclear", "invept",  "invvpid", "vmxoff-vmxon"};
    struct vt_lab_plan plan = {0};
    char *lines = NULL;
    size_t size;
    double before = 0;

    if (vt_lab_inside_prepare(&plan, error) != 0)
        return -1;
    FILE *out = open_memstream(&lines, &size);
    for (size_t i = 0; i < VARIANTS; i++) {
        if (*plan.cases && fnmatch(plan.cases, variants[i].name, 0) != 0)
            continue;
        vt_lab_inside_say("@stage measuring: %s", variants[i].name);
        tell(out, "vmresume-no-ept", &variants[i], &before);
    }
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++) {
        fprintf(out, "%s: ", plain[i]);
        tell(out, plain[i], &variants[0], &before);
    }
    fclose(out);
    vt_lab_inside_send(lines, strlen(lines));
    return 0;
}

int main(int argc, char **argv)
{
    static const volatile int never;
    struct vt_error error = {.exit = VT_EXIT_INTERNAL, .text = "the machine did not answer"};
    struct vt_lab_outcome outcome = {0};
    const struct vt_lab_request request = {
        .levels = "0",
        .cases = argc > 3 ? argv[3] : NULL,
        .tuning = {.append = argc > 1 ? argv[1] : NULL, .parameters = argc > 2 ? argv[2] : NULL},
        .stop = vt_lab_stop_after(&never, 0)};

    if (vt_lab_inside())
        vt_lab_inside_end(run_inside(&error) == 0 ? NULL : &error);
    int status = vt_lab_run_vmx(&request, &outcome, &error);
    if (status == 0)
        printf("%.*s", (int)outcome.size, outcome.document);
    else
        puts(error.text);
    vt_lab_release(&outcome);
    return status == 0 ? 0 : 3;
}
