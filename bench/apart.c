#include "bench/apart.h"

#include "base/memory.h"
#include "bench/watch.h"
#include "vmm/threads.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* How often one looks for a stop that came without a signal, and how often in vain before the process counts
 * as stuck: a watchdog ends each batch after a second at most. */
enum { LOOK_MS = 1000, LOOKS_MOST = 120, LOOKS_STOPPED = 15, STOP_PAGE = 4096 };

/* Addresses are good on both sides: the process is a copy. */
struct question {
    struct vt_measurement *measurement;
    struct vt_sampling sampling;
    struct vt_quiet quiet;
};

struct answer {
    int status;
    bool damaged; /* the process is not to be trusted any more, and ends */
    struct vt_error error;
    struct vt_measurement measurement; /* its pointers mean nothing here */
    struct vt_quiet quiet;
    double body[VT_SAMPLER_MOST], baseline[VT_SAMPLER_MOST], bare[VT_SAMPLER_MOST];
    uint8_t marks[VT_SAMPLER_MOST];
    uint16_t rounds[VT_SAMPLER_MOST];
};

struct vt_apart {
    const struct vt_engine *engine;
    struct vt_engine_settings settings; /* `stop` is the caller's */
    volatile int *stop;                 /* the same for the process, which can only read it */
    pid_t child;                        /* 0: none */
    bool is_open;                       /* the engine, in the child */
    int link;
    struct answer *answer;
};

/* An engine between the sampler and the one that is watched. */
struct guard {
    const struct vt_engine *engine;
    void *state;
    struct vt_watch *watch;
    uint64_t longest; /* iterations of a body that was watched */
    bool damaged;
};

static bool send_all(int link, const void *data, size_t size)
{
    for (size_t done = 0; done < size;) {
        ssize_t sent = send(link, (const char *)data + done, size - done, MSG_NOSIGNAL);
        if (sent < 0 && errno != EINTR)
            return false;
        done += sent > 0 ? (size_t)sent : 0;
    }
    return true;
}

static bool receive_all(int link, void *data, size_t size)
{
    for (size_t done = 0; done < size;) {
        ssize_t got = recv(link, (char *)data + done, size - done, 0);
        if (got == 0 || (got < 0 && errno != EINTR))
            return false;
        done += got > 0 ? (size_t)got : 0;
    }
    return true;
}

static int guarded_prepare(void *state, const struct vt_case *c, int cpl, struct vt_error *error)
{
    struct guard *guard = state;
    return guard->engine->prepare(guard->state, c, cpl, error);
}

static double guarded_bare(void *state)
{
    const struct guard *guard = state;
    return guard->engine->bare(guard->state);
}

/* What the engine and this side of it write in a batch; 0: the machine of this case has a boundary. */
static size_t find_own(struct guard *guard, const struct vt_batch *out, const struct vt_error *error,
                       struct vt_own own[VT_OWN_MOST])
{
    size_t count = guard->engine->own(guard->state, own);
    if (count == 0)
        return 0;
    own[count++] = (struct vt_own){out, sizeof *out};
    own[count++] = (struct vt_own){error, sizeof *error};
    return count;
}

/* A body whose batch is longer than those before goes where they did not. Measured batches come behind. */
static __attribute__((noinline)) enum vt_batch_end guarded_batch(void *state, enum vt_twin twin,
                                                                 uint64_t iterations, struct vt_batch *out,
                                                                 struct vt_error *error)
{
    struct guard *guard = state;
    struct vt_own own[VT_OWN_MOST];
    bool due = guard->watch && twin == VT_BODY && iterations > guard->longest;
    size_t count = due ? find_own(guard, out, error, own) : 0;
    char found[128];

    if (due)
        guard->longest = iterations;
    if (count == 0 || !vt_watch_begin(guard->watch, own, count, __builtin_frame_address(0)))
        return guard->engine->batch(guard->state, twin, iterations, out, error);
    enum vt_batch_end end = guard->engine->batch(guard->state, twin, iterations, out, error);
    if (vt_watch_holds(guard->watch, found, sizeof found))
        return end;
    guard->damaged = true;
    vt_error_set(error, VT_EXIT_NO, 0, "writes to memory that is not its own (%s)", found);
    return VT_BATCH_FAULT;
}

static void fill_answer(struct answer *answer, const struct vt_measurement *m)
{
    size_t pairs = m->batches * sizeof(double);
    answer->measurement = *m;
    if (!m->body)
        return;
    memcpy(answer->body, m->body, pairs);
    memcpy(answer->baseline, m->baseline, pairs);
    if (m->bare)
        memcpy(answer->bare, m->bare, pairs);
    memcpy(answer->marks, m->marks, m->batches);
    memcpy(answer->rounds, m->rounds, m->round_count * sizeof *m->rounds);
}

