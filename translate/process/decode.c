#include "translate/process/zydis.h"

#include <Zydis/Zydis.h>
#include <stdlib.h>

#define STATUS_FLAGS                                                                                         \
    (ZYDIS_CPUFLAG_CF | ZYDIS_CPUFLAG_PF | ZYDIS_CPUFLAG_AF | ZYDIS_CPUFLAG_ZF | ZYDIS_CPUFLAG_SF |          \
     ZYDIS_CPUFLAG_OF)

/*
 * Categories whose instructions neither read nor change what a hypervisor must own, whatever their
 * operands. What is not listed is looked at one by one, and in doubt left to the emulator.
 */
static const bool innocuous[ZYDIS_CATEGORY_MAX_VALUE + 1] = {
    [ZYDIS_CATEGORY_ADOX_ADCX] = true,
    [ZYDIS_CATEGORY_AES] = true,
    [ZYDIS_CATEGORY_AVX] = true,
    [ZYDIS_CATEGORY_AVX2] = true,
    [ZYDIS_CATEGORY_AVX2GATHER] = true,
    [ZYDIS_CATEGORY_AVX512] = true,
    [ZYDIS_CATEGORY_AVX512_BITALG] = true,
    [ZYDIS_CATEGORY_AVX512_VBMI] = true,
    [ZYDIS_CATEGORY_AVX512_VP2INTERSECT] = true,
    [ZYDIS_CATEGORY_BINARY] = true,
    [ZYDIS_CATEGORY_BITBYTE] = true,
    [ZYDIS_CATEGORY_BLEND] = true,
    [ZYDIS_CATEGORY_BMI1] = true,
    [ZYDIS_CATEGORY_BMI2] = true,
    [ZYDIS_CATEGORY_BROADCAST] = true,
    [ZYDIS_CATEGORY_CLFLUSHOPT] = true,
    [ZYDIS_CATEGORY_CLWB] = true,
    [ZYDIS_CATEGORY_CMOV] = true,
    [ZYDIS_CATEGORY_COMPRESS] = true,
    [ZYDIS_CATEGORY_CONFLICT] = true,
    [ZYDIS_CATEGORY_CONVERT] = true,
    [ZYDIS_CATEGORY_DECIMAL] = true,
    [ZYDIS_CATEGORY_EXPAND] = true,
    [ZYDIS_CATEGORY_FCMOV] = true,
    [ZYDIS_CATEGORY_FLAGOP] = true,
    [ZYDIS_CATEGORY_FMA4] = true,
    [ZYDIS_CATEGORY_FP16] = true,
    [ZYDIS_CATEGORY_GATHER] = true,
    [ZYDIS_CATEGORY_GFNI] = true,
    [ZYDIS_CATEGORY_IFMA] = true,
    [ZYDIS_CATEGORY_KMASK] = true,
    [ZYDIS_CATEGORY_LOGICAL] = true,
    [ZYDIS_CATEGORY_LOGICAL_FP] = true,
    [ZYDIS_CATEGORY_LZCNT] = true,
    [ZYDIS_CATEGORY_MMX] = true,
    [ZYDIS_CATEGORY_MOVDIR] = true,
    [ZYDIS_CATEGORY_NOP] = true,
    [ZYDIS_CATEGORY_PCLMULQDQ] = true,
    [ZYDIS_CATEGORY_PREFETCH] = true,
    [ZYDIS_CATEGORY_PREFETCHWT1] = true,
    [ZYDIS_CATEGORY_RDRAND] = true,
    [ZYDIS_CATEGORY_RDSEED] = true,
    [ZYDIS_CATEGORY_ROTATE] = true,
    [ZYDIS_CATEGORY_SCATTER] = true,
    [ZYDIS_CATEGORY_SEMAPHORE] = true,
    [ZYDIS_CATEGORY_SETCC] = true,
    [ZYDIS_CATEGORY_SHA] = true,
    [ZYDIS_CATEGORY_SHIFT] = true,
    [ZYDIS_CATEGORY_SSE] = true,
    [ZYDIS_CATEGORY_STRINGOP] = true,
    [ZYDIS_CATEGORY_STTNI] = true,
    [ZYDIS_CATEGORY_TBM] = true,
    [ZYDIS_CATEGORY_VAES] = true,
    [ZYDIS_CATEGORY_VBMI2] = true,
    [ZYDIS_CATEGORY_VEX] = true,
    [ZYDIS_CATEGORY_VFMA] = true,
    [ZYDIS_CATEGORY_VPCLMULQDQ] = true,
    [ZYDIS_CATEGORY_WIDENOP] = true,
    [ZYDIS_CATEGORY_X87_ALU] = true,
    [ZYDIS_CATEGORY_XOP] = true,
};

/* CLI, STI, CLTS, CLAC and STAC count as flag operations; SYSCALL and the like never get here. */
static const uint16_t sensitive_flag_operations[] = {
    ZYDIS_MNEMONIC_CLI,  ZYDIS_MNEMONIC_STI,  ZYDIS_MNEMONIC_CLTS, ZYDIS_MNEMONIC_CLAC,
    ZYDIS_MNEMONIC_STAC, ZYDIS_MNEMONIC_CLUI, ZYDIS_MNEMONIC_STUI, ZYDIS_MNEMONIC_TESTUI,
};

