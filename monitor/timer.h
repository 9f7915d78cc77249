/* The timer that ends a run of the guest: armed before, disarmed behind. */
#ifndef VT_MONITOR_TIMER_H
#define VT_MONITOR_TIMER_H

void vt_timer_arm(void);
void vt_timer_disarm(void);

/* The interrupt that ended a run is served. */
void vt_timer_end(void);

#endif
