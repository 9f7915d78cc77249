#include "show/pen/wrap.h"

#include <string.h>

static int width_of(const char *text, size_t length)
{
    int width = 0;
    for (size_t i = 0; i < length; i++)
        if (text[i] == '\033')
            i += strcspn(text + i, "m");
        else
            width += ((unsigned char)text[i] & 0xc0) != 0x80;
    return width;
}

int vt_pen_width(const char *text)
{
    return width_of(text, strlen(text));
}

void vt_pen_wrap(const char *text, int width, int indent, FILE *stream)
{
    int used = indent;
    if (width <= 0) {
        fputs(text, stream);
        return;
    }
    while (*text) {
        size_t length = strcspn(text, " ");
        int word = width_of(text, length);
        if (used > indent && used + 1 + word > width) {
            fprintf(stream, "\n%*s", indent, "");
            used = indent;
        } else if (used > indent) {
            putc(' ', stream);
            used++;
        }
        fwrite(text, 1, length, stream);
        used += word;
        text += length + (text[length] == ' ');
    }
}
