/* The arithmetic: what counters come to with tolls, and what is refused. */
#include "price/format/format.h"
#include "tests/unit/price/bill.h"
#include "tests/unit/suite.h"

#include <math.h>
#include <string.h>

START_TEST(every_exit_is_counted_once)
{
    struct vt_price_watch watch = bill_watch(bill_usual, BILL_USUAL);
    struct vt_price price;
    double sum = 0;
    bill_make(&price, &watch, NULL);
    for (size_t i = 0; i < price.line_count; i++)
        sum += price.lines[i].count;
    /* what returned for a signal alone is no exit of the guest's */
    ck_assert_double_eq(sum, 500000);
    ck_assert_double_eq(bill_line(&price, "other-user")->count, 80000);
    ck_assert_double_eq(bill_line(&price, "other-kernel")->count,
                        500000 + 1000 - 101000 - 30000 - 60000 - 60000);
    ck_assert(isnan(price.low));
}
END_TEST

START_TEST(the_lower_bound_is_counts_times_the_least_proved_toll)
{
    struct vt_result *result = bill_tolls();
    struct vt_price_watch watch = bill_watch(bill_usual, BILL_USUAL);
    struct vt_price price;
    bill_make(&price, &watch, result);
    ck_assert_str_eq(bill_line(&price, "other-user")->toll.name, "out-user");
    ck_assert_double_eq(bill_line(&price, "other-user")->ns, 80000 * 3000.0);
    ck_assert_double_eq(bill_line(&price, "mmio-user")->ns, 20000 * 5000.0);
    ck_assert_str_eq(bill_line(&price, "hlt")->toll.name,
                     "cpuid"); /* not what is unverified or in instructions */
    ck_assert_double_eq(bill_line(&price, "other-kernel")->ns, 250000 * 1000.0);
    ck_assert(isnan(bill_line(&price, "interrupt")->ns));
    ck_assert_double_eq(bill_line(&price, "hypercall")->ns, 0);
    double sum = 80000 * 3000.0 + 20000 * 5000.0 + (30000 + 60000 + 10000 + 250000) * 1000.0;
    ck_assert_double_eq_tol(price.low, sum / 8e9, 1e-9);
    vt_result_free(result);
}
END_TEST

/* Half of what a machine does costs less than its median: that bounds nothing from below. */
START_TEST(the_lower_bound_is_what_hardly_a_crossing_was_below)
{
    struct vt_result *result = bill_tolls();
    struct vt_price_watch watch = bill_watch(bill_usual, BILL_USUAL);
    struct vt_price price;
    for (size_t i = 0; i < result->count; i++)
        result->rows[i].toll.p05 = 0.9 * result->rows[i].toll.median;
    bill_make(&price, &watch, result);
    ck_assert_double_eq_tol(bill_line(&price, "other-user")->ns, 80000 * 2700.0, 1);
    ck_assert_double_eq_tol(bill_line(&price, "other-user")->toll.ns, 2700, 1e-6);
    vt_result_free(result);
}
END_TEST

START_TEST(the_upper_bound_leaves_out_guest_and_polling)
{
    struct vt_price_watch watch = bill_watch(bill_usual, BILL_USUAL);
    struct vt_price price;
    bill_make(&price, &watch, NULL);
    ck_assert_double_eq(price.polling_ns, 8e8);
    ck_assert_double_eq(price.polling, 0.1);
    double outside = (8e9 - 6e9 - 8e8) / 8e9;
    ck_assert_double_ge(price.high, outside);
    ck_assert_double_le(price.high, outside + 0.035); /* the error of 800 ticks */
    watch.times.guest = 0;
    bill_make(&price, &watch, NULL);
    ck_assert_double_ge(price.high, 0.9);
    ck_assert_double_le(price.high, 0.905); /* four ticks of 800 */
    ck_assert_msg(strstr(price.notes[0], "accounts no time") != NULL, "%s", price.notes[0]);
    watch.times = (struct vt_price_times){NAN, NAN, NAN};
    bill_make(&price, &watch, NULL);
    ck_assert(isnan(price.high) && isnan(price.polling));
}
END_TEST

START_TEST(the_upper_bound_holds_what_the_kernel_takes_for_guest_time)
{
    struct vt_result *result = bill_tolls();
    struct vt_price_watch watch = bill_watch(bill_usual, BILL_USUAL);
    struct vt_price price, bare;
    bill_make(&bare, &watch, NULL);
    ck_assert_msg(strstr(bare.notes[0], "without tolls") != NULL, "%s", bare.notes[0]);
    bill_make(&price, &watch, result);
    /* Each line by its price, interrupts by the least exit there is. */
    ck_assert_double_eq_tol(price.high, bare.high + price.low + 50000 * 1000.0 / 8e9, 1e-9);
    vt_result_free(result);
}
END_TEST

