#include "base/file.h"
#include "cli/command.h"
#include "cli/measured.h"
#include "cli/options.h"
#include "cli/price/live.h"
#include "cli/price/tolls.h"
#include "cli/screen.h"
#include "price/format/format.h"
#include "price/bills.h"
#include "price/machines.h"
#include "price/reasons/cost.h"
#include "probes/probe.h"
#include "show/metrics.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

struct arguments {
    const char *qmp, *domain, *metrics, *tolls, *format, *output;
    long process;
    double seconds, interval;
    bool lasts; /* --seconds was given */
    bool force, reasons, all, watch;
};

/* One machine's bill, or all machines'. */
static int print(const struct arguments *a, struct vt_price_bills *bills, enum vt_format format)
{
    struct vt_output output;
    struct vt_error error;
    char page[256];
    struct vt_screen screen = vt_cli_screen(a->output);
    if (vt_file_create(&output, a->output, &error) != 0)
        return vt_cli_fail(&error);
    vt_metrics_page(a->output, "price", NULL, page, sizeof page);
    vt_price_bills_set_page(bills, page);
    if (a->all)
        vt_price_print_all(format, bills, &screen, output.stream);
    else
        vt_price_print(format, &bills->list[0], &screen, output.stream);
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
        {.name = "all",
         .flag = &a->all,
         .help = "all machines that run here and may be seen: domains of libvirt, then\n"
                 "processes that hold a machine of KVM's"},
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
         .help = "how long to watch [5; of --watch: until ^C]"},
        {.name = "interval",
         .argument = "SECONDS",
         .number = &a->interval,
         .low = 0.1,
         .high = 86400,
         .help = "read in between as often, and tell how intervals differ [of --watch: 1]"},
        {.name = "watch",
         .flag = &a->watch,
         .help = "show the last interval on the terminal, again and again, and all at the end"},
        {.name = "reasons",
         .flag = &a->reasons,
         .help = "tell exits apart by reason, with tracepoints that count (CAP_PERFMON and\n"
                 "tracefs, or root); what that costs the machine is measured and printed"},
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

static int check_machine(const struct arguments *a)
{
    int named = (a->qmp != NULL) + (a->domain != NULL) + (a->metrics != NULL) + (a->process > 0) + a->all;
    if (named != 1)
        return vt_cli_misuse(
            "price: which machine? Give one of --pid PID, --qmp SOCKET, --domain NAME, --metrics FILE and "
            "--all%s",
            named ? ", not several" : "");
    return VT_OPTIONS_PROCEED;
}

static int check_time(const struct arguments *a)
{
    if (a->watch && (a->format || strcmp(a->output, "-") != 0))
        return vt_cli_misuse("price: --watch shows text on the terminal: leave out --format and --output");
    if (a->watch)
        return vt_cli_live_check();
    if (a->interval > 0 && a->seconds / a->interval > VT_PRICE_INTERVALS)
        return vt_cli_misuse("price: more than %d intervals: make --interval longer or --seconds shorter",
                             VT_PRICE_INTERVALS);
    return VT_OPTIONS_PROCEED;
}

/* What can be refused at once is refused before the watch. */
static int prepare(const struct arguments *a, enum vt_format *format, struct vt_result **tolls)
{
    struct vt_error error;
    int status = check_machine(a);
    if (status == VT_OPTIONS_PROCEED)
        status = check_time(a);
    if (status != VT_OPTIONS_PROCEED)
        return status;
    if (vt_format_choose(format, a->format, a->output, vt_price_has_format, &error) != 0 ||
        vt_file_check(a->output, &error) != 0 ||
        (names_file(a) && vt_price_tolls_load(a->tolls, tolls, &error) != 0))
        return vt_cli_fail(&error);
    return VT_OPTIONS_PROCEED;
}

/* Only once a machine is known to answer: it takes some seconds. */
static int measure(struct vt_result **tolls, const json_t *host)
{
    struct vt_error error;
    char why[512];
    if (isatty(STDERR_FILENO))
        vt_cli_warn("price: measuring what crossings cost here, some four seconds");
    if (vt_cli_measure_tolls(tolls, host, why, sizeof why, &error) != 0)
        return vt_cli_fail(&error);
    if (!*tolls)
        vt_cli_warn("price: without tolls there are counts and the upper bound alone: %s", why);
    return VT_EXIT_DONE;
}

/* NaN: not counted, or not to be known. */
static double measure_events(const struct vt_price_session *session)
{
    char why[512];
    double each_ns = NAN;
    uint32_t events = vt_price_session_events(session);
    if (events && !vt_price_reasons_cost(events, &each_ns, why, sizeof why))
        vt_cli_warn("price: what counting by reason costs is not known: %s", why);
    return each_ns;
}

/* What one machine refuses is an error; of several, each has its line. */
static int check_session(const struct arguments *a, const struct vt_price_session *session)
{
    const struct vt_error *why = a->all ? NULL : vt_price_session_error(session, 0);
    return why ? vt_cli_fail(why) : VT_EXIT_DONE;
}

static bool is_only_nested(const struct vt_price_session *session)
{
    return session->count == 1 && session->list[0].whole.nested;
}

