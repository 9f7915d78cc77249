#include "base/suggest.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { LONGEST = 64 };

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static bool differ(char a, char b)
{
    return tolower((unsigned char)a) != tolower((unsigned char)b);
}

size_t vt_suggest_distance(const char *a, const char *b)
{
    size_t rows = strnlen(a, LONGEST), columns = strnlen(b, LONGEST);
    unsigned char table[3][LONGEST + 1];
    for (size_t j = 0; j <= columns; j++)
        table[0][j] = (unsigned char)j;
    for (size_t i = 1; i <= rows; i++) {
        unsigned char *row = table[i % 3], *above = table[(i - 1) % 3], *second = table[(i + 1) % 3];
        row[0] = (unsigned char)i;
        for (size_t j = 1; j <= columns; j++) {
            size_t best = least(above[j], row[j - 1]) + 1u;
            best = least(best, above[j - 1] + differ(a[i - 1], b[j - 1]));
            if (i > 1 && j > 1 && !differ(a[i - 1], b[j - 2]) && !differ(a[i - 2], b[j - 1]))
                best = least(best, second[j - 2] + 1u);
            row[j] = (unsigned char)best;
        }
    }
    return table[rows % 3][columns];
}

void vt_suggest_offer(struct vt_suggestion *suggestion, const char *candidate)
{
    size_t distance = vt_suggest_distance(suggestion->wanted, candidate);
    size_t tolerated = 1 + least(strlen(suggestion->wanted), strlen(candidate)) / 3;
    if (distance > tolerated || (suggestion->nearest && distance >= suggestion->distance))
        return;
    suggestion->nearest = candidate;
    suggestion->distance = distance;
}

const char *vt_suggest_text(struct vt_suggestion *suggestion)
{
    if (suggestion->nearest)
        snprintf(suggestion->text, sizeof suggestion->text, "; did you mean '%s'?", suggestion->nearest);
    else
        suggestion->text[0] = '\0';
    return suggestion->text;
}
