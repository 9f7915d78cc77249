/* Flags: the instructions that made trap and emulate incomplete on x86. */
#include "guest/cases/case.h"

CASE pushf, "pushfq", turn="mov rsp, rbp"
/* The flags are pushed anew each turn: an interrupt may have overwritten what lies below the stack pointer. */
CASE popf, "popfq", setup="pushfq; pop rbx", turn="mov rsp, rbp; push rbx"
CASE cli, "cli"
CASE sti, "sti"
