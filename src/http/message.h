// Messages of HTTP without their version: what a request asks for and what is answered,
// as RFC 9110 has them, free of whatever concerns one connection only.
//
// Whoever reads a message of HTTP/1 (or, later, 2) makes it one of these; whoever
// writes one puts it into the form of its version. Texts are views, into the arena
// that goes with the message or into memory that outlives it.
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "wire/http_head.h"

namespace lockgate::http {

using wire::FieldName;

/// The same as is_alike(), of names that are as long; every field of a request is compared with some names,
/// most of which are not.
bool is_alike_throughout(std::string_view one, std::string_view other);
/// Whether programs behind may take one name for the other: X_User for X-User, as CGI does (RFC
/// 3875, 4.1.18), and some of them X.User and X~User, too. Nobody tells in the one what the operator tells in
/// the other.
inline bool is_alike(std::string_view one, std::string_view other) {
  return one.size() == other.size() && is_alike_throughout(one, other);
}

/// The fields of a message that concern both ends: no Host, no framing, nothing that Connection names.
class Fields {
 public:
  using List = std::vector<wire::HeadField>;

  List::const_iterator begin() const { return list_.begin(); }
  List::const_iterator end() const { return list_.end(); }
  List& list() { return list_; }
  void clear() { list_.clear(); }

  void add(std::string_view name, std::string_view value, FieldName id) {
    list_.push_back({name, value, id});
  }
  void add(FieldName id, std::string_view value) { list_.push_back({wire::text_of(id), value, id}); }
  /// The first of that name, or null.
  const wire::HeadField* find(FieldName id) const;
  /// Its value, or an empty text.
  std::string_view value(FieldName id) const;
  void remove(FieldName id);
  /// Of any name, in any case.
  void remove(std::string_view name);
  /// The same, also of names that is_alike().
  void remove_alike(std::string_view name);
  /// One field takes the place of all of that name.
  void set(FieldName id, std::string_view value) {
    remove(id);
    add(id, value);
  }

 private:
  List list_;
};

/// A request, as it is routed, rewritten and sent on.
struct Request {
  std::string_view method;
  std::string_view scheme;     // "http" or "https": what this request came by, or goes by
  std::string_view authority;  // host and port as sent; empty if an HTTP/1.0 client gave none
  std::string_view host;       // of the authority: in lower case, without port, brackets and trailing dot
  std::string_view target;     // path and query, or "*"
  Fields fields;
  bool has_body = false;
  std::optional<std::uint64_t> length;  // of the body, where it is known beforehand
  bool wants_continue = false;          // the client waits for 100 before it sends the body
  bool takes_trailers = false;
  bool lost_fields = false;  // Connection had some taken off (RFC 9110, 7.6.1)
  std::string_view upgrade;  // the protocols that the client would switch to; empty: none
  std::uint8_t minor_version = 1;

  void clear();
};

/// An answer.
struct Response {
  int status = 0;
  std::string_view reason;
  Fields fields;
  bool has_body = false;
  std::optional<std::uint64_t> length;  // of the body, or of the one that a GET would have had
  std::string_view upgrade;             // of 101: what was switched to

  void clear();
};

/// A part of a body. Its bytes are valid until the next wait of whoever was given it.
struct Piece {
  Bytes bytes;
  bool last = false;  // nothing comes behind it but the trailers
};

/// Whether asking again cannot do harm (RFC 9110, 9.2.2).
bool is_idempotent(std::string_view method);

}  // namespace lockgate::http
