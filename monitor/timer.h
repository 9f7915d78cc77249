/* The timer that ends a run of the guest: armed before, disarmed behind. */
#ifndef VT_MONITOR_TIMER_H
#define VT_MONITOR_TIMER_H

#include <stdbool.h>
#include <stdint.h>

/* Ticks of the APIC's clock that a run may take. */
extern uint32_t vt_timer_limit;

void vt_timer_arm(void);
void vt_timer_disarm(void);

/* Once more, while it is armed. */
void vt_timer_again(void);

/* Has it come, served or not? */
bool vt_timer_is_over(void);

/* The interrupt that ended a run is served. */
void vt_timer_end(void);

#endif
