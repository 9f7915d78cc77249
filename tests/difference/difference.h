/*
 * Random states and instructions for comparing the emulator with something
 * independent of it. The same seed gives the same state and instruction everywhere.
 */
#ifndef VT_TESTS_DIFFERENCE_DIFFERENCE_H
#define VT_TESTS_DIFFERENCE_DIFFERENCE_H

#include "tests/unit/vcpu/emulator.h"

/* What may stand behind a ModRM byte. */
enum operand { OPERAND_NONE, OPERAND_REGISTER, OPERAND_MEMORY, OPERAND_EITHER };

/* Who is able to judge the form; a bit per oracle. */
enum judge { JUDGE_KVM = 1, JUDGE_UNICORN = 2, JUDGE_NATIVE = 4, JUDGE_TCG = 8, JUDGE_USER = 16 };

/* One encoding of an emulated instruction. */
struct form {
    const char *name;
    uint8_t prefix; /* mandatory 66, F2 or F3; 0: none */
    uint8_t opcode[3];
    uint8_t opcodes;   /* how many of them */
    uint8_t operand;   /* enum operand */
    int8_t group;      /* the reg field of ModRM when it selects the instruction, or -1 */
    uint8_t immediate; /* bytes of it */
    uint8_t options;   /* FORM_ */
    uint8_t judges;    /* enum judge */
};
#define FORM_SIZE 1 /* takes an operand-size prefix and REX.W */
#define FORM_REP  2
#define FORM_LOCK 4

#define DIFFERENCE_FORMS 160 /* room for them */
extern const struct form difference_forms[];
extern const size_t difference_form_count;

struct difference {
    const struct form *form;
    uint64_t seed;
    struct emulator world; /* the state before; its code lies at WORLD_CODE */
    uint8_t code[16];
    size_t length;
    struct vt_instruction instruction;
};

/* splitmix64 */
static inline uint64_t difference_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

enum difference_level { LEVEL_KERNEL, LEVEL_USER };

/*
 * Make the state and instruction of a seed. Base: a world as emulator_open leaves it, whose CPUID the
 * oracle shares. False: the encoding came out invalid or would reach where the world does not say what is
 * there.
 */
bool difference_make(struct difference *d, const struct emulator *base, const struct form *form,
                     enum difference_level level, uint64_t seed);

/* Run it on the emulator: d->world becomes the state after; a fault is not delivered. */
enum vt_step difference_emulate(struct difference *d);

/*
 * A judge's copy of the world's memory: only pages that may differ are copied and compared. `stale` says
 * which pages of the copy are unlike the base's; it starts as DIFFERENCE_ALL.
 */
#define DIFFERENCE_ALL UINT32_MAX
void difference_lay(const struct difference *d, uint8_t *memory, uint32_t *stale);

/* Where the copy differs from the world, or -1. */
long difference_memory(const struct difference *d, const uint8_t *memory, uint32_t *stale);

/* "lar seed 0x1234: 48 0f 02 c1" */
const char *difference_describe(const struct difference *d);

/* Does the state fail? Called with copies of it that were made smaller. */
typedef bool difference_fails(const struct difference *d);

/* Put back everything to what `base` has that the failure does not need. */
void difference_minimize(struct difference *d, const struct emulator *base, difference_fails *fails);

/*
 * Report a failure: minimize it, write it to a file below VT_FAILURES (default /tmp) and say where.
 * Moved to tests/data/emulator/ it is replayed from then on.
 */
void difference_keep(const struct difference *d, const struct emulator *base, difference_fails *fails);

/* Replay tests/data/emulator/ (VT_STATES: another folder) for forms with `judge`. Returns how many fail and
 * adds to *count how many there are. */
unsigned difference_replay(const struct emulator *base, enum judge judge, difference_fails *fails,
                           unsigned *count);

/* First seed: VT_SEED in the environment, else the clock's; printed as a TAP comment. */
uint64_t difference_seed(void);

#endif
