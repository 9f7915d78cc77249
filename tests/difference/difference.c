#include "tests/difference/difference.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void difference_lay(const struct difference *d, uint8_t *memory, uint32_t *stale)
{
    for (size_t page = 0; page < WORLD_SIZE / 4096; page++)
        if ((d->world.touched | *stale) >> page & 1)
            memcpy(memory + page * 4096, d->world.memory + page * 4096, 4096);
    *stale = DIFFERENCE_ALL;
}

long difference_memory(const struct difference *d, const uint8_t *memory, uint32_t *stale)
{
    if (memcmp(memory, d->world.memory, WORLD_SIZE) == 0) {
        *stale = d->world.touched;
        return -1;
    }
    for (long i = 0; i < WORLD_SIZE; i++)
        if (memory[i] != d->world.memory[i])
            return i;
    return -1;
}

enum vt_step difference_emulate(struct difference *d)
{
    return vt_vcpu_execute(&d->world.vcpu, &d->world.environment, &d->instruction);
}

const char *difference_describe(const struct difference *d)
{
    static char text[160];
    snprintf(text, sizeof text, "%s seed 0x%llx:", d->form->name, (unsigned long long)d->seed);

    for (size_t i = 0; i < d->length; i++)
        vt_text_append(text, sizeof text, " %02x", d->code[i]);
    return text;
}

uint64_t difference_seed(void)
{
    const char *text = getenv("VT_SEED");
    struct timespec now;
    uint64_t seed;

    /* A failed assertion ends the process: what was said before must be out by then. */
    setvbuf(stdout, NULL, _IOLBF, 0);
    clock_gettime(CLOCK_REALTIME, &now);
    seed = text ? strtoull(text, NULL, 0) : (uint64_t)now.tv_nsec << 20 ^ (uint64_t)now.tv_sec;
    printf("# VT_SEED=0x%llx VT_ROUNDS=N repeats and lengthens this run\n", (unsigned long long)seed);
    return seed;
}
