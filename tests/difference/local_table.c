#include "tests/difference/local_table.h"

#include <asm/ldt.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Does the processor have it? A kernel that is itself a guest may write descriptors that its hypervisor never
 * loads. */
static bool is_loaded(const uint8_t *table)
{
    for (unsigned i = 0; i < LOCAL_ENTRIES; i++) {
        enum { CODE_OR_DATA = 0x10, DPL = 0x60 };
        uint8_t rights = table[8 * i + 5], found;

        __asm__("lar %1, %%eax; setz %0" : "=q"(found) : "r"(i << 3 | 7) : "eax", "cc");
        if ((rights & (CODE_OR_DATA | DPL)) == (CODE_OR_DATA | DPL))
            return found;
    }
    return true; /* none that would tell */
}

bool local_table_fill(struct emulator *base, uint64_t *random)
{
    for (unsigned i = 0; i < LOCAL_ENTRIES; i++) {
        struct user_desc entry = {.entry_number = i};

        *random = *random * 6364136223846793005 + 1442695040888963407;
        entry.base_addr = *random >> 32;
        entry.limit = *random >> 40 & 0xfffff;
        entry.seg_32bit = *random >> 20;
        entry.contents = *random >> 33;
        entry.read_exec_only = *random >> 35;
        entry.limit_in_pages = *random >> 36;
        entry.seg_not_present = entry.contents == 3 ? 1 : *random >> 37;
        entry.useable = *random >> 38;
        if (syscall(SYS_modify_ldt, 0x11, &entry, sizeof entry) != 0)
            return false;
    }
    return syscall(SYS_modify_ldt, 0, emulator_at(base, WORLD_LDT), LOCAL_ENTRIES * 8) == LOCAL_ENTRIES * 8 &&
           is_loaded(emulator_at(base, WORLD_LDT));
}
