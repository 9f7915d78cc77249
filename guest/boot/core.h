/*
 * The core of an image that boots anywhere: it looks at the machine, runs the cases that are safe there one
 * by one, and says what it saw, line by line (import/line.h reads them). Private to the core.
 */
#ifndef VT_GUEST_BOOT_CORE_H
#define VT_GUEST_BOOT_CORE_H

#include "guest/abi.h"
#include "guest/boot/info.h"
#include "guest/catalogue.h"
#include "guest/image/road.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline struct vt_boot_info *vt_boot_info(void)
{
    return (struct vt_boot_info *)VT_BOOT_INFO;
}

static inline struct vt_mailbox *vt_boot_mailbox(void)
{
    return (struct vt_mailbox *)VT_GUEST_MAILBOX;
}

static inline struct vt_scratch *vt_boot_scratch(void)
{
    return (struct vt_scratch *)VT_GUEST_SCRATCH;
}

/* core.S */
void vt_image_load_tables(const void *gdtr, const void *idtr);
extern uint64_t vt_boot_cr3, vt_boot_caller_cr4;

/* machine.c: the state cases start from; brought about at each entry, the values kept from the first. */
void vt_boot_machine_make(void);
void vt_boot_machine_enter(void);
bool vt_boot_has_feature(const struct vt_cpuid_bit *bit);
bool vt_boot_is_under_hypervisor(void);
bool vt_boot_machine_is_interpreted(void);
/* `size` bytes, at most 2 MiB, anywhere in physical memory; until seven others were looked at. */
volatile void *vt_boot_look(uint64_t physical);
/* Guarded: false where the processor refuses. */
bool vt_boot_try_rdmsr(uint32_t msr, uint64_t *value);
bool vt_boot_try_wrmsr(uint32_t msr, uint64_t value);

/* quiet.c: no interrupt but a case's own, until the caller has the machine back. */
void vt_boot_quiet_begin(void);
void vt_boot_quiet_end(void);
bool vt_boot_quiet_has_apic(void); /* on, at its usual page */
bool vt_boot_quiet_is_x2apic(void);
void vt_boot_quiet_end_of_interrupt(void);

/* acpi.c: what its tables say; 0: nothing. */
void vt_boot_acpi_find(void);
uint16_t vt_boot_acpi_timer(void);     /* port */
bool vt_boot_acpi_timer_is_long(void); /* 32 bits, not 24 */
uint64_t vt_boot_acpi_hpet(void);      /* physical address */

/* clock.c: how fast the time-stamp counter counts, by every source; 0: no two agree. */
void vt_boot_clock_find(void);
uint64_t vt_boot_clock_khz(void);

/* say.c: a line begins anywhere and ends with vt_boot_say_end, which adds its check. */
void vt_boot_say_open(void);
void vt_boot_say(const char *text);
void vt_boot_say_number(uint64_t number);
void vt_boot_say_hex(uint32_t number);
void vt_boot_say_end(void);
const char *vt_boot_say_where(void); /* the lines go, for a person */
void vt_boot_show(const char *text); /* on the screen alone */

/* facts.c: what is said of the machine before the first case */
void vt_boot_facts_say(void);

/* line.c */
void vt_boot_line_read(const char *line);
bool vt_boot_line_wants(size_t index);
bool vt_boot_line_wants_road(const char *name);

/* safe.c: NULL, or why the case must not or cannot run here. */
const char *vt_boot_safe_why_not(const struct vt_case *c);
void vt_boot_safe_set_up(const struct vt_case *c);
void vt_boot_safe_put_back(const struct vt_case *c);

/* measure.c: says its row; `road` NULL: at ring 0, as it stands. */
void vt_boot_measure(const struct vt_case *c, const struct vt_image_road *road);
void vt_boot_measure_refuse(const struct vt_case *c, const struct vt_image_road *road, const char *reason);

/* roads.c: below the image's own monitor. */
bool vt_boot_roads_are_wanted(void);
size_t vt_boot_roads_open(void); /* says which there are, and why others are not; returns how many */
void vt_boot_roads_run(const struct vt_case *c);

#endif
