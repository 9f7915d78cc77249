#include "compare/warnings.h"
#include "compare/build.h"
#include "compare/counts.h"

#include <math.h>
#include <string.h>

static const double unlike_clock = 1e-3; /* what one clock is measured to be differs by less */
static const double shared_share = 0.2;  /* of a run's pairs */

static void warn_of_tsc(struct vt_comparison *comparison)
{
    double a = vt_result_tsc_khz(comparison->before), b = vt_result_tsc_khz(comparison->after);
    if (fabs(a - b) > unlike_clock * fmax(a, b))
        vt_compare_warn(comparison,
                        "unlike clocks: the time-stamp counter ran at %.3f MHz and runs at %.3f MHz", a / 1e3,
                        b / 1e3);
}

static void warn_of_host(struct vt_comparison *comparison)
{
    static const struct {
        const char *path, *name;
    } facts[] = {
        {"cpu.brand", "processor"},
        {"kvm.backend", "KVM backend"},
        {"hypervisor.signature", "hypervisor around"},
        {"timing.governor", "frequency governor"},
        {"system.hostname", "host name"},
        {"timing.clocksource", "clock source"},
    };
    for (size_t i = 0; i < sizeof facts / sizeof facts[0]; i++) {
        const char *a = vt_result_host_text(comparison->before, facts[i].path);
        const char *b = vt_result_host_text(comparison->after, facts[i].path);
        if (a && b && strcmp(a, b) != 0)
            vt_compare_warn(comparison, "unlike machines: the %s was \"%.80s\" and is \"%.80s\"",
                            facts[i].name, a, b);
    }
    if (vt_compare_warn_of_labs(comparison))
        return;
    warn_of_tsc(comparison);
    const char *a = vt_result_host_text(comparison->before, "system.kernel");
    const char *b = vt_result_host_text(comparison->after, "system.kernel");
    if (a && b && strcmp(a, b) != 0)
        vt_compare_warn(comparison, "the kernel was %.80s and is %.80s", a, b);
}

static void warn_of_rows(struct vt_comparison *comparison)
{
    if (comparison->alone_before || comparison->alone_after)
        vt_compare_warn(comparison, "%zu measurements are only in the old result and %zu only in the new one",
                        comparison->alone_before, comparison->alone_after);
    if (comparison->before->interrupted || comparison->after->interrupted)
        vt_compare_warn(comparison, "the %s run was interrupted",
                        comparison->before->interrupted ? "old" : "new");
}

static void warn_of_company(struct vt_comparison *comparison, const struct vt_result *result,
                            const char *side)
{
    double share = json_number_value(json_object_get(result->settings, "shared"));
    double throttled = json_number_value(json_object_get(result->settings, "throttled"));
    if (throttled > 0)
        vt_compare_warn(
            comparison,
            "a CPU quota (cpu.max of the control group) stopped the %s run %.0f times: only larger "
            "changes can be found",
            side, throttled);
    else if (share > shared_share)
        vt_compare_warn(
            comparison,
            "something else used the core during %.0f %% of the %s run's batches: only larger changes "
            "can be found (measure again when it is quieter)",
            100 * fmin(1, share), side);
}

void vt_compare_add_warnings(struct vt_comparison *comparison)
{
    warn_of_host(comparison);
    vt_compare_warn_of_builds(comparison);
    warn_of_rows(comparison);
    warn_of_company(comparison, comparison->before, "old");
    warn_of_company(comparison, comparison->after, "new");
}
