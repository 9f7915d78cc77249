#include "probes/document.h"
#include "base/text.h"
#include "base/wrap.h"
#include "probes/page.h"
#include "probes/probe.h"

#include <stdio.h>
#include <string.h>

enum { LABEL = 18, VALUE = 30 };

/* Rows of a section: a value of the document and its evidence beside it. */
struct item {
    const char *label, *path;
};

struct section {
    const char *title;
    const struct item *items; /* ended by a NULL label */
    const char *features;     /* path of an object of features to list below; NULL: none */
    bool gated;               /* when the first item is false, it says all */
};

static const struct item processor[] = {
    {"vendor", "cpu.vendor"},
    {"brand", "cpu.brand"},
    {"family", "cpu.family"},
    {"model", "cpu.model"},
    {"stepping", "cpu.stepping"},
    {"microcode", "system.microcode"},
    {0},
};
static const struct item vt_x[] = {
    {"supported", "vt_x.supported"},
    {"enabled", "vt_x.enabled"},
    {0},
};
static const struct item amd_v[] = {
    {"supported", "amd_v.supported"},
    {"enabled", "amd_v.enabled"},
    {"revision", "amd_v.revision"},
    {"ASIDs", "amd_v.asids"},
    {0},
};
static const struct item kvm[] = {
    {"device", "kvm.device"},
    {"accessible", "kvm.accessible"},
    {"API version", "kvm.api_version"},
    {"backend", "kvm.backend"},
    {"creates a VM", "kvm.creates_vm"},
    {"runs a guest", "kvm.runs_guest"},
    {"guest at ring 0", "kvm.cpl0"},
    {"guest at ring 3", "kvm.cpl3"},
    {"nesting for guests", "kvm.nested"},
    {0},
};
static const struct item hypervisor[] = {
    {"present", "hypervisor.present"},
    {"vendor", "hypervisor.vendor"},
    {"signature", "hypervisor.signature"},
    {"runs it from here", "hypervisor.control_domain"},
    {0},
};
static const struct item confidential[] = {
    {"guest of kind", "confidential.guest"}, {"paravisor", "confidential.paravisor"},
    {"SEV guest", "confidential.sev_guest"}, {"TDX guest", "confidential.tdx_guest"},
    {"TDX host", "confidential.tdx_host"},   {0},
};
static const struct item deprivileging[] = {
    {"UMIP", "deprivileging.umip"},
    {"CPUID faulting", "deprivileging.cpuid_faulting"},
    {"RDTSC faulting", "deprivileging.tsd"},
    {0},
};
static const struct item timing[] = {
    {"invariant TSC", "timing.invariant_tsc"},
    {"TSC kHz", "timing.tsc_khz"},
    {"clocksource", "timing.clocksource"},
    {"governor", "timing.governor"},
    {"turbo", "timing.turbo"},
    {"SMT", "timing.smt"},
    {0},
};
static const struct item iommu[] = {
    {"active", "iommu.active"},
    {"firmware", "iommu.firmware"},
    {"groups", "iommu.groups"},
    {0},
};
static const struct item host[] = {
    {"name", "system.hostname"},
    {"machine", "system.machine"},
    {"kernel", "system.kernel"},
    {"CPUs", "system.cpus"},
    {"in a container", "system.contained"},
    {"container", "system.container"},
    {0},
};

static const struct item origin[] = {
    {"read as", "dump.form"},
    {"processors", "dump.processors"},
    {0},
};
static const struct section dump = {"Dump", origin, NULL, false};

static const struct section sections[] = {
    {"Processor", processor, NULL, false},
    {"VT-x", vt_x, "vt_x.features", true},
    {"AMD-V", amd_v, "amd_v.features", true},
    {"KVM", kvm, NULL, false},
    {"Hypervisor outside", hypervisor, NULL, true},
    {"Confidential computing", confidential, NULL, false},
    {"Deprivileging", deprivileging, NULL, false},
    {"Time", timing, NULL, false},
    {"IOMMU", iommu, NULL, false},
    {"System", host, NULL, false},
};