static void take(struct vt_apart *apart, struct guard *guard, struct question *question)
{
    struct vt_engine guarded = *guard->engine;
    struct vt_sampling sampling = question->sampling;

    guarded.prepare = guarded_prepare;
    guarded.batch = guarded_batch;
    guarded.bare = guard->engine->bare ? guarded_bare : NULL;
    guard->longest = question->measurement->iterations;
    sampling.engine = &guarded;
    sampling.state = guard;
    sampling.stop = apart->stop;
    sampling.quiet = sampling.quiet ? &question->quiet : NULL;
    apart->answer->status = vt_sampler_take(question->measurement, &sampling, &apart->answer->error);
    apart->answer->quiet = question->quiet;
    apart->answer->damaged = guard->damaged;
    fill_answer(apart->answer, question->measurement);
}

/* Signals of the terminal are the parent's to judge, and it does the talking. What is watched stays mapped.
 */
static void settle(const struct vt_apart *apart, pid_t parent)
{
    static const int left_to_parent[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE};
    int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(VT_EXIT_DONE);
    for (size_t i = 0; i < sizeof left_to_parent / sizeof left_to_parent[0]; i++)
        signal(left_to_parent[i], SIG_IGN);
    mprotect((void *)(uintptr_t)apart->stop, STOP_PAGE, PROT_READ);
    if (nowhere >= 0 && vt_watch_is_built_in()) /* a sanitizer must be heard */
        dup2(nowhere, STDERR_FILENO);
    mallopt(M_TRIM_THRESHOLD, INT_MAX);
}

static _Noreturn void serve(struct vt_apart *apart, pid_t parent)
{
    struct guard guard = {.engine = apart->engine};
    struct vt_engine_settings settings = apart->settings;
    struct question question;

    settings.stop = apart->stop;
    settle(apart, parent);
    guard.watch = vt_watch_open();
    apart->answer->status = apart->engine->open(&guard.state, &settings, &apart->answer->error);
    while (send_all(apart->link, apart->answer, sizeof *apart->answer) && !guard.damaged &&
           receive_all(apart->link, &question, sizeof question))
        take(apart, &guard, &question);
    _exit(VT_EXIT_DONE);
}

/* False: there is no answer, and will be none. */
static bool await(struct vt_apart *apart)
{
    struct pollfd ready = {.fd = apart->link, .events = POLLIN};

    for (int looks = 0; looks < (*apart->settings.stop ? LOOKS_STOPPED : LOOKS_MOST); looks++) {
        *apart->stop = *apart->settings.stop;
        if (poll(&ready, 1, LOOK_MS) > 0)
            return receive_all(apart->link, apart->answer, sizeof *apart->answer);
    }
    return false;
}

/* Returns its wait status. */
static int end_child(struct vt_apart *apart)
{
    int status = 0;

    close(apart->link);
    kill(apart->child, SIGKILL);
    while (waitpid(apart->child, &status, 0) < 0 && errno == EINTR)
        ;
    apart->child = 0;
    apart->is_open = false;
    return status;
}

static int refuse_fork(const struct vt_apart *apart, int number, struct vt_error *error)
{
    char limit[320] = "", fix[256] = "see ulimit -v";

    if (number == EAGAIN)
        vt_vmm_explain_threads(limit, sizeof limit, fix, sizeof fix);
    return vt_error_set(error, VT_EXIT_ENVIRONMENT, number,
                        "cannot start a process for engine %s: %s%s%s: %s", apart->engine->name,
                        strerror(number), *limit ? ": " : "", limit, fix);
}

static int start_child(struct vt_apart *apart, struct vt_error *error)
{
    int ends[2];
    pid_t parent = getpid();

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        return vt_error_set(error, VT_EXIT_ENVIRONMENT, errno,
                            "cannot make a socket to a process for engine %s: %s", apart->engine->name,
                            strerror(errno));
    apart->child = fork();
    int number = errno;
    apart->link = ends[apart->child == 0];
    close(ends[apart->child != 0]);
    if (apart->child == 0)
        serve(apart, parent);
    if (apart->child > 0)
        return 0;
    apart->child = 0;
    close(apart->link);
    return refuse_fork(apart, number, error);
}

static void follow(const struct vt_apart *apart, struct vt_error *error)
{
    char what[64];

    vt_memory_follow();
    snprintf(what, sizeof what, "the process of engine %s", apart->engine->name);
    vt_error_memory(error, what);
}

