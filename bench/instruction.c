#include "bench/instruction.h"
#include "guest/catalogue.h"

#include <Zydis/Zydis.h>
#include <stdio.h>

#define LONGEST 15 /* Intel SDM 2A 2.3.11 */

/* "f7 f1" */
static void put_bytes(const uint8_t *code, size_t length, char text[3 * LONGEST])
{
    for (size_t i = 0; i < length; i++)
        sprintf(text + 3 * i, "%02x%s", code[i], i + 1 < length ? " " : "");
}

struct vt_bench_instruction vt_bench_instruction_at(uint64_t offset)
{
    uint64_t whole = (uint64_t)(vt_guest_code_end - vt_guest_code_start);
    struct vt_bench_instruction result = {"code outside the cases"};
    char bytes[3 * LONGEST];
    ZydisDecodedInstruction z;
    ZydisDecoder decoder;

    if (offset >= whole)
        return result;
    const uint8_t *code = vt_guest_code_start + offset;
    size_t size = whole - offset < LONGEST ? whole - offset : LONGEST;
    ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
    bool known = ZYAN_SUCCESS(ZydisDecoderDecodeInstruction(&decoder, NULL, code, size, &z));
    put_bytes(code, known ? z.length : size, bytes);
    snprintf(result.text, sizeof result.text, "%s (%s)",
             known ? ZydisMnemonicGetString(z.mnemonic) : "no instruction", bytes);
    return result;
}
