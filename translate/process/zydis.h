/* What an instruction is to the translator, by Zydis: all of them, slowly. */
#ifndef VT_TRANSLATE_PROCESS_ZYDIS_H
#define VT_TRANSLATE_PROCESS_ZYDIS_H

#include "translate/decode.h"

/* `decoder` is one of vt_translate_new_decoder. */
void vt_translate_decode_slowly(const void *decoder, const uint8_t *code, size_t size, struct vt_insn *insn);

/* Allocated, released with free(). NULL: there is no memory. */
void *vt_translate_new_decoder(void);

#endif
