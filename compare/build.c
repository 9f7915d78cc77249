#include "compare/build.h"
#include "base/provenance.h"

#include <string.h>

static bool warn_if_unlike(struct vt_comparison *comparison, const char *name, const char *before,
                           const char *after)
{
    if (!before || !after || strcmp(before, after) == 0)
        return false;
    vt_compare_warn(comparison,
                    "unlike builds of vmtoll: %s \"%.160s\" before, \"%.160s\" now; what its own code costs "
                    "differs with it (measure both with one build)",
                    name, before, after);
    return true;
}

static void warn_of_burden(struct vt_comparison *comparison, const struct vt_result *result, const char *side)
{
    char text[96];
    if (vt_provenance_burden(result->flags, text, sizeof text))
        vt_compare_warn(
            comparison,
            "the %s result is of a vmtoll built %s: its own code, such as call-outs of the translator, costs "
            "several times what it would (configure without CFLAGS, build and measure again)",
            side, text);
}

void vt_compare_warn_of_builds(struct vt_comparison *comparison)
{
    const struct vt_result *before = comparison->before, *after = comparison->after;
    bool unlike = warn_if_unlike(comparison, "version", before->version, after->version);
    unlike |= warn_if_unlike(comparison, "compiler", before->compiler, after->compiler);
    unlike |= warn_if_unlike(comparison, "flags", before->flags, after->flags);
    if (!unlike) /* otherwise it follows */
        warn_if_unlike(comparison, "build id", before->build_id, after->build_id);
    warn_of_burden(comparison, before, "old");
    warn_of_burden(comparison, after, "new");
}
