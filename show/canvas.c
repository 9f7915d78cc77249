#include "show/canvas.h"
#include "show/svg.h"

#include <stdbool.h>

/* 13 pixels of the page are 7 points: what journals ask of the letters in a figure. */
#define PIXELS_PER_INCH (72 * 13 / 7.0)
#define DOTS_PER_INCH   300.0

enum { HEAD = 72 };

static const char *const extensions[] = {
    [VT_MEDIUM_PAGE] = "svg", [VT_MEDIUM_PDF] = "pdf", [VT_MEDIUM_PNG] = "png"};

/* The page's own colours on white (page.css, --s1 to --s8): told apart without colour vision by their
 * symbols. */
static const char *const palette[] = {"#59626e", "#bf3f0b", "#0b62bd", "#a83c86",
                                      "#00745a", "#866000", "#007089", "#3a3a40"};

int vt_canvas_head(const struct vt_canvas *canvas)
{
    return canvas->medium == VT_MEDIUM_PAGE ? 0 : HEAD;
}

static void set_terminal(const struct vt_canvas *canvas, int width, int height, int font)
{
    double scale = DOTS_PER_INCH / PIXELS_PER_INCH;
    if (canvas->medium == VT_MEDIUM_PAGE)
        fprintf(canvas->stream, "set terminal svg size %d,%d dynamic noenhanced font 'sans-serif,%d'\n",
                width, height, font);
    else if (canvas->medium == VT_MEDIUM_PDF)
        fprintf(canvas->stream,
                "set terminal pdfcairo color noenhanced size %.3fin,%.3fin font 'sans-serif,%g' fontscale 1 "
                "linewidth %.3g pointscale %.3g\n",
                width / PIXELS_PER_INCH, height / PIXELS_PER_INCH, font * 72 / PIXELS_PER_INCH, 0.6, 0.6);
    else
        fprintf(
            canvas->stream,
            "set terminal pngcairo truecolor noenhanced size %.0f,%.0f font 'sans-serif,%d' fontscale %.4g "
            "linewidth %.4g pointscale %.4g background rgb 'white'\n",
            width * scale, height * scale, font, scale * 0.75, scale, scale);
}

static void set_colours(const struct vt_canvas *canvas)
{
    for (size_t k = 0; k < sizeof palette / sizeof palette[0]; k++)
        if (canvas->medium == VT_MEDIUM_PAGE)
            fprintf(canvas->stream, "set linetype %zu lc rgb '" VT_SVG_SERIES "'\n", k + 1, k + 1);
        else
            fprintf(canvas->stream, "set linetype %zu lc rgb '%s'\n", k + 1, palette[k]);
    fprintf(canvas->stream, "set linetype %d lc rgb '%s'\n", VT_CANVAS_GRID,
            canvas->medium == VT_MEDIUM_PAGE ? VT_SVG_GRID : "#d4d2cc");
}

void vt_canvas_open(const struct vt_canvas *canvas, int width, int height, int font)
{
    fputs("reset\n", canvas->stream);
    set_terminal(canvas, width, height, font);
    set_colours(canvas);
    fprintf(canvas->stream, "set encoding utf8\nset output '%s.%s'\nunset key\nset border 0\n", canvas->name,
            vt_canvas_extension(canvas->medium));
}

void vt_canvas_close(const struct vt_canvas *canvas)
{
    fputs("\nunset output\n", canvas->stream);
}

const char *vt_canvas_extension(enum vt_medium medium)
{
    return extensions[medium];
}
