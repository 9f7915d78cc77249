#include "image/import.h"
#include "base/file.h"
#include "base/text.h"
#include "image/judge.h"
#include "probes/probe.h"
#include "result/document.h"
#include "result/hygiene.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_BYTES ((size_t)16 << 20)

/* "pm-timer 2595732, pit 2595743" */
static void list_clocks(const struct vt_image_said *said, char *text, size_t size)
{
    for (size_t i = 0; i < said->clock_count; i++)
        vt_text_append(text, size, "%s%s %llu", i ? ", " : "", said->clocks[i].source,
                       (unsigned long long)said->clocks[i].khz);
}

static json_t *words(const char *text)
{
    return *text ? json_string(text) : json_null();
}

/* "monitor-vmx: the processor has no VT-x; ..."; "": none was asked for. */
static void list_roads(const struct vt_image_said *said, bool refused, char *text, size_t size)
{
    for (size_t i = 0; i < said->offer_count; i++) {
        const struct vt_image_offer *offer = &said->offers[i];
        if ((*offer->refusal != '\0') != refused)
            continue;
        vt_text_append(text, size, "%s%s%s%s", *text ? refused ? "; " : ", " : "", offer->road->engine,
                       refused ? ": " : "", offer->refusal);
    }
}

static json_t *settings_of(const struct vt_image_said *said, const struct vt_image_ground *ground)
{
    char clocks[512] = "", roads[512] = "", refused[2048] = "";

    list_clocks(said, clocks, sizeof clocks);
    list_roads(said, false, roads, sizeof roads);
    list_roads(said, true, refused, sizeof refused);
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:s, s:s}", "roads", words(roads),
                     "roads_refused", words(refused), "image", words(said->version), "firmware",
                     words(said->firmware), "command_line", words(said->line), "hypervisor",
                     words(ground->hypervisor), "clock_sources_khz", words(clocks), "tsc_khz",
                     ground->rate ? json_integer((json_int_t)said->khz) : json_null(), "clock", "tsc",
                     "crossings", "inferred");
}

/* What its leaves tell of the machine; one that cannot be told from a dump is no reason to lose the rows. */
static json_t *host_of(const struct vt_image_said *said)
{
    struct vt_error ignored;
    return vt_probes_dump_text("the image's CPUID", said->dump, said->dump_size, &ignored);
}

/* Of what describes the machine the image ran on; how this program was built is of no concern there. */
static void warn(const struct vt_document *document, const struct vt_image_ground *ground)
{
    json_t *warnings = vt_hygiene_warnings(document->host, document->settings);

    if (ground->emulated)
        json_array_append_new(warnings,
                              json_sprintf("Times are those of an emulator, %s: no processor's, and "
                                           "no price of any road.",
                                           ground->hypervisor));
    json_object_set_new(document->settings, "warnings", warnings);
}

static int judge_all(const struct vt_image_said *said, const struct vt_image_ground *ground,
                     struct vt_measurement *rows, struct vt_error *error)
{
    for (size_t i = 0; i < said->count + said->row_count; i++) {
        const struct vt_image_case *row = i < said->count ? &said->cases[i] : &said->rows[i - said->count];
        if (vt_image_judge(said, ground, row, &rows[i]) != 0)
            return vt_error_memory(error, "the rows");
    }
    return 0;
}

static struct vt_result *make(const struct vt_image_said *said, struct vt_error *error)
{
    struct vt_image_ground ground;
    const size_t count = said->count + said->row_count;
    struct vt_measurement *rows = calloc(count, sizeof *rows);
    struct vt_result *result = NULL;

    vt_image_judge_ground(said, &ground);
    if (!rows) {
        vt_error_memory(error, "the rows");
        return NULL;
    }
    if (judge_all(said, &ground, rows, error) == 0) {
        struct vt_document document = {.host = host_of(said),
                                       .settings = settings_of(said, &ground),
                                       .measurements = rows,
                                       .count = count,
                                       .interrupted = !said->ended};
        warn(&document, &ground);
        result = vt_result_make(&document, error);
        json_decref(document.host);
        json_decref(document.settings);
    }
    for (size_t i = 0; i < count; i++)
        vt_measurement_release(&rows[i]);
    free(rows);
    return result;
}

struct vt_result *vt_image_import_memory(const char *name, const char *data, size_t size,
                                         struct vt_error *error)
{
    struct vt_image_said said;
    struct vt_result *result = NULL;

    if (vt_image_read(&said, name, data, size, error) == 0)
        result = make(&said, error);
    vt_image_release(&said);
    return result;
}

struct vt_result *vt_image_import(const char *path, struct vt_error *error)
{
    char *data;
    size_t size;

    if (vt_file_read(path, MOST_BYTES, &data, &size, error) != 0)
        return NULL;
    struct vt_result *result =
        vt_image_import_memory(strcmp(path, "-") == 0 ? "standard input" : path, data, size, error);
    free(data);
    return result;
}
