#include "probes/page.h"
#include "base/wrap.h"

#include <string.h>

enum { NARROWEST = 60 };

struct vt_page vt_page_open(const json_t *probe, FILE *stream, bool colour, int columns)
{
    return (struct vt_page){
        .probe = probe,
        .stream = stream,
        .columns = columns < NARROWEST ? NARROWEST : columns,
        .bold = colour ? "\033[1m" : "",
        .dim = colour ? "\033[2m" : "",
        .plain = colour ? "\033[0m" : "",
    };
}

void vt_page_wrap(const struct vt_page *page, const char *text, int indent, int at)
{
    vt_wrap(text, page->columns, indent, at, page->stream);
    fprintf(page->stream, "%s\n", page->plain);
}

static const char *member(const json_t *verdict, const char *key)
{
    return json_string_value(json_object_get(verdict, key));
}

static void print_answer(const struct vt_page *page, const json_t *verdict)
{
    static const char *const words[][2] = {{"yes", "Yes:"}, {"no", "No:"}, {"unknown", "Unknown, because"}};
    char sentence[1024];
    size_t i = 0;
    while (i < 2 && strcmp(words[i][0], member(verdict, "answer")) != 0)
        i++;
    snprintf(sentence, sizeof sentence, "%s %s.", words[i][1], member(verdict, "text"));
    fprintf(page->stream, "%s%s%s\n  ", page->bold, member(verdict, "question"), page->plain);
    vt_page_wrap(page, sentence, 2, 2);
}

static void print_fix(const struct vt_page *page, const char *fix)
{
    char sentence[512];
    fprintf(page->stream, "  What to do: ");
    snprintf(sentence, sizeof sentence, "%s.", fix);
    vt_page_wrap(page, sentence, 4, 14);
}

void vt_page_verdicts(const struct vt_page *page, bool all)
{
    static const char *const keys[] = {"hardware_vms", "vms", "obstacle", "nested", "inside_vm"};
    const json_t *verdicts = json_object_get(page->probe, "verdict");
    const char *said = "", *fixed = "";
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        const json_t *verdict = json_object_get(verdicts, keys[i]);
        const char *text = member(verdict, "text"), *fix = member(verdict, "fix");
        if (!text || !member(verdict, "answer") || (!all && i > 0 && strstr(said, text)))
            continue;
        print_answer(page, verdict);
        said = i == 0 ? text : said;
        if (all && fix && strcmp(fix, fixed) != 0)
            print_fix(page, fix);
        fixed = fix ? fix : fixed;
    }
}
