/* Words and sums that one bill and many share. */
#include "base/text.h"
#include "price/format/format.h"

#include <math.h>
#include <stdio.h>

void vt_price_name_share(double share, char *text, size_t size)
{
    if (isnan(share))
        snprintf(text, size, "-");
    else
        snprintf(text, size, share < 0.0995 ? "%.2f %%" : "%.1f %%", 100 * share);
}

void vt_price_headline(const struct vt_price *price, char *text, size_t size)
{
    char low[32], high[32], middle[32];
    vt_price_name_share(price->low, low, sizeof low);
    vt_price_name_share(price->high, high, sizeof high);
    vt_price_name_share(price->middle, middle, sizeof middle);
    snprintf(text, size, "%s: ", price->watch->machine);
    if (isnan(price->low) && isnan(price->high))
        vt_text_append(text, size, "its crossings were counted; %s",
                       price->watch->times.run == 0 ? "its vCPUs did not run"
                                                    : "what share of its time they take is not known");
    else if (isnan(price->low))
        vt_text_append(text, size, "at most %s of its vCPUs' run time is crossing", high);
    else if (isnan(price->high))
        vt_text_append(text, size, "at least %s of its vCPUs' run time is crossing", low);
    else if (price->low > price->high)
        vt_text_append(text, size,
                       "at most %s of its vCPUs' run time is crossing; these tolls, of which it would be %s, "
                       "do not fit",
                       high, low);
    else
        vt_text_append(text, size, "%s to %s of its vCPUs' run time is crossing, about %s", low, high,
                       middle);
}

double vt_price_rate(const struct vt_price *price)
{
    double sum = NAN;
    for (size_t i = 0; i < price->line_count; i++) {
        const struct vt_price_line *line = &price->lines[i];
        if (!isnan(line->count) && !line->rule->beside)
            sum = (isnan(sum) ? 0 : sum) + line->count / price->watch->seconds;
    }
    return sum;
}

const struct vt_price_line *vt_price_dearest(const struct vt_price *price)
{
    const struct vt_price_line *dearest = NULL;
    for (size_t i = 0; i < price->line_count; i++)
        if (price->lines[i].ns > (dearest ? dearest->ns : 0))
            dearest = &price->lines[i];
    return dearest;
}
