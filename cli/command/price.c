#include "base/file.h"
#include "cli/command.h"
#include "cli/measured.h"
#include "cli/options.h"
#include "cli/price_tolls.h"
#include "cli/screen.h"
#include "price/format/format.h"
#include "price/price.h"
#include "price/reasons/cost.h"
#include "probes/probe.h"
#include "show/metrics.h"

#include <string.h>

struct arguments {
    const char *qmp, *domain, *metrics, *tolls, *format, *output;
    long process;
    double seconds;
    bool force, reasons;
};

static int print(struct vt_price *price, enum vt_format format, const char *path)
{
    struct vt_output output;
    struct vt_error error;
    struct vt_screen screen = vt_cli_screen(path);
    if (vt_file_create(&output, path, &error) != 0)
        return vt_cli_fail(&error);
    vt_metrics_page(path, "price", NULL, price->page, sizeof price->page);
    vt_price_print(format, price, &screen, output.stream);
    return vt_file_commit(&output, &error) == 0 ? VT_EXIT_DONE : vt_cli_fail(&error);
}

static int parse(int *argc, char ***argv, struct arguments *a)
{
    const char *formats[VT_FORMATS + 1];
    char format_help[192];
    vt_format_choices(vt_price_has_format, formats);
    vt_format_help(vt_price_has_format, format_help, sizeof format_help);
    const struct vt_option options[] = {
        {.name = "pid",
         .argument = "PID",
         .integer = &a->process,
         .low = 1,
         .high = 1 << 22,
         .help = "the machine that this process runs"},
        {.name = "qmp",
         .argument = "SOCKET",
         .text = &a->qmp,
         .help = "the machine of QEMU 7.1 or newer whose monitor listens there"},
        {.name = "domain",
         .argument = "NAME",
         .text = &a->domain,
         .help = "the domain of libvirt 8.10 or newer, asked read-only through virsh"},
        {.name = "metrics",
         .argument = "FILE",
         .text = &a->metrics,
         .help = "the microVM of Firecracker that writes its metrics there, each minute: exits\n"
                 "to user space alone"},
        {.name = "tolls",
         .argument = "RESULT",
         .text = &a->tolls,
         .help = "what vmtoll bench --engine kvm --output RESULT measured here; none: counts\n"
                 "and the upper bound alone [measured after the watch, in some four seconds]"},
        {.name = "seconds",
         .argument = "SECONDS",
         .number = &a->seconds,
         .low = 0.1,
         .high = 86400,
         .help = "how long to watch [5]"},
        {.name = "reasons",
         .flag = &a->reasons,
         .help = "tell exits apart by reason, with tracepoints that count (root, or CAP_PERFMON and a\n"
                 "tracefs to be read); what that costs the machine is measured and printed"},
        {.name = "force",
         .flag = &a->force,
         .help = "take tolls that were not measured on this machine as it is, or of a\nmachine that runs "
                 "guests of "
                 "its own, and say so"},
        {.name = "format", .argument = "FORMAT", .text = &a->format, .choices = formats, .help = format_help},
        vt_options_json(&a->format),
        {.name = "output",
         .letter = 'o',
         .argument = "FILE",
         .text = &a->output,
         .help = "write to FILE instead of standard output"},
        {0},
    };
    const struct vt_synopsis synopsis = {
        .command = "price",
        .operands = "",
        .summary = "What a machine that runs pays for crossing into its hypervisor: at least, by what "
                   "crossings cost\n"
                   "here, and at most, by the time its vCPUs were not in the guest.",
        .options = options,
        .notes =
            "The machine is read, never attached to, stopped or written to. With --pid KVM's statistics come "
            "from a\n"
            "descriptor that the process keeps open (QEMU from 8.1 on), else from debugfs, which is "
            "root's.\n\n"
            "Exit status: 1 for a machine that runs guests of its own, 2 for tolls of another machine, 3 "
            "where no\n"
            "statistics are to be had or the machine ended.",
    };
    return vt_options_parse(&synopsis, argc, argv);
}

