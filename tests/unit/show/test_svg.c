/* gnuplot's pictures on their way into a page: shorter, and nothing that was drawn is missing. */
#include "base/stream.h"
#include "show/svg.h"
#include "show/svg/path.h"
#include "show/svg/tag.h"
#include "tests/unit/suite.h"

#include <stdlib.h>
#include <string.h>

static char *text;
static size_t size;

static void wrote(FILE *stream, const char *expected)
{
    ck_assert_int_eq(fclose(stream), 0);
    ck_assert_str_eq(text, expected);
    free(text);
}

static void check_path(const char *points, const char *expected)
{
    struct vt_svg_pen pen = {.stream = vt_stream_memory(&text, &size)};
    vt_svg_put_path(&pen, points, strlen(points));
    wrote(pen.stream, expected);
}

START_TEST(a_path_is_written_from_point_to_point)
{
    check_path("M10.00,20.00 L15.50,10.00 L40.00,10.04 L40.50,3.00  ", "M10 20l5.5-10h24.5l.5-7");
}
END_TEST

START_TEST(straight_lines_have_letters_of_their_own)
{
    check_path("M188.00,69.06 L907.09,69.06  ", "M188 69.1h719.1");
    check_path("M46.20,214.00 L46.20,9.00  ", "M46.2 214v-205");
}
END_TEST

START_TEST(points_on_the_way_are_left_out)
{
    check_path("M0.00,0.00 L10.00,0.10 L20.00,0.00 L20.00,50.00 ", "M0 0h20v50");
    check_path("M0.00,0.00 L10.00,9.00 L20.00,0.00 ", "M0 0l10 9 10-9");
}
END_TEST

START_TEST(rounding_does_not_add_up)
{
    char points[4096] = "M0.00,0.00 ";
    for (int i = 1; i <= 100; i++)
        snprintf(points + strlen(points), sizeof points - strlen(points), "L%.2f,%d.00 ", i * 1.04,
                 i % 2 * 50);
    struct vt_svg_pen pen = {.stream = vt_stream_memory(&text, &size)};
    vt_svg_put_path(&pen, points, strlen(points));
    ck_assert_int_eq(fclose(pen.stream), 0);
    ck_assert_int_eq(pen.x, 1040);
    ck_assert_int_eq(pen.y, 0);
    free(text);
}
END_TEST

START_TEST(a_path_that_only_moves_draws_nothing)
{
    ck_assert(vt_svg_is_idle("M1.00,2.00 M3.00,2.00 ", 22));
    ck_assert(!vt_svg_is_idle("M1.00,2.00 L3.00,2.00 ", 22));
}
END_TEST

START_TEST(a_tag_is_read_in_each_spelling)
{
    static const char tag[] = "<polygon fill = 'rgb(  0,   0,   3)' points=\"1,2 > 3\" idle/>rest";
    struct vt_svg_tag read;
    size_t length;
    ck_assert_str_eq(vt_svg_read_tag(tag, &read), "rest");
    ck_assert(vt_svg_is(&read, "polygon") && !read.closes);
    ck_assert_uint_eq(read.count, 3);
    ck_assert_int_eq(strncmp(vt_svg_value(&read, "fill", &length), "rgb(  0,   0,   3)", 18), 0);
    ck_assert_uint_eq(length, 18);
    ck_assert_ptr_nonnull(vt_svg_value(&read, "points", &length));
    ck_assert_uint_eq(length, 7);
    ck_assert_ptr_null(vt_svg_value(&read, "point", &length));
}
END_TEST

START_TEST(a_tag_without_an_end_is_none)
{
    static const char *const broken[] = {"<", "<g", "<g a", "<g a=", "<g a='x", "<g a=x>", "<g =>"};
    struct vt_svg_tag read;
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++)
        ck_assert_msg(!vt_svg_read_tag(broken[i], &read), "%s", broken[i]);
}
END_TEST

static void title(void *context, unsigned long number, FILE *stream)
{
    fprintf(stream, "%s %lu", (const char *)context, number);
}

