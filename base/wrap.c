#include "base/wrap.h"

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

int vt_wrap_width(const char *text)
{
    return width_of(text, strlen(text));
}

void vt_wrap(const char *text, int width, int indent, int at, FILE *stream)
{
    for (const char *word = text; *word;) {
        size_t length = strcspn(word, " ");
        int size = width_of(word, length);
        if (width > 0 && at > indent && at + 1 + size > width) {
            fprintf(stream, "\n%*s", indent, "");
            at = indent;
        } else if (word != text) {
            putc(' ', stream);
            at++;
        }
        fwrite(word, 1, length, stream);
        at += size;
        word += length + (word[length] == ' ');
    }
}
