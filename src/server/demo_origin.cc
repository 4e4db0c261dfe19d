#include "server/demo_origin.h"

#include <fmt/core.h>

#include <charconv>
#include <optional>

#include "base/markup.h"

namespace lockgate::server {

using loop::Task;

namespace {

constexpr std::size_t kMostBytes = 1024 * 1024;
constexpr std::string_view kBytes = "/bytes/";

Page what_arrived(const Visit& visit);
Page bytes_page(std::string_view size);

}  // namespace

Task<Page> DemoOrigin::page(const Visit& visit) {
  if (visit.path == "/") co_return what_arrived(visit);
  if (visit.path.starts_with(kBytes)) co_return bytes_page(visit.path.substr(kBytes.size()));
  co_return not_found();
}

namespace {

/// The request as it came, and who brought it.
std::string request_text(const Visit& visit) {
  std::string text =
      fmt::format("{} {} HTTP/1.{}\n", visit.head.method, visit.head.target, visit.head.minor_version);
  for (const auto& field : visit.head.fields) text += fmt::format("{}: {}\n", field.name, field.value);
  return text + fmt::format("\nConnected from {}\n", visit.peer.text());
}

Page what_arrived(const Visit& visit) {
  constexpr std::string_view kHello = "Hello from Lockgate's demo origin.";
  constexpr std::string_view kIntroduction = "This request went through Lockgate and arrived here as:";
  std::string request = request_text(visit);
  bool browser = visit.head.field("accept").value_or("").contains("text/html");
  if (!browser) return {.body = fmt::format("{}\n{}\n\n{}", kHello, kIntroduction, request)};
  constexpr const char* kHtml =
      "<!DOCTYPE html>\n<html lang=\"en\">\n<title>Lockgate</title>\n"
      "<style>body {{ font: 1.1em/1.5 sans-serif; max-width: 40em; margin: 4em auto; padding: 0 1em }} "
      "pre {{ background: #eef; padding: 1em; overflow: auto }}</style>\n"
      "<h1>{}</h1>\n<p>{}</p>\n<pre>{}</pre>\n</html>\n";
  return {.body = fmt::format(kHtml, kHello, kIntroduction, markup_of(request)),
          .content_type = "text/html; charset=utf-8"};
}

Page bytes_page(std::string_view size) {
  std::size_t number = 0;
  auto [end, error] = std::from_chars(size.data(), size.data() + size.size(), number);
  if (error != std::errc() || end != size.data() + size.size() || number > kMostBytes) {
    return {.status = 404, .body = fmt::format("/bytes/N gives N bytes, up to {}.\n", kMostBytes)};
  }
  return {.body = std::string(number, 'x'), .content_type = "application/octet-stream"};
}

}  // namespace
}  // namespace lockgate::server
