#include "image/judge.h"
#include "base/text.h"
#include "result/result.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* No processor takes as long for one NOP; an interpreter takes ten times as long. */
#define INTERPRETED 200 /* cycles */

/* How far two clocks may be apart: as guest/boot/clock.c. */
#define TOLERANCE 200

/* Who signs leaf 0x40000000 how (Linux arch/x86, xen/include/public, Microsoft's TLFS, QEMU, VMware KB
 * 1009458). */
static const struct {
    const char *signature, *name;
    bool emulates;
} hypervisors[] = {
    {"KVMKVMKVM", "KVM", false},
    {"TCGTCGTCGTCG", "QEMU's TCG", true},
    {"Microsoft Hv", "Hyper-V", false},
    {"XenVMMXenVMM", "Xen", false},
    {"VMwareVMware", "VMware", false},
    {"VBoxVBoxVBox", "VirtualBox", false},
    {"bhyve bhyve ", "bhyve", false},
    {"ACRNACRNACRN", "ACRN", false},
    {" lrpepyh  vr", "Parallels", false},
    {"Jailhouse", "Jailhouse", false},
    {"QNXQVMBSQG", "QNX", false},
    {"HAXMHAXMHAXM", "HAXM", false},
    {"OpenBSDVMM58", "OpenBSD vmm", false},
};

/*
 * From how many times a thousand instructions on an operation of that class has been elsewhere. An exit and
 * its handling take at least twice as long; what a processor does itself takes a fraction, but for what waits
 * for devices or memory: of 0 no length tells.
 */
static const double far_above[VT_CLASSES] = {
    [VT_CLASS_IDENTIFICATION] = 1.5,
    [VT_CLASS_TIME] = 1.5,
    [VT_CLASS_CONTROL_REGISTER] = 1.5,
    [VT_CLASS_DEBUG_REGISTER] = 1.5,
    [VT_CLASS_SEGMENT] = 1.5,
    [VT_CLASS_DESCRIPTOR_TABLE] = 1.5,
    [VT_CLASS_FLAGS] = 1.5,
    [VT_CLASS_MSR] = 1.5,
    [VT_CLASS_HYPERCALL] = 1.5,
    [VT_CLASS_XSTATE] = 1.5,
    [VT_CLASS_PORT_IO] = 20,
    [VT_CLASS_MMIO] = 20,
    [VT_CLASS_APIC] = 10,
    [VT_CLASS_IDLE] = 10,
    [VT_CLASS_EXCEPTION] = 10,
};

static bool takes_long_itself(const struct vt_case *c)
{
    static const char *const names[] = {"wrmsr-ibpb", "toggle-cr4-pge"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(c->name, names[i]) == 0)
            return true;
    return false;
}

/* In cycles per operation; NaN: it was not measured. */
static double median_of(const struct vt_image_said *said, const char *name)
{
    double toll[VT_IMAGE_PAIRS_MOST];

    for (size_t i = 0; i < said->count; i++) {
        const struct vt_image_case *row = &said->cases[i];
        if (row->answer != VT_IMAGE_OK || strcmp(row->c->name, name) != 0)
            continue;
        for (size_t pair = 0; pair < row->pairs; pair++)
            toll[pair] =
                ((double)row->ticks[0][pair] - (double)row->ticks[1][pair]) / (double)row->iterations;
        return vt_statistics_median(toll, row->pairs);
    }
    return NAN;
}

static bool name_hypervisor(const struct vt_image_said *said, struct vt_image_ground *ground)
{
    const char *name = NULL;
    bool emulates = false;

    if (!said->hypervisor)
        return false;
    for (size_t i = 0; i < sizeof hypervisors / sizeof hypervisors[0]; i++)
        if (strcmp(hypervisors[i].signature, said->signature) == 0) {
            name = hypervisors[i].name;
            emulates = hypervisors[i].emulates;
        }
    if (name)
        snprintf(ground->hypervisor, sizeof ground->hypervisor, "%s (\"%s\")", name, said->signature);
    else if (*said->signature)
        snprintf(ground->hypervisor, sizeof ground->hypervisor, "an unknown one (\"%s\")", said->signature);
    else
        snprintf(ground->hypervisor, sizeof ground->hypervisor, "one without a signature");
    return emulates;
}

/* The image chose; whether the sources it names bear it out is seen here again. */
static bool is_borne_out(const struct vt_image_said *said)
{
    size_t agree = 0;
    for (size_t i = 0; i < said->clock_count; i++) {
        uint64_t khz = said->clocks[i].khz, apart = khz > said->khz ? khz - said->khz : said->khz - khz;
        agree += said->khz && apart <= said->khz / TOLERANCE;
    }
    return agree >= 2;
}