static void format(const json_t *value, char *text, size_t size)
{
    if (json_is_boolean(value))
        snprintf(text, size, "%s", json_is_true(value) ? "yes" : "no");
    else if (json_is_integer(value))
        snprintf(text, size, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    else if (json_is_string(value))
        snprintf(text, size, "%s", json_string_value(value));
    else
        snprintf(text, size, "unknown");
}

static const char *evidence_of(const struct vt_page *page, const char *path)
{
    const char *evidence = json_string_value(json_object_get(json_object_get(page->probe, "evidence"), path));
    return evidence ? evidence : "";
}

/* `said`: the reason or evidence of the item above, not to be repeated. Returns this one's. */
static const char *print_item(const struct vt_page *page, const struct item *item, const char *said)
{
    const json_t *value = vt_document_get(page->probe, item->path);
    const bool unknown = json_is_null(value);
    const char *why = unknown ? vt_document_reason(page->probe, item->path) : evidence_of(page, item->path);
    char text[256];
    if (!value)
        return said;
    format(value, text, sizeof text);
    int length = vt_wrap_width(text), pad = length < VALUE ? VALUE - length : 0;
    fprintf(page->stream, "  %-*s  %s", LABEL, item->label, text);
    if (!*why || strcmp(why, said) == 0) {
        fputc('\n', page->stream);
    } else if (unknown) {
        fputs(", because ", page->stream);
        vt_page_wrap(page, why, LABEL + 4, LABEL + 4 + length + (int)strlen(", because "));
    } else {
        fprintf(page->stream, "%*s  %s", pad, "", page->dim);
        vt_page_wrap(page, why, LABEL + VALUE + 6, LABEL + 6 + length + pad);
    }
    return why;
}

/* Words to be joined by commas, gathered in one string that wrap can break. */
struct words {
    char text[8192];
};

static void add_word(struct words *words, const char *word)
{
    vt_text_append(words->text, sizeof words->text, "%s%s", *words->text ? ", " : "", word);
}

static void print_words(const struct vt_page *page, const char *label, const struct words *words)
{
    if (!*words->text)
        return;
    fprintf(page->stream, "  %-*s  ", LABEL, label);
    vt_page_wrap(page, words->text, LABEL + 4, LABEL + 4);
}

/* Unknown features with the same reason share a line. */
static void print_unknown(const struct vt_page *page, const char *section, json_t *features)
{
    const char *key, *other;
    json_t *value, *next, *done = json_object();
    char path[128];
    json_object_foreach(features, key, value)
    {
        struct words words = {""};
        const char *reason = vt_document_reason(page->probe, vt_document_path(path, section, key));
        if (!json_is_null(value) || json_object_get(done, reason))
            continue;
        json_object_set_new(done, reason, json_true());
        json_object_foreach(
            features, other,
            next) if (json_is_null(next) &&
                      strcmp(vt_document_reason(page->probe, vt_document_path(path, section, other)),
                             reason) == 0) add_word(&words, other);
        vt_text_append(words.text, sizeof words.text, " (because %s)", reason);
        print_words(page, "unknown", &words);
    }
    json_decref(done);
}

static void print_features(const struct vt_page *page, const char *section)
{
    json_t *features = vt_document_get(page->probe, section), *value;
    const char *key;
    struct words present = {""}, absent = {""};
    json_object_foreach(features, key, value)
    {
        if (json_is_true(value))
            add_word(&present, key);
        else if (json_is_false(value))
            add_word(&absent, key);
    }
    print_words(page, "present", &present);
    print_words(page, "absent", &absent);
    print_unknown(page, section, features);
}

/* The one reason why every item is unknown, as in a dump; NULL when that is not so. */
static const char *common_reason(const struct vt_page *page, const struct item *items)
{
    const char *reason = vt_document_reason(page->probe, items[0].path);
    for (const struct item *item = items; item->label; item++)
        if (strcmp(vt_document_reason(page->probe, item->path), reason) != 0)
            return NULL;
    return *reason ? reason : NULL;
}

static void print_items(const struct vt_page *page, const struct section *section)
{
    const char *said = "";
    for (const struct item *item = section->items; item->label; item++) {
        said = print_item(page, item, said);
        if (section->gated && vt_document_is_false(page->probe, section->items[0].path))
            return;
    }
    if (section->features)
        print_features(page, section->features);
}

static void print_section(const struct vt_page *page, const struct section *section)
{
    const char *reason = common_reason(page, section->items);
    fprintf(page->stream, "\n%s%s%s\n", page->bold, section->title, page->plain);
    if (reason)
        fprintf(page->stream, "  unknown, because %s\n", reason);
    else
        print_items(page, section);
}

static void print_core_types(const struct vt_page *page)
{
    const json_t *types = vt_document_get(page->probe, "cpu.core_types");
    for (size_t i = 0; i < json_array_size(types); i++) {
        const json_t *type = json_array_get(types, i);
        fprintf(page->stream, "  %-*s  %s: %zu CPUs, model %d, VT-x %s\n", LABEL, i ? "" : "core types",
                json_string_value(json_object_get(type, "type")),
                json_array_size(json_object_get(type, "cpus")),
                (int)json_integer_value(json_object_get(type, "model")),
                json_is_true(json_object_get(type, "vt_x")) ? "yes" : "no");
    }
}

static void print_list(const struct vt_page *page, const char *label, const char *path)
{
    size_t i;
    json_t *value;
    struct words words = {""};
    json_array_foreach(vt_document_get(page->probe, path), i, value)
        add_word(&words, json_string_value(value));
    print_words(page, label, &words);
}

static void print_origin(const struct vt_page *page)
{
    size_t i;
    json_t *value;
    if (!vt_document_get(page->probe, "dump"))
        return;
    print_section(page, &dump);
    json_array_foreach(vt_document_get(page->probe, "dump.notes"), i, value)
    {
        fprintf(page->stream, "  %-*s  ", LABEL, "note");
        vt_page_wrap(page, json_string_value(value), LABEL + 4, LABEL + 4);
    }
}

static void print_map(const struct vt_page *page, const char *title, const char *path)
{
    json_t *map = vt_document_get(page->probe, path), *value;
    const char *key;
    if (!json_object_size(map))
        return;
    fprintf(page->stream, "\n%s%s%s\n", page->bold, title, page->plain);
    json_object_foreach(map, key, value)
    {
        char text[512];
        format(value, text, sizeof text);
        int label = (int)strlen(key) > 26 ? (int)strlen(key) : 26;
        fprintf(page->stream, "  %-*s  ", label, key);
        vt_page_wrap(page, text, label + 4, label + 4);
    }
}

static void print_capabilities(const struct vt_page *page)
{
    json_t *value;
    const char *key;
    struct words words = {""};
    json_object_foreach(vt_document_get(page->probe, "kvm.capabilities"), key, value)
    {
        char word[96];
        json_int_t number = json_integer_value(value);
        snprintf(word, sizeof word, number == 1 ? "%s" : "%s=%" JSON_INTEGER_FORMAT, key + strlen("KVM_CAP_"),
                 number);
        if (number != 0)
            add_word(&words, word);
    }
    print_words(page, "KVM_CAP_...", &words);
}

void vt_probes_render(const json_t *probe, FILE *stream, bool colour, int columns)
{
    struct vt_page page = vt_page_open(probe, stream, colour, columns);
    vt_page_verdicts(&page, true);
    print_origin(&page);
    for (size_t i = 0; i < sizeof sections / sizeof sections[0]; i++) {
        print_section(&page, &sections[i]);
        if (sections[i].items == processor)
            print_core_types(&page);
        if (sections[i].items == kvm)
            print_capabilities(&page);
        if (sections[i].items == hypervisor)
            print_list(&page, "features", "hypervisor.features");
    }
    print_map(&page, "KVM module parameters", "kvm.parameters");
    print_map(&page, "Mitigations", "mitigations");
}
