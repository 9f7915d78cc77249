/* Reading results while memory runs out: the right result, or one line that says so. */
#include "result/load/load.h"
#include "result/save.h"
#include "tests/unit/suite.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DOCUMENT                                                                                             \
    "{\"schema\":\"vmtoll.result/1\",\"tool\":{\"version\":\"1\"},\"started\":\"2026-11-22T15:00:00Z\","     \
    "\"x\":{\"a\":[1,{\"b\":null}]},\"host\":{\"cpu\":{\"brand\":\"\\u00e9\",\"list\":[1,2.5,true,null]}},"  \
    "\"measurements\":[{\"case\":\"cpuid\",\"engine\":\"kvm\",\"status\":\"ok\",\"toll\":{\"median\":12.5,"  \
    "\"ci95\":[12,13]},\"evidence\":{\"exits\":1},\"evidence_totals\":{\"body\":{\"exits\":7}},\"samples\":" \
    "[1,2,3]},{\"case\":\"nop\",\"engine\":\"kvm\",\"status\":\"failed\",\"reason\":\"why\"}]}\n"

#if VT_ADDRESS_SANITIZER

START_TEST(loading_survives_the_lack_of_any_allocation)
{
    vt_skip("AddressSanitizer brings an allocator of its own");
}
END_TEST

#else

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);

static long until_failure = -1; /* -1: never; 0: from now on */

static bool is_out(void)
{
    until_failure -= until_failure > 0;
    errno = until_failure == 0 ? ENOMEM : errno;
    return until_failure == 0;
}

void *malloc(size_t size)
{
    return is_out() ? NULL : __libc_malloc(size);
}

void *calloc(size_t nmemb, size_t size)
{
    return is_out() ? NULL : __libc_calloc(nmemb, size);
}

void *realloc(void *ptr, size_t size)
{
    return is_out() ? NULL : __libc_realloc(ptr, size);
}

/* What was read is printed when there is memory again. */
static int keep(struct vt_result *result, void *context)
{
    struct vt_result **kept = context;
    vt_result_free(*kept);
    *kept = result;
    return 0;
}

static char *print(const struct vt_result *result)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    ck_assert_int_eq(vt_result_print(result, true, stream), 0);
    fclose(stream);
    return text;
}

/* Returns whether memory was enough. */
static bool try(const char *path, const struct vt_load_options *options, long failure, char **text)
{
    struct vt_error error = {.text = ""};
    struct vt_result *result = NULL;
    until_failure = failure;
    int status = vt_result_load(path, options, keep, &result, &error);
    until_failure = -1;
    if (status == 0)
        *text = print(result);
    else
        ck_assert_msg(error.exit == VT_EXIT_ENVIRONMENT && strstr(error.text, "not enough memory") &&
                          !strchr(error.text, '\n'),
                      "failure %ld: %s", failure, error.text);
    vt_result_free(result);
    return status == 0;
}

static void write_documents(char path[], size_t blank)
{
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    FILE *stream = fdopen(fd, "w");
    fprintf(stream, DOCUMENT "{\"x\":\"%*s\",%s", (int)blank, "", DOCUMENT + 1);
    ck_assert_int_eq(fclose(stream), 0);
}

/* One token is longer than the window through which a file is read, which then grows. */
START_TEST(loading_survives_the_lack_of_any_allocation)
{
    static const char *const facts[] = {"cpu.brand", NULL};
    static const struct vt_load_options modes[] = {{.samples = true}, {0}, {.facts_only = facts}};
    char path[] = "/tmp/vmtoll-load-XXXXXX";
    write_documents(path, 1 << 20);
    for (size_t mode = 0; mode < sizeof modes / sizeof modes[0]; mode++) {
        char *right = NULL, *text = NULL;
        long failures = 0;
        ck_assert(try(path, &modes[mode], -1, &right));
        for (long i = 1; i <= 200; i++) {
            if (!try(path, &modes[mode], i, &text)) {
                failures++;
                continue;
            }
            ck_assert_str_eq(text, right);
            free(text);
        }
        ck_assert_int_gt(failures, 10);
        ck_assert_int_lt(failures, 200);
        free(right);
    }
    unlink(path);
}
END_TEST

#endif

VT_SUITE(loading_survives_the_lack_of_any_allocation)
