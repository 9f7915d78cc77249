/*
 * Unit tests: Check's assertions and its one-process-per-test isolation, with TAP
 * as output and tests that skip with a reason.
 *
 *     START_TEST(adds) { ck_assert_int_eq(1 + 1, 2); } END_TEST
 *     VT_SUITE(adds)
 */
#ifndef VT_TESTS_SUITE_H
#define VT_TESTS_SUITE_H

#include <check.h>

/*
 * AddressSanitizer's shadow lies over most of the address space: what is unmapped
 * elsewhere is readable there, and little fits above 2 GiB.
 */
#if defined(__SANITIZE_ADDRESS__)
#define VT_ADDRESS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define VT_ADDRESS_SANITIZER 1
#endif
#endif
#ifndef VT_ADDRESS_SANITIZER
#define VT_ADDRESS_SANITIZER 0
#endif

/* The program: runs the tests in the order given. */
#define VT_SUITE(...)                                                                                        \
    int main(void)                                                                                           \
    {                                                                                                        \
        return vt_suite_run((const TTest *const[]){__VA_ARGS__, NULL});                                      \
    }

/* Prints TAP; returns the program's exit status: 0 when no test failed. */
int vt_suite_run(const TTest *const *tests);

/* Ends the running test as skipped. Only inside a test: its process ends here. */
void vt_skip(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

#endif
