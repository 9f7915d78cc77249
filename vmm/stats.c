#include "vmm/stats.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Far above what any kernel has; keeps a nonsensical header from sizing an allocation. */
#define MAX_DESCRIPTORS 4096
#define MAX_NAME        1024
#define MAX_DATA        8192

static int read_at(int fd, void *data, size_t size, uint64_t offset)
{
    return pread(fd, data, size, (off_t)offset) == (ssize_t)size ? 0 : -EIO;
}

/* Is it a counter of one value, with a name that ends? Others are histograms. */
static bool is_single(const struct kvm_stats_desc *descriptor, size_t name_size)
{
    return memchr(descriptor->name, 0, name_size) && descriptor->size == 1 &&
           descriptor->offset <= MAX_DATA - sizeof(uint64_t);
}

/* One descriptor of a counter of one value. */
typedef void visitor(const struct kvm_stats_desc *descriptor, void *context);

static void note_descriptor(const struct kvm_stats_desc *descriptor, void *context)
{
    struct vt_stats *stats = context;
    int counter = vt_counter_find(descriptor->name);
    if (counter < 0)
        return;
    stats->offset[counter] = (int32_t)descriptor->offset;
    if (descriptor->offset + sizeof(uint64_t) > stats->data_size)
        stats->data_size = descriptor->offset + (uint32_t)sizeof(uint64_t);
}

static int visit_descriptors(int fd, struct kvm_stats_header *header, visitor *visit, void *context)
{
    if (read_at(fd, header, sizeof *header, 0) != 0 || header->name_size > MAX_NAME ||
        header->num_desc > MAX_DESCRIPTORS)
        return -EPROTO;
    size_t size = sizeof(struct kvm_stats_desc) + header->name_size;
    uint8_t *block = malloc(size * header->num_desc);
    if (!block)
        return -ENOMEM;
    int status = read_at(fd, block, size * header->num_desc, header->desc_offset);
    for (uint32_t i = 0; status == 0 && i < header->num_desc; i++) {
        const struct kvm_stats_desc *descriptor = (const void *)(block + i * size);
        if (is_single(descriptor, header->name_size))
            visit(descriptor, context);
    }
    free(block);
    return status;
}

static int refuse_header(struct vt_error *error)
{
    return vt_error_set(error, VT_EXIT_INTERNAL, EPROTO,
                        "KVM's statistics descriptor has a header this program does not understand");
}

int vt_stats_adopt(struct vt_stats *stats, int fd, struct vt_error *error)
{
    struct kvm_stats_header header;

    *stats = (struct vt_stats){.fd = fd};
    for (int i = 0; i < VT_COUNTERS; i++)
        stats->offset[i] = -1;
    if (stats->fd < 0)
        return 0;
    if (visit_descriptors(stats->fd, &header, note_descriptor, stats) != 0) {
        vt_stats_close(stats);
        return refuse_header(error);
    }
    stats->data_offset = header.data_offset;
    return 0;
}

/* Names of debugfs that the binary statistics changed (arch/x86/kvm/x86.c, debugfs_entries of Linux 5.13). */
static const struct {
    const char *file, *counter;
} renamed[] = {{"irq_window", "irq_window_exits"}, {"nmi_window", "nmi_window_exits"}};

static const char *file_name(enum vt_counter counter)
{
    return counter == VT_IRQ_WINDOW_EXITS ? renamed[0].file : vt_counter_name(counter);
}

/* A file gives its counter once: before Linux 5.14 it is neither read again nor at an offset. */
static bool read_file(int folder, const char *name, uint64_t *value)
{
    char text[32];
    int fd = openat(folder, name, O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof text - 1);

    if (fd >= 0)
        close(fd);
    if (length <= 0)
        return false;
    text[length] = '\0';
    *value = strtoull(text, NULL, 10);
    return true;
}

