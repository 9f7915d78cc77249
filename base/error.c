#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

/* Outside input is quoted in messages; an escape sequence in a file name must not reach a terminal. */
static void strip_controls(char *text)
{
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c < 0x20 || c == 0x7f)
            *text = '?';
    }
}

int vt_error_set(struct vt_error *error, enum vt_exit exit, int number, const char *format, ...)
{
    if (error) {
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(error->text, sizeof error->text, format, arguments);
        va_end(arguments);
        strip_controls(error->text);
        error->number = number;
        error->exit = exit;
    }
    return number ? -number : -EINVAL;
}
