// Reads what is said of HTTP: routes, conditions of theirs, and changes of fields.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/require_reader.h"

namespace lockgate::config {

class HttpReader : public RequireReader {
 public:
  using RequireReader::read_value;
  using RequireReader::RequireReader;

  // Of changes of fields; what is inherited stays, but for the same field under the same key.
  void read_value(const Node& node, Subject subject, const Form& form, std::vector<std::string>& out);
  void read_value(const Node& node, Subject subject, const Form& form, std::vector<FieldReplacement>& out);
  void read_value(const Node& node, Subject subject, const Form& form, std::vector<FieldValue>& out);

  void read_value(const Node& node, Subject subject, const Form& form, std::vector<ErrorPage>& out);
  void read_value(const Node& node, Subject subject, const Form& form, std::vector<Condition>& out);
  void read_value(const Node& node, Subject subject, const Form& form, std::vector<FixedField>& out);
  void read_value(const Node& node, Subject subject, const Form& form, std::vector<Route>& out);

 protected:
  /// A route of `site`, whose own options have been read already.
  Route read_route(const Site& site, const Node& node, Subject subject);
  /// The only route of a site whose verdict, `node`, leads to an upstream for HTTP.
  Route only_route(const Site& site, const Node& node, const UpstreamChoice& to);
  /// Gives names to routes that have none.
  static void name(std::vector<Route>& routes);

  const Site* site_ = nullptr;  // whose routes are read

 private:
  bool may_change(const std::string& field, const Mark& mark);
  template <class Visit>
  void for_each_named(const Node& node, Subject subject, const Form& form, Visit visit);
  void check_action(const Node& route, const WrittenRoute& written);
  void check_status(const Entry& status, const Node& route, std::uint32_t value);
  void check_path(const Node& route);
  void check_target(const Node& route, const WrittenRoute& written);
  void check_captures(const Node& route, const WrittenRoute& written);
  void needs(const Node& route, std::string_view key, std::string_view other);
};

}  // namespace lockgate::config
