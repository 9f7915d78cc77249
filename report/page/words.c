#include "report/page/words.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

/* The words, and the entry of the glossary (show/page_method.html) that explains each. */
static const struct {
    const char *word, *entry;
} words[] = {
    {"hypervisor", "hypervisor"},
    {"hypercall", "hypercall"},
    {"CPL", "cpl"},
    {"pvm", "pvm"},
    {"svm", "svm"},
    {"vmx", "svm"},
    {"AMD-V", "svm"},
    {"VT-x", "svm"},
    {"tcg", "tcg"},
    {"xen-pv", "xen-pv"},
    {"xen-pvh", "xen-pv"},
    {"monitor-trap", "monitor"},
    {"monitor-trap-assist", "monitor"},
    {"monitor-translate", "monitor"},
    {"monitor-call", "monitor"},
    {"monitor-svm", "monitor"},
    {"monitor-svm-kvm", "monitor"},
    {"monitor-vmx", "monitor"},
    {"monitor-vmx-kvm", "monitor"},
    {"eventfd", "eventfd"},
    {"ioeventfd", "eventfd"},
    {"coalesced", "coalesced"},
    {"EOI", "eoi"},
    {"UMIP", "umip"},
};

enum { WORDS = sizeof words / sizeof words[0] };

/* Elements whose text is left alone: a link would be in a link or a control, or break a picture; a span of no
 * class is what only a voice reads. */
static const char *const closed[] = {"a",  "script", "style",  "svg",   "title",   "h1",      "h2",
                                     "h3", "nav",    "button", "thead", "caption", "summary", "span>"};

struct linker {
    FILE *stream;
    bool linked[WORDS];
    const char *within; /* the closed element that stands open, or NULL */
    bool done;          /* the glossary itself has begun */
};

static bool is_letter(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

static bool names(const char *tag, const char *element)
{
    size_t length = strlen(element);
    return strncmp(tag, element, length) == 0 && !is_letter(tag[length]);
}

/* A tag from '<' on; returns what follows it. */
static const char *copy_tag(struct linker *linker, const char *at)
{
    const char *end = strchr(at, '>');
    end = end ? end + 1 : at + strlen(at);
    for (size_t i = 0; !linker->within && i < sizeof closed / sizeof closed[0]; i++)
        if (names(at + 1, closed[i]))
            linker->within = closed[i];
    if (linker->within && at[1] == '/' && names(at + 2, linker->within))
        linker->within = NULL;
    linker->done |= strncmp(at, "<section id=\"glossary\"", 22) == 0;
    fwrite(at, 1, (size_t)(end - at), linker->stream);
    return end;
}

/* A plural is the word, too. */
static size_t find_word(const char *at, size_t length)
{
    for (size_t i = 0; i < WORDS; i++) {
        size_t own = strlen(words[i].word);
        bool plural = length == own + 1 && at[own] == 's';
        if ((length == own || plural) && strncasecmp(at, words[i].word, own) == 0)
            return i;
    }
    return WORDS;
}

/* Names are of words: out-eventfd, svm-bochs. A word of its own is longer than its parts. */
static size_t word_length(const char *at)
{
    size_t whole = 0, part = 0;
    while (is_letter(at[whole]) || at[whole] == '-')
        whole++;
    while (is_letter(at[part]))
        part++;
    return find_word(at, whole) < WORDS ? whole : part;
}

/* The word at `at`. Returns what follows it. */
static const char *copy_word(struct linker *linker, const char *at)
{
    size_t length = word_length(at), found = find_word(at, length);
    bool links = found < WORDS && !linker->linked[found] && !linker->within && !linker->done;
    if (links)
        fprintf(linker->stream, "<a class=\"word\" href=\"#word-%s\">", words[found].entry);
    fwrite(at, 1, length, linker->stream);
    if (links) {
        fputs("</a>", linker->stream);
        linker->linked[found] = true;
    }
    return at + length;
}

void vt_page_link_words(const char *page, FILE *stream)
{
    struct linker linker = {.stream = stream};
    for (const char *at = page; *at;) {
        if (*at == '<')
            at = copy_tag(&linker, at);
        else if (is_letter(*at))
            at = copy_word(&linker, at);
        else
            putc(*at++, stream);
    }
}
