#include "image/write.h"
#include "base/file.h"
#include "base/text.h"
#include "bench/select.h"
#include "guest/boot/info.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* guest/image_files.S */
extern const uint8_t vt_boot_pc_file[], vt_boot_pc_file_end[];

/* The loader with the words it goes by where nobody gives others; malloc'ed and the caller's, or NULL. */
static uint8_t *with_words(const uint8_t *file, size_t size, const char *words)
{
    static const char mark[] = VT_BOOT_WORDS_MARK;
    uint8_t *copy = malloc(size);

    if (!copy)
        return NULL;
    memcpy(copy, file, size);
    char *place = memmem(copy, size, mark, sizeof mark);
    if (place)
        snprintf(place + sizeof mark, VT_BOOT_WORDS_SIZE, "%s", words);
    return copy;
}

static int write_elf(const char *output, const char *words, struct vt_error *error)
{
    size_t size = (size_t)(vt_boot_pc_file_end - vt_boot_pc_file);
    uint8_t *file = with_words(vt_boot_pc_file, size, words);
    int status = file ? vt_file_write(output, file, size, error) : vt_error_memory(error, "the image");

    free(file);
    return status;
}

const struct vt_image_format vt_image_formats[] = {
    {".elf", "for QEMU's -kernel, microvm and other monitors that start PVH, and for GRUB (multiboot2)",
     write_elf},
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
