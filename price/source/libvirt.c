/* libvirt's statistics of a domain, as anybody may read them: "vcpu.0.exits.sum=1786" (virsh(1), domstats).
 */
#include "price/source/source.h"
#include "price/source/virsh.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct state {
    struct vt_virsh virsh;
    char command[512];
    const char *domain; /* the caller's */
};

static bool suits(const struct vt_price_target *target)
{
    return target->domain != NULL;
}

/* NaN: it is none. */
static double number_of(const char *value)
{
    char *end;
    if (strcmp(value, "yes") == 0)
        return 1;
    if (strcmp(value, "no") == 0)
        return 0;
    double number = strtod(value, &end);
    return end != value && *end == '\0' && number >= 0 ? number : NAN;
}

static void take_time(double *sum, double number)
{
    if (!isnan(number))
        *sum = (isnan(*sum) ? 0 : *sum) + number;
}

/* "  vcpu.0.exits.sum=1786", "  vcpu.0.guest_mode.cur=no", "  vcpu.0.time=10000000". */
static void take_line(char *line, void *context)
{
    struct vt_price_said *said = context;
    int name = 0;
    sscanf(line, " vcpu.%*u.%n", &name);
    char *value = name ? strchr(line + name, '=') : NULL;
    if (!value)
        return;
    *value++ = '\0';
    char *kind = strchr(line + name, '.');
    if (kind) {
        *kind++ = '\0';
        if (strcmp(kind, "sum") == 0 || strcmp(kind, "cur") == 0 || strcmp(kind, "max") == 0)
            vt_price_count_add(&said->counts, line + name, number_of(value));
    } else if (strcmp(line + name, "time") == 0) {
        take_time(&said->times.run, number_of(value));
    } else if (strcmp(line + name, "delay") == 0) {
        take_time(&said->times.wait, number_of(value));
    }
}

/* What it takes to start and to connect is no part of a reading. */
static int start(struct state *state, struct vt_error *error)
{
    int status = vt_virsh_open(&state->virsh, error);
    if (status != 0)
        return status;
    status = vt_virsh_ask(&state->virsh, "", NULL, NULL, error);
    if (status != 0)
        vt_virsh_close(&state->virsh);
    return status;
}

static int open_domain(void **result, const struct vt_price_target *target, char *machine, size_t size,
                       struct vt_price_threads *threads, struct vt_error *error)
{
    char word[256];
    if (!vt_virsh_quote(target->domain, word, sizeof word))
        return vt_error_set(error, VT_EXIT_USAGE, EINVAL,
                            "no domain of libvirt has such a name: see virsh -r list for those that run");
    struct state *state = calloc(1, sizeof *state);
    if (!state)
        return vt_error_memory(error, "libvirt's answers");
    state->domain = target->domain;
    snprintf(state->command, sizeof state->command, "domstats --vcpu --domain %s", word);
    int status = start(state, error);
    if (status != 0) {
        free(state);
        return status;
    }
    snprintf(machine, size, "%s", target->domain);
    /* libvirt names the threads of vCPUs: "CPU 0/KVM". */
    *threads = (struct vt_price_threads){.process = vt_virsh_process(target->domain)};
    *result = state;
    return 0;
}

static int read_domain(void *context, struct vt_price_said *said, struct vt_error *error)
{
    struct state *state = context;
    int status = vt_virsh_ask(&state->virsh, state->command, take_line, said, error);
    if (status == -EPROTO)
        return vt_error_set(error, VT_EXIT_ENVIRONMENT, EPROTO,
                            "libvirt: %s: virsh -r list shows which domains run", state->virsh.wrong);
    if (status == 0 && isnan(vt_price_count_of(&said->counts, "exits")))
        return vt_error_set(
            error, VT_EXIT_ENVIRONMENT, ENODATA,
            "libvirt has no statistics of KVM for %s: it does not run or ended, runs without KVM, or "
            "libvirt is older than 8.10 or QEMU older than 7.1 (%s)",
            state->domain, "virsh -r domstats --vcpu shows what there is");
    return status;
}

static void close_domain(void *context)
{
    struct state *state = context;
    vt_virsh_close(&state->virsh);
    free(state);
}

const struct vt_price_source vt_price_source_libvirt = {
    .name = "libvirt",
    .needs =
        "libvirt 8.10 and QEMU 7.1 or newer, virsh, and libvirt's read-only socket, which is everybody's",
    .costs =
        "that of QEMU's monitor, which libvirt asks: QEMU before 8.1 interrupts each vCPU once a reading",
    .suits = suits,
    .open = open_domain,
    .read = read_domain,
    .close = close_domain,
};
