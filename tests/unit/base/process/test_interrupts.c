/* Interrupts of one CPU: of the right column, and none where the file does not tell. */
#include "base/process/interrupts.h"
#include "tests/unit/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static uint64_t served(const char *text, int cpu)
{
    char path[] = "/tmp/vmtoll-test-XXXXXX";
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_ge(dprintf(fd, "%s", text), 0);
    close(fd);
    uint64_t count = vt_interrupts_served(path, cpu);
    unlink(path);
    return count;
}

START_TEST(a_column_is_summed)
{
    static const char text[] = "           CPU0       CPU3       \n"
                               "  4:          1          2   IO-APIC   4-edge      ttyS0\n"
                               "NMI:         10         20   Non-maskable interrupts\n"
                               "LOC:  100000000 3000000000   Local timer interrupts\n"
                               "ERR:          7\n";
    ck_assert_uint_eq(served(text, 0), 100000018);
    ck_assert_uint_eq(served(text, 3), 3000000022);
    ck_assert_uint_eq(served(text, 1), 0);
    ck_assert_uint_eq(served(text, -1), 0);
}
END_TEST

START_TEST(nonsense_counts_as_nothing)
{
    static const char *const texts[] = {"",
                                        "\n",
                                        "CPU0",
                                        "CPU0\n",
                                        "  CPU0\nLOC",
                                        "  CPU0\nLOC:",
                                        "CPUx CPU0\nLOC: 1\n",
                                        "  CPU0\n: words 5\n"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        ck_assert_uint_eq(served(texts[i], 0), 0);
    ck_assert_uint_eq(vt_interrupts_served("/nonexistent", 0), 0);
}
END_TEST

/* The timer of a CPU that works goes on. */
START_TEST(this_machine_tells)
{
    if (access(VT_INTERRUPTS_FILE, R_OK) != 0)
        return;
    uint64_t before = vt_interrupts_served(VT_INTERRUPTS_FILE, 0);
    ck_assert_uint_le(before, vt_interrupts_served(VT_INTERRUPTS_FILE, 0));
}
END_TEST

VT_SUITE(a_column_is_summed, nonsense_counts_as_nothing, this_machine_tells)
