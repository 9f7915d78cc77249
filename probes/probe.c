#include "probes/probe.h"
#include "probes/dump.h"
#include "probes/live.h"
#include "probes/section.h"

#include <errno.h>

/* Later detectors use what earlier ones put into the document. */
static vt_detector *const detectors[] = {
    vt_detect_cpu,        vt_detect_vt_x,        vt_detect_amd_v, vt_detect_confidential,
    vt_detect_hypervisor, vt_detect_system,      vt_detect_kvm,   vt_detect_deprivileging,
    vt_detect_timing,     vt_detect_mitigations, vt_detect_iommu, vt_detect_verdict,
};

static json_t *describe(const struct vt_facts *facts, const char *source, struct vt_error *error)
{
    json_t *document = vt_document_new();
    if (!document) {
        vt_error_memory(error, "the host document");
        return NULL;
    }
    vt_document_put(document, "source", json_string(source), NULL);
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
