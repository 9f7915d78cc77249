/*
 * How a fleet is shown: one file per format, and the words they share.
 */
#ifndef VT_FLEET_FORMAT_FORMAT_H
#define VT_FLEET_FORMAT_FORMAT_H

#include "fleet/fleet.h"
#include "show/format.h"
#include "show/pen/pen.h"

#include <stdbool.h>
#include <stdio.h>

bool vt_fleet_has_format(enum vt_format format);

void vt_fleet_print(enum vt_format format, const struct vt_fleet *fleet, FILE *stream);

/* In a format of marks alone: text, markdown. */
void vt_fleet_write(const struct vt_fleet *fleet, const struct vt_pen_marks *marks, FILE *stream);
void vt_fleet_print_csv(const struct vt_fleet *fleet, FILE *stream);
void vt_fleet_print_html(const struct vt_fleet *fleet, FILE *stream);
void vt_fleet_print_metrics(const struct vt_fleet *fleet, FILE *stream);
void vt_fleet_print_json(const struct vt_fleet *fleet, FILE *stream);

#endif
