/* KVM's statistics as a descriptor gives them: what is where is the kernel's to choose. */
#include "tests/unit/suite.h"
#include "vmm/stats.h"

#include <linux/kvm.h>
#include <string.h>
#include <sys/mman.h>
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

VT_SUITE(counters_are_found_wherever_they_lie, without_a_descriptor_everything_is_unknown,
         a_header_that_makes_no_sense_is_an_error)
