#include "result/load/shape.h"
#include "result/result.h"

#include <string.h>

#define SHAPE(fields)                                                                                        \
    {                                                                                                        \
        fields, sizeof fields / sizeof fields[0]                                                             \
    }

#define SUMMARY(name)                                                                                        \
    {                                                                                                        \
#name, VT_KIND_NUMBER, offsetof(struct vt_summary, name), NULL                                       \
    }
static const struct vt_field summary_fields[] = {
    SUMMARY(median), SUMMARY(min), SUMMARY(p05),
    SUMMARY(p25),    SUMMARY(p75), SUMMARY(p95),
    SUMMARY(p99),    SUMMARY(mad), {"ci95", VT_KIND_INTERVAL, offsetof(struct vt_summary, ci_low), NULL},
};
static const struct vt_shape summary_shape = SHAPE(summary_fields);

#define PART(name, part)                                                                                     \
    {                                                                                                        \
        name, VT_KIND_OBJECT, (part) * sizeof(struct vt_summary), &summary_shape                             \
    }
static const struct vt_field breakdown_fields[] = {
    PART("bare", VT_PART_BARE),
    PART("emulation", VT_PART_EMULATION),
    PART("kernel", VT_PART_KERNEL),
    PART("user", VT_PART_USER),
};
static const struct vt_shape breakdown_shape = SHAPE(breakdown_fields);

#define FUNCTION(key, kind)                                                                                  \
    {                                                                                                        \
#key, VT_KIND_##kind, offsetof(struct vt_profile_function, key), NULL                                \
    }
static const struct vt_field function_fields[] = {
    FUNCTION(name, TEXT),
    FUNCTION(module, TEXT),
    FUNCTION(self, WHOLE),
    FUNCTION(inclusive, WHOLE),
};
const struct vt_shape vt_load_function_shape = SHAPE(function_fields);

#define PROFILE(key, kind, member)                                                                           \
    {                                                                                                        \
        key, VT_KIND_##kind, offsetof(struct vt_profile, member), NULL                                       \
    }
static const struct vt_field profile_fields[] = {
    PROFILE("operations", WHOLE, operations),     PROFILE("sum", WHOLE, sum),
    PROFILE("unattributed", WHOLE, unattributed), PROFILE("interrupts_dropped", WHOLE, interrupts_dropped),
    PROFILE("functions", FUNCTIONS, functions),   PROFILE("stacks", STACKS, stacks),
};
const struct vt_shape vt_load_profile_shape = SHAPE(profile_fields);

#define ROW(key, kind, member)                                                                               \
    {                                                                                                        \
        key, VT_KIND_##kind, offsetof(struct vt_result_row, member), NULL                                    \
    }
static const struct vt_field row_fields[] = {
    ROW("case", TEXT, name),
    ROW("class", TEXT, class),
    ROW("operation", TEXT, operation),
    ROW("path", TEXT, path),
    ROW("engine", TEXT, engine),
    ROW("cpl", LEVEL, cpl),
    ROW("crossing", TEXT, crossing),
    ROW("status", STATUS, status),
    ROW("reason", TEXT, reason),
    ROW("stopped", TEXT, stopped),
    ROW("simulated", FLAG, simulated),
    ROW("unit", UNIT, unit),
    ROW("vcpus", COUNT, vcpus),
    ROW("depth", COUNT, depth),
    ROW("outer_exits", NUMBER, outer_exits),
    ROW("iterations", COUNT, iterations),
    ROW("batches", COUNT, batches),
    ROW("marked", COUNT, marked),
    ROW("exits_per_op", NUMBER, exits_per_op),
    ROW("evidence", EVIDENCE, evidence),
    ROW("evidence_totals", TREE, evidence_totals),
    ROW("samples", SERIES, samples),
    ROW("samples_body", SERIES, samples_body),
    ROW("samples_baseline", SERIES, samples_baseline),
    ROW("marks", SERIES, marks),
    ROW("shared", SERIES, shared),
    ROW("rounds", SERIES, rounds),
    ROW("profile", PROFILE, profile),
    {"toll", VT_KIND_OBJECT, offsetof(struct vt_result_row, toll), &summary_shape},
    {"toll_cycles", VT_KIND_OBJECT, offsetof(struct vt_result_row, toll_cycles), &summary_shape},
    {"breakdown", VT_KIND_OBJECT, offsetof(struct vt_result_row, breakdown), &breakdown_shape},
};
const struct vt_shape vt_load_row_shape = SHAPE(row_fields);

