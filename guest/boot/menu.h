/*
 * What an image offers to measure, by whoever shows a menu: GRUB's (image/grub.c writes it) or the EFI
 * loader's. Arrays, since a loader is free of addresses.
 */
#ifndef VT_GUEST_BOOT_MENU_H
#define VT_GUEST_BOOT_MENU_H

struct vt_boot_choice {
    char title[56], words[120]; /* words "": what the image was made for */
};

static const struct vt_boot_choice vt_boot_menu[] = {
    {"what the image was made for, or all cases", ""},
    {"a quick look", "case=cpuid,rdtsc,mov-to-cr3,rdmsr-kernel,out-user,page-fault"},
    {"control registers, MSRs, descriptor tables", "class=control-register,msr,descriptor-table"},
    {"ports, MMIO, interrupt controller, going idle", "class=port-io,mmio,apic,idle"},
};

enum { VT_BOOT_CHOICES = sizeof vt_boot_menu / sizeof vt_boot_menu[0] };

#endif
