// The words that plays of HTTP are made of: requests and answers to and from one host.
#pragma once
#include <fmt/format.h>

#include <string>

namespace lockgate::stories {

inline const std::string kHost = "Host: web.example.org\r\n";

inline std::string ask(const std::string& method, const std::string& target, const std::string& fields = "") {
  return method + " " + target + " HTTP/1.1\r\n" + kHost + fields + "\r\n";
}
inline std::string get(const std::string& target, const std::string& fields = "") {
  return ask("GET", target, fields);
}
inline std::string sized(std::size_t length) { return fmt::format("Content-Length: {}\r\n", length); }
inline std::string post(const std::string& target, const std::string& body, const std::string& fields = "") {
  return ask("POST", target, fields + sized(body.size())) + body;
}
inline std::string answer(const std::string& status, const std::string& fields,
                          const std::string& body = "") {
  return "HTTP/1.1 " + status + "\r\n" + fields + "\r\n" + body;
}
inline std::string ok(const std::string& body, const std::string& fields = "") {
  return answer("200 OK", fields + sized(body.size()), body);
}

inline const std::string kChunked = "Transfer-Encoding: chunked\r\n";
inline std::string chunk(const std::string& text) { return fmt::format("{:x}\r\n{}\r\n", text.size(), text); }
inline const std::string kLast = "0\r\n\r\n";

// A mebibyte of which every part can be told from every other.
inline std::string large_body() {
  std::string text;
  for (int i = 0; text.size() < 1024 * 1024; ++i) text += fmt::format("{:07} ", i);
  return text;
}

inline const std::string kClose = "Connection: close\r\n", kExpect = "Expect: 100-continue\r\n";
inline const std::string kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
inline const std::string kUpgrade = "Connection: upgrade\r\nUpgrade: websocket\r\n";

}  // namespace lockgate::stories
