/* Names of functions that a machine hands over in pages: all of them, or none. */
#include "lab/profile/collect.h"
#include "lab/profile/qemu.h"
#include "tests/unit/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What is executed does nothing on a processor that nobody watches. */
START_TEST(as_much_is_handed_over_as_is_sent)
{
    unsigned char *packed = NULL;
    size_t size = 0;

    ck_assert_int_eq(vt_symbols_collect(&packed, &size), 0);
    char *text = vt_symbols_unpack((const char *)packed, size);
    ck_assert_ptr_nonnull(text);
    ck_assert_uint_gt(strlen(text), 1000);
    ck_assert_uint_eq(vt_symbols_hand_over(), strlen(text));
    free(text);
    free(packed);
}
END_TEST

START_TEST(a_part_of_them_is_none)
{
    static const char written[] = "ffffffff81000000 T _text\n";
    char folder[] = "/tmp/test_lab_names.XXXXXX", path[64], *text;
    struct vt_error error;

    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_int_eq(vt_plugin_read_names(folder, sizeof written - 1, &text, &error), 0);
    ck_assert_ptr_null(text); /* there is no such file */
    snprintf(path, sizeof path, "%s/names", folder);
    FILE *file = fopen(path, "we");
    ck_assert_ptr_nonnull(file);
    fputs(written, file);
    ck_assert_int_eq(fclose(file), 0);
    ck_assert_int_eq(vt_plugin_read_names(folder, sizeof written, &text, &error), 0);
    ck_assert_ptr_null(text);
    ck_assert_int_eq(vt_plugin_read_names(folder, sizeof written - 1, &text, &error), 0);
    ck_assert_str_eq(text, written);
    free(text);
    vt_plugin_forget(folder);
    ck_assert_int_ne(access(path, F_OK), 0);
    ck_assert_int_eq(rmdir(folder), 0);
}
END_TEST

VT_SUITE(as_much_is_handed_over_as_is_sent, a_part_of_them_is_none)