static const uint16_t innocuous_others[] = {
    ZYDIS_MNEMONIC_LEA,      ZYDIS_MNEMONIC_LEAVE,      ZYDIS_MNEMONIC_ENTER,   ZYDIS_MNEMONIC_XLAT,
    ZYDIS_MNEMONIC_PAUSE,    ZYDIS_MNEMONIC_LFENCE,     ZYDIS_MNEMONIC_MFENCE,  ZYDIS_MNEMONIC_SFENCE,
    ZYDIS_MNEMONIC_CLFLUSH,  ZYDIS_MNEMONIC_LDMXCSR,    ZYDIS_MNEMONIC_STMXCSR, ZYDIS_MNEMONIC_VLDMXCSR,
    ZYDIS_MNEMONIC_VSTMXCSR, ZYDIS_MNEMONIC_CRC32,      ZYDIS_MNEMONIC_FXSAVE,  ZYDIS_MNEMONIC_FXRSTOR,
    ZYDIS_MNEMONIC_FXSAVE64, ZYDIS_MNEMONIC_FXRSTOR64,  ZYDIS_MNEMONIC_ENDBR64, ZYDIS_MNEMONIC_MOVDIRI,
    ZYDIS_MNEMONIC_VZEROALL, ZYDIS_MNEMONIC_VZEROUPPER, ZYDIS_MNEMONIC_RDRAND,  ZYDIS_MNEMONIC_RDSEED,
};

static bool listed(const uint16_t *list, size_t count, uint16_t mnemonic)
{
    for (size_t i = 0; i < count; i++)
        if (list[i] == mnemonic)
            return true;
    return false;
}
#define LISTED(list, mnemonic) listed(list, sizeof(list) / sizeof(list)[0], (uint16_t)(mnemonic))

/* MOV and PUSH carry everything from general registers to CR and DR. */
static bool transfer_is_innocuous(const ZydisDecodedInstruction *z)
{
    uint8_t op = z->opcode;

    if (z->encoding != ZYDIS_INSTRUCTION_ENCODING_LEGACY)
        return true;
    if (z->opcode_map == ZYDIS_OPCODE_MAP_DEFAULT)
        return op != 0x8c && op != 0x8e && op != 0x9c && op != 0x9d;
    if (z->opcode_map == ZYDIS_OPCODE_MAP_0F)
        return !(op >= 0x20 && op <= 0x27) && op != 0xa0 && op != 0xa1 && op != 0xa8 && op != 0xa9;
    return true;
}

static bool is_innocuous(const ZydisDecodedInstruction *z)
{
    switch (z->meta.category) {
    case ZYDIS_CATEGORY_DATAXFER:
    case ZYDIS_CATEGORY_PUSH:
    case ZYDIS_CATEGORY_POP:
        return transfer_is_innocuous(z);
    case ZYDIS_CATEGORY_FLAGOP:
        return !LISTED(sensitive_flag_operations, z->mnemonic);
    default:
        return innocuous[z->meta.category] || LISTED(innocuous_others, z->mnemonic);
    }
}

/* Extensions that work on general registers alone; all others have registers of their own. */
static const bool general_extension[ZYDIS_ISA_EXT_MAX_VALUE + 1] = {
    [ZYDIS_ISA_EXT_ADOX_ADCX] = true, [ZYDIS_ISA_EXT_BASE] = true,       [ZYDIS_ISA_EXT_BMI1] = true,
    [ZYDIS_ISA_EXT_BMI2] = true,      [ZYDIS_ISA_EXT_CLFLUSHOPT] = true, [ZYDIS_ISA_EXT_CLFSH] = true,
    [ZYDIS_ISA_EXT_CLWB] = true,      [ZYDIS_ISA_EXT_LONGMODE] = true,   [ZYDIS_ISA_EXT_LZCNT] = true,
    [ZYDIS_ISA_EXT_MOVBE] = true,     [ZYDIS_ISA_EXT_MOVDIR] = true,     [ZYDIS_ISA_EXT_PAUSE] = true,
    [ZYDIS_ISA_EXT_RDRAND] = true,    [ZYDIS_ISA_EXT_RDSEED] = true,     [ZYDIS_ISA_EXT_TBM] = true,
};

/* LFENCE and its kin came with SSE and touch none of it. */
static bool is_extended(const ZydisDecodedInstruction *z)
{
    return !general_extension[z->meta.isa_ext] && z->mnemonic != ZYDIS_MNEMONIC_LFENCE &&
           z->mnemonic != ZYDIS_MNEMONIC_MFENCE && z->mnemonic != ZYDIS_MNEMONIC_SFENCE &&
           z->meta.category != ZYDIS_CATEGORY_PREFETCH;
}

