/*
 * A number that is not known is NaN, from the sampler to the last report: included where such numbers are
 * kept.
 */
#ifndef VT_BASE_UNKNOWN_H
#define VT_BASE_UNKNOWN_H

#if defined __FAST_MATH__ || (defined __FINITE_MATH_ONLY__ && __FINITE_MATH_ONLY__)
#error "what is not known is NaN: leave out -ffast-math, -ffinite-math-only and -Ofast"
#endif

#endif
