/* Hypercalls with a number nobody answers: the bare way in and out. */
#include "guest/cases/case.h"

CASE vmcall, "vmcall", turn="mov eax, 0x7ffffff0"
CASE vmmcall, "vmmcall", turn="mov eax, 0x7ffffff0"
