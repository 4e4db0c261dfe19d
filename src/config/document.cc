#include "config/document.h"

#include <fmt/core.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <optional>
#include <sstream>
#include <unordered_map>

namespace lockgate::config {
namespace {

constexpr std::size_t kDeepest = 32;
constexpr std::string_view kTextTag = "tag:yaml.org,2002:str";

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

constexpr std::string_view kNoAliases = "anchors and aliases, `&name` and `*name`, are not supported";

/// What the library would take and we do not. It ends the reading as the library's own exceptions do.
class Refusal : public YAML::ParserException {
 public:
  using ParserException::ParserException;
};

[[noreturn]] void refuse(const YAML::Mark& mark, std::string_view why) {
  throw Refusal(mark, std::string(why));
}

/// Grows the tree from the library's events.
class Builder final : public YAML::EventHandler {
 public:
  Builder(const std::string* file, std::size_t& values_left, std::vector<Diagnostic>& diagnostics)
      : file_(file), values_left_(values_left), diagnostics_(diagnostics) {}

  Node take_root() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ > 1) refuse(mark, "a second document begins here, and a file holds one");
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    add(start(Node::Kind::nothing, mark, "", anchor));
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override { refuse(mark, kNoAliases); }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    Node node = start(Node::Kind::scalar, mark, tag, anchor);
    auto misplaced = [lines = may_hold_lines()](char c) { return is_control(c) && !(lines && c == '\n'); };
    if (std::ranges::any_of(value, misplaced)) refuse(mark, "a text holds a control character");
    node.text = value;
    add(std::move(node));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(start(Node::Kind::list, mark, tag, anchor), mark);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(start(Node::Kind::map, mark, tag, anchor), mark);
  }
  void OnMapEnd() override { close(); }

 private:
  struct Open {
    Node node;
    std::unordered_map<std::string, Mark> keys;  // of a map, those read so far
    bool awaits_value = false;
    bool drops_value = false;  // the value of a key that was there before
  };

  /// Of all values, only the body of a message is more than one line.
  bool may_hold_lines() const {
    if (open_.empty() || !open_.back().awaits_value || !open_.back().node.is_map()) return false;
    return open_.back().drops_value || open_.back().node.entries.back().key == "body";
  }

  Mark at(const YAML::Mark& mark) const { return {file_, mark.line + 1, mark.column + 1}; }

  Node start(Node::Kind kind, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    if (anchor != 0) refuse(mark, kNoAliases);
    if (!tag.empty() && tag != "?" && tag != "!" && tag != kTextTag) {
      refuse(mark, fmt::format("the tag `{}` is not supported", tag));
    }
    if (values_left_ == 0) refuse(mark, "there are more values than a configuration may hold");
    --values_left_;
    Node node;
    node.kind = kind;
    node.mark = at(mark);
    return node;
  }

  void open(Node node, const YAML::Mark& mark) {
    if (!open_.empty() && wants_key(open_.back())) refuse(mark, "a key must be a word, not a list or a map");
    if (open_.size() == kDeepest) refuse(mark, fmt::format("values are nested more than {} deep", kDeepest));
    open_.push_back(Open{std::move(node), {}});
  }

  void close() {
    Node node = std::move(open_.back().node);
    open_.pop_back();
    add(std::move(node));
  }

  static bool wants_key(const Open& open) { return open.node.is_map() && !open.awaits_value; }

  void add(Node node) {
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    Open& open = open_.back();
    if (open.node.is_list()) {
      open.node.items.push_back(std::move(node));
    } else if (!open.awaits_value) {
      add_key(open, std::move(node));
    } else {
      if (node.is_nothing()) node.mark = open.node.entries.back().mark;
      if (!open.drops_value) open.node.entries.back().value = std::move(node);
      open.awaits_value = false;
    }
  }

  void add_key(Open& open, Node key) {
    open.awaits_value = true;
    auto [first, is_new] = open.keys.emplace(key.text, key.mark);
    open.drops_value = !is_new;
    if (is_new) {
      open.node.entries.push_back(Entry{std::move(key.text), key.mark, {}});
    } else {
      diagnostics_.push_back({.place = key.mark.place(),
                              .message = fmt::format("`{}` is written twice", key.text),
                              .hint = fmt::format("it is already in line {}", first->second.line)});
    }
  }

