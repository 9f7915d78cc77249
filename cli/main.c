#include "guest/catalogue.h"
#include <stdio.h>
int main(void)
{
    size_t n;
    const struct vt_case *c = vt_guest_cases(&n);
    for (size_t i = 0; i < n; i++)
        printf("%-22s %-16s %s\n", c[i].name, vt_guest_class_name(c[i].class), c[i].operation);
    return 0;
}
