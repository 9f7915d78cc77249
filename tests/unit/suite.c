#include "tests/unit/suite.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

enum { REASON = 256, TIMEOUT_SECONDS = 120 };

/* Check runs each test in a child process: the reason of a skip comes back through shared memory. */
static char *shared_reason;

void vt_skip(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(shared_reason, REASON, format, arguments);
    va_end(arguments);
    exit(EXIT_SUCCESS);
}

static void print_diagnosis(TestResult *result)
{
    printf("# %s:%d: ", tr_lfile(result), tr_lno(result));
    for (const char *c = tr_msg(result); *c; c++) {
        putchar(*c);
        if (*c == '\n')
            printf("# ");
    }
    putchar('\n');
}

static bool report(SRunner *runner, int number, const char *name)
{
    TestResult **results = srunner_results(runner);
    bool passed = tr_rtype(results[0]) == CK_PASS;
    printf("%s %d - %s", passed ? "ok" : "not ok", number, name);
    if (passed && *shared_reason)
        printf(" # SKIP %s", shared_reason);
    putchar('\n');
    if (!passed)
        print_diagnosis(results[0]);
    free(results);
    return passed;
}

static bool run(const TTest *test, int number)
{
    Suite *suite = suite_create(test->name);
    TCase *tcase = tcase_create(test->name);
    tcase_add_test(tcase, test);
    tcase_set_timeout(tcase, TIMEOUT_SECONDS);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_FORK);
    shared_reason[0] = '\0';
    fflush(stdout);
    srunner_run_all(runner, CK_SILENT);
    bool passed = report(runner, number, test->name);
    srunner_free(runner);
    return passed;
}

int vt_suite_run(const TTest *const *tests)
{
    shared_reason = mmap(NULL, REASON, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared_reason == MAP_FAILED) {
        puts("Bail out! no shared memory");
        return EXIT_FAILURE;
    }
    int count = 0, failed = 0;
    while (tests[count])
        count++;
    printf("1..%d\n", count);
    for (int i = 0; i < count; i++)
        failed += !run(tests[i], i + 1);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