void vt_image_judge_ground(const struct vt_image_said *said, struct vt_image_ground *ground)
{
    *ground =
        (struct vt_image_ground){.nop = median_of(said, "nop"), .thousand = median_of(said, "thousand")};
    ground->emulated = name_hypervisor(said, ground);

    ground->rate = is_borne_out(said);
    ground->controls = !isnan(ground->nop) && ground->thousand > 0;
    ground->interpreted = said->hypervisor && ground->nop > INTERPRETED;
    ground->path = !said->hypervisor                         ? VT_PATH_NATIVE
                   : ground->emulated || ground->interpreted ? VT_PATH_EMULATED
                                                             : VT_PATH_HARDWARE;
}

static const char *who(const struct vt_image_ground *ground)
{
    return *ground->hypervisor ? ground->hypervisor : "one that does not announce itself";
}

static void infer_exit(const struct vt_image_ground *ground, struct vt_measurement *m)
{
    double from = far_above[m->c->class] * ground->thousand;
    bool never =
        m->c->vmx == VT_EXITS_NEVER && m->c->svm == VT_EXITS_NEVER && m->c->class != VT_CLASS_PORT_IO;

    if (never || m->toll_cycles.median < ground->thousand) {
        m->crossing = VT_CROSSING_NONE;
        snprintf(m->reason, sizeof m->reason, "inferred: %s",
                 never ? "no control of VT-x or AMD-V makes it exit"
                       : "it takes less than a thousand instructions of the same boot");
    } else if (from > 0 && m->toll_cycles.median >= from && !takes_long_itself(m->c)) {
        m->crossing = m->c->class == VT_CLASS_HYPERCALL ? VT_CROSSING_HYPERCALL : VT_CROSSING_EXIT_KERNEL;
        snprintf(
            m->reason, sizeof m->reason,
            "inferred: left to an outer hypervisor, %s: %.0f cycles where a thousand instructions take %.0f",
            who(ground), m->toll_cycles.median, ground->thousand);
    } else {
        snprintf(m->reason, sizeof m->reason,
                 "whether it was left to a hypervisor cannot be told: %.0f cycles may be its own (a thousand "
                 "instructions take "
                 "%.0f)",
                 m->toll_cycles.median, ground->thousand);
    }
}

static void infer(const struct vt_image_ground *ground, struct vt_measurement *m)
{
    enum vt_class class = m->c->class;

    if (!ground->controls) {
        snprintf(m->reason, sizeof m->reason,
                 "the controls of the same boot (nop, thousand) are missing: no crossing is "
                 "inferred");
    } else if (ground->interpreted) {
        m->crossing = VT_CROSSING_INTERPRETED;
        snprintf(m->reason, sizeof m->reason,
                 "inferred: a NOP takes %.0f cycles: ring 0 is read instruction by instruction by %s",
                 ground->nop, who(ground));
    } else if (class == VT_CLASS_CONTROL || class == VT_CLASS_COMPUTE) {
        m->crossing = VT_CROSSING_NONE;
    } else {
        infer_exit(ground, m);
    }
}

static const char no_rate[] =
    "no two sources agree on how fast this machine's time-stamp counter counts: cycles alone are known";

static void doubt(struct vt_measurement *m, const char *text)
{
    m->status = VT_STATUS_UNVERIFIED;
    snprintf(m->reason, sizeof m->reason, "%s", text);
}

/* What was asked for must have happened; the baseline of `hlt` takes an interrupt each turn as well. */
static void check_interrupts(const struct vt_image_case *row, struct vt_measurement *m)
{
    double operations = (double)row->iterations * (double)row->pairs;
    bool both = strcmp(row->c->name, "hlt") == 0;
    double body = (double)row->interrupts[0], baseline = (double)row->interrupts[1];
    double delivered = both ? baseline / operations : fabs(body - baseline) / operations;

    if (!row->has_interrupts || (delivered > 0.9 && delivered < 1.1))
        return;
    m->status = VT_STATUS_UNVERIFIED;
    snprintf(m->reason, sizeof m->reason, "%.2f interrupts per operation %s instead of 1", delivered,
             both ? "taken by the baseline" : "delivered");
}

