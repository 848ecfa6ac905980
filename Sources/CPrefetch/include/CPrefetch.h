#ifndef CPREFETCH_H
#define CPREFETCH_H

/// Asks for the memory around an address, which will be read or written soon. Any address will do: nothing is accessed.
static inline void prefetch(const void *address) { __builtin_prefetch(address, 1, 3); }

#endif
