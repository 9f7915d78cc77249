#include "base/suggest.h"
#include "bench/engine.h"
#include "bench/measurement.h"
#include "cli/command.h"
#include "cli/options.h"
#include "guest/catalogue.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

static json_t *describe_case(const struct vt_case *c)
{
    json_t *levels = json_array();
    for (int cpl = 0; cpl <= 3; cpl += 3)
        if (vt_guest_case_runs_at(c, cpl, true))
            json_array_append_new(levels, json_integer(cpl));
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:o, s:s, s:s}", "name", c->name, "class",
                     vt_guest_class_name(c->class), "summary", c->summary, "operation", c->operation,
                     "reference", c->reference, "sensitivity", vt_guest_sensitivity_name(c->sensitivity),
                     "levels", levels, "vmx_exits", vt_guest_exiting_name(c->vmx), "svm_exits",
                     vt_guest_exiting_name(c->svm));
}

static json_t *describe_cases(void)
{
    size_t count;
    const struct vt_case *cases = vt_guest_cases(&count);
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(array, describe_case(&cases[i]));
    return array;
}

static void print_cases(void)
{
    size_t count;
    const struct vt_case *cases = vt_guest_cases(&count);
    printf("%-21s %-17s %-14s %-7s %-7s %s\n", "CASE", "CLASS", "SENSITIVITY", "VMX", "SVM", "WHAT IT DOES");
    for (size_t i = 0; i < count; i++)
        printf("%-21s %-17s %-14s %-7s %-7s %s\n", cases[i].name, vt_guest_class_name(cases[i].class),
               vt_guest_sensitivity_name(cases[i].sensitivity), vt_guest_exiting_name(cases[i].vmx),
               vt_guest_exiting_name(cases[i].svm), cases[i].summary);
}

static const char *const path_summaries[VT_PATHS] = {
    [VT_PATH_NATIVE] = "the instruction runs in place, with no hypervisor of ours around it",
    [VT_PATH_EMULATED] = "the guest runs without its ring 0: sensitive instructions trap or are interpreted",
    [VT_PATH_TRANSLATED] = "guest code is rewritten so that sensitive instructions become safe sequences",
    [VT_PATH_PARAVIRTUAL] = "the guest is changed to ask the hypervisor",
    [VT_PATH_HARDWARE] = "VT-x or AMD-V: the guest keeps ring 0 and the CPU exits where needed",
};

static json_t *describe_paths(void)
{
    json_t *array = json_array();
    for (int i = 0; i < VT_PATHS; i++)
        json_array_append_new(array,
                              json_pack("{s:s, s:s}", "name", vt_path_name(i), "summary", path_summaries[i]));
    return array;
}

static void print_paths(void)
{
    for (int i = 0; i < VT_PATHS; i++)
        printf("%-12s %s\n", vt_path_name(i), path_summaries[i]);
}

static json_t *describe_engine(const struct vt_engine *engine)
{
    char reason[512] = "";
    bool available = engine->available(reason, sizeof reason);
    json_t *levels = json_array();
    for (const int *level = engine->levels; *level >= 0; level++)
        json_array_append_new(levels, json_integer(*level));
    return json_pack("{s:s, s:s, s:o, s:b, s:s?}", "name", engine->name, "summary", engine->summary, "levels",
                     levels, "available", available, "reason", available ? NULL : reason);
}

static json_t *describe_engines(void)
{
    size_t count;
    const struct vt_engine *const *engines = vt_bench_engines(&count);
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(array, describe_engine(engines[i]));
    return array;
}

static void print_engine(const struct vt_engine *engine)
{
    char reason[512] = "", levels[16] = "";
    bool available = engine->available(reason, sizeof reason);
    for (const int *level = engine->levels; *level >= 0; level++)
        snprintf(levels + strlen(levels), sizeof levels - strlen(levels), "%s%d", *levels ? "," : "", *level);
    printf("%-10s %-5s %-10s %s\n", engine->name, levels, available ? "yes" : "no", engine->summary);
    if (!available)
        printf("%-10s %-5s %-10s %s\n", "", "", "", reason);
}

static void print_engines(void)
{
    size_t count;
    const struct vt_engine *const *engines = vt_bench_engines(&count);
    printf("%-10s %-5s %-10s %s\n", "ENGINE", "CPL", "AVAILABLE", "WHAT IT DOES");
    for (size_t i = 0; i < count; i++)
        print_engine(engines[i]);
}

struct subject {
    const char *name;
    void (*print)(void);
    json_t *(*describe)(void);
};

static const struct subject subjects[] = {
    {"cases",   print_cases,   describe_cases  },
    {"engines", print_engines, describe_engines},
    {"paths",   print_paths,   describe_paths  },
};

static const struct subject *find_subject(const char *name)
{
    struct vt_suggestion suggestion = {.wanted = name};
    for (size_t i = 0; i < sizeof subjects / sizeof subjects[0]; i++) {
        if (strcmp(subjects[i].name, name) == 0)
            return &subjects[i];
        vt_suggest_offer(&suggestion, subjects[i].name);
    }
    vt_cli_misuse("list: nothing called '%s'%s (see vmtoll list --help)", name, vt_suggest_text(&suggestion));
    return NULL;
}

static int print_json(const struct subject *subject)
{
    json_t *document = json_pack("{s:s, s:o}", "schema", "vmtoll.list/1", subject->name, subject->describe());
    if (!document || json_dumpf(document, stdout, JSON_INDENT(2)) != 0) {
        json_decref(document);
        return ferror(stdout) ? VT_EXIT_DONE
                              : VT_EXIT_INTERNAL; /* main tells what became of standard output */
    }
    putchar('\n');
    json_decref(document);
    return VT_EXIT_DONE;
}

int vt_cmd_list(int argc, char **argv)
{
    bool json = false;
    const struct vt_option options[] = {
        {.name = "json",                                      .flag = &json, .help = "print a JSON document instead of a table"},
        {0},
    };
    const struct vt_synopsis synopsis = {
        .command = "list",
        .operands = "cases|engines|paths",
        .summary = "Show what there is to measure and to measure it with.",
        .least = 1,
        .most = 1,
        .options = options,
    };
    int status = vt_options_parse(&synopsis, &argc, &argv);
    if (status != VT_OPTIONS_PROCEED)
        return status;
    const struct subject *subject = find_subject(argv[0]);
    if (!subject)
        return VT_EXIT_USAGE;
    if (json)
        return print_json(subject);
    subject->print();
    return VT_EXIT_DONE;
}
