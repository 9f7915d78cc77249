#include "monitor/generate_forms.h"

#include "monitor/forms.h"
#include "translate/process/zydis.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FORMS_MOST 16384 /* before those that are equal are one */

static struct vt_form forms[FORMS_MOST];
static uint32_t count;

void vt_generate_form(const uint8_t *code, size_t size, const struct vt_instruction *instruction)
{
    static void *decoder;
    struct vt_insn insn;
    bool is_taken = instruction->operation != VT_OP_NONE;

    if (!decoder)
        decoder = vt_translate_new_decoder();
    bool is_known = vt_translate_decode_table(code, size, &insn);
    if ((is_known && !is_taken) || count == FORMS_MOST || !decoder)
        return;
    vt_translate_decode_slowly(decoder, code, size, &insn);
    if (insn.kind == VT_INSN_INVALID || insn.kind == VT_INSN_CUT)
        return;
    struct vt_form *form = &forms[count++];
    *form = (struct vt_form){.insn = insn, .instruction = *instruction};
    memcpy(form->bytes, code, insn.length);
}

static int compare(const void *a, const void *b)
{
    return memcmp(((const struct vt_form *)a)->bytes, ((const struct vt_form *)b)->bytes, VT_FORM_LENGTH);
}

void vt_generate_print_instruction(const struct vt_instruction *row)
{
    printf("{%u, %u, %u, %u, %u, %u, %u, %u, %u, %u, %u, %u, {0}, %lldLL, %lldLL}", row->operation,
           row->length, row->size, row->reg, row->rm, row->base, row->index, row->scale, row->segment,
           row->flags, row->alu, row->source_size, (long long)row->displacement, (long long)row->immediate);
}

static void print(const struct vt_form *form)
{
    const struct vt_insn *insn = &form->insn;

    printf("    {{");
    for (unsigned i = 0; i < VT_FORM_LENGTH; i++)
        printf("%u, ", form->bytes[i]);
    printf("}, {%u, %u, %u, %u, %u, %u, %d, %u, %ld}, ", insn->kind, insn->length, insn->opcode, insn->modrm,
           insn->relative, insn->flags, insn->extended, insn->pop, (long)insn->branch);
    vt_generate_print_instruction(&form->instruction);
    printf("},\n");
}

int vt_generate_print_forms(void)
{
    uint32_t different = 0;

    if (count == FORMS_MOST) {
        fprintf(stderr, "generate: more than %d forms of instructions\n", FORMS_MOST - 1);
        return 1;
    }
    qsort(forms, count, sizeof *forms, compare);
    printf("const struct vt_form vt_forms[] = {\n");
    for (uint32_t i = 0; i < count; i++)
        if (i == 0 || compare(&forms[i - 1], &forms[i]) != 0) {
            print(&forms[i]);
            different++;
        }
    printf("};\nconst uint32_t vt_forms_count = %u;\n", different);
    return 0;
}
