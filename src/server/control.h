// The control socket: how the `lockgate` command talks to the running process.
//
// A Unix socket that only its owner may open (mode 0600). A connection is one question
// and one answer, each a JSON object on one line: {"command": "reload"} gives {"ok":
// true, "message": "..."}. The server lives on the process's own thread; asking blocks.
#pragma once
#include <expected>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "server/reception.h"

namespace lockgate::server {

/// Who obeys.
class Commands {
 public:
  virtual ~Commands() = default;
  /// `request` is an object whose "command" is a text; `asker` is who has asked, for the log. The answer is
  /// an object with "ok" and, for people, "message". A task that fails is answered for, with its error as the
  /// message.
  virtual loop::Task<nlohmann::json> handle(nlohmann::json request, std::string asker) = 0;
};

struct ControlLimits {
  std::size_t connections = 16;
  std::size_t request_bytes = 64 * 1024;
  Duration request = std::chrono::seconds(5);  // from the accept to the end of the line
  Duration answer = std::chrono::seconds(5);   // to take the answer
};

class ControlSocket {
 public:
  /// Opens the socket at `path`, in place of one that a process left behind; makes its folder if that is
  /// missing. Else a sentence that says why not, as where a living process answers there. `commands` outlive
  /// the socket.
  static std::expected<std::unique_ptr<ControlSocket>, std::string> open(loop::Reactor& reactor,
                                                                         std::string path, Commands& commands,
                                                                         const ControlLimits& limits = {});
  ~ControlSocket();

 private:
  ControlSocket(loop::Reactor& reactor, std::string path, Commands& commands, const ControlLimits& limits);
  loop::Task<void> serve(net::AnyStream stream);
  loop::Task<nlohmann::json> answer_to(std::string_view line, std::string asker);

  loop::Reactor& reactor_;
  std::string path_;
  Commands& commands_;
  ControlLimits limits_;
  Reception reception_;
};

/// Asks the process behind the socket at `path`, and waits for its answer at most `timeout`. What goes wrong
/// is a sentence for the person at the terminal.
std::expected<nlohmann::json, std::string> ask(const std::string& path, const nlohmann::json& request,
                                               Duration timeout);

}  // namespace lockgate::server