START_TEST(what_contradicts_itself_is_told)
{
    struct vt_result *result = bill_tolls();
    struct vt_price_watch watch = bill_watch(bill_usual, BILL_USUAL);
    struct vt_price price;
    watch.times.run = 0.5e9;
    watch.times.guest = 0.4e9;
    bill_make(&price, &watch, result);
    ck_assert_double_gt(price.low, price.high);
    char headline[320];
    vt_price_headline(&price, headline, sizeof headline);
    ck_assert_ptr_nonnull(strstr(headline, "do not fit"));
    ck_assert_ptr_null(strstr(headline, " % to "));
    ck_assert_msg(strstr(price.notes[0], "Measure them again") != NULL, "%s", price.notes[0]);
    vt_result_free(result);
}
END_TEST

START_TEST(where_KVM_interprets_exits_between_have_no_price)
{
    static const struct vt_price_count list[] = {{"exits", 1000},     {"fpu_reload", 100},
                                                 {"signal_exits", 0}, {"insn_emulation", 1000000},
                                                 {"halt_exits", 50},  {"request_irq_exits", 0}};
    struct vt_result *result = bill_tolls();
    struct vt_price_watch watch = bill_watch(list, 6);
    struct vt_price price;
    bill_make(&price, &watch, result);
    ck_assert_double_eq(bill_line(&price, "interpreted")->ns, 999000 * 200.0);
    ck_assert(isnan(bill_line(&price, "other-kernel")->ns));
    ck_assert_str_eq(bill_line(&price, "hlt")->toll.name, "nop"); /* an instruction like others, of ring 0 */
    ck_assert(isnan(bill_line(&price, "hypercall")->count));      /* this source does not tell */
    ck_assert_uint_eq(price.note_count, 1);                       /* which is no fault of the tolls */
    ck_assert_msg(strstr(price.notes[0], "interprets") != NULL, "%s", price.notes[0]);
    vt_result_free(result);
}
END_TEST

/* Of each: a fact of the host that is another one, and a word of the refusal. */
START_TEST(tolls_of_another_machine_are_refused)
{
    static const char *const hosts[][2] = {
        {"{\"system\":{\"kernel\":\"6.2\",\"microcode\":\"0x1\"},\"cpu\":{\"brand\":\"One\",\"family\":6},"
         "\"mitigations\":{\"mds\":\"Not affected\",\"l1tf\":\"Mitigation\"}}",
         "kernel: 6.1; here: 6.2"},
        {"{\"system\":{\"kernel\":\"6.1\",\"microcode\":null},\"cpu\":{\"brand\":\"One\",\"family\":6},"
         "\"mitigations\":{\"mds\":\"Not affected\",\"l1tf\":\"Mitigation\"}}",
         "microcode: 0x1; here: unknown"},
        {"{\"system\":{\"kernel\":\"6.1\",\"microcode\":\"0x1\"},\"cpu\":{\"brand\":\"One\",\"family\":25},"
         "\"mitigations\":{\"mds\":\"Not affected\",\"l1tf\":\"Mitigation\"}}",
         "family: 6; here: 25"},
        {"{\"system\":{\"kernel\":\"6.1\",\"microcode\":\"0x1\"},\"cpu\":{\"brand\":\"One\",\"family\":6},"
         "\"mitigations\":{\"mds\":\"Not affected\",\"l1tf\":\"Vulnerable\"}}",
         "mitigations are others (l1tf)"},
        {"{}", "kernel: 6.1; here: unknown"},
    };
    struct vt_result *result = bill_tolls();
    struct vt_price_watch watch = bill_watch(bill_usual, BILL_USUAL);
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        struct vt_price price;
        struct vt_error error;
        json_t *host = json_loads(hosts[i][0], 0, NULL);
        ck_assert_int_lt(vt_price_make(&price, &watch, result, host, false, &error), 0);
        ck_assert_msg(strstr(error.text, hosts[i][1]) != NULL, "%s", error.text);
        ck_assert_int_eq(error.exit, VT_EXIT_USAGE);
        ck_assert_int_eq(vt_price_make(&price, &watch, result, host, true, &error), 0);
        ck_assert_msg(strstr(price.notes[0], "were forced") != NULL, "%s", price.notes[0]);
        ck_assert(*price.forced);
        json_decref(host);
    }
    vt_result_free(result);
}
END_TEST

