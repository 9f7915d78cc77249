#include "show/svg.h"

#include <stdio.h>

#define FULL   "fill=\"currentColor\""
#define HOLLOW "fill=\"none\" stroke=\"currentColor\" stroke-width=\".3\""

/* gnuplot's point types 4 to 15, which its pictures refer to by these names, in the size all pictures draw
 * them: a reference then only says where. */
static const struct {
    int number;
    const char *shape;
} symbols[] = {
    {4, "rect " FULL " x=\"-1\" y=\"-1\" width=\"2\" height=\"2\""},
    {3, "rect " HOLLOW " x=\"-.9\" y=\"-.9\" width=\"1.8\" height=\"1.8\""},
    {6, "circle " FULL " r=\"1\""},
    {5, "circle " HOLLOW " r=\".9\""},
    {8, "path " FULL " d=\"M0,-1.33 L-1.33,.67 L1.33,.67 z\""},
    {7, "path " HOLLOW " d=\"M0,-1.2 L-1.2,.6 L1.2,.6 z\""},
    {10, "path " FULL " d=\"M0,1.33 L-1.33,-.67 L1.33,-.67 z\""},
    {9, "path " HOLLOW " d=\"M0,1.2 L-1.2,-.6 L1.2,-.6 z\""},
    {12, "path " FULL " d=\"M0,-1.4 L1.4,0 L0,1.4 L-1.4,0 z\""},
    {11, "path " HOLLOW " d=\"M0,-1.25 L1.25,0 L0,1.25 L-1.25,0 z\""},
    {14, "path " FULL " d=\"M0,1.33 L1.265,.411 L.782,-1.067 L-.782,-1.076 L-1.265,.411 z\""},
    {13, "path " HOLLOW " d=\"M0,1.2 L1.1,.4 L.7,-.95 L-.7,-.95 L-1.1,.4 z\""},
};

void vt_svg_symbols(FILE *stream)
{
    fputs("<svg class=\"symbols\" aria-hidden=\"true\" width=\"0\" height=\"0\" focusable=\"false\"><defs>",
          stream);
    for (size_t i = 0; i < sizeof symbols / sizeof symbols[0]; i++)
        fprintf(stream, "<%s id=\"p%d\" transform=\"scale(3.6)\"/>", symbols[i].shape, symbols[i].number);
    fputs("</defs></svg>\n", stream);
}

void vt_svg_key(size_t series, int point, FILE *stream)
{
    fprintf(stream,
            "<svg class=\"keymark\" viewBox=\"-7 -7 14 14\" aria-hidden=\"true\"><use class=\"s%zu\" "
            "href=\"#p%d\"/></svg>",
            series, point - 1);
}
