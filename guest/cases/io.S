/* Port and memory-mapped I/O, told apart by who answers. */
#include "guest/cases/case.h"

CASE in_kernel, "in al, dx", setup="mov rdx, [r11 + S_PORT_KERNEL]"
CASE out_kernel, "out dx, al", setup="mov rdx, [r11 + S_PORT_KERNEL]; mov al, 0xff"
CASE in_user, "in al, dx", setup="mov rdx, [r11 + S_PORT_USER]"
CASE out_user, "out dx, al", setup="mov rdx, [r11 + S_PORT_USER]"
CASE rep_outs_user, "rep outsb", setup="mov rdx, [r11 + S_PORT_USER]", turn="lea rsi, [r11 + S_BUFFER]; mov ecx, 64"
CASE out_eventfd, "out dx, al", setup="mov rdx, [r11 + S_PORT_EVENTFD]"
CASE mmio_read_user, "mov eax, [rdx]", setup="mov rdx, [r11 + S_MMIO_USER]"
CASE mmio_write_user, "mov [rdx], eax", setup="mov rdx, [r11 + S_MMIO_USER]"
CASE mmio_write_eventfd, "mov [rdx], eax", setup="mov rdx, [r11 + S_MMIO_EVENTFD]"
CASE mmio_write_coalesced, "mov [rdx], eax", setup="mov rdx, [r11 + S_MMIO_COALESCED]"
