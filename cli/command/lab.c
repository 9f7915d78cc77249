#include "base/suggest.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/lab/profile.h"
#include "cli/lab/sent.h"
#include "cli/measured.h"
#include "cli/options.h"
#include "lab/labs.h"
#include "lab/plan.h"
#include "result/document.h"
#include "result/load/load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct arguments {
    struct vt_cli_asked asked; /* of cases and levels */
    const char *kernel, *modules, *hypervisor;
    bool profile;
    long depth;
    struct vt_words parameters; /* of all --param */
    struct vt_lab_tuning tuning;
    double limit;
};

static void show_progress(void *context, const struct vt_lab_progress *p)
{
    fprintf(stderr, "\rlab %s: ", (const char *)context);
    if (p->total)
        fprintf(stderr, "case %zu of %zu: %s", p->done, p->total, p->name);
    else
        fprintf(stderr, "%s", p->stage);
    if (p->limit > 0)
        fprintf(stderr, "  (%.0f s)", p->elapsed);
    fputs("\033[K", stderr);
    fflush(stderr);
}

enum booted { ANYTHING, LINUX, HYPERVISOR, PROCESSORS, PROFILED, NESTED, PROFILED_NESTED };

/* "svm, svm-bochs and vmx" */
struct names {
    char text[64];
};

static bool boots(const struct vt_lab *lab, enum booted booted)
{
    const bool does[] = {[ANYTHING] = true,
                         [LINUX] = lab->module,
                         [HYPERVISOR] = lab->boots_hypervisor,
                         [PROCESSORS] = lab->processors > 1,
                         [PROFILED] = lab->profiles > 0,
                         [NESTED] = lab->depths > 1,
                         [PROFILED_NESTED] = lab->profiles > 1};
    return does[booted];
}

static struct names name_labs(enum booted booted, const char *between, const char *before_last)
{
    struct names names = {""};
    size_t count, left = 0;
    const struct vt_lab *labs = vt_labs(&count);

    for (size_t i = 0; i < count; i++)
        left += boots(&labs[i], booted);
    for (size_t i = 0; i < count; i++) {
        if (!boots(&labs[i], booted))
            continue;
        const char *link = left == 1 ? before_last : between;
        vt_text_append(names.text, sizeof names.text, "%s%s", *names.text ? link : "", labs[i].name);
        left--;
    }
    return names;
}

static void describe_labs(char *text, size_t size)
{
    size_t count;
    const struct vt_lab *labs = vt_labs(&count);

    for (size_t i = 0; i < count; i++)
        vt_text_append(text, size, "  %-9s %s\n", labs[i].name, labs[i].summary);
    vt_text_append(text, size,
                   "\nEmulators are taken from $PATH; kernels are downloaded as Debian packages into\n"
                   "$XDG_CACHE_HOME/vmtoll and never installed. Nothing here needs root.");
}

