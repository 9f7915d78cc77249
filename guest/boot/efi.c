/*
 * The loader as an EFI application. Boot services stay: it borrows the processor with interrupts off for one
 * case at a time and gives it back in between. It writes to the volume it was loaded from, and to no other.
 */
#include "guest/boot/efi.h"
#include "guest/boot/memory.h"
#include "guest/boot/menu.h"
#include "guest/boot/place.h"
#include "guest/boot/text.h"

#include <stddef.h>

#define PAGE       0x1000
#define ASKED      (VT_BOOT_BLOCK + VT_BOOT_ALIGNMENT) /* some block of it is aligned */
#define TRIES      4
#define MOST_FILES 99
#define WAIT       5     /* seconds for a key */
#define LOOK       20000 /* us between two looks */

struct loader {
    struct vt_efi_system *system;
    struct vt_efi_file *root, *file;
    uint64_t memory[TRIES];
    uint64_t written;
    uint16_t name[16];
    char line[sizeof((struct vt_boot_info *)0)->line];
};

vt_efi_status VT_EFI vt_efi_entry(vt_efi_handle self, struct vt_efi_system *system);

static void say(struct loader *l, const char *text)
{
    uint16_t wide[128];
    size_t used = 0;

    for (; *text; text++) {
        if (*text == '\n')
            wide[used++] = '\r';
        wide[used++] = (uint8_t)*text;
        if (used > 120 || !text[1]) {
            wide[used] = 0;
            l->system->output->output(l->system->output, wide);
            used = 0;
        }
    }
}

static void say_number(struct loader *l, uint64_t number)
{
    char digits[21], *at = digits + sizeof digits - 1;
    *at = '\0';
    do
        *--at = (char)('0' + number % 10);
    while (number /= 10);
    say(l, at);
}

static bool same(const struct vt_efi_guid *a, const struct vt_efi_guid *b)
{
    for (size_t i = 0; i < sizeof a->d; i++)
        if (a->d[i] != b->d[i])
            return false;
    return a->a == b->a && a->b == b->b && a->c == b->c;
}

static uint64_t find_rsdp(const struct vt_efi_system *system)
{
    const struct vt_efi_guid old = {
        0xeb9d2d30, 0x2d88, 0x11d3, {0x9a, 0x16, 0x00, 0x90, 0x27, 0x3f, 0xc1, 0x4d}};
    const struct vt_efi_guid now = {
        0x8868e871, 0xe4f1, 0x11d3, {0xbc, 0x22, 0x00, 0x80, 0xc7, 0x3c, 0x88, 0x81}};
    uint64_t found = 0;

    for (uint64_t i = 0; i < system->table_count; i++)
        if (same(&system->tables[i].guid, &now))
            return system->tables[i].address;
        else if (same(&system->tables[i].guid, &old))
            found = system->tables[i].address;
    return found;
}

/* Words of the shell or of a boot entry, which may be anything; without an '=' they choose nothing. */
static bool take_options(struct loader *l, const struct vt_efi_image *image)
{
    bool chooses = false;
    size_t used = 0;

    for (uint32_t i = 0; image->options && i < image->options_size / 2 && used < sizeof l->line - 1; i++) {
        uint16_t character = image->options[i];
        if (character < 0x20 || character > 0x7e)
            break;
        chooses |= character == '=';
        l->line[used++] = (char)character;
    }
    l->line[chooses ? used : 0] = '\0';
    return chooses;
}

static bool read_key(struct loader *l, uint16_t *character)
{
    struct vt_efi_key key;
    if (!l->system->input || l->system->input->read(l->system->input, &key) != 0)
        return false;
    *character = key.character;
    return true;
}

/* Words typed, up to Enter. */
static void read_line(struct loader *l, uint16_t character)
{
    char text[2] = {0};
    size_t used = 0;

    while (character != '\r') {
        if (character == '\b' && used > 0) {
            used--;
            say(l, "\b \b");
        } else if (character >= 0x20 && character < 0x7f && used < sizeof l->line - 1) {
            l->line[used++] = text[0] = (char)character;
            say(l, text);
        }
        while (!read_key(l, &character))
            l->system->boot->stall(LOOK);
    }
    l->line[used] = '\0';
    say(l, "\n");
}

static void take_choice(struct loader *l, uint16_t character)
{
    if (character >= '1' && character < '1' + VT_BOOT_CHOICES)
        vt_boot_copy_text(l->line, sizeof l->line, vt_boot_menu[character - '1'].words);
    else if (character != '\r')
        read_line(l, character);
}

static void ask(struct loader *l)
{
    char number[] = "  1  ";
    uint16_t character;

    for (int i = 0; i < VT_BOOT_CHOICES; i++, number[2]++) {
        say(l, number);
        say(l, vt_boot_menu[i].title);
        say(l, "\n");
    }
    say(l, "or words, such as case=cpuid,mov-* class=msr, and Enter. In 5 seconds it is 1.\n");
    for (int look = 0; look < WAIT * 1000000 / LOOK; look++) {
        if (read_key(l, &character)) {
            take_choice(l, character);
            return;
        }
        l->system->boot->stall(LOOK);
    }
}

/* As high as firmware gives it; a block that must not be is kept until the end, so that the next is another.
 */
