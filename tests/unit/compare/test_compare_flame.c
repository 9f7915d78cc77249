/* Both sides' chains in one picture: what grew, shrank, came, went, and what is the same under another name.
 */
#include "base/stream.h"
#include "compare/format/flame.h"
#include "tests/unit/suite.h"

#include <stdlib.h>
#include <string.h>

/* Before: run calls emulate and went, and old_name. After: an outer function, which had nothing of its own.
 */
static struct vt_profile_function before_functions[] = {
    {"run", "kvm", 4000, 12000},         {"emulate", "kvm", 3000, 3000}, {"went", "kernel", 2000, 2000},
    {"old_name", "kvm_amd", 1000, 3000}, {"same", "kernel", 2000, 2000},
};
static struct vt_profile_stack before_stacks[] = {
    {-1, 0, 4000}, {0, 1, 3000}, {0, 2, 2000}, {0, 3, 1000}, {3, 4, 2000},
};
static struct vt_profile_function after_functions[] = {
    {"outer", "kvm", 50, 7200},         {"run", "kvm", 2000, 7150},     {"emulate", "kvm", 2500, 2500},
    {"new_name", "kvm_amd", 500, 1500}, {"same", "kernel", 1000, 1000}, {"co<me", "kernel", 1150, 1150},
};
static struct vt_profile_stack after_stacks[] = {
    {-1, 0, 50}, {0, 1, 2000}, {1, 2, 2500}, {1, 3, 500}, {3, 4, 1000}, {1, 5, 1150},
};

static char *draw(struct vt_profile *before, struct vt_profile *after)
{
    struct vt_result_row rows[2] = {{.profile = before}, {.profile = after}};
    struct vt_compared row = {.before = &rows[0], .after = &rows[1]};
    char *text;
    size_t size;
    FILE *stream = vt_stream_memory(&text, &size);

    vt_compare_flame(&row, stream);
    fclose(stream);
    return text;
}

static void ck_frame(const char *text, const char *class, const char *title)
{
    char wanted[200];
    const char *frame = strstr(text, title);

    ck_assert_msg(frame, "%s is not in %s", title, text);
    while (frame > text && strncmp(frame, "<g class=", 9) != 0)
        frame--;
    snprintf(wanted, sizeof wanted, "<g class=\"%s\"", class);
    ck_assert_msg(strncmp(frame, wanted, strlen(wanted)) == 0, "%s is no %s: %.30s", title, class, frame);
}

static struct vt_profile before = {.operations = 20,
                                   .sum = 12000,
                                   .functions = before_functions,
                                   .function_count = 5,
                                   .stacks = before_stacks,
                                   .stack_count = 5};
static struct vt_profile after = {.operations = 10,
                                  .sum = 7200,
                                  .functions = after_functions,
                                  .function_count = 6,
                                  .stacks = after_stacks,
                                  .stack_count = 6};

START_TEST(every_frame_tells_its_own_change)
{
    char *text = draw(&before, &after);

    ck_frame(text, "grew", "outer (kvm), new: 720 instructions, +120; itself 5, +5<");
    ck_frame(text, "same", "run (kvm): 715 instructions, +115<");
    ck_frame(text, "grew", "emulate (kvm): 250 instructions, +100; itself 250, +100<");
    ck_frame(text, "shrank", "went (kernel), gone: 0 instructions, -100; itself 0, -100<");
    ck_frame(text, "same", "new_name (kvm_amd): 150 instructions<");
    ck_frame(text, "same", "same (kernel): 100 instructions<");
    ck_frame(text, "grew", "co&lt;me (kernel), new: 115 instructions, +115");
    /* Not by colour alone. */
    ck_assert_ptr_nonnull(strstr(text, ">+100 emulate</text>"));
    /* One chain, not two beside one another: the lowest is as wide as the picture. */
    ck_assert_ptr_nonnull(
        strstr(text, "<rect x=\"0\" y=\"51\" width=\"1000\"/><text x=\"3\" y=\"63\">+5 outer"));
    free(text);
}
END_TEST

START_TEST(the_other_way_round_what_grew_shrank)
{
    char *text = draw(&after, &before);

    ck_frame(text, "shrank", "outer (kvm), gone: 600 instructions, -120; itself 0, -5<");
    ck_frame(text, "shrank", "emulate (kvm): 150 instructions, -100; itself 150, -100<");
    ck_frame(text, "grew", "went (kernel), new: 100 instructions, +100; itself 100, +100<");
    free(text);
}
END_TEST

START_TEST(one_without_instructions_is_no_picture)
{
    struct vt_profile empty = {.operations = 1};
    char *text = draw(&empty, &empty);
    ck_assert_str_eq(text, "");
    free(text);
    text = draw(&empty, &after);
    ck_frame(text, "grew", "run (kvm), new: 715");
    free(text);
}
END_TEST

VT_SUITE(every_frame_tells_its_own_change, the_other_way_round_what_grew_shrank,
         one_without_instructions_is_no_picture)
