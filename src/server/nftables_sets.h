// NftablesSets: keeps sets of the kernel's packet filter as the bans are, each element
// with the time that is left of its ban.
//
// A thread of its own talks to the kernel, for a million elements take their time; the
// process's thread only tells it what has changed. What goes wrong is told once, and all
// is filled in anew a while later. It stops nothing else.
#pragma once
#include <condition_variable>
#include <expected>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/owned.h"
#include "config/bans.h"
#include "guard/bans.h"

struct nft_ctx;

namespace lockgate::server {

void free_filter(nft_ctx* filter);

class NftablesSets {
 public:
  /// Opens the way to the kernel, which the sandbox would not let through later, and starts to fill the sets.
  /// `bans` outlive this.
  static std::expected<std::unique_ptr<NftablesSets>, std::string> open(const config::Nftables& sets,
                                                                        const guard::Bans& bans);
  ~NftablesSets();

  /// What has changed; if something was left out of it, all is filled in anew.
  void take(guard::BanNews news);
  /// What cannot be done any more, or "" once it can again; nothing if that is as it was.
  std::optional<std::string> take_fault();

 private:
  struct Element {
    Network network;
    Instant until;
  };
  NftablesSets(const config::Nftables& sets, const guard::Bans& bans, Owned<nft_ctx, free_filter> filter);
  void work();
  void fill();
  void change(const guard::BanNews& news);
  void add_all(std::span<const Element> elements);
  bool add(std::span<const Element> elements);
  void add_network(const Element& network);
  void remove(std::span<const Network> networks);
  std::vector<Element> banned_inside(const Network& network) const;
  std::string elements_text(std::span<const Element> elements, bool v4, bool with_times) const;
  const std::string& set_for(bool v4) const { return v4 ? sets_.set_v4 : sets_.set_v6; }
  /// False, with `why_` saying why not.
  bool run(const std::string& command);
  bool is_out_of_reach() const;
  void note(const std::string& fault);

  const config::Nftables sets_;
  const guard::Bans& bans_;
  const Owned<nft_ctx, free_filter> filter_;  // from here on its thread's
  SystemClock clock_;
  std::string why_;

  std::mutex lock_;
  std::condition_variable called_;
  std::vector<guard::BanNews> news_;
  bool fill_ = true, ending_ = false, told_ = true;
  std::string fault_;
  std::thread thread_;
};

}  // namespace lockgate::server
