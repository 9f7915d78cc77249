/* UEFI 2.10, as far as the loader calls it; everything else is padding. Pointers to functions follow
 * Microsoft's convention. */
#ifndef VT_GUEST_BOOT_EFI_H
#define VT_GUEST_BOOT_EFI_H

#include <stdint.h>

#define VT_EFI __attribute__((ms_abi))

typedef uint64_t vt_efi_status;
typedef void *vt_efi_handle;

struct vt_efi_guid {
    uint32_t a;
    uint16_t b, c;
    uint8_t d[8];
};

/* 12.4 */
struct vt_efi_text_output {
    void *reset;
    vt_efi_status(VT_EFI *output)(struct vt_efi_text_output *self, const uint16_t *text);
};

/* 12.3 */
struct vt_efi_key {
    uint16_t scan, character;
};

struct vt_efi_text_input {
    void *reset;
    vt_efi_status(VT_EFI *read)(struct vt_efi_text_input *self, struct vt_efi_key *key);
};

/* 13.5 */
struct vt_efi_file {
    uint64_t revision;
    vt_efi_status(VT_EFI *open)(struct vt_efi_file *self, struct vt_efi_file **file, const uint16_t *name,
                                uint64_t mode, uint64_t attributes);
    vt_efi_status(VT_EFI *close)(struct vt_efi_file *self);
    void *erase, *read;
    vt_efi_status(VT_EFI *write)(struct vt_efi_file *self, uint64_t *size, const void *data);
    void *get_position, *set_position, *get_info, *set_info;
    vt_efi_status(VT_EFI *flush)(struct vt_efi_file *self);
};

#define VT_EFI_FILE_READ   1
#define VT_EFI_FILE_WRITE  2
#define VT_EFI_FILE_CREATE (UINT64_C(1) << 63)

/* 13.4 */
struct vt_efi_volume {
    uint64_t revision;
    vt_efi_status(VT_EFI *open)(struct vt_efi_volume *self, struct vt_efi_file **root);
};

/* 9.1 */
struct vt_efi_image {
    uint32_t revision;
    vt_efi_handle parent;
    void *system;
    vt_efi_handle device;
    void *path, *reserved;
    uint32_t options_size;
    const uint16_t *options;
};

/* 7 */
struct vt_efi_boot_services {
    uint8_t header[24];
    void *raise, *restore;
    vt_efi_status(VT_EFI *allocate)(uint32_t how, uint32_t type, uint64_t pages, uint64_t *address);
    vt_efi_status(VT_EFI *release)(uint64_t address, uint64_t pages);
    void *others_1[12];
    vt_efi_status(VT_EFI *protocol)(vt_efi_handle handle, const struct vt_efi_guid *guid, void **interface);
    void *others_2[11];
    vt_efi_status(VT_EFI *stall)(uint64_t microseconds);
    vt_efi_status(VT_EFI *set_watchdog)(uint64_t seconds, uint64_t code, uint64_t size, const uint16_t *data);
};

#define VT_EFI_ALLOCATE_BELOW 1 /* the address that is passed */
#define VT_EFI_LOADER_CODE    1

/* 8 */
struct vt_efi_runtime_services {
    uint8_t header[24];
    void *others[10];
    void(VT_EFI *reset)(uint32_t how, vt_efi_status status, uint64_t size, const void *data);
};

#define VT_EFI_RESET_COLD 0
#define VT_EFI_RESET_OFF  2

/* 4 */
struct vt_efi_table {
    struct vt_efi_guid guid;
    uint64_t address;
};

struct vt_efi_system {
    uint8_t header[24];
    const uint16_t *vendor;
    uint32_t revision;
    vt_efi_handle input_handle;
    struct vt_efi_text_input *input;
    vt_efi_handle output_handle;
    struct vt_efi_text_output *output;
    vt_efi_handle error_handle;
    void *error;
    struct vt_efi_runtime_services *runtime;
    struct vt_efi_boot_services *boot;
    uint64_t table_count;
    const struct vt_efi_table *tables;
};

#endif