bool vt_stats_open_folder(struct vt_stats *stats, const char *folder)
{
    uint64_t value;

    stats->files = 0;
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (int i = 0; fd >= 0 && i < VT_USER_EXITS; i++)
        if (read_file(fd, file_name((enum vt_counter)i), &value))
            stats->files |= UINT32_C(1) << i;
    if (stats->files)
        stats->folder = fd;
    else if (fd >= 0)
        close(fd);
    return stats->files != 0;
}

bool vt_stats_has_folder_names(void)
{
    static const ino_t first_pid_namespace = 0xeffffffc; /* PROC_PID_INIT_INO */
    struct stat status;
    return stat("/proc/self/ns/pid", &status) == 0 && status.st_ino == first_pid_namespace;
}

bool vt_stats_name_folder(int vm, char *folder, size_t size)
{
    if (!vt_stats_has_folder_names())
        return false;
    snprintf(folder, size, "/sys/kernel/debug/kvm/%d-%d", (int)getpid(), vm);
    return true;
}

static void read_files(const struct vt_stats *stats, struct vt_counters *counters)
{
    for (int i = 0; i < VT_USER_EXITS; i++) {
        uint64_t value;
        if (stats->files >> i & 1 && read_file(stats->folder, file_name((enum vt_counter)i), &value))
            vt_counters_put(counters, (enum vt_counter)i, value);
    }
}

void vt_stats_read(const struct vt_stats *stats, struct vt_counters *counters)
{
    uint8_t data[MAX_DATA];

    counters->known = 0;
    read_files(stats, counters);
    if (stats->fd < 0 || read_at(stats->fd, data, stats->data_size, stats->data_offset) != 0)
        return;
    for (int i = 0; i < VT_COUNTERS; i++) {
        uint64_t value;
        if (stats->offset[i] < 0)
            continue;
        memcpy(&value, data + stats->offset[i], sizeof value);
        vt_counters_put(counters, (enum vt_counter)i, value);
    }
}

void vt_stats_close(struct vt_stats *stats)
{
    if (stats->fd >= 0)
        close(stats->fd);
    stats->fd = -1;
    if (stats->files)
        close(stats->folder);
    stats->files = 0;
}

struct giving {
    int fd;
    uint64_t data_offset;
    vt_stats_taker *take;
    void *context;
};

static void give(const struct kvm_stats_desc *descriptor, void *context)
{
    const struct giving *giving = context;
    uint64_t value;
    if (read_at(giving->fd, &value, sizeof value, giving->data_offset + descriptor->offset) == 0)
        giving->take(descriptor->name, value, giving->context);
}

int vt_stats_each(int fd, vt_stats_taker *take, void *context, struct vt_error *error)
{
    struct kvm_stats_header header;
    if (read_at(fd, &header, sizeof header, 0) != 0)
        return vt_error_set(error, VT_EXIT_ENVIRONMENT, EIO, "KVM's statistics descriptor cannot be read");
    struct giving giving = {fd, header.data_offset, take, context};
    return visit_descriptors(fd, &header, give, &giving) == 0 ? 0 : refuse_header(error);
}

static const char *counter_name(const char *file)
{
    for (size_t i = 0; i < sizeof renamed / sizeof renamed[0]; i++)
        if (strcmp(renamed[i].file, file) == 0)
            return renamed[i].counter;
    return file;
}

int vt_stats_each_file(const char *folder, vt_stats_taker *take, void *context, struct vt_error *error)
{
    uint64_t value;
    DIR *stream = opendir(folder);
    if (!stream)
        return vt_error_set(error, VT_EXIT_ENVIRONMENT, errno, "cannot read %s: %s", folder, strerror(errno));
    for (const struct dirent *entry; (entry = readdir(stream));)
        if (entry->d_type == DT_REG && read_file(dirfd(stream), entry->d_name, &value))
            take(counter_name(entry->d_name), value, context);
    closedir(stream);
    return 0;
}
