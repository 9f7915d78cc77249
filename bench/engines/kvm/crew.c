#include "bench/engines/kvm/crew.h"
#include "base/process/affinity.h"
#include "base/process/thread.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum order { ORDER_PREPARE, ORDER_RUN, ORDER_QUIT };

struct member {
    struct vt_kvm_crew *crew;
    struct vt_kvm_machine machine; /* joined: its vCPU and copy of the guest */
    pthread_t thread;
    long cpu; /* -1: wherever */
    /* Of the last order. */
    int status;
    enum vt_batch_end end;
    uint64_t operations, from, to; /* done, and between which readings of the time-stamp counter */
    struct vt_error error;
};

struct vt_kvm_crew {
    struct vt_kvm_machine *first;
    struct member *members;
    unsigned count, threads;
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t changed;
    enum order order;
    uint64_t orders;       /* given so far */
    unsigned inside, done; /* members that run batches; that have done the order */
    int cpl;
    vt_case_function function;
    uint64_t iterations;
    atomic_bool halt;
};

static void announce(struct vt_kvm_crew *crew, unsigned *count)
{
    pthread_mutex_lock(&crew->lock);
    ++*count;
    pthread_cond_broadcast(&crew->changed);
    pthread_mutex_unlock(&crew->lock);
}

/* The first batch finds everything cold: the first vCPU is not measured before it has ended. */
static void run_batches(struct member *member)
{
    struct vt_kvm_crew *crew = member->crew;
    struct vt_batch ignored;
    bool warm = false;

    member->operations = 0;
    do {
        member->end = vt_kvm_machine_batch(&member->machine, crew->function, crew->iterations, &ignored,
                                           &member->error);
        if (warm)
            member->operations += crew->iterations;
        else {
            member->from = vt_vmm_clock();
            announce(crew, &crew->inside);
        }
        warm = true;
    } while (member->end == VT_BATCH_DONE && !crew->halt);
    member->to = vt_vmm_clock();
}

static void obey(struct member *member, enum order order)
{
    struct vt_kvm_crew *crew = member->crew;

    if (order == ORDER_RUN) {
        run_batches(member);
        return;
    }
    member->status = vt_kvm_machine_set(&member->machine, crew->first->c, crew->cpl, &member->error);
    if (member->status == 0)
        member->status = vt_kvm_machine_enter(&member->machine, &member->error);
}

static enum order await(struct vt_kvm_crew *crew, uint64_t *orders)
{
    pthread_mutex_lock(&crew->lock);
    while (crew->orders == *orders)
        pthread_cond_wait(&crew->changed, &crew->lock);
    *orders = crew->orders;
    enum order order = crew->order;
    pthread_mutex_unlock(&crew->lock);
    return order;
}

static void *work(void *argument)
{
    struct member *member = argument;
    uint64_t orders = 0;
    enum order order;

    if (member->cpu >= 0)
        vt_affinity_pin(member->cpu);
    member->status = vt_watchdog_open(&member->machine.watchdog, &member->error);
    bool watched = member->status == 0;
    while ((order = await(member->crew, &orders)) != ORDER_QUIT) {
        if (watched)
            obey(member, order);
        announce(member->crew, &member->crew->done);
    }
    if (watched)
        vt_watchdog_close(&member->machine.watchdog);
    return NULL;
}

static void give(struct vt_kvm_crew *crew, enum order order)
{
    pthread_mutex_lock(&crew->lock);
    crew->order = order;
    crew->orders++;
    crew->inside = crew->done = 0;
    crew->halt = false;
    pthread_cond_broadcast(&crew->changed);
    pthread_mutex_unlock(&crew->lock);
}

static void wait_for(struct vt_kvm_crew *crew, const unsigned *count)
{
    pthread_mutex_lock(&crew->lock);
    while (*count < crew->count)
        pthread_cond_wait(&crew->changed, &crew->lock);
    pthread_mutex_unlock(&crew->lock);
}

/* The allowed CPUs downward from the caller's, around, the caller's own last. */
static long next_cpu(const struct vt_affinity *cpus, long cpu)
{
    for (long i = 1; cpus && cpu >= 0 && i <= VT_AFFINITY_CPUS; i++) {
        long next = (cpu + VT_AFFINITY_CPUS - i) % VT_AFFINITY_CPUS;
        if (vt_affinity_has(cpus, next))
            return next;
    }
    return -1;
}

static long own_cpu(const struct vt_affinity *cpus)
{
    for (long cpu = cpus ? vt_affinity_last(cpus) : -1; cpu >= 0; cpu--)
        if (vt_affinity_is_pinned(cpu))
            return cpu;
    return cpus ? vt_affinity_last(cpus) : -1;
}

