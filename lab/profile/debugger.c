#include "lab/profile/debugger.h"
#include "base/stream.h"
#include "lab/profile/traced.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    LONGEST = 4096,       /* line: what is longer is nobody's */
    MOST_STEPS = 32,      /* from where a batch begins into what it calls */
    MOST_TICKS = 1 << 16, /* of one instruction */
    BEGIN = 1,            /* the debugger's numbers of where it stops */
    END = 2,
    LOST = 3,
};

enum state {
    RUNNING,  /* and prints nothing */
    STEPPING, /* into a batch */
    TRACING,  /* it prints each instruction */
};

struct vt_debugger {
    struct vt_profile_places places;
    int commands; /* -1: not open */
    struct vt_record *record;
    FILE *stream; /* what that writes: */
    char *text;
    size_t size;
    struct vt_traced traced;
    char line[LONGEST]; /* as far as it has come */
    size_t length;
    enum state state;
    long stop;                            /* where it has just stopped; 0: nowhere */
    const struct vt_instruction *pending; /* begun at `since`, not ended yet */
    uint64_t since;
    uint64_t began, target; /* of the batch at hand; target 0: unknown */
    bool inside;
    int steps;
};

static const uint8_t rdtsc[] = {0x0f, 0x31};

static void forget(struct vt_debugger *debugger)
{
    if (debugger->record)
        vt_record_close(debugger->record);
    if (debugger->stream)
        fclose(debugger->stream);
    if (debugger->commands >= 0)
        close(debugger->commands);
    free(debugger->text);
    vt_traced_release(&debugger->traced);
    *debugger = (struct vt_debugger){.places = debugger->places, .commands = -1};
}

struct vt_debugger *vt_debugger_open(const struct vt_profile_places *places)
{
    struct vt_debugger *debugger = calloc(1, sizeof *debugger);

    if (debugger)
        *debugger = (struct vt_debugger){.places = *places, .commands = -1};
    return debugger;
}

void vt_debugger_close(struct vt_debugger *debugger)
{
    if (debugger)
        forget(debugger);
    free(debugger);
}

/* A machine that makes the debugger stop and stop does not get it to wait. */
static int say(struct vt_debugger *debugger, const char *commands)
{
    size_t length = strlen(commands);
    return write(debugger->commands, commands, length) == (ssize_t)length ? 0 : -EPROTO;
}

static int open_commands(struct vt_debugger *debugger, const char *folder)
{
    char path[4096];
    int length = snprintf(path, sizeof path, "%s/" VT_DEBUGGER_COMMANDS, folder);

    if (length < 0 || length >= (int)sizeof path)
        return -ENAMETOOLONG;
    unlink(path);
    /* Also to be read from, lest opening it waits for the emulator. */
    if (mkfifo(path, 0600) == 0)
        debugger->commands = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    return debugger->commands >= 0 ? 0 : -errno;
}

int vt_debugger_start(struct vt_debugger *debugger, const char *folder, struct vt_error *error)
{
    char commands[100];

    forget(debugger);
    debugger->stream = vt_stream_memory(&debugger->text, &debugger->size);
    debugger->record = debugger->stream ? vt_record_open(&debugger->places.record, debugger->stream) : NULL;
    if (!debugger->record)
        return vt_error_memory(error, "the profile");
    snprintf(commands, sizeof commands, "lb %#llx\nlb %#llx\nlb %#llx\nc\n",
             (unsigned long long)debugger->places.record.begin,
             (unsigned long long)debugger->places.record.end,
             (unsigned long long)debugger->places.record.lost);
    int status = open_commands(debugger, folder);
    if (status == 0)
        status = say(debugger, commands);
    return status == 0 ? 0
                       : vt_error_set(error, VT_EXIT_ENVIRONMENT, -status,
                                      "cannot make a pipe for Bochs' debugger in '%s': %s", folder,
                                      strerror(-status));
}

static void execute(struct vt_debugger *debugger, const struct vt_instruction *instruction)
{
    struct vt_stretch stretch = {.count = 0};

    vt_record_extend(&stretch, instruction);
    vt_record_execute(debugger->record, &stretch);
}

/*
 * An instruction is printed before it is executed: what it took is known with the next one. Most take a tick;
 * one of a repeated string instruction takes more, and one that is begun again none.
 */
