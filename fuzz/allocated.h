// How much memory is taken, where the sanitizer counts it; elsewhere 0, with which every bound holds.
#pragma once
#include <cstddef>

#if __has_feature(address_sanitizer)
#include <sanitizer/allocator_interface.h>
#endif

namespace lockgate::fuzz {

inline std::size_t allocated() {
#if __has_feature(address_sanitizer)
  return __sanitizer_get_current_allocated_bytes();
#else
  return 0;
#endif
}

}  // namespace lockgate::fuzz
