#include "probes/surroundings.h"
#include "base/file.h"
#include "base/packed.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#define COUNT(table) (sizeof(table) / sizeof(table)[0])
#define AT(member)   offsetof(struct vt_surroundings, member)
#define DMI(field)   (AT(dmi) + (field) * sizeof(char *))

/* A configuration has a quarter of a megabyte, modules.dep of a distribution less than one. */
#define LARGEST_TEXT ((size_t)16 << 20)

static const struct {
    const char *path;
    size_t member;
} lines[] = {
    {"/proc/sys/kernel/osrelease", AT(release)},
    {"/proc/cmdline", AT(command_line)},
    {"/sys/hypervisor/type", AT(hypervisor_type)},
    {"/sys/hypervisor/guest_type", AT(guest_type)},
    {"/sys/hypervisor/properties/features", AT(xen_features)},
    {"/proc/xen/capabilities", AT(xen_capabilities)},
    {"/sys/devices/system/clocksource/clocksource0/available_clocksource", AT(clock_sources)},
    {"/sys/devices/system/cpu/sev/vmpl", AT(sev_vmpl)},
    {"/sys/class/dmi/id/chassis_asset_tag", AT(asset_tag)},
    {"/sys/class/dmi/id/product_name", DMI(VT_DMI_PRODUCT)},
    {"/sys/class/dmi/id/sys_vendor", DMI(VT_DMI_VENDOR)},
    {"/sys/class/dmi/id/board_vendor", DMI(VT_DMI_BOARD)},
    {"/sys/class/dmi/id/bios_vendor", DMI(VT_DMI_BIOS)},
    {"/sys/class/dmi/id/product_version", DMI(VT_DMI_VERSION)},
};

static const struct {
    const char *path;
    size_t member;
} marks[] = {
    {"/proc/xen", AT(xen)},
    {"/sys/devices/jailhouse", AT(jailhouse)},
    {"/dev/sev-guest", AT(sev_guest)},
    {"/dev/tdx_guest", AT(tdx_guest)},
    {"/dev/tdx-guest", AT(tdx_guest)}, /* before Linux 6.2 */
};

static const struct {
    const char *option, *file, *folder;
    size_t member;
} modules[] = {
    {"CONFIG_KVM_INTEL=", "/kvm-intel.ko", "/sys/module/kvm_intel", AT(kvm_intel)},
    {"CONFIG_KVM_AMD=", "/kvm-amd.ko", "/sys/module/kvm_amd", AT(kvm_amd)},
};

static void *member(struct vt_surroundings *surroundings, size_t offset)
{
    return (char *)surroundings + offset;
}

/* First line of a file without blanks around it; NULL: none, or nothing in it. */
static char *first_line(const char *root, const char *path)
{
    char name[4096], text[4096];
    snprintf(name, sizeof name, "%s%s", root, path);
    int fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (fd >= 0)
        close(fd);
    if (length <= 0)
        return NULL;
    text[length] = '\0';
    text[strcspn(text, "\n")] = '\0';
    for (char *c = text; *c; c++)
        if ((unsigned char)*c < ' ' || (unsigned char)*c > '~')
            *c = *c == '\t' ? ' ' : '?'; /* it goes into JSON, and onto a terminal */
    char *start = text + strspn(text, " ");
    for (size_t end = strlen(start); end && start[end - 1] == ' '; end--)
        start[end - 1] = '\0';
    return *start ? strdup(start) : NULL;
}

static bool exists(const char *root, const char *path)
{
    char name[4096];
    snprintf(name, sizeof name, "%s%s", root, path);
    return access(name, F_OK) == 0;
}

/* Unpacked where it is packed. NULL: it cannot be read, or there is nothing in it, as in /dev/null, which
 * containers lay over files of /proc. */
static char *whole_text(const char *root, const char *path)
{
    char name[4096], *data, *text = NULL;
    size_t size;
    struct vt_error ignored;
    snprintf(name, sizeof name, "%s%s", root, path);
    if (vt_file_read(name, LARGEST_TEXT, &data, &size, &ignored) != 0)
        return NULL;
    if (!vt_packed_is(data, size))
        text = size ? data : NULL;
    else if (vt_packed_unpack(data, size, LARGEST_TEXT, &text, &size) != 0)
        text = NULL;
    if (text != data)
        free(data);
    return text;
}

