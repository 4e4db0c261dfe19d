// Owned<T, Free>: a handle of a C library that gives itself back.
#pragma once
#include <memory>

namespace lockgate {

template <auto Free>
struct CallFree {
  template <class T>
  void operator()(T* handle) const {
    Free(handle);
  }
};

template <class T, auto Free>
using Owned = std::unique_ptr<T, CallFree<Free>>;

}  // namespace lockgate