static void settle(struct vt_debugger *debugger, uint64_t now)
{
    const struct vt_instruction *pending = debugger->pending;
    uint64_t ticks = now - debugger->since;

    debugger->pending = NULL;
    for (uint64_t i = 0; pending && i < ticks && i < MOST_TICKS; i++)
        execute(debugger, pending);
}

static int nibble(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

/* "0faee8" */
static size_t read_bytes(const char *text, uint8_t bytes[15])
{
    size_t size = 0;

    for (; size < 15 && nibble(text[0]) >= 0 && nibble(text[1]) >= 0; text += 2)
        bytes[size++] = (uint8_t)(nibble(text[0]) << 4 | nibble(text[1]));
    return size;
}

/* Of a guest with nested paging on Bochs' AMD-V the debugger knows no more than that it executes something.
 */
static const struct vt_instruction *unknown(struct vt_debugger *debugger)
{
    static const uint8_t nop[] = {0x90};
    uint64_t address = debugger->target ? debugger->target : debugger->places.record.begin + sizeof rdtsc;

    return vt_record_instruction(debugger->record, address, nop, sizeof nop);
}

static const struct vt_instruction *known(struct vt_debugger *debugger, const char *address, const char *code)
{
    uint8_t bytes[15];
    size_t size = code[1] == ' ' ? read_bytes(code + 2, bytes) : 0;

    return size ? vt_record_instruction(debugger->record, strtoull(address + 1, NULL, 16), bytes, size)
                : unknown(debugger);
}

/* Of an instruction that the record did not take. */
static int refusal(const struct vt_debugger *debugger)
{
    return vt_record_is_full(debugger->record) ? -EPROTO : -ENOMEM;
}

/* "(0).[4201420850] [0x0000029a0655] 0008:0000000000201655 (unk. ctxt): rdtsc   ; 0f31", or, where it cannot
 * tell,
 * "(0).[4201420850] ??? (physical address not available)" */
static int take_instruction(struct vt_debugger *debugger, const char *line)
{
    char *end;

    if (debugger->state == RUNNING)
        return 0;
    uint64_t now = strtoull(line + strlen("(0).["), &end, 10);
    const char *segment = strstr(end, "] [0x"), *code = strrchr(end, ';');
    const char *address = segment ? strchr(segment, ':') : NULL;
    bool first = now == debugger->began && debugger->steps == 0;

    settle(debugger, now);
    debugger->pending = address && code ? known(debugger, address, code) : unknown(debugger);
    debugger->since = now;
    if (first && address && debugger->pending && debugger->pending->flow != VT_FLOW_RDTSC)
        debugger->inside = false; /* other code ran where the guest's lies, before it was there */
    if (first)
        debugger->pending =
            vt_record_instruction(debugger->record, debugger->places.record.begin, rdtsc, sizeof rdtsc);
    return debugger->pending ? 0 : refusal(debugger);
}

static int go_on(struct vt_debugger *debugger)
{
    const char *commands = debugger->state == RUNNING ? "c\n" : "trace off\nc\n";

    debugger->state = RUNNING;
    debugger->pending = NULL;
    return say(debugger, commands);
}

static int begin(struct vt_debugger *debugger, uint64_t now)
{
    const char *commands = debugger->state == RUNNING ? "trace on\ns\nr\n" : "s\nr\n";

    debugger->pending = NULL;
    debugger->state = STEPPING;
    debugger->began = now;
    debugger->target = 0;
    debugger->steps = 0;
    debugger->inside = true;
    return say(debugger, commands);
}

static bool is_guests(const struct vt_debugger *debugger, uint64_t address)
{
    return address >= debugger->places.record.low && address < debugger->places.record.high;
}

/* "rip: 00000000_00201657", of what comes next: what a batch calls tells the twins apart. */
static int take_rip(struct vt_debugger *debugger, const char *line)
{
    char *low;
    uint64_t next = strtoull(line + strlen("rip: "), &low, 16) << 32;

    next |= *low == '_' ? strtoull(low + 1, NULL, 16) : 0;
    if (!debugger->inside)
        return go_on(debugger);
    if (is_guests(debugger, next) &&
        (next < debugger->places.record.begin || next > debugger->places.record.end))
        debugger->target = next;
    if (!debugger->target && ++debugger->steps < MOST_STEPS)
        return say(debugger, "s\nr\n");
    if (debugger->target && !vt_traced_wants(&debugger->traced, debugger->target))
        return go_on(debugger);
    debugger->state = TRACING;
    return say(debugger, "c\n");
}

static int end(struct vt_debugger *debugger, uint64_t now)
{
    bool traced = debugger->state == TRACING;
    int status = 0;

    if (traced) {
        settle(debugger, now);
        const struct vt_instruction *last =
            vt_record_instruction(debugger->record, debugger->places.record.end, rdtsc, sizeof rdtsc);
        if (!last)
            return refusal(debugger);
        execute(debugger, last);
    }
    if (debugger->inside && (traced || debugger->target))
        status = vt_traced_add(&debugger->traced, debugger->target, now - debugger->began, traced);
    debugger->inside = false;
    return status == 0 ? go_on(debugger) : status;
}

/* What follows would be printed to the next batch. */
static int lose(struct vt_debugger *debugger)
{
    debugger->inside = false;
    return go_on(debugger);
}

/* "Next at t=4201420850": it waits for a command. */
static int take_stop(struct vt_debugger *debugger, const char *line)
{
    uint64_t now = strtoull(line + strlen("Next at t="), NULL, 10);
    long stop = debugger->stop;

    debugger->stop = 0;
    if (stop == BEGIN)
        return begin(debugger, now);
    if (stop == END)
        return end(debugger, now);
    if (stop == LOST)
        return lose(debugger);
    return 0;
}

static int take_breakpoint(struct vt_debugger *debugger, const char *line)
{
    debugger->stop = strtol(line + strlen("(0) Breakpoint "), NULL, 10);
    return 0;
}

static int ignore(struct vt_debugger *debugger, const char *line)
{
    (void)debugger, (void)line;
    return 0;
}

static const struct {
    const char *beginning;
    int (*take)(struct vt_debugger *debugger, const char *line);
    bool traced, stepping; /* only in a batch, only where it begins */
} kinds[] = {
    {"(0).[", take_instruction, false, false},
    {"Next at t=", take_stop, false, false},
    {"(0) Breakpoint ", take_breakpoint, false, false},
    {"(0) [0x", ignore, false, false},
    {"CPU 0: ", ignore, true, false}, /* an exception or interrupt */
    {"rip: ", take_rip, true, true},
    {"r", ignore, true, true}, /* other registers */
    {"eflags 0x", ignore, false, false},
    {"CPU0:", ignore, true, true},
    {"Tracing enabled for CPU", ignore, false, false},
    {"Tracing disabled for CPU", ignore, false, false},
};

/* "@case 3 75 cpuid" (lab/link.h) */
static void look_at_case(struct vt_debugger *debugger)
{
    if (strncmp(debugger->line, "@case ", strlen("@case ")) == 0)
        vt_traced_next_row(&debugger->traced);
}

static int take_line(struct vt_debugger *debugger, vt_debugger_pass pass, void *to)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if ((!kinds[i].traced || debugger->state != RUNNING) &&
            (!kinds[i].stepping || debugger->state == STEPPING) &&
            strncmp(debugger->line, kinds[i].beginning, strlen(kinds[i].beginning)) == 0)
            return kinds[i].take(debugger, debugger->line);
    look_at_case(debugger);
    return pass(to, debugger->line, debugger->length);
}

