// Lines of access logs in forms that are not ours: `common`, `combined`, and the
// operator's own, with variables.
#pragma once
#include <string>
#include <string_view>

#include "base/arena.h"
#include "base/escaped_line.h"
#include "proxy/request_facts.h"

namespace lockgate::proxy {

/// The upstream that a request, or a connection that is relayed, was meant for; empty if there is none.
std::string_view upstream_name(const RequestFacts& facts, const Plan& plan);

/// Why a request ended as it did, with all that is known; empty if nothing was wrong.
std::string why_it_ended(const RequestFacts& facts);

struct FormattedLine {
  const config::Template& form;
  const RequestFacts& facts;  // of a connection without requests: what there is
  const Plan& plan;
  Instant now;
};

/// Fills in the form, with what it needs for that in `arena`.
void append_line(EscapedLine& out, const FormattedLine& line, Arena& arena);

}  // namespace lockgate::proxy
