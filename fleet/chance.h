/*
 * How likely chance alone is: the arithmetic behind what stands out in a fleet.
 * Private to this room.
 */
#ifndef VT_FLEET_CHANCE_H
#define VT_FLEET_CHANCE_H

#include <stddef.h>

/*
 * How many standard deviations off one of `count` values is with the chance `alarm`
 * for all of them, where the deviation was estimated from their median absolute
 * deviation.
 */
double vt_fleet_critical(size_t count, double alarm);

/* Chance of `least` or more out of `count` when each comes with chance `rate`. */
double vt_fleet_at_least(size_t least, size_t count, double rate);

/*
 * Chance of a deviation of `z` or more, from what is seen elsewhere: `beyond` of
 * `count` deviations are as large, the largest is `largest`.
 */
double vt_fleet_rate(double z, size_t beyond, size_t count, double largest);

#endif
