/* From findings to the answer. */
#ifndef VT_AUDIT_VERDICT_H
#define VT_AUDIT_VERDICT_H

#include "audit/finding.h"

/* Fill instructions, assists, answer and verdict from the findings. */
void vt_audit_conclude(struct vt_audit *audit);

#endif
