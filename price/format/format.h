/*
 * How a bill is shown: one file per format, and the words they share.
 */
#ifndef VT_PRICE_FORMAT_FORMAT_H
#define VT_PRICE_FORMAT_FORMAT_H

#include "price/price.h"
#include "show/format.h"
#include "show/pen/pen.h"
#include "show/screen.h"

#include <stdbool.h>
#include <stdio.h>

bool vt_price_has_format(enum vt_format format);

void vt_price_print(enum vt_format format, const struct vt_price *price, const struct vt_screen *screen,
                    FILE *stream);

/* "spends 4.1 % to 6.3 % of its vCPUs' run time on crossing": the answer, without its end. */
void vt_price_headline(const struct vt_price *price, char *text, size_t size);

/* Under a pen, from the answer to the method. */
void vt_price_write(const struct vt_price *price, struct vt_pen *pen);

void vt_price_print_json(const struct vt_price *price, FILE *stream);
void vt_price_print_metrics(const struct vt_price *price, FILE *stream);
void vt_price_print_html(const struct vt_price *price, FILE *stream);

#endif
