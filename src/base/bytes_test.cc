#include "base/bytes.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace lockgate {
namespace {

TEST(Release, GivesTheMemoryBack) {
  std::vector<std::byte> bytes(1000);
  release(bytes);
  EXPECT_EQ(bytes.capacity(), 0U);
  std::string text(1000, 'x');
  release(text);
  EXPECT_EQ(text.capacity(), std::string().capacity());
}

}  // namespace
}  // namespace lockgate