START_TEST(guests_of_a_guest_are_refused)
{
    struct vt_result *result = bill_tolls();
    struct vt_price_watch watch = bill_watch(bill_usual, BILL_USUAL);
    struct vt_price price;
    struct vt_error error;
    watch.nested = true;
    ck_assert_int_lt(vt_price_make(&price, &watch, result, result->host, false, &error), 0);
    ck_assert_msg(strstr(error.text, "guests of its own") != NULL, "%s", error.text);
    ck_assert_int_eq(vt_price_make(&price, &watch, result, result->host, true, &error), 0);
    ck_assert_int_eq(vt_price_make(&price, &watch, NULL, NULL, false, &error), 0);
    vt_result_free(result);
}
END_TEST

START_TEST(reasons_take_every_exit_once_and_price_each_by_its_own)
{
    struct vt_result *result = bill_tolls();
    struct vt_price_watch watch = bill_watch(bill_traced, BILL_TRACED);
    struct vt_price price;
    double sum = 0;
    watch.events = 17;
    watch.event_ns = 500;
    bill_make(&price, &watch, result);
    for (size_t i = 0; i < price.line_count; i++)
        sum += price.lines[i].rule->beside ? 0 : price.lines[i].count;
    ck_assert_double_eq(sum, 1000);
    ck_assert_double_eq(bill_line(&price, "io-kernel")->count, 50);
    ck_assert_double_eq(bill_line(&price, "page-fault")->count, 50);
    ck_assert_double_eq(bill_line(&price, "other-user")->count, 5);
    ck_assert_double_eq(bill_line(&price, "other-kernel")->count,
                        1000 - 100 - 250 - 150 - 70 - 20 - 200 - 10);
    ck_assert_str_eq(bill_line(&price, "cpuid")->toll.name, "cpuid");
    ck_assert_str_eq(bill_line(&price, "io-kernel")->toll.name, "out-eventfd");
    ck_assert_ptr_null(bill_line(&price, "msr-read")->toll.name); /* its one row is unverified */
    ck_assert_double_eq_tol(price.observing, 1000 * 500 / 8e9, 1e-12);
    ck_assert_uint_eq(price.unpriced_total, 0);
    watch.event_ns = NAN;
    bill_make(&price, &watch, result);
    ck_assert(isnan(price.observing));
    vt_result_free(result);
}
END_TEST

START_TEST(the_estimate_is_by_the_middle_of_what_fits)
{
    struct vt_result *result = bill_tolls();
    struct vt_price_watch watch = bill_watch(
        (const struct vt_price_count[]){{"exits", 1000}, {"fpu_reload", 100}, {"mmio_exits", 0}}, 3);
    struct vt_price price;
    bill_make(&price, &watch, result);
    /* of user exits 3000 and 4000, of kernel exits 1000 and 1500 */
    ck_assert_double_eq(price.low_ns, 100 * 3000.0 + 900 * 1000.0);
    ck_assert_double_eq(price.middle_ns, 100 * 3500.0 + 900 * 1250.0);
    watch.times.guest = 8e9;
    watch.times.run = 8e9 + 1;
    bill_make(&price, &watch, result);
    ck_assert_double_le(price.middle, price.high);
    vt_result_free(result);
}
END_TEST

START_TEST(counters_no_line_speaks_of_are_listed)
{
    struct vt_price_watch watch = bill_watch(bill_usual, BILL_USUAL);
    struct vt_price price;
    bill_make(&price, &watch, NULL);
    ck_assert_uint_eq(price.unpriced_total, 1);
    ck_assert_str_eq(price.unpriced[0], "tlb_flush");
}
END_TEST

VT_SUITE(every_exit_is_counted_once, the_lower_bound_is_counts_times_the_least_proved_toll,
         the_lower_bound_is_what_hardly_a_crossing_was_below, the_upper_bound_leaves_out_guest_and_polling,
         the_upper_bound_holds_what_the_kernel_takes_for_guest_time, what_contradicts_itself_is_told,
         where_KVM_interprets_exits_between_have_no_price, tolls_of_another_machine_are_refused,
         guests_of_a_guest_are_refused, reasons_take_every_exit_once_and_price_each_by_its_own,
         the_estimate_is_by_the_middle_of_what_fits, counters_no_line_speaks_of_are_listed)
