#include "config/documents.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <glob.h>

#include <algorithm>
#include <cstring>
#include <expected>
#include <filesystem>

#include "base/fd.h"

namespace lockgate::config {
namespace {

constexpr std::size_t kLargestFile = 16 << 20;
constexpr std::string_view kTooLarge = "the file is larger than 16 MiB";
constexpr std::size_t kMostFiles = 10'000;
constexpr std::size_t kDeepestInclude = 10;

std::expected<std::string, std::string> file_text(const std::string& path) {
  Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return std::unexpected(std::strerror(errno));
  std::string text;
  std::vector<char> room(1 << 16);
  while (true) {
    ssize_t size = ::read(file.number(), room.data(), room.size());
    if (size == 0) return text;
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return std::unexpected(std::strerror(errno));
    text.append(room.data(), static_cast<std::size_t>(size));
    if (text.size() > kLargestFile) return std::unexpected(std::string(kTooLarge));
  }
}

std::string real_path(const std::string& path) {
  std::error_code error;
  auto real = std::filesystem::weakly_canonical(path, error);
  return error ? path : real.string();
}

bool is_pattern(std::string_view name) { return name.find_first_of("*?[") != std::string_view::npos; }

}  // namespace

Node Documents::read_file(const std::string& path) {
  auto text = file_text(path);
  if (text) return read_text(*text, path);
  diagnostics_.push_back({.place = {path, 0, 0}, .message = "cannot be read: " + text.error(), .hint = ""});
  return {};
}

Node Documents::read_text(std::string_view text, const std::string& file_name) {
  being_read_.push_back(real_path(file_name));
  Node root = read(text, file_name);
  expand_top(root);
  being_read_.pop_back();
  return root;
}

Node Documents::read(std::string_view text, const std::string& file_name) {
  files_.push_back(file_name);
  Node nothing;
  nothing.mark.file = &files_.back();
  if (text.size() > kLargestFile) {
    error(nothing.mark, std::string(kTooLarge));
    return nothing;
  }
  Node root = read_document(text, &files_.back(), values_left_, diagnostics_);
  return root.is_nothing() ? nothing : root;
}

void Documents::expand_top(Node& root) {
  if (Entry* listeners = root.find("listeners")) {
    for (Node& listener : listeners->value.items) {
      if (Entry* sites = listener.find("sites")) expand_sites(sites->value.items);
    }
  }
  auto include = std::ranges::find(root.entries, "include", &Entry::key);
  if (include == root.entries.end()) return;
  Node names = std::move(include->value);
  root.entries.erase(include);
  visit_files(names, [&](Node other) {
    if (other.is_nothing()) return;
    if (!other.is_map())
      return error(other.mark, "an included file must be a map of keys, as the first file is");
    expand_top(other);
    merge(root, std::move(other));
  });
}

void Documents::expand_sites(std::vector<Node>& sites) {
  expand_list(sites, "sites");
  for (Node& site : sites) {
    for (std::string_view verdict : {"terminate", "plain"}) {
      Entry* held = site.find(verdict);
      if (Entry* routes = held ? held->value.find("routes") : nullptr)
        expand_list(routes->value.items, "routes");
    }
  }
}

void Documents::expand_list(std::vector<Node>& list, std::string_view what) {
  std::vector<Node> expanded;
  for (Node& item : list) {
    const Entry* include = item.find("include");
    if (!include) {
      expanded.push_back(std::move(item));
      continue;
    }
    if (item.entries.size() > 1)
      error(include->mark, fmt::format("`include` among {} stands alone", what),
            "begin a new entry, `- include:`");
    visit_files(include->value, [&](Node other) {
      std::vector<Node> more;
      if (other.is_list())
        more = std::move(other.items);
      else if (!other.is_nothing())
        more.push_back(std::move(other));
      expand_list(more, what);
      std::ranges::move(more, std::back_inserter(expanded));
    });
  }
  list = std::move(expanded);
}

void Documents::merge(Node& root, Node other) {
  for (Entry& entry : other.entries) {
    Entry* ours = root.find(entry.key);
    if (!ours) {
      root.entries.push_back(std::move(entry));
    } else if (ours->value.is_list() && entry.value.is_list() && entry.key == "listeners") {
      std::ranges::move(entry.value.items, std::back_inserter(ours->value.items));
    } else if (ours->value.is_map() && entry.value.is_map()) {
      for (Entry& inner : entry.value.entries) {
        if (const Entry* first = ours->value.find(inner.key))
          tell_twice(inner, *first);
        else
          ours->value.entries.push_back(std::move(inner));
      }
    } else {
      tell_twice(entry, *ours);
    }
  }
}

void Documents::visit_files(const Node& names, const Visit& visit) {
  if (includes_ == Includes::refuse) return error(names.mark, "`include` is not possible here");
  if (names.is_scalar()) {
    for (const std::string& path : matching_files(names)) visit_file(path, names.mark, visit);
    return;
  }
  if (!names.is_list())
    error(names.mark, "`include` must be a file, a pattern such as conf.d/*.yaml, or a list of them");
  for (const Node& name : names.items) {
    if (!name.is_scalar()) {
      error(name.mark, "an entry of `include` must be a file or a pattern such as conf.d/*.yaml");
      continue;
    }
    for (const std::string& path : matching_files(name)) visit_file(path, name.mark, visit);
  }
}

void Documents::visit_file(const std::string& path, const Mark& by, const Visit& visit) {
  std::string real = real_path(path);
  if (std::ranges::find(being_read_, real) != being_read_.end())
    return error(by, fmt::format("{} includes itself", path));
  if (being_read_.size() > kDeepestInclude)
    return error(by, fmt::format("files include each other more than {} deep", kDeepestInclude));
  if (files_.size() >= kMostFiles)
    return error(by, fmt::format("more than {} files are included", kMostFiles));
  auto text = file_text(path);
  if (!text) return error(by, fmt::format("{} cannot be read: {}", path, text.error()));
  being_read_.push_back(std::move(real));
  visit(read(*text, path));
  being_read_.pop_back();
}

std::vector<std::string> Documents::matching_files(const Node& name) {
  auto folder = std::filesystem::path(*name.mark.file).parent_path();
  std::string path = (folder / name.text).lexically_normal().string();
  if (!is_pattern(name.text)) return {path};
  glob_t found{};
  std::vector<std::string> paths;
  if (::glob(path.c_str(), 0, nullptr, &found) == 0) {
    paths.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  }
  ::globfree(&found);
  std::ranges::sort(paths);
  return paths;
}

void Documents::tell_twice(const Entry& again, const Entry& first) {
  error(again.mark, fmt::format("`{}` is written twice", again.key),
        fmt::format("it is already in {}, line {}", *first.mark.file, first.mark.line));
}

void Documents::error(const Mark& mark, std::string message, std::string hint) {
  diagnostics_.push_back({.place = mark.place(), .message = std::move(message), .hint = std::move(hint)});
}

}  // namespace lockgate::config