static uint64_t allocate(struct loader *l)
{
    uint64_t below = VT_BOOT_LIMIT - 1, base = 0;

    for (int i = 0; !base && i < TRIES; i++) {
        uint64_t address = below;
        if (l->system->boot->allocate(VT_EFI_ALLOCATE_BELOW, VT_EFI_LOADER_CODE, ASKED / PAGE, &address) != 0)
            return 0;
        l->memory[i] = address;
        base = vt_boot_memory_find(&(struct vt_boot_range){address, address + ASKED}, 1, NULL, 0);
        below = address - 1;
    }
    return base;
}

static void release(struct loader *l)
{
    for (int i = 0; i < TRIES; i++)
        if (l->memory[i])
            l->system->boot->release(l->memory[i], ASKED / PAGE);
}

/* "\vmtoll-7.log", the first that is not there yet. */
static bool create_file(struct loader *l)
{
    static const char before[] = "\\vmtoll-", after[] = ".log";
    struct vt_efi_file *there;

    for (int number = 1; number <= MOST_FILES; number++) {
        uint16_t *at = l->name;
        for (const char *c = before; *c; c++)
            *at++ = (uint16_t)*c;
        if (number > 9)
            *at++ = (uint16_t)('0' + number / 10);
        *at++ = (uint16_t)('0' + number % 10);
        for (const char *c = after; *c; c++)
            *at++ = (uint16_t)*c;
        *at = 0;
        if (l->root->open(l->root, &there, l->name, VT_EFI_FILE_READ, 0) == 0)
            there->close(there);
        else
            return l->root->open(l->root, &l->file, l->name,
                                 VT_EFI_FILE_READ | VT_EFI_FILE_WRITE | VT_EFI_FILE_CREATE, 0) == 0;
    }
    return false;
}

static void open_file(struct loader *l, const struct vt_efi_image *image)
{
    const struct vt_efi_guid guid = {
        0x964e5b22, 0x6459, 0x11d2, {0x8e, 0x39, 0x00, 0xa0, 0xc9, 0x69, 0x72, 0x3b}};
    struct vt_efi_volume *volume;

    if (l->system->boot->protocol(image->device, &guid, (void **)&volume) != 0 ||
        volume->open(volume, &l->root) != 0)
        return;
    if (!create_file(l))
        l->file = NULL;
}

/* What was said since the last time: a case that hangs leaves what came before it. */
static void write_file(struct loader *l, const struct vt_boot_info *info)
{
    uint64_t size = info->log - l->written;

    if (!l->file || size == 0)
        return;
    if (l->file->write(l->file, &size, (const char *)info->base + VT_BOOT_LOG + l->written) != 0 ||
        l->file->flush(l->file) != 0) {
        l->file->close(l->file);
        l->file = NULL;
        return;
    }
    l->written += size;
}

static void run(struct loader *l, struct vt_boot_info *info)
{
    vt_boot_enter(info, VT_BOOT_OPEN);
    write_file(l, info);
    while (*info->name) {
        say_number(l, info->done + 1);
        say(l, " of ");
        say_number(l, info->total);
        say(l, ": ");
        say(l, info->name);
        vt_boot_enter(info, VT_BOOT_CASE);
        say(l, info->last);
        say(l, "\n");
        write_file(l, info);
    }
    vt_boot_enter(info, VT_BOOT_CLOSE);
    write_file(l, info);
}

static void tell_where(struct loader *l)
{
    if (!l->file) {
        say(l, "vmtoll: the volume it was loaded from takes no file: its lines went to COM1 and the debug "
               "port, where there are "
               "such\n");
        return;
    }
    l->file->close(l->file);
    say(l, "vmtoll: written to ");
    l->system->output->output(l->system->output, l->name);
    say(l, " on the volume it was loaded from\n");
}

static void end(struct loader *l, const char *how)
{
    bool off = vt_boot_text_is(how, "off");

    if (off || vt_boot_text_is(how, "reset"))
        l->system->runtime->reset(off ? VT_EFI_RESET_OFF : VT_EFI_RESET_COLD, 0, 0, NULL);
}

static void measure(struct loader *l, const struct vt_efi_image *image)
{
    uint64_t base = allocate(l);
    struct vt_boot_info *info;

    if (!base) {
        say(l, "vmtoll: the firmware grants no 14 MiB of memory in one piece below 4 GiB: nothing was "
               "measured\n");
        return;
    }
    open_file(l, image);
    info = vt_boot_place(base);
    info->firmware = VT_BOOT_EFI;
    info->rsdp = find_rsdp(l->system);
    vt_boot_copy_text(info->line, sizeof info->line, vt_boot_choose_line(l->line));
    run(l, info);
    tell_where(l);
    end(l, info->end);
}

vt_efi_status VT_EFI vt_efi_entry(vt_efi_handle self, struct vt_efi_system *system)
{
    const struct vt_efi_guid guid = {
        0x5b1b31a1, 0x9562, 0x11d2, {0x8e, 0x3f, 0x00, 0xa0, 0xc9, 0x69, 0x72, 0x3b}};
    static struct loader loader;
    struct vt_efi_image *image;

    loader.system = system;
    system->boot->set_watchdog(0, 0, 0, NULL);
    say(&loader, "vmtoll measures what this machine's instructions take, and gives it back.\n");
    if (system->boot->protocol(self, &guid, (void **)&image) != 0)
        return 1;
    const char *refusal = vt_boot_refusal();
    if (refusal) {
        say(&loader, refusal);
        return 0;
    }
    if (!take_options(&loader, image))
        ask(&loader);
    measure(&loader, image);
    release(&loader);
    return 0;
}