static void explain_end(const struct vt_apart *apart, int status, struct vt_error *error)
{
    const char *name = WIFSIGNALED(status) ? sigabbrev_np(WTERMSIG(status)) : NULL;

    if (vt_memory_ended(status))
        follow(apart, error);
    else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
        vt_error_set(error, VT_EXIT_NO, 0,
                     "the process that engine %s ran in was killed, or did not answer any more",
                     apart->engine->name);
    else
        vt_error_set(error, VT_EXIT_NO, 0, "ended the process that engine %s ran in (%s%s)",
                     apart->engine->name, name ? "SIG" : "", name ? name : "it exited");
}

/* A process that runs, with its engine open. */
static int ensure_child(struct vt_apart *apart, struct vt_error *error)
{
    int status = apart->child ? 0 : start_child(apart, error);

    if (status != 0 || apart->is_open)
        return status;
    if (!await(apart)) {
        explain_end(apart, end_child(apart), error);
        return -ECHILD;
    }
    apart->is_open = apart->answer->status == 0;
    if (apart->is_open)
        return 0;
    *error = apart->answer->error;
    end_child(apart);
    return apart->answer->status;
}

int vt_apart_open(struct vt_apart **result, const struct vt_engine *engine,
                  const struct vt_engine_settings *settings, struct vt_error *error)
{
    struct vt_apart *apart = calloc(1, sizeof *apart);

    if (!apart)
        return vt_error_memory(error, "a process for cases");
    *apart = (struct vt_apart){.engine = engine,
                               .settings = *settings,
                               .answer = calloc(1, sizeof *apart->answer),
                               .stop = MAP_FAILED};
    if (apart->answer)
        apart->stop = mmap(NULL, STOP_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int status = apart->stop == MAP_FAILED ? vt_error_memory(error, "a process for cases")
                                           : ensure_child(apart, error);
    if (status == 0)
        *result = apart;
    else
        vt_apart_close(apart);
    return status;
}

void vt_apart_close(struct vt_apart *apart)
{
    if (!apart)
        return;
    if (apart->child)
        end_child(apart);
    if (apart->stop != MAP_FAILED)
        munmap((void *)(uintptr_t)apart->stop, STOP_PAGE);
    free(apart->answer);
    free(apart);
}

/* Whatever ran there may have written the answer. */
static bool is_sound(const struct vt_measurement *from)
{
    return from->status <= VT_STATUSES && from->stop < VT_STOPS && from->batches <= VT_SAMPLER_MOST &&
           from->round_count <= from->batches && from->marked <= from->batches &&
           memchr(from->reason, '\0', sizeof from->reason);
}

static void accept_samples(struct vt_measurement *m, const struct answer *answer)
{
    const struct vt_measurement *from = &answer->measurement;
    size_t pairs = from->batches * sizeof(double);

    memcpy(m->body, answer->body, pairs);
    memcpy(m->baseline, answer->baseline, pairs);
    if (m->bare)
        memcpy(m->bare, answer->bare, pairs);
    memcpy(m->marks, answer->marks, from->batches);
    memcpy(m->rounds, answer->rounds, from->round_count * sizeof *m->rounds);
    memcpy(m->reason, from->reason, sizeof m->reason);
    m->status = from->status;
    m->stop = from->stop;
    m->iterations = from->iterations;
    m->batches = from->batches;
    m->marked = from->marked;
    m->round_count = from->round_count;
    m->body_counters = from->body_counters;
    m->baseline_counters = from->baseline_counters;
}

static int fail(struct vt_apart *apart, struct vt_measurement *m, struct vt_error *error)
{
    explain_end(apart, end_child(apart), error);
    vt_sampler_fail(m, VT_BATCH_FAULT, error);
    return 0;
}

int vt_apart_take(struct vt_apart *apart, struct vt_measurement *m, const struct vt_sampling *sampling,
                  struct vt_error *error)
{
    struct question question = {.measurement = m, .sampling = *sampling};
    int status = vt_sampler_make_room(m, apart->engine->bare != NULL, error);

    if (status == 0)
        status = ensure_child(apart, error);
    if (status != 0)
        return status;
    if (sampling->quiet)
        question.quiet = *sampling->quiet;
    if (!send_all(apart->link, &question, sizeof question) || !await(apart) ||
        !is_sound(&apart->answer->measurement))
        return fail(apart, m, error);
    if (sampling->quiet)
        *sampling->quiet = apart->answer->quiet;
    if (apart->answer->status == 0)
        accept_samples(m, apart->answer);
    else
        *error = apart->answer->error;
    if (apart->answer->damaged)
        end_child(apart);
    return apart->answer->status;
}
