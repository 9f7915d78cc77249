/* Firecracker's metrics: two minutes of them, and files that are something else. */
#include "price/price.h"
#include "price/session.h"
#include "tests/unit/suite.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEMPLATE "/tmp/vmtoll-metrics-XXXXXX"

static char path[] = TEMPLATE;

static void make_file(const char *text)
{
    snprintf(path, sizeof path, "%s", TEMPLATE);
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

static int watch_file(double seconds, struct vt_price_watch *watch, struct vt_error *error)
{
    static const volatile int stop = 0;
    return vt_price_watch(&(struct vt_price_target){.metrics = path}, seconds, &stop, watch, error);
}

static void append(const char *text)
{
    FILE *file = fopen(path, "a");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
}

static char *read_whole(const char *name)
{
    static char text[65536];
    FILE *file = fopen(name, "r");
    ck_assert_ptr_nonnull(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    return text;
}

START_TEST(minutes_add_up_by_its_own_clock)
{
    struct vt_price_watch watch;
    struct vt_error error;
    struct vt_price price;
    struct vt_price_watcher watcher;
    struct vt_price_reading before, after;
    char *text = read_whole("tests/data/price/firecracker.metrics"), *second = strchr(text, '\n') + 1,
         saved = *second;
    *second = '\0';
    make_file(text);
    *second = saved;
    ck_assert_int_eq(vt_price_watcher_open(&watcher, &(struct vt_price_target){.metrics = path}, &error), 0);
    ck_assert_int_eq(vt_price_watcher_read(&watcher, &before, &error), 0);
    append(second);
    ck_assert_int_eq(vt_price_watcher_read(&watcher, &after, &error), 0);
    int status = vt_price_watcher_compare(&watcher, &before, &after, &watch, &error);
    vt_price_watcher_close(&watcher);
    ck_assert_msg(status == 0, "%s", error.text);
    ck_assert_str_eq(watch.source->name, "firecracker");
    ck_assert_double_eq_tol(watch.seconds, 60.001, 1e-6); /* not the moment between the readings */
    ck_assert_double_eq(vt_price_count_of(&watch.delta, "fpu_reload"), 13 + 2100 + 57 + 31042);
    ck_assert_double_eq(vt_price_count_of(&watch.delta, "mmio_exits"), 57 + 31042);
    ck_assert_int_eq(vt_price_make(&price, &watch, NULL, NULL, false, &error), 0);
    for (size_t i = 0; i < price.line_count; i++)
        if (strcmp(price.lines[i].rule->reason, "other-kernel") == 0 ||
            strcmp(price.lines[i].rule->reason, "hlt") == 0)
            ck_assert(isnan(price.lines[i].count)); /* it does not tell */
    unlink(path);
}
END_TEST

#define LINE(at, vcpu) "{\"utc_timestamp_ms\": " at ", \"vcpu\": {" vcpu "}}\n"
#define FOUR(in, out, read, write)                                                                           \
    "\"exit_io_in\": " in ", \"exit_io_out\": " out ", \"exit_mmio_read\": " read                            \
    ", \"exit_mmio_write\": " write

static const struct {
    const char *text, *word;
} hostile[] = {
    {"", "no metrics yet"},
    {"{\"utc_timestamp_ms\": 1, \"vcpu\": {}", "no metrics yet"},
    {"hello\n", ":1: no line of Firecracker's metrics: "},
    {"[]\n", ":1: no line"},
    {"{}\n", ":1: no line"},
    {LINE("1", FOUR("1", "2", "3", "4")) "\n", ":2: no line"},
    {LINE("\"1\"", FOUR("1", "2", "3", "4")), ":1: no line"},
    {LINE("1", FOUR("1", "2", "3", "-4")), ":1: no line"},
    {LINE("1", FOUR("1", "2", "\"3\"", "4")), ":1: no line"},
    {LINE("1", FOUR("1", "2", "3", "4")), "writes each minute"},
    {LINE("1", FOUR("1", "2", "3", "4")) LINE("2", FOUR("1", "2", "3", "4")), "writes each minute"},
};

START_TEST(other_files_are_one_line)
{
    for (size_t i = 0; i < sizeof hostile / sizeof hostile[0]; i++) {
        struct vt_price_watch watch;
        struct vt_error error = {0};
        make_file(hostile[i].text);
        ck_assert_msg(watch_file(0.01, &watch, &error) < 0, "%zu is taken", i);
        ck_assert_msg(strstr(error.text, hostile[i].word) != NULL, "%zu: %s", i, error.text);
        ck_assert_int_eq(error.exit, VT_EXIT_ENVIRONMENT);
        unlink(path);
    }
}
END_TEST

START_TEST(a_line_without_end_is_cut)
{
    struct vt_price_watch watch;
    struct vt_error error;
    char *text = malloc((5 << 20) + 1);
    memset(text, 'x', 5 << 20);
    text[5 << 20] = '\0';
    make_file(text);
    free(text);
    ck_assert_int_lt(watch_file(0.01, &watch, &error), 0);
    ck_assert_msg(strstr(error.text, "longer than Firecracker's are") != NULL, "%s", error.text);
    unlink(path);
}
END_TEST

START_TEST(a_pipe_is_left_to_its_reader)
{
    struct vt_price_watch watch;
    struct vt_error error;
    make_file("");
    unlink(path);
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    ck_assert_int_lt(watch_file(0.01, &watch, &error), 0);
    ck_assert_msg(strstr(error.text, "reading from a pipe") != NULL, "%s", error.text);
    unlink(path);
    ck_assert_int_lt(watch_file(0.01, &watch, &error), 0);
    ck_assert_msg(strstr(error.text, "No such file") != NULL, "%s", error.text);
}
END_TEST

VT_SUITE(minutes_add_up_by_its_own_clock, other_files_are_one_line, a_line_without_end_is_cut,
         a_pipe_is_left_to_its_reader)
