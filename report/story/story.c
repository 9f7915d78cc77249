#include "report/story/story.h"
#include "report/story/tell.h"
#include "show/pen/markup.h"

struct chapter {
    struct vt_teller teller;
    size_t at;
    int steps;
    bool told; /* the paragraph before */
};

static void element(struct chapter *chapter, const char *open, struct vt_directive *directive,
                    const char *close)
{
    fputs(open, chapter->teller.stream);
    vt_tell_text(&chapter->teller, directive->text, directive->length, chapter->teller.stream);
    fputs(close, chapter->teller.stream);
}

static void put_title(struct chapter *chapter, struct vt_directive *directive)
{
    element(chapter, "<h2>", directive, "</h2>\n");
}

/* A paragraph without a figure it speaks of would be a riddle. */
static void put_paragraph(struct chapter *chapter, struct vt_directive *directive)
{
    chapter->told = vt_tell_text(&chapter->teller, directive->text, directive->length, NULL);
    if (chapter->told)
        vt_tell_paragraph(&chapter->teller, directive);
}

static void put_otherwise(struct chapter *chapter, struct vt_directive *directive)
{
    if (!chapter->told)
        put_paragraph(chapter, directive);
}

static void put_step(struct chapter *chapter, struct vt_directive *directive)
{
    char id[32];
    vt_directive_word(directive, id, sizeof id);
    vt_markup(chapter->teller.stream, "%s<article class=\"step\" id=\"story-%s\"><h3><span>%d</span> ", "",
              id, ++chapter->steps);
    element(chapter, "", directive, "</h3>\n");
}

static void put_picture(struct chapter *chapter, struct vt_directive *directive)
{
    vt_tell_picture(&chapter->teller, directive);
}

static void put_bars(struct chapter *chapter, struct vt_directive *directive)
{
    vt_tell_bars(&chapter->teller, directive, chapter->at);
}

static void put_holes(struct chapter *chapter, struct vt_directive *directive)
{
    vt_tell_holes(&chapter->teller, directive);
}

static void put_code(struct chapter *chapter, struct vt_directive *directive)
{
    vt_tell_code(&chapter->teller, directive);
}

static void put_depths(struct chapter *chapter, struct vt_directive *directive)
{
    vt_tell_depths(&chapter->teller, directive);
}

static void put_roads(struct chapter *chapter, struct vt_directive *directive)
{
    vt_tell_roads(&chapter->teller, directive);
}

static void put_classic(struct chapter *chapter, struct vt_directive *directive)
{
    vt_tell_classic(&chapter->teller, directive);
}

/* What is not here is read by another: .lead by the head of the page, .bar by .bars, .label by who needs the
 * word. */
static const struct {
    const char *name;
    void (*put)(struct chapter *chapter, struct vt_directive *directive);
} directives[] = {
    {".title", put_title},  {".intro", put_paragraph}, {".step", put_step},       {".p", put_paragraph},
    {".or", put_otherwise}, {".picture", put_picture}, {".bars", put_bars},       {".holes", put_holes},
    {".code", put_code},    {".roads", put_roads},     {".classic", put_classic}, {".depths", put_depths},
};

static void obey(struct chapter *chapter, struct vt_directive *directive)
{
    for (size_t i = 0; i < sizeof directives / sizeof directives[0]; i++)
        if (vt_directive_is(directive, directives[i].name)) {
            if (directives[i].put == put_step && chapter->steps > 0)
                fputs("</article>\n", chapter->teller.stream);
            directives[i].put(chapter, directive);
        }
}

void vt_story_lead(const struct vt_table *table, const char *code, FILE *stream)
{
    const struct vt_language *language = code ? vt_language_find(code) : NULL;
    struct vt_teller teller = {table, language ? language : vt_language(0), stream};
    struct vt_directive directive;
    for (size_t at = 0; vt_language_next(teller.language, &at, &directive);) {
        if (!vt_directive_is(&directive, ".lead"))
            continue;
        vt_markup(stream, "<p class=\"lead\" lang=\"%s\">", teller.language->code);
        vt_tell_text(&teller, directive.text, directive.length, stream);
        fputs("</p>\n", stream);
    }
}

void vt_story_tell(const struct vt_table *table, const char *code, FILE *stream)
{
    const struct vt_language *language = code ? vt_language_find(code) : NULL;
    struct chapter chapter = {.teller = {table, language ? language : vt_language(0), stream}};
    struct vt_directive directive;
    vt_markup(stream, "<section id=\"story\" lang=\"%s\">\n", chapter.teller.language->code);
    while (vt_language_next(chapter.teller.language, &chapter.at, &directive))
        obey(&chapter, &directive);
    fputs(chapter.steps ? "</article>\n</section>\n" : "</section>\n", stream);
}
