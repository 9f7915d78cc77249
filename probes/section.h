/*
 * The detectors: one file each, one section of the probe document each. A
 * detector reads facts (and, for the live machine, sysfs and devices), decodes
 * them by its tables, and puts values into the document. Later ones may read what
 * earlier ones put there; the order is vt_probes_detect's.
 */
#ifndef VT_PROBES_SECTION_H
#define VT_PROBES_SECTION_H

#include "probes/document.h"
#include "probes/facts.h"
#include "probes/row.h"

typedef void vt_detector(json_t *document, const struct vt_facts *facts);

vt_detector vt_detect_cpu, vt_detect_vt_x, vt_detect_amd_v, vt_detect_confidential, vt_detect_hypervisor,
    vt_detect_system, vt_detect_kvm, vt_detect_deprivileging, vt_detect_timing, vt_detect_mitigations,
    vt_detect_iommu, vt_detect_proven, vt_detect_verdict;

#endif
