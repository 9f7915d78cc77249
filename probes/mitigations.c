#include "probes/live.h"
#include "probes/section.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
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
    struct dirent **entries;
    int count = facts->live ? scandir(FOLDER, &entries, NULL, alphasort) : -1;
    if (count < 0) {
        vt_document_unknown(document, "mitigations",
                            facts->live ? FOLDER " cannot be read" : "a CPUID dump does not tell");
        return;
    }
    vt_document_put(document, "mitigations", json_object(), NULL);
    for (int i = 0; i < count; i++) {
        put_one(document, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
}
