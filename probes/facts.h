/*
 * Where probes get their facts: CPUID leaves and MSRs, of this machine or of a
 * dump, and what its kernel says, through one interface, so that both go through the same decoding.
 *
 * Owns: the leaves, which of them exist, and the readers of MSRs. Does not own:
 * what any bit means (the probes), the formats of dumps (dump.c).
 */
#ifndef VT_PROBES_FACTS_H
#define VT_PROBES_FACTS_H

#include "base/error.h"
#include "guest/catalogue.h"
#include "probes/surroundings.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The four answers of CPUID, indexed by enum vt_cpuid_register. */
struct vt_leaf {
    uint32_t leaf, subleaf;
    uint32_t reg[4];
    uint32_t line; /* of the dump; 0: read from the machine */
};

struct vt_processor {
    long number; /* as the dump or the kernel numbers it */
    uint32_t line;
    struct vt_leaf *leaves; /* by leaf, then subleaf, once sorted */
    size_t count;
    char alike[128];  /* "0-15,32": all of its core type, as the kernel lists them; "": not known */
    bool unannounced; /* a hypervisor's leaves answer although leaf 1 announces none */
};

/* What reading a leaf or an MSR came to. */
enum vt_reading {
    VT_READ,    /* its value is known */
    VT_BEYOND,  /* the processor has no such leaf: every bit of it is 0 */
    VT_MISSING, /* it may have it, the value is not to be had here */
};

enum vt_msr_source {
    VT_MSR_REGISTER, /* the register itself, through /dev/cpu/N/msr */
    VT_MSR_KVM,      /* what KVM offers to guests: a set bit proves the processor's, a clear one does not */
};

enum { VT_DUMP_NOTES = 4 };

struct vt_msr {
    uint64_t value;
    enum vt_msr_source source;
};

/* Of facts that came from a file: what it was read as, and what of it was not taken at its word. */
struct vt_dump_origin {
    const char *form; /* NULL: not from a file */
    char notes[VT_DUMP_NOTES][200];
    size_t note_count;
};

struct vt_facts {
    bool live;
    struct vt_dump_origin dump;
    struct vt_processor *processors;
    size_t count;
    size_t subject; /* index of the processor that leaves are asked of */
    /* Reads an MSR; false when it cannot. NULL: a dump, which has none. */
    bool (*read_msr)(const struct vt_facts *facts, uint32_t index, struct vt_msr *msr);
    int msr_device, kvm_device;          /* descriptors of /dev/cpu/0/msr and /dev/kvm, -1: not open */
    int msr_device_errno;                /* why msr_device is not */
    char *flags, *vmx_flags;             /* lines of /proc/cpuinfo, NULL: there is none */
    struct vt_surroundings surroundings; /* empty of a dump */
};

void vt_facts_init(struct vt_facts *facts);

/* What the kernel says: /proc/cpuinfo and the surroundings below `root`, "" for this machine's. */
void vt_facts_read_kernel(struct vt_facts *facts, const char *root);

void vt_facts_free(struct vt_facts *facts);

/* A new processor, empty; NULL without memory. Valid until the next one is added. */
struct vt_processor *vt_facts_add_processor(struct vt_facts *facts, long number, uint32_t line);

/* Append a leaf; 0 or -ENOMEM. */
int vt_facts_add_leaf(struct vt_processor *processor, const struct vt_leaf *leaf);

/* Bring leaves into the order that lookups need. */
void vt_facts_sort(struct vt_processor *processor);

/* The leaf as given, without asking whether the processor announces it; NULL: none. */
const struct vt_leaf *vt_facts_find(const struct vt_processor *processor, uint32_t leaf, uint32_t subleaf);

/*
 * The leaf as software may use it. Out-of-range leaves answer with the data of
 * another leaf on Intel processors (SDM 2A, CPUID), so what lies beyond the
 * announced maximum counts as absent whatever it contains.
 */
enum vt_reading vt_facts_leaf(const struct vt_facts *facts, uint32_t leaf, uint32_t subleaf, uint32_t reg[4]);

/* One bit of it. */
enum vt_reading vt_facts_bit(const struct vt_facts *facts, struct vt_cpuid_bit bit, bool *set);

/* The 12 characters of leaf 0 and a final 0; "" when leaf 0 is missing. */
void vt_facts_vendor(const struct vt_processor *processor, char vendor[13]);

/* Family, model and stepping as displayed (SDM 2A, CPUID leaf 1; APM 3, Fn0000_0001_EAX). False: unknown. */
bool vt_facts_signature(const struct vt_processor *processor, unsigned *family, unsigned *model,
                        unsigned *stepping);

/* A word of /proc/cpuinfo's flags or vmx flags line. */
bool vt_facts_has_flag(const char *line, const char *flag);

/* VT_READ or VT_MISSING with the reason. */
enum vt_reading vt_facts_msr(const struct vt_facts *facts, uint32_t index, struct vt_msr *msr, char *reason,
                             size_t size);

#endif
