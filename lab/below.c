#include "lab/below.h"
#include "base/file.h"
#include "base/process/interrupts.h"
#include "lab/inside.h"
#include "lab/link.h"
#include "vmm/pc.h"
#include "vmm/serial.h"
#include "vmm/vm.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <unistd.h>

/* Half of what the machine below has. */
#define MEMORY ((size_t)256 << 20)

#define LARGEST ((size_t)128 << 20)

#define CLOCK_PORT     0x71 /* all ones would be an update under way, for which a kernel waits a second */
#define KEYBOARD_PORT  0x64
#define KEYBOARD_RESET 0xfe /* pulses the processor's reset line: how a kernel reboots */

struct below {
    struct vt_pc pc;
    struct vt_serial serial;
    bool reset;
};

/* Until the machine is switched off: what a file holds stays in memory. */
struct files {
    char *kernel, *initrd, *words;
    struct vt_bzimage image;
};

static int read_files(struct files *files, struct vt_error *error)
{
    size_t length;

    *files = (struct files){0};
    int status =
        vt_file_read("/" VT_LAB_BELOW_KERNEL, LARGEST, &files->kernel, &files->image.kernel_size, error);
    if (status == 0)
        status =
            vt_file_read("/" VT_LAB_BELOW_INITRD, LARGEST, &files->initrd, &files->image.initrd_size, error);
    if (status == 0)
        status = vt_file_read("/" VT_LAB_BELOW_WORDS, 65536, &files->words, &length, error);
    files->image.kernel = files->kernel;
    files->image.initrd = files->initrd;
    files->image.command_line = files->words;
    return status;
}

static void release_files(struct files *files)
{
    free(files->kernel);
    free(files->initrd);
    free(files->words);
}

static uint32_t count_exits(const struct below *below)
{
    struct vt_counters counters;
    vt_stats_read(&below->pc.stats, &counters);
    return (uint32_t)counters.value[VT_EXITS];
}

static void put_serial(struct below *below, unsigned offset, const uint8_t *data, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (vt_serial_write(&below->serial, offset, data[i]) && write(STDERR_FILENO, &data[i], 1) != 1)
            return;
}

static bool is_serial(uint16_t port)
{
    return port >= VT_SERIAL_PORT && port < VT_SERIAL_PORT + VT_SERIAL_PORTS;
}

static void answer_out(struct below *below, uint16_t port, const uint8_t *data, uint32_t size)
{
    if (port == VT_LAB_PORT)
        vt_lab_inside_pass((const char *)data, size);
    else if (is_serial(port))
        put_serial(below, port - VT_SERIAL_PORT, data, size);
    else if (port == KEYBOARD_PORT && size == 1)
        below->reset |= *data == KEYBOARD_RESET;
}

/* Ports without a device read as all ones. */
static void answer_in(const struct below *below, uint16_t port, uint8_t *data, uint32_t size)
{
    uint32_t value = UINT32_MAX;

    memset(data, 0xff, size);
    if (port == VT_LAB_BELOW_EXITS)
        value = count_exits(below);
    else if (port == VT_LAB_BELOW_INTERRUPTS)
        value = (uint32_t)vt_interrupts_served(VT_INTERRUPTS_FILE, 0);
    else if (is_serial(port))
        value = vt_serial_read(&below->serial, port - VT_SERIAL_PORT);
    else if (port == CLOCK_PORT)
        value = 0;
    memcpy(data, &value, size < sizeof value ? size : sizeof value);
}

/* False: the machine has ended. */
static bool answer(struct below *below)
{
    struct kvm_run *run = below->pc.run;
    uint8_t *data = (uint8_t *)run + run->io.data_offset;
    uint32_t size = (uint32_t)run->io.size * run->io.count;

    switch (run->exit_reason) {
    case KVM_EXIT_IO:
        if (run->io.direction == KVM_EXIT_IO_OUT)
            answer_out(below, run->io.port, data, size);
        else
            answer_in(below, run->io.port, data, size);
        return !below->reset;
    case KVM_EXIT_MMIO:
        if (!run->mmio.is_write)
            memset(run->mmio.data, 0xff, sizeof run->mmio.data);
        return true;
    case KVM_EXIT_INTR:
        return true;
    default:
        return false;
    }
}

static int serve(struct below *below, struct vt_error *error)
{
    int status;

    do
        status = vt_pc_run(&below->pc, error);
    while (status == 0 && answer(below));
    if (status != 0)
        return status;
    return vt_error_set(error, VT_EXIT_ENVIRONMENT, 0, "the machine at depth 2 ended: %s (exit %s)",
                        below->reset ? "its kernel reset it" : "it stopped",
                        vt_vmm_exit_name(below->pc.run->exit_reason));
}

int vt_lab_below_run(struct vt_error *error)
{
    struct below below = {0};
    struct files files;

    vt_lab_inside_say("@stage starting a machine in this one");
    int status = read_files(&files, error);
    if (status == 0)
        status = vt_pc_open(&below.pc, MEMORY, error);
    if (status == 0) {
        status = vt_pc_boot(&below.pc, &files.image, error);
        release_files(&files);
        if (status == 0)
            status = serve(&below, error);
        vt_pc_close(&below.pc);
        return status;
    }
    release_files(&files);
    return status;
}

static uint32_t read_exits(void)
{
    return inl(VT_LAB_BELOW_EXITS);
}

static uint32_t read_interrupts(void)
{
    return inl(VT_LAB_BELOW_INTERRUPTS);
}

const struct vt_outer vt_lab_below = {read_exits, read_interrupts};