/* As gnuplot 5.4 writes it. */
static const char picture[] =
    "<svg viewBox=\"0 0 420 200\"><defs><rect id='gpPt4'/></defs>\n"
    "<g fill=\"none\" stroke=\"currentColor\" stroke-width=\"1.00\">\n"
    "\t<path stroke='rgb(  0,   1,   0)' class=\"gridline\"  d='M46.20,210.55 L407.39,210.55  '/></g>\n"
    "<g stroke-width=\"1.00\">\n"
    "\t<path stroke='black'  d='M46.20,210.55 M407.39,210.55  '/>\t<g transform=\"translate(37.81,214.45)\" "
    "stroke=\"none\" fill=\"black\" font-family=\"sans-serif\" font-size=\"12.00\"  text-anchor=\"end\">\n"
    "\t\t<text>50 %</text>\n\t</g>\n</g>\n"
    "<g stroke-width=\"1.00\"><path stroke='rgb(  0,   1,   0)' d='M46.20,153.00 L407.39,153.00  '/></g>\n"
    "<g id=\"gnuplot_plot_1\" ><title>gnuplot_plot_1</title>\n"
    "<g stroke-width=\"1.80\"><path stroke='rgb(  0,   0,   2)'  d='M10.00,20.00 L30.00,20.00  '/></g>\n"
    "<g stroke-width=\"1.00\"><g onmousemove=\"gnuplot_svg.showHypertext(evt,'36')\" onmouseout=\"\"><title> "
    "</title>\n\t<use xlink:href='#gpPt6' transform='translate(573.82,63.76) scale(3.66)' color='rgb(  0,   "
    "0, "
    "  1)'/></g></g></g>\n"
    "<g stroke='none' shape-rendering='crispEdges'><polygon fill = 'rgb(  0,   0,   3)' points = '1,2 3,4 '/>"
    "</g>\n</svg>\n";

START_TEST(what_is_drawn_is_kept_and_nothing_else)
{
    FILE *stream = vt_stream_memory(&text, &size);
    vt_svg_embed(picture, "A <picture>", "", NULL, NULL, stream);
    wrote(stream, "<svg class=\"chart\" role=\"img\" viewBox=\"0 0 420 200\" font-size=\"12\" aria-label=\"A "
                  "&lt;picture&gt;\">"
                  "<text x=\"37.8\" y=\"214.5\" class=\"e\">50 %</text>"
                  "<path class=\"g\" d=\"M46.2 210.6h361.2m-361.2-57.6h361.2\"/>"
                  "<path class=\"s2 w18\" d=\"M10 20h20\"/>"
                  "<use class=\"s1\" href=\"#p6\" x=\"573.8\" y=\"63.8\" data-n=\"36\"/>"
                  "<polygon class=\"s3\" points=\"1,2 3,4 \"/></svg>\n");
}
END_TEST

START_TEST(a_page_without_a_table_says_its_hover_texts)
{
    FILE *stream = vt_stream_memory(&text, &size);
    vt_svg_embed(picture, "A picture", "wide", title, (void *)(size_t) "number", stream);
    ck_assert_int_eq(fclose(stream), 0);
    ck_assert_ptr_nonnull(strstr(text, "<g><title>number 36</title><use class=\"s1\""));
    ck_assert_ptr_null(strstr(text, "data-n"));
    free(text);
}
END_TEST

START_TEST(a_picture_that_is_cut_off_ends)
{
    for (size_t length = 0; length < sizeof picture; length++) {
        char *cut = strndup(picture, length);
        FILE *stream = vt_stream_memory(&text, &size);
        vt_svg_embed(cut, "A picture", "", NULL, NULL, stream);
        ck_assert_int_eq(fclose(stream), 0);
        free(text);
        free(cut);
    }
}
END_TEST

VT_SUITE(a_path_is_written_from_point_to_point, straight_lines_have_letters_of_their_own,
         points_on_the_way_are_left_out, rounding_does_not_add_up, a_path_that_only_moves_draws_nothing,
         a_tag_is_read_in_each_spelling, a_tag_without_an_end_is_none, what_is_drawn_is_kept_and_nothing_else,
         a_page_without_a_table_says_its_hover_texts, a_picture_that_is_cut_off_ends)