static uint8_t branch_kind(const ZydisDecodedInstruction *z)
{
    const ZydisInstructionAttributes strange =
        ZYDIS_ATTRIB_HAS_SEGMENT_FS | ZYDIS_ATTRIB_HAS_SEGMENT_GS | ZYDIS_ATTRIB_HAS_OPERANDSIZE;
    bool cut = (z->attributes & ZYDIS_ATTRIB_HAS_ADDRESSSIZE) && z->meta.category != ZYDIS_CATEGORY_COND_BR;

    /* Intel ignores an operand-size prefix here, AMD cuts RIP to 16 bits: no code means that. */
    if (cut || (z->attributes & strange))
        return VT_INSN_SENSITIVE;
    switch (z->meta.category) {
    case ZYDIS_CATEGORY_COND_BR:
        if (z->mnemonic == ZYDIS_MNEMONIC_XBEGIN)
            return VT_INSN_SENSITIVE;
        return z->opcode >= 0xe0 && z->opcode <= 0xe3 && z->opcode_map == ZYDIS_OPCODE_MAP_DEFAULT
                   ? VT_INSN_LOOP
                   : VT_INSN_JUMP_IF;
    case ZYDIS_CATEGORY_UNCOND_BR:
        if (z->opcode == 0xe9 || z->opcode == 0xeb)
            return VT_INSN_JUMP;
        return z->opcode == 0xff && z->raw.modrm.reg == 4 ? VT_INSN_JUMP_TO : VT_INSN_SENSITIVE;
    case ZYDIS_CATEGORY_CALL:
        if (z->opcode == 0xe8)
            return VT_INSN_CALL;
        return z->opcode == 0xff && z->raw.modrm.reg == 2 ? VT_INSN_CALL_TO : VT_INSN_SENSITIVE;
    case ZYDIS_CATEGORY_RET:
        return z->opcode == 0xc3 || z->opcode == 0xc2 ? VT_INSN_RETURN : VT_INSN_SENSITIVE;
    default:
        return VT_INSN_SENSITIVE;
    }
}

static bool is_branch(const ZydisDecodedInstruction *z)
{
    return z->meta.category == ZYDIS_CATEGORY_COND_BR || z->meta.category == ZYDIS_CATEGORY_UNCOND_BR ||
           z->meta.category == ZYDIS_CATEGORY_CALL || z->meta.category == ZYDIS_CATEGORY_RET;
}

static bool is_relative(const ZydisDecodedInstruction *z)
{
    return (z->attributes & ZYDIS_ATTRIB_HAS_MODRM) && z->raw.modrm.mod == 0 && z->raw.modrm.rm == 5;
}

static uint8_t kind_of(const ZydisDecodedInstruction *z)
{
    if (is_branch(z))
        return branch_kind(z);
    if (!is_innocuous(z))
        return VT_INSN_SENSITIVE;
    if (z->attributes & (ZYDIS_ATTRIB_HAS_SEGMENT_FS | ZYDIS_ATTRIB_HAS_SEGMENT_GS))
        return VT_INSN_BASED;
    if (is_relative(z) && (z->attributes & ZYDIS_ATTRIB_HAS_ADDRESSSIZE))
        return VT_INSN_SENSITIVE;
    return z->mnemonic == ZYDIS_MNEMONIC_NOP && z->length > 1 ? VT_INSN_PADDING : VT_INSN_COPY;
}

static uint8_t flags_of(const ZydisDecodedInstruction *z)
{
    return z->cpu_flags && (z->cpu_flags->tested & STATUS_FLAGS) ? VT_FLAGS_READ : VT_FLAGS_KEPT;
}

void vt_translate_decode_slowly(const void *decoder, const uint8_t *code, size_t size, struct vt_insn *insn)
{
    ZydisDecodedInstruction z;
    ZyanStatus status = ZydisDecoderDecodeInstruction(decoder, NULL, code, size < 15 ? size : 15, &z);

    if (ZYAN_FAILED(status)) {
        bool cut = status == ZYDIS_STATUS_NO_MORE_DATA && size < 15;
        *insn = (struct vt_insn){
            .kind = cut ? VT_INSN_CUT : VT_INSN_INVALID, .length = 1, .flags = VT_FLAGS_READ};
        return;
    }
    *insn = (struct vt_insn){
        .kind = kind_of(&z),
        .length = z.length,
        .opcode = z.opcode,
        .modrm = (uint8_t)(z.attributes & ZYDIS_ATTRIB_HAS_MODRM ? z.raw.modrm.offset : 0),
        .relative = (uint8_t)(is_relative(&z) ? z.raw.disp.offset : 0),
        .flags = flags_of(&z),
        .extended = is_extended(&z),
        .pop = (uint16_t)z.raw.imm[0].value.u,
        .branch = (int32_t)z.raw.imm[0].value.s,
    };
    if (insn->kind == VT_INSN_SENSITIVE || insn->kind == VT_INSN_BASED)
        insn->flags = VT_FLAGS_READ;
}

void *vt_translate_new_decoder(void)
{
    ZydisDecoder *decoder = malloc(sizeof *decoder);
    if (decoder)
        ZydisDecoderInit(decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
    return decoder;
}
