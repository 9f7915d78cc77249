#include "probes/live.h"
#include "probes/section.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Firmware tables that announce an IOMMU, whether or not the kernel uses it. */
static const struct {
    const char *path, *name;
} tables[] = {
    {"/sys/firmware/acpi/tables/DMAR", "VT-d"},
    {"/sys/firmware/acpi/tables/IVRS", "AMD-Vi"},
};

/* Names in a folder; -1 when it cannot be opened. `names` may be NULL. */
static int list(const char *folder, json_t *names)
{
    DIR *directory = opendir(folder);
    int count = 0;
    if (!directory)
        return -1;
    for (struct dirent *entry; (entry = readdir(directory));)
        if (entry->d_name[0] != '.') {
            count++;
            if (names)
                json_array_append_new(names, json_string(entry->d_name));
        }
    closedir(directory);
    return count;
}

static void put_firmware(json_t *document)
{
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
        if (access(tables[i].path, F_OK) == 0) {
            vt_document_put(document, "iommu.firmware", json_string(tables[i].name), tables[i].path);
            return;
        }
    vt_document_unknown(document, "iommu.firmware", "no ACPI table DMAR or IVRS is visible");
}

void vt_detect_iommu(json_t *document, const struct vt_facts *facts)
{
    static const char *const names[] = {"iommu.active", "iommu.units", "iommu.groups", "iommu.firmware"};
    if (!facts->live) {
        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
            vt_document_unknown(document, names[i], "a CPUID dump does not tell");
        return;
    }
    json_t *units = json_array();
    int count = list("/sys/class/iommu", units), groups = list("/sys/kernel/iommu_groups", NULL);
    vt_document_put(document, "iommu.active", json_boolean(count > 0 || groups > 0),
                    count > 0 ? "/sys/class/iommu"
                              : "/sys/class/iommu and /sys/kernel/iommu_groups are empty");
    vt_document_put(document, "iommu.units", units, "/sys/class/iommu");
    vt_document_put(document, "iommu.groups", json_integer(groups > 0 ? groups : 0),
                    "/sys/kernel/iommu_groups");
    put_firmware(document);
}