/* Whole lines, which may hold zeros where they are the machine's; what is longer comes in pieces. */
int vt_debugger_take(struct vt_debugger *debugger, const char *data, size_t size, vt_debugger_pass pass,
                     void *to)
{
    int status = 0;

    while (status == 0 && size > 0) {
        const char *newline = memchr(data, '\n', size);
        size_t some = newline ? (size_t)(newline + 1 - data) : size;
        if (some > LONGEST - 1 - debugger->length)
            some = LONGEST - 1 - debugger->length;
        memcpy(debugger->line + debugger->length, data, some);
        debugger->length += some;
        debugger->line[debugger->length] = '\0';
        data += some;
        size -= some;
        if (debugger->line[debugger->length - 1] != '\n' && debugger->length < LONGEST - 1)
            break;
        status = take_line(debugger, pass, to);
        debugger->length = 0;
    }
    return status;
}

int vt_debugger_read(struct vt_debugger *debugger, struct vt_capture *capture, struct vt_error *error)
{
    fflush(debugger->stream);
    char *whole = debugger->text ? vt_traced_complete(&debugger->traced, debugger->text) : NULL;

    if (!whole)
        return vt_error_memory(error, "the profile");
    int status = vt_capture_read(capture, whole, error);
    free(whole);
    return status;
}
