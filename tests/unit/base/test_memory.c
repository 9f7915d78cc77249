#include "base/memory.h"
#include "tests/unit/suite.h"

#include <stdint.h>
#include <stdlib.h>

START_TEST(a_list_keeps_what_it_holds)
{
    size_t *list = NULL, moves = 0;
    for (size_t i = 0; i < 100000; i++) {
        size_t *grown = vt_memory_grow(list, i, 1, sizeof *list);
        ck_assert_ptr_nonnull(grown);
        moves += i > 0 && grown != list;
        list = grown;
        list[i] = i;
    }
    for (size_t i = 0; i < 100000; i++)
        ck_assert_uint_eq(list[i], i);
    ck_assert_uint_le(moves, 15); /* it doubles: 4, 8, ..., 131072 */
    free(list);
}
END_TEST

/* The sanitizers see a byte that is not there. */
START_TEST(many_at_once_have_room)
{
    char *list = NULL;
    size_t count = 0;
    for (size_t more = 0; more < 300; more++) {
        list = vt_memory_grow(list, count, more, 1);
        ck_assert_ptr_nonnull(list);
        for (size_t i = 0; i < more; i++)
            list[count + i] = 'x';
        count += more;
    }
    free(list);
}
END_TEST

START_TEST(a_size_beyond_numbers_is_no_memory)
{
    int *list = vt_memory_grow(NULL, 0, 1, sizeof *list);
    ck_assert_ptr_nonnull(list);
    ck_assert_ptr_null(vt_memory_grow(list, 1, SIZE_MAX, sizeof *list));
    ck_assert_ptr_null(vt_memory_grow(list, 1, SIZE_MAX - 1, 1));
    ck_assert_ptr_null(vt_memory_grow(list, 1, SIZE_MAX / 2 - 1, sizeof *list));
    ck_assert_ptr_null(vt_memory_grow(list, 1, SIZE_MAX / 16, 32));
    list[0] = 1; /* still there */
    free(list);
}
END_TEST

START_TEST(an_item_is_appended_or_nothing_is)
{
    struct {
        size_t *items, count;
    } list = {NULL, 0};
    for (size_t i = 0; i < 1000; i++) {
        size_t *next = vt_memory_append(list.items, list.count);
        ck_assert_ptr_nonnull(next);
        ck_assert_ptr_eq(next, &list.items[i]);
        *next = i;
    }
    ck_assert_uint_eq(list.count, 1000);
    ck_assert_uint_eq(list.items[999], 999);
    size_t *kept = list.items;
    list.count = SIZE_MAX; /* no number for one more */
    ck_assert_ptr_null(vt_memory_append(list.items, list.count));
    ck_assert(list.items == kept && list.count == SIZE_MAX);
    free(list.items);
}
END_TEST

VT_SUITE(a_list_keeps_what_it_holds, many_at_once_have_room, a_size_beyond_numbers_is_no_memory,
         an_item_is_appended_or_nothing_is)
