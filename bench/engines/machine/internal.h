/* What the files of the machine share. Private to bench/engines/machine/. */
#ifndef VT_MACHINE_INTERNAL_H
#define VT_MACHINE_INTERNAL_H

#include <stddef.h>

struct vt_case;
struct vt_machine;

#define PAGE ((size_t)4096)

/* Offsets in vt_machine.tables. */
#define TABLE_GDT 0x0000
#define TABLE_IDT 0x1000
#define TABLE_TSS 0x2000
#define TABLE_LDT 0x3000
#define TABLES    0x4000
#define TSS_SIZE  0x68
#define LDT_SIZE  0x10

/* Pages in vt_machine.devices. */
#define DEVICE_XAPIC  3
#define DEVICE_ABSENT 4
#define DEVICES       5

/* vt_environment over this machine. */
void vt_machine_connect(struct vt_machine *machine);

/* Descriptor tables and handlers as `c` needs them, and the registers that lead to them. */
void vt_machine_lay_tables(struct vt_machine *machine, const struct vt_case *c);

#endif
