/* Tracepoints: where they are not, who may not, and events that this kernel takes. */
#include "price/reasons/events.h"
#include "price/reasons/reasons.h"
#include "price/reasons/rules.h"
#include "tests/unit/suite.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static char root[] = "/tmp/vmtoll-tracefs-XXXXXX";

static void make_folder(const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", root, name);
    ck_assert_int_eq(mkdir(path, 0755), 0);
}

static void put_ids(const char *text)
{
    static const char *const tracepoints[] = {"kvm_exit", "kvm_userspace_exit", "kvm_cpuid", "kvm_msr"};
    for (size_t i = 0; i < 4; i++) {
        char path[256];
        snprintf(path, sizeof path, "%s/events/kvm/%s", root, tracepoints[i]);
        mkdir(path, 0755);
        snprintf(path, sizeof path, "%s/events/kvm/%s/id", root, tracepoints[i]);
        FILE *file = fopen(path, "w");
        ck_assert_ptr_nonnull(file);
        fputs(text, file);
        fclose(file);
    }
}

static const char *refused(void)
{
    static struct vt_error error;
    struct vt_price_reasons *reasons;
    pid_t self = getpid();
    ck_assert_int_lt(vt_price_reasons_open(&reasons, root, &self, 1, &error), 0);
    ck_assert_int_eq(error.exit, VT_EXIT_ENVIRONMENT);
    ck_assert_ptr_null(reasons);
    return error.text;
}

static void has(const char *text, const char *word)
{
    ck_assert_msg(strstr(text, word) != NULL, "%s", text);
}

START_TEST(what_stands_in_the_way_is_said)
{
    ck_assert_ptr_nonnull(mkdtemp(root));
    has(refused(), "tracefs is not mounted: mount -t tracefs");
    make_folder("events");
    has(refused(), "no such tracepoint of KVM: kvm is not loaded");
    make_folder("events/kvm");
    put_ids("hello\n");
    has(refused(), "has no number");
    put_ids("0\n");
    has(refused(), "has no number");
    put_ids("999999999\n");
    const char *text = refused();
    ck_assert_msg(strncmp(text, "exits by reason: ", 17) == 0, "%s", text);
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", root);
    ck_assert_int_eq(system(command), 0);
}
END_TEST

/* Every filter must be one that the kernel understands; only then is anything counted. */
START_TEST(this_kernel_takes_the_events)
{
    struct vt_price_reasons *reasons;
    struct vt_error error;
    struct vt_price_counts counts = {.count = 0};
    pid_t self = getpid();
    if (vt_price_reasons_open(&reasons, NULL, &self, 1, &error) != 0)
        vt_skip("%s", error.text);
    vt_price_count_add(&counts, "user_io", 7); /* whoever said so */
    ck_assert_int_eq(vt_price_reasons_read(reasons, &counts, &error), 0);
    ck_assert_int_eq(__builtin_popcount(vt_price_reasons_open_set(reasons)), (int)counts.count);
    ck_assert_double_eq(vt_price_count_of(&counts, "user_io"), 0);
    /* Nothing was counted: which are of use is not known. */
    ck_assert_int_eq(vt_price_reasons_trim(reasons, &error), 0);
    ck_assert_int_eq(__builtin_popcount(vt_price_reasons_open_set(reasons)), (int)counts.count);
    vt_price_reasons_keep(reasons, 1);
    ck_assert_uint_eq(vt_price_reasons_open_set(reasons), 1);
    counts.count = 0;
    ck_assert_int_eq(vt_price_reasons_read(reasons, &counts, &error), 0);
    ck_assert_uint_eq(counts.count, 1);
    ck_assert_double_eq(vt_price_count_of(&counts, "exit_all"), 0);
    vt_price_reasons_close(reasons);
}
END_TEST

/* A number, or 0: this kernel has no such tracepoint, or shows it to nobody. */
static unsigned long long number_of(const char *tracepoint)
{
    unsigned long long id = 0;
    char path[256];
    snprintf(path, sizeof path, "/sys/kernel/tracing/events/kvm/%s/id", tracepoint);
    FILE *file = fopen(path, "r");
    if (file && fscanf(file, "%llu", &id) != 1)
        id = 0;
    if (file)
        fclose(file);
    return id;
}

/* Fields are the same for all processors: filters of those that are not here can be tried as well. */
START_TEST(filters_of_all_processors_are_understood)
{
    for (int backend = VT_BACKEND_UNKNOWN; backend <= VT_BACKEND_PVM; backend++) {
        size_t events;
        const struct vt_price_event *list = vt_price_events((enum vt_backend)backend, &events);
        for (size_t i = 0; i < events; i++) {
            struct perf_event_attr attributes = {.type = PERF_TYPE_TRACEPOINT,
                                                 .size = sizeof attributes,
                                                 .config = number_of(list[i].tracepoint),
                                                 .disabled = 1};
            int fd = attributes.config ? (int)syscall(SYS_perf_event_open, &attributes, 0, -1, -1, 0) : -1;
            if (fd < 0)
                vt_skip("no tracepoint %s may be counted here", list[i].tracepoint);
            if (list[i].filter)
                ck_assert_msg(ioctl(fd, PERF_EVENT_IOC_SET_FILTER, list[i].filter) == 0, "%s",
                              list[i].filter);
            close(fd);
        }
    }
}
END_TEST

START_TEST(each_event_has_a_rule)
{
    size_t count;
    const struct vt_price_rule *rules = vt_price_reason_rules(&count);
    for (int backend = VT_BACKEND_UNKNOWN; backend <= VT_BACKEND_PVM; backend++) {
        size_t events;
        const struct vt_price_event *list = vt_price_events((enum vt_backend)backend, &events);
        ck_assert_uint_le(events, VT_PRICE_EVENTS);
        for (size_t i = 0; i < events; i++)
            ck_assert_msg(vt_price_rules_know(rules, count, list[i].counter), "%s", list[i].counter);
    }
}
END_TEST

VT_SUITE(what_stands_in_the_way_is_said, this_kernel_takes_the_events,
         filters_of_all_processors_are_understood, each_event_has_a_rule)
