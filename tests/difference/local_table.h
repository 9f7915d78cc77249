/* The local descriptor table of this process, and the same in a world. */
#ifndef VT_TESTS_DIFFERENCE_LOCAL_TABLE_H
#define VT_TESTS_DIFFERENCE_LOCAL_TABLE_H

#include "tests/unit/vcpu/emulator.h"

#define LOCAL_ENTRIES 32

/* Random descriptors of every kind the kernel lets a process have; false: it lets it have none. */
bool local_table_fill(struct emulator *base, uint64_t *random);

#endif
