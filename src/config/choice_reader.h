// Reads what refers to other entries by their names: certificates, users, parents and upstreams,
// and upstreams that are given in place.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "config/fields.h"
#include "config/tree_reader.h"
#include "config/unique_names.h"

namespace lockgate::config {

class ChoiceReader : public TreeReader {
 public:
  using TreeReader::read_value;
  using TreeReader::TreeReader;

  void read_value(const Node& node, Subject subject, const Form& form, ParentChoice& out);
  void read_value(const Node& node, Subject subject, const Form& form, CertificateChoice& out);
  void read_value(const Node& node, Subject subject, const Form& form, std::vector<CertificateChoice>& out);
  void read_value(const Node& node, Subject subject, const Form& form, UserListChoice& out);
  void read_value(const Node& node, Subject subject, const Form& form, std::vector<Endpoint>& out);
  void read_value(const Node& node, Subject subject, const Form& form, UpstreamChoice& out);

 protected:
  /// Puts it among those of the configuration, where its name finds it.
  void add_upstream(Upstream upstream);

  Config config_;     // as far as it has been read
  ParentChoice via_;  // what the verdict under way has said, which stands before its `to`

 private:
  template <class Entry>
  void choose_by_name(const Node& node, Subject subject, const std::vector<Entry>& entries,
                      std::uint32_t& index, const Misfit& otherwise);
  std::optional<Endpoint> read_endpoint(const Node& node, Subject subject, const Form& form);
  std::uint32_t reached_via(std::uint32_t index);
  std::uint32_t index_of(Upstream upstream);
  void tell_unknown_upstream(const Node& node);

  std::unordered_map<std::string, std::uint32_t> upstream_index_;
  UniqueNames upstream_names_;
  std::unordered_map<std::string, std::uint32_t> in_place_;  // by their endpoints
};

}  // namespace lockgate::config
