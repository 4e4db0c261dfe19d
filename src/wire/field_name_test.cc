#include "wire/field_name.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace lockgate::wire {
namespace {

constexpr int kCount = static_cast<int>(FieldName::x_request_id) + 1;

std::string in_case(std::string_view text, int (*change)(int)) {
  std::string changed(text);
  for (char& c : changed) c = static_cast<char>(change(c));
  return changed;
}

TEST(FieldName, IsFoundInAnyCase) {
  for (int i = 1; i < kCount; ++i) {
    auto name = static_cast<FieldName>(i);
    for (const auto& text : {std::string(text_of(name)), in_case(text_of(name), std::tolower),
                             in_case(text_of(name), std::toupper)}) {
      EXPECT_EQ(field_name(text), name) << text;
    }
  }
}

TEST(FieldName, StandsForWhatItIsCalled) {
  EXPECT_EQ(text_of(FieldName::age), "Age");
  EXPECT_EQ(text_of(FieldName::content_length), "Content-Length");
  EXPECT_EQ(text_of(FieldName::te), "TE");
  EXPECT_EQ(text_of(FieldName::transfer_encoding), "Transfer-Encoding");
  EXPECT_EQ(text_of(FieldName::x_forwarded_host), "X-Forwarded-Host");
  EXPECT_EQ(text_of(FieldName::x_request_id), "X-Request-ID");
  EXPECT_EQ(text_of(FieldName::other), "");
}

TEST(FieldName, IsOtherForAnythingElse) {
  for (auto text : {"", "t", "T", "x", "accept", "hos", "hosts", "content_length", "content-lengti",
                    "transfer-encodinG ", "te\r", "set\rcookie", "x-forwarded-hort", "h\xcfst"}) {
    EXPECT_EQ(field_name(text), FieldName::other) << text;
  }
}

TEST(FieldName, WithAnyByteChangedIsOther) {
  for (int i = 1; i < kCount; ++i) {
    std::string text(text_of(static_cast<FieldName>(i)));
    for (std::size_t at = 0; at < text.size(); ++at) {
      for (int byte = 0; byte < 256; ++byte) {
        std::string changed = text;
        changed[at] = static_cast<char>(byte);
        bool same = in_case(changed, std::tolower) == in_case(text, std::tolower);
        ASSERT_EQ(field_name(changed) == static_cast<FieldName>(i), same) << changed;
      }
    }
  }
}

}  // namespace
}  // namespace lockgate::wire
