#include "guest/image/choice.h"
#include "guest/image/image.h"

/* Behind it, or NULL. */
static const char *find_word(const char *line, const char *word)
{
    for (; line && *line; line++) {
        size_t length = 0;
        while (word[length] && line[length] == word[length])
            length++;
        if (!word[length])
            return line + length;
    }
    return NULL;
}

static int digit_value(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

void vt_image_choose(struct vt_image_choice *choice, const char *command_line)
{
    const char *digits = find_word(command_line, "cases="), *roads = find_word(command_line, "roads=");
    size_t length = 0;

    for (size_t i = 0; i < VT_IMAGE_CASES / 64; i++)
        choice->cases[i] = digits ? 0 : UINT64_MAX;
    for (size_t i = 0; digits && i < VT_IMAGE_CASES / 4 && digit_value(digits[i]) >= 0; i++)
        choice->cases[i / 16] |= (uint64_t)digit_value(digits[i]) << i % 16 * 4;
    for (; roads && roads[length] > ' ' && length < VT_IMAGE_ROADS - 1; length++)
        choice->roads[length] = roads[length];
    choice->roads[length] = '\0';
}

bool vt_image_takes(const struct vt_image_choice *choice, const char *road)
{
    for (const char *at = choice->roads; *at;) {
        size_t length = 0;
        while (road[length] && at[length] == road[length])
            length++;
        if (!road[length] && (at[length] == ',' || !at[length]))
            return true;
        while (*at && *at++ != ',')
            ;
    }
    return !*choice->roads;
}

static bool is_chosen(const struct vt_image_choice *choice, size_t index)
{
    return choice->cases[index / 64] >> index % 64 & 1;
}

void vt_image_run_chosen(const struct vt_image_choice *choice, void (*run)(const struct vt_case *c))
{
    size_t count, total = 0, done = 0;
    const struct vt_case *cases = vt_guest_cases(&count);

    for (size_t i = 0; i < count; i++)
        total += is_chosen(choice, i);
    vt_image_say("@stage measuring\n");
    for (size_t i = 0; i < count; i++) {
        if (!is_chosen(choice, i))
            continue;
        vt_image_announce(++done, total, cases[i].name);
        run(&cases[i]);
    }
    vt_image_say("@end\n");
}
