#include "show/pen/markup.h"
#include "show/escape.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* A conversion of a format, its precision written out where it was an argument ("%.*s"). */
struct conversion {
    char text[24];
    size_t length; /* in the format */
    int precision; /* -1: none */
    char size, kind;
};

static struct conversion read_conversion(const char *at, va_list *arguments)
{
    struct conversion c = {.precision = -1};
    size_t width = 1 + strspn(at + 1, "-+ #0123456789"), digits = 0;
    char precision[16] = "";
    c.length = width;
    if (at[c.length] == '.') {
        digits = strspn(at + c.length + 1, "0123456789");
        c.precision = at[c.length + 1] == '*' ? va_arg(*arguments, int) : atoi(at + c.length + 1);
        c.length += 1 + (digits ? digits : 1);
        snprintf(precision, sizeof precision, ".%d", c.precision);
    }
    size_t rest = strspn(at + c.length, "hlz");
    c.size = rest ? at[c.length] : '\0';
    c.kind = at[c.length + rest];
    snprintf(c.text, sizeof c.text, "%.*s%s%.*s", (int)width, at, precision, (int)rest + 1, at + c.length);
    c.length += rest + 1;
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
        fprintf(stream, c->text, va_arg(*arguments, double)); /* NOLINT(bugprone-branch-clone) */
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
        struct conversion c = read_conversion(format, &arguments);
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
