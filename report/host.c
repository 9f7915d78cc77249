#include "report/host.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct facts {
    struct vt_fact *list;
    size_t count;
};

static void add(struct facts *facts, const char *label, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void add(struct facts *facts, const char *label, const char *format, ...)
{
    if (facts->count == VT_FACTS)
        return;
    struct vt_fact *fact = &facts->list[facts->count++];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(fact->text, sizeof fact->text, format, arguments);
    va_end(arguments);
    fact->label = label;
}

static json_t *member(json_t *object, const char *key)
{
    return json_object_get(object, key);
}

static const char *text_of(json_t *object, const char *key)
{
    return json_string_value(member(object, key));
}

static const char *yes_no(json_t *value)
{
    return json_is_true(value) ? "yes" : json_is_false(value) ? "no" : "unknown";
}

static void add_cpu(struct facts *facts, json_t *cpu)
{
    const char *brand = text_of(cpu, "brand"), *vendor = text_of(cpu, "vendor");
    if (!brand && !vendor)
        return;
    if (json_is_integer(member(cpu, "family")) && json_is_integer(member(cpu, "model")))
        add(facts, "Processor", "%s (%s, family %lld model %lld stepping %lld)", brand ? brand : "?",
            vendor ? vendor : "unknown vendor", (long long)json_integer_value(member(cpu, "family")),
            (long long)json_integer_value(member(cpu, "model")),
            (long long)json_integer_value(member(cpu, "stepping")));
    else
        add(facts, "Processor", "%s", brand ? brand : vendor);
}

static void add_extension(struct facts *facts, const char *label, json_t *extension)
{
    json_t *supported = member(extension, "supported"), *enabled = member(extension, "enabled");
    const char *reason = text_of(extension, "reason");
    if (!json_is_object(extension))
        return;
    const char *state = json_is_false(supported)   ? "not there"
                        : !json_is_true(supported) ? "unknown"
                        : json_is_true(enabled)    ? "usable"
                        : json_is_false(enabled)   ? "there, but switched off"
                                                   : "there";
    add(facts, label, "%s%s%s", state, reason && *reason ? ": " : "", reason ? reason : "");
}

static void add_kvm(struct facts *facts, json_t *kvm)
{
    const char *reason = text_of(kvm, "reason"), *backend = text_of(kvm, "backend");
    if (!json_is_object(kvm))
        return;
    bool opens = json_is_true(member(kvm, "accessible"));
    if (!opens || json_is_false(member(kvm, "creates_vm"))) {
        add(facts, "/dev/kvm", "%s%s%s", opens ? "opens, but makes no machine" : "not usable",
            reason && *reason ? ": " : "", reason ? reason : "");
        return;
    }
    const char *cpl0 = text_of(kvm, "cpl0"), *cpl3 = text_of(kvm, "cpl3");
    add(facts, "/dev/kvm", "works, backend %s; guest code at ring 0: %s, at ring 3: %s",
        backend ? backend : "unknown", cpl0 ? cpl0 : "unknown", cpl3 ? cpl3 : "unknown");
}

static void add_hypervisor(struct facts *facts, json_t *hypervisor)
{
    const char *vendor = text_of(hypervisor, "vendor"), *signature = text_of(hypervisor, "signature");
    if (json_is_false(member(hypervisor, "present")))
        add(facts, "Around it", "no hypervisor");
    else if (json_is_true(member(hypervisor, "present")))
        add(facts, "Around it", "a hypervisor: %s", vendor ? vendor : signature ? signature : "unknown");
}

static void add_timing(struct facts *facts, json_t *timing)
{
    double khz = json_number_value(member(timing, "tsc_khz"));
    if (khz > 0)
        add(facts, "Clock", "TSC at %.0f MHz, invariant: %s", khz / 1000,
            yes_no(member(timing, "invariant_tsc")));
}

static void add_mitigations(struct facts *facts, json_t *mitigations)
{
    const char *key;
    json_t *value;
    size_t active = 0, vulnerable = 0;
    json_object_foreach(mitigations, key, value)
    {
        const char *text = json_string_value(value);
        active += text && strncmp(text, "Mitigation", 10) == 0;
        vulnerable += text && strncmp(text, "Vulnerable", 10) == 0;
    }
    if (json_object_size(mitigations))
        add(facts, "Mitigations", "%zu active, %zu open, of %zu known weaknesses", active, vulnerable,
            json_object_size(mitigations));
}

static void add_kernel(struct facts *facts, json_t *host)
{
    const char *kernel = text_of(member(host, "system"), "kernel");
    if (kernel)
        add(facts, "Kernel", "%s", kernel);
}

size_t vt_host_facts(const struct vt_result *result, struct vt_fact list[VT_FACTS])
{
    struct facts facts = {.list = list};
    json_t *host = result->host;
    const char *name = text_of(member(host, "system"), "hostname");
    if (name)
        add(&facts, "Host", "%s", name);
    add_cpu(&facts, member(host, "cpu"));
    add_kernel(&facts, host);
    add_extension(&facts, "VT-x", member(host, "vt_x"));
    add_extension(&facts, "AMD-V", member(host, "amd_v"));
    add_kvm(&facts, member(host, "kvm"));
    add_hypervisor(&facts, member(host, "hypervisor"));
    add_timing(&facts, member(host, "timing"));
    add_mitigations(&facts, member(host, "mitigations"));
    if (result->started)
        add(&facts, "Measured", "%s, by vmtoll %s", result->started, result->version ? result->version : "?");
    return facts.count;
}

size_t vt_host_verdict(const struct vt_result *result, struct vt_verdict verdicts[VT_VERDICTS])
{
    const char *key;
    json_t *value;
    size_t count = 0;
    json_object_foreach(member(result->host, "verdict"), key, value)
    {
        struct vt_verdict verdict = {text_of(value, "question"), text_of(value, "answer"),
                                     text_of(value, "text"), text_of(value, "fix")};
        if (json_is_string(value))
            verdict.text = json_string_value(value);
        if (verdict.text && count < VT_VERDICTS)
            verdicts[count++] = verdict;
    }
    return count;
}

size_t vt_host_warnings(const struct vt_result *result, const char **warnings, size_t room)
{
    size_t index, count = 0;
    json_t *value;
    json_array_foreach(member(result->settings, "warnings"), index, value)
    {
        if (json_is_string(value) && count < room)
            warnings[count++] = json_string_value(value);
    }
    return count;
}
