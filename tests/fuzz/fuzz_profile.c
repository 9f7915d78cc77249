/* What a lab's machine decides of a profile: its symbols, packed or not, and what the recorder wrote of it.
 * The input is a capture, a line "--", symbols. */
#include "lab/profile/capture.h"
#include "lab/profile/collect.h"
#include "lab/profile/row.h"
#include "result/profile.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A batch may be a billion instructions long, which is no error, and takes a while. */
static int is_short(const struct vt_capture *capture, const struct vt_capture_batch *batch)
{
    uint64_t runs = 0;
    for (size_t i = 0; i < batch->count; i++) {
        const struct vt_capture_leg *leg = &capture->legs[batch->first + i];
        for (size_t k = 0; leg->segment >= 0 && k < capture->segments[leg->segment].count; k++)
            runs += (uint64_t)capture->runs[capture->segments[leg->segment].first + k].count * leg->times;
    }
    return runs < 100000;
}

static void subtract_all(struct vt_capture *capture, struct vt_symbols *symbols, unsigned machine)
{
    struct vt_replay replay;
    struct vt_profile profile;

    if (vt_replay_open(&replay, capture, symbols, machine) == 0)
        for (size_t i = 1; i < capture->batch_count; i++) {
            const struct vt_profile_pair pair = {&capture->batches[i - 1], &capture->batches[i]};
            if (!is_short(capture, pair.body) || !is_short(capture, pair.baseline) ||
                vt_profile_subtract(&profile, &replay, &pair, 1) != 0)
                continue;
            profile.operations = 1;
            if (!vt_result_profile_is_sound(&profile))
                __builtin_trap(); /* what we make must be what we read */
            vt_profile_release(&profile);
        }
    vt_replay_release(&replay);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct vt_capture capture = {0};
    struct vt_symbols symbols = {0};
    struct vt_error error;
    char *text = malloc(size + 1);

    if (!text)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    char *names = strstr(text, "--\n"), *own = strdup(names ? names + 3 : "");
    if (names)
        *names = '\0';
    if (own && vt_symbols_read(&symbols, own) == 0 && vt_capture_read(&capture, text, &error) == 0) {
        subtract_all(&capture, &symbols, VT_REPLAY_VIRTUALIZED);
        subtract_all(&capture, &symbols, VT_REPLAY_VIRTUALIZED | VT_REPLAY_ATTEMPTS);
        subtract_all(&capture, &symbols, 0);
    }
    vt_symbols_release(&symbols);
    vt_capture_release(&capture);
    free(vt_symbols_unpack((const char *)data, size));
    free(text);
    return 0;
}
