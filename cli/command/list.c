#include "base/suggest.h"
#include "base/text.h"
#include "bench/available.h"
#include "bench/measurement.h"
#include "cli/command.h"
#include "cli/options.h"
#include "guest/catalogue.h"
#include "probes/probe.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

enum { MOST_COLUMNS = 7 };

/* A table of text shows these members of each entry; the last column is as wide as it needs. */
struct column {
    const char *key, *title;
    int width;
};

struct subject {
    const char *name;
    json_t *(*describe)(void);
    struct column columns[MOST_COLUMNS + 1];
    const char *remark; /* member shown on a line of its own where it is not null */
};

/* What a paravirtual guest does instead, by interface. */
static json_t *describe_forms(const struct vt_case *c)
{
    json_t *forms = json_object();
    for (int i = 0; i < VT_PV_INTERFACES; i++) {
        const struct vt_pv_form *form = vt_guest_pv_form(c, i);
        if (form)
            json_object_set_new(forms, vt_guest_pv_interface_name(i), json_string(form->operation));
    }
    return forms;
}

static json_t *describe_case(const struct vt_case *c)
{
    json_t *levels = json_array();
    for (int cpl = 0; cpl <= 3; cpl += 3)
        if (vt_guest_case_runs_at(c, cpl, true))
            json_array_append_new(levels, json_integer(cpl));
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:o, s:s, s:s, s:s, s:o, s:s?}", "name", c->name,
                     "class", vt_guest_class_name(c->class), "summary", c->summary, "operation", c->operation,
                     "reference", c->reference, "sensitivity", vt_guest_sensitivity_name(c->sensitivity),
                     "levels", levels, "vmx_exits", vt_guest_exiting_name(c->vmx), "svm_exits",
                     vt_guest_exiting_name(c->svm), "bare", vt_guest_bare_name(c->bare), "paravirtual",
                     describe_forms(c), "unit_test", c->unit_test);
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

static json_t *describe_engine(const struct vt_engine *engine)
{
    char reason[512] = "";
    bool available = vt_bench_available(engine, reason, sizeof reason);
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

static json_t *describe_capability(const json_t *machine, const struct vt_capability *capability)
{
    char why[512] = "this machine could not be probed";
    enum vt_requirement here =
        machine ? vt_probes_require(machine, capability->name, why, sizeof why) : VT_REQUIREMENT_UNKNOWN;
    json_t *answer = here == VT_REQUIREMENT_UNKNOWN ? json_null() : json_boolean(here == VT_REQUIREMENT_MET);
    return json_pack("{s:s, s:s, s:o, s:s}", "name", capability->name, "summary", capability->meaning, "here",
                     answer, "why", why);
}

static json_t *describe_capabilities(void)
{
    json_t *machine = vt_probes_machine(NULL), *array = json_array();
    struct vt_capability capability;
    for (size_t i = 0; vt_probes_capability(i, &capability); i++)
        json_array_append_new(array, describe_capability(machine, &capability));
    json_decref(machine);
    return array;
}

static const struct subject subjects[] = {
    {"cases",
     describe_cases,
     {{"name", "CASE", 21},
      {"class", "CLASS", 17},
      {"sensitivity", "SENSITIVITY", 14},
      {"vmx_exits", "VMX", 7},
      {"svm_exits", "SVM", 7},
      {"bare", "BARE", 8},
      {"summary", "WHAT IT DOES", 0}},
     NULL},
    {"engines",
     describe_engines,
     {{"name", "ENGINE", 10},
      {"levels", "CPL", 5},
      {"available", "AVAILABLE", 10},
      {"summary", "WHAT IT DOES", 0}},
     "reason"},
    {"paths",
     describe_paths,
     {{"name", "PATH", 12}, {"summary", "HOW AN OPERATION IS VIRTUALIZED", 0}},
     NULL},
    {"capabilities",
     describe_capabilities,
     {{"name", "CAPABILITY", 36}, {"here", "HERE", 8}, {"summary", "WHAT IT MEANS", 0}},
     NULL},
};

static void print_cell(const json_t *value, int width)
{
    char text[32] = "";
    if (json_is_boolean(value))
        snprintf(text, sizeof text, "%s", json_is_true(value) ? "yes" : "no");
    for (size_t i = 0; i < json_array_size(value); i++)
        vt_text_append(text, sizeof text, "%s%" JSON_INTEGER_FORMAT, i ? "," : "",
                       json_integer_value(json_array_get(value, i)));
    printf("%-*s", width, json_is_string(value) ? json_string_value(value) : *text ? text : "unknown");
}

static void print_row(const struct subject *subject, const json_t *entry)
{
    const struct column *column = subject->columns;
    for (; column->key; column++) {
        print_cell(json_object_get(entry, column->key), column->width);
        putchar(column[1].key ? ' ' : '\n');
    }
    const char *remark = subject->remark ? json_string_value(json_object_get(entry, subject->remark)) : NULL;
    if (remark)
        printf("%*s %s\n", subject->columns[0].width, "", remark);
}

static void print_table(const struct subject *subject, const json_t *entries)
{
    for (const struct column *column = subject->columns; column->key; column++)
        printf("%-*s%c", column->width, column->title, column[1].key ? ' ' : '\n');
    for (size_t i = 0; i < json_array_size(entries); i++)
        print_row(subject, json_array_get(entries, i));
}

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

static int print_list(const struct subject *subject, bool json)
{
    struct vt_error error;
    json_t *document = json_pack("{s:s, s:o}", "schema", "vmtoll.list/1", subject->name, subject->describe());
    if (!document) {
        vt_error_memory(&error, "the list");
        return vt_cli_fail(&error);
    }
    if (json) {
        /* What became of standard output, main tells. */
        json_dumpf(document, stdout, JSON_INDENT(2));
        putchar('\n');
    } else {
        print_table(subject, json_object_get(document, subject->name));
    }
    json_decref(document);
    return VT_EXIT_DONE;
}

int vt_cmd_list(int argc, char **argv)
{
    const char *format = NULL;
    const struct vt_option options[] = {
        vt_options_format(&format),
        vt_options_json(&format),
        {0},
    };
    const struct vt_synopsis synopsis = {
        .command = "list",
        .operands = "cases|engines|paths|capabilities",
        .summary = "Show what there is to measure and to measure it with, and what probe can require.",
        .least = 1,
        .most = 1,
        .options = options,
    };
    char *help[] = {argv[0], "--help", NULL}, **words = argc == 1 ? help : argv;
    int count = argc == 1 ? 2 : argc; /* nothing was asked for: say what can be */
    int status = vt_options_parse(&synopsis, &count, &words);
    if (status != VT_OPTIONS_PROCEED)
        return status;
    const struct subject *subject = find_subject(words[0]);
    return subject ? print_list(subject, vt_options_want_json(format)) : VT_EXIT_USAGE;
}
