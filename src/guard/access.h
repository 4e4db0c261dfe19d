// Access: who is let in by address, compiled: of one place in the configuration, and of
// several of which it is not known yet which will decide. Part of a plan; any worker.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "config/addresses.h"
#include "guard/address_rule.h"

namespace lockgate::guard {

/// Why somebody is let in or not.
enum class Admission : std::uint8_t { open, allowed, not_denied, denied, not_allowed };
constexpr bool is_let_in(Admission admission) { return admission < Admission::denied; }

class Access {
 public:
  /// Lets everybody in.
  Access() = default;
  /// `book` outlives it.
  Access(const config::Access& config, const AddressBook& book)
      : allow_(config.allow, book),
        deny_(config.deny, book),
        has_allow_(!config.allow.empty()),
        has_deny_(!config.deny.empty()) {}

  Admission admission(const Ip& ip, std::size_t worker) const;
  bool admits(const Ip& ip, std::size_t worker) const {
    return (!has_allow_ && !has_deny_) || is_let_in(admission(ip, worker));
  }

 private:
  AddressRule allow_, deny_;
  bool has_allow_ = false, has_deny_ = false;
};

/// Lets in whomever any of several does: who is refused here would be refused by whichever will decide.
class AnyAccess {
 public:
  void add(const config::Access& config, const AddressBook& book);

  bool admits(const Ip& ip, std::size_t worker) const {
    if (open_ || all_.empty()) return true;
    for (const Access& access : all_) {
      if (access.admits(ip, worker)) return true;
    }
    return false;
  }

 private:
  std::vector<config::Access> seen_;
  std::vector<Access> all_;
  bool open_ = false;  // somebody lets everybody in, or they are too many to be asked
};

}  // namespace lockgate::guard