static int take_batches(const struct vt_image_said *said, const struct vt_image_ground *ground,
                        const struct vt_image_case *row, struct vt_measurement *m)
{
    double toll[VT_IMAGE_PAIRS_MOST], work[VT_IMAGE_PAIRS_MOST];

    m->body = calloc(row->pairs, sizeof *m->body);
    m->baseline = calloc(row->pairs, sizeof *m->baseline);
    m->marks = calloc(row->pairs, sizeof *m->marks);
    if (!m->body || !m->baseline || !m->marks)
        return -ENOMEM;
    for (size_t i = 0; i < row->pairs; i++) {
        m->body[i] = (double)row->ticks[0][i] / (double)row->iterations;
        m->baseline[i] = (double)row->ticks[1][i] / (double)row->iterations;
        m->marks[i] = row->smi[i] ? VT_MARK_HIT : 0;
        m->marked += row->smi[i];
        toll[i] = m->body[i] - m->baseline[i];
    }
    m->iterations = row->iterations;
    m->batches = row->pairs;
    m->stop = VT_STOP_SAMPLES;
    m->tsc_khz = ground->rate ? (double)said->khz : 0;
    m->toll_cycles = vt_statistics_summarize(toll, row->pairs, work);
    m->toll =
        ground->rate ? vt_statistics_scale(&m->toll_cycles, 1e6 / m->tsc_khz) : vt_result_unknown_summary();
    if (row->has_interrupts) {
        vt_counters_put(&m->body_counters, VT_INTERRUPTS, row->interrupts[0]);
        vt_counters_put(&m->baseline_counters, VT_INTERRUPTS, row->interrupts[1]);
    }
    return 0;
}

/* #UD: not there. #GP: somebody looked at it and would not do it. */
static void take_fault(const struct vt_image_case *row, struct vt_measurement *m)
{
    const char *why = row->vector == 6                     ? "the instruction is not offered"
                      : row->vector == 13 && m->c->refusal ? m->c->refusal
                                                           : NULL;
    m->status = why ? VT_STATUS_UNSUPPORTED : VT_STATUS_FAILED;
    snprintf(m->reason, sizeof m->reason, "%s: %s", vt_guest_vector_name(row->vector),
             why ? why : "unexpected");
}

static int take_seen(const struct vt_image_case *row, struct vt_measurement *m)
{
    m->body_counters = row->counters[0];
    m->baseline_counters = row->counters[1];
    for (unsigned vector = 0; vector < VT_IMAGE_VECTORS; vector++)
        if (row->vectors[0][vector] || row->vectors[1][vector])
            vt_lab_road_note_vector(m, vector, (double)row->vectors[0][vector],
                                    (double)row->vectors[1][vector]);
    int status = row->bare[1] ? vt_lab_road_take_bare(m, (double)row->bare[0], (double)row->bare[1]) : 0;
    if (status == 0)
        vt_lab_road_judge(row->road, m);
    return status;
}

/* In the unit of the toll. */
static void scale_parts(struct vt_measurement *m, bool rate)
{
    if (!rate)
        m->parts_known = 0;
    for (int part = 0; part < VT_PARTS; part++)
        if (m->parts_known >> part & 1)
            m->parts[part] = vt_statistics_scale(&m->parts[part], 1e6 / m->tsc_khz);
}

/* Its crossings are counted, by the monitor, which is the image's own. */
static void take_road(const struct vt_image_case *row, struct vt_measurement *m)
{
    m->engine = row->road->engine;
    m->path = row->road->path;
    m->cpl = row->road->cpl;
    m->form = row->road->rows == VT_ROWS_FORMS ? vt_guest_pv_form(row->c, VT_PV_XEN) : NULL;
}

static void infer_all(const struct vt_image_ground *ground, const struct vt_image_case *row,
                      struct vt_measurement *m)
{
    m->status = VT_STATUS_OK;
    infer(ground, m);
    check_interrupts(row, m);
}

int vt_image_judge(const struct vt_image_said *said, const struct vt_image_ground *ground,
                   const struct vt_image_case *row, struct vt_measurement *m)
{
    *m = (struct vt_measurement){
        .c = row->c, .engine = VT_IMAGE_ENGINE, .path = ground->path, .vcpus = 1, .exits_per_op = NAN};
    int status = 0;

    if (row->road)
        take_road(row, m);
    switch (row->answer) {
    case VT_IMAGE_SILENT:
        m->status = VT_STATUS_TIMEOUT;
        snprintf(m->reason, sizeof m->reason,
                 "nothing more came: it did not return, or the machine ended or was switched off");
        break;
    case VT_IMAGE_UNSUPPORTED:
        m->status = VT_STATUS_UNSUPPORTED;
        snprintf(m->reason, sizeof m->reason, "%s", row->reason);
        break;
    case VT_IMAGE_FAULT:
        take_fault(row, m);
        break;
    case VT_IMAGE_ENDED:
        vt_lab_road_fail(m, row->end, row->vector);
        break;
    case VT_IMAGE_OK:
        status = take_batches(said, ground, row, m);
        if (status == 0 && row->road)
            status = take_seen(row, m);
        else if (status == 0)
            infer_all(ground, row, m);
        scale_parts(m, ground->rate);
        if (!ground->rate)
            doubt(m, no_rate);
        break;
    }
    return status;
}
