/*
 * How a bill is shown: one file per format, and the words they share.
 */
#ifndef VT_PRICE_FORMAT_FORMAT_H
#define VT_PRICE_FORMAT_FORMAT_H

#include "price/bills.h"
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

void vt_price_print_all(enum vt_format format, const struct vt_price_bills *all,
                        const struct vt_screen *screen, FILE *stream);

/* "4.13 %", "21.3 %"; "-" where it is not known. */
void vt_price_name_share(double share, char *text, size_t size);

/* Crossings a second, all lines together; NaN: none is known. */
double vt_price_rate(const struct vt_price *price);

/* The line that takes most of its time; NULL: none is known to. */
const struct vt_price_line *vt_price_dearest(const struct vt_price *price);

void vt_price_write_all(const struct vt_price_bills *all, struct vt_pen *pen);
void vt_price_print_all_json(const struct vt_price_bills *all, FILE *stream);

/* The document of one, the caller's. */
json_t *vt_price_document(const struct vt_price *price);

/* Under a pen, from the answer to the method. */
void vt_price_write(const struct vt_price *price, struct vt_pen *pen);

void vt_price_print_json(const struct vt_price *price, FILE *stream);
void vt_price_print_metrics(const struct vt_price *bills, size_t count, FILE *stream);

/* A page around what a function writes. */
void vt_price_print_page(const char *title, void (*write)(const void *said, struct vt_pen *pen),
                         const void *said, FILE *stream);

#endif
