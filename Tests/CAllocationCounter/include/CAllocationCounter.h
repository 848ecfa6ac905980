#ifndef CALLOCATIONCOUNTER_H
#define CALLOCATIONCOUNTER_H

#include <stdint.h>

/// Calls of malloc, calloc, realloc and the aligned allocators by the calling thread since its start; -1 where a
/// sanitizer owns these symbols and nothing can be counted.
int64_t allocation_count(void);

#endif
