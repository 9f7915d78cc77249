#include "report/story/figure.h"
#include "report/story/language.h"
#include "tests/unit/suite.h"

#include <stdio.h>
#include <string.h>

enum { MOST = 32768 };

/* What two languages must share: directives with their names, and the figures each text speaks of. */
static void skeleton(const struct vt_language *language, char text[MOST])
{
    struct vt_directive directive;
    size_t used = 0;
    for (size_t at = 0; vt_language_next(language, &at, &directive);) {
        char word[64] = "";
        struct vt_directive rest = directive;
        if (vt_directive_is(&directive, ".label"))
            continue; /* their order is nobody's business */
        if (vt_directive_is(&directive, ".step") || vt_directive_is(&directive, ".picture") ||
            vt_directive_is(&directive, ".bar"))
            vt_directive_word(&rest, word, sizeof word);
        used += (size_t)snprintf(text + used, MOST - used, "%.*s %s\n", directive.name_length, directive.name,
                                 word);
        ck_assert_uint_lt(used, MOST);
    }
}

/* Each figure in braces, or behind .bar, is one there is. Returns how many there were. */
static size_t check_figures(const struct vt_language *language)
{
    struct vt_directive directive;
    size_t count = 0;
    for (size_t at = 0; vt_language_next(language, &at, &directive);) {
        char name[64];
        if (vt_directive_is(&directive, ".bar")) {
            vt_directive_word(&directive, name, sizeof name);
            ck_assert_msg(vt_figure_exists(name), "%s: no figure '%s'", language->code, name);
            count++;
        }
        for (int i = 0; i < directive.length; i++) {
            if (directive.text[i] != '{')
                continue;
            const char *close = memchr(directive.text + i, '}', (size_t)(directive.length - i));
            ck_assert_ptr_nonnull(close);
            snprintf(name, sizeof name, "%.*s", (int)(close - directive.text) - i - 1,
                     directive.text + i + 1);
            ck_assert_msg(vt_figure_exists(name), "%s: no figure '%s'", language->code, name);
            count++;
        }
    }
    return count;
}

START_TEST(languages_tell_the_same)
{
    static char first[MOST], other[MOST];
    skeleton(vt_language(0), first);
    for (size_t i = 1; vt_language(i); i++) {
        skeleton(vt_language(i), other);
        ck_assert_str_eq(first, other);
    }
}
END_TEST

START_TEST(languages_know_the_same_labels)
{
    struct vt_directive directive;
    for (size_t at = 0; vt_language_next(vt_language(0), &at, &directive);) {
        char name[64];
        int length;
        if (!vt_directive_is(&directive, ".label"))
            continue;
        vt_directive_word(&directive, name, sizeof name);
        for (size_t i = 0; vt_language(i); i++) {
            vt_language_label(vt_language(i), name, &length);
            ck_assert_msg(length > 0, "%s: no label '%s'", vt_language(i)->code, name);
        }
    }
}
END_TEST

START_TEST(figures_exist)
{
    for (size_t i = 0; vt_language(i); i++)
        ck_assert_uint_gt(check_figures(vt_language(i)), 20);
    ck_assert(!vt_figure_exists("no-such-figure"));
}
END_TEST

/* Of published.json, and not of results: found where there are none. */
START_TEST(cited_figures_are_published)
{
    const struct vt_table none = {0};
    struct vt_directive directive;
    size_t count = 0;
    for (size_t at = 0; vt_language_next(vt_language(0), &at, &directive);) {
        for (const char *found = directive.text;
             (found = memmem(found, (size_t)(directive.text + directive.length - found), "{cited_", 7));) {
            struct vt_figure figure;
            char name[64];
            found++;
            snprintf(name, sizeof name, "%.*s", (int)strcspn(found, "}"), found);
            ck_assert_msg(vt_figure_find(&none, name, &figure), "%s is not published", name);
            ck_assert(figure.cited);
            count++;
        }
    }
    ck_assert_uint_gt(count, 10);
}
END_TEST

START_TEST(emphasis_is_closed)
{
    for (size_t i = 0; vt_language(i); i++) {
        struct vt_directive directive;
        for (size_t at = 0; vt_language_next(vt_language(i), &at, &directive);) {
            int stars = 0;
            for (int k = 0; k < directive.length; k++)
                stars += directive.text[k] == '*';
            ck_assert_msg(stars % 2 == 0, "%s: %.*s", vt_language(i)->code, directive.length, directive.text);
        }
    }
}
END_TEST

START_TEST(languages_by_code)
{
    ck_assert_ptr_eq(vt_language_find("en"), vt_language(0));
    ck_assert_ptr_nonnull(vt_language_find("ko"));
    ck_assert_ptr_null(vt_language_find("xx"));
    ck_assert_ptr_null(vt_language(VT_LANGUAGES));
}
END_TEST

VT_SUITE(languages_tell_the_same, languages_know_the_same_labels, figures_exist, cited_figures_are_published,
         emphasis_is_closed, languages_by_code)
