#include "monitor/exit/roads.h"

#include "monitor/road.h"
#include "monitor/exit/svm.h"
#include "monitor/exit/vmx.h"

/* Of an exit with nothing done: each is measured once. */
struct bare {
    bool measured;
    uint64_t ticks;
};

static uint64_t run_bare(enum vt_monitor_end (*run)(vt_case_function function, uint64_t iterations),
                         vt_case_function function)
{
    vt_monitor_prepare(vt_guest_find_case("cpuid"));
    return run(function, VT_ROAD_BARE) == VT_MONITOR_RETURNED ? vt_monitor.tsc[1] - vt_monitor.tsc[0] : 0;
}

static uint64_t run_bare_svm(vt_case_function function)
{
    return run_bare(vt_svm_run_bare, function);
}

static uint64_t run_bare_vmx(vt_case_function function)
{
    return run_bare(vt_vmx_run_bare, function);
}

static uint64_t measure(struct bare *bare, vt_road_batch_of *batch, uint64_t *crossings)
{
    const struct vt_case *c = vt_guest_find_case("cpuid");

    if (!bare->measured)
        bare->ticks = vt_road_measure_bare(batch, c->body, c->baseline);
    bare->measured = true;
    *crossings = VT_ROAD_BARE;
    return bare->ticks;
}

static uint64_t bare_svm(uint64_t *crossings)
{
    static struct bare bare;

    return measure(&bare, run_bare_svm, crossings);
}

static uint64_t bare_vmx(uint64_t *crossings)
{
    static struct bare bare;

    return measure(&bare, run_bare_vmx, crossings);
}

static const char *refuse_svm(void)
{
    const char *reason = vt_road_refuse();

    return reason ? reason : vt_svm_open();
}

static const char *refuse_vmx(void)
{
    const char *reason = vt_road_refuse();

    return reason ? reason : vt_vmx_open();
}

static vt_case_function begin(const struct vt_case *c, bool body)
{
    vt_monitor_prepare(c);
    return body ? c->body : c->baseline;
}

static void svm(const struct vt_case *c, bool body, uint64_t iterations, struct vt_road_batch *out)
{
    vt_road_finish(vt_svm_run(begin(c, body), iterations, VT_SVM_ALL), out);
}

static void svm_as_kvm(const struct vt_case *c, bool body, uint64_t iterations, struct vt_road_batch *out)
{
    vt_road_finish(vt_svm_run(begin(c, body), iterations, VT_SVM_AS_KVM), out);
}

static void vmx(const struct vt_case *c, bool body, uint64_t iterations, struct vt_road_batch *out)
{
    vt_road_finish(vt_vmx_run(begin(c, body), iterations, VT_VMX_ALL), out);
}

static void vmx_as_kvm(const struct vt_case *c, bool body, uint64_t iterations, struct vt_road_batch *out)
{
    vt_road_finish(vt_vmx_run(begin(c, body), iterations, VT_VMX_AS_KVM), out);
}

#define ROAD(words, way, measured, run)                                                                      \
    {                                                                                                        \
        .name = words, .counts = VT_ROAD_COUNTED, .refuse = way, .why_not = vt_monitor_lacks, .batch = run,  \
        .bare = measured                                                                                     \
    }

const struct vt_image_road vt_road_svm = ROAD("monitor-svm", refuse_svm, bare_svm, svm);
const struct vt_image_road vt_road_svm_kvm = ROAD("monitor-svm-kvm", refuse_svm, bare_svm, svm_as_kvm);
const struct vt_image_road vt_road_vmx = ROAD("monitor-vmx", refuse_vmx, bare_vmx, vmx);
const struct vt_image_road vt_road_vmx_kvm = ROAD("monitor-vmx-kvm", refuse_vmx, bare_vmx, vmx_as_kvm);
