/* `vmtoll lab inside`: this program as the first process of an emulated machine. */
#include "bench/runner.h"
#include "base/stream.h"
#include "bench/select.h"
#include "base/statistics.h"
#include "cli/command.h"
#include "lab/below.h"
#include "lab/inside.h"
#include "lab/machine/nrips.h"
#include "lab/parameters.h"
#include "probes/probe.h"
#include "result/document.h"
#include "result/save.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Guest seconds; no batch of a case takes a twentieth of it. */
#define BUDGET 60

static void tell_progress(void *context, const struct vt_progress *p)
{
    (void)context;
    vt_lab_inside_say("@case %zu %zu %s", p->done + 1, p->total, p->name);
}

static void note_parameter(void *context, const char *name, const char *value)
{
    json_object_set_new(context, name, json_string(value));
}

/* What was asked for, and what is so: KVM decides by the processor which of its parameters hold. */
static json_t *describe(const struct vt_lab_plan *asked, double ticks)
{
    json_t *parameters = json_object();
    vt_lab_parameters_each("/sys/module", note_parameter, parameters);
    return json_pack("{s:s, s:I, s:I, s:f, s:I, s:o}", "levels", asked->levels, "iterations",
                     (json_int_t)asked->iterations, "pairs", (json_int_t)asked->pairs,
                     "ticks_per_instruction", ticks, "processors", (json_int_t)sysconf(_SC_NPROCESSORS_ONLN),
                     "module_parameters", parameters);
}

static char *print(const struct vt_document *document, bool one_line, size_t *size, struct vt_error *error)
{
    struct vt_result *result = vt_result_make(document, error);
    char *text = NULL;
    FILE *stream = result ? vt_stream_memory(&text, size) : NULL;
    int status = stream ? vt_result_print(result, one_line, stream) : -ENOMEM;

    if (stream && fclose(stream) != 0)
        status = -ENOMEM;
    if (status != 0 && result)
        vt_error_memory(error, "the result document");
    vt_result_free(result);
    if (status == 0)
        return text;
    free(text);
    return NULL;
}

static int send_document(const struct vt_run *run, const struct vt_lab_plan *asked, double ticks,
                         struct vt_error *error)
{
    struct vt_document document = {
        .host = vt_probes_machine(error),
        .settings = describe(asked, ticks),
        .measurements = run->measurements,
        .count = run->count,
    };
    size_t size;
    char *text = print(&document, false, &size, error);

    if (text)
        vt_lab_inside_send(text, size);
    free(text);
    json_decref(document.settings);
    json_decref(document.host);
    return text ? 0 : -ENOMEM;
}

/* The lab is about the hypervisor: a form of KVM's, or of Xen's where a guest that keeps its ring 0 has it.
 */
static bool is_of_hypervisor(const struct vt_measurement *m)
{
    const struct vt_pv_form *kvm = vt_guest_pv_form(m->c, VT_PV_KVM);
    const struct vt_pv_form *xen = vt_guest_pv_form(m->c, VT_PV_XEN);

    if (m->path != VT_PATH_PARAVIRTUAL)
        return true;
    if (m->form)
        return m->form == kvm || m->form == xen;
    return kvm || (xen && !(xen->needs & (VT_PV_NEED_EVENT_MASK | VT_PV_NEED_PV_MMU)));
}

static void keep_hypervisors(struct vt_run *run)
{
    size_t kept = 0;
    for (size_t i = 0; i < run->count; i++)
        if (is_of_hypervisor(&run->measurements[i]))
            run->measurements[kept++] = run->measurements[i];
        else
            vt_measurement_release(&run->measurements[i]);
    run->count = kept;
}

static bool lacks_nrips(void)
{
    char value[VT_LAB_PARAMETER_VALUE];
    return vt_lab_parameters_value("/sys/module", "kvm_amd", "nrips", value) &&
           vt_lab_parameters_agree("0", value);
}

/* What fails here fails again at the end, and is told there. */
static void send_row(void *context, const struct vt_measurement *made)
{
    struct vt_measurement row = *made;
    const struct vt_document document = {.measurements = &row, .count = 1};
    struct vt_error ignored;
    size_t size;
    char *text;

    if (!is_of_hypervisor(made))
        return;
    if (*(const bool *)context)
        vt_lab_nrips_note(&row, 1);
    text = print(&document, true, &size, &ignored);
    if (text)
        vt_lab_inside_send_row(text, size);
    free(text);
}

static int measure(const struct vt_lab_plan *asked, struct vt_plan *plan, struct vt_error *error)
{
    static const volatile int never;
    bool decoding = lacks_nrips();
    struct vt_simulation simulation = {
        .engine = asked->engine,
        .iterations = asked->iterations,
        .pairs = asked->pairs,
        .lost = asked->lost,
        .lost_count = asked->lost_count,
        .before = asked->before,
        .made = send_row, /* with a profile as well: equal runs, equal counts */
        .context = &decoding,
        .depth = asked->depth,
        .outer = asked->depth > 1 ? &vt_lab_below : NULL,
    };
    struct vt_run run;

    int status = vt_lab_inside_calibrate(&simulation.ticks_per_instruction, error);
    if (status != 0)
        return status;
    /* cppcheck-suppress autoVariables ; the plan is not used after the run below */
    plan->simulation = &simulation;
    plan->budget = BUDGET;
    plan->cpu = -1;
    plan->stop = &never;
    plan->progress = tell_progress;
    vt_lab_inside_say("@stage measuring");
    status = vt_bench_run(&run, plan, error);
    if (status == 0) {
        keep_hypervisors(&run);
        if (decoding)
            vt_lab_nrips_note(run.measurements, run.count);
        status = send_document(&run, asked, simulation.ticks_per_instruction, error);
        vt_run_release(&run);
    }
    return status;
}

int vt_cli_lab_inside(void)
{
    struct vt_lab_plan asked = {0};
    struct vt_plan plan = {0};
    struct vt_error error;

    if (!vt_lab_inside())
        return vt_cli_misuse("lab inside: this is for the first process of an emulated machine");
    int status = vt_lab_inside_prepare(&asked, &error);
    if (status == 0 && asked.starts)
        status = vt_lab_below_run(&error);
    struct vt_selection selection = {
        .cases = *asked.cases ? asked.cases : NULL, .engines = "kvm,hypercall", .levels = asked.levels};
    if (status == 0)
        status = vt_select(&selection, &plan, &error);
    if (status == 0)
        status = measure(&asked, &plan, &error);
    if (status == 0 && asked.profile)
        (asked.pages ? vt_lab_inside_hand_over_symbols : vt_lab_inside_send_symbols)();
    vt_lab_inside_end(status == 0 ? NULL : &error);
}
