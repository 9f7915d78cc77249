#include "cli/screen.h"

#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

static bool wants_colour(void)
{
    const char *refused = getenv("NO_COLOR"), *terminal = getenv("TERM");
    return !(refused && *refused) && terminal && strcmp(terminal, "dumb") != 0;
}

/* The locale for characters, by name (locale(7)); "" where none is named. */
static const char *locale_name(void)
{
    static const char *const variables[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++) {
        const char *name = getenv(variables[i]);
        if (name && *name)
            return name;
    }
    return "";
}

static bool is_utf8(const char *codeset, size_t length)
{
    return (length == 5 && strncasecmp(codeset, "UTF-8", length) == 0) ||
           (length == 4 && strncasecmp(codeset, "UTF8", length) == 0);
}

/*
 * A name with its codeset says it all. Of one without, glibc knows; it would also say of a locale that there
 * is no memory for that it does not exist.
 */
static bool shows_utf8(void)
{
    const char *codeset = strchr(locale_name(), '.');
    if (codeset)
        return is_utf8(codeset + 1, strcspn(codeset + 1, "@"));
    locale_t locale = newlocale(LC_CTYPE_MASK, "", (locale_t)0);
    if (!locale)
        return false;
    bool utf8 = strcmp(nl_langinfo_l(CODESET, locale), "UTF-8") == 0;
    freelocale(locale);
    return utf8;
}

struct vt_screen vt_cli_screen(const char *path)
{
    struct vt_screen screen = {0};
    struct winsize size;
    bool standard = strcmp(path, "-") == 0, terminal = standard && isatty(STDOUT_FILENO);
    screen.utf8 = !standard || shows_utf8();
    screen.colour = terminal && wants_colour();
    if (terminal && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 40)
        screen.width = size.ws_col;
    return screen;
}
