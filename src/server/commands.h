// The commands of the program, each with its exit code: 0, 1 for failure, 2 for usage
// or configuration. Data goes to stdout, what is said to people to stderr.
#pragma once
#include <string>
#include <vector>

#include "server/explain.h"

namespace lockgate::server {

inline constexpr int kSuccess = 0, kFailure = 1, kBadConfig = 2;
inline constexpr const char* kDefaultConfig = "/etc/lockgate/lockgate.yaml";

int run_command(const std::string& config_path);
int check_command(const std::string& config_path, bool print, bool json);
int explain_command(const std::string& config_path, const ExplainQuestion& question, bool json);
int config_reference_command(bool schema);

/// A proxy from flags alone: names passed to URLs.
struct PassFlags {
  std::vector<std::string> listen;
  std::vector<std::string> to;  // NAME=URL
  std::string fallback;         // URL for all other names
  std::string send_proxy_protocol = "off";
  bool print_config = false;
};
int pass_command(const PassFlags& flags);

struct QuickstartFlags {
  std::uint16_t port = 8080;
  std::vector<std::string> to;  // NAME=URL of TLS servers
};
int quickstart_command(const QuickstartFlags& flags);

/// Asks the running process through its control socket; `request` is a JSON object.
struct AskFlags {
  std::string config_path = kDefaultConfig;
  std::string socket;  // overrides the one of the configuration
  bool json = false;
};
int reload_command(const AskFlags& flags);
int status_command(const AskFlags& flags);
int drain_command(const AskFlags& flags);
int log_command(const AskFlags& flags, const std::string& level, const std::string& site);

}  // namespace lockgate::server
