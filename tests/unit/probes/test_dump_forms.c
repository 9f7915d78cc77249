/*
 * The same two processors as other tools print them and as people pass them on: all read alike.
 *
 * beside others
 */
#include "base/file.h"
#include "probes/dump/dump.h"
#include "tests/unit/suite.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FORMS "tests/data/dumps"

static void load(struct vt_facts *facts, const char *name)
{
    struct vt_error error;
    char path[512];
    snprintf(path, sizeof path, FORMS "/%s", name);
    ck_assert_msg(vt_dump_load(facts, path, &error) == 0, "%s", error.text);
}

static void compare_processors(const char *name, const struct vt_processor *is,
                               const struct vt_processor *should)
{
    ck_assert_msg(is->number == should->number, "%s: CPU %ld is CPU %ld", name, should->number, is->number);
    ck_assert_msg(is->count == should->count, "%s: %zu leaves, not %zu", name, is->count, should->count);
    for (size_t i = 0; i < is->count; i++) {
        const struct vt_leaf *a = &is->leaves[i], *b = &should->leaves[i];
        ck_assert_msg(a->leaf == b->leaf && a->subleaf == b->subleaf, "%s: leaf 0x%x:%x in place of 0x%x:%x",
                      name, a->leaf, a->subleaf, b->leaf, b->subleaf);
        ck_assert_msg(memcmp(a->reg, b->reg, sizeof a->reg) == 0, "%s: leaf 0x%x:%x differs", name, a->leaf,
                      a->subleaf);
    }
}

static void compare(const char *name, const struct vt_facts *should)
{
    struct vt_facts is;
    load(&is, name);
    ck_assert_msg(is.count == should->count, "%s: %zu processors", name, is.count);
    for (size_t i = 0; i < is.count; i++)
        compare_processors(name, &is.processors[i], &should->processors[i]);
    ck_assert_msg(is.dump.note_count == 0, "%s: %s", name, is.dump.notes[0]);
    vt_facts_free(&is);
}

START_TEST(every_form_reads_alike)
{
    struct vt_facts should;
    DIR *directory = opendir(FORMS);
    unsigned count = 0;
    ck_assert_ptr_nonnull(directory);
    load(&should, "reference.txt");
    ck_assert_uint_eq(should.count, 2);
    ck_assert_uint_eq(should.processors[1].count, 12);
    for (struct dirent *entry; (entry = readdir(directory)); count++)
        if (entry->d_name[0] != '.' && strcmp(entry->d_name, "README") != 0)
            compare(entry->d_name, &should);
    closedir(directory);
    vt_facts_free(&should);
    ck_assert_uint_gt(count, 30);
}
END_TEST

/* What is read of a processor that was cut off is what is read of the whole one. */
static void compare_cut(const char *name, size_t cut, const struct vt_facts *is,
                        const struct vt_facts *should)
{
    for (size_t p = 0; p < is->count; p++)
        for (size_t i = 0; i < is->processors[p].count; i++) {
            const struct vt_leaf *leaf = &is->processors[p].leaves[i];
            const struct vt_leaf *whole = vt_facts_find(&should->processors[p], leaf->leaf, leaf->subleaf);
            ck_assert_msg(whole && memcmp(whole->reg, leaf->reg, sizeof leaf->reg) == 0,
                          "%s, the first %zu bytes: leaf 0x%x:%x is another", name, cut, leaf->leaf,
                          leaf->subleaf);
        }
}

static void cut_everywhere(const char *name, const struct vt_facts *should)
{
    struct vt_facts is;
    struct vt_error error;
    char path[512], *data, *part;
    size_t size;
    snprintf(path, sizeof path, FORMS "/%s", name);
    ck_assert_int_eq(vt_file_read(path, 1 << 20, &data, &size, &error), 0);
    for (size_t cut = 0; cut < size; cut++) {
        part = malloc(cut + 1); /* of its own, for AddressSanitizer */
        memcpy(part, data, cut);
        part[cut] = '\0';
        if (vt_dump_parse(&is, name, part, cut, &error) == 0) {
            compare_cut(name, cut, &is, should);
            vt_facts_free(&is);
        } else {
            ck_assert_msg(strstr(error.text, ", line "), "%s", error.text);
        }
        free(part);
    }
    free(data);
}

START_TEST(a_form_cut_off_says_nothing_else)
{
    struct vt_facts should;
    DIR *directory = opendir(FORMS);
    ck_assert_ptr_nonnull(directory);
    load(&should, "reference.txt");
    for (struct dirent *entry; (entry = readdir(directory));)
        if (entry->d_name[0] != '.' && strcmp(entry->d_name, "README") != 0)
            cut_everywhere(entry->d_name, &should);
    closedir(directory);
    vt_facts_free(&should);
}
END_TEST

VT_SUITE(every_form_reads_alike, a_form_cut_off_says_nothing_else)
