#include "base/error.h"
#include "base/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int vt_error_set(struct vt_error *error, enum vt_exit exit, int number, const char *format, ...)
{
    if (error) {
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(error->text, sizeof error->text, format, arguments);
        va_end(arguments);
        /* Outside input is quoted in messages: it must not reach a terminal as more than text. */
        vt_text_clean(error->text, strlen(error->text));
        error->number = number;
        error->exit = exit;
    }
    return number ? -number : -EINVAL;
}

int vt_error_memory(struct vt_error *error, const char *what)
{
    return vt_error_set(error, VT_EXIT_ENVIRONMENT, ENOMEM, "not enough memory for %s", what);
}
