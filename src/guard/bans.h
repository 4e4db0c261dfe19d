// Placeholder: replaced by the bans.
#pragma once
namespace lockgate::guard {
class Bans {};
}  // namespace lockgate::guard
