#include "proxy/written_page.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/markup.h"
#include "config/template.h"
#include "proxy/media_type.h"
#include "proxy/variables.h"
#include "tls/files.h"

namespace lockgate::proxy {
namespace {

using config::Variable;

bool is_variable(const config::Template::Part& part) { return part.variable != Variable::none; }

void append_json(std::string& out, std::string_view value) {
  for (char c : value) {
    if (static_cast<unsigned char>(c) < ' ')
      out += fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
    else if (c == '"' || c == '\\')
      (out += '\\') += c;
    else
      out += c;
  }
}

void append(std::string& out, std::string_view value, std::string_view content_type) {
  if (content_type.starts_with("text/plain"))
    out += value;
  else if (content_type.contains("json"))
    append_json(out, value);
  else
    append_markup(out, value);
}

}  // namespace

std::expected<std::shared_ptr<const WrittenPage>, std::string> WrittenPage::read(const std::string& path) {
  auto content = tls::read_file(path);
  if (!content) return std::unexpected(content.error());
  std::string_view text = content->text();
  if (text.size() > kLargest)
    return std::unexpected(
        fmt::format("{} has {} bytes, and a page has at most {}", path, text.size(), kLargest));
  auto page = std::make_shared<const WrittenPage>(path, text);
  auto variables = static_cast<std::size_t>(std::ranges::count_if(page->text_.parts, is_variable));
  if (variables > kMostVariables)
    return std::unexpected(
        fmt::format("{} has {} variables, and a page has at most {}", path, variables, kMostVariables));
  return page;
}

WrittenPage::WrittenPage(std::string_view name, std::string_view text)
    : text_(config::parse_page(text)), content_type_(media_type(name)) {}

std::string_view WrittenPage::filled_in(const RequestFacts& facts, Arena& arena) const {
  if (text_.parts.size() == 1 && !is_variable(text_.parts.front())) return text_.parts.front().text;
  std::string text;
  for (const auto& part : text_.parts) {
    if (!is_variable(part))
      text += part.text;
    else if (part.variable == Variable::status)
      text += fmt::format_int(facts.status).str();
    else
      append(text, value_of(part.variable, facts, arena), content_type_);
  }
  return arena.copy(text);
}

}  // namespace lockgate::proxy
