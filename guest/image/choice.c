#include "guest/image/choice.h"
#include "guest/image/image.h"

#define WORD "cases="

static const char *find_word(const char *line)
{
    for (; line && *line; line++) {
        size_t length = 0;
        while (WORD[length] && line[length] == WORD[length])
            length++;
        if (!WORD[length])
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
    const char *digits = find_word(command_line);

    for (size_t i = 0; i < VT_IMAGE_CASES / 64; i++)
        choice->cases[i] = digits ? 0 : UINT64_MAX;
    for (size_t i = 0; digits && i < VT_IMAGE_CASES / 4 && digit_value(digits[i]) >= 0; i++)
        choice->cases[i / 16] |= (uint64_t)digit_value(digits[i]) << i % 16 * 4;
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
