/* Failures made small, written down and replayed: a state as its differences from the base, word by word. */
#include "tests/difference/compare.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FOLDER "tests/data/emulator"
#define STATE  offsetof(struct vt_vcpu, fault) /* the part of the virtual CPU that is input */

static void minimize_span(struct difference *d, const struct emulator *base, difference_fails *fails,
                          size_t offset, size_t size)
{
    static struct difference trial;
    uint8_t *now = (uint8_t *)&d->world, *then = (uint8_t *)&trial.world;
    const uint8_t *plain = (const uint8_t *)base;

    if (memcmp(now + offset, plain + offset, size) == 0)
        return;
    trial = *d;
    trial.world.environment.context = &trial.world;
    trial.world.touched = DIFFERENCE_ALL;
    memcpy(then + offset, plain + offset, size);
    if (fails(&trial)) {
        memcpy(now + offset, plain + offset, size);
        return;
    }
    if (size <= 8)
        return;
    minimize_span(d, base, fails, offset, size / 2 & ~(size_t)7);
    minimize_span(d, base, fails, offset + (size / 2 & ~(size_t)7), size - (size / 2 & ~(size_t)7));
}

void difference_minimize(struct difference *d, const struct emulator *base, difference_fails *fails)
{
    size_t memory = offsetof(struct emulator, memory), code = WORLD_CODE - WORLD_MEMORY + 16;

    minimize_span(d, base, fails, offsetof(struct emulator, vcpu), STATE);
    minimize_span(d, base, fails, memory + code, WORLD_SIZE - code);
}

static uint64_t word_at(const void *bytes, size_t offset)
{
    uint64_t word;

    memcpy(&word, (const uint8_t *)bytes + offset, sizeof word);
    return word;
}

static void write_words(FILE *file, const char *what, const void *now, const void *plain, size_t size)
{
    for (size_t offset = 0; offset < size; offset += 8)
        if (word_at(now, offset) != word_at(plain, offset))
            fprintf(file, "%s 0x%zx 0x%llx\n", what, offset, (unsigned long long)word_at(now, offset));
}

static void write_state(FILE *file, const struct difference *d, const struct emulator *base)
{
    fprintf(file, "form %s\ncode", d->form->name);
    for (size_t i = 0; i < d->length; i++)
        fprintf(file, " %02x", d->code[i]);
    fprintf(file, "\n");
    write_words(file, "vcpu", &d->world.vcpu, &base->vcpu, STATE);
    write_words(file, "memory", d->world.memory, base->memory, WORLD_SIZE);
}

void difference_keep(const struct difference *d, const struct emulator *base, difference_fails *fails)
{
    static struct difference small;
    const char *folder = getenv("VT_FAILURES");
    char path[256];
    FILE *file;

    small = *d;
    small.world.environment.context = &small.world;
    small.world.touched = DIFFERENCE_ALL;
    if (!fails(&small))
        return;
    difference_minimize(&small, base, fails);
    snprintf(path, sizeof path, "%s/vmtoll-%016llx.state", folder ? folder : "/tmp",
             (unsigned long long)d->seed);
    file = fopen(path, "we");
    if (!file)
        return;
    write_state(file, &small, base);
    fclose(file);
    printf("# minimized: %s (move it to " FOLDER " to have it replayed)\n", path);
}

static const struct form *find_form(const char *name)
{
    for (size_t i = 0; i < difference_form_count; i++)
        if (strcmp(difference_forms[i].name, name) == 0)
            return &difference_forms[i];
    return NULL;
}

static void read_code(struct difference *d, const char *text)
{
    unsigned byte;
    int used;

    for (d->length = 0; d->length < 15 && sscanf(text, "%x%n", &byte, &used) == 1; text += used)
        d->code[d->length++] = (uint8_t)byte;
}

static void read_line(struct difference *d, char *line)
{
    unsigned long long value;
    size_t offset;

    line[strcspn(line, "\n")] = 0;
    if (strncmp(line, "form ", 5) == 0)
        d->form = find_form(line + 5);
    else if (strncmp(line, "code ", 5) == 0)
        read_code(d, line + 5);
    else if (sscanf(line, "vcpu %zx %llx", &offset, &value) == 2 && offset + 8 <= STATE)
        memcpy((uint8_t *)&d->world.vcpu + offset, &value, 8);
    else if (sscanf(line, "memory %zx %llx", &offset, &value) == 2 && offset + 8 <= WORLD_SIZE)
        memcpy(d->world.memory + offset, &value, 8);
}

static bool read_state(const char *path, const struct emulator *base, struct difference *d)
{
    FILE *file = fopen(path, "re");
    char line[256];

    if (!file)
        return false;
    d->form = NULL;
    d->seed = d->length = 0;
    d->world = *base;
    d->world.environment.context = &d->world;
    d->world.touched = DIFFERENCE_ALL;
    while (fgets(line, sizeof line, file))
        read_line(d, line);
    fclose(file);
    memcpy(emulator_at(&d->world, WORLD_CODE), d->code, d->length);
    return d->form && vt_vcpu_decode(d->code, d->length, &d->instruction) == 0;
}

unsigned difference_replay(const struct emulator *base, enum judge judge, difference_fails *fails,
                           unsigned *count)
{
    static struct difference d;
    const char *chosen = getenv("VT_STATES"), *folder = chosen ? chosen : FOLDER;
    DIR *directory = opendir(folder);
    struct dirent *entry;
    unsigned failed = 0;

    while (directory && (entry = readdir(directory))) {
        char path[512];

        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (entry->d_name[0] == '.' || !read_state(path, base, &d) || !(d.form->judges & judge))
            continue;
        ++*count;
        if (fails(&d)) {
            printf("# %s fails again: %s\n", path, difference_verdict());
            failed++;
        }
    }
    if (directory)
        closedir(directory);
    return failed;
}
