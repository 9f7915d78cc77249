#include "probes/live.h"
#include "probes/section.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

#define FOLDER "/sys/devices/system/cpu/vulnerabilities"

static void put_one(json_t *document, const char *name)
{
    char path[128], key[128], line[512];
    int number;
    if (*name == '.' || strlen(name) > 64)
        return;
    snprintf(path, sizeof path, FOLDER "/%.64s", name);
    vt_document_path(key, "mitigations", name);
    if (vt_live_line(path, line, sizeof line, &number))
        vt_document_put(document, key, json_string(line), NULL);
    else
        vt_document_unknown(document, key, strerror(number));
}

void vt_detect_mitigations(json_t *document, const struct vt_facts *facts)
{
    vt_document_put(document, "mitigations", json_object(), NULL);
    DIR *folder = facts->live ? opendir(FOLDER) : NULL;
    if (!folder) {
        vt_document_unknown(document, "mitigations",
                            facts->live ? FOLDER " cannot be read" : "a CPUID dump does not tell");
        return;
    }
    for (struct dirent *entry; (entry = readdir(folder));)
        put_one(document, entry->d_name);
    closedir(folder);
}