static int parse(int *argc, char ***argv, struct arguments *a)
{
    struct names operands = name_labs(ANYTHING, "|", "|");
    char notes[1024] = "";

    describe_labs(notes, sizeof notes);
    const struct vt_option options[] = {
        {
            .name = "kernel",
            .argument = "BZIMAGE",
            .text = &a->kernel,
            .help = "of a lab with Linux: boot this kernel instead of Debian's",
        },
        {
            .name = "modules",
            .argument = "DIR",
            .text = &a->modules,
            .help = "of a lab with Linux: take kvm's modules from below DIR, a build\ntree or "
                    "lib/modules/VERSION",
        },
        {
            .name = "hypervisor",
            .argument = "FILE",
            .text = &a->hypervisor,
            .help = "xen: boot this build of Xen (xen/xen or xen/xen.gz) instead of\nDebian's",
        },
        {
            .name = "append",
            .argument = "WORDS",
            .text = &a->tuning.append,
            .help = "of a lab with Linux: add to the kernel's command line, such as\n'mitigations=auto'",
        },
        {
            .name = "param",
            .argument = "MODULE.NAME=VALUE,...",
            .text = &a->tuning.parameters,
            .list = &a->parameters,
            .help = "of a lab with Linux: load KVM's modules with it, such as\nkvm_amd.npt=0",
        },
        {
            .name = "smp",
            .argument = "N",
            .integer = &a->tuning.processors,
            .low = 1,
            .high = VT_LAB_PROCESSORS,
            .help = "svm-bochs, vmx: processors of the emulated machine [1]",
        },
        {
            .name = "depth",
            .argument = "N",
            .integer = &a->depth,
            .low = 1,
            .high = VT_LAB_DEPTH_MOST,
            .help = "svm, vmx: 2 measures in a Linux that runs as KVM's guest in the\nlab's Linux [1]",
        },
        vt_cli_option_cases(&a->asked),
        {
            .name = "profile",
            .flag = &a->profile,
            .help = "but tcg, bochs: tell which functions the instructions are of, each one\ncounted; vmtoll "
                    "report shows them",
        },
        vt_cli_option_levels(&a->asked, "of a lab with Linux: privilege levels [0]"),
        {
            .name = "limit",
            .argument = "SECONDS",
            .number = &a->limit,
            .low = 1,
            .high = 86400,
            .help = "give up after this time",
        },
        vt_cli_option_output(&a->asked),
        vt_cli_option_quiet(&a->asked),
        vt_options_format(&a->asked.format),
        vt_options_json(&a->asked.format),
        {0},
    };
    const struct vt_synopsis synopsis = {
        .command = "lab",
        .operands = operands.text,
        .summary =
            "Run the cases on emulated hardware under a real hypervisor and count the instructions each\n"
            "crossing takes: the same number every time, on any machine.",
        .least = 1,
        .most = 1,
        .options = options,
        .notes = notes,
    };
    return vt_options_parse(&synopsis, argc, argv);
}

static const struct vt_lab *find_lab(const char *name)
{
    size_t count;
    const struct vt_lab *labs = vt_labs(&count);
    struct vt_suggestion suggestion = {.wanted = name};

    for (size_t i = 0; i < count; i++) {
        if (strcmp(labs[i].name, name) == 0)
            return &labs[i];
        vt_suggest_offer(&suggestion, labs[i].name);
    }
    vt_cli_misuse("lab: unknown lab '%s'%s (see vmtoll lab --help)", name, vt_suggest_text(&suggestion));
    return NULL;
}

/* What a lab would pass over in silence. */
static int check_options(const struct vt_lab *lab, const struct arguments *a)
{
    const struct {
        bool given;
        enum booted booted;
        const char *options, *why;
    } checks[] = {
        {a->kernel || a->modules, LINUX, "--kernel and --modules are", ", which boot Linux"},
        {a->tuning.append, LINUX, "--append is", ", which boot Linux"},
        {a->tuning.parameters, LINUX, "--param is", ", which boot Linux"},
        {a->tuning.processors > 1, PROCESSORS, "--smp is",
         "; QEMU, which counts one processor's instructions after another's, does not get a second one "
         "started, and the image itself has one"},
        {a->asked.selection.levels, LINUX, "--cpl is", "; here each case runs where it can"},
        {a->hypervisor, HYPERVISOR, "--hypervisor is", ""},
        {a->depth > 1, NESTED, "--depth 2 is", ""},
        {a->profile, PROFILED, "--profile is", ", whose emulator tells what it executes"},
        {a->profile && a->depth > 1, PROFILED_NESTED, "--profile with --depth 2 is",
         ", whose emulator tells which machine's memory is executed"},
    };

    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++)
        if (checks[i].given && !boots(lab, checks[i].booted))
            return vt_cli_misuse("lab %s: %s for %s%s", lab->name, checks[i].options,
                                 name_labs(checks[i].booted, ", ", " and ").text, checks[i].why);
    if (a->profile && a->tuning.processors > 1)
        return vt_cli_misuse("lab %s: --profile follows one processor: leave out --smp", lab->name);
    if (!a->kernel != !a->modules)
        return vt_cli_misuse("lab: --kernel and --modules go together: both are of one build");
    return VT_OPTIONS_PROCEED;
}

