#include "tests/difference/bochs/told.h"

#include "base/file.h"
#include "lab/emulator/disc.h"
#include "lab/fetch/workspace.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LIMIT 110
#define MOST  (1 << 20)

struct stream {
    uint8_t data[MOST]; /* what has come and is no whole telling */
    size_t size;
    struct monitor_told told;
    const struct told_listener *listener;
};

static const uint64_t mark = MONITOR_MARK;

static int start(void *context, const char *folder, struct vt_error *error)
{
    (void)context, (void)folder, (void)error;
    return 0;
}

static void drop(struct stream *s, size_t size)
{
    s->size -= size;
    memmove(s->data, s->data + size, s->size);
}

/* Bytes up to the end of the telling that begins the data, 0: it has not come. */
static size_t length(const struct stream *s)
{
    MONITOR_PLACE place;

    for (size_t at = sizeof mark; at + sizeof place <= s->size; at += sizeof place + 8) {
        memcpy(&place, s->data + at, sizeof place);
        if (place == MONITOR_NO_PLACE)
            return at + sizeof place;
    }
    return 0;
}

static void apply(struct stream *s, size_t size)
{
    MONITOR_PLACE place;

    for (size_t at = sizeof mark; at + sizeof place < size; at += sizeof place + 8) {
        memcpy(&place, s->data + at, sizeof place);
        ck_assert_uint_lt(place, sizeof s->told / 8);
        memcpy((uint8_t *)&s->told + 8 * (size_t)place, s->data + at + sizeof place, 8);
    }
    s->listener->hear(s->listener->context, &s->told);
}

/* Bytes before the next mark, or what may become one. */
static size_t find_mark(const struct stream *s)
{
    const uint8_t *found = memmem(s->data, s->size, &mark, sizeof mark);
    size_t held = s->size < sizeof mark - 1 ? s->size : sizeof mark - 1;

    if (found)
        return (size_t)(found - s->data);
    while (held && memcmp(s->data + s->size - held, &mark, held) != 0)
        held--;
    return s->size - held;
}

static int take_all(struct stream *s, int (*pass)(void *to, const char *data, size_t size), void *to)
{
    for (;;) {
        size_t text = find_mark(s);
        int status = text ? pass(to, (const char *)s->data, text) : 0;
        if (status != 0)
            return status;
        drop(s, text);
        size_t size = s->size >= sizeof mark ? length(s) : 0;
        if (size == 0)
            return 0;
        apply(s, size);
        drop(s, size);
    }
}

static int take(void *context, const char *data, size_t size,
                int (*pass)(void *to, const char *data, size_t size), void *to)
{
    struct stream *s = context;

    if (size > MOST - s->size)
        return -EPROTO;
    memcpy(s->data + s->size, data, size);
    s->size += size;
    return take_all(s, pass, to);
}

static int run(void *context, struct vt_emulator *emulator, struct vt_error *error)
{
    struct vt_lab_link link = {0};

    (void)context;
    int status = vt_emulator_run(emulator, &link, error);
    vt_lab_link_release(&link);
    return status;
}

/* Beside the test: tests/difference/monitor.elf. */
static void find_image(char *path, size_t size)
{
    ssize_t length = readlink("/proc/self/exe", path, size - 32);

    ck_assert_int_gt(length, 0);
    path[length] = '\0';
    snprintf(strrchr(path, '/') + 1, 32, "monitor.elf");
}

static int boot(const struct vt_bochs_pc *pc, const char *words, const struct vt_lab_request *request,
                struct vt_error *error)
{
    static const struct vt_bochs_use use = {run, NULL};
    char image[4096];
    const struct vt_disc disc = {.kernel = image, .command_line = words};
    struct vt_lab_outcome outcome = {0};

    find_image(image, sizeof image);
    int status = vt_bochs_require(request, &outcome, error);
    if (status == 0)
        status = vt_disc_make(pc->folder, &disc, request, error);
    if (status == 0)
        status = vt_bochs_boot(pc, request, &outcome, &use, error);
    vt_lab_release(&outcome);
    return status;
}

bool told_boot(const struct vt_bochs_model *processor, const char *words,
               const struct told_listener *listener, char *reason, size_t size)
{
    static volatile int flag;
    static struct stream stream;
    const struct vt_emulator_tap tap = {start, take, &stream};
    const struct vt_lab_request request = {.stop = vt_lab_stop_after(&flag, LIMIT)};
    struct vt_workspace workspace;
    struct vt_error error = {0};

    stream = (struct stream){.listener = listener};
    int status = vt_workspace_open(&workspace, &error);
    if (status == 0) {
        const struct vt_bochs_pc pc = {"bochs", processor, VT_BOCHS_KHZ_SHORT, workspace.folder, &tap, LIMIT};
        status = boot(&pc, words, &request, &error);
        vt_workspace_close(&workspace);
    }
    snprintf(reason, size, "%s", error.text);
    return status == 0;
}
