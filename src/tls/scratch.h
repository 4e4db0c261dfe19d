// Scratch: the memory that all TLS streams of one worker share while they open and seal.
//
// A stream over another TLS stream needs a scratch of its own, for both are at work at once. Memory is taken
// when it is first needed. One thread.
#pragma once
#include <memory>
#include <vector>

#include "base/bytes.h"

namespace lockgate::tls {

class Scratch {
 public:
  /// What the stream below is read into: several records at once, and few enough to stay in the cache.
  Room records() {
    if (!records_) records_ = std::make_unique_for_overwrite<std::byte[]>(kRecords);
    return {records_.get(), kRecords};
  }
  /// Records on their way to the stream below; empty whenever no stream is at work.
  std::vector<std::byte>& sealed() { return sealed_; }

 private:
  static constexpr std::size_t kRecords = 128 * 1024;
  std::unique_ptr<std::byte[]> records_;
  std::vector<std::byte> sealed_;
};

}  // namespace lockgate::tls
