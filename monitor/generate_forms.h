/* Runs while the program is built: gathers the forms of instructions (forms.h), and prints them. */
#ifndef VT_MONITOR_GENERATE_FORMS_H
#define VT_MONITOR_GENERATE_FORMS_H

#include "vcpu/instruction.h"

#include <stddef.h>

/* The instruction at `code`, which vt_vcpu_decode read as this; the code ends `size` bytes behind its start.
 */
void vt_generate_form(const uint8_t *code, size_t size, const struct vt_instruction *instruction);

/* As C. Nonzero: there were more than there is room for. */
int vt_generate_print_forms(void);

/* The members of a row, as an initializer. */
void vt_generate_print_instruction(const struct vt_instruction *row);

#endif