/* Does a line of the file have `wanted`, at its start or anywhere? UNKNOWN: it cannot be read. */
static enum vt_answer search(const char *root, const char *path, const char *wanted, bool at_start)
{
    char *text = whole_text(root, path);
    if (!text)
        return VT_UNKNOWN;
    const char *found = strstr(text, wanted);
    while (found && at_start && found != text && found[-1] != '\n')
        found = strstr(found + 1, wanted);
    free(text);
    return found ? VT_YES : VT_NO;
}

/* A configuration tells both; a module's file that is missing may only not be installed. */
static enum vt_answer is_configured(const char *root, const char *release, size_t module)
{
    static const char *const configurations[] = {"/proc/config.gz", "/boot/config-%.200s",
                                                 "/lib/modules/%.200s/config"};
    static const char *const lists[] = {"/lib/modules/%.200s/modules.builtin",
                                        "/lib/modules/%.200s/modules.dep"};
    char path[256];
    if (exists(root, modules[module].folder))
        return VT_YES;
    for (size_t i = 0; i < COUNT(configurations); i++) {
        snprintf(path, sizeof path, configurations[i], release);
        enum vt_answer answer = search(root, path, modules[module].option, true);
        if (answer != VT_UNKNOWN)
            return answer;
    }
    for (size_t i = 0; i < COUNT(lists); i++) {
        snprintf(path, sizeof path, lists[i], release);
        if (search(root, path, modules[module].file, false) == VT_YES)
            return VT_YES;
    }
    return VT_UNKNOWN;
}

/* SMBIOS 7.1.2: byte 0x13 of structure 0 is the second of its extension bytes, bit 4 "virtual machine". */
static enum vt_answer read_smbios(const char *root)
{
    char name[4096];
    uint8_t structure[0x18];
    snprintf(name, sizeof name, "%s/sys/firmware/dmi/entries/0-0/raw", root);
    int fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ssize_t length = fd < 0 ? -1 : read(fd, structure, sizeof structure);
    if (fd >= 0)
        close(fd);
    if (length < (ssize_t)sizeof structure || structure[1] < 0x14)
        return VT_UNKNOWN;
    return structure[0x13] >> 4 & 1 ? VT_YES : VT_NO;
}

void vt_surroundings_read(struct vt_surroundings *surroundings, const char *root)
{
    struct utsname name;
    *surroundings = (struct vt_surroundings){.kvm_intel = VT_UNKNOWN, .kvm_amd = VT_UNKNOWN};
    for (size_t i = 0; i < COUNT(lines); i++)
        *(char **)member(surroundings, lines[i].member) = first_line(root, lines[i].path);
    if (!surroundings->release && !*root && uname(&name) == 0)
        surroundings->release = strdup(name.release);
    for (size_t i = 0; i < COUNT(marks); i++)
        *(bool *)member(surroundings, marks[i].member) |= exists(root, marks[i].path);
    surroundings->smbios_vm = read_smbios(root);
    for (size_t i = 0; i < COUNT(modules) && surroundings->release; i++)
        *(enum vt_answer *)member(surroundings, modules[i].member) =
            is_configured(root, surroundings->release, i);
}

void vt_surroundings_free(struct vt_surroundings *surroundings)
{
    for (size_t i = 0; i < COUNT(lines); i++)
        free(*(char **)member(surroundings, lines[i].member));
    *surroundings = (struct vt_surroundings){0};
}

enum vt_answer vt_surroundings_kernel_is(const struct vt_surroundings *surroundings, unsigned major,
                                         unsigned minor)
{
    unsigned has[2];
    if (!surroundings->release || sscanf(surroundings->release, "%u.%u", &has[0], &has[1]) != 2)
        return VT_UNKNOWN;
    return has[0] > major || (has[0] == major && has[1] >= minor) ? VT_YES : VT_NO;
}

bool vt_surroundings_has_kvm_clock(const struct vt_surroundings *surroundings)
{
    return surroundings->clock_sources && strstr(surroundings->clock_sources, "kvm-clock");
}

bool vt_surroundings_machine(const struct vt_surroundings *surroundings, char *text, size_t size)
{
    const char *vendor = surroundings->dmi[VT_DMI_VENDOR], *product = surroundings->dmi[VT_DMI_PRODUCT];
    snprintf(text, size, "%s%s%s", vendor ? vendor : "", vendor && product ? " " : "",
             product ? product : "");
    return vendor || product;
}
