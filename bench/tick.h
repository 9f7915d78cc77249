/*
 * The kernel's periodic timer interrupt. What is counted in instructions is best begun where none
 * comes before its end: when it would come depends on everything that this machine did since it was started.
 */
#ifndef VT_BENCH_TICK_H
#define VT_BENCH_TICK_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Nanoseconds: the last tick was `since` ago, one comes every `period`. Does the next one fall into what
 * takes `needed`, and would that fit between two of them?
 */
bool vt_tick_is_in_the_way(uint64_t since, uint64_t period, uint64_t needed);

/*
 * Sleep until the next tick is over if it would fall into the next `needed` nanoseconds: an emulator goes on
 * at once where its processor is idle, and has millions of instructions to execute where it waits busily.
 * Returns at once where what is begun is longer than the time between two ticks, or the kernel does not tell.
 * A processor that slept through its tick (CONFIG_NO_HZ_IDLE) has the next one a period later all the same.
 */
void vt_tick_let_pass(uint64_t needed);

#endif
