/*
 * The lines of an image that boots anywhere (guest/boot/), as a cable, a debug port or a file brings them:
 * nobody vouches for them. What does not begin with '@' is somebody else's; a line of the image ends with its
 * check, CRC-16/CCITT-FALSE of what stands before " *":
 *
 *     @fact version 0.2.0 *281b               first, and once; then other facts
 *     @clock pm-timer 2595732 *b094           how fast the time-stamp counter counts, in kHz, by one source
 *     @cpuid LEAF SUBLEAF EAX EBX ECX EDX *.. hexadecimal
 *     @case 3 129 thousand *....              about to run; 1, 2, ... of so many
 *     @row thousand ok 1 2310 1150 ... : interrupts 7 0 smi 3 17 *....
 *     @row rdpid unsupported why *....
 *     @row rdpmc fault 13 0 *....             vector, error code
 *     @road monitor-trap *....                a road of the image's own monitor that there is ...
 *     @road monitor-vmx why *....             ... and one that there is not
 *     @roads 3 129 thousand *....             about to run on those there are; 1, 2, ... as above
 *     @row cli monitor-trap ok 1 231 20 ... : traps 7 0 #13 7 0 bare 800 100 *....
 *                                             counters and exceptions of bodies and of baselines; ticks of so
 * many bare crossings. Instead of ok also unsupported, fault, timeout, halted, broken
 *     @end 129 *....                          all cases were run
 *
 * Owns: what is well formed. Does not own: what it means (judge.h).
 */
#ifndef VT_IMAGE_LINES_H
#define VT_IMAGE_LINES_H

#include "base/error.h"
#include "base/counter.h"
#include "guest/catalogue.h"
#include "lab/road.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VT_IMAGE_PAIRS_MOST 101
#define VT_IMAGE_CLOCKS     16
#define VT_IMAGE_ROADS_MOST 16
#define VT_IMAGE_VECTORS    32

/* The last: on a road, in a way of its own. */
enum vt_image_answer { VT_IMAGE_SILENT, VT_IMAGE_OK, VT_IMAGE_UNSUPPORTED, VT_IMAGE_FAULT, VT_IMAGE_ENDED };

/* One case that was announced; VT_IMAGE_SILENT: nothing more came. */
struct vt_image_case {
    const struct vt_case *c;
    const struct vt_lab_road *road; /* NULL: as it stands, at ring 0 */
    enum vt_image_answer answer;
    char reason[200];
    uint64_t vector;
    uint64_t iterations;
    size_t pairs;
    uint64_t ticks[2][VT_IMAGE_PAIRS_MOST]; /* of body and baseline */
    bool has_interrupts;
    uint64_t interrupts[2];
    bool smi[VT_IMAGE_PAIRS_MOST];
    /* Of a road. */
    const struct vt_lab_road_end *end;
    struct vt_counters counters[2];
    uint64_t vectors[2][VT_IMAGE_VECTORS]; /* exceptions among the crossings */
    uint64_t bare[2];                      /* ticks of so many bare crossings; 0: not known */
};

/* A road of the monitor's that was asked for, in the order of its rows. */
struct vt_image_offer {
    const struct vt_lab_road *road;
    char refusal[200]; /* ""; it is there */
};

struct vt_image_clock {
    char source[24];
    uint64_t khz;
};

struct vt_image_said {
    char version[32], firmware[16], line[1024];
    bool hypervisor;
    char signature[13]; /* printable; "" where there is no hypervisor or it has none */
    uint64_t khz;       /* 0: no two sources agreed */
    struct vt_image_clock clocks[VT_IMAGE_CLOCKS];
    size_t clock_count;
    char *dump; /* the leaves as cpuid -r prints them; owned */
    size_t dump_size;
    struct vt_image_case *cases; /* as they stand; owned */
    size_t count, total;
    struct vt_image_offer offers[VT_IMAGE_ROADS_MOST];
    size_t offer_count;
    const struct vt_case *on_roads; /* the last one announced there; NULL: none */
    size_t on_roads_count;
    struct vt_image_case *rows; /* of roads, in their order; owned */
    size_t row_count;
    bool ended;
};

/*
 * Read `size` bytes; `name` is for messages: "NAME:LINE: what is wrong", one line. Returns 0 or a negative
 * errno with the error filled; release in any case.
 */
int vt_image_read(struct vt_image_said *said, const char *name, const char *data, size_t size,
                  struct vt_error *error);
void vt_image_release(struct vt_image_said *said);

/* The check at the end of a line. */
uint16_t vt_image_check(const char *text, size_t size);

#endif
