// Whether sentences tell what a test expects of them. For tests only.
#pragma once
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace lockgate::tls {

using Strings = std::vector<std::string>;

/// True if the sentence contains the words.
inline testing::AssertionResult tells(std::string_view sentence, std::string_view words) {
  if (sentence.contains(words)) return testing::AssertionSuccess();
  return testing::AssertionFailure() << "\"" << sentence << "\" does not tell \"" << words << "\"";
}

/// True if there are just as many sentences as words, and each contains its own.
inline testing::AssertionResult tell(const Strings& sentences, const Strings& words) {
  if (sentences.size() != words.size()) {
    auto failure = testing::AssertionFailure() << sentences.size() << " sentences:";
    for (const auto& sentence : sentences) failure << "\n  " << sentence;
    return failure;
  }
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (auto outcome = tells(sentences[i], words[i]); !outcome) return outcome;
  }
  return testing::AssertionSuccess();
}

}  // namespace lockgate::tls
