/*
 * The page of a fleet: what its parts share. Private to fleet_html*.c.
 */
#ifndef VT_FLEET_FORMAT_HTML_H
#define VT_FLEET_FORMAT_HTML_H

#include "fleet/fleet.h"

#include <stdio.h>

/* `text` as text, between markup. */
void vt_fleet_html_text(const char *before, const char *text, const char *after, FILE *stream);

/* A table that scrolls sideways by itself; the caller closes table and div. */
void vt_fleet_html_open(const char *label, const char *attributes, FILE *stream);

/* The mark of a cell's crossing, which its name follows; nothing where none was observed. */
void vt_fleet_html_mark(const struct vt_fleet_cell *cell, FILE *stream);

/* The section of what stands out. */
void vt_fleet_html_told(const struct vt_fleet *fleet, FILE *stream);

#endif
