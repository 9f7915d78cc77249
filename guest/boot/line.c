/*
 * The command line: words with blanks between them, those that are not known left to others.
 *
 *     case=cpuid,mov-*      by name, * and ? standing for anything; of several such words each adds
 *     class=time,msr        by class
 *     road=monitor-trap     of the monitor's roads those alone; road=none: none
 *     end=hold|off|reset    what to do in the end
 */
#include "guest/boot/core.h"

#define MOST_CASES      256
#define MOST_ROAD_WORDS 8

static bool wanted[MOST_CASES];

/* Behind "road=", in the line itself. */
static struct {
    const char *start, *end;
} roads[MOST_ROAD_WORDS];
static size_t road_words;

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

static const char *end_of_item(const char *list, const char *end)
{
    while (list < end && *list != ',')
        list++;
    return list;
}

/* "a,b,c" */
static void add_all(const char *list, const char *end, bool by_class)
{
    while (list < end) {
        const char *comma = end_of_item(list, end);
        add(list, comma, by_class);
        list = comma + 1;
    }
}

bool vt_boot_line_wants_road(const char *name)
{
    for (size_t i = 0; i < road_words; i++)
        for (const char *item = roads[i].start, *end = roads[i].end; item < end;) {
            const char *comma = end_of_item(item, end);
            if (matches(item, comma, name))
                return true;
            item = comma + 1;
        }
    return road_words == 0;
}

static void add_roads(const char *list, const char *end)
{
    if (road_words == MOST_ROAD_WORDS)
        return;
    roads[road_words].start = list;
    roads[road_words++].end = end;
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
    else if ((value = value_of(word, end, "road=")))
        add_roads(value, end);
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
