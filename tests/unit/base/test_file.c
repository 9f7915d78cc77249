#include "base/file.h"
#include "tests/unit/suite.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/vmtoll-test-XXXXXX";

/* Each test has a process of its own: it starts in an empty folder and leaves none behind. */
static void enter_folder(void)
{
    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_int_eq(chdir(folder), 0);
}

static int count_entries(void)
{
    int count = 0;
    DIR *directory = opendir(".");
    for (struct dirent *entry; (entry = readdir(directory));)
        count += entry->d_name[0] != '.' || strncmp(entry->d_name, ".vmtoll", 7) == 0;
    closedir(directory);
    return count;
}

static void leave_folder(void)
{
    DIR *directory = opendir(".");
    for (struct dirent *entry; (entry = readdir(directory));)
        unlink(entry->d_name);
    closedir(directory);
    ck_assert_int_eq(rmdir(folder), 0);
}

static void expect(const char *path, const char *text)
{
    char *data;
    size_t size;
    ck_assert_int_eq(vt_file_read(path, 1000, &data, &size, NULL), 0);
    ck_assert_uint_eq(size, strlen(text));
    ck_assert_str_eq(data, text);
    free(data);
}

START_TEST(what_is_written_is_read_back)
{
    enter_folder();
    ck_assert_int_eq(vt_file_write("a", "hello", 5, NULL), 0);
    expect("a", "hello");
    ck_assert_int_eq(vt_file_write("a", "", 0, NULL), 0);
    expect("a", "");
    ck_assert_int_eq(count_entries(), 1);
    leave_folder();
}
END_TEST

START_TEST(a_discarded_file_leaves_the_old_one)
{
    enter_folder();
    struct vt_output output;
    ck_assert_int_eq(vt_file_write("a", "old", 3, NULL), 0);
    ck_assert_int_eq(vt_file_create(&output, "a", NULL), 0);
    fputs("new", output.stream);
    fflush(output.stream);
    expect("a", "old");
    vt_file_discard(&output);
    expect("a", "old");
    ck_assert_int_eq(count_entries(), 1);
    leave_folder();
}
END_TEST

START_TEST(permissions_and_links_are_kept)
{
    enter_folder();
    struct stat status;
    ck_assert_int_eq(vt_file_write("real", "old", 3, NULL), 0);
    ck_assert_int_eq(chmod("real", 0640), 0);
    ck_assert_int_eq(symlink("real", "link"), 0);
    ck_assert_int_eq(vt_file_write("link", "new", 3, NULL), 0);
    expect("real", "new");
    ck_assert_int_eq(lstat("link", &status), 0);
    ck_assert(S_ISLNK(status.st_mode));
    ck_assert_int_eq(stat("real", &status), 0);
    ck_assert_int_eq(status.st_mode & 07777, 0640);
    leave_folder();
}
END_TEST

START_TEST(new_files_follow_the_umask)
{
    enter_folder();
    struct stat status;
    umask(027);
    ck_assert_int_eq(vt_file_write("a", "x", 1, NULL), 0);
    ck_assert_int_eq(stat("a", &status), 0);
    ck_assert_int_eq(status.st_mode & 07777, 0640);
    leave_folder();
}
END_TEST

START_TEST(a_missing_folder_is_named)
{
    struct vt_error error;
    ck_assert_int_eq(vt_file_write("/no/such/folder/a", "x", 1, &error), -ENOENT);
    ck_assert_int_eq(error.exit, VT_EXIT_ENVIRONMENT);
    ck_assert_ptr_nonnull(strstr(error.text, "/no/such/folder/a"));
    ck_assert_ptr_nonnull(strstr(error.text, "folder does not exist"));
    ck_assert_int_eq(vt_file_check("/no/such/folder/a", &error), -ENOENT);
}
END_TEST

START_TEST(a_full_disk_is_noticed)
{
    struct vt_error error;
    ck_assert_int_eq(vt_file_check("/dev/full", NULL), 0);
    ck_assert_int_eq(vt_file_write("/dev/full", "x", 1, &error), -ENOSPC);
    ck_assert_ptr_nonnull(strstr(error.text, "No space left"));
    char *large = calloc(1, 1 << 20);
    ck_assert_int_eq(vt_file_write("/dev/full", large, 1 << 20, &error), -ENOSPC);
    free(large);
}
END_TEST

START_TEST(a_device_is_written_not_replaced)
{
    struct stat status;
    ck_assert_int_eq(vt_file_write("/dev/null", "x", 1, NULL), 0);
    ck_assert_int_eq(stat("/dev/null", &status), 0);
    ck_assert(S_ISCHR(status.st_mode));
}
END_TEST

START_TEST(folders_and_empty_names_are_refused)
{
    struct vt_error error;
    char *data;
    size_t size;
    ck_assert_int_eq(vt_file_write("/tmp", "x", 1, &error), -EISDIR);
    ck_assert_int_lt(vt_file_write("", "x", 1, &error), 0);
    ck_assert_int_eq(error.exit, VT_EXIT_USAGE);
    ck_assert_int_eq(vt_file_read("/tmp", 10, &data, &size, &error), -EISDIR);
    ck_assert_int_eq(error.exit, VT_EXIT_USAGE);
}
END_TEST

START_TEST(a_check_leaves_nothing)
{
    enter_folder();
    ck_assert_int_eq(vt_file_check("a", NULL), 0);
    ck_assert_int_eq(count_entries(), 0);
    leave_folder();
}
END_TEST

START_TEST(reading_is_bounded)
{
    enter_folder();
    struct vt_error error;
    char *data;
    size_t size;
    ck_assert_int_eq(vt_file_write("a", "12345", 5, NULL), 0);
    ck_assert_int_eq(vt_file_read("a", 5, &data, &size, &error), 0);
    free(data);
    ck_assert_int_eq(vt_file_read("a", 4, &data, &size, &error), -EFBIG);
    ck_assert_ptr_nonnull(strstr(error.text, "larger than 4 bytes"));
    ck_assert_int_eq(vt_file_read("/dev/zero", 100000, &data, &size, &error), -EFBIG);
    ck_assert_int_eq(vt_file_read("absent", 5, &data, &size, &error), -ENOENT);
    ck_assert_int_eq(error.exit, VT_EXIT_USAGE);
    leave_folder();
}
END_TEST

START_TEST(large_files_are_read_whole)
{
    enter_folder();
    size_t size = 300001, got;
    char *large = malloc(size), *data;
    for (size_t i = 0; i < size; i++)
        large[i] = (char)(i * 7);
    ck_assert_int_eq(vt_file_write("a", large, size, NULL), 0);
    ck_assert_int_eq(vt_file_read("a", 1 << 20, &data, &got, NULL), 0);
    ck_assert_uint_eq(got, size);
    ck_assert_mem_eq(data, large, size);
    ck_assert_int_eq(data[size], '\0');
    free(data);
    free(large);
    leave_folder();
}
END_TEST

VT_SUITE(what_is_written_is_read_back, a_discarded_file_leaves_the_old_one, permissions_and_links_are_kept,
         new_files_follow_the_umask, a_missing_folder_is_named, a_full_disk_is_noticed,
         a_device_is_written_not_replaced, folders_and_empty_names_are_refused, a_check_leaves_nothing,
         reading_is_bounded, large_files_are_read_whole)
