/* The dialogue with Bochs' debugger, held with a machine that answers as it does. */
#include "lab/profile/debugger.h"
#include "lab/profile/row.h"
#include "lab/profile/traced.h"
#include "tests/unit/suite.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The guest's batch and its two functions; the hypervisor far above. */
enum { BEGIN = 0x1000, END = 0x1010, BODY = 0x2000, BASELINE = 0x3000, LOST = 0x3800, HIGH = 0x4000 };
#define HOST UINT64_C(0xffff0000)

static const char symbols_text[] = "ffff0000 T enter\nffff0100 T handle_exit\t[kvm]\n";

struct bochs {
    struct vt_debugger *debugger;
    char folder[32];
    int commands;
    uint64_t tick;
    bool printing, stepping;
    bool blind; /* as to what a guest executes */
    uint64_t next;
    size_t printed; /* instructions */
    char passed[16384];
    int status;
};

static int pass(void *to, const char *data, size_t size)
{
    struct bochs *bochs = to;
    ck_assert_uint_lt(strlen(bochs->passed) + size, sizeof bochs->passed);
    strncat(bochs->passed, data, size);
    return 0;
}

static void __attribute__((format(printf, 2, 3))) print(struct bochs *bochs, const char *format, ...)
{
    char text[300];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    /* In pieces, as a pipe may. */
    size_t half = strlen(text) / 2;
    if (bochs->status == 0)
        bochs->status = vt_debugger_take(bochs->debugger, text, half, pass, bochs);
    if (bochs->status == 0)
        bochs->status = vt_debugger_take(bochs->debugger, text + half, strlen(text) - half, pass, bochs);
}

/* Until it is to go on. */
static void read_commands(struct bochs *bochs)
{
    char line[64];
    size_t length = 0;

    for (;;) {
        ck_assert_int_eq(read(bochs->commands, line + length, 1), 1); /* it is not left waiting */
        if (line[length] != '\n') {
            ck_assert_uint_lt(++length, sizeof line);
            continue;
        }
        line[length] = '\0';
        length = 0;
        if (strcmp(line, "trace on") == 0 || strcmp(line, "trace off") == 0) {
            bochs->printing = strcmp(line, "trace on") == 0;
            print(bochs, "Tracing %s for CPU0\n", bochs->printing ? "enabled" : "disabled");
        }
        if (strcmp(line, "r") == 0)
            print(bochs,
                  "CPU0:\nrax: 00000000_00000000\nr8 : 00000000_00000000\nrip: %08x_%08x\neflags 0x00000002: "
                  "id\n",
                  (unsigned)(bochs->next >> 32), (unsigned)bochs->next);
        bochs->stepping = strcmp(line, "s") == 0;
        if (bochs->stepping || strcmp(line, "c") == 0)
            return;
    }
}

