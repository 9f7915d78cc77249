/* Controls: what the method reports when nothing, or next to nothing, is measured. */
#include "guest/cases/case.h"

CASE empty, ""
CASE nop, "nop"
