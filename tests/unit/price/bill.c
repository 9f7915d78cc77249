#include "tests/unit/price/bill.h"
#include "result/load/load.h"
#include "tests/unit/suite.h"

#include <string.h>

#define ROW(name, unit, status, toll, exits, user, emulated)                                                 \
    "{\"case\":\"" name                                                                                      \
    "\",\"class\":\"x\",\"path\":\"hardware\",\"engine\":\"kvm\",\"cpl\":0,\"crossing\":"                    \
    "\"exit-kernel\",\"status\":\"" status "\",\"simulated\":false,\"unit\":\"" unit                         \
    "\",\"toll\":{\"median\":" toll ",\"ci95\":[" toll "," toll "]},\"evidence\":{\"exits\":" exits          \
    ",\"user_exits\":" user ",\"halt_exits\":0,\"pf_taken\":0,\"insn_emulation\":" emulated "}}"

static const char tolls_text[] =
    "{\"schema\":\"vmtoll.result/"
    "1\",\"host\":{\"system\":{\"kernel\":\"6.1\",\"microcode\":\"0x1\"},\"cpu\":{"
    "\"brand\":\"One\",\"family\":6},\"mitigations\":{\"mds\":\"Not affected\",\"l1tf\":\"Mitigation\"}},"
    "\"measurements\":[" ROW("out-user", "ns", "ok", "3000", "1.001", "1", "0") "," ROW(
        "in-user", "ns", "ok", "4000", "1", "1",
        "0") "," ROW("cpuid", "ns", "ok", "1000", "1", "0",
                     "0") "," ROW("rdmsr-kernel", "ns", "unverified", "10", "1", "0",
                                  "0") "," ROW("rdtsc", "ns", "ok", "7", "0", "0",
                                               "0") "," ROW("vmcall", "instructions", "ok", "9", "1", "0",
                                                            "0") "," ROW("out-eventfd", "ns", "ok", "1500",
                                                                         "1", "0",
                                                                         "0") "," ROW("mmio-read-user", "ns",
                                                                                      "ok", "5000", "1", "1",
                                                                                      "1") "," ROW("nop",
                                                                                                   "ns", "ok",
                                                                                                   "200", "0",
                                                                                                   "0",
                                                                                                   "1") "]}";

static int keep(struct vt_result *result, void *context)
{
    *(struct vt_result **)context = result;
    return 0;
}

struct vt_result *bill_tolls(void)
{
    struct vt_result *result = NULL;
    struct vt_error error;
    int status = vt_result_load_memory("tolls", tolls_text, sizeof tolls_text - 1,
                                       &(struct vt_load_options){0}, keep, &result, &error);
    ck_assert_msg(status == 0, "%s", error.text);
    return result;
}

struct vt_price_watch bill_watch(const struct vt_price_count *list, size_t count)
{
    struct vt_price_watch watch = {.source = &vt_price_source_qmp,
                                   .machine = "vm",
                                   .times = {8e9, 1e9, 6e9},
                                   .seconds = 10,
                                   .reading_ns = 1e6,
                                   .vcpus = 1};
    for (size_t i = 0; i < count; i++)
        ck_assert(vt_price_count_add(&watch.delta, list[i].name, list[i].value));
    return watch;
}

const struct vt_price_count bill_usual[BILL_USUAL] = {{"exits", 500000},
                                                      {"fpu_reload", 101000},
                                                      {"signal_exits", 1000},
                                                      {"mmio_exits", 20000},
                                                      {"halt_exits", 30000},
                                                      {"hypercalls", 0},
                                                      {"irq_exits", 50000},
                                                      {"irq_window_exits", 10000},
                                                      {"pf_taken", 60000},
                                                      {"insn_emulation", 20000},
                                                      {"request_irq_exits", 0},
                                                      {"halt_poll_fail_ns", 2e8},
                                                      {"halt_poll_success_ns", 6e8},
                                                      {"halt_wait_ns", 1e9},
                                                      {"tlb_flush", 77},
                                                      {"nested_run", 0}};

const struct vt_price_count bill_traced[BILL_TRACED] = {
    {"exits", 1000},        {"fpu_reload", 310},     {"exit_all", 1000},    {"exit_cpuid", 100},
    {"exit_io", 250},       {"exit_npf", 150},       {"exit_msr_read", 30}, {"exit_msr_write", 40},
    {"exit_hlt", 20},       {"exit_interrupt", 200}, {"exit_window", 10},   {"exit_cr", 0},
    {"user_all", 310},      {"user_io", 200},        {"user_mmio", 100},    {"user_signal", 5},
    {"insn_emulation", 100}};

void bill_make(struct vt_price *price, const struct vt_price_watch *watch, const struct vt_result *with)
{
    struct vt_error error;
    int status = vt_price_make(price, watch, with, with ? with->host : NULL, false, &error);
    ck_assert_msg(status == 0, "%s", error.text);
}

const struct vt_price_line *bill_line(const struct vt_price *price, const char *reason)
{
    for (size_t i = 0; i < price->line_count; i++)
        if (strcmp(price->lines[i].rule->reason, reason) == 0)
            return &price->lines[i];
    ck_abort_msg("no line for %s", reason);
    return NULL;
}