static int join(struct vt_kvm_crew *crew, unsigned index, long cpu, struct vt_error *error)
{
    struct member *member = &crew->members[index - 1];

    *member = (struct member){.crew = crew, .cpu = cpu};
    member->machine = (struct vt_kvm_machine){
        .settings = crew->first->settings, .peer = -1, .partner.vcpu = -1, .devices = crew->first->devices};
    int status = vt_vmm_join(&member->machine.vm, &crew->first->vm, index, error);
    if (status != 0)
        return status;
    crew->count = index;
    member->machine.watchdog.kick = &member->machine.vm.run->immediate_exit;
    int number = vt_thread_start(&member->thread, work, member);
    if (number)
        return vt_error_set(error, VT_EXIT_ENVIRONMENT, number,
                            "vCPU %u: no thread for it: %s (see ulimit -u)", index, strerror(number));
    crew->threads = index;
    return 0;
}

/* The machine's virtual machine goes, and with it all that joined. */
static void let_go(void *context)
{
    struct vt_kvm_crew *crew = context;

    give(crew, ORDER_QUIT);
    for (unsigned i = 0; i < crew->threads; i++)
        pthread_join(crew->members[i].thread, NULL);
    for (unsigned i = 0; i < crew->count; i++)
        vt_vmm_close(&crew->members[i].machine.vm);
    crew->count = crew->threads = 0;
}

static int join_all(struct vt_kvm_crew *crew, struct vt_error *error)
{
    const struct vt_affinity *cpus = crew->first->settings.cpus;
    long cpu = own_cpu(cpus);
    int status = 0;

    for (unsigned i = 1; status == 0 && i < crew->first->settings.vcpus; i++)
        status = join(crew, i, cpu = next_cpu(cpus, cpu), error);
    if (status != 0)
        let_go(crew);
    return status;
}

int vt_kvm_crew_open(struct vt_kvm_crew **result, struct vt_kvm_machine *machine, struct vt_error *error)
{
    struct vt_kvm_crew *crew = calloc(1, sizeof *crew);

    *result = NULL;
    if (crew)
        crew->members = calloc(machine->settings.vcpus, sizeof *crew->members);
    if (!crew || !crew->members) {
        free(crew);
        return vt_error_memory(error, "the other vCPUs");
    }
    crew->first = machine;
    pthread_mutex_init(&crew->lock, NULL);
    pthread_cond_init(&crew->changed, NULL);
    machine->ending = let_go;
    machine->context = crew;
    *result = crew;
    return 0;
}

void vt_kvm_crew_close(struct vt_kvm_crew *crew)
{
    if (!crew)
        return;
    let_go(crew);
    crew->first->ending = NULL;
    pthread_cond_destroy(&crew->changed);
    pthread_mutex_destroy(&crew->lock);
    free(crew->members);
    free(crew);
}

int vt_kvm_crew_prepare(struct vt_kvm_crew *crew, int cpl, struct vt_error *error)
{
    if (crew->count == 0) {
        int status = join_all(crew, error);
        if (status != 0)
            return status;
    }
    crew->cpl = cpl;
    give(crew, ORDER_PREPARE);
    wait_for(crew, &crew->done);
    for (unsigned i = 0; i < crew->count; i++)
        if (crew->members[i].status != 0) {
            *error = crew->members[i].error;
            crew->first->vm.dirty = true;
            return crew->members[i].status;
        }
    return 0;
}

/* Operations of a member between two readings of the clock, if it did them at an even pace. */
static uint64_t operations_between(const struct member *member, uint64_t from, uint64_t to)
{
    uint64_t first = from > member->from ? from : member->from, last = to < member->to ? to : member->to;

    if (last <= first)
        return 0;
    return (uint64_t)((double)member->operations * (double)(last - first) /
                      (double)(member->to - member->from));
}

enum vt_batch_end vt_kvm_crew_batch(struct vt_kvm_crew *crew, vt_case_function function, uint64_t iterations,
                                    struct vt_batch *out, struct vt_error *error)
{
    uint64_t beside = 0;

    crew->function = function;
    crew->iterations = iterations;
    give(crew, ORDER_RUN);
    wait_for(crew, &crew->inside);
    uint64_t from = vt_vmm_clock();
    enum vt_batch_end end = vt_kvm_machine_batch(crew->first, function, iterations, out, error);
    uint64_t to = vt_vmm_clock();
    crew->halt = true;
    wait_for(crew, &crew->done);
    for (unsigned i = 0; i < crew->count; i++) {
        const struct member *member = &crew->members[i];
        if (end == VT_BATCH_DONE && member->end != VT_BATCH_DONE) {
            end = member->end;
            *error = member->error;
        }
        beside += operations_between(member, from, to);
    }
    if (end == VT_BATCH_DONE)
        vt_counters_put(&out->counters, VT_BESIDE, beside);
    else
        crew->first->vm.dirty = true;
    return end;
}