static int tell_none(const struct vt_price_bills *bills)
{
    vt_cli_warn("price: none of %zu machine%s could be read; the first, %s: %s", bills->unread_count,
                bills->unread_count == 1 ? "" : "s", bills->unread[0].machine, bills->unread[0].why);
    return VT_EXIT_ENVIRONMENT;
}

/* With tolls, measured now if need be. */
static int bill(const struct arguments *a, enum vt_format format, struct vt_price_session *session,
                struct vt_result **tolls, const json_t *host)
{
    struct vt_price_bills bills;
    struct vt_error error;
    int status = a->tolls || *tolls || is_only_nested(session) ? VT_EXIT_DONE : measure(tolls, host);
    if (status != VT_EXIT_DONE)
        return status;
    vt_price_session_set_event(session, measure_events(session));
    if (vt_price_bills_make(&bills, session, *tolls, host, a->force, &error) != 0)
        status = vt_cli_fail(&error);
    else if (bills.count == 0)
        status = tell_none(&bills);
    else
        status = print(a, &bills, format);
    vt_price_bills_release(&bills);
    return status;
}

static int watch(const struct arguments *a, struct vt_price_session *session, const volatile int *stop)
{
    double step = a->interval > 0 ? a->interval : a->seconds;
    struct vt_error error;
    for (double left = a->seconds; left > 1e-9 && !*stop && vt_price_session_open_count(session) > 0;
         left -= step)
        if (vt_price_session_go_on(session, step < left ? step : left, a->interval > 0, stop, &error) != 0)
            return vt_cli_fail(&error);
    return check_session(a, session);
}

static int watch_live(const struct arguments *a, struct vt_price_session *session, struct vt_result **tolls,
                      const json_t *host, const volatile int *stop)
{
    struct vt_error error;
    struct vt_cli_live live = {.session = session,
                               .host = host,
                               .interval = a->interval > 0 ? a->interval : 1,
                               .seconds = a->lasts ? a->seconds : INFINITY,
                               .force = a->force,
                               .all = a->all,
                               .stop = stop};
    int status = a->tolls ? VT_EXIT_DONE : measure(tolls, host);
    if (status != VT_EXIT_DONE)
        return status;
    live.tolls = *tolls;
    live.event_ns = measure_events(session);
    return vt_cli_live_run(&live, &error) == 0 ? check_session(a, session) : vt_cli_fail(&error);
}

static int watch_and_print(const struct arguments *a, enum vt_format format,
                           const struct vt_price_target *targets, size_t count, struct vt_result **tolls,
                           const json_t *host)
{
    const volatile int *stop = vt_cli_stop(true);
    struct vt_price_session session;
    struct vt_error error;
    int status = vt_price_session_open(&session, targets, count, &error) == 0 ? check_session(a, &session)
                                                                              : vt_cli_fail(&error);
    if (status == VT_EXIT_DONE)
        status = a->watch ? watch_live(a, &session, tolls, host, stop) : watch(a, &session, stop);
    if (status == VT_EXIT_DONE)
        status = bill(a, format, &session, tolls, host);
    vt_price_session_release(&session);
    return status;
}

static int watch_all(const struct arguments *a, enum vt_format format, struct vt_result **tolls,
                     const json_t *host)
{
    struct vt_price_machines machines;
    struct vt_error error;
    if (vt_price_machines_find("/proc", &machines, &error) != 0)
        return vt_cli_fail(&error);
    for (size_t i = 0; i < machines.count; i++)
        machines.list[i].reasons = a->reasons;
    int status = VT_EXIT_ENVIRONMENT;
    if (machines.count > 0)
        status = watch_and_print(a, format, machines.list, machines.count, tolls, host);
    else
        vt_cli_warn("price: no machine of KVM is to be seen here: none runs, or only root may look into the "
                    "processes that "
                    "run them");
    vt_price_machines_release(&machines);
    return status;
}

static int price(const struct arguments *a, enum vt_format format, struct vt_result **tolls)
{
    const struct vt_price_target target = {.qmp = a->qmp,
                                           .domain = a->domain,
                                           .metrics = a->metrics,
                                           .process = (pid_t)a->process,
                                           .reasons = a->reasons};
    struct vt_error error;
    json_t *host = vt_probes_machine(&error);
    int status = VT_EXIT_DONE;
    if (!host || (*tolls && !a->force && vt_price_tolls_check(*tolls, host, &error) != 0))
        status = vt_cli_fail(&error);
    else
        status =
            a->all ? watch_all(a, format, tolls, host) : watch_and_print(a, format, &target, 1, tolls, host);
    json_decref(host);
    return status;
}

int vt_cmd_price(int argc, char **argv)
{
    struct arguments a = {.output = "-"};
    struct vt_result *tolls = NULL;
    enum vt_format format = VT_FORMAT_TEXT;
    int status = parse(&argc, &argv, &a);
    if (status != VT_OPTIONS_PROCEED)
        return status;
    a.lasts = a.seconds > 0;
    a.seconds = a.lasts ? a.seconds : 5;
    status = prepare(&a, &format, &tolls);
    if (status == VT_OPTIONS_PROCEED)
        status = price(&a, format, &tolls);
    vt_result_free(tolls);
    return status;
}
