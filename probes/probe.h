/*
 * What this machine, or one whose CPUID was dumped, can do for virtualization:
 * the probe document (schema vmtoll.probe/1, docs/schema/probe.schema.json).
 *
 * Owns: detection, the document, its rendering as text, the names of
 * capabilities. Does not own: printing (cli/), measuring (bench/).
 *
 * Every value is known, or null with its reason under `unknown`; evidence for
 * what is known stands under `evidence`, by the same dotted paths. Detection
 * reads, and runs a short loop in a machine of its own; it loads nothing, changes
 * nothing and needs no root.
 */
#ifndef VT_PROBES_PROBE_H
#define VT_PROBES_PROBE_H

#include "base/error.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* The document of this machine; the caller's (json_decref). NULL with *error filled. */
json_t *vt_probes_machine(struct vt_error *error);

/* Leave out what names the machine rather than describes it, so that the document can be shown to others. */
void vt_probes_forget_name(json_t *probe);

/* The document of a dump, in any form of probes/dump.h; "-" is standard input. The caller's. */
json_t *vt_probes_dump(const char *path, struct vt_error *error);

/* The same from memory (data[size] is 0); `name` is for messages. */
json_t *vt_probes_dump_text(const char *name, const char *data, size_t size, struct vt_error *error);

/* Text for a person: verdict, then facts with their evidence. `columns`: width to fill. */
void vt_probes_render(const json_t *probe, FILE *stream, bool colour, int columns);

/* A name for `--require`. */
struct vt_capability {
    char name[48];
    const char *meaning;
};

/* Fill *capability with the one at `index`, from 0 on; false past the last one. */
bool vt_probes_capability(size_t index, struct vt_capability *capability);

enum vt_requirement { VT_REQUIREMENT_MET, VT_REQUIREMENT_UNMET, VT_REQUIREMENT_UNKNOWN };

/* Does the probed machine have it? `why` receives one line of evidence or reason. `name` must be in the
 * table. */
enum vt_requirement vt_probes_require(const json_t *probe, const char *name, char *why, size_t size);

#endif
