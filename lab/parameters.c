#include "lab/parameters.h"
#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const modules[] = {"kvm", "kvm_amd", "kvm_intel"};

/* One of a list: "kvm_amd.npt=0". */
struct parameter {
    char module[16], name[64], value[VT_LAB_PARAMETER_VALUE];
};

/* What is in front of the comma; *list moves behind it. 0 or -EINVAL. */
static int take(const char **list, struct parameter *parameter)
{
    char word[256];
    int used = 0;
    size_t length = strcspn(*list, ",");

    if (length >= sizeof word)
        return -EINVAL;
    memcpy(word, *list, length);
    word[length] = '\0';
    *list += length + ((*list)[length] == ',');
    if (sscanf(word, "%15[a-z_].%63[A-Za-z0-9_]=%63[A-Za-z0-9_.:+-]%n", parameter->module, parameter->name,
               parameter->value, &used) != 3 ||
        word[used] != '\0')
        return -EINVAL;
    return 0;
}

static int refuse(const char *list, struct vt_error *error)
{
    return vt_error_set(error, VT_EXIT_USAGE, EINVAL, "--param takes MODULE.NAME=VALUE, not '%.*s'",
                        (int)strcspn(list, ","), list);
}

int vt_lab_parameters_check(const char *list, const char *module, struct vt_error *error)
{
    struct parameter parameter;

    do {
        const char *word = list;
        if (take(&list, &parameter) != 0)
            return refuse(word, error);
        if (strcmp(parameter.module, module) != 0 && strcmp(parameter.module, modules[0]) != 0)
            return vt_error_set(error, VT_EXIT_USAGE, EINVAL,
                                "--param: '%s' is no module of this lab, which has kvm and %s",
                                parameter.module, module);
    } while (*list || list[-1] == ',');
    return 0;
}

void vt_lab_parameters_of(const char *list, const char *module, char *text, size_t size)
{
    struct parameter parameter;

    *text = '\0';
    while (*list && take(&list, &parameter) == 0)
        if (strcmp(parameter.module, module) == 0)
            vt_text_append(text, size, "%s%s=%s", *text ? " " : "", parameter.name, parameter.value);
}

/* As kstrtobool of the kernel: 1, 0, or -1 for neither. */
static int truth(const char *word)
{
    static const char *const words[][2] = {{"N", "0"}, {"0", "0"}, {"n", "0"}, {"off", "0"},
                                           {"Y", "1"}, {"1", "1"}, {"y", "1"}, {"on", "1"}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcmp(word, words[i][0]) == 0)
            return words[i][1][0] - '0';
    return -1;
}

static bool is_number(const char *word, long long *number)
{
    char *end;
    *number = strtoll(word, &end, 0);
    return end != word && *end == '\0';
}

/* Words of more meanings than yes and no ("force") cannot be judged by what is shown. */
bool vt_lab_parameters_agree(const char *asked, const char *shown)
{
    long long a, b;

    if (strcmp(shown, "Y") == 0 || strcmp(shown, "N") == 0)
        return truth(asked) < 0 || truth(asked) == truth(shown);
    if (is_number(asked, &a) && is_number(shown, &b))
        return a == b;
    return strcmp(asked, shown) == 0;
}

bool vt_lab_parameters_value(const char *folder, const char *module, const char *name,
                             char value[VT_LAB_PARAMETER_VALUE])
{
    char path[PATH_MAX];
    FILE *file;

    *value = '\0';
    if (snprintf(path, sizeof path, "%s/%s/parameters/%s", folder, module, name) >= (int)sizeof path)
        return false;
    file = fopen(path, "re");
    if (!file)
        return false;
    bool got = fgets(value, VT_LAB_PARAMETER_VALUE, file);
    fclose(file);
    value[strcspn(value, "\n")] = '\0';
    vt_text_clean(value, strlen(value));
    return got;
}

static int judge(const struct parameter *parameter, const char *folder, struct vt_error *error)
{
    char shown[VT_LAB_PARAMETER_VALUE];

    if (!vt_lab_parameters_value(folder, parameter->module, parameter->name, shown))
        return vt_error_set(error, VT_EXIT_USAGE, ENOENT,
                            "the module %s of this kernel has no parameter '%s'", parameter->module,
                            parameter->name);
    if (vt_lab_parameters_agree(parameter->value, shown))
        return 0;
    return vt_error_set(error, VT_EXIT_ENVIRONMENT, ENOTSUP,
                        "%s.%s=%s is not in force, KVM made it %s: the emulated processor, or another "
                        "parameter, does not allow it",
                        parameter->module, parameter->name, parameter->value, shown);
}

int vt_lab_parameters_in_force(const char *list, const char *folder, struct vt_error *error)
{
    struct parameter parameter;
    int status = 0;

    while (status == 0 && *list && take(&list, &parameter) == 0)
        status = judge(&parameter, folder, error);
    return status;
}

static int visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static void each_of(const char *folder, const char *module,
                    void (*sink)(void *context, const char *name, const char *value), void *context)
{
    char path[PATH_MAX], name[128], value[VT_LAB_PARAMETER_VALUE];
    struct dirent **list;

    snprintf(path, sizeof path, "%s/%s/parameters", folder, module);
    int count = scandir(path, &list, visible, by_name);
    for (int i = 0; i < count; i++) {
        if (snprintf(name, sizeof name, "%s.%s", module, list[i]->d_name) < (int)sizeof name &&
            vt_lab_parameters_value(folder, module, list[i]->d_name, value))
            sink(context, name, value);
        free(list[i]);
    }
    if (count >= 0)
        free(list);
}

void vt_lab_parameters_each(const char *folder,
                            void (*sink)(void *context, const char *name, const char *value), void *context)
{
    for (size_t i = 0; i < sizeof modules / sizeof modules[0]; i++)
        each_of(folder, modules[i], sink, context);
}
