#pragma once
#include "guestkernel/kapi/types.h"
void strace_emit(const char *line, size_t n);
