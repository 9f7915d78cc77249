/*
 * Runs while the program is built: decodes the code that the monitor's guest runs, and prints the table
 * as C (decoded.h). Linked with the same objects in the same order as the image.
 *
 * Decoding begins anew at each twin: what lies between code, or is no code, spoils at most the rest of one.
 */
#include "guest/abi.h"
#include "guest/catalogue.h"
#include "guest/payload.h"
#include "monitor/decoded.h"
#include "monitor/generate_forms.h"
#include "vcpu/decode.h"

#include <stdio.h>
#include <stdlib.h>

#define STARTS_MOST 1024
#define ROWS_MOST   UINT16_MAX

struct table {
    uint16_t offsets[ROWS_MOST];
    struct vt_instruction rows[ROWS_MOST];
    uint32_t count;
};

static int compare(const void *a, const void *b)
{
    const uint8_t *const *x = a, *const *y = b;
    return (*x > *y) - (*x < *y);
}

static size_t add(const uint8_t **starts, size_t count, vt_case_function function)
{
    if (function && count < STARTS_MOST)
        starts[count++] = (const uint8_t *)(uintptr_t)function;
    return count;
}

static size_t find_starts(const uint8_t **starts)
{
    size_t cases, count = add(starts, 0, (vt_case_function)(uintptr_t)vt_batch);
    const struct vt_case *all = vt_guest_cases(&cases);

    starts[count++] = vt_guest_code_start;
    for (size_t i = 0; i < cases; i++) {
        count = add(starts, count, all[i].body);
        count = add(starts, count, all[i].baseline);
        for (int interface = 0; interface < VT_PV_INTERFACES; interface++) {
            count = add(starts, count, all[i].pv[interface].body);
            count = add(starts, count, all[i].pv[interface].baseline);
        }
    }
    qsort(starts, count, sizeof *starts, compare);
    return count;
}

/* Rows are kept of what the emulator takes; anything else that faults goes to the guest's own handler. */
static void decode(struct table *table, const uint8_t *whole, const uint8_t *from, const uint8_t *to,
                   const uint8_t *end)
{
    while (from < to) {
        struct vt_instruction instruction;
        if (vt_vcpu_decode(from, (size_t)(to - from), &instruction) != 0)
            return;
        vt_generate_form(from, (size_t)(end - from), &instruction);
        if (instruction.operation != VT_OP_NONE && instruction.operation != VT_OP_UNDEFINED &&
            table->count < ROWS_MOST) {
            table->offsets[table->count] = (uint16_t)(from - whole);
            table->rows[table->count++] = instruction;
        }
        from += instruction.length;
    }
}

static int print_part(const char *name, const struct table *table, const uint8_t *start, const uint8_t *end)
{
    if (table->count == ROWS_MOST || end - start > UINT16_MAX) {
        fprintf(stderr, "generate: %s: more code than offsets of 16 bits reach\n", name);
        return 1;
    }
    printf("static const uint16_t offsets_of_%s[] = {\n", name);
    for (uint32_t i = 0; i < table->count; i++)
        printf("    %u,\n", table->offsets[i]);
    printf("};\nstatic const struct vt_instruction rows_of_%s[] = {\n", name);
    for (uint32_t i = 0; i < table->count; i++) {
        vt_generate_print_instruction(&table->rows[i]);
        printf(",\n");
    }
    printf("};\nconst struct vt_decoded_part vt_decoded_%s = {offsets_of_%s, rows_of_%s, %u, %zu, %uu};\n",
           name, name, name, table->count, (size_t)(end - start),
           vt_decoded_sum(start, (size_t)(end - start)));
    return 0;
}

int main(void)
{
    static struct table cases, handlers;
    static const uint8_t *starts[STARTS_MOST + 1];
    size_t count = find_starts(starts);

    starts[count] = vt_guest_code_end;
    for (size_t i = 0; i < count; i++)
        decode(&cases, vt_guest_code_start, starts[i], starts[i + 1], vt_guest_code_end);
    decode(&handlers, vt_payload_start, vt_payload_start, vt_payload_end, vt_payload_end);
    printf("/* Printed by monitor/generate.c. */\n");
    printf("#include \"monitor/decoded.h\"\n");
    printf("#include \"monitor/forms.h\"\n");
    return count >= STARTS_MOST || print_part("cases", &cases, vt_guest_code_start, vt_guest_code_end) ||
           print_part("handlers", &handlers, vt_payload_start, vt_payload_end) || vt_generate_print_forms();
}
