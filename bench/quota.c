#include "bench/quota.h"
#include "base/text.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { MAX_PATH = 4096 };

static double periods_of(const char *folder)
{
    char path[MAX_PATH + 16], line[128];
    double periods = NAN;
    snprintf(path, sizeof path, "%s/cpu.stat", folder);
    FILE *file = fopen(path, "re");
    while (file && fgets(line, sizeof line, file))
        sscanf(line, "nr_throttled %lf", &periods);
    if (file)
        fclose(file);
    return periods;
}

/* A quota of any cgroup above stops what is below. Cuts `path`, which is below `mount`. */
static double add_upwards(char *path, size_t mount)
{
    double sum = NAN;
    for (;;) {
        double periods = periods_of(path);
        if (!isnan(periods))
            sum = isnan(sum) ? periods : sum + periods;
        char *slash = strrchr(path, '/');
        if (strlen(path) <= mount || !slash)
            return sum;
        *slash = '\0';
    }
}

/* Where each hierarchy is mounted by custom: the unified one, the unified one of a hybrid, the old one. */
static double look_below(const char *mount, bool unified, const char *cgroup)
{
    static const char *const places[2][2] = {{"/cpu,cpuacct", "/cpu"}, {"", "/unified"}};
    for (int i = 0; i < 2; i++) {
        char path[MAX_PATH];
        int length = snprintf(path, sizeof path, "%s%s", mount, places[unified][i]);
        vt_text_append(path, sizeof path, "%s", strcmp(cgroup, "/") == 0 ? "" : cgroup);
        double sum = add_upwards(path, (size_t)length);
        if (!isnan(sum))
            return sum;
    }
    return NAN;
}

static bool names_cpu(const char *controllers)
{
    for (const char *word = controllers; *word; word += strcspn(word, ","), word += *word == ',')
        if (strcspn(word, ",") == 3 && strncmp(word, "cpu", 3) == 0)
            return true;
    return false;
}

/* proc(5), cgroups(7): "hierarchy:controllers:path"; the unified hierarchy names no controllers. */
double vt_quota_throttled(const char *cgroups, const char *mount)
{
    char line[2048];
    double found = NAN;
    FILE *file = fopen(cgroups, "re");
    while (file && isnan(found) && fgets(line, sizeof line, file)) {
        char *controllers = strchr(line, ':'), *path = controllers ? strchr(controllers + 1, ':') : NULL;
        if (!path)
            continue;
        *path++ = '\0';
        controllers++;
        path[strcspn(path, "\n")] = '\0';
        if (*controllers == '\0' || names_cpu(controllers))
            found = look_below(mount, *controllers == '\0', path);
    }
    if (file)
        fclose(file);
    return found;
}