  const std::string* file_;
  std::size_t& values_left_;
  std::vector<Diagnostic>& diagnostics_;
  std::vector<Open> open_;
  Node root_;
  int documents_ = 0;
};

/// How many bytes the character of UTF-8 that `text` begins with takes; 0 if there is none (RFC 3629).
std::size_t character_size(std::string_view text) {
  auto byte = [&](std::size_t at) { return at < text.size() ? static_cast<unsigned char>(text[at]) : 0u; };
  unsigned first = byte(0), second = byte(1);
  if (first < 0x80) return 1;
  std::size_t size = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  bool overlong = first < 0xc2 || (first == 0xe0 && second < 0xa0) || (first == 0xf0 && second < 0x90);
  bool no_character = first > 0xf4 || (first == 0xed && second > 0x9f) || (first == 0xf4 && second > 0x8f);
  if (overlong || no_character) return 0;
  for (std::size_t at = 1; at < size; ++at) {
    if ((byte(at) & 0xc0) != 0x80) return 0;
  }
  return size;
}

/// What the library would let pass in a line: bytes that are no UTF-8, and a tab that indents.
std::optional<Diagnostic> flaw_of(std::string_view line) {
  for (std::size_t at = 0, size = 0; at < line.size(); at += size) {
    size = character_size(line.substr(at));
    if (size == 0)
      return Diagnostic{
          .place = {"", 0, static_cast<int>(at) + 1}, .message = "this is not UTF-8", .hint = ""};
  }
  auto first = std::min(line.find_first_not_of(" \t\r"), line.size());
  auto tab = line.substr(0, first).find('\t');
  if (tab == std::string_view::npos || first == line.size() || line[first] == '#') return {};
  return Diagnostic{.place = {"", 0, static_cast<int>(tab) + 1},
                    .message = "this line is indented with a tab",
                    .hint = "YAML is indented with spaces"};
}

std::optional<Diagnostic> first_flaw(std::string_view text, const std::string& file) {
  for (int line = 1; !text.empty(); ++line) {
    auto end = std::min(text.find('\n'), text.size());
    if (auto flaw = flaw_of(text.substr(0, end))) {
      flaw->place.file = file;
      flaw->place.line = line;
      return flaw;
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return {};
}

/// The words for what the library threw, and what is likely meant.
Diagnostic told(const YAML::Exception& error, std::string_view text, const std::string* file) {
  Diagnostic diagnostic{
      .place = {*file, error.mark.line + 1, error.mark.column + 1}, .message = error.msg, .hint = ""};
  auto at = static_cast<std::size_t>(std::max(error.mark.pos, 0));
  if (at < text.size() && text[at] == '*') {
    diagnostic.message = kNoAliases;
    diagnostic.hint = "put a text that begins with * in quotes";
  } else if (!dynamic_cast<const Refusal*>(&error)) {
    diagnostic.message = "this is no valid YAML: " + error.msg;
    if (at >= text.size()) diagnostic.hint = "a quote or bracket before it is not closed";
  }
  return diagnostic;
}

const Entry* find_in(const std::vector<Entry>& entries, std::string_view key) {
  auto found = std::ranges::find(entries, key, &Entry::key);
  return found == entries.end() ? nullptr : &*found;
}

}  // namespace

const Entry* Node::find(std::string_view key) const { return find_in(entries, key); }

Entry* Node::find(std::string_view key) { return const_cast<Entry*>(find_in(entries, key)); }

Node read_document(std::string_view text, const std::string* file, std::size_t& values_left,
                   std::vector<Diagnostic>& diagnostics) {
  if (auto flaw = first_flaw(text, *file)) {
    diagnostics.push_back(std::move(*flaw));
    return {};
  }
  // The library overlooks a quote that is not closed if a line break follows.
  text = text.substr(0, text.find_last_not_of(" \t\r\n") + 1);
  std::istringstream stream{std::string(text)};
  Builder builder(file, values_left, diagnostics);
  try {
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
    return builder.take_root();
  } catch (const YAML::Exception& error) {
    diagnostics.push_back(told(error, text, file));
  }
  return {};
}

}  // namespace lockgate::config
