/*
 * The command line: words with blanks between them, those that are not known left to others.
 *
 *     case=cpuid,mov-*      by name, * and ? standing for anything; of several such words each adds
 *     class=time,msr        by class
 *     end=hold|off|reset    what to do in the end
 */
#include "guest/boot/core.h"

#define MOST_CASES 256

static bool wanted[MOST_CASES];

bool vt_boot_line_wants(size_t index)
{
    return wanted[index];
}

/* Up to `end`. */
static bool matches(const char *glob, const char *end, const char *name)
{
    const char *star = NULL, *resume = NULL;

    while (*name) {
        if (glob < end && *glob == '*') {
            star = ++glob;
            resume = name;
        } else if (glob < end && (*glob == '?' || *glob == *name)) {
            glob++;
            name++;
        } else if (star) {
            glob = star;
            name = ++resume;
        } else {
            return false;
        }
    }
    while (glob < end && *glob == '*')
        glob++;
    return glob == end;
}

static void add(const char *glob, const char *end, bool by_class)
{
    size_t count;
    const struct vt_case *cases = vt_guest_cases(&count);

    for (size_t i = 0; i < count && i < MOST_CASES; i++)
        if (matches(glob, end, by_class ? vt_guest_class_name(cases[i].class) : cases[i].name))
            wanted[i] = true;
}

/* "a,b,c" */
static void add_all(const char *list, const char *end, bool by_class)
{
    while (list < end) {
        const char *comma = list;
        while (comma < end && *comma != ',')
            comma++;
        add(list, comma, by_class);
        list = comma + 1;
    }
}

static void set_end(const char *value, const char *end)
{
    char *to = vt_boot_info()->end;
    for (size_t i = 0; i + 1 < sizeof vt_boot_info()->end && value < end; i++)
        *to++ = *value++;
    *to = '\0';
}

static const char *value_of(const char *word, const char *end, const char *name)
{
    for (; *name; name++, word++)
        if (word == end || *word != *name)
            return NULL;
    return word;
}

static bool take_word(const char *word, const char *end)
{
    const char *value;

    if ((value = value_of(word, end, "case=")))
        add_all(value, end, false);
    else if ((value = value_of(word, end, "class=")))
        add_all(value, end, true);
    else if ((value = value_of(word, end, "end=")))
        set_end(value, end);
    return value && word[0] == 'c';
}

/* What the others are judged by. */
static void add_controls(void)
{
    static const char controls[] = "empty,nop,thousand";
    add_all(controls, controls + sizeof controls - 1, false);
}

/* Without a choice, all. */
void vt_boot_line_read(const char *line)
{
    bool chosen = false;

    for (const char *word = line; *word;) {
        const char *end = word;
        while (*end && *end != ' ')
            end++;
        chosen |= take_word(word, end);
        word = *end ? end + 1 : end;
    }
    add_controls();
    for (size_t i = 0; !chosen && i < MOST_CASES; i++)
        wanted[i] = true;
}
