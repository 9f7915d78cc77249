#include "show/pen/markup.h"
#include "show/escape.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* A conversion of a format: "%-*.3zu" without its stars, which no caller needs. */
struct conversion {
    char text[16];
    int length;
    int precision; /* -1: none */
    char size, kind;
};

static struct conversion read_conversion(const char *at)
{
    struct conversion c = {.precision = -1};
    size_t length = 1 + strspn(at + 1, "-+ #0123456789");
    if (at[length] == '.') {
        c.precision = atoi(at + length + 1);
        length += 1 + strspn(at + length + 1, "0123456789");
    }
    if (strchr("hlz", at[length]))
        c.size = at[length];
    length += strspn(at + length, "hlz");
    c.kind = at[length];
    c.length = (int)length + 1;
    snprintf(c.text, sizeof c.text, "%.*s", c.length, at);
    return c;
}

static void put_text(const char *text, int precision, FILE *stream)
{
    if (precision < 0 || !text) {
        vt_escape_html(text, stream);
        return;
    }
    char *part = strndup(text, (size_t)precision);
    vt_escape_html(part, stream);
    free(part);
}

/* The compiler has checked arguments against conversions: the caller's format is a literal. */
#pragma GCC diagnostic ignored "-Wformat-nonliteral"

static void put_number(const struct conversion *c, va_list *arguments, FILE *stream)
{
    if (strchr("eEfFgG", c->kind))
        fprintf(stream, c->text, va_arg(*arguments, double));
    else if (c->size == 'z' || c->size == 'l')
        fprintf(stream, c->text, va_arg(*arguments, long)); /* as wide as size_t and long long: x86-64 */
    else
        fprintf(stream, c->text, va_arg(*arguments, int));
}

void vt_markup(FILE *stream, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    while (*format) {
        size_t plain = strcspn(format, "%");
        fwrite(format, 1, plain, stream);
        format += plain;
        if (!*format)
            break;
        struct conversion c = read_conversion(format);
        if (c.kind == '%')
            putc('%', stream);
        else if (c.kind == 's')
            put_text(va_arg(arguments, const char *), c.precision, stream);
        else
            put_number(&c, &arguments, stream);
        format += c.length;
    }
    va_end(arguments);
}
