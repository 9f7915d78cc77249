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

/* When one was over, CLOCK_MONOTONIC; 0: none was looked for. They come every period from then on, also to a
 * processor that slept through some (CONFIG_NO_HZ_IDLE). */
struct vt_tick {
    uint64_t seen;
};

/*
 * Sleep until the next tick is over if it would fall into the next `needed` nanoseconds: an emulator goes on
 * at once where its processor is idle, and has millions of instructions to execute where it waits busily,
 * which is done once. Returns at once where what is begun is longer than the time between two ticks, or the
 * kernel does not tell.
 */
void vt_tick_let_pass(struct vt_tick *tick, uint64_t needed);

#endif
