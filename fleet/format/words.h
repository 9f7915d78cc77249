/*
 * The names of what a fleet holds, alike in every format.
 */
#ifndef VT_FLEET_FORMAT_WORDS_H
#define VT_FLEET_FORMAT_WORDS_H

#include "fleet/fleet.h"

#include <stdbool.h>
#include <stddef.h>

/* Does cell `i` begin another road (engine, privilege level, path, unit) than the one before? */
bool vt_fleet_starts_road(const struct vt_fleet *fleet, size_t i);

/* "60 results, and no host stands out": the answer in one sentence, without its end. */
void vt_fleet_headline(const struct vt_fleet *fleet, char *text, size_t size);

/* Hosts that stand out as a whole. */
size_t vt_fleet_outliers(const struct vt_fleet *fleet);

/* "kvm CPL 3, emulated". */
void vt_fleet_name_road(const struct vt_fleet_cell *cell, char *text, size_t size);

/* "s" behind a word, or nothing. */
const char *vt_fleet_plural(size_t count);

/* "exit to the kernel", with ", unverified" where it is not proved. */
void vt_fleet_name_crossing(const struct vt_fleet_cell *cell, char *text, size_t size);

/* "cpuid, sgdt and 12 more on kvm CPL 3". */
void vt_fleet_name_split(const struct vt_fleet_split *split, char *text, size_t size);

/* How these hosts cross, or most do; with the path, "interpreted (emulated)", where the two differ in it as
 * well. */
void vt_fleet_name_way(const struct vt_fleet_deviation *deviation, bool usual, char *text, size_t size);

/* "72 cases on kvm CPL 0, emulated; cpuid, nop on kvm CPL 3, emulated (Xeon)". */
void vt_fleet_name_gap(const struct vt_fleet *fleet, const struct vt_fleet_gap *gap, char *text, size_t size);

/* Why a group should be taken apart, in a sentence. */
void vt_fleet_name_mix(const struct vt_fleet *fleet, const struct vt_fleet_mix *mix, char *text, size_t size);

/* How many cases cross in different ways on any road and in any group. */
size_t vt_fleet_split_cases(const struct vt_fleet *fleet);

/* "out-user on kvm CPL 3, emulated (Xeon)", or "all of port-io on ...". */
void vt_fleet_name_oddity(const struct vt_fleet *fleet, const struct vt_fleet_oddity *oddity, char *text,
                          size_t size);

#endif
