#include "cli/command.h"

#include <stdarg.h>
#include <stdio.h>

static void diagnose(const char *format, va_list arguments)
{
    struct vt_error line;
    char text[sizeof line.text];
    vsnprintf(text, sizeof text, format, arguments);
    /* The record strips what a terminal would obey. */
    vt_error_set(&line, VT_EXIT_USAGE, 0, "%s", text);
    fprintf(stderr, "vmtoll: %s\n", line.text);
}

void vt_cli_warn(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    diagnose(format, arguments);
    va_end(arguments);
}

int vt_cli_misuse(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    diagnose(format, arguments);
    va_end(arguments);
    return VT_EXIT_USAGE;
}

int vt_cli_fail(const struct vt_error *error)
{
    vt_cli_warn("%s", error->text);
    return error->exit;
}
