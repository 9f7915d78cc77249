/* What is quoted of a machine's last words. */
#include "lab/console.h"
#include "tests/unit/suite.h"

#include <string.h>

#define LINUX_PANIC "Kernel panic - "
#define XEN_PANIC   "Panic on CPU"

static const char oops[] = "[    1.0] kvm: starting\r\n"
                           "[    2.135893] invalid opcode: 0000 [#1] PREEMPT SMP NOPTI\r\n"
                           "[    2.135925] RIP: 0010:svm_init+0x5/0x48 [kvm_amd]\r\n"
                           "[    2.136057] CR2: ffffffffc0388fe7\r\n"
                           "[    2.136527] RIP: 0010:svm_init+0x5/0x48 [kvm_amd]\r\n"
                           "[    2.136769] Kernel panic - not syncing: Attempted to kill init!\r\n"
                           "[    2.136777] Kernel Offset: disabled";

static void quotes(const char *console, const char *panic, const char *expected)
{
    char text[280];
    vt_console_quote(console, panic, text, sizeof text);
    ck_assert_str_eq(text, expected);
}

START_TEST(a_panic_is_quoted_with_the_oops_before_it)
{
    quotes(oops, LINUX_PANIC,
           "invalid opcode: 0000 [#1] PREEMPT SMP NOPTI | RIP: 0010:svm_init+0x5/0x48 [kvm_amd] | "
           "Kernel panic - not syncing: Attempted to kill init!");
}
END_TEST

START_TEST(a_panic_alone_is_quoted_alone)
{
    quotes("x\n[    1.0] Kernel panic - not syncing: VFS\n[    1.1] RIP: 0010:later\n", LINUX_PANIC,
           "Kernel panic - not syncing: VFS");
}
END_TEST

START_TEST(the_reason_of_xens_panic_is_on_the_next_line)
{
    quotes("(XEN) ****\n(XEN) Panic on CPU 0:\n(XEN) Could not construct d0\n(XEN) ****\n", XEN_PANIC,
           "Panic on CPU 0: | Could not construct d0");
}
END_TEST

START_TEST(without_a_panic_the_last_lines_are_quoted)
{
    quotes("one\ntwo\r\n\r\nthree\n[ 12.5] four\n\n", LINUX_PANIC, "two | three | four");
    quotes("only", NULL, "only");
    quotes("\n\r\n", NULL, "");
    quotes("", NULL, "");
}
END_TEST

START_TEST(a_quote_is_cut_to_what_fits)
{
    char text[8];
    vt_console_quote("one\ntwo\nthree\n", NULL, text, sizeof text);
    ck_assert_str_eq(text, "one | t");
}
END_TEST

START_TEST(a_panic_has_happened_when_its_line_has_ended)
{
    ck_assert(vt_console_has_panicked(oops, LINUX_PANIC));
    ck_assert(!vt_console_has_panicked("Kernel panic - not syncing: V", LINUX_PANIC));
    ck_assert(vt_console_has_panicked("Kernel panic - not syncing: V\n", LINUX_PANIC));
    ck_assert(!vt_console_has_panicked("(XEN) Panic on CPU 0:\n", XEN_PANIC));
    ck_assert(!vt_console_has_panicked("(XEN) Panic on CPU 0:\r\n(XEN) Could", XEN_PANIC));
    ck_assert(vt_console_has_panicked("(XEN) Panic on CPU 0:\r\n(XEN) Could\r\n", XEN_PANIC));
}
END_TEST

VT_SUITE(a_panic_is_quoted_with_the_oops_before_it, a_panic_alone_is_quoted_alone,
         the_reason_of_xens_panic_is_on_the_next_line, without_a_panic_the_last_lines_are_quoted,
         a_quote_is_cut_to_what_fits, a_panic_has_happened_when_its_line_has_ended)
