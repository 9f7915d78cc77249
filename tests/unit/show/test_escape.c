/* Text from outside, made fit to be shown. */
#include "show/escape.h"
#include "tests/unit/suite.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

START_TEST(what_is_obeyed_or_unseen_and_what_is_no_utf8_goes)
{
    static const struct {
        const char *from, *to;
    } texts[] = {
        {"", ""},
        {"plain text 1~", "plain text 1~"},
        {"line\nend\ttab\x7f", "line?end?tab?"},
        {"\x1b[31mred", "?[31mred"},
        {"\xc2\x9b"
         "31m",
         "??31m"}, /* the same in one character of C1 */
        {"\xc2\xa0gr\xc3\xbc\xc3\x9f", "\xc2\xa0gr\xc3\xbc\xc3\x9f"},
        {"\xe2\x82\xac \xf0\x9f\x98\x80", "\xe2\x82\xac \xf0\x9f\x98\x80"},
        {"\xff\xfe", "??"},
        {"cut \xe2\x82", "cut ??"},
        {"cut \xf0\x9f\x98", "cut ???"},
        {"\x80 alone", "? alone"},
        {"\xc0\xaf \xe0\x80\xaf", "?? ???"}, /* longer than need be */
        {"\xed\xa0\x80", "???"},             /* half a pair of UTF-16 */
        {"\xf4\x90\x80\x80", "????"},        /* beyond U+10FFFF */
        {"\xc3(", "?("},
        {"\xc2\x80 \xc2\x85 \xc2\x9f", "?? ?? ??"}, /* the first, NEL and the last of C1 */
        {"\xe2\x80\xae"
         "txt.exe",
         "???txt.exe"},                                       /* U+202E turns what follows around */
        {"\xe2\x81\xa6 \xe2\x81\xa9 \xd8\x9c", "??? ??? ??"}, /* isolates, Arabic letter mark */
        {"cpu\xe2\x80\x8bid", "cpu???id"},                    /* U+200B takes no room */
        {"\xe2\x80\x8d \xef\xbb\xbf \xc2\xad", "??? ??? ??"}, /* joiner, byte-order mark, soft hyphen */
        {"\xe2\x80\xa8 \xe2\x80\xa9", "??? ???"},             /* line and paragraph separator */
        {"\xf3\xa0\x81\x81", "????"},                         /* a letter among the tags, never shown */
        {"\xe2\x80\x94 \xe2\x80\xa6 \xe2\x81\x84",
         "\xe2\x80\x94 \xe2\x80\xa6 \xe2\x81\x84"}, /* dashes stay */
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char text[64];
        snprintf(text, sizeof text, "%s", texts[i].from);
        vt_text_clean(text, strlen(text));
        ck_assert_str_eq(text, texts[i].to);
    }
}
END_TEST

static const char *csv_of(const char *text, char *field, size_t size)
{
    FILE *stream = fmemopen(field, size, "w");
    ck_assert_ptr_nonnull(stream);
    vt_escape_csv(text, stream);
    fputc('\0', stream);
    fclose(stream);
    return field;
}

START_TEST(a_field_is_text_and_no_formula)
{
    static const struct {
        const char *from, *to;
    } fields[] = {
        {NULL, ""},
        {"plain", "plain"},
        {"a,b", "\"a,b\""},
        {"\"q\"", "\"\"\"q\"\"\""},
        {"=cmd()", "\"'=cmd()\""},
        {"-1+2", "\"'-1+2\""},
        {"@x", "\"'@x\""},
        {"a=b", "a=b"},
    };
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        char field[64];
        ck_assert_str_eq(csv_of(fields[i].from, field, sizeof field), fields[i].to);
    }
}
END_TEST

VT_SUITE(what_is_obeyed_or_unseen_and_what_is_no_utf8_goes, a_field_is_text_and_no_formula)
