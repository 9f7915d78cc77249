#include "base/suggest.h"
#include "cli/command.h"
#include "cli/confined.h"
#include "cli/options.h"
#include "probes/probe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { MOST_CAPABILITIES = 256, SCREEN_COLUMNS = 80, PAGE_COLUMNS = 100, WIDEST = 140 };

struct arguments {
    bool all, anonymous;
    const char *format, *dump, *require;
    struct vt_words required;
};

static int print_json(const json_t *document)
{
    if (json_dumpf(document, stdout, JSON_INDENT(2)) != 0)
        return ferror(stdout) ? VT_EXIT_DONE
                              : VT_EXIT_INTERNAL; /* main tells what became of standard output */
    putchar('\n');
    return VT_EXIT_DONE;
}

static int terminal_columns(int otherwise)
{
    struct winsize size;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        return otherwise;
    return size.ws_col < WIDEST ? size.ws_col : WIDEST;
}

static bool wants_colour(void)
{
    const char *no_color = getenv("NO_COLOR");
    return isatty(STDOUT_FILENO) && !(no_color && *no_color);
}

static int misuse_capability(const char *name)
{
    struct vt_capability names[MOST_CAPABILITIES];
    struct vt_suggestion suggestion = {.wanted = name};
    for (size_t i = 0; i < MOST_CAPABILITIES && vt_probes_capability(i, &names[i]); i++)
        vt_suggest_offer(&suggestion, names[i].name);
    return vt_cli_misuse("probe: unknown capability '%s'%s (see vmtoll list capabilities)", name,
                         vt_suggest_text(&suggestion));
}

static bool is_capability(const char *name)
{
    struct vt_capability capability;
    for (size_t i = 0; vt_probes_capability(i, &capability); i++)
        if (strcmp(capability.name, name) == 0)
            return true;
    return false;
}

/* The next word of a list with commas; false after the last one. Words longer than any name are cut. */
static bool next_word(const char **list, char *word, size_t size)
{
    if (!*list)
        return false;
    size_t length = strcspn(*list, ",");
    snprintf(word, size, "%.*s", (int)length, *list);
    *list = (*list)[length] ? *list + length + 1 : NULL;
    return true;
}

static int check_names(const char *list)
{
    char name[64];
    while (next_word(&list, name, sizeof name))
        if (!is_capability(name))
            return misuse_capability(name);
    return VT_OPTIONS_PROCEED;
}

/* 0 when all are met, else 1: what cannot be known cannot be relied on. */
static int require(const json_t *probe, const char *list, json_t *results)
{
    static const char *const words[] = {"yes", "no", "unknown"};
    int status = VT_EXIT_DONE;
    char name[64], why[512];
    while (next_word(&list, name, sizeof name)) {
        enum vt_requirement result = vt_probes_require(probe, name, why, sizeof why);
        if (result != VT_REQUIREMENT_MET)
            status = VT_EXIT_NO;
        if (results)
            json_object_set_new(results, name, json_pack("{s:s, s:s}", "answer", words[result], "why", why));
        else
            printf("%s: %s%s %s\n", name, words[result], result == VT_REQUIREMENT_UNKNOWN ? ", because" : ":",
                   why);
    }
    return status;
}

static int answer(const struct arguments *a, json_t *probe)
{
    int status = VT_EXIT_DONE;
    bool json = vt_options_want_json(a->format);
    if (a->require) {
        json_t *results = json ? json_object() : NULL;
        status = require(probe, a->require, results);
        if (results)
            json_object_set_new(probe, "required", results);
    }
    if (json) {
        int printed = print_json(probe);
        return printed == VT_EXIT_DONE ? status : printed;
    }
    if (!a->require && a->all)
        vt_probes_render(probe, stdout, wants_colour(), terminal_columns(PAGE_COLUMNS));
    else if (!a->require)
        vt_probes_render_brief(probe, stdout, wants_colour(), terminal_columns(SCREEN_COLUMNS));
    return status;
}

static int parse(int argc, char **argv, struct arguments *a)
{
    const struct vt_option options[] = {
        vt_options_format(&a->format),
        vt_options_json(&a->format),
        {.name = "all",
         .flag = &a->all,
         .help = "print everything, with its evidence, not one screen of it;\njson is always all of it"},
        {.name = "anonymous", .flag = &a->anonymous, .help = "leave out the machine's name"},
        {.name = "from-cpuid",
         .argument = "FILE",
         .text = &a->dump,
         .help = "decode a dump of another machine: cpuid -r, libcpuid's raw format\nor a list of registers; "
                 "- is standard input"},
        {
            .name = "require",
            .argument = "CAP,...",
            .text = &a->require,
            .list = &a->required,
            .help = "only answer whether these are there;\nsee vmtoll list capabilities",
        },
        {0},
    };
    const struct vt_synopsis synopsis = {
        .command = "probe",
        .operands = "",
        .summary = "Detect what this machine can do for virtualization, and what KVM really does with\n"
                   "guest code, with the evidence behind each answer. Needs no root, loads nothing.",
        .options = options,
        .notes = "Exit status with --require: 0 when all are there, 1 when one is not or cannot be\n"
                 "known here (the line says which).",
    };
    int status = vt_options_parse(&synopsis, &argc, &argv);
    return status == VT_OPTIONS_PROCEED && a->require ? check_names(a->require) : status;
}

int vt_cmd_probe(int argc, char **argv)
{
    struct arguments a = {0};
    struct vt_error error;
    int status = parse(argc, argv, &a);
    if (status != VT_OPTIONS_PROCEED)
        return status;
    if (a.dump)
        vt_cli_confine(NULL, NULL, false);
    json_t *probe = a.dump ? vt_probes_dump(a.dump, &error) : vt_probes_machine(&error);
    if (!probe)
        return vt_cli_fail(&error);
    if (a.anonymous)
        vt_probes_forget_name(probe);
    status = answer(&a, probe);
    json_decref(probe);
    return status;
}
