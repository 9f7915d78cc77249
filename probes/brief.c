#include "base/text.h"
#include "probes/document.h"
#include "probes/page.h"
#include "probes/probe.h"

#include <stdio.h>
#include <string.h>

enum { LABEL = 11, MOST_NOTES = 2 };

static void put_line(const struct vt_page *page, const char *label, const char *text)
{
    fprintf(page->stream, "%s%-*s%s", page->bold, LABEL, label, page->plain);
    vt_page_wrap(page, text, LABEL, LABEL);
}

static const char *text_or(const struct vt_page *page, const char *path, const char *otherwise)
{
    const char *text = vt_document_text(page->probe, path);
    return text ? text : otherwise;
}

static void put_processor(const struct vt_page *page)
{
    char text[256];
    const json_t *family = vt_document_get(page->probe, "cpu.family");
    snprintf(text, sizeof text, "%s", text_or(page, "cpu.brand", text_or(page, "cpu.vendor", "unknown")));
    if (json_is_integer(family))
        vt_text_append(text, sizeof text, " (family %d model %d stepping %d)",
                       (int)json_integer_value(family),
                       (int)json_integer_value(vt_document_get(page->probe, "cpu.model")),
                       (int)json_integer_value(vt_document_get(page->probe, "cpu.stepping")));
    put_line(page, "Processor", text);
}

static void put_dump(const struct vt_page *page)
{
    char text[128];
    const size_t notes = json_array_size(vt_document_get(page->probe, "dump.notes"));
    const json_int_t processors = json_integer_value(vt_document_get(page->probe, "dump.processors"));
    if (!vt_document_get(page->probe, "dump"))
        return;
    snprintf(text, sizeof text, "%s, %d processor%s%s", text_or(page, "dump.form", "unknown"),
             (int)processors, processors == 1 ? "" : "s", notes > MOST_NOTES ? "; --all has more notes" : "");
    put_line(page, "Dump", text);
    for (size_t i = 0; i < notes && i < MOST_NOTES; i++)
        put_line(page, "  note",
                 json_string_value(json_array_get(vt_document_get(page->probe, "dump.notes"), i)));
}

static const char *extension_words(const struct vt_page *page, const char *section)
{
    char path[128];
    const json_t *supported = vt_document_get(page->probe, vt_document_path(path, section, "supported")),
                 *enabled = vt_document_get(page->probe, vt_document_path(path, section, "enabled"));
    return json_is_false(supported)   ? "not there"
           : !json_is_true(supported) ? "unknown"
           : json_is_true(enabled)    ? "there and enabled"
           : json_is_false(enabled)   ? "there, not usable"
                                      : "there; whether it is enabled is not known";
}

static void put_extensions(const struct vt_page *page)
{
    char text[128];
    snprintf(text, sizeof text, "VT-x %s; AMD-V %s", extension_words(page, "vt_x"),
             extension_words(page, "amd_v"));
    put_line(page, "Extension", text);
}

static void put_kvm(const struct vt_page *page)
{
    char text[256];
    if (vt_document_is_true(page->probe, "kvm.runs_guest"))
        snprintf(text, sizeof text, "backend %s; guests' ring 0: %s, ring 3: %s",
                 text_or(page, "kvm.backend", "unknown"), text_or(page, "kvm.cpl0", "unknown"),
                 text_or(page, "kvm.cpl3", "unknown"));
    else if (vt_document_is_false(page->probe, "kvm.runs_guest"))
        snprintf(text, sizeof text, "runs no guest (%s)", text_or(page, "kvm.obstacle", "unknown"));
    else
        snprintf(text, sizeof text, "unknown");
    put_line(page, "KVM", text);
}

static void put_outside(const struct vt_page *page)
{
    char text[384];
    const char *machine = vt_document_text(page->probe, "system.machine");
    const char *who = vt_document_is_false(page->probe, "hypervisor.present") ? "no hypervisor is seen"
                      : !vt_document_is_true(page->probe, "hypervisor.present")
                          ? "unknown"
                          : text_or(page, "hypervisor.vendor", "a hypervisor without a name");
    snprintf(text, sizeof text, "%s%s%.100s%s", who, machine ? " (" : "", machine ? machine : "",
             machine ? ")" : "");
    put_line(page, "Outside", text);
}

static void put_fix(const struct vt_page *page)
{
    const char *fix = vt_document_text(page->probe, "verdict.hardware_vms.fix");
    if (!fix)
        fix = vt_document_text(page->probe, "verdict.nested.fix");
    if (fix)
        put_line(page, "What to do", fix);
}

void vt_probes_render_brief(const json_t *probe, FILE *stream, bool colour, int columns)
{
    struct vt_page page = vt_page_open(probe, stream, colour, columns);
    vt_page_verdicts(&page, false);
    fputc('\n', stream);
    put_dump(&page);
    put_processor(&page);
    put_extensions(&page);
    put_kvm(&page);
    put_outside(&page);
    put_fix(&page);
    fprintf(stream, "%svmtoll probe --all%s shows the evidence and everything else.\n", page.bold,
            page.plain);
}
