#include "server/nftables_sets.h"

#include <fmt/core.h>
#include <fmt/ranges.h>
#include <nftables/libnftables.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <optional>
#include <utility>

#include "config/words.h"
#include "guard/client_key.h"

namespace lockgate::server {

using guard::is_client;

namespace {

constexpr std::size_t kAtOnce = 5000;
constexpr std::chrono::seconds kTryAgain{5};
constexpr std::size_t kMostWaiting = 100;

}  // namespace

void free_filter(nft_ctx* filter) { ::nft_ctx_free(filter); }

std::expected<std::unique_ptr<NftablesSets>, std::string> NftablesSets::open(const config::Nftables& sets,
                                                                             const guard::Bans& bans) {
  Owned<nft_ctx, free_filter> filter(::nft_ctx_new(NFT_CTX_DEFAULT));
  if (!filter) return std::unexpected("the kernel's packet filter cannot be reached");
  ::nft_ctx_buffer_error(filter.get());
  ::nft_ctx_buffer_output(filter.get());
  return std::unique_ptr<NftablesSets>(new NftablesSets(sets, bans, std::move(filter)));
}

NftablesSets::NftablesSets(const config::Nftables& sets, const guard::Bans& bans,
                           Owned<nft_ctx, free_filter> filter)
    : sets_(sets), bans_(bans), filter_(std::move(filter)), thread_([this] { work(); }) {}

NftablesSets::~NftablesSets() {
  {
    std::lock_guard held(lock_);
    ending_ = true;
  }
  called_.notify_one();
  thread_.join();
}

void NftablesSets::take(guard::BanNews news) {
  std::lock_guard held(lock_);
  if (fill_) return;
  if (news.left_out > 0 || news_.size() >= kMostWaiting) {
    fill_ = true;
    news_.clear();
  } else {
    news_.push_back(std::move(news));
  }
  called_.notify_one();
}

std::optional<std::string> NftablesSets::take_fault() {
  std::lock_guard held(lock_);
  if (std::exchange(told_, true)) return {};
  return fault_;
}

// What changes while the sets are filled comes behind it.
void NftablesSets::work() {
  std::unique_lock held(lock_);
  while (!ending_) {
    bool fill_now = std::exchange(fill_, false);
    auto news = std::exchange(news_, {});
    held.unlock();
    why_.clear();
    if (fill_now)
      fill();
    else
      for (const guard::BanNews& one : news) change(one);
    bool failed = is_out_of_reach();
    held.lock();
    note(failed ? why_ : "");
    if (failed) {
      called_.wait_for(held, kTryAgain, [this] { return ending_; });
      fill_ = true;
      news_.clear();
    }
    called_.wait(held, [this] { return ending_ || fill_ || !news_.empty(); });
  }
}

void NftablesSets::fill() {
  for (bool v4 : {true, false}) {
    if (set_for(v4).empty()) continue;
    if (!run(fmt::format("flush set {} {} {}", word_of(sets_.family), sets_.table, set_for(v4)))) return;
  }
  // All networks are in the first piece; those that hold others go first.
  std::vector<Element> elements;
  auto piece = bans_.list(guard::Bans::kMostNetworks);
  for (; !piece.empty() && !is_out_of_reach(); piece = bans_.list(kAtOnce, &piece.back())) {
    elements.clear();
    for (const guard::Ban& ban : piece) elements.push_back({ban.who, ban.until});
    std::ranges::sort(elements, {}, [](const Element& one) { return one.network.prefix(); });
    add_all(elements);
  }
}

// A network has held those inside of it, which may stay for longer.
void NftablesSets::change(const guard::BanNews& news) {
  remove(news.lifted);
  std::vector<Element> elements;
  for (const Network& network : news.lifted) {
    if (!is_client(network)) std::ranges::copy(banned_inside(network), std::back_inserter(elements));
  }
  for (const guard::Ban& ban : news.lasting()) {
    if (is_client(ban.who))
      elements.push_back({ban.who, ban.until});
    else
      add_network({ban.who, ban.until});
  }
  add_all(elements);
}

void NftablesSets::add_all(std::span<const Element> elements) {
  while (!elements.empty() && !is_out_of_reach()) {
    auto some = elements.first(std::min(elements.size(), kAtOnce));
    add(some);
    elements = elements.subspan(some.size());
  }
}

// Those inside of it, which are there already, make room for it.
void NftablesSets::add_network(const Element& network) {
  if (add({&network, 1}) || is_out_of_reach()) return;
  std::vector<Network> inside;
  for (const Element& one : banned_inside(network.network)) inside.push_back(one.network);
  remove(inside);
  add({&network, 1});
}

// One that is inside of another is refused, and all that come with it: then each half goes alone, down to the
// one, which is left out, for the other holds it. False if any is.
bool NftablesSets::add(std::span<const Element> elements) {
  for (bool v4 : {true, false}) {
    std::string texts = elements_text(elements, v4, true), plain = elements_text(elements, v4, false);
    if (texts.empty()) continue;
    std::string set = fmt::format("element {} {} {}", word_of(sets_.family), sets_.table, set_for(v4));
    // An element that is there already would keep its time.
    if (run(fmt::format("add {0} {{ {1} }}\ndelete {0} {{ {1} }}\nadd {0} {{ {2} }}", set, plain, texts)))
      continue;
    if (is_out_of_reach() || elements.size() == 1) return false;
    bool first = add(elements.first(elements.size() / 2));
    return add(elements.subspan(elements.size() / 2)) && first;
  }
  return true;
}

// One that is no longer there is what was wanted.
void NftablesSets::remove(std::span<const Network> networks) {
  for (const Network& network : networks) {
    const std::string& set = set_for(network.ip().is_v4());
    if (!set.empty())
      run(fmt::format("delete element {} {} {} {{ {} }}", word_of(sets_.family), sets_.table, set,
                      network.text()));
  }
  why_.clear();
}

std::vector<NftablesSets::Element> NftablesSets::banned_inside(const Network& network) const {
  std::vector<Element> inside;
  auto piece = bans_.list(kAtOnce);
  for (; !piece.empty(); piece = bans_.list(kAtOnce, &piece.back())) {
    for (const guard::Ban& ban : piece) {
      bool within = ban.who.prefix() > network.prefix() && network.contains(ban.who.ip());
      if (within) inside.push_back({ban.who, ban.until});
    }
  }
  return inside;
}

std::string NftablesSets::elements_text(std::span<const Element> elements, bool v4, bool with_times) const {
  if (set_for(v4).empty()) return "";
  std::vector<std::string> texts;
  Instant now = clock_.now();
  for (const auto& [network, until] : elements) {
    if (network.ip().is_v4() != v4 || until <= now) continue;
    bool lone = network.prefix() == (v4 ? 32 : 128);
    std::string text = lone ? network.ip().text() : network.text();
    if (with_times && until != kNever)
      text += fmt::format(" timeout {}s", std::chrono::ceil<std::chrono::seconds>(until - now).count());
    texts.push_back(std::move(text));
  }
  return fmt::format("{}", fmt::join(texts, ", "));
}

bool NftablesSets::run(const std::string& command) {
  int outcome = ::nft_run_cmd_from_buffer(filter_.get(), command.c_str());
  const char* said = ::nft_ctx_get_error_buffer(filter_.get());
  (void)::nft_ctx_get_output_buffer(filter_.get());
  if (outcome == 0) return true;
  why_ = said ? said : "";
  why_ = why_.substr(0, why_.find('\n'));
  if (why_.empty()) why_ = "it gave no reason";
  return false;
}

// No table, no set, or no right to change them, rather than an element that does not fit.
bool NftablesSets::is_out_of_reach() const {
  return why_.contains("No such file") || why_.contains("not permitted") || why_.contains("denied") ||
         why_.contains("no reason");
}

void NftablesSets::note(const std::string& fault) {
  if (fault == fault_) return;
  fault_ = fault;
  told_ = false;
}

}  // namespace lockgate::server
