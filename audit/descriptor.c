#include "audit/descriptor.h"

#include <stdbool.h>

/* Intel SDM 3A 3.4.5 */
#define RIGHTS_CODE    (UINT32_C(0x18) << 8) /* S and the code bit of the type */
#define RIGHTS_PRESENT (UINT32_C(0x80) << 8)
#define RIGHTS_DPL3    (UINT32_C(0x60) << 8)
#define RIGHTS_LONG    (UINT32_C(1) << 21)
#define RIGHTS_DEFAULT (UINT32_C(1) << 22)
#define GDT_ENTRIES    32

/* Access rights as LAR gives them: bits 8-15 and 20-23 of the descriptor's second half (Intel SDM 2A LAR). */
static bool read_rights(uint16_t selector, uint32_t *rights)
{
    bool valid;
    uint32_t value = 0;
    __asm__("lar %2, %0" : "+r"(value), "=@ccz"(valid) : "r"((uint32_t)selector));
    *rights = value & 0x00f0ff00;
    return valid;
}

uint16_t vt_audit_code_selector(void)
{
    uint16_t selector;
    __asm__("mov %%cs, %0" : "=r"(selector));
    return selector;
}

uint16_t vt_audit_stack_selector(void)
{
    uint16_t selector;
    __asm__("mov %%ss, %0" : "=r"(selector));
    return selector;
}

uint16_t vt_audit_find_code32(void)
{
    const uint32_t wanted = RIGHTS_CODE | RIGHTS_PRESENT | RIGHTS_DPL3 | RIGHTS_DEFAULT;
    uint32_t rights;
    for (unsigned i = 1; i < GDT_ENTRIES; i++)
        if (read_rights((uint16_t)(i << 3 | 3), &rights) && (rights & wanted) == wanted &&
            !(rights & RIGHTS_LONG))
            return (uint16_t)(i << 3 | 3);
    return 0;
}
