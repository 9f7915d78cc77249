#include "probes/probe.h"
#include "probes/dump/dump.h"
#include "probes/kvm/run.h"
#include "probes/live.h"
#include "probes/section.h"

#include <errno.h>
#include <stdio.h>

/* Later detectors use what earlier ones put into the document. */
static vt_detector *const detectors[] = {
    vt_detect_cpu,     vt_detect_hypervisor,  vt_detect_confidential,  vt_detect_vt_x,
    vt_detect_amd_v,   vt_detect_system,      vt_detect_kvm,           vt_detect_proven,
    vt_detect_timing,  vt_detect_mitigations, vt_detect_deprivileging, vt_detect_iommu,
    vt_detect_verdict,
};

static void put_origin(json_t *document, const struct vt_facts *facts)
{
    json_t *notes = json_array();
    for (size_t i = 0; i < facts->dump.note_count; i++)
        json_array_append_new(notes, json_string(facts->dump.notes[i]));
    vt_document_put(document, "dump.form", json_string(facts->dump.form), NULL);
    vt_document_put(document, "dump.processors", json_integer((json_int_t)facts->count), NULL);
    vt_document_put(document, "dump.notes", notes, NULL);
}

static json_t *describe(const struct vt_facts *facts, const char *source, struct vt_error *error)
{
    json_t *document = vt_document_new();
    if (!document) {
        vt_error_memory(error, "the host document");
        return NULL;
    }
    vt_document_put(document, "source", json_string(source), NULL);
    if (facts->dump.form)
        put_origin(document, facts);
    for (size_t i = 0; i < sizeof detectors / sizeof detectors[0]; i++)
        detectors[i](document, facts);
    return document;
}

json_t *vt_probes_machine(struct vt_error *error)
{
    struct vt_facts facts;
    if (vt_live_open(&facts, error) != 0)
        return NULL;
    json_t *document = describe(&facts, "machine", error);
    vt_live_close(&facts);
    return document;
}

static const char *text_or(const json_t *document, const char *path, const char *otherwise)
{
    const char *text = vt_document_text(document, path);
    return text ? text : otherwise;
}

bool vt_probes_kvm_runs(char *why, size_t size)
{
    struct vt_error error;
    if (vt_kvm_runs())
        return true;
    json_t *document = vt_probes_machine(&error);
    const char *fix = text_or(document, "kvm.fix", "");
    snprintf(why, size, "%s%s%s",
             text_or(document, "kvm.reason", "a moment ago /dev/kvm ran no guest, now it does"),
             *fix ? ": " : "", fix);
    json_decref(document);
    return false;
}

json_t *vt_probes_dump(const char *path, struct vt_error *error)
{
    struct vt_facts facts;
    if (vt_dump_load(&facts, path, error) != 0)
        return NULL;
    json_t *document = describe(&facts, "dump", error);
    vt_facts_free(&facts);
    return document;
}

json_t *vt_probes_dump_text(const char *name, const char *data, size_t size, struct vt_error *error)
{
    struct vt_facts facts;
    if (vt_dump_parse(&facts, name, data, size, error) != 0)
        return NULL;
    json_t *document = describe(&facts, "dump", error);
    vt_facts_free(&facts);
    return document;
}
