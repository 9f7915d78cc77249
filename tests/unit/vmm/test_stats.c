/* KVM's statistics as a descriptor gives them: what is where is the kernel's to choose. */
#include "guest/abi.h"
#include "tests/unit/suite.h"
#include "vmm/vm.h"

#include <errno.h>
#include <linux/kvm.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <unistd.h>

#define NAME 48
#define DATA 4096

/* Descriptors as the kernel lays them out: the structure, then its name. */
struct row {
    const char *name;
    uint32_t offset; /* into the data */
    uint16_t size;   /* in words of 8 bytes */
    uint64_t value;
};

static void put(int fd, const void *data, size_t size, uint64_t offset)
{
    ck_assert_int_eq(pwrite(fd, data, size, (off_t)offset), (ssize_t)size);
}

static int statistics(const struct row *rows, uint32_t count)
{
    int fd = memfd_create("statistics", MFD_CLOEXEC);
    struct kvm_stats_header header = {
        .name_size = NAME, .num_desc = count, .id_offset = 24, .desc_offset = 128, .data_offset = DATA};

    ck_assert_int_ge(fd, 0);
    put(fd, &header, sizeof header, 0);
    for (uint32_t i = 0; i < count; i++) {
        struct kvm_stats_desc descriptor = {.size = rows[i].size, .offset = rows[i].offset};
        char name[NAME] = "";
        uint64_t at = header.desc_offset + i * (sizeof descriptor + NAME);

        strncpy(name, rows[i].name, NAME - 1);
        put(fd, &descriptor, sizeof descriptor, at);
        put(fd, name, NAME, at + sizeof descriptor);
        put(fd, &rows[i].value, sizeof rows[i].value, DATA + rows[i].offset);
    }
    return fd;
}

static void read_all(const struct row *rows, uint32_t count, struct vt_counters *counters)
{
    struct vt_stats stats;
    struct vt_error error;

    ck_assert_msg(vt_stats_adopt(&stats, statistics(rows, count), &error) == 0, "%s", error.text);
    vt_stats_read(&stats, counters);
    vt_stats_close(&stats);
}

/* Histograms of halt polling come first and fill most of a kilobyte; newer kernels add counters before these.
 */
START_TEST(counters_are_found_wherever_they_lie)
{
    static const struct row rows[] = {
        {"halt_poll_success_hist", 56, 32, 0},
        {"exits", 904, 1, 11},
        {"insn_emulation", 1000, 1, 22},
        {"hypercalls", 1024, 1, 33},
        {"irq_injections", 5000, 1, 44},
        {"of_a_kernel_to_come", 5008, 1, 55},
        {"io_exits", 16, 8, 66}, /* a histogram now: not what this build knows */
    };
    struct vt_counters counters;

    read_all(rows, sizeof rows / sizeof rows[0], &counters);
    ck_assert_uint_eq(counters.value[VT_EXITS], 11);
    ck_assert_uint_eq(counters.value[VT_INSN_EMULATION], 22);
    ck_assert(vt_counters_has(&counters, VT_HYPERCALLS));
    ck_assert_uint_eq(counters.value[VT_HYPERCALLS], 33);
    ck_assert(vt_counters_has(&counters, VT_IRQ_INJECTIONS));
    ck_assert_uint_eq(counters.value[VT_IRQ_INJECTIONS], 44);
    ck_assert(!vt_counters_has(&counters, VT_IO_EXITS));
    ck_assert(!vt_counters_has(&counters, VT_MMIO_EXITS));
}
END_TEST

START_TEST(without_a_descriptor_everything_is_unknown)
{
    struct vt_stats stats;
    struct vt_counters counters;
    struct vt_error error;

    ck_assert_int_eq(vt_stats_adopt(&stats, -1, &error), 0);
    vt_stats_read(&stats, &counters);
    ck_assert_uint_eq(counters.known, 0);
    vt_stats_close(&stats);
}
END_TEST

START_TEST(a_header_that_makes_no_sense_is_an_error)
{
    static const struct row rows[] = {{"exits", 0, 1, 0}};
    struct vt_stats stats;
    struct vt_error error;
    int fd = statistics(rows, 1);
    struct kvm_stats_header header = {.name_size = NAME, .num_desc = UINT32_MAX, .desc_offset = 128};

    put(fd, &header, sizeof header, 0);
    ck_assert_int_lt(vt_stats_adopt(&stats, fd, &error), 0);
    ck_assert_int_eq(stats.fd, -1);
}
END_TEST

static void write_file(const char *folder, const char *name, const char *text)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
}

