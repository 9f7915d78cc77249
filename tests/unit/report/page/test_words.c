/* Words of the glossary are linked where a page says them first, and nowhere else. */
#include "base/stream.h"
#include "report/page/words.h"
#include "show/asset.h"
#include "tests/unit/suite.h"

#include <stdlib.h>
#include <string.h>

static char *link_words(const char *page)
{
    char *text;
    size_t size;
    FILE *stream = vt_stream_memory(&text, &size);
    vt_page_link_words(page, stream);
    ck_assert_int_eq(fclose(stream), 0);
    return text;
}

static void check(const char *page, const char *expected)
{
    char *text = link_words(page);
    ck_assert_str_eq(text, expected);
    free(text);
}

START_TEST(a_word_is_linked_once)
{
    check(
        "<p>A Hypervisor, hypervisors.</p><p>hypervisor</p>",
        "<p>A <a class=\"word\" href=\"#word-hypervisor\">Hypervisor</a>, hypervisors.</p><p>hypervisor</p>");
}
END_TEST

START_TEST(words_of_names_are_words)
{
    check("<td>out-eventfd on svm-bochs, xen-pvh, xen-pv</td>",
          "<td>out-<a class=\"word\" href=\"#word-eventfd\">eventfd</a> on <a class=\"word\" "
          "href=\"#word-svm\">svm</a>-bochs, <a class=\"word\" href=\"#word-xen-pv\">xen-pvh</a>, <a "
          "class=\"word\" href=\"#word-xen-pv\">xen-pv</a></td>");
}
END_TEST

START_TEST(parts_of_words_are_none)
{
    check("<p>pvms5 vtcg kvm_svm EOIs1 &lt;geoid</p>", "<p>pvms5 vtcg kvm_svm EOIs1 &lt;geoid</p>");
}
END_TEST

START_TEST(links_heads_and_pictures_are_left_alone)
{
    static const char page[] =
        "<title>svm</title><h1>svm</h1><a "
        "href=\"#svm\">svm</a><svg><text>svm</text></svg><thead><th>svm</th></thead>"
        "<summary>svm</summary><td title=\"svm\"><span> svm</span></td><script>svm</script>";
    check(page, page);
}
END_TEST

START_TEST(the_glossary_does_not_link_to_itself)
{
    static const char page[] = "<section id=\"glossary\"><dd>svm</dd></section>";
    check(page, page);
}
END_TEST

/* Every link leads to an entry. */
START_TEST(every_word_has_its_entry)
{
    char *text = link_words("<p>hypervisor hypercall CPL pvm svm vmx AMD-V VT-x tcg xen-pv xen-pvh eventfd "
                            "ioeventfd coalesced EOI UMIP</p>");
    size_t count = 0;
    for (const char *at = text; (at = strstr(at, "href=\"#")); count++) {
        char id[64];
        at += strlen("href=\"#");
        snprintf(id, sizeof id, "id=\"%.*s\"", (int)strcspn(at, "\""), at);
        ck_assert_msg(memmem(vt_asset_method, vt_asset_method_size, id, strlen(id)) != NULL, "%s", id);
    }
    ck_assert_uint_eq(count, 16);
    free(text);
}
END_TEST

VT_SUITE(a_word_is_linked_once, words_of_names_are_words, parts_of_words_are_none,
         links_heads_and_pictures_are_left_alone, the_glossary_does_not_link_to_itself,
         every_word_has_its_entry)