static void open_bochs(struct bochs *bochs)
{
    static const struct vt_profile_places places = {
        .record = {.begin = BEGIN, .end = END, .high = HIGH, .lost = LOST}};
    struct vt_error error;
    char path[64];

    *bochs = (struct bochs){.debugger = vt_debugger_open(&places), .tick = 1000};
    strcpy(bochs->folder, "/tmp/debuggerXXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(bochs->folder));
    ck_assert_int_eq(vt_debugger_start(bochs->debugger, bochs->folder, &error), 0);
    snprintf(path, sizeof path, "%s/" VT_DEBUGGER_COMMANDS, bochs->folder);
    bochs->commands = open(path, O_RDONLY | O_NONBLOCK);
    ck_assert_int_ge(bochs->commands, 0);
    print(bochs,
          "Bochs x86 Emulator\nNext at t=0\n(0) [0x0000fffffff0] f000:fff0 (unk. ctxt): jmpf 0xf000:e05b "
          "; ea5be000f0\n");
    read_commands(bochs);
}

static void close_bochs(struct bochs *bochs)
{
    char path[64];

    snprintf(path, sizeof path, "%s/" VT_DEBUGGER_COMMANDS, bochs->folder);
    close(bochs->commands);
    unlink(path);
    rmdir(bochs->folder);
    vt_debugger_close(bochs->debugger);
}

/* "(0)", or "(0).[TICK]" where it knows less or was asked for more. */
static void print_instruction(struct bochs *bochs, bool ticks, uint64_t address, const char *code)
{
    bool blind = bochs->blind && address < HIGH;

    print(bochs, "(0)");
    if (ticks || blind)
        print(bochs, ".[%llu]", (unsigned long long)bochs->tick);
    if (blind)
        print(bochs, " ??? (physical address not available)\n");
    else
        print(bochs, " [0x0000029a0655] 0008:%016llx (unk. ctxt): it a, ds:[b] ; %s\n",
              (unsigned long long)address, code);
}

static void stop(struct bochs *bochs, uint64_t address, const char *code)
{
    print(bochs, "Next at t=%llu\n", (unsigned long long)bochs->tick);
    print_instruction(bochs, false, address, code);
    read_commands(bochs);
}

static void run_for(struct bochs *bochs, uint64_t address, const char *code, uint64_t ticks)
{
    int number = address == BEGIN ? 1 : address == END ? 2 : address == LOST ? 3 : 0;

    bochs->next = address;
    if (number)
        print(bochs, "(0) Breakpoint %d, 0x%016llx in ?? ()\n", number, (unsigned long long)address);
    if (number || bochs->stepping)
        stop(bochs, address, code);
    if (bochs->printing)
        print_instruction(bochs, true, address, code);
    bochs->printed += bochs->printing;
    bochs->tick += ticks;
}

static void run(struct bochs *bochs, uint64_t address, const char *code)
{
    run_for(bochs, address, code, 1);
}

/* Ten times: an instruction that exits, `extra` of the handler's, and two that do not. */
static void batch(struct bochs *bochs, uint64_t function, bool exits, int extra)
{
    run(bochs, BEGIN, "0f31");
    run(bochs, BEGIN + 2, "41ffd0");
    run(bochs, function, "90");
    for (int i = 0; i < 10; i++) {
        if (exits) {
            run(bochs, function + 1, "0fa2");
            if (bochs->printing)
                print(bochs, "CPU 0: Interrupt 0xec occurred (error_code=0x0000)\n");
            run(bochs, HOST, "e8fb000000");
            run_for(bochs, HOST + 0x100, "f348ab", 1 + (uint64_t)extra); /* repeated */
            run(bochs, HOST + 0x103, "c3");
            run(bochs, HOST + 5, "0f01c3");
        }
        run(bochs, function + 3, "49ffca");
        run(bochs, function + 6, "75f9");
    }
    run(bochs, function + 8, "c3");
    run(bochs, END, "0f31");
    run(bochs, HOST + 0x40, "90"); /* and so forth */
}

struct read {
    struct vt_capture capture;
    struct vt_symbols symbols;
    struct vt_replay replay;
};

static void read_all(struct read *read, struct bochs *bochs)
{
    struct vt_error error;

    ck_assert_int_eq(bochs->status, 0);
    ck_assert_int_eq(vt_debugger_read(bochs->debugger, &read->capture, &error), 0);
    ck_assert_int_eq(vt_symbols_read(&read->symbols, strdup(symbols_text)), 0);
    ck_assert_int_eq(vt_replay_open(&read->replay, &read->capture, &read->symbols,
                                    VT_REPLAY_VIRTUALIZED | VT_REPLAY_ATTEMPTS),
                     0);
}

static void release(struct read *read)
{
    vt_replay_release(&read->replay);
    vt_symbols_release(&read->symbols);
    vt_capture_release(&read->capture);
}

static int64_t self_of(const struct vt_profile *profile, const char *name)
{
    for (size_t i = 0; i < profile->function_count; i++)
        if (strcmp(profile->functions[i].name, name) == 0)
            return profile->functions[i].self;
    return 0;
}

static void ck_every_tick_has_its_function(bool blind)
{
    struct bochs bochs;
    struct read read = {0};
    struct vt_profile profile;

    open_bochs(&bochs);
    bochs.blind = blind;
    batch(&bochs, BODY, true, 6);
    batch(&bochs, BASELINE, false, 0);
    read_all(&read, &bochs);
    ck_assert_uint_eq(read.capture.batch_count, 2);
    ck_assert_uint_eq(read.capture.batches[0].target, BODY);
    ck_assert_uint_eq(read.capture.batches[1].target, BASELINE);
    const struct vt_profile_pair pair = {&read.capture.batches[0], &read.capture.batches[1]};
    ck_assert_int_eq(vt_profile_subtract(&profile, &read.replay, &pair, 1), 0);
    ck_assert_int_eq(self_of(&profile, "guest"), 10);
    ck_assert_int_eq(self_of(&profile, "enter"), 20);
    ck_assert_int_eq(self_of(&profile, "handle_exit"), 80);
    ck_assert_int_eq(profile.sum, 110);
    vt_profile_release(&profile);
    release(&read);
    close_bochs(&bochs);
    ck_assert_str_eq(bochs.passed, "Bochs x86 Emulator\n");
}

/* What exits was begun, and Bochs' clock counts that: it is in the toll, and the guest's. */
START_TEST(every_tick_has_its_function)
{
    ck_every_tick_has_its_function(false);
}
END_TEST

/* On its AMD-V the debugger does not find what a guest executes. */
START_TEST(a_guest_that_is_not_seen_counts)
{
    ck_every_tick_has_its_function(true);
}
END_TEST

/* Warm-ups, then pairs: one of each length is printed, the others are taken for it. */
START_TEST(batches_that_are_alike_are_printed_once)
{
    struct bochs bochs;
    struct read read = {0};
    struct vt_profile profile;
    double bodies[5] = {13, 13, 13, 13, 13}, baselines[5] = {3, 3, 3, 3, 3};
    const struct vt_profile_row row = {.body = BODY,
                                       .baseline = BASELINE,
                                       .iterations = 10,
                                       .bodies = bodies,
                                       .baselines = baselines,
                                       .pairs = 5,
                                       .toll = 10};
    size_t cursor = 0, before;

    open_bochs(&bochs);
    print(&bochs, "@case 1 2 cpuid\n");
    for (int i = 0; i < 4; i++) {
        batch(&bochs, BODY, true, 5);
        batch(&bochs, BASELINE, false, 0);
    }
    before = bochs.printed;
    batch(&bochs, BODY, true, 5);
    batch(&bochs, BASELINE, false, 0);
    ck_assert_uint_eq(bochs.printed - before, 2 * 2); /* as far as what is called */
    print(&bochs, "@case 2 2 cpuid\n");
    batch(&bochs, BODY, true, 5);
    batch(&bochs, BASELINE, false, 0);
    ck_assert_uint_gt(bochs.printed - before, 70); /* another row's are its own */
    read_all(&read, &bochs);
    ck_assert_uint_eq(read.capture.batch_count, 12);
    for (size_t i = 0; i < 12; i++)
        ck_assert(!read.capture.batches[i].failed);
    ck_assert_int_eq(vt_profile_make(&profile, &read.replay, &cursor, &row), 0);
    ck_assert_int_eq(profile.sum, 100);
    vt_profile_release(&profile);
    release(&read);
    close_bochs(&bochs);
    ck_assert_str_eq(bochs.passed, "Bochs x86 Emulator\n@case 1 2 cpuid\n@case 2 2 cpuid\n");
}
END_TEST

/* One that took longer when it was not printed is told as what it is: unknown; pairs beside it are whole. */
START_TEST(a_batch_that_was_like_none_is_no_profile)
{
    struct bochs bochs;
    struct read read = {0};
    struct vt_profile profile;
    double bodies[4] = {13, 13, 13, 20}, baselines[4] = {3, 3, 3, 3};
    struct vt_profile_row row = {.body = BODY,
                                 .baseline = BASELINE,
                                 .iterations = 10,
                                 .bodies = bodies,
                                 .baselines = baselines,
                                 .pairs = 4,
                                 .toll = 10};
    size_t cursor = 0;

    open_bochs(&bochs);
    for (int i = 0; i < 4; i++) {
        batch(&bochs, BODY, true, i < 3 ? 5 : 12);
        batch(&bochs, BASELINE, false, 0);
    }
    read_all(&read, &bochs);
    ck_assert(read.capture.batches[6].failed && !read.capture.batches[7].failed);
    ck_assert_int_eq(vt_profile_make(&profile, &read.replay, &cursor, &row), 0);
    ck_assert_int_eq(profile.sum, 100);
    vt_profile_release(&profile);
    row.toll = 17;
    cursor = 0;
    ck_assert_int_eq(vt_profile_make(&profile, &read.replay, &cursor, &row), 0);
    ck_assert_int_eq(profile.sum, 100); /* which is not the toll: the row will be unverified */
    vt_profile_release(&profile);
    release(&read);
    close_bochs(&bochs);
}
END_TEST

/* An exception may end one: what follows is none of it. */
START_TEST(a_batch_that_does_not_end_is_let_go)
{
    struct bochs bochs;
    struct read read = {0};

    open_bochs(&bochs);
    run(&bochs, BEGIN, "0f31");
    run(&bochs, BODY, "0f0b");
    run(&bochs, LOST, "ba00000000");
    ck_assert(!bochs.printing);
    run(&bochs, HOST, "90");
    batch(&bochs, BODY, true, 0);
    read_all(&read, &bochs);
    ck_assert_uint_eq(read.capture.batch_count, 1);
    ck_assert(!read.capture.batches[0].failed);
    release(&read);
    close_bochs(&bochs);
}
END_TEST

/* A boot loader's code, before the guest's is there. */
START_TEST(what_is_no_batch_is_let_go)
{
    struct bochs bochs;
    struct read read = {0};

    open_bochs(&bochs);
    run(&bochs, BEGIN, "90");
    run(&bochs, BEGIN + 1, "90");
    ck_assert_uint_eq(bochs.printed, 1);
    run(&bochs, END, "90");
    run(&bochs, HOST, "90");
    batch(&bochs, BODY, true, 0);
    read_all(&read, &bochs);
    ck_assert_uint_eq(read.capture.batch_count, 1);
    release(&read);
    close_bochs(&bochs);
}
END_TEST

/* The machine's own output may look like the debugger's. */
START_TEST(a_machine_that_speaks_as_the_debugger_harms_itself_alone)
{
    struct bochs bochs;
    struct vt_capture capture = {0};
    struct vt_error error;
    char longest[5001];

    open_bochs(&bochs);
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    for (const char *const *line =
             (const char *const[]){"(0).[", "(0).[1]", "(0).[9] ] [0x :;", "Next at t=", "(0) Breakpoint ",
                                   "(0) Breakpoint 1, ", "Next at t=1", "(0).[1] [0x0] 8:0 : ; 90",
                                   "(0).[2] [0x0] 8:0 : ; 90", "(0).[3] [0x0] 8:0 : ; 90",
                                   "(0).[5] [0x0] 8:1000 : ; 0f31", "(0).[99999999999999] [0x0] 8:2000 : ; 9",
                                   "(0).[5] [0x0] 8:2000 : ; 90", "Next at t=7", "(0) Breakpoint 2, ",
                                   "Next at t=18446744073709551615", NULL};
         *line; line++)
        print(&bochs, "%s\n", *line);
    ck_assert_int_eq(vt_debugger_take(bochs.debugger, longest, sizeof longest - 1, pass, &bochs), 0);
    ck_assert_uint_ge(strlen(bochs.passed), 4000);
    /* Nobody reads the answers: they do not wait for that. */
    for (int i = 0; bochs.status == 0 && i < 100000; i++)
        print(&bochs, "(0) Breakpoint 1, \nNext at t=%d\n", i);
    ck_assert_int_lt(bochs.status, 0);
    ck_assert_int_eq(vt_debugger_read(bochs.debugger, &capture, &error), 0);
    vt_capture_release(&capture);
    close_bochs(&bochs);
}
END_TEST

/* What one line of its makes of memory and time has an end. */
START_TEST(a_machine_that_claims_long_instructions_gets_short_ones)
{
    struct bochs bochs;
    struct read read = {0};

    open_bochs(&bochs);
    batch(&bochs, BODY, true, 1 << 30);
    read_all(&read, &bochs);
    ck_assert_uint_lt(read.capture.run_count, 1 << 20);
    release(&read);
    close_bochs(&bochs);
}
END_TEST

START_TEST(a_long_batch_is_not_copied_without_end)
{
    enum { LINE = 1 << 20, BATCHES = 400 };
    struct vt_traced traced = {0};
    char *text = malloc(LINE + 2);

    ck_assert_ptr_nonnull(text);
    memset(text, 'b', LINE);
    memcpy(text + LINE, "\n", 2);
    for (int i = 0; i < BATCHES; i++)
        ck_assert_int_eq(vt_traced_add(&traced, BODY, 1000, i == 0), 0);
    char *whole = vt_traced_complete(&traced, text);
    ck_assert_ptr_nonnull(whole);
    ck_assert_uint_lt(strlen(whole), (size_t)100 << 20);
    ck_assert_ptr_nonnull(strstr(whole, "\nb 2000 1\n")); /* not the whole */
    free(whole);
    free(text);
    vt_traced_release(&traced);
}
END_TEST

/* Another run begins with nothing. */
START_TEST(what_an_earlier_run_told_is_forgotten)
{
    struct bochs bochs;
    struct vt_capture capture = {0};
    struct vt_error error;

    open_bochs(&bochs);
    batch(&bochs, BODY, true, 0);
    ck_assert_int_eq(vt_debugger_start(bochs.debugger, bochs.folder, &error), 0);
    ck_assert_int_eq(vt_debugger_read(bochs.debugger, &capture, &error), 0);
    ck_assert_uint_eq(capture.batch_count, 0);
    vt_capture_release(&capture);
    ck_assert_int_ne(vt_debugger_start(bochs.debugger, "/nowhere", &error), 0);
    ck_assert_ptr_nonnull(strstr(error.text, "/nowhere"));
    close_bochs(&bochs);
}
END_TEST

VT_SUITE(every_tick_has_its_function, a_guest_that_is_not_seen_counts,
         batches_that_are_alike_are_printed_once, a_batch_that_was_like_none_is_no_profile,
         what_is_no_batch_is_let_go, a_batch_that_does_not_end_is_let_go,
         a_machine_that_speaks_as_the_debugger_harms_itself_alone,
         a_machine_that_claims_long_instructions_gets_short_ones, a_long_batch_is_not_copied_without_end,
         what_an_earlier_run_told_is_forgotten)
