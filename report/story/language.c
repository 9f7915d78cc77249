#include "report/story/language.h"
#include "show/asset.h"

#include <string.h>

static const struct vt_language languages[VT_LANGUAGES] = {
    {"en", vt_asset_story_en, &vt_asset_story_en_size},
    {"ko", vt_asset_story_ko, &vt_asset_story_ko_size},
};

const struct vt_language *vt_language(size_t i)
{
    return i < VT_LANGUAGES ? &languages[i] : NULL;
}

void vt_language_choices(const char *codes[VT_LANGUAGES + 1])
{
    for (size_t i = 0; i < VT_LANGUAGES; i++)
        codes[i] = languages[i].code;
    codes[VT_LANGUAGES] = NULL;
}

const struct vt_language *vt_language_find(const char *code)
{
    const struct vt_language *language;
    for (size_t i = 0; (language = vt_language(i)); i++)
        if (strcmp(language->code, code) == 0)
            return language;
    return NULL;
}

bool vt_language_next(const struct vt_language *language, size_t *at, struct vt_directive *directive)
{
    const char *end = language->text + *language->size, *line = language->text + *at;
    while (line < end && *line == '\n')
        line++;
    if (line == end)
        return false;
    const char *stop = memchr(line, '\n', (size_t)(end - line));
    stop = stop ? stop : end;
    const char *space = memchr(line, ' ', (size_t)(stop - line));
    *at = (size_t)(stop - language->text);
    *directive = (struct vt_directive){.name = line, .name_length = (int)((space ? space : stop) - line)};
    directive->text = space ? space + 1 : stop;
    directive->length = (int)(stop - directive->text);
    return true;
}

bool vt_directive_is(const struct vt_directive *directive, const char *name)
{
    size_t length = (size_t)directive->name_length;
    return length == strlen(name) && memcmp(directive->name, name, length) == 0;
}

void vt_directive_word(struct vt_directive *directive, char *word, size_t size)
{
    const char *space = memchr(directive->text, ' ', (size_t)directive->length);
    size_t length = space ? (size_t)(space - directive->text) : (size_t)directive->length;
    *word = '\0';
    if (length < size) {
        memcpy(word, directive->text, length);
        word[length] = '\0';
    }
    length += space != NULL;
    directive->text += length;
    directive->length -= (int)length;
}

const char *vt_language_label(const struct vt_language *language, const char *name, int *length)
{
    struct vt_directive directive;
    char word[64];
    for (size_t at = 0; vt_language_next(language, &at, &directive);) {
        if (!vt_directive_is(&directive, ".label"))
            continue;
        vt_directive_word(&directive, word, sizeof word);
        *length = directive.length;
        if (strcmp(word, name) == 0)
            return directive.text;
    }
    *length = 0;
    return "";
}
