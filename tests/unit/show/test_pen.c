#include "show/pen/markup.h"
#include "show/pen/pen.h"
#include "tests/unit/suite.h"

#include <stdlib.h>
#include <string.h>

static char *written;
static size_t size;

static FILE *begin(void)
{
    FILE *stream = open_memstream(&written, &size);
    ck_assert_ptr_nonnull(stream);
    return stream;
}

static void wrote(FILE *stream, const char *expected)
{
    fclose(stream);
    ck_assert_str_eq(written, expected);
    free(written);
}

START_TEST(markup_takes_arguments_for_text)
{
    const char *volatile nothing = NULL;
    FILE *stream = begin();
    vt_markup(stream, "<td class=\"%s\">%zu %s</td>%s%.2s|%5.1f %%|%c|%-4d|%lld|%.*s|%.*f", "a\"b", (size_t)7,
              "<script>&'", nothing, "xyz", 1.25, '!', -3, 123456789012LL, 2, "<>x", 1, 2.25);
    wrote(
        stream,
        "<td class=\"a&quot;b\">7 &lt;script&gt;&amp;&#39;</td>xy|  1.2 %|!|-3  |123456789012|&lt;&gt;|2.2");
}
END_TEST

static void write_findings(struct vt_pen *pen)
{
    vt_pen_lead(pen, "Hosts");
    vt_pen_item(pen, 1);
    vt_pen_tone(pen, VT_TONE_STRONG, "a<b");
    vt_pen_say(pen, ": %d of %d", 1, 2);
    vt_pen_item(pen, 2);
    vt_pen_say(pen, "*x*");
    vt_pen_item(pen, 2);
    vt_pen_say(pen, "y");
    vt_pen_item(pen, 1);
    vt_pen_say(pen, "z");
    vt_pen_end(pen);
    vt_pen_paragraph(pen, "end");
}

START_TEST(a_list_is_marked_by_its_format)
{
    static const struct {
        const struct vt_pen_marks *marks;
        const char *text;
    } rows[] = {
        {&vt_pen_text, "Hosts:\n  · a<b: 1 of 2\n    · *x*\n    · y\n  · z\nend\n"},
        {&vt_pen_markdown, "Hosts:\n\n- **a&lt;b**: 1 of 2\n  - \\*x\\*\n  - y\n- z\n\nend\n"},
        {&vt_pen_html, "<h3>Hosts</h3>\n<ul class=\"told\">\n<li><b>a&lt;b</b>: 1 of 2<ul class=\"told\">\n"
                       "<li>*x*</li>\n<li>y</li>\n</ul>\n</li>\n<li>z</li>\n</ul>\n<p>end</p>\n"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        FILE *stream = begin();
        struct vt_pen pen = vt_pen_on(stream, rows[i].marks, NULL);
        write_findings(&pen);
        wrote(stream, rows[i].text);
    }
}
END_TEST

START_TEST(a_list_may_end_deep)
{
    FILE *stream = begin();
    struct vt_pen pen = vt_pen_on(stream, &vt_pen_html, NULL);
    vt_pen_end(&pen);
    vt_pen_item(&pen, 1);
    vt_pen_item(&pen, 2);
    vt_pen_end(&pen);
    wrote(stream, "<ul class=\"told\">\n<li><ul class=\"told\">\n<li></li>\n</ul>\n</li>\n</ul>\n");
}
END_TEST

START_TEST(a_table_is_marked_by_its_format)
{
    static const struct vt_pen_column columns[] = {
        {"case", 6, false, NULL}, {"old", 5, true, NULL}, {"note", 0, false, "tale"}};
    static const struct vt_pen_cell first[] = {
        {.text = "µ|"}, {.text = "1 <", .value = 1, .sorted = true}, {.text = "bad", .tone = VT_TONE_BAD}};
    static const struct vt_pen_cell second[] = {
        {.text = "b", .note = ""}, {.text = NULL}, {.text = "c", .note = "<d>", .mark = "trap"}};
    static const struct {
        const struct vt_pen_marks *marks;
        const char *text;
    } rows[] = {
        {&vt_pen_text, "CASE      OLD  NOTE\nµ|        1 <  bad\nb              c (<d>)\n"},
        {&vt_pen_markdown, "\n| case | old | note |\n| --- | ---: | --- |\n| µ\\| | 1 &lt; | **bad** |\n| b "
                           "|  | c (&lt;d\\>) |\n"},
        {&vt_pen_html,
         "<div class=\"scroll\" role=\"region\" aria-label=\"All, scrolls sideways\" tabindex=\"0\">\n"
         "<table class=\"told\"><caption class=\"quiet\">All</caption>\n<thead><tr><th "
         "scope=\"col\">Case</th>"
         "<th scope=\"col\" class=\"number\">Old</th><th scope=\"col\" "
         "class=\"tale\">Note</th></tr></thead>\n"
         "<tbody>\n<tr><th scope=\"row\">µ|</th><td class=\"number\" data-v=\"1\">1 &lt;</td><td "
         "class=\"tale\"><span class=\"flag\">bad</span></td></tr>\n<tr><th scope=\"row\">b</th><td "
         "class=\"number\"></td><td class=\"tale\"><span class=\"mark m-trap\" aria-hidden=\"true\">T</span> "
         "c "
         "<small>&lt;d&gt;</small></td></tr>\n</tbody></table></div>\n"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        FILE *stream = begin();
        struct vt_pen pen = vt_pen_on(stream, rows[i].marks, NULL);
        vt_pen_table(&pen, "All", columns, 3);
        vt_pen_row(&pen, first);
        vt_pen_row(&pen, second);
        vt_pen_end_table(&pen);
        wrote(stream, rows[i].text);
    }
}
END_TEST

START_TEST(colour_only_where_the_screen_has_it)
{
    const struct vt_screen screen = {.colour = true};
    FILE *stream = begin();
    struct vt_pen pen = vt_pen_on(stream, &vt_pen_text, &screen);
    vt_pen_tone(&pen, VT_TONE_BAD, "x");
    pen = vt_pen_on(stream, &vt_pen_text, NULL);
    vt_pen_tone(&pen, VT_TONE_BAD, "x");
    wrote(stream, "\033[31mx\033[0mx");
}
END_TEST

START_TEST(what_stands_before_a_line_is_part_of_it)
{
    FILE *stream = begin();
    struct vt_pen pen = vt_pen_on(stream, &vt_pen_text, &(struct vt_screen){.width = 40});
    vt_pen_warning(&pen, "%s", "one two three four five six seven eight nine");
    wrote(stream, "Warning: one two three four five six\nseven eight nine\n");
}
END_TEST

VT_SUITE(what_stands_before_a_line_is_part_of_it, markup_takes_arguments_for_text,
         a_list_is_marked_by_its_format, a_list_may_end_deep, a_table_is_marked_by_its_format,
         colour_only_where_the_screen_has_it)