static const struct vt_field tool_fields[] = {
    {"version", VT_KIND_TEXT, offsetof(struct vt_result, version), NULL},
    {"compiler", VT_KIND_TEXT, offsetof(struct vt_result, compiler), NULL},
    {"flags", VT_KIND_TEXT, offsetof(struct vt_result, flags), NULL},
    {"build_id", VT_KIND_TEXT, offsetof(struct vt_result, build_id), NULL},
};
static const struct vt_shape tool_shape = SHAPE(tool_fields);

static const struct vt_field document_fields[] = {
    {"schema", VT_KIND_SCHEMA, 0, NULL},
    {"tool", VT_KIND_OBJECT, 0, &tool_shape},
    {"started", VT_KIND_TEXT, offsetof(struct vt_result, started), NULL},
    {"interrupted", VT_KIND_FLAG, offsetof(struct vt_result, interrupted), NULL},
    {"host", VT_KIND_TREE, offsetof(struct vt_result, host), NULL},
    {"settings", VT_KIND_TREE, offsetof(struct vt_result, settings), NULL},
    {"audit", VT_KIND_TREE, offsetof(struct vt_result, audit), NULL},
    {"translation", VT_KIND_TREE, offsetof(struct vt_result, translation), NULL},
    {"measurements", VT_KIND_ROWS, 0, &vt_load_row_shape},
};
const struct vt_shape vt_load_document_shape = SHAPE(document_fields);

_Static_assert(sizeof breakdown_fields / sizeof breakdown_fields[0] == VT_PARTS, "a field for each part");
_Static_assert(sizeof row_fields / sizeof row_fields[0] <= 64, "a frame's seen set holds one bit per field");

const struct vt_field *vt_load_find_field(const struct vt_shape *shape, size_t from, const char *key,
                                          size_t length)
{
    for (size_t n = 0, i = from; length && n < shape->count; n++, i++) {
        i = i < shape->count ? i : 0;
        const char *name = shape->fields[i].key;
        if (name[0] == key[0] && strlen(name) == length && memcmp(name, key, length) == 0)
            return &shape->fields[i];
    }
    return NULL;
}

const char *vt_load_expectation(enum vt_kind kind)
{
    static const char *const texts[] = {
        [VT_KIND_TEXT] = "a string or null",
        [VT_KIND_NUMBER] = "a finite number or null",
        [VT_KIND_COUNT] = "a whole number, 0 or more, or null",
        [VT_KIND_FLAG] = "true or false",
        [VT_KIND_LEVEL] = "a privilege level, 0 to 3, or null",
        [VT_KIND_STATUS] = "one of ok, unverified, unsupported, failed, timeout",
        [VT_KIND_UNIT] = "\"ns\" or \"instructions\"",
        [VT_KIND_SCHEMA] = ("\"" VT_RESULT_SCHEMA "\""),
        [VT_KIND_INTERVAL] = "two numbers, the lower one first, or null",
        [VT_KIND_SERIES] = "an array of numbers or null",
        [VT_KIND_TREE] = "an object or null",
        [VT_KIND_EVIDENCE] = "an object of numbers or null",
        [VT_KIND_OBJECT] = "an object or null",
        [VT_KIND_ROWS] = "an array of objects",
        [VT_KIND_PROFILE] = "an object or null",
        [VT_KIND_WHOLE] = "a whole number",
        [VT_KIND_FUNCTIONS] = "an array of objects",
        [VT_KIND_STACKS] = "an array of numbers",
    };
    return texts[kind];
}
