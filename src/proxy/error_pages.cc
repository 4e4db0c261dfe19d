#include "proxy/error_pages.h"

#include <algorithm>
#include <charconv>

namespace lockgate::proxy {

void ErrorPages::add(std::string_view name, std::shared_ptr<const WrittenPage> page) {
  int status = kDefault;  // of what begins with no digit; of "4xx", 4
  std::from_chars(name.data(), name.data() + name.size(), status);
  if (page) entries_.push_back({status, std::move(page)});
}

const WrittenPage* ErrorPages::find(int status) const {
  constexpr int kFirstError = 400, kPerClass = 100;
  if (status < kFirstError || entries_.empty()) return nullptr;
  for (int which : {status, status / kPerClass, kDefault}) {
    if (const WrittenPage* page = exactly(which)) return page;
  }
  return nullptr;
}

const WrittenPage* ErrorPages::exactly(int status) const {
  auto found = std::ranges::find(entries_, status, &Entry::status);
  return found == entries_.end() ? nullptr : found->page.get();
}

}  // namespace lockgate::proxy
