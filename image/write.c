#include "image/write.h"
#include "base/file.h"
#include "base/text.h"
#include "bench/select.h"
#include "guest/boot/info.h"
#include "image/disc.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* guest/image_files.S */
extern const uint8_t vt_boot_pc_file[], vt_boot_pc_file_end[], vt_boot_efi_file[], vt_boot_efi_file_end[];

/* A loader with the words it goes by where nobody gives others; its data is malloc'ed and the caller's, NULL:
 * no memory. */
static struct vt_image_file with_words(const uint8_t *from, const uint8_t *end, const char *words)
{
    static const char mark[] = VT_BOOT_WORDS_MARK;
    size_t size = (size_t)(end - from);
    uint8_t *copy = malloc(size);

    if (!copy)
        return (struct vt_image_file){NULL, 0};
    memcpy(copy, from, size);
    char *place = memmem(copy, size, mark, sizeof mark);
    if (place)
        snprintf(place + sizeof mark, VT_BOOT_WORDS_SIZE, "%s", words);
    return (struct vt_image_file){copy, size};
}

static int write_loader(const char *output, struct vt_image_file file, struct vt_error *error)
{
    int status =
        file.data ? vt_file_write(output, file.data, file.size, error) : vt_error_memory(error, "the image");

    free((void *)file.data);
    return status;
}

static int write_elf(const char *output, const char *words, struct vt_error *error)
{
    return write_loader(output, with_words(vt_boot_pc_file, vt_boot_pc_file_end, words), error);
}

static int write_efi(const char *output, const char *words, struct vt_error *error)
{
    return write_loader(output, with_words(vt_boot_efi_file, vt_boot_efi_file_end, words), error);
}

static int write_disc(const char *output, const char *words, struct vt_error *error)
{
    struct vt_image_file pc = with_words(vt_boot_pc_file, vt_boot_pc_file_end, words),
                         efi = with_words(vt_boot_efi_file, vt_boot_efi_file_end, words);
    int status = pc.data && efi.data ? vt_image_disc_write(output, &pc, &efi, error)
                                     : vt_error_memory(error, "the image");

    free((void *)pc.data);
    free((void *)efi.data);
    return status;
}

const struct vt_image_format vt_image_formats[] = {
    {".elf",
     "for QEMU's -kernel, its machine microvm and others that start PVH, and for\n        GRUB (multiboot2)",
     write_elf},
    {".efi", "an EFI application: EFI/BOOT/BOOTX64.EFI of a FAT volume, or from a shell", write_efi},
    {".iso", "a disc that BIOS and UEFI start from", write_disc},
    {".raw", "the same as a disk, such as a USB stick; qemu-img makes other kinds of it", write_disc},
    {0},
};

static const struct vt_image_format *find_format(const char *output)
{
    size_t length = strlen(output);

    for (const struct vt_image_format *format = vt_image_formats; format->ending; format++) {
        size_t ending = strlen(format->ending);
        if (length > ending && strcasecmp(output + length - ending, format->ending) == 0)
            return format;
    }
    return NULL;
}

static int refuse_ending(const char *output, struct vt_error *error)
{
    char endings[64] = "";

    for (const struct vt_image_format *format = vt_image_formats; format->ending; format++)
        vt_text_append(endings, sizeof endings, "%s%s",
                       !*endings          ? ""
                       : format[1].ending ? ", "
                                          : " or ",
                       format->ending);
    return vt_error_set(error, VT_EXIT_USAGE, EINVAL,
                        "image: what kind of file '%s' is to be, its ending must say: %s", output, endings);
}

/* Patterns are checked here, where a mistake is told, not in the machine. */
static int check_cases(const char *cases, struct vt_error *error)
{
    const struct vt_case **chosen;
    size_t count;

    if (!cases)
        return 0;
    int status = vt_select_cases(cases, &chosen, &count, error);
    if (status == 0)
        free(chosen);
    return status;
}

int vt_image_write(const struct vt_image_request *request, struct vt_error *error)
{
    const struct vt_image_format *format = find_format(request->output);
    char words[VT_IMAGE_WORDS * 2 + 8];

    if (!format)
        return refuse_ending(request->output, error);
    int status = check_cases(request->cases, error);
    if (status != 0)
        return status;
    int length = snprintf(words, sizeof words, "%s%s%s%s", request->cases ? "case=" : "",
                          request->cases ? request->cases : "", request->cases && request->words ? " " : "",
                          request->words ? request->words : "");
    if (length > VT_IMAGE_WORDS)
        return vt_error_set(error, VT_EXIT_USAGE, E2BIG,
                            "image: a command line of %d bytes; an image holds %d", length, VT_IMAGE_WORDS);
    return format->write(request->output, words, error);
}
