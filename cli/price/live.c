#include "cli/price/live.h"
#include "base/process/clock.h"
#include "base/stream.h"
#include "cli/command.h"
#include "cli/options.h"
#include "cli/screen.h"
#include "price/bills.h"
#include "price/format/format.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* ECMA-48, and xterm's alternate screen (DECSET 1049), which every terminal of today has. */
#define ENTER      "\033[?1049h\033[?25l"
#define LEAVE      "\033[?25h\033[?1049l"
#define HOME       "\033[H"
#define CLEAR_LINE "\033[K"
#define CLEAR_REST "\033[J"

struct size {
    int rows, columns;
};

static struct size measure(void)
{
    struct winsize size;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0)
        return (struct size){24, 80};
    return (struct size){size.ws_row, size.ws_col};
}

int vt_cli_live_check(void)
{
    const char *terminal = getenv("TERM");
    if (!isatty(STDOUT_FILENO))
        return vt_cli_misuse(
            "price: --watch is for a terminal, and standard output is none: --interval with --json tells "
            "each interval to a program");
    if (!terminal || !*terminal || strcmp(terminal, "dumb") == 0)
        return vt_cli_misuse(
            "price: --watch needs a terminal whose cursor moves, and TERM is %s: see --interval",
            terminal && *terminal ? terminal : "not set");
    return VT_OPTIONS_PROCEED;
}

static void put(const char *text, size_t size)
{
    while (size > 0) {
        ssize_t written = write(STDOUT_FILENO, text, size);
        if (written < 0 && errno != EINTR)
            return; /* the terminal went away: SIGHUP says so */
        text += written > 0 ? written : 0;
        size -= written > 0 ? (size_t)written : 0;
    }
}

/* What of `text` the screen has room for, each line over what stood there. */
static void frame(const char *text, int rows, FILE *stream)
{
    int line = 0;
    fputs(HOME, stream);
    for (const char *end; (end = strchr(text, '\n')) && line < rows - 1; text = end + 1, line++)
        fprintf(stream, "%.*s" CLEAR_LINE "\r\n", (int)(end - text), text);
    if (*text)
        fputs("(more when it ends: ^C)" CLEAR_LINE, stream);
    fputs(CLEAR_REST, stream);
}

/* The machines as if they had been watched for the last interval alone; the list is the caller's. */
static struct vt_price_session latest_of(const struct vt_cli_live *live)
{
    struct vt_price_session latest = {.list = calloc(live->session->count, sizeof *latest.list)};
    for (; latest.list && latest.count < live->session->count; latest.count++) {
        struct vt_price_watched *w = &latest.list[latest.count];
        *w = live->session->list[latest.count];
        w->whole = w->latest;
        w->whole.event_ns = live->event_ns;
        w->part_count = 0;
    }
    return latest;
}

static char *print(const struct vt_cli_live *live, const struct vt_price_bills *bills,
                   const struct vt_screen *screen, struct vt_error *error)
{
    char *text;
    size_t size;
    FILE *stream = vt_stream_memory(&text, &size);
    if (stream && live->all)
        vt_price_print_all(VT_FORMAT_TEXT, bills, screen, stream);
    else if (stream && bills->count)
        vt_price_print(VT_FORMAT_TEXT, &bills->list[0], screen, stream);
    if (!stream || fclose(stream) != 0) {
        vt_error_memory(error, "the screen");
        return NULL;
    }
    return text;
}

static char *describe(const struct vt_cli_live *live, const struct vt_screen *screen, struct vt_error *error)
{
    struct vt_price_session latest = latest_of(live);
    struct vt_price_bills bills;
    if (!latest.list) {
        vt_error_memory(error, "the screen");
        return NULL;
    }
    char *text = vt_price_bills_make(&bills, &latest, live->tolls, live->host, live->force, error) == 0
                     ? print(live, &bills, screen, error)
                     : NULL;
    vt_price_bills_release(&bills);
    free(latest.list);
    return text;
}

static int draw(const struct vt_cli_live *live, struct size size, struct vt_error *error)
{
    struct vt_screen screen = vt_cli_screen("-");
    char *shown = NULL;
    size_t length;
    screen.width = size.columns;
    char *text = describe(live, &screen, error);
    FILE *stream = text ? vt_stream_memory(&shown, &length) : NULL;
    if (stream) {
        frame(text, size.rows, stream);
        if (fclose(stream) != 0)
            shown = NULL;
    }
    if (shown)
        put(shown, length);
    free(shown);
    free(text);
    return shown ? 0 : -ENOMEM;
}

/* The interval in steps, so that a window that is resized is redrawn soon. */
static int wait_and_read(const struct vt_cli_live *live, uint64_t deadline, struct size *size, bool drawn,
                         struct vt_error *error)
{
    int status = 0;
    for (uint64_t now; status == 0 && !*live->stop && (now = vt_clock_now()) < deadline;) {
        struct size changed = measure();
        if (drawn && (changed.rows != size->rows || changed.columns != size->columns))
            status = draw(live, *size = changed, error);
        usleep(deadline - now < 50000000 ? (useconds_t)((deadline - now) / 1000) : 50000);
    }
    return status == 0 ? vt_price_session_go_on(live->session, 0, false, live->stop, error) : status;
}

int vt_cli_live_run(const struct vt_cli_live *live, struct vt_error *error)
{
    uint64_t begun = vt_clock_now(), step = (uint64_t)(live->interval * 1e9), next = begun;
    struct size size = measure();
    int status = 0;
    put(ENTER HOME CLEAR_REST, strlen(ENTER HOME CLEAR_REST));
    while (status == 0 && !*live->stop && vt_price_session_open_count(live->session) > 0 &&
           (double)(next - begun) < live->seconds * 1e9) {
        next += step;
        status = wait_and_read(live, next, &size, next - begun > step, error);
        size = measure();
        if (status == 0 && !*live->stop && vt_price_session_open_count(live->session) > 0)
            status = draw(live, size, error);
    }
    put(LEAVE, strlen(LEAVE));
    return status;
}
