/* Controls: what the method reports when nothing, or next to nothing, is measured. */
#include "guest/cases/case.h"

CASE empty, ""
CASE nop, "nop"
CASE thousand, "mov ecx, 0x1f3; 8: dec ecx; jnle 8b; nop"
