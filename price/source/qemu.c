/* QEMU's own statistics, through its monitor. */
#include "base/memory.h"
#include "price/source/qmp.h"
#include "price/source/source.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool suits(const struct vt_price_target *target)
{
    return target->qmp != NULL;
}

static void take_name(struct vt_qmp *qmp, char *machine, size_t size)
{
    json_t *answer;
    if (vt_qmp_ask(qmp, VT_QMP_NAME, &answer, NULL) != 0)
        return;
    const char *name = json_string_value(json_object_get(answer, "name"));
    if (name && *name)
        snprintf(machine, size, "%s", name);
    json_decref(answer);
}

static int add_thread(struct vt_price_threads *threads, const json_t *cpu, struct vt_error *error)
{
    double number = json_number_value(json_object_get(cpu, "thread-id"));
    if (!(number >= 1 && number <= INT32_MAX) || threads->count == VT_PRICE_VCPUS)
        return 0;
    pid_t *slot = vt_memory_append(threads->list, threads->count);
    if (!slot)
        return vt_error_memory(error, "the threads of vCPUs");
    *slot = (pid_t)number;
    return 0;
}

/* The numbers are those of QEMU's own PID namespace: they must be threads of the process that listens. */
static int take_threads(struct vt_qmp *qmp, struct vt_price_threads *threads, struct vt_error *error)
{
    json_t *answer, *cpu;
    size_t i;
    int status = vt_qmp_ask(qmp, VT_QMP_CPUS, &answer, error);
    *threads = (struct vt_price_threads){.process = vt_qmp_peer(qmp)};
    json_array_foreach(answer, i, cpu)
    {
        if (status == 0)
            status = add_thread(threads, cpu, error);
    }
    json_decref(answer);
    if (status != 0 || !vt_price_threads_are_there("/proc", threads))
        vt_price_threads_release(threads);
    return status;
}

static int open_qmp(void **state, const struct vt_price_target *target, char *machine, size_t size,
                    struct vt_price_threads *threads, struct vt_error *error)
{
    struct vt_qmp *qmp = malloc(sizeof *qmp);
    if (!qmp)
        return vt_error_memory(error, "QEMU's answers");
    int status = vt_qmp_open(qmp, target->qmp, error);
    if (status != 0) {
        free(qmp);
        return status;
    }
    snprintf(machine, size, "%s", target->qmp);
    take_name(qmp, machine, size);
    status = take_threads(qmp, threads, error);
    if (status != 0) {
        vt_qmp_close(qmp);
        free(qmp);
        return status;
    }
    *state = qmp;
    return 0;
}

/* Histograms are arrays; states are true or false. */
static void add(struct vt_price_counts *counts, const json_t *statistic)
{
    const char *name = json_string_value(json_object_get(statistic, "name"));
    const json_t *value = json_object_get(statistic, "value");
    if (name && json_is_number(value))
        vt_price_count_add(counts, name, json_number_value(value));
    else if (name && json_is_boolean(value))
        vt_price_count_add(counts, name, json_is_true(value));
}

static int read_qmp(void *state, struct vt_price_said *said, struct vt_error *error)
{
    struct vt_price_counts *counts = &said->counts;
    struct vt_qmp *qmp = state;
    json_t *answer, *of, *statistic;
    size_t i, k;
    int status = vt_qmp_ask(qmp, VT_QMP_STATISTICS, &answer, error);
    if (status != 0)
        return status;
    json_array_foreach(answer, i, of)
    {
        const char *provider = json_string_value(json_object_get(of, "provider"));
        if (!provider || strcmp(provider, "kvm") != 0)
            continue;
        json_array_foreach(json_object_get(of, "stats"), k, statistic)
        {
            add(counts, statistic);
        }
    }
    json_decref(answer);
    if (isnan(vt_price_count_of(counts, "exits")))
        return vt_error_set(error, VT_EXIT_ENVIRONMENT, ENODATA,
                            "%s: QEMU has no statistics of KVM: the machine runs without -accel kvm, or the "
                            "kernel is older than 5.14",
                            qmp->path);
    return 0;
}

static void close_qmp(void *state)
{
    vt_qmp_close(state);
    free(state);
}

const struct vt_price_source vt_price_source_qmp = {
    .name = "qmp",
    .needs = "a socket of QEMU 7.1 or newer that nobody else uses (-qmp unix:PATH,server=on,wait=off)",
    .costs = "QEMU before 8.1 interrupts each vCPU once a reading, newer ones none",
    .suits = suits,
    .open = open_qmp,
    .read = read_qmp,
    .close = close_qmp,
};
