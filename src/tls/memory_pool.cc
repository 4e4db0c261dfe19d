#include "tls/memory_pool.h"

#include <malloc.h>
#include <openssl/crypto.h>

#include <algorithm>
#include <cstdlib>

namespace lockgate::tls {
namespace {

constexpr std::size_t kStep = 16, kFirst = 8;

thread_local MemoryPool* mine = nullptr;

void* allocate(std::size_t size, const char*, int) { return mine ? mine->take(size) : std::malloc(size); }

void* resize(void* memory, std::size_t size, const char*, int) { return std::realloc(memory, size); }

void release(void* memory, const char*, int) {
  if (mine)
    mine->give(memory);
  else
    std::free(memory);
}

}  // namespace

bool MemoryPool::install() { return CRYPTO_set_mem_functions(allocate, resize, release) == 1; }

MemoryPool::MemoryPool() { mine = this; }

MemoryPool::~MemoryPool() {
  mine = nullptr;
  auto empty = [](Bin& bin) {
    std::for_each_n(bin.kept.begin(), bin.count, [](void* piece) { std::free(piece); });
  };
  std::ranges::for_each(bins_, empty);
  empty(records_);
}

void* MemoryPool::take(std::size_t size) {
  if (size > kLargest && (size <= kLeastRecord || size > kRecord)) return std::malloc(size);
  bool is_record = size > kLargest;
  std::size_t number = size > kFirst + kStep ? (size - kFirst - 1) / kStep : 0;
  Bin& bin = is_record ? records_ : bins_[number];
  if (bin.count > 0) return bin.kept[--bin.count];
  return std::malloc(is_record ? kRecord : kFirst + kStep * (number + 1));
}

void MemoryPool::give(void* memory) {
  if (!memory) return;
  std::size_t size = malloc_usable_size(memory);
  bool fits = size >= kFirst + kStep && size % kStep == kFirst % kStep;
  Bin* bin = nullptr;
  if (fits && size <= kLargest) bin = &bins_[(size - kFirst) / kStep - 1];
  if (size == kRecord) bin = &records_;
  if (!bin || bin->count == bin->kept.size()) return std::free(memory);
  bin->kept[bin->count++] = memory;
}

}  // namespace lockgate::tls