static bool names_file(const struct arguments *a)
{
    return a->tolls && strcmp(a->tolls, "none") != 0;
}

/* What can be refused at once is refused before the watch. */
static int prepare(const struct arguments *a, enum vt_format *format, struct vt_result **tolls)
{
    struct vt_error error;
    int named = (a->qmp != NULL) + (a->domain != NULL) + (a->metrics != NULL) + (a->process > 0);
    if (named != 1)
        return vt_cli_misuse(
            "price: which machine? Give one of --pid PID, --qmp SOCKET, --domain NAME and --metrics "
            "FILE%s",
            named ? ", not several" : "");
    if (vt_format_choose(format, a->format, a->output, vt_price_has_format, &error) != 0 ||
        vt_file_check(a->output, &error) != 0 ||
        (names_file(a) && vt_price_tolls_load(a->tolls, tolls, &error) != 0))
        return vt_cli_fail(&error);
    return VT_OPTIONS_PROCEED;
}

/* Only once the machine is known to answer: it takes some seconds. */
static int measure(struct vt_result **tolls, const json_t *host)
{
    struct vt_error error;
    char why[512];
    if (vt_cli_measure_tolls(tolls, host, why, sizeof why, &error) != 0)
        return vt_cli_fail(&error);
    if (!*tolls)
        vt_cli_warn("price: without tolls there are counts and the upper bound alone: %s", why);
    return VT_EXIT_DONE;
}

/* Once it is known that there is something to say of it. */
static void measure_events(struct vt_price_watch *watch)
{
    char why[512];
    if (watch->events && !vt_price_reasons_cost(&watch->event_ns, why, sizeof why))
        vt_cli_warn("price: what counting by reason costs is not known: %s", why);
}

/* With tolls, measured now if need be. */
static int bill(const struct arguments *a, enum vt_format format, struct vt_price_watch *watch,
                struct vt_result **tolls, const json_t *host)
{
    struct vt_price price;
    struct vt_error error;
    int status = a->tolls || watch->nested ? VT_EXIT_DONE : measure(tolls, host);
    if (status != VT_EXIT_DONE)
        return status;
    measure_events(watch);
    if (vt_price_make(&price, watch, *tolls, host, a->force, &error) != 0)
        return vt_cli_fail(&error);
    return print(&price, format, a->output);
}

static int watch_and_print(const struct arguments *a, enum vt_format format, struct vt_result **tolls,
                           const json_t *host)
{
    const struct vt_price_target target = {.qmp = a->qmp,
                                           .domain = a->domain,
                                           .metrics = a->metrics,
                                           .process = (pid_t)a->process,
                                           .reasons = a->reasons};
    struct vt_price_watch watch;
    struct vt_error error;
    if ((*tolls && !a->force && vt_price_tolls_check(*tolls, host, &error) != 0) ||
        vt_price_watch(&target, a->seconds, vt_cli_stop(true), &watch, &error) != 0)
        return vt_cli_fail(&error);
    return bill(a, format, &watch, tolls, host);
}

static int price(const struct arguments *a, enum vt_format format, struct vt_result **tolls)
{
    struct vt_error error;
    json_t *host = vt_probes_machine(&error);
    int status = host ? watch_and_print(a, format, tolls, host) : vt_cli_fail(&error);
    json_decref(host);
    return status;
}

int vt_cmd_price(int argc, char **argv)
{
    struct arguments a = {.output = "-", .seconds = 5};
    struct vt_result *tolls = NULL;
    enum vt_format format = VT_FORMAT_TEXT;
    int status = parse(&argc, &argv, &a);
    if (status != VT_OPTIONS_PROCEED)
        return status;
    status = prepare(&a, &format, &tolls);
    if (status == VT_OPTIONS_PROCEED)
        status = price(&a, format, &tolls);
    vt_result_free(tolls);
    return status;
}
