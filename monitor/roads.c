/* The roads that the monitor brings to the image (guest/image/road.h). */
#include "monitor/assist.h"
#include "monitor/call.h"
#include "monitor/exit/roads.h"
#include "monitor/road.h"
#include "monitor/translate_road.h"

#include <cpuid.h>

/* At ring 3 a hypercall instruction goes to the hypervisor below, past the monitor. */
static bool is_inside(void)
{
    unsigned a, b, c, d;

    __cpuid(1, a, b, c, d);
    return c >> 31 & 1;
}

static const char *why_not(const struct vt_case *c)
{
    const char *lack = vt_monitor_lacks(c);

    if (!lack && c->handler == VT_BY_HYPERCALL && is_inside())
        lack = "it may go to the hypervisor this machine runs under, past the monitor";
    return lack;
}

static void batch(const struct vt_case *c, bool body, uint64_t iterations, struct vt_road_batch *out)
{
    vt_monitor_prepare(c);
    vt_road_finish(vt_monitor_run(body ? c->body : c->baseline, iterations, VT_MONITOR_SHUT), out);
}

static const char *why_no_call(const struct vt_case *c)
{
    if (!vt_guest_pv_form(c, VT_PV_XEN)->calls)
        return "shared memory of Xen's, which the monitor does not keep";
    return vt_call_offers(c) ? NULL : "the monitor answers no such call of Xen's";
}

static void batch_of_form(const struct vt_case *c, bool body, uint64_t iterations, struct vt_road_batch *out)
{
    const struct vt_pv_form *form = vt_guest_pv_form(c, VT_PV_XEN);

    vt_monitor_prepare(c);
    vt_call_prepare(c);
    vt_road_finish(vt_monitor_run(body ? form->body : form->baseline, iterations, VT_MONITOR_CALLS), out);
}

static const struct vt_image_road by_fault = {
    .name = "monitor-trap",
    .counts = VT_ROAD_COUNTED,
    .refuse = vt_road_refuse,
    .why_not = why_not,
    .batch = batch,
    .bare = vt_road_bare,
};

static const char *why_no_assist(const struct vt_case *c)
{
    const char *lack = why_not(c);

    return lack ? lack : vt_assist_lacks(c->trapped_by);
}

static void batch_assisted(const struct vt_case *c, bool body, uint64_t iterations, struct vt_road_batch *out)
{
    vt_assist_set(c->trapped_by, true);
    batch(c, body, iterations, out);
    vt_assist_set(c->trapped_by, false);
}

static const struct vt_image_road by_assisted_fault = {
    .name = "monitor-trap-assist",
    .counts = VT_ROAD_COUNTED,
    .rows = VT_ROWS_ASSISTED,
    .refuse = vt_road_refuse,
    .why_not = why_no_assist,
    .batch = batch_assisted,
    .bare = vt_road_bare,
};

static const struct vt_image_road by_call = {
    .name = "monitor-call",
    .counts = VT_ROAD_COUNTED,
    .rows = VT_ROWS_FORMS,
    .refuse = vt_road_refuse,
    .why_not = why_no_call,
    .batch = batch_of_form,
    .bare = vt_road_bare_call,
};

const struct vt_image_road *const *vt_image_roads(size_t *count)
{
    static const struct vt_image_road *const all[] = {&by_fault,    &by_assisted_fault, &vt_road_translate,
                                                      &by_call,     &vt_road_svm,       &vt_road_svm_kvm,
                                                      &vt_road_vmx, &vt_road_vmx_kvm};

    *count = sizeof all / sizeof all[0];
    return all;
}
