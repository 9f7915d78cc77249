/* What instructions do to the flow of control, by their bytes. */
#include "lab/profile/flow.h"
#include "tests/unit/suite.h"

#include <string.h>

struct row {
    const char *bytes;
    size_t size;
    enum vt_flow flow;
};
#define ROW(bytes, flow)                                                                                     \
    {                                                                                                        \
        bytes, sizeof bytes - 1, flow                                                                        \
    }

static void ck_rows(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        ck_assert_msg(vt_flow_of((const uint8_t *)rows[i].bytes, rows[i].size) == rows[i].flow, "row %zu", i);
}

START_TEST(what_leads_away_is_known)
{
    static const struct row rows[] = {
        ROW("\x74\x05", VT_FLOW_JUMP),      ROW("\x0f\x84\1\2\3\4", VT_FLOW_JUMP),
        ROW("\xeb\xfe", VT_FLOW_JUMP),      ROW("\xff\xe0", VT_FLOW_JUMP),
        ROW("\x41\xff\xd0", VT_FLOW_CALL),  ROW("\xe8\1\2\3\4", VT_FLOW_CALL),
        ROW("\xc3", VT_FLOW_RETURN),        ROW("\xf3\xc3", VT_FLOW_RETURN),
        ROW("\x48\xcf", VT_FLOW_LEAVE),     ROW("\x0f\x05", VT_FLOW_ENTER),
        ROW("\x0f\x01\xd8", VT_FLOW_VMRUN), ROW("\x0f\x0b", VT_FLOW_UNDEFINED),
        ROW("\x0f\x31", VT_FLOW_RDTSC),     ROW("\xee", VT_FLOW_IO),
    };
    ck_rows(rows, sizeof rows / sizeof rows[0]);
}
END_TEST

/* Nothing stops these: neither a fault nor an intercept. */
START_TEST(what_computes_on_registers_is_sure)
{
    static const struct row rows[] = {
        ROW("\x90", VT_FLOW_SURE),
        ROW("\x48\x89\xd8", VT_FLOW_SURE),
        ROW("\x48\x8d\x04\x25\1\2\3\4", VT_FLOW_SURE),
        ROW("\x83\xc0\x01", VT_FLOW_SURE),
        ROW("\xf7\xd8", VT_FLOW_SURE),
        ROW("\xf6\xc1\x01", VT_FLOW_SURE),
        ROW("\x48\xff\xc0", VT_FLOW_SURE),
        ROW("\xff\xc9", VT_FLOW_SURE),
        ROW("\x6b\xc0\x03", VT_FLOW_SURE),
        ROW("\x0f\xba\xe0\x05", VT_FLOW_SURE),
        ROW("\x0f\xa3\xc8", VT_FLOW_SURE),
        ROW("\x48\x0f\xc8", VT_FLOW_SURE),
        ROW("\x0f\xb6\xc0", VT_FLOW_SURE),
        ROW("\xf3\x0f\x1e\xfa", VT_FLOW_SURE),
        ROW("\x0f\x1f\x44\x00\x00", VT_FLOW_SURE),
        ROW("\x66\x2e\x0f\x1f\x84\0\0\0\0\0", VT_FLOW_SURE),
        ROW("\xc7\xc0\1\2\3\4", VT_FLOW_SURE),
    };
    ck_rows(rows, sizeof rows / sizeof rows[0]);
}
END_TEST

/* Memory, division, transactions, and what a prefix makes of an instruction. */
START_TEST(what_may_be_stopped_is_not_sure)
{
    static const struct row rows[] = {
        ROW("\x50", VT_FLOW_NEXT),
        ROW("\x48\x89\x18", VT_FLOW_NEXT),
        ROW("\xf7\xf0", VT_FLOW_NEXT),
        ROW("\x48\xf7\xf9", VT_FLOW_NEXT),
        ROW("\xf7\x18", VT_FLOW_NEXT),
        ROW("\xff\x00", VT_FLOW_NEXT),
        ROW("\xff\xf0", VT_FLOW_NEXT),
        ROW("\x0f\xba\x20\x05", VT_FLOW_NEXT),
        ROW("\x0f\xba\xc0\x05", VT_FLOW_NEXT),
        ROW("\xf3\x90", VT_FLOW_NEXT),
        ROW("\xf0\x83\xc0\x01", VT_FLOW_NEXT),
        ROW("\xc7\xf8\1\2\3\4", VT_FLOW_NEXT),
        ROW("\xf4", VT_FLOW_NEXT),
        ROW("\xfb", VT_FLOW_NEXT),
        ROW("\x9d", VT_FLOW_NEXT),
        ROW("\x0f\xa2", VT_FLOW_NEXT),
        ROW("\x0f\x22\xd8", VT_FLOW_NEXT),
        ROW("\x0f\xc7\xf0", VT_FLOW_NEXT),
    };
    ck_rows(rows, sizeof rows / sizeof rows[0]);
}
END_TEST

VT_SUITE(what_leads_away_is_known, what_computes_on_registers_is_sure, what_may_be_stopped_is_not_sure)
