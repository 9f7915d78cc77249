#include "result/settings.h"
#include "base/layout.h"
#include "bench/sampler.h"

#include <math.h>
#include <string.h>

static json_t *words(const char *text)
{
    return text && *text ? json_string(text) : json_null();
}

static json_t *known(double value)
{
    return isnan(value) ? json_null() : json_real(value);
}

json_t *vt_settings_run(const struct vt_selection *selection, double budget, const struct vt_run *run)
{
    return json_pack("{s:f, s:o, s:o, s:o, s:o, s:o, s:f, s:f, s:o, s:I, s:s, s:f, s:f, s:o, s:b, s:I, s:o}",
                     "budget_s", budget, "engines", words(selection->engines), "paths",
                     words(selection->paths), "cases", words(selection->cases), "levels",
                     words(selection->levels), "cpu", run->cpu >= 0 ? json_integer(run->cpu) : json_null(),
                     "elapsed_s", run->elapsed, "tsc_khz", run->tsc_khz, "steal_s", known(run->steal),
                     "preemptions", (json_int_t)run->preemptions, "clock", "tsc", "precision",
                     VT_SAMPLER_PRECISION, "waited_s", run->waited, "shared", known(run->shared),
                     "fixed_layout", vt_layout_is_fixed(), "moved", (json_int_t)run->moved, "throttled",
                     isnan(run->throttled) ? json_null() : json_integer((json_int_t)run->throttled));
}

int vt_settings_add(struct vt_result *result, const char *started, const struct vt_setting *settings,
                    struct vt_error *error)
{
    if (!result->settings)
        result->settings = json_object();
    result->started = vt_arena_text(&result->arena, started, strlen(started));
    if (!result->settings || !result->started)
        return vt_error_memory(error, "the document's settings");
    for (; settings->key; settings++)
        json_object_set_new(result->settings, settings->key, words(settings->text));
    return 0;
}
