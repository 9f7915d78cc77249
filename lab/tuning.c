#include "lab/tuning.h"
#include "base/text.h"
#include "lab/parameters.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/*
 * The kernel's own messages on the first serial port (at Linux' 9600 baud a panic would take Bochs minutes to
 * print), nothing random, an end where it panics, and a panic at an oops too: Linux 6.12 does not get as far
 * as its panic over the dead first process if that dies inside KVM, and the machine then waits.
 *
 * And slabs of one page: the kernel draws lots where in a slab an object lies, and where that is in a page
 * but the first, one exit in which user memory is read takes an instruction more (check_heap_object looks up
 * the head of the compound page). What was asked for beside a case would decide about it.
 */
static const char *const common[] = {
    "console=ttyS0,115200", "quiet",           "oops=panic",          "panic=-1",        "nokaslr",
    "norandmaps",           "mitigations=off", "random.trust_cpu=on", "slub_max_order=0"};

/* This program is the first process, and these are its arguments. */
#define FIRST_PROCESS "rdinit=/vmtoll -- lab inside"

/*
 * Bytes beside letters, digits and the blank. GRUB reads the line as a script, and the kernel takes what
 * stands between quotes for one word: neither quotes nor what a shell obeys.
 */
#define PUNCTUATION "_-.,:=+/@%~^"

/* What the lab itself needs as it is. */
static const char *const reserved[] = {"--", "console", "init", "initrd", "oops", "panic", "rdinit"};

static bool is_allowed(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == ' ' ||
           strchr(PUNCTUATION, c);
}

static bool is_reserved(const char *word, size_t length)
{
    for (size_t i = 0; i < sizeof reserved / sizeof reserved[0]; i++)
        if (strlen(reserved[i]) == length && strncmp(word, reserved[i], length) == 0)
            return true;
    return false;
}

static bool is_of_kvm(const char *word, size_t length)
{
    return strncmp(word, "kvm", 3) == 0 && memchr(word, '.', length);
}

static int check_word(const char *word, size_t length, struct vt_error *error)
{
    if (is_reserved(word, length))
        return vt_error_set(error, VT_EXIT_USAGE, EINVAL, "--append: '%.*s' is the lab's own word",
                            (int)length, word);
    if (is_of_kvm(word, length))
        return vt_error_set(error, VT_EXIT_USAGE, EINVAL,
                            "--append: '%.*s' is a module's parameter: give it with --param", (int)length,
                            word);
    return 0;
}

static int check_words(const char *append, struct vt_error *error)
{
    int status = 0;

    for (const char *c = append; *c; c++)
        if (!is_allowed(*c))
            return vt_error_set(
                error, VT_EXIT_USAGE, EINVAL,
                "--append: byte %zu (0x%02x) is not for a kernel's command line here: letters, "
                "digits, blanks and %s",
                (size_t)(c - append) + 1, (unsigned char)*c, PUNCTUATION);
    for (const char *word = append + strspn(append, " "); status == 0 && *word; word += strspn(word, " ")) {
        status = check_word(word, strcspn(word, "= "), error);
        word += strcspn(word, " ");
    }
    return status;
}

int vt_lab_tuning_check(const struct vt_lab_tuning *tuning, const char *module, struct vt_error *error)
{
    char ignored[VT_LAB_COMMAND_LINE];
    int status = tuning->append ? check_words(tuning->append, error) : 0;
    if (status == 0 && tuning->parameters)
        status = vt_lab_parameters_check(tuning->parameters, module, error);
    return status == 0 ? vt_lab_tuning_command_line(tuning, "", ignored, error) : status;
}

/* The kernel hands parameters to what is built in, and keeps them for us to see; commas stand between them.
 */
static bool spread_parameters(char words[VT_LAB_COMMAND_LINE], const char *parameters)
{
    if (snprintf(words, VT_LAB_COMMAND_LINE, "%s", parameters) >= VT_LAB_COMMAND_LINE)
        return false;
    for (char *comma = words; (comma = strchr(comma, ','));)
        *comma = ' ';
    return true;
}

/* Does `append` set what a word of the lab's sets? */
static bool overrules(const char *append, const char *word)
{
    size_t length = strcspn(word, "= ");

    for (const char *own = append + strspn(append, " "); *own; own += strspn(own, " ")) {
        if (strcspn(own, "= ") == length && strncmp(own, word, length) == 0)
            return true;
        own += strcspn(own, " ");
    }
    return false;
}

/*
 * The lab's words but for those that `append` has its own of: most words of the kernel's count as they come
 * last, but on Linux 7.2 nothing that follows takes mitigations=off back.
 */
static void put_common(char text[VT_LAB_COMMAND_LINE], const char *append)
{
    *text = 0;
    for (size_t i = 0; i < sizeof common / sizeof common[0]; i++)
        if (!overrules(append, common[i]))
            vt_text_append(text, VT_LAB_COMMAND_LINE, "%s%s", *text ? " " : "", common[i]);
}

int vt_lab_tuning_command_line(const struct vt_lab_tuning *tuning, const char *own,
                               char text[VT_LAB_COMMAND_LINE], struct vt_error *error)
{
    char parameters[VT_LAB_COMMAND_LINE], words[VT_LAB_COMMAND_LINE];
    const char *append = tuning->append ? tuning->append : "";

    put_common(words, append);
    if (spread_parameters(parameters, tuning->parameters ? tuning->parameters : "") &&
        snprintf(text, VT_LAB_COMMAND_LINE, "%s%s%s%s%s%s " FIRST_PROCESS, own, words, *append ? " " : "",
                 append, *parameters ? " " : "", parameters) < VT_LAB_COMMAND_LINE)
        return 0;
    return vt_error_set(error, VT_EXIT_USAGE, E2BIG,
                        "the kernel's command line is longer than %d bytes with --append and --param",
                        VT_LAB_COMMAND_LINE - 1);
}

struct vt_lab_number vt_lab_tuning_processors(const struct vt_lab_tuning *tuning)
{
    struct vt_lab_number number;
    snprintf(number.text, sizeof number.text, "%d", tuning->processors ? (int)tuning->processors & 0xff : 1);
    return number;
}
