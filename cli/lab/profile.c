#include "cli/lab/profile.h"
#include "lab/profile/row.h"
#include "result/profile.h"

#include <errno.h>
#include <string.h>

static uint64_t address(const struct vt_lab_profile *profile, vt_case_function function)
{
    return profile->code + (uint64_t)((const uint8_t *)function - vt_guest_code_start);
}

/* The case itself, or the form of it that was captured next. */
static int make(struct vt_profile *made, const struct vt_lab_profile *profile, struct vt_replay *replay,
                size_t *cursor, const struct vt_result_row *row, const struct vt_case *c)
{
    struct vt_profile_row asked = {
        .alternates = profile->alternates,
        .computed = profile->computed,
        .skipped = profile->skipped,
        .iterations = (uint64_t)row->iterations,
        .bodies = row->samples_body.values,
        .baselines = row->samples_baseline.values,
        .pairs = row->samples_body.count,
        .toll = row->toll.median,
    };
    int status = -ENOENT;

    asked.body = address(profile, c->body);
    asked.baseline = address(profile, c->baseline);
    if (row->known.path != VT_PATH_PARAVIRTUAL)
        return vt_profile_make(made, replay, cursor, &asked);
    for (int i = 0; status == -ENOENT && i < VT_PV_INTERFACES; i++) {
        const struct vt_pv_form *form = vt_guest_pv_form(c, (enum vt_pv_interface)i);
        if (!form)
            continue;
        asked.body = address(profile, form->body);
        asked.baseline = address(profile, form->baseline);
        status = vt_profile_make(made, replay, cursor, &asked);
    }
    return status;
}

static int profile_row(const struct vt_lab_profile *profile, struct vt_replay *replay, size_t *cursor,
                       struct vt_result *result, struct vt_result_row *row)
{
    const struct vt_case *c = vt_guest_find_case(row->name);
    struct vt_profile made;

    if (!c || !vt_result_has_toll(row) || row->samples_body.count != row->samples_baseline.count)
        return 0;
    int status = make(&made, profile, replay, cursor, row, c);
    if (status == -ENOENT && row->status == VT_STATUS_OK) {
        row->status = VT_STATUS_UNVERIFIED;
        row->reason = "no batch of its own was captured as a whole";
    }
    if (status != 0)
        return status == -ENOENT ? 0 : status;
    status = vt_result_set_profile(result, row, &made);
    vt_profile_release(&made);
    return status;
}

static int profile_engine(struct vt_lab_profile *profile, const struct vt_lab_stop *stop,
                          struct vt_result *result)
{
    struct vt_replay replay;
    size_t cursor = 0;
    unsigned machine = (profile->virtualized ? VT_REPLAY_VIRTUALIZED : 0) |
                       (profile->attempts ? VT_REPLAY_ATTEMPTS : 0) | (profile->deep ? VT_REPLAY_DEEP : 0);
    int status = vt_replay_open(&replay, &profile->capture, &profile->symbols, machine);

    for (size_t i = 0; status == 0 && i < result->count; i++) {
        if (strcmp(result->rows[i].engine, profile->engine) != 0)
            continue;
        status = vt_lab_stop_asked(stop) == -EINTR
                     ? -EINTR
                     : profile_row(profile, &replay, &cursor, result, &result->rows[i]);
    }
    vt_replay_release(&replay);
    return status;
}

int vt_cli_profile_rows(struct vt_lab_outcome *outcome, const struct vt_lab_stop *stop,
                        struct vt_result *result, struct vt_error *error)
{
    int status = 0;

    for (size_t i = 0; status == 0 && i < outcome->profile_count; i++)
        status = profile_engine(&outcome->profiles[i], stop, result);
    if (status == -EINTR)
        return vt_lab_stop_tell(stop, status, error, "telling functions apart");
    return status == 0 ? 0 : vt_error_memory(error, "the profiles");
}