static int check_tuning(const struct vt_lab *lab, const struct arguments *a)
{
    struct vt_error error;
    if (!lab->module || vt_lab_tuning_check(&a->tuning, lab->module, &error) == 0)
        return VT_OPTIONS_PROCEED;
    return vt_cli_misuse("lab %s: %s", lab->name, error.text);
}

/* A wrong name must not cost a boot. */
static int check(const struct vt_lab *lab, const struct arguments *a)
{
    struct vt_plan plan = {0};
    int status = check_options(lab, a);
    if (status == VT_OPTIONS_PROCEED)
        status = check_tuning(lab, a);
    if (status == VT_OPTIONS_PROCEED)
        status = vt_cli_select(&a->asked, &plan);
    vt_select_release(&plan);
    return status;
}

static int keep_result(struct vt_result *result, void *context)
{
    struct vt_result **kept = context;
    vt_result_free(*kept);
    *kept = result;
    return 0;
}

static struct vt_result *make_result(const struct vt_lab_outcome *outcome, struct vt_error *error)
{
    struct vt_load_options options = {.samples = true};
    struct vt_document document = {.measurements = outcome->measurements, .count = outcome->count};
    struct vt_result *result = NULL;

    if (!outcome->document)
        return vt_result_make(&document, error);
    if (vt_result_load_memory("the lab's result", outcome->document, outcome->size, &options, keep_result,
                              &result, error) == 0)
        return result;
    vt_result_free(result);
    return NULL;
}

static int deliver(const struct vt_lab *lab, const struct arguments *a, struct vt_lab_outcome *outcome,
                   const struct vt_lab_stop *stop, const char *started)
{
    struct vt_error error;
    struct vt_result *result = make_result(outcome, &error);
    if (!result)
        return vt_cli_fail(&error);
    const struct vt_setting settings[] = {
        {"lab", lab->name},
        {"cases", a->asked.selection.cases},
        {"emulator", outcome->emulator},
        {"kernel", outcome->kernel},
        {"hypervisor", outcome->hypervisor},
        {"kernel_command_line", outcome->command_line},
        {0},
    };
    int status = vt_cli_check_sent(lab, &a->asked.selection, a->depth > 1 ? (int)a->depth : 1, outcome,
                                   result, &error);
    if (status == 0)
        status = vt_cli_profile_rows(outcome, stop, result, &error);
    if (status == 0)
        status = vt_result_describe(result, started, settings, &error);
    status = status == 0 ? vt_cli_deliver(result, &a->asked) : vt_cli_fail(&error);
    vt_result_free(result);
    return status;
}

static int run(const struct vt_lab *lab, const struct arguments *a)
{
    bool terminal = isatty(STDERR_FILENO);
    struct vt_lab_request request = {
        .kernel = a->kernel,
        .modules = a->modules,
        .cases = a->asked.selection.cases,
        .hypervisor = a->hypervisor,
        .profile = a->profile,
        .depth = a->depth > 1 ? (unsigned)a->depth : 1,
        .levels = a->asked.selection.levels ? a->asked.selection.levels : "0",
        .tuning = a->tuning,
        .stop = vt_lab_stop_after(vt_cli_stop(false), a->limit),
        .progress = terminal ? show_progress : NULL,
        .context = (void *)lab->name,
    };
    struct vt_lab_outcome outcome = {0};
    struct vt_error error;
    struct vt_cli_moment started = vt_cli_now();

    int status = lab->run(&request, &outcome, &error);
    if (terminal)
        fputs("\r\033[K", stderr);
    status = status == 0 ? deliver(lab, a, &outcome, &request.stop, started.text) : vt_cli_fail(&error);
    vt_lab_release(&outcome);
    return status;
}

int vt_cmd_lab(int argc, char **argv)
{
    struct arguments a = {0};

    if (argc == 2 && strcmp(argv[1], "inside") == 0)
        return vt_cli_lab_inside();
    int status = parse(&argc, &argv, &a);
    if (status != VT_OPTIONS_PROCEED)
        return status;
    const struct vt_lab *lab = find_lab(argv[0]);
    if (!lab)
        return VT_EXIT_USAGE;
    status = check(lab, &a);
    return status == VT_OPTIONS_PROCEED ? run(lab, &a) : status;
}
