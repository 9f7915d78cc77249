/* The loader of machines that are all ours once it runs: under PVH
 * (xen/include/public/arch-x86/hvm/start_info.h) and Multiboot 2 (its specification 2.0, 3.6). What it is
 * told is copied before the block is written to. */
#include "guest/boot/channel.h"
#include "guest/boot/memory.h"
#include "guest/boot/place.h"
#include "guest/boot/port.h"
#include "guest/boot/text.h"

#include <stddef.h>

#define START_INFO_MAGIC 0x336ec578
#define START_INFO_MAP   1 /* version, from which on there is a memory map */
#define MEMORY_FREE      1 /* the type of both maps, as of E820 */
#define MOST_RANGES      64

struct start_info {
    uint32_t magic, version, flags, modules;
    uint64_t module_list, command_line, rsdp, map;
    uint32_t map_entries, reserved;
};

struct start_map {
    uint64_t start, size;
    uint32_t type, reserved;
};

enum { TAG_END, TAG_LINE, TAG_MAP = 6, TAG_SCREEN = 8, TAG_RSDP_1 = 14, TAG_RSDP_2 = 15 };
#define SCREEN_OF_TEXT 2

struct tag {
    uint32_t type, size;
};

struct tag_map {
    struct tag tag;
    uint32_t entry_size, entry_version;
};

struct tag_screen {
    struct tag tag;
    uint64_t address;
    uint32_t pitch, width, height;
    uint8_t bits, kind;
};

/* What either says. */
struct told {
    struct vt_boot_range granted[MOST_RANGES];
    size_t count;
    uint64_t rsdp;
    const char *line;
    bool screen;
};

void vt_boot_pc(uint32_t multiboot, uint64_t from);
extern const uint8_t vt_boot_pc_start[], vt_boot_pc_end[];

static struct told told;

static void grant(uint64_t start, uint64_t size, uint32_t type)
{
    if (type == MEMORY_FREE && told.count < MOST_RANGES && start + size > start)
        told.granted[told.count++] = (struct vt_boot_range){start, start + size};
}

static void read_start_info(const struct start_info *start)
{
    const struct start_map *map = (const struct start_map *)start->map;

    if (start->magic != START_INFO_MAGIC)
        return;
    told.line = (const char *)start->command_line;
    told.rsdp = start->rsdp;
    for (uint32_t i = 0; start->version >= START_INFO_MAP && map && i < start->map_entries; i++)
        grant(map[i].start, map[i].size, map[i].type);
}

static void read_map(const struct tag_map *map)
{
    const uint8_t *at = (const uint8_t *)(map + 1), *end = (const uint8_t *)map + map->tag.size;

    for (; map->entry_size >= sizeof(struct start_map) && at + map->entry_size <= end;
         at += map->entry_size) {
        const struct start_map *entry = (const struct start_map *)at;
        grant(entry->start, entry->size, entry->type);
    }
}

static void read_tag(const struct tag *tag)
{
    switch (tag->type) {
    case TAG_LINE:
        told.line = (const char *)(tag + 1);
        break;
    case TAG_MAP:
        read_map((const struct tag_map *)tag);
        break;
    case TAG_SCREEN:
        told.screen = ((const struct tag_screen *)tag)->kind == SCREEN_OF_TEXT;
        break;
    case TAG_RSDP_1: /* a copy of it */
    case TAG_RSDP_2:
        told.rsdp = (uint64_t)(tag + 1);
        break;
    default:
        break;
    }
}

/* Its size, 4 bytes of nothing, then tags on 8 bytes. */
static void read_multiboot(uint64_t at)
{
    uint64_t end = at + *(const uint32_t *)at;

    for (at += 8; at + sizeof(struct tag) <= end;) {
        const struct tag *tag = (const struct tag *)at;
        if (tag->type == TAG_END || tag->size < sizeof *tag || at + tag->size > end)
            return;
        read_tag(tag);
        at += (tag->size + 7) & ~7U;
    }
}

static uint64_t find_block(uint64_t from)
{
    const struct vt_boot_range taken[] = {
        {(uint64_t)vt_boot_pc_start, (uint64_t)vt_boot_pc_end},
        {from & ~UINT64_C(0xffff), (from & ~UINT64_C(0xffff)) + 0x20000},
    };
    return vt_boot_memory_find(told.granted, told.count, taken, sizeof taken / sizeof taken[0]);
}

static void refuse(const char *why)
{
    struct vt_boot_channels channels = {.screen = told.screen ? (volatile uint16_t *)0xb8000 : NULL};
    uint64_t size = 0;

    while (why[size])
        size++;
    vt_boot_channels_find(&channels, true);
    vt_boot_channels_send(&channels, why, size);
    vt_boot_channels_show(&channels, why);
}

/*
 * Without ACPI's methods there are three ways to switch off, each of an emulator and none of a PC: QEMU's,
 * that of Bochs and older QEMU, VirtualBox'. Resetting ends with what every processor resets at: an exception
 * that finds no handler.
 */
static void end(const char *how)
{
    if (vt_boot_text_is(how, "off")) {
        vt_boot_out_word(0x604, 0x2000);
        vt_boot_out_word(0xb004, 0x2000);
        vt_boot_out_word(0x4004, 0x3400);
    }
    if (vt_boot_text_is(how, "reset")) {
        vt_boot_out(0xcf9, 0x0e);
        vt_boot_out(0x64, 0xfe);
        __asm__ volatile("ud2");
    }
}

void vt_boot_pc(uint32_t multiboot, uint64_t from)
{
    static char line[sizeof((struct vt_boot_info *)0)->line];

    if (multiboot)
        read_multiboot(from);
    else
        read_start_info((const struct start_info *)from);
    vt_boot_copy_text(line, sizeof line, vt_boot_choose_line(told.line));
    uint64_t base = find_block(from);
    const char *refusal = vt_boot_refusal();
    if (refusal) {
        refuse(refusal);
        return;
    }
    if (!base) {
        refuse("vmtoll: the firmware grants no 12 MiB of memory in one piece below 4 GiB: nothing was "
               "measured\n");
        return;
    }
    struct vt_boot_info *info = vt_boot_place(base);
    info->firmware = multiboot ? VT_BOOT_MULTIBOOT : VT_BOOT_PVH;
    info->rsdp = told.rsdp;
    info->screen = told.screen;
    vt_boot_copy_text(info->line, sizeof info->line, line);
    vt_boot_enter(info, VT_BOOT_OPEN);
    while (vt_boot_enter(info, VT_BOOT_CASE))
        ;
    vt_boot_enter(info, VT_BOOT_CLOSE);
    end(info->end);
}