/* As Linux 5.10 lays them out. */
START_TEST(before_descriptors_counters_were_files)
{
    struct vt_stats stats = {.fd = -1};
    struct vt_counters counters;
    char folder[] = "/tmp/vmtoll-stats-XXXXXX", command[64];

    ck_assert_ptr_nonnull(mkdtemp(folder));
    write_file(folder, "exits", "11\n");
    write_file(folder, "irq_window", "22\n");
    write_file(folder, "nmi_window", "33\n");
    ck_assert(vt_stats_open_folder(&stats, folder));
    vt_stats_read(&stats, &counters);
    ck_assert_uint_eq(counters.value[VT_EXITS], 11);
    ck_assert_uint_eq(counters.value[VT_IRQ_WINDOW_EXITS], 22);
    ck_assert(!vt_counters_has(&counters, VT_INSN_EMULATION));
    write_file(folder, "exits", "12\n");
    vt_stats_read(&stats, &counters);
    ck_assert_uint_eq(counters.value[VT_EXITS], 12);
    vt_stats_close(&stats);
    vt_stats_read(&stats, &counters);
    ck_assert_uint_eq(counters.known, 0);
    ck_assert(!vt_stats_open_folder(&stats, "/tmp/vmtoll-stats-that-is-not-there"));
    snprintf(command, sizeof command, "rm -r '%s'", folder);
    ck_assert_int_eq(system(command), 0);
}
END_TEST

struct heard {
    size_t count;
    uint64_t exits, window, newer;
};

static void hear(const char *name, uint64_t value, void *context)
{
    struct heard *heard = context;
    heard->count++;
    heard->exits = strcmp(name, "exits") == 0 ? value : heard->exits;
    heard->window = strcmp(name, "irq_window_exits") == 0 ? value : heard->window;
    heard->newer = strcmp(name, "of_a_kernel_to_come") == 0 ? value : heard->newer;
}

START_TEST(every_counter_is_told_by_name)
{
    static const struct row rows[] = {
        {"exits", 904, 1, 11}, {"of_a_kernel_to_come", 5008, 1, 55}, {"halt_poll_success_hist", 56, 32, 0}};
    struct vt_error error;
    struct heard heard = {0};
    int fd = statistics(rows, 3), nonsense = memfd_create("nonsense", MFD_CLOEXEC);

    ck_assert_int_eq(vt_stats_each(fd, hear, &heard, &error), 0);
    ck_assert_uint_eq(heard.count, 2); /* a histogram is no counter */
    ck_assert_uint_eq(heard.exits, 11);
    ck_assert_uint_eq(heard.newer, 55);
    ck_assert_int_lt(vt_stats_each(nonsense, hear, &heard, &error), 0);
    ck_assert_int_eq(ftruncate(fd, 160), 0);
    ck_assert_int_lt(vt_stats_each(fd, hear, &heard, &error), 0);
    close(fd);
    close(nonsense);
}
END_TEST

START_TEST(every_file_is_told_by_its_name_of_today)
{
    struct vt_error error;
    struct heard heard = {0};
    char folder[] = "/tmp/vmtoll-stats-XXXXXX", command[64];

    ck_assert_ptr_nonnull(mkdtemp(folder));
    write_file(folder, "exits", "11\n");
    write_file(folder, "irq_window", "22\n");
    write_file(folder, "empty", "");
    ck_assert_int_eq(vt_stats_each_file(folder, hear, &heard, &error), 0);
    ck_assert_uint_eq(heard.count, 2);
    ck_assert_uint_eq(heard.window, 22);
    snprintf(command, sizeof command, "rm -r '%s'", folder);
    ck_assert_int_eq(system(command), 0);
    ck_assert_int_lt(vt_stats_each_file(folder, hear, &heard, &error), 0);
}
END_TEST

START_TEST(both_sources_count_the_same)
{
    struct vt_vm vm;
    struct vt_error error;
    struct vt_stats files = {.fd = -1};
    struct vt_counters told, filed;
    char folder[64];

    if (vt_vmm_open(&vm, &error) != 0)
        vt_skip("no machine: %s", error.text);
    if (vm.stats.fd < 0)
        vt_skip("this kernel has no KVM_GET_STATS_FD");
    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("debugfs", "/sys/kernel/debug", "debugfs", 0, NULL) != 0)
        vt_skip("debugfs cannot be mounted here: %s", strerror(errno));
    if (!vt_stats_name_folder(vm.vm, folder, sizeof folder))
        vt_skip("this is not the first PID namespace");
    if (!vt_stats_open_folder(&files, folder))
        vt_skip("the files of debugfs may not be read here: %s", strerror(errno));
    ck_assert_int_eq(vt_vmm_start(&vm, 0, VT_APIC_X2, vm.payload_entry, VT_GUEST_MAILBOX, &error), 0);
    ck_assert_int_eq(ioctl(vm.vcpu, KVM_RUN, 0), 0);
    vt_stats_read(&vm.stats, &told);
    vt_stats_read(&files, &filed);
    ck_assert(vt_counters_has(&filed, VT_EXITS) && vt_counters_has(&filed, VT_INSN_EMULATION));
    ck_assert_uint_gt(filed.value[VT_EXITS], 0);
    for (int i = 0; i < VT_COUNTERS; i++)
        if (filed.known >> i & 1)
            ck_assert_uint_eq(filed.value[i], told.value[i]);
    vt_stats_close(&files);
    vt_vmm_close(&vm);
}
END_TEST

VT_SUITE(counters_are_found_wherever_they_lie, without_a_descriptor_everything_is_unknown,
         a_header_that_makes_no_sense_is_an_error, before_descriptors_counters_were_files,
         every_counter_is_told_by_name, every_file_is_told_by_its_name_of_today, both_sources_count_the_same)
