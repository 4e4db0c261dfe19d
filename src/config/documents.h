// A configuration file and all that it includes, as one tree.
//
// `include` at the top merges other files into this one; `- include` among sites or
// routes stands for those of other files. Owns the names of the files that marks of
// the tree point to, so it must outlive the tree. Reads files; throws nothing.
#pragma once
#include <cstddef>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "config/document.h"

namespace lockgate::config {

enum class Includes : std::uint8_t { follow, refuse };

class Documents {
 public:
  Documents(Includes includes, std::vector<Diagnostic>& diagnostics)
      : includes_(includes), diagnostics_(diagnostics) {}

  /// The tree of the file at `path`.
  Node read_file(const std::string& path);
  /// The tree of `text`, whose includes are relative to the folder of `file_name`.
  Node read_text(std::string_view text, const std::string& file_name);

  /// Every file that was read, in order.
  std::vector<std::string> files() const { return {files_.begin(), files_.end()}; }

 private:
  using Visit = std::function<void(Node)>;

  Node read(std::string_view text, const std::string& file_name);
  void expand_top(Node& root);
  void expand_sites(std::vector<Node>& sites);
  void expand_list(std::vector<Node>& list, std::string_view what);
  void merge(Node& root, Node other);
  /// Reads each file that `names`, a value of `include`, stands for; `visit` may include in turn.
  void visit_files(const Node& names, const Visit& visit);
  void visit_file(const std::string& path, const Mark& by, const Visit& visit);
  std::vector<std::string> matching_files(const Node& name);
  void tell_twice(const Entry& again, const Entry& first);
  void error(const Mark& mark, std::string message, std::string hint = "");

  Includes includes_;
  std::vector<Diagnostic>& diagnostics_;
  std::deque<std::string> files_;
  std::vector<std::string> being_read_;  // real paths, the including ones first
  std::size_t values_left_ = 1'000'000;
};

}  // namespace lockgate::config
